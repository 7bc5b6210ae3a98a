//! The store's own records: JSON with a format number.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::whole_file;
use crate::Error;

/// The format that this program writes, and the newest that it reads.
pub(super) const FORMAT: u64 = 1;

#[derive(serde::Deserialize)]
struct Header {
    format: u64,
}

/// A record; nothing where there is no file.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let Some(bytes) = whole_file::read(path)? else {
        return Ok(None);
    };
    // Its own message may quote what the file holds.
    let damaged = |error: serde_json::Error| Error::Damaged {
        path: path.to_owned(),
        what: "it is not the record that belongs there",
        line: error.line().max(1),
    };
    let header: Header = serde_json::from_slice(&bytes).map_err(damaged)?;
    if header.format > FORMAT {
        return Err(Error::NewerFormat {
            path: path.to_owned(),
            found: header.format,
            known: FORMAT,
        });
    }
    serde_json::from_slice(&bytes).map(Some).map_err(damaged)
}

/// Writes a record.
pub(super) fn write(path: &Path, record: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_vec_pretty(record);
    let mut text = text.map_err(|error| Error::file("write", path)(error.into()))?;
    text.push(b'\n');
    whole_file::write(path, &text)
}
