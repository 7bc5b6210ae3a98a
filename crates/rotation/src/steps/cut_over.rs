//! The moment at which consumers use the new value.

use async_trait::async_trait;
use platform::Bound;
use runbook::{About, Applied, Facts, Kind, Log, Observed, Step, Undo};

use super::pin::{expect_new_version, refuse_unstored_value, serve_with};
use super::prepare;
use super::side_by_side::side_by_side;
use crate::context::{Context, new_version, old_version};
use crate::database_login;
use crate::error::Error;
use crate::material::Material;

/// Sends traffic to the revisions that read the new version.
pub(crate) struct CutOver(&'static About);

impl CutOver {
    /// Where both revisions work until the traffic has moved.
    pub(crate) fn without_outage() -> CutOver {
        CutOver(&ABOUT)
    }

    /// Where the table is under the new key already.
    pub(crate) fn of_key() -> CutOver {
        CutOver(&OF_KEY)
    }
}

const ABOUT: About = About {
    name: "cut-over",
    title: "Cut over to the new revision",
    kind: Kind::Change,
    told: None,
    does: "Sends all traffic to the prepared revision of each service and waits until it is really there.",
    touches: "the services: all of their traffic",
    verified: "the service is ready, and serves with a revision that reads the new version by its number",
    undo: Undo::By("traffic goes back to a revision that reads the old version by its number"),
    outage: None,
};

const OF_KEY: About = About {
    outage: Some(
        "known orders can't be answered from the commit of the re-encryption until the traffic has \
         moved: seconds",
    ),
    ..ABOUT
};

#[async_trait(?Send)]
impl Step<Context, Error> for CutOver {
    fn about(&self) -> &'static About {
        self.0
    }

    async fn observe(&self, context: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        let bound = Bound::Pinned(new_version(facts)?);
        for (_, service) in context.describe_all().await? {
            if service.bound != bound || !service.ready {
                return Ok(Observed::Absent);
            }
        }
        Ok(Observed::Present)
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let facts = log.facts();
        side_by_side(&context.consumers, async |consumer| {
            refuse_unstored_value(context, consumer).await?;
            let revision = facts.name(prepare::fact(consumer))?;
            let services = &context.platform.services;
            Ok(services.cut_over(&consumer.service, revision).await?)
        })
        .await?;
        Ok(Applied::Done)
    }

    async fn verify(&self, context: &mut Context, facts: &Facts) -> Result<(), Error> {
        expect_new_version(context, facts).await
    }

    async fn undo(&self, context: &mut Context, log: &mut Log<'_>) -> Result<(), Error> {
        if let Material::Login(_) = context.material {
            database_login::let_in_again(context, log.facts()).await?;
        }
        let old = Bound::Pinned(old_version(log.facts())?);
        side_by_side(&context.consumers, async |consumer| {
            let service = context.describe(consumer).await?;
            if service.bound != old || !service.ready {
                serve_with(context, consumer, old).await?;
            }
            Ok(())
        })
        .await?;
        Ok(())
    }
}
