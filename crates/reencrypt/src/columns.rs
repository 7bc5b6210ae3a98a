//! The encrypted columns of `dcr_clients`.

use std::fmt;
use std::str::FromStr;

use crate::sql::quoted;

/// An encrypted column of `dcr_clients`, in the order in which reports show them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// `client_secret_encrypted`, in every row.
    ClientSecret,
    /// `registration_access_token_encrypted`, null in most rows.
    RegistrationAccessToken,
}

impl Column {
    /// Every encrypted column.
    pub const ALL: [Column; 2] = [Column::ClientSecret, Column::RegistrationAccessToken];

    /// What a run reads of a row: the encrypted columns, and the primary key.
    pub(crate) const NEEDED: [&str; 3] = [
        Column::ClientSecret.name(),
        Column::RegistrationAccessToken.name(),
        "order_id",
    ];

    /// The encrypted column of that name.
    pub(crate) fn named(name: &str) -> Option<Column> {
        Column::ALL.into_iter().find(|column| column.name() == name)
    }

    /// The column's name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Column::ClientSecret => "client_secret_encrypted",
            Column::RegistrationAccessToken => "registration_access_token_encrypted",
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One value for each encrypted column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerColumn<T>(pub [T; 2]);

impl<T> PerColumn<T> {
    /// The columns with their values, in the order of [`Column::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Column, &T)> {
        Column::ALL.into_iter().zip(&self.0)
    }
}

impl<T> std::ops::Index<Column> for PerColumn<T> {
    type Output = T;
    fn index(&self, column: Column) -> &T {
        let PerColumn([client_secret, registration_access_token]) = self;
        match column {
            Column::ClientSecret => client_secret,
            Column::RegistrationAccessToken => registration_access_token,
        }
    }
}

impl<T> std::ops::IndexMut<Column> for PerColumn<T> {
    fn index_mut(&mut self, column: Column) -> &mut T {
        let PerColumn([client_secret, registration_access_token]) = self;
        match column {
            Column::ClientSecret => client_secret,
            Column::RegistrationAccessToken => registration_access_token,
        }
    }
}

/// `table.column`, or `schema.table.column`: a column somewhere in the database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnName {
    /// The schema; on SQLite always none.
    pub schema: Option<String>,
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
}

impl ColumnName {
    /// Whether `self`, as somebody typed it, means `found`: without a schema it
    /// means the column in any schema.
    pub(crate) fn means(&self, found: &ColumnName) -> bool {
        self.table == found.table
            && self.column == found.column
            && (self.schema.is_none() || self.schema == found.schema)
    }
}

impl fmt::Display for ColumnName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{}.", Part(schema))?;
        }
        write!(f, "{}.{}", Part(&self.table), Part(&self.column))
    }
}

/// A name that stands in quotes, as in SQL, where it has a dot or a quote in it.
struct Part<'a>(&'a str);

impl fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains(['.', '"']) {
            f.write_str(&quoted(self.0))
        } else {
            f.write_str(self.0)
        }
    }
}

/// The parts between dots, those in quotes taken whole.
fn parts(text: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let mut part = String::new();
        if let Some(inside) = rest.strip_prefix('"') {
            rest = inside;
            loop {
                let (before, after) = rest.split_once('"')?;
                part.push_str(before);
                rest = after;
                match rest.strip_prefix('"') {
                    Some(after) => rest = after,
                    None => break,
                }
                part.push('"');
            }
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            let (before, after) = rest.split_at(end);
            part.push_str(before);
            rest = after;
        }
        parts.push(part);
        if rest.is_empty() {
            return Some(parts);
        }
        rest = rest.strip_prefix('.')?;
    }
}

/// The text is not `table.column`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `table.column` or `schema.table.column`")]
pub struct ColumnNameError;

impl FromStr for ColumnName {
    type Err = ColumnNameError;

    fn from_str(text: &str) -> Result<Self, ColumnNameError> {
        let mut parts = parts(text).ok_or(ColumnNameError)?;
        if parts.iter().any(String::is_empty) {
            return Err(ColumnNameError);
        }
        let (Some(column), Some(table)) = (parts.pop(), parts.pop()) else {
            return Err(ColumnNameError);
        };
        let schema = parts.pop();
        if !parts.is_empty() {
            return Err(ColumnNameError);
        }
        Ok(ColumnName {
            schema,
            table,
            column,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_column_means_the_one_in_any_schema_unless_it_names_one() {
        let found: ColumnName = "audit.copies.token".parse().unwrap();
        for (typed, means) in [
            ("copies.token", true),
            ("audit.copies.token", true),
            ("public.copies.token", false),
            ("copies.other", false),
        ] {
            let typed: ColumnName = typed.parse().unwrap();
            assert_eq!(typed.means(&found), means, "{typed}");
        }
    }

    #[test]
    fn a_name_with_a_dot_or_a_quote_is_shown_and_read_in_quotes() {
        let odd = ColumnName {
            schema: Some("public".to_owned()),
            table: "a.b".to_owned(),
            column: "c\"d".to_owned(),
        };
        assert_eq!(odd.to_string(), "public.\"a.b\".\"c\"\"d\"");
        assert_eq!(odd.to_string().parse(), Ok(odd));
    }

    #[test]
    fn half_a_name_is_refused() {
        for text in [
            "", "token", "copies.", ".token", "a.b.c.d", "a.\"b", "\"a\"b.c",
        ] {
            assert_eq!(text.parse::<ColumnName>(), Err(ColumnNameError), "{text:?}");
        }
    }
}
