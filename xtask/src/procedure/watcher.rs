//! Draws a run as it goes, and answers for people.

use std::sync::{Arc, Mutex};

use runbook::{About, Conductor, Event, Fact, Undo};
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::input::{Answer, Terminal};
use crate::output::{Printer, Progress, plain};

/// Draws a run as it goes, and answers for people.
pub(super) struct Watcher {
    pub(super) printer: Printer,
    /// How far the rows are, while there are rows.
    pub(super) progress: Arc<Mutex<Progress>>,
    /// Somebody to ask.
    pub(super) terminal: Option<Terminal>,
    /// Whether somebody said that the step which waits is done. Good for one step.
    pub(super) is_done: bool,
    pub(super) interrupt: CancellationToken,
}

impl Conductor for Watcher {
    fn event(&mut self, event: Event<'_>) {
        self.quiet();
        match event {
            // What has no effect is undone in no time.
            Event::Begins {
                undo: true, about, ..
            } if matches!(about.undo, Undo::Nothing(_)) => {}
            Event::Begins {
                number,
                of,
                about,
                undo,
            } => {
                let undo = if undo { "undo: " } else { "" };
                self.printer
                    .note(&format!("{number:>3}/{of}  {undo}{}", about.title));
            }
            Event::Found { number, of, about } => self.printer.note(&format!(
                "{number:>3}/{of}  {}: it is so already",
                about.title
            )),
            Event::Lost { about } => {
                // What people did was done for what is gone, too.
                self.is_done = false;
                self.printer.warning(&format!(
                    "what `{}` did is gone; going on from there",
                    about.title
                ));
            }
            // Of where it is, people are told otherwise.
            Event::Fact {
                fact: Fact::Fingerprint(_),
                name: "database",
            } => {}
            Event::Fact { name, fact } => self.printer.note(&format!("        {name}: {fact}")),
            Event::Remark(text) => self.printer.note(&format!("        {}", plain(text))),
            Event::Ends { about } => self
                .printer
                .detail(&format!("        done: {}", about.title)),
            Event::Waits { .. } => {}
        }
    }

    fn is_done_by_people(&mut self, about: &'static About) -> bool {
        self.is_done_or_asked(about.does)
    }

    fn is_undone_by_people(&mut self, about: &'static About) -> bool {
        self.is_done_or_asked(about.undo.text())
    }

    fn is_interrupted(&self) -> bool {
        self.interrupt.is_cancelled()
    }
}

impl Watcher {
    /// Tells whoever sits there what Ctrl-C does, before it is wanted.
    pub(super) fn explain_ctrl_c(&self) {
        if self.terminal.is_some() {
            self.printer.note(
                "Ctrl-C stops the run after the step under way; it can be resumed or undone.",
            );
        }
    }

    fn is_done_or_asked(&mut self, what: &str) -> bool {
        if std::mem::take(&mut self.is_done) {
            return true;
        }
        self.printer.note(&format!("        {what}"));
        self.ask("Is it done? [y/N]")
    }

    /// Takes the bar away, if one is drawn.
    pub(super) fn quiet(&self) {
        if let Ok(mut progress) = self.progress.lock() {
            progress.end();
        }
    }

    /// Shows a failure, and asks whether the run is to be undone.
    pub(super) fn asks_for_rollback(&self, failure: &Failure) -> bool {
        if self.terminal.is_none() {
            return false;
        }
        self.printer.failure(failure);
        self.ask("Roll back now? [y/N]")
    }

    fn ask(&self, question: &str) -> bool {
        let Some(terminal) = &self.terminal else {
            return false;
        };
        match terminal.ask(question, &self.interrupt) {
            Ok(Answer::Line(line)) => crate::input::is_yes(&line),
            Ok(Answer::None) | Err(_) => false,
        }
    }
}
