//! The table whose cells are under a key, read by the tests' own code.
use std::fmt;
use std::path::Path;

use anyhow::Result;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use fernet::Fernet;

/// What the table holds; nothing where the secret is no key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::rotation) struct Table {
    /// Every token, by its order and its column.
    pub(in crate::rotation) cells: Vec<Cell>,
    /// All that the rows hold beside their tokens.
    pub(in crate::rotation) others: Vec<String>,
}

impl Table {
    /// The table of a database, whose cells are under some of these keys.
    pub(super) fn of(database: &Path, keys: impl Iterator<Item = String>) -> Result<Table> {
        let (keys, rows) = (Keys::of(keys), rows(database)?);
        Ok(Table {
            cells: rows.iter().flat_map(|row| keys.cells(row)).collect(),
            others: rows.into_iter().map(|row| row.others).collect(),
        })
    }
}

/// A token.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::rotation) struct Cell {
    pub(super) order_id: String,
    pub(super) column: &'static str,
    /// The text of the key that opens it; none if none does.
    pub(in crate::rotation) key: Option<String>,
    pub(super) plaintext: Vec<u8>,
    pub(super) issued_at: u64,
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

fn rows(database: &Path) -> Result<Vec<Row>> {
    let path = database.to_string_lossy().into_owned();
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
