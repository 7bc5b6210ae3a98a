//! The journal: one file for each run, appended to, a line for each record, each
//! line on the disk before anything else happens.

mod error;
mod file;
mod record;

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use self::error::JournalError;
pub use self::file::LineSink;
pub(crate) use self::file::sync_folder;
pub(crate) use self::record::FORMAT;
pub use self::record::{FixedText, Record, Written};
use crate::history::History;

/// A journal that can be appended to.
pub struct Journal {
    path: PathBuf,
    sink: Box<dyn LineSink>,
    /// Why a line may be there wholly, by half, or not at all. What the file tells
    /// is known again when it is opened again.
    broken_by: Option<String>,
}

impl Journal {
    /// Makes the file; it must not exist.
    pub(crate) fn create(path: &Path) -> Result<Journal, JournalError> {
        Ok(Journal {
            path: path.to_owned(),
            sink: Box::new(file::create(path)?),
            broken_by: None,
        })
    }

    /// Opens the file and reads it. What the end of a process cut off is removed.
    pub(crate) fn open(path: &Path) -> Result<(Journal, Vec<Written>), JournalError> {
        let records = read(path)?;
        let journal = Journal {
            path: path.to_owned(),
            sink: Box::new(file::open(path)?),
            broken_by: None,
        };
        Ok((journal, records))
    }

    /// Puts another sink between the journal and its file: for tests of full disks
    /// and of crashes between two records.
    pub fn through(self, wrap: impl FnOnce(Box<dyn LineSink>) -> Box<dyn LineSink>) -> Journal {
        Journal {
            sink: wrap(self.sink),
            ..self
        }
    }

    /// Appends records; when this returns, they are on the disk.
    pub(crate) fn append(&mut self, written: &[Written]) -> Result<(), JournalError> {
        self.append_lines(written)
            .map_err(|source| JournalError::Io {
                operation: "append to",
                path: self.path.clone(),
                source,
            })
    }

