//! What state a world is in, read from its files by the tests' own code.
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use fernet::Fernet;
use platform::{Bound, Service};

pub(super) const SECRET: &str = "dcr-encryption-key";
pub(super) const VARIABLE: &str = "DCR_ENCRYPTION_KEY";
pub(super) const SERVICE: &str = "marketplace-handler";

/// The state of a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Every token, by its order and its column.
    pub(super) cells: Vec<Cell>,
    /// All that the rows hold beside their tokens.
    others: Vec<String>,
    pub(super) env: String,
    /// The state and the value of every version.
    pub(super) versions: BTreeMap<u64, (String, String)>,
    pub(super) service: Service,
}

/// A token.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Cell {
    order_id: String,
    column: &'static str,
    /// The text of the key that opens it; none if none does.
    pub(super) key: Option<String>,
    pub(super) plaintext: Vec<u8>,
    issued_at: u64,
}

/// Short enough for a failed test's message.
impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key.as_deref().map(|key| &key[..4]);
        write!(f, "{} {} under {key:?}", self.order_id, self.column)
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    order_id: String,
    #[diesel(sql_type = Text)]
    client_secret: String,
    #[diesel(sql_type = Nullable<Text>)]
    registration_token: Option<String>,
    #[diesel(sql_type = Text)]
    others: String,
}

const ROWS: &str = "select order_id, client_secret_encrypted as client_secret,
    registration_access_token_encrypted as registration_token,
    client_id || account_id || ifnull(redirect_uris, '-') || ifnull(grant_types, '-')
        || ifnull(keycloak_client_uuid, '-') || created_at || metadata as others
    from dcr_clients order by order_id";

impl Seen {
    pub(super) fn of(folder: &Path, service: Service) -> Result<Seen> {
        let env = fs::read_to_string(folder.join(".env"))?;
        let versions = versions(folder)?;
        let in_env = value_of(&env).unwrap_or_default().to_owned();
        let values = versions.values().map(|(_, value)| value.clone());
        let keys = Keys::of(values.chain([in_env]));
        let rows = rows(folder)?;
        Ok(Seen {
            cells: rows.iter().flat_map(|row| keys.cells(row)).collect(),
            others: rows.into_iter().map(|row| row.others).collect(),
            env,
            versions,
            service,
        })
    }

    /// The value that the service reads.
    pub(super) fn value_in_use(&self) -> &str {
        value_of(&self.env).unwrap_or_default()
    }

    pub(super) fn latest(&self) -> Option<(u64, &str, &str)> {
        let (number, (state, value)) = self.versions.last_key_value()?;
        Some((*number, state, value))
    }

    /// The numbers of the versions with their states.
    pub(super) fn states(&self) -> Vec<(u64, &str)> {
        let states = self.versions.iter();
        states
            .map(|(number, (state, _))| (*number, state.as_str()))
            .collect()
    }

    pub(super) fn is_enabled(&self, value: &str) -> bool {
        let mut versions = self.versions.values();
        versions.any(|(state, held)| state == "enabled" && held == value)
    }

    pub(super) fn cells_under(&self, value: &str) -> usize {
        let under = |cell: &&Cell| cell.key.as_deref() == Some(value);
        self.cells.iter().filter(under).count()
    }

    /// The tokens without the keys that they are under.
    pub(super) fn plaintexts(&self) -> Vec<(&str, &str, &[u8], u64)> {
        let of = |cell: &'_ Cell| (cell.column, cell.issued_at);
        let cells = self.cells.iter();
        cells
            .map(|cell| {
                let (column, issued_at) = of(cell);
                (&*cell.order_id, column, &*cell.plaintext, issued_at)
            })
            .collect()
    }

    /// Sees that everything is as it was at the start.
    ///
    /// The value in use may be stored now. Versions that came since hold the value that
    /// was the latest, or are disabled.
    pub(super) fn expect_to_be(&self, start: &Seen, case: &str) {
        assert_eq!(self.cells, start.cells, "{case}: the table");
        assert_eq!(
            self.others, start.others,
            "{case}: the table's other columns"
        );
        assert_eq!(self.env, start.env, "{case}: .env");
        let bound = match (start.service.bound, self.service.bound) {
            (Bound::Inline, Bound::Latest) => Bound::Inline,
            (_, now) => now,
        };
        assert_eq!(bound, start.service.bound, "{case}: the binding");
        assert_eq!(self.service.ready, start.service.ready, "{case}: readiness");
        let old = start.value_in_use();
        for (number, (state, value)) in &self.versions {
            match start.versions.get(number) {
                Some((was, _)) => assert_eq!(state, was, "{case}: version {number}"),
                None => assert!(
                    value == old || state == "disabled",
                    "{case}: version {number} is {state}"
                ),
            }
        }
        assert!(self.versions.len() >= start.versions.len(), "{case}");
        if let Some((_, state, value)) = self.latest() {
            let was = start.latest().map_or(old, |(_, _, value)| value);
            assert!(state == "enabled" && value == was, "{case}: latest");
        }
    }

