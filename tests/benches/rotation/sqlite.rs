//! Data in an SQLite file, on the disk that holds the build.
use std::fs::{self, File};
use std::path::PathBuf;

use anyhow::Result;
use diesel::prelude::*;
use diesel::sql_types::Text;
use reencrypt::sample;
use secret::FernetKey;
use tempfile::TempDir;

/// A file with clients, which every run gets a copy of.
pub(crate) struct SqliteData {
    pub(crate) description: String,
    folder: TempDir,
}

impl SqliteData {
    pub(crate) fn fill(rows: u64, key: &FernetKey) -> Result<SqliteData> {
        let data = SqliteData {
            description: format!("SQLite {} (its default settings)", version()?),
            // Not the system's folder for temporary files, which may be in memory.
            folder: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        runtime.block_on(sample::create_sqlite(&data.template(), rows, key))?;
        Ok(data)
    }

    pub(crate) fn fresh(&self) -> Result<String> {
        let copy = self.folder.path().join("copy.sqlite");
        fs::copy(self.template(), &copy)?;
        // What the system hasn't written yet, the next to write would wait for.
        File::open(&copy)?.sync_all()?;
        File::open(self.folder.path())?.sync_all()?;
        Ok(format!("sqlite:///{}", copy.display()))
    }

    fn template(&self) -> PathBuf {
        self.folder.path().join("template.sqlite")
    }
}

fn version() -> Result<String> {
    #[derive(QueryableByName)]
    struct Version {
        #[diesel(sql_type = Text)]
        version: String,
    }
    let mut connection = SqliteConnection::establish(":memory:")?;
    let query = diesel::sql_query("select sqlite_version() as version");
    Ok(query.get_result::<Version>(&mut connection)?.version)
}
