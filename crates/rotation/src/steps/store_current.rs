//! The value in use, stored: nothing may depend on a value that can't be fetched again.

use async_trait::async_trait;
use platform::{Bound, Change, Reference, Service};
use runbook::{About, Applied, Facts, Forecast, Kind, Log, Observed, Step, Undo};

use crate::context::{Consumer, Context};
use crate::error::Error;

/// Takes a value that stands in a service's own configuration into the store.
pub(crate) struct StoreCurrent;

const ABOUT: About = About {
    name: "store-current",
    title: "Store the value in use",
    kind: Kind::Change,
    told: None,
    does: "Where a service has the value in its own configuration alone, adds it to the store as a \
           version and reads it back. Where the value comes from the store, there is nothing to do.",
    touches: "the store, where it lacks the value in use",
    verified: "the version is read back and compared byte for byte",
    undo: Undo::Nothing("the stored copy of a value that is in use is kept"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for StoreCurrent {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn observe(&self, context: &mut Context, _: &Facts) -> Result<Observed, Error> {
        let described = context.describe_all().await?;
        let is_inline = |(_, service): &(_, Service)| service.bound == Bound::Inline;
        Ok(Observed::when(!described.iter().any(is_inline)))
    }

    async fn apply(&self, context: &mut Context, _: &mut Log<'_>) -> Result<Applied, Error> {
        for (consumer, service) in context.describe_all().await? {
            // Stored for one, it may be what another one has.
            if service.bound == Bound::Inline && is_inline(context, consumer).await? {
                store(context, consumer).await?;
            }
        }
        // Not in `verify`: what was found to be there has just been looked at.
        for (consumer, service) in context.describe_all().await? {
            if service.bound == Bound::Inline {
                return Err(context.not_in_store(consumer));
            }
        }
        Ok(Applied::Done)
    }

    async fn foresee(&self, context: &mut Context, forecast: &mut Forecast) -> Result<(), Error> {
        if self.observe(context, forecast.facts()).await? == Observed::Present {
            return Ok(());
        }
        let secret = context.store.name.clone();
        let change = Change::AddVersion { secret };
        context.rehearse(change, forecast).await
    }
}

async fn is_inline(context: &Context, consumer: &Consumer) -> Result<bool, Error> {
    Ok(context.describe(consumer).await?.bound == Bound::Inline)
}

async fn store(context: &Context, consumer: &Consumer) -> Result<(), Error> {
    let variable = &context.store.variable;
    let services = &context.platform.services;
    let value = services.inline_value(&consumer.service, variable).await?;
    context.check_form(
        &value,
        &format!("the configuration of `{}`", consumer.service),
    )?;
    let store = &context.platform.store;
    let version = store.add(&context.store.name, &value).await?;
    let stored = store
        .access(&context.store.name, Reference::Number(version))
        .await?;
    if stored.value != value {
        return Err(Error::ReadBack {
            secret: context.store.name.clone(),
            version,
        });
    }
    Ok(())
}
