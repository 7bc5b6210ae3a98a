//! What every rotation looks at before it begins.

use platform::{Bound, Service};
use runbook::Facts;
use secret::SecretValue;

use super::stage::refuse_foreign_version;
use crate::context::{Consumer, Context};
use crate::error::Error;

/// Every consumer as it is now, each of them up and with nothing under way.
///
/// # Errors
///
/// With the first that isn't.
pub(crate) async fn ready_consumers(context: &Context) -> Result<Vec<(&Consumer, Service)>, Error> {
    let described = context.describe_all().await?;
    for (consumer, service) in &described {
        if service.ready {
            continue;
        }
        if service.bound == Bound::Inline {
            // Changed by hand since it was recorded.
            return Err(context.not_in_store(consumer));
        }
        let services = &context.platform.services;
        services.check_traffic(&consumer.service).await?;
        return Err(Error::NotReady {
            service: consumer.service.clone(),
        });
    }
    Ok(described)
}

/// What is newer than the version in use would stop the run when it stages. Than the
/// latest, nothing is newer.
pub(crate) async fn refuse_foreign_versions(
    context: &Context,
    facts: &Facts,
    described: &[(&Consumer, Service)],
) -> Result<(), Error> {
    for (_, service) in described {
        if let Bound::Pinned(version) = service.bound {
            refuse_foreign_version(context, facts, version).await?;
        }
    }
    Ok(())
}

/// The value of a consumer that is bound like this, be it from the store or in its own
/// configuration.
pub(crate) async fn value_in_use(
    context: &Context,
    consumer: &Consumer,
    bound: Bound,
) -> Result<SecretValue, Error> {
    if bound == Bound::Inline {
        let services = &context.platform.services;
        let variable = &context.store.variable;
        return Ok(services.inline_value(&consumer.service, variable).await?);
    }
    Ok(context.current(consumer, bound).await?.value)
}
