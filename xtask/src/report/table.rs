//! Counts in rows and columns.

use reencrypt::Column;

use crate::output::grouped;

/// A table with a column for each encrypted column and a row for each count.
/// Given the number of all cells first and then what they are made of, it reads
/// as the sum that it is.
pub(super) fn table(rows: &[(String, Vec<u64>)]) -> String {
    let name_width = rows
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or_default();
    let mut lines = vec![line(
        "",
        name_width,
        Column::ALL.map(|column| column.name().to_owned()),
    )];
    for (name, counts) in rows {
        lines.push(line(
            name,
            name_width,
            counts.iter().map(|count| grouped(*count)),
        ));
    }
    lines.join("\n")
}

fn line(name: &str, name_width: usize, cells: impl IntoIterator<Item = String>) -> String {
    let mut line = format!("{name:name_width$}");
    for (column, cell) in Column::ALL.into_iter().zip(cells) {
        let width = column.name().len();
        line.push_str(&format!("  {cell:>width$}"));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_stand_below_their_column() {
        let rows = [
            ("scanned".to_owned(), vec![1000, 1000]),
            ("= empty".to_owned(), vec![0, 1000]),
        ];
        assert_eq!(
            table(&rows),
            "         client_secret_encrypted  registration_access_token_encrypted\n\
             scanned                    1,000                                1,000\n\
             = empty                        0                                1,000"
        );
    }
}
