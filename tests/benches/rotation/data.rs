//! Made-up clients to work on, the same and fresh for every run.
use anyhow::Result;
use secret::FernetKey;

use crate::options::Kind;
use crate::postgres::PostgresData;
use crate::sqlite::SqliteData;

/// A filled table that is copied for every run.
pub(crate) struct Data {
    pub(crate) rows: u64,
    pub(crate) kind: Kind,
    place: Place,
}

enum Place {
    Postgres(Box<PostgresData>),
    Sqlite(SqliteData),
}

/// The keys of the rotations, as text.
pub(crate) struct Keys {
    pub(crate) old: String,
    pub(crate) new: String,
}

impl Data {
    /// Fills a table of a kind with so many clients under the old key.
    pub(crate) fn fill(kind: Kind, rows: u64, keys: &Keys) -> Result<Data> {
        let place = match kind {
            Kind::Postgres => {
                Place::Postgres(Box::new(PostgresData::fill(rows, &keys.old_key()?)?))
            }
            Kind::Sqlite => Place::Sqlite(SqliteData::fill(rows, &keys.old_key()?)?),
        };
        Ok(Data { rows, kind, place })
    }

    /// Makes a copy, written to disk as far as the database would have it, and gives its URL.
    pub(crate) fn fresh(&self) -> Result<String> {
        match &self.place {
            Place::Postgres(data) => data.fresh(),
            Place::Sqlite(data) => data.fresh(),
        }
    }

    /// The database and its settings, in words.
    pub(crate) fn description(&self) -> &str {
        match &self.place {
            Place::Postgres(data) => &data.description,
            Place::Sqlite(data) => &data.description,
        }
    }
}

impl Keys {
    pub(crate) fn generate() -> Keys {
        let key = || FernetKey::generate().to_text().to_string();
        Keys {
            old: key(),
            new: key(),
        }
    }

    /// Those of the rotation after this one.
    pub(crate) fn next(self) -> Keys {
        Keys {
            old: self.new,
            new: self.old,
        }
    }

    /// What the program takes from its environment.
    pub(crate) fn environment(&self, url: &str) -> Vec<(&'static str, String)> {
        vec![
            ("DATABASE_URL", url.to_owned()),
            ("DCR_OLD_KEY", self.old.clone()),
            ("DCR_NEW_KEY", self.new.clone()),
        ]
    }

    fn old_key(&self) -> Result<FernetKey> {
        Ok(FernetKey::parse(self.old.as_bytes())?.key)
    }
}
