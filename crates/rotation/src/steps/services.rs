//! The services that read the secret: what steps see of them, and how they change them.

use std::cell::RefCell;

use futures_util::future::join_all;
use platform::{Bound, Error as PlatformError, Kept, Service};
use runbook::{Fact, Facts, Log, Name};

use crate::context::{Consumer, Context, new_version};
use crate::error::Error;
use crate::facts;

/// How often traffic is sent while other people send it elsewhere.
pub(super) const ROUNDS: usize = 3;

/// Does the same for every consumer at once, or for what is known of each: each takes its time.
/// Each is brought to its end, whatever becomes of the others: a change that is dropped half way
/// is one that nobody knows.
///
/// # Errors
///
/// That of the first consumer with one.
pub(super) async fn side_by_side<C, T>(
    consumers: &[C],
    work: impl AsyncFn(&C) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let work = consumers.iter().map(|consumer| work(consumer));
    join_all(work).await.into_iter().collect()
}

/// Every consumer as it is now, each of them up and with nobody at it. People may have changed
/// a service's configuration, or restarted it, and a change may have been cut off whose journal
/// is gone: what the service has is what is rotated, and the rotation settles that when it pins
/// the service.
///
/// # Errors
///
/// With the first that isn't up, or that somebody is still at.
pub(crate) async fn settleable_consumers(
    context: &Context,
) -> Result<Vec<(&Consumer, Service)>, Error> {
    let described = context.describe_all_at_rest().await?;
    for (consumer, service) in &described {
        if service.ready || service.is_unsettled {
            continue;
        }
        let services = &context.platform.services;
        services.check_traffic(&consumer.service).await?;
        return Err(not_ready(consumer));
    }
    Ok(described)
}

/// What is to be said of consumers of which it isn't known what they run with: where people
/// restart services, they had best do so now.
pub(crate) fn unsettled_remarks(described: &[(&Consumer, Service)]) -> Vec<String> {
    let unsettled = described.iter().filter(|(_, service)| service.is_unsettled);
    unsettled
        .map(|(consumer, _)| {
            format!(
                "`{}` may not run with what its configuration has: people changed that, or a change \
                 was cut off; pinning restarts it, and where no command does, restart it now",
                consumer.service
            )
        })
        .collect()
}

fn not_ready(consumer: &Consumer) -> Error {
    Error::NotReady {
        service: consumer.service.clone(),
    }
}

/// Refuses to begin where a service's configuration could not be changed later, when the
/// database may have changed already.
pub(crate) async fn refuse_unchangeable(context: &Context) -> Result<(), Error> {
    let (services, binding) = (&context.platform.services, context.binding());
    for consumer in &context.consumers {
        services
            .check_changeable(&consumer.service, &binding)
            .await?;
    }
    Ok(())
}

/// Has a consumer that is bound like this now serve with a revision that is bound like
/// that. The platform sees that it does.
pub(super) async fn serve_with(
    context: &Context,
    consumer: &Consumer,
    now: Bound,
    then: Bound,
) -> Result<(), Error> {
    if now == Bound::Inline {
        return Err(context.not_in_store(consumer));
    }
    serve_prepared(context, consumer, then).await?;
    Ok(())
}

/// Has a consumer serve with a revision that is made of what serves now, or that still
/// differs from it in nothing but the version: somebody may have deployed since one was
/// prepared, or rotated another secret of the service.
pub(super) async fn serve_prepared(
    context: &Context,
    consumer: &Consumer,
    bound: Bound,
) -> Result<String, Error> {
    let services = &context.platform.services;
    let (service, binding) = (&consumer.service, context.binding());
    let mut round = 1;
    loop {
        let revision = services.prepare(service, &binding, bound).await?;
        match services.cut_over(service, &revision).await {
            // Somebody else did the like in the same moment.
            Err(PlatformError::Overtaken { .. } | PlatformError::NoSuchRevision { .. })
                if round < ROUNDS =>
            {
                round += 1;
                // What they did may be a value of the service's own, which nobody could fetch.
                if context.describe(consumer).await?.bound == Bound::Inline {
                    return Err(context.not_in_store(consumer));
                }
            }
            other => return Ok(other.map(|()| revision)?),
        }
    }
}

/// Sees that the service is up and serves with a revision that reads this.
pub(super) async fn expect(
    context: &Context,
    consumer: &Consumer,
    bound: Bound,
) -> Result<(), Error> {
    let service = context.describe_at_rest(consumer).await?;
    if service.bound != bound {
        return Err(Error::WrongRevision {
            service: consumer.service.clone(),
            revision: service.serving,
            bound: words(service.bound),
        });
    }
    if !service.ready {
        return Err(not_ready(consumer));
    }
    Ok(())
}

/// Sees the same of every service and the new version, side by side.
pub(crate) async fn expect_new_version(context: &Context, facts: &Facts) -> Result<(), Error> {
    let bound = Bound::Pinned(new_version(facts)?);
    side_by_side(&context.consumers, async |consumer| {
        expect(context, consumer, bound).await
    })
    .await?;
    Ok(())
}

/// Makes every revision but the serving one unreachable; what the service keeps then.
pub(crate) async fn discard_others(
    context: &Context,
    consumer: &Consumer,
) -> Result<Option<Kept>, Error> {
    let services = &context.platform.services;
    Ok(services.discard_others(&consumer.service).await?)
}

/// Discards revisions of every consumer at once. What a service keeps then is said and recorded
/// as soon as that is known, whatever becomes of the others.
pub(super) async fn discard_side_by_side(
    context: &Context,
    log: &mut Log<'_>,
    work: impl AsyncFn(&Consumer) -> Result<Option<Kept>, Error>,
) -> Result<(), Error> {
    let log = RefCell::new(log);
    side_by_side(&context.consumers, async |consumer| {
        let Some(kept) = work(consumer).await? else {
            return Ok(());
        };
        let mut log = log.borrow_mut();
        log.say(&kept.to_string());
        if let Some(revision) = kept.pinned_to {
            let name = facts::of_consumer(consumer.role).stays_at;
            log.record(name, Fact::Name(Name::new(revision)?))?;
        }
        Ok(())
    })
    .await?;
    Ok(())
}

fn words(bound: Bound) -> String {
    match bound {
        Bound::Latest => "the latest version".to_owned(),
        Bound::Pinned(version) => format!("version {version}"),
        Bound::Inline => "a value of its own".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use secret::VersionNumber;

    use super::*;

    #[test]
    fn what_a_service_reads_is_told_in_words() {
        let pinned = VersionNumber::new(4).map(Bound::Pinned);
        let bounds = [Some(Bound::Latest), pinned, Some(Bound::Inline)];
        assert_eq!(
            bounds.map(|bound| bound.map(words).unwrap()),
            ["the latest version", "version 4", "a value of its own"]
        );
    }
}
