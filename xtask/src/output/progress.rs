//! Shows how far a run is: a bar on a terminal, else a line now and then.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use reencrypt::{Event, Phase};

use super::{Printer, grouped, screen};

/// How long plain output keeps silent within a phase.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

const SPINNER: &str = "{spinner} {msg}";
const ROWS: &str =
    "{spinner} {msg} [{bar:25}] {human_pos} of {human_len} clients, {rate}, {eta} left";
/// Where the other would go on in a second line, which is left behind when it is drawn again.
const NARROW_ROWS: &str = "{spinner} {msg} {percent}%, {eta} left";
/// What the wider of the two needs.
const WIDTH_OF_ROWS: usize = 100;

/// Draws a run's events.
pub(crate) struct Progress {
    printer: Printer,
    on_terminal: bool,
    phase: Option<RunningPhase>,
}

struct RunningPhase {
    name: String,
    began: Instant,
    last_line: Instant,
    rows_done: u64,
    /// Where there is a terminal.
    bar: Option<ProgressBar>,
}

impl Progress {
    /// On standard error.
    pub(crate) fn new(printer: Printer) -> Progress {
        Progress {
            printer,
            on_terminal: screen::draws(),
            phase: None,
        }
    }

    /// Begins a part of a run and ends the one before it.
    pub(crate) fn begin(&mut self, name: impl Into<String>) {
        self.end();
        let name = name.into();
        let bar = self.on_terminal.then(|| spinner(&name));
        if bar.is_none() {
            self.printer.note(&name);
        }
        let now = Instant::now();
        self.phase = Some(RunningPhase {
            name,
            began: now,
            last_line: now,
            rows_done: 0,
            bar,
        });
    }

    /// Ends the part that runs; with `--verbose`, says how long it took.
    pub(crate) fn end(&mut self) {
        if let Some(phase) = self.phase.take() {
            phase.bar.iter().for_each(ProgressBar::finish_and_clear);
            self.printer.detail(&phase.summary());
        }
    }

    /// Draws an event. Those that tell of a cell are the caller's.
    pub(crate) fn observe(&mut self, event: &Event<'_>) {
        match event {
            Event::Phase(phase) => self.begin(name_of(*phase)),
            Event::Rows { done, total } => self.rows(*done, *total),
            Event::CommitFoundByLooking => self.above(|printer| {
                printer.warning(
                    "the answer to the commit was lost; the database, asked again, has committed it",
                );
            }),
            Event::Unreadable(_) => {}
        }
    }

    /// Prints without running into the bar.
    pub(crate) fn above(&self, print: impl FnOnce(&Printer)) {
        match self.phase.as_ref().and_then(|phase| phase.bar.as_ref()) {
            Some(bar) => bar.suspend(|| print(&self.printer)),
            None => print(&self.printer),
        }
    }

    fn rows(&mut self, done: u64, total: u64) {
        let Some(phase) = &mut self.phase else { return };
        phase.rows_done = done;
        if let Some(bar) = &phase.bar {
            if bar.length().is_none() {
                let is_narrow = screen::width().is_some_and(|width| width < WIDTH_OF_ROWS);
                bar.set_style(style(if is_narrow { NARROW_ROWS } else { ROWS }));
                bar.set_length(total);
            }
            bar.set_position(done);
        } else if phase.last_line.elapsed() >= BETWEEN_LINES && done < total {
            phase.last_line = Instant::now();
            self.printer.note(&phase.line(total));
        }
    }
}

/// A run that ends early, by an error, leaves no bar behind.
impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

impl RunningPhase {
    /// `re-encrypting: 40,000 of 100,000 clients, 81,000/s, 1 s left`.
    fn line(&self, total: u64) -> String {
        let rate = rows_per_second(self.rows_done, self.began.elapsed());
        let left = if rate == 0 {
            0
        } else {
            total.saturating_sub(self.rows_done).div_ceil(rate)
        };
        let [done, total, rate] = [self.rows_done, total, rate].map(grouped);
        format!(
            "{}: {done} of {total} clients, {rate}/s, {left} s left",
            self.name
        )
    }

    /// `re-encrypting: 1.234 s, 100,000 clients, 81,000/s`.
    fn summary(&self) -> String {
        let took = self.began.elapsed();
        let seconds = took.as_secs_f64();
        if self.rows_done == 0 {
            return format!("{}: {seconds:.3} s", self.name);
        }
        let [rows, rate] = [self.rows_done, rows_per_second(self.rows_done, took)].map(grouped);
        format!("{}: {seconds:.3} s, {rows} clients, {rate}/s", self.name)
    }
}

fn name_of(phase: Phase) -> &'static str {
    match phase {
        Phase::Locking => "waiting for the lock",
        Phase::Surveying => "surveying",
        Phase::Reencrypting => "re-encrypting",
        Phase::Verifying => "verifying",
        Phase::Committing => "committing",
    }
}

fn rows_per_second(rows: u64, time: Duration) -> u64 {
    let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1);
    rows.saturating_mul(1000) / milliseconds
}

fn spinner(name: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        .with_style(style(SPINNER))
        .with_message(name.to_owned());
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn style(template: &str) -> ProgressStyle {
    // The templates are constants: were one wrong, the plain bar would do.
    let style =
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.progress_chars("=> ").with_key(
        "rate",
        |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            // Nobody is left to be told.
            let _ = write!(
                out,
                "{}/s",
                grouped(rows_per_second(state.pos(), state.elapsed()))
            );
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_rate_and_time_left() {
        let Some(began) = Instant::now().checked_sub(Duration::from_secs(10)) else {
            return;
        };
        let phase = RunningPhase {
            name: "verifying".to_owned(),
            began,
            last_line: began,
            rows_done: 10_000,
            bar: None,
        };
        let line = phase.line(100_000);
        assert!(
            line.starts_with("verifying: 10,000 of 100,000 clients, "),
            "{line}"
        );
        assert!(line.ends_with(" s left"), "{line}");
    }
}