    fn append_lines(&mut self, written: &[Written]) -> io::Result<()> {
        if let Some(cause) = &self.broken_by {
            let text = format!("an earlier record could not be written: {cause}");
            return Err(io::Error::other(text));
        }
        let mut lines = Vec::new();
        for written in written {
            serde_json::to_writer(&mut lines, written)?;
            lines.push(b'\n');
        }
        if lines.is_empty() {
            return Ok(());
        }
        let appended = self.sink.append(&lines);
        self.broken_by = appended.as_ref().err().map(io::Error::to_string);
        appended
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Every record of a journal. A last line without its end was cut off by the end
/// of the process that wrote it: it counts as not written.
pub(crate) fn read(path: &Path) -> Result<Vec<Written>, JournalError> {
    let text = std::fs::read(path).map_err(|source| JournalError::Io {
        operation: "read",
        path: path.to_owned(),
        source,
    })?;
    records(path, &text)
}

/// The same of what stands in the file at `path`.
pub(crate) fn records(path: &Path, text: &[u8]) -> Result<Vec<Written>, JournalError> {
    let (whole, _) = text.split_at(file::whole_lines(text));
    let lines = || whole.split_inclusive(|byte| *byte == b'\n');
    let Some(first) = lines().next() else {
        return Err(JournalError::Empty {
            path: path.to_owned(),
        });
    };
    refuse_newer(path, first)?;
    lines()
        .enumerate()
        .map(|(index, line)| {
            serde_json::from_slice(line).map_err(|_| JournalError::Damaged {
                path: path.to_owned(),
                line: index + 1,
            })
        })
        .collect()
}

/// The history that a journal tells.
pub(crate) fn history(path: &Path) -> Result<History, JournalError> {
    replay(path, &read(path)?)
}

/// The history that the records tell.
pub(crate) fn replay(path: &Path, records: &[Written]) -> Result<History, JournalError> {
    let impossible = |line: usize| {
        move |source| JournalError::Impossible {
            path: path.to_owned(),
            line,
            source,
        }
    };
    let Some((first, later)) = records.split_first() else {
        return Err(JournalError::Empty {
            path: path.to_owned(),
        });
    };
    let mut history = History::begin(first).map_err(impossible(1))?;
    for (index, record) in later.iter().enumerate() {
        history.follow(record).map_err(impossible(index + 2))?;
    }
    Ok(history)
}

/// Looks at the format alone: what else a newer build writes, nobody knows here.
fn refuse_newer(path: &Path, first: &[u8]) -> Result<(), JournalError> {
    #[derive(Deserialize)]
    struct Header {
        format: u32,
    }
    match serde_json::from_slice::<Header>(first) {
        Ok(Header { format }) if format > FORMAT => Err(JournalError::Newer {
            path: path.to_owned(),
            format,
            known: FORMAT,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[expect(clippy::string_slice, reason = "a test's own text")]
mod tests {
    use std::fs;

    use super::*;

    fn written(record: Record) -> Written {
        Written::now(record)
    }

    fn with_lines(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        fs::write(&path, text).unwrap();
        (folder, path)
    }

    const BEGAN: &str = r#"{"at":"2026-11-23T02:00:00Z","record":"run_began","format":1,"program":"0.1.0","run":"r","rotation":"x","platform":"local","operator":"me","steps":["one"]}"#;

    #[test]
    fn what_was_appended_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.jsonl");
        let records = [
            written(Record::StepBegan { step: "one".into() }),
            written(Record::RunDone),
        ];
        let mut journal = Journal::create(&path).unwrap();
        records
            .iter()
            .for_each(|record| journal.append(std::slice::from_ref(record)).unwrap());
        assert_eq!(read(&path).unwrap(), records);
        assert!(Journal::create(&path).is_err(), "it was there already");
    }

    #[test]
    fn a_line_that_was_cut_off_was_not_written() {
        for cut in [1, 10, BEGAN.len()] {
            let (_folder, path) = with_lines(&format!("{BEGAN}\n{}", &BEGAN[..cut]));
            let (mut journal, records) = Journal::open(&path).unwrap();
            assert_eq!(records.len(), 1);
            journal.append(&[written(Record::RunDone)]).unwrap();
            assert_eq!(read(&path).unwrap().len(), 2, "cut after {cut}");
        }
    }

    /// Records that are written in one go are cut off at any of them: the first are whole.
    #[test]
    fn of_several_lines_those_before_the_cut_were_written() {
        let (_folder, path) = with_lines(&format!("{BEGAN}\n"));
        let several = [written(Record::RunDone), written(Record::RunDone)];
        let (mut journal, _) = Journal::open(&path).unwrap();
        journal.append(&several).unwrap();
        let whole = fs::read(&path).unwrap();
        assert_eq!(read(&path).unwrap().len(), 3);
        for (left, records) in [(whole.len() - 1, 2), (BEGAN.len() + 9, 1)] {
            fs::write(&path, &whole[..left]).unwrap();
            assert_eq!(read(&path).unwrap().len(), records, "cut to {left}");
        }
    }

    #[test]
    fn a_damaged_line_is_named() {
        for damage in ["{}", "", "\0\0", &BEGAN[1..]] {
            let (_folder, path) = with_lines(&format!("{BEGAN}\n{damage}\n{BEGAN}\n"));
            let error = read(&path).unwrap_err();
            assert!(
                matches!(error, JournalError::Damaged { line: 2, .. }),
                "{error}"
            );
        }
    }

    #[test]
    fn a_newer_format_is_refused_whatever_it_holds() {
        let (_folder, path) = with_lines("{\"format\":2,\"else\":true}\n{}\n");
        let error = read(&path).unwrap_err();
        assert!(
            matches!(error, JournalError::Newer { format: 2, .. }),
            "{error}"
        );
    }

    #[test]
    fn a_run_that_never_began_says_so() {
        for text in ["", "{\"at\":"] {
            let (_folder, path) = with_lines(text);
            assert!(matches!(read(&path), Err(JournalError::Empty { .. })));
        }
    }
}
