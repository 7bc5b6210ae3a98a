//! Keys, and tokens counted by the key that opens them.
use std::thread;

use fernet::Fernet;
use reencrypt::sample;
use secret::FernetKey;

/// The keys of one rotation, as text.
pub(super) struct Keys {
    pub(super) old: String,
    pub(super) new: String,
}

/// One row: its order, and its two encrypted cells.
pub(super) struct Row {
    pub(super) order_id: String,
    pub(super) client_secret: String,
    pub(super) registration_access_token: Option<String>,
}

/// The tokens of a table, each counted under the key that opens it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) rows: u64,
    pub(super) under_old: u64,
    pub(super) under_new: u64,
}

impl Keys {
    pub(super) fn generate() -> Keys {
        let key = || FernetKey::generate().to_text().to_string();
        Keys {
            old: key(),
            new: key(),
        }
    }

    /// Those of the rotation after this one.
    pub(super) fn next(self) -> Keys {
        Keys {
            old: self.new,
            new: self.old,
        }
    }

    pub(super) fn old_key(&self) -> FernetKey {
        FernetKey::parse(self.old.as_bytes()).expect("a key").key
    }

    /// Opens every cell, and compares it with the sample's plaintext.
    ///
    /// # Panics
    ///
    /// If a cell opens with neither key, or holds anything else.
    pub(super) fn count(&self, rows: &[Row]) -> Counted {
        let ciphers = [&self.old, &self.new].map(|key| Fernet::new(key).expect("a key"));
        let half = rows.len().div_ceil(2).max(1);
        thread::scope(|scope| {
            let parts: Vec<_> = rows
                .chunks(half)
                .map(|part| scope.spawn(|| count_part(&ciphers, part)))
                .collect();
            parts
                .into_iter()
                .map(|part| part.join().expect("every cell opens with one of the keys"))
                .fold(Counted::default(), Counted::plus)
        })
    }
}

impl Counted {
    /// So many of the sample's clients, all under the old key.
    pub(super) fn all_old(rows: u64) -> Counted {
        Counted {
            rows,
            under_old: tokens(rows),
            under_new: 0,
        }
    }

    /// So many of the sample's clients, all under the new key.
    pub(super) fn all_new(rows: u64) -> Counted {
        Counted {
            rows,
            under_old: 0,
            under_new: tokens(rows),
        }
    }

    fn plus(self, other: Counted) -> Counted {
        Counted {
            rows: self.rows + other.rows,
            under_old: self.under_old + other.under_old,
            under_new: self.under_new + other.under_new,
        }
    }
}

/// The tokens of the sample's first clients: three of ten have a second one.
fn tokens(rows: u64) -> u64 {
    rows + (0..rows).filter(|number| number % 10 < 3).count() as u64
}

fn count_part(ciphers: &[Fernet; 2], rows: &[Row]) -> Counted {
    let mut tokens = [0; 2];
    let mut guess = 0;
    for row in rows {
        let number = row.order_id.trim_start_matches("order-").parse();
        let number: u64 = number.expect("an order of the sample");
        let expected = (number % 10 < 3).then(|| sample::registration_access_token(number));
        let cells = [
            (
                Some(&row.client_secret),
                Some(sample::client_secret(number)),
            ),
            (row.registration_access_token.as_ref(), expected),
        ];
        for (cell, expected) in cells {
            let Some(cell) = cell else {
                assert_eq!(expected, None, "{} lost a token", row.order_id);
                continue;
            };
            let keys = [guess, 1 - guess].into_iter();
            let opened = keys
                .filter_map(|key| Some((key, ciphers[key].decrypt(cell).ok()?)))
                .next();
            let Some((key, plaintext)) = opened else {
                panic!("no key opens a cell of {}", row.order_id)
            };
            assert!(
                expected.is_some_and(|expected| expected.as_bytes() == plaintext),
                "{} holds another plaintext",
                row.order_id
            );
            guess = key;
            tokens[key] += 1;
        }
    }
    Counted {
        rows: rows.len() as u64,
        under_old: tokens[0],
        under_new: tokens[1],
    }
}
