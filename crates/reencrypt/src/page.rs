//! What a re-encryption computes of one page: nothing here knows a database.

use crate::columns::{Column, PerColumn};
use crate::error::Error;
use crate::event::UnreadableCell;
use crate::keyring::Keyring;
use crate::pass::{Digester, Digests};
use crate::report::Counts;
use crate::table::{Rewrite, Row};

/// A page whose tokens are to be written under the new key.
pub(crate) struct SealedPage<Address> {
    pub(crate) rewrites: Vec<Rewrite<Address>>,
    pub(crate) columns: PerColumn<Counts>,
    pub(crate) digests: Digests,
    pub(crate) unreadable: Vec<UnreadableCell>,
}

/// Opens every cell, and seals anew what isn't under the new key.
pub(crate) fn seal_page<A>(
    keyring: &Keyring,
    digester: &Digester,
    page: Vec<Row<A>>,
) -> SealedPage<A> {
    let mut sealed = SealedPage {
        rewrites: Vec::with_capacity(page.len()),
        columns: PerColumn::default(),
        digests: Digests::default(),
        unreadable: Vec::new(),
    };
    let mut guess = Keyring::NEW;
    for row in page {
        let mut cells = row.cells.clone();
        let mut changed = false;
        sealed.digests.add(digester.row(&row));
        for column in Column::ALL {
            let counts = &mut sealed.columns[column];
            counts.scanned += 1;
            let Some(cell) = &row.cells[column] else {
                counts.empty += 1;
                continue;
            };
            match keyring.open(cell, guess) {
                Ok(opened) => {
                    guess = opened.key;
                    sealed
                        .digests
                        .add(digester.cell(&row.order_id, column, &opened));
                    if opened.key == Keyring::NEW {
                        counts.already_current += 1;
                    } else {
                        counts.reencrypted += 1;
                        cells[column] = Some(keyring.seal(&opened));
                        changed = true;
                    }
                }
                Err(reason) => {
                    counts.unreadable += 1;
                    sealed.unreadable.push(UnreadableCell {
                        order_id: row.order_id.clone(),
                        column,
                        reason,
                    });
                }
            }
        }
        if changed {
            sealed.rewrites.push(Rewrite { row, cells });
        }
    }
    sealed
}

/// Opens every cell with the new key.
#[expect(
    clippy::indexing_slicing,
    reason = "a cell is opened by a key of the keyring"
)]
pub(crate) fn read_back_page<A>(
    keyring: &Keyring,
    digester: &Digester,
    page: &[Row<A>],
) -> Result<Digests, Error> {
    let mut digests = Digests::default();
    for row in page {
        digests.add(digester.row(row));
        for (column, cell) in row.cells.iter() {
            let Some(cell) = cell else { continue };
            let order_id = || row.order_id.clone();
            let opened = keyring
                .open(cell, Keyring::NEW)
                .map_err(|reason| Error::NotReadBack {
                    order_id: order_id(),
                    column,
                    reason,
                })?;
            if opened.key != Keyring::NEW {
                return Err(Error::StillUnderOldKey {
                    order_id: order_id(),
                    column,
                    fingerprint: keyring.fingerprints()[opened.key],
                });
            }
            digests.add(digester.cell(&row.order_id, column, &opened));
        }
    }
    Ok(digests)
}
