//! The cells that no key opens, shown as they are found or kept for the end.

use reencrypt::{Event, Phase, UnreadableCell};

use crate::cli::Format;
use crate::interrupt;
use crate::output::{Printer, Progress, plain};

/// How many a run that isn't there to list them shows.
const FIRST: usize = 20;

/// Takes cells as they are found. What is shown at once isn't kept: there may be
/// as many as there are rows.
pub(crate) struct Listing {
    show: Show,
    limit: usize,
    keep: bool,
    kept: Vec<UnreadableCell>,
    found: usize,
}

/// Where cells are shown as they are found.
enum Show {
    AsData,
    AsRemarks,
    Not,
}

impl Listing {
    /// All of them, for a command that is there to find them.
    pub(crate) fn of_all(format: Format) -> Listing {
        Listing::new(usize::MAX, Show::AsData, format)
    }

    /// The first few, for a run that fails because of them.
    pub(crate) fn of_first(format: Format) -> Listing {
        Listing::new(FIRST, Show::AsRemarks, format)
    }

    fn new(limit: usize, show: Show, format: Format) -> Listing {
        Listing {
            show: if format == Format::Json {
                Show::Not
            } else {
                show
            },
            limit,
            keep: format == Format::Json,
            kept: Vec::new(),
            found: 0,
        }
    }

    /// Takes what is told of the rows: a cell for this list, all else for the bar.
    pub(crate) fn observe(&mut self, event: &Event<'_>, progress: &mut Progress) {
        match event {
            Event::Unreadable(cell) => self.add(cell, progress),
            event => {
                if matches!(event, Event::Phase(Phase::Committing)) {
                    interrupt::commit_begins();
                }
                progress.observe(event);
            }
        }
    }

    fn add(&mut self, cell: &UnreadableCell, progress: &Progress) {
        self.found += 1;
        if self.found > self.limit {
            return;
        }
        if self.keep {
            self.kept.push(cell.clone());
        }
        match self.show {
            Show::AsData => progress.above(|printer| printer.data(&line(cell))),
            Show::AsRemarks => progress.above(|printer| printer.line(&line(cell))),
            Show::Not => {}
        }
    }

    /// Says how many weren't shown, where some were.
    pub(crate) fn print_rest(&self, printer: &Printer) {
        let rest = self.found.saturating_sub(self.limit);
        if rest > 0 && matches!(self.show, Show::AsRemarks) {
            printer.line(&format!(
                "… and {rest} more: `cargo xtask survey-dcr` lists them all"
            ));
        }
    }

    /// Those that were kept.
    pub(crate) fn kept(&self) -> &[UnreadableCell] {
        &self.kept
    }
}

fn line(cell: &UnreadableCell) -> String {
    format!(
        "unreadable: order `{}`, {}: {}",
        plain(&cell.order_id),
        cell.column,
        cell.reason
    )
}
