//! What every rotation looks at before it begins.

use platform::Bound;
use runbook::Facts;
use secret::SecretValue;

use super::stage::refuse_foreign_version;
use crate::context::{Consumer, Context};
use crate::error::Error;

/// Refuses while a service isn't up, or something is under way for it.
pub(crate) async fn refuse_unready(context: &Context) -> Result<(), Error> {
    for (consumer, service) in context.describe_all().await? {
        if service.ready {
            continue;
        }
        if service.bound == Bound::Inline {
            // Changed by hand since it was recorded.
            return Err(context.not_in_store(consumer));
        }
        return Err(Error::NotReady {
            service: consumer.service.clone(),
        });
    }
    Ok(())
}

/// What is newer than the version in use would stop the run when it stages.
pub(crate) async fn refuse_foreign_versions(context: &Context, facts: &Facts) -> Result<(), Error> {
    for (consumer, service) in context.describe_all().await? {
        if service.bound != Bound::Inline {
            let current = context.current(consumer, service.bound).await?;
            refuse_foreign_version(context, facts, current.version).await?;
        }
    }
    Ok(())
}

/// The value that a service has now, be it from the store or in its own configuration.
pub(crate) async fn value_in_use(
    context: &Context,
    consumer: &Consumer,
) -> Result<SecretValue, Error> {
    let bound = context.describe(consumer).await?.bound;
    if bound == Bound::Inline {
        let services = &context.platform.services;
        let variable = &context.store.variable;
        return Ok(services.inline_value(&consumer.service, variable).await?);
    }
    Ok(context.current(consumer, bound).await?.value)
}
