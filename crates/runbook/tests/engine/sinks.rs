//! Sinks that break at a chosen record.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use runbook::LineSink;

/// How much of the record is on the disk when the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Nothing,
    Half,
    Everything,
}

pub(crate) const CUTS: [Cut; 3] = [Cut::Nothing, Cut::Half, Cut::Everything];

/// Breaks at the record of this number, counted from 0 after it was put there.
#[derive(Clone)]
pub(crate) struct Breaking {
    pub(crate) at: Option<usize>,
    pub(crate) cut: Cut,
    pub(crate) records: Rc<Cell<usize>>,
}

impl Breaking {
    pub(crate) fn at(record: usize, cut: Cut) -> Breaking {
        Breaking {
            at: Some(record),
            cut,
            records: Rc::default(),
        }
    }

    /// Breaks nowhere, and counts.
    pub(crate) fn never() -> Breaking {
        Breaking {
            at: None,
            cut: Cut::Nothing,
            records: Rc::default(),
        }
    }

    pub(crate) fn before(self, sink: Box<dyn LineSink>) -> Box<dyn LineSink> {
        Box::new(Sink(self, sink))
    }
}

struct Sink(Breaking, Box<dyn LineSink>);

impl LineSink for Sink {
    fn append(&mut self, line: &[u8]) -> io::Result<()> {
        let Sink(breaking, file) = self;
        let record = breaking.records.replace(breaking.records.get() + 1);
        if breaking.at != Some(record) {
            return file.append(line);
        }
        match breaking.cut {
            Cut::Nothing => {}
            Cut::Half => file.append(&line[..line.len() / 2])?,
            Cut::Everything => file.append(line)?,
        }
        Err(io::Error::other("the disk is full"))
    }
}
