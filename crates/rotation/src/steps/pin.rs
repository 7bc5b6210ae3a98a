//! Consumers bound to the version that they run, so that the next version reaches nobody by accident.

use async_trait::async_trait;
use platform::Bound;
use runbook::{About, Applied, Fact, Facts, Kind, Log, Name, Observed, Step, Undo};
use secret::VersionNumber;

use super::side_by_side::side_by_side;
use crate::context::{Consumer, Context, new_version, old_version};
use crate::error::Error;
use crate::facts;

/// Binds every consumer to the number of the version that it reads now.
pub(crate) struct Pin;

const ABOUT: About = About {
    name: "pin",
    title: "Pin the services to the version that they run",
    kind: Kind::Change,
    told: None,
    does: "A service that reads `latest` takes the next version at its next start, whoever causes that \
           start. So each is bound to the number of the version that it reads now, by a revision that \
           differs in nothing else, and gets its traffic once it is ready.",
    touches: "the services' binding, not the value",
    verified: "each service serves with a revision that reads this version by its number",
    undo: Undo::By("each service is bound again to what it was bound to before"),
    outage: None,
};

/// In a journal, for a consumer that read the latest version.
const LATEST: &str = "latest";

#[async_trait(?Send)]
impl Step<Context, Error> for Pin {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    /// Pinned to the new version is pinned as well: a later step's work.
    async fn observe(&self, context: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        let Ok(old) = old_version(facts) else {
            return Ok(Observed::Absent);
        };
        let new = facts.version(facts::NEW_VERSION).ok();
        for (consumer, service) in context.describe_all().await? {
            let is_pinned = match service.bound {
                Bound::Pinned(version) => version == old || Some(version.get()) == new,
                Bound::Latest | Bound::Inline => false,
            };
            if !is_pinned || facts.get(fact(consumer)).is_none() {
                return Ok(Observed::Absent);
            }
        }
        Ok(Observed::Present)
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let old = record_version_in_use(context, log).await?;
        for (consumer, service) in context.describe_all().await? {
            record_bound_before(consumer, service.bound, log)?;
        }
        side_by_side(&context.consumers, async |consumer| {
            let bound = context.describe(consumer).await?.bound;
            if bound != Bound::Pinned(old) {
                send_to(context, consumer, bound, Bound::Pinned(old)).await?;
            }
            Ok(())
        })
        .await?;
        Ok(Applied::Done)
    }

    async fn verify(&self, context: &mut Context, facts: &Facts) -> Result<(), Error> {
        if self.observe(context, facts).await? == Observed::Present {
            return Ok(());
        }
        for consumer in &context.consumers {
            expect(context, consumer, Bound::Pinned(old_version(facts)?)).await?;
        }
        Ok(())
    }

    async fn undo(&self, context: &mut Context, log: &mut Log<'_>) -> Result<(), Error> {
        let mut bounds = Vec::new();
        for consumer in &context.consumers {
            if let Some(bound_before) = log.facts().get(fact(consumer)).cloned() {
                let bound = bound_to_restore(context, consumer, &bound_before, log).await?;
                bounds.push((consumer.role, bound));
            }
        }
        side_by_side(&context.consumers, async |consumer| {
            let Some((_, bound)) = bounds.iter().find(|(role, _)| *role == consumer.role) else {
                return Ok(());
            };
            let service = context.describe(consumer).await?;
            if service.bound != *bound || !service.ready {
                serve_with(context, consumer, *bound).await?;
            }
            discard_others(context, consumer).await
        })
        .await?;
        Ok(())
    }
}

/// What a consumer is to be bound to again: the latest version where it was, if that
/// has the old value.
async fn bound_to_restore(
    context: &Context,
    consumer: &Consumer,
    bound_before: &Fact,
    log: &mut Log<'_>,
) -> Result<Bound, Error> {
    let old = old_version(log.facts())?;
    if matches!(bound_before, Fact::Version(_)) {
        return Ok(Bound::Pinned(old));
    }
    // An error where somebody disabled it, with how to enable it.
    context.value(old).await?;
    if super::stage::is_latest(context, old).await? {
        return Ok(Bound::Latest);
    }
    log.say(&format!(
        "`{}` stays pinned to version {old}: the latest version has another value",
        consumer.service
    ));
    Ok(Bound::Pinned(old))
}

