//! The encrypted columns of `dcr_clients`.

use std::fmt;
use std::str::FromStr;

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
        &self.0[column as usize]
    }
}

impl<T> std::ops::IndexMut<Column> for PerColumn<T> {
    fn index_mut(&mut self, column: Column) -> &mut T {
        &mut self.0[column as usize]
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
            write!(f, "{schema}.")?;
        }
        write!(f, "{}.{}", self.table, self.column)
    }
}

/// The text is not `table.column`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `table.column` or `schema.table.column`")]
pub struct ColumnNameError;

impl FromStr for ColumnName {
    type Err = ColumnNameError;

    fn from_str(text: &str) -> Result<Self, ColumnNameError> {
        let parts: Vec<&str> = text.split('.').collect();
        if parts.iter().any(|part| part.is_empty()) {
            return Err(ColumnNameError);
        }
        let (schema, table, column) = match parts[..] {
            [table, column] => (None, table, column),
            [schema, table, column] => (Some(schema.to_owned()), table, column),
            _ => return Err(ColumnNameError),
        };
        Ok(ColumnName {
            schema,
            table: table.to_owned(),
            column: column.to_owned(),
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
    fn half_a_name_is_refused() {
        for text in ["", "token", "copies.", ".token", "a.b.c.d"] {
            assert_eq!(text.parse::<ColumnName>(), Err(ColumnNameError), "{text:?}");
        }
    }
}
