//! What depends on a secret beside the services: tokens under a key, an issuer, a server.
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use integration_tests::TestDatabase;
use integration_tests::issuer::TestIssuer;
use secret::DatabaseUrl;

use super::place::Version;
use crate::roles::lab::{Lab, use_tables};
use crate::subject::{Row, SqliteFile, Subject, open};

pub(super) enum Beside {
    /// In an SQLite file in this folder.
    TokensIn(PathBuf),
    TokensOf(Subject),
    Client(TestIssuer),
    Login(Box<Lab>),
}

/// What each token holds, by the client's order and which of its tokens it is.
pub(super) type Plaintexts = BTreeMap<(String, usize), Vec<u8>>;

impl Beside {
    /// The database, where it is on a server.
    pub(super) fn database(&self) -> Option<&TestDatabase> {
        match self {
            Beside::TokensOf(Subject::Postgres(database)) => Some(database),
            Beside::Login(lab) => Some(&lab.database),
            _ => None,
        }
    }

    /// Opens every token by any of these; none where there are no tokens.
    pub(super) async fn plaintexts(&self, keys: &[&str]) -> Result<Plaintexts> {
        let rows = match self {
            Beside::TokensIn(folder) => copied(folder)?.rows()?,
            Beside::TokensOf(Subject::Sqlite(file)) => copied(file.folder())?.rows()?,
            Beside::TokensOf(database) => database.rows().await?,
            Beside::Client(_) | Beside::Login(_) => Vec::new(),
        };
        let mut plaintexts = Plaintexts::new();
        for row in rows {
            for (which, cell) in cells(&row).enumerate() {
                let opened = keys.iter().find_map(|key| open(cell, key));
                let order = row.order_id.clone();
                let opened =
                    opened.with_context(|| format!("token {which} of {order} can't be read"))?;
                plaintexts.insert((order, which), opened.plaintext);
            }
        }
        Ok(plaintexts)
    }

    /// Services can do their work with this value.
    pub(super) async fn expect_good(&self, value: &str) -> Result<()> {
        if let Beside::Login(_) = self {
            use_tables(&DatabaseUrl::parse(value)?).await?;
        }
        Ok(())
    }

    /// None but this value is good for anything.
    pub(super) async fn expect_alone(&self, value: &str, versions: &[Version]) -> Result<()> {
        let Beside::Login(lab) = self else {
            return Ok(());
        };
        for version in versions.iter().filter(|version| version.value != value) {
            let is_accepted = lab
                .is_accepted(&DatabaseUrl::parse(&version.value)?)
                .await?;
            ensure!(!is_accepted, "version {} lets in", version.number);
        }
        Ok(())
    }
}

fn cells(row: &Row) -> impl Iterator<Item = &String> {
    std::iter::once(&row.client_secret).chain(&row.registration_access_token)
}

/// A copy to look at: whoever opens a database after a crash repairs it, and that is to be
/// the program's own business.
fn copied(folder: &Path) -> Result<SqliteFile> {
    let copy = SqliteFile::missing()?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with("clients.sqlite") && entry.path().is_file() {
            fs::copy(entry.path(), copy.folder().join(name))?;
        }
    }
    Ok(copy)
}