fn fact(consumer: &Consumer) -> &'static str {
    facts::of_consumer(consumer.role).bound_before
}

/// The version that all consumers read, with its key's fingerprint.
async fn record_version_in_use(
    context: &Context,
    log: &mut Log<'_>,
) -> Result<VersionNumber, Error> {
    if let Ok(known) = old_version(log.facts()) {
        return Ok(known);
    }
    let mut in_use: Option<VersionNumber> = None;
    let mut asked = Vec::new();
    for (consumer, service) in context.describe_all().await? {
        if asked.contains(&service.bound) {
            continue;
        }
        asked.push(service.bound);
        let current = context.current(consumer, service.bound).await?;
        match in_use {
            Some(one) if one != current.version => {
                return Err(Error::DifferentVersions {
                    secret: context.store.name.clone(),
                    one,
                    other: current.version,
                });
            }
            _ => in_use = Some(current.version),
        }
        context.check_form(&current.value, &format!("version {}", current.version))?;
        if let Some(fingerprint) = context.material.fingerprint(&current.value) {
            let fingerprint = runbook::Fingerprint::new(fingerprint.to_string())?;
            log.record(facts::OLD_KEY, Fact::Fingerprint(fingerprint))?;
        }
    }
    let old = in_use.ok_or(Error::NoVersion)?;
    log.record(facts::OLD_VERSION, Fact::Version(old.get()))?;
    Ok(old)
}

/// Once: when the step is repeated, the consumer may be pinned already.
fn record_bound_before(consumer: &Consumer, bound: Bound, log: &mut Log<'_>) -> Result<(), Error> {
    if log.facts().get(fact(consumer)).is_some() {
        return Ok(());
    }
    let bound_before = match bound {
        Bound::Pinned(version) => Fact::Version(version.get()),
        Bound::Latest | Bound::Inline => Fact::Name(Name::new(LATEST)?),
    };
    Ok(log.record(fact(consumer), bound_before)?)
}

/// Serves with a revision that reads this.
pub(crate) async fn serve_with(
    context: &Context,
    consumer: &Consumer,
    bound: Bound,
) -> Result<(), Error> {
    let now = context.describe(consumer).await?.bound;
    send_to(context, consumer, now, bound).await?;
    expect(context, consumer, bound).await
}

/// Sends the traffic of a consumer that is bound like this now to a revision that is
/// bound like that.
async fn send_to(
    context: &Context,
    consumer: &Consumer,
    now: Bound,
    then: Bound,
) -> Result<(), Error> {
    if now == Bound::Inline {
        return Err(context.not_in_store(consumer));
    }
    let services = &context.platform.services;
    let binding = context.binding();
    let revision = services.prepare(&consumer.service, &binding, then).await?;
    Ok(services.cut_over(&consumer.service, &revision).await?)
}

/// Refuses to replace a value that somebody put into the service's own configuration
/// and into no store: nobody could fetch it again.
pub(crate) async fn refuse_unstored_value(
    context: &Context,
    consumer: &Consumer,
) -> Result<(), Error> {
    if context.describe(consumer).await?.bound == Bound::Inline {
        return Err(context.not_in_store(consumer));
    }
    Ok(())
}

/// Sees that the service is up and serves with a revision that reads this.
pub(crate) async fn expect(
    context: &Context,
    consumer: &Consumer,
    bound: Bound,
) -> Result<(), Error> {
    let service = context.describe(consumer).await?;
    if service.bound != bound {
        return Err(Error::WrongRevision {
            service: consumer.service.clone(),
            revision: service.serving,
            bound: words(service.bound),
        });
    }
    if !service.ready {
        return Err(Error::NotReady {
            service: consumer.service.clone(),
        });
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

/// Makes every revision but the serving one unreachable.
pub(crate) async fn discard_others(context: &Context, consumer: &Consumer) -> Result<(), Error> {
    let service = context.describe(consumer).await?;
    for revision in &service.revisions {
        if revision.name != service.serving {
            let services = &context.platform.services;
            services.discard(&consumer.service, &revision.name).await?;
        }
    }
    Ok(())
}

fn words(bound: Bound) -> String {
    match bound {
        Bound::Latest => "the latest version".to_owned(),
        Bound::Pinned(version) => format!("version {version}"),
        Bound::Inline => "a value of its own".to_owned(),
    }
}
