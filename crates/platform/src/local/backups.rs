//! Backups of an SQLite database: whole copies in the store's folder.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use secret::Fingerprint;

use super::folder::{StoreFolder, create_private};
use super::whole_file;
use crate::{Backup, Backups, Error};

/// What stands for itself in the path of a `file:` URI.
const IN_URI: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_');

/// Long enough for a writer's commit.
const PATIENCE: Duration = Duration::from_secs(30);

const ENDING: &str = ".sqlite";

/// Copies of one SQLite file, each named by the time of its state.
#[derive(Debug)]
pub(super) struct SqliteBackups {
    store: StoreFolder,
    database: PathBuf,
}

#[derive(QueryableByName)]
struct Checked {
    #[diesel(sql_type = Text)]
    quick_check: String,
}

impl SqliteBackups {
    pub(super) fn new(store: StoreFolder, database: PathBuf) -> SqliteBackups {
        SqliteBackups { store, database }
    }

    /// Each database has a folder of its own: a backup of another one is none. It is
    /// known as seen from the store, so that both may move together.
    fn folder(&self) -> PathBuf {
        let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let database = canonical(&self.database);
        let beside = self.store.path().parent().map(canonical);
        let place = beside.and_then(|beside| Some(database.strip_prefix(beside).ok()?.to_owned()));
        let place = place.unwrap_or(database).display().to_string();
        let name = Fingerprint::of_place(&place).to_string();
        self.store.path().join("backups").join(name)
    }

    fn backups(&self) -> Result<Vec<Backup>, Error> {
        let folder = self.folder();
        let failed = |error| Error::file("read", &folder)(error);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut backups = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            backups.extend(name.to_str().and_then(backup));
        }
        Ok(backups)
    }

    /// A time that no backup has yet: now, or the next thousandth of a second.
    fn free_time(&self) -> Timestamp {
        let now = Timestamp::now().as_millisecond();
        let times = (now..).map_while(|time| Timestamp::from_millisecond(time).ok());
        let mut free = times.filter(|time| !self.folder().join(name(*time)).exists());
        free.next().unwrap_or(Timestamp::MAX)
    }

    /// Removes what takes that were cut off left behind.
    fn remove_leftovers(&self) -> Result<(), Error> {
        let folder = self.folder();
        let failed = |error| Error::file("read", &folder)(error);
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if whole_file::is_unfinished(&path) {
                whole_file::remove(&path)?;
            }
        }
        Ok(())
    }
}

#[async_trait(?Send)]
impl Backups for SqliteBackups {
    async fn newest(&self) -> Result<Option<Backup>, Error> {
        let backups = self.backups()?;
        Ok(backups.into_iter().max_by_key(|backup| backup.taken_at))
    }

    async fn take(&self) -> Result<Backup, Error> {
        let _locked = self.store.lock().await?;
        create_private(&self.folder())?;
        self.remove_leftovers()?;
        // The state that is copied is that of the moment when the copying begins.
        let taken_at = self.free_time();
        let name = name(taken_at);
        let path = self.folder().join(&name);
        let (database, copy) = (self.database.clone(), path.clone());
        let task = tokio::task::spawn_blocking(move || make(&database, &copy));
        task.await
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        Ok(Backup { name, taken_at })
    }
}

fn make(database: &Path, path: &Path) -> Result<(), Error> {
    let unfinished = whole_file::unfinished(path);
    let made = copy(database, &unfinished).and_then(|()| {
        let moved = fs::rename(&unfinished, path);
        moved.map_err(Error::file("write", path))
    });
    if made.is_err() {
        let _ = fs::remove_file(&unfinished);
    }
    made?;
    whole_file::sync_folder_of(path)
}

/// Copies one state of the database, however many write to it meanwhile, and
/// reads the copy through.
fn copy(database: &Path, to: &Path) -> Result<(), Error> {
    let database = database
        .canonicalize()
        .map_err(Error::file("read", database))?;
    // SQLite writes into an empty file, and leaves its mode as it is.
    let file = whole_file::create(to).map_err(Error::file("write", to))?;
    let copied = open_readable(&database).and_then(|mut connection| {
        let target = to.to_str().ok_or("the path of the store is not UTF-8")?;
        let vacuum = diesel::sql_query("VACUUM INTO ?").bind::<Text, _>(target);
        vacuum.execute(&mut connection).map_err(Into::into)
    });
    copied.map_err(failed("make a copy", &database))?;
    let synced = file.sync_all().and_then(|()| file.metadata());
    let length = synced.map_err(Error::file("write", to))?.len();
    let checked = open(to, "ro").and_then(|mut connection| {
        let check = diesel::sql_query("PRAGMA quick_check");
        check.load::<Checked>(&mut connection).map_err(Into::into)
    });
    match checked
        .map_err(failed("check a copy", &database))?
        .as_slice()
    {
        // An empty file would pass the check.
        [only] if only.quick_check == "ok" && length > 0 => Ok(()),
        _ => Err(Error::FaultyBackup { database }),
    }
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

fn failed(action: &'static str, database: &Path) -> impl FnOnce(AnyError) -> Error {
    let database = database.to_owned();
    move |source| Error::Backup {
        action,
        database,
        source,
    }
}

/// Opens the database for reading; but for writing where it can't be read
/// otherwise, since whoever wrote to it last was killed and must be undone first.
fn open_readable(database: &Path) -> Result<SqliteConnection, AnyError> {
    let mut connection = open(database, "ro")?;
    match connection.batch_execute("SELECT 1 FROM sqlite_schema LIMIT 1") {
        Ok(()) => Ok(connection),
        Err(_) => open(database, "rw"),
    }
}

/// Opens a file that exists, as a URI: only that way SQLite can be told how.
fn open(path: &Path, mode: &str) -> Result<SqliteConnection, AnyError> {
    let path = percent_encode(path.as_os_str().as_bytes(), IN_URI);
    let mut connection = SqliteConnection::establish(&format!("file:{path}?mode={mode}"))?;
    let patience = format!("PRAGMA busy_timeout = {}", PATIENCE.as_millis());
    connection.batch_execute(&patience)?;
    Ok(connection)
}

/// ISO 8601's short form, with thousandths: `20260131T235959.123Z.sqlite`.
fn name(time: Timestamp) -> String {
    let text = format!("{time:.3}");
    let text: String = text.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    text + ENDING
}

/// The backup with this file name; none if it is no backup's.
fn backup(file_name: &str) -> Option<Backup> {
    let taken_at = file_name.strip_suffix(ENDING)?.parse().ok()?;
    (name(taken_at) == file_name).then(|| Backup {
        name: file_name.to_owned(),
        taken_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_time_of_its_backup() {
        let time: Timestamp = "2026-01-31T23:59:59.123Z".parse().unwrap();
        assert_eq!(name(time), "20260131T235959.123Z.sqlite");
        assert_eq!(backup(&name(time)).unwrap().taken_at, time);
        let whole: Timestamp = "2026-01-31T23:59:59Z".parse().unwrap();
        assert_eq!(name(whole), "20260131T235959.000Z.sqlite");
        for other in [
            "20260131T235959.123Z.sqlite.unfinished",
            "20260131T235959.123Z.sqlite-journal",
            "2026.sqlite",
            ".sqlite",
        ] {
            assert_eq!(backup(other), None, "{other}");
        }
    }
}
