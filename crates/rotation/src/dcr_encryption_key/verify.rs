//! The proof of the whole, by the new key alone.

use ::reencrypt::Column;
use async_trait::async_trait;
use runbook::{About, Applied, Fact, Facts, Kind, Log, Observed, Step, Undo};

use super::reencrypt;
use super::tokens::{Cells, Tokens};
use crate::context::{Context, old_version};
use crate::error::Error;
use crate::facts;
use crate::steps;

/// Opens every token with the new key alone.
pub(super) struct Verify;

const ABOUT: About = About {
    name: "verify",
    title: "Verify the whole",
    kind: Kind::Check,
    told: None,
    does: "Reads the new version from the store once more and opens every token with that key alone. \
           Looks that each service is ready and serves with a revision that reads it. What was written \
           under the old key since the sweep is swept, once.",
    touches: "dcr_clients: tokens that came under the old key since the sweep",
    verified: "no cell is left that the new key doesn't open",
    undo: Undo::Nothing("nothing was changed"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for Verify {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn observe(&self, _: &mut Context, _: &Facts) -> Result<Observed, Error> {
        Ok(Observed::Absent)
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        steps::expect_new_version(context, log.facts()).await?;
        let old = old_version(log.facts())?;
        steps::refuse_foreign_version(context, log.facts(), old).await?;
        let mut tokens = reencrypt::count(context, log.facts()).await?;
        if tokens.under_old() > 0 {
            // An order that waited for the sweep's own lock comes right behind it.
            super::sweep::sweep(context, log).await?;
            tokens = reencrypt::count(context, log.facts()).await?;
        }
        // Whoever writes with the old key even now isn't ending.
        if tokens.under_old() > 0 {
            return Err(Error::TokensUnder {
                key: context.key(old).await?.fingerprint(),
                version: old,
                tokens: tokens.under_old(),
            });
        }
        tokens.refuse_unreadable()?;
        let verified = Fact::Count(tokens.under_new());
        log.record_with(facts::VERIFIED, verified, details(&tokens))?;
        Ok(Applied::Done)
    }
}

/// What the report shows of it: no cell is left but these.
fn details(tokens: &Tokens) -> Vec<(&'static str, Fact)> {
    let of_column = |(column, cells): (Column, &Cells)| {
        let names = facts::of_column(column);
        [
            (names.verified, Fact::Count(cells.scanned)),
            (names.verified_current, Fact::Count(cells.under_new)),
            (names.verified_empty, Fact::Count(cells.empty)),
        ]
    };
    tokens.columns.iter().flat_map(of_column).collect()
}