    /// Sees that everything is as it is to be after a rotation.
    pub(super) fn expect_rotated_from(&self, start: &Seen, case: &str) {
        let (number, state, new) = self.latest().expect("a version");
        assert_eq!(state, "enabled", "{case}");
        assert_ne!(new, start.value_in_use(), "{case}");
        assert_eq!(self.plaintexts(), start.plaintexts(), "{case}: plaintexts");
        assert_eq!(
            self.others, start.others,
            "{case}: the table's other columns"
        );
        self.expect_all_under(new, case);
        let env = start.env.replace(start.value_in_use(), new);
        assert_eq!(self.env, env, "{case}: .env");
        let bound = Bound::Pinned(secret::VersionNumber::new(number).expect("from 1 on"));
        assert_eq!(self.service.bound, bound, "{case}: the binding");
        assert!(self.service.ready, "{case}: readiness");
        assert_eq!(self.service.revisions.len(), 1, "{case}: other revisions");
        assert!(!self.is_enabled(start.value_in_use()), "{case}: retired");
    }

    pub(super) fn expect_all_under(&self, value: &str, case: &str) {
        assert_eq!(self.cells_under(value), self.cells.len(), "{case}: tokens");
    }
}

/// The state and the value of each version, as the store's files tell.
fn versions(folder: &Path) -> Result<BTreeMap<u64, (String, String)>> {
    let folder = folder.join("store").join(SECRET);
    let Ok(index) = fs::read(folder.join("versions.json")) else {
        return Ok(BTreeMap::new());
    };
    let index: serde_json::Value = serde_json::from_slice(&index)?;
    let entries = index["versions"].as_array().context("no versions")?;
    let version = |entry: &serde_json::Value| {
        let number = entry["number"].as_u64().context("no number")?;
        let state = entry["state"].as_str().context("no state")?.to_owned();
        let value = fs::read_to_string(folder.join(format!("{number}.value")))?;
        Ok((number, (state, value)))
    };
    entries.iter().map(version).collect()
}

fn value_of(env: &str) -> Option<&str> {
    env.lines()
        .find_map(|line| line.strip_prefix(VARIABLE)?.strip_prefix('='))
}

fn rows(folder: &Path) -> Result<Vec<Row>> {
    let path = folder.join("service.db").to_string_lossy().into_owned();
    let mut connection = SqliteConnection::establish(&path)?;
    Ok(diesel::sql_query(ROWS).load(&mut connection)?)
}

/// The keys that there are, as text and ready for use.
struct Keys(Vec<(String, Fernet)>);

impl Keys {
    fn of(texts: impl Iterator<Item = String>) -> Keys {
        let key = |text: String| Some((text.clone(), Fernet::new(&text)?));
        Keys(texts.filter_map(key).collect())
    }

    fn cells<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = Cell> + 'a {
        let columns = [
            ("client_secret", Some(&row.client_secret)),
            ("registration_token", row.registration_token.as_ref()),
        ];
        let cells = columns.into_iter();
        cells.filter_map(|(column, token)| Some(self.cell(&row.order_id, column, token?)))
    }

    fn cell(&self, order_id: &str, column: &'static str, token: &str) -> Cell {
        let mut keys = self.0.iter();
        let opened = keys.find_map(|(key, cipher)| Some((key, cipher.decrypt(token).ok()?)));
        let bytes = secret::python_base64::decode(token.as_bytes()).expect("a token");
        let issued_at = bytes[1..9].try_into().expect("eight bytes");
        Cell {
            order_id: order_id.to_owned(),
            column,
            key: opened.as_ref().map(|(key, _)| (*key).clone()),
            plaintext: opened.map(|(_, plaintext)| plaintext).unwrap_or_default(),
            issued_at: u64::from_be_bytes(issued_at),
        }
    }
}
