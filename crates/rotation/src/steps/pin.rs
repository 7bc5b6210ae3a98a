//! Consumers bound to the version that they run, so that the next version reaches nobody by accident.

use async_trait::async_trait;
use futures_util::future::try_join;
use platform::{Bound, Change, Service};
use runbook::{About, Applied, Fact, Facts, Forecast, Kind, Log, Name, Observed, Step, Undo};
use secret::VersionNumber;

use super::services::{discard_others, discard_side_by_side, expect, serve_with, side_by_side};
use crate::context::{Consumer, Context, in_use, old_version};
use crate::error::Error;
use crate::facts;
use crate::secrets::Role;

/// Binds every consumer to the number of the version that it reads now.
pub(crate) struct Pin;

pub(crate) const NAME: &str = "pin";

const ABOUT: About = About {
    name: NAME,
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
pub(crate) const LATEST: &str = "latest";

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
                // What it started with is not known before it was pinned.
                Bound::Pinned(version) => {
                    (version == old && (new.is_some() || !service.is_unsettled))
                        || Some(version.get()) == new
                }
                Bound::Latest | Bound::Inline => false,
            };
            if !is_pinned || facts.get(fact(consumer)).is_none() {
                return Ok(Observed::Absent);
            }
        }
        Ok(Observed::Present)
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        let described = context.describe_all().await?;
        let old = record_version_in_use(context, log, &described).await?;
        refuse_what_others_deployed(context, log.facts(), old, &described).await?;
        for (consumer, service) in &described {
            record_bound_before(consumer, service.bound, log)?;
        }
        let pinned = Bound::Pinned(old);
        side_by_side(&described, async |(consumer, service)| {
            if service.bound != pinned || service.is_unsettled {
                serve_with(context, consumer, service.bound, pinned).await?;
            }
            Ok(())
        })
        .await?;
        Ok(Applied::Done)
    }

    async fn foresee(&self, context: &mut Context, forecast: &mut Forecast) -> Result<(), Error> {
        context.foresee_version_in_use(forecast).await?;
        let (binding, to) = (context.binding(), in_use(forecast));
        let consumers = context.consumers.iter();
        let services: Vec<String> = consumers.map(|one| one.service.clone()).collect();
        for service in services {
            let prepared = Change::Prepare {
                service: service.clone(),
                binding: binding.clone(),
                to,
            };
            context.rehearse(prepared, forecast).await?;
            context
                .rehearse(Change::CutOver { service }, forecast)
                .await?;
        }
        Ok(())
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
        let bounds = bounds_to_restore(context, log).await?;
        discard_side_by_side(context, log, async |consumer| {
            let Some((_, bound)) = bounds.iter().find(|(role, _)| *role == consumer.role) else {
                return Ok(None);
            };
            let service = context.describe(consumer).await?;
            if service.bound != *bound || !service.ready {
                serve_with(context, consumer, service.bound, *bound).await?;
            }
            discard_others(context, consumer).await
        })
        .await
    }
}

/// What consumers are to be bound to again: the latest version where they were, if that
/// has the old value.
async fn bounds_to_restore(
    context: &Context,
    log: &mut Log<'_>,
) -> Result<Vec<(Role, Bound)>, Error> {
    let mut bounds = Vec::new();
    // One answer for all of them.
    let mut for_latest = None;
    for consumer in &context.consumers {
        let Some(bound_before) = log.facts().get(fact(consumer)).cloned() else {
            continue;
        };
        let old = old_version(log.facts())?;
        if matches!(bound_before, Fact::Version(_)) {
            bounds.push((consumer.role, Bound::Pinned(old)));
            continue;
        }
        let bound = match for_latest {
            Some(bound) => bound,
            None => latest_or_pinned(context, old).await?,
        };
        for_latest = Some(bound);
        if bound != Bound::Latest {
            log.say(&format!(
                "`{}` stays pinned to version {old}: the latest version has another value",
                consumer.service
            ));
        }
        bounds.push((consumer.role, bound));
    }
    Ok(bounds)
}

async fn latest_or_pinned(context: &Context, old: VersionNumber) -> Result<Bound, Error> {
    // An error where somebody disabled it, with how to enable it.
    let (value, versions) = try_join(context.value(old), context.versions()).await?;
    let has_old_value = match versions.first().map(|latest| latest.number) {
        Some(latest) if latest == old => true,
        Some(latest) => context.enabled_value(latest).await?.as_ref() == Some(&value),
        None => false,
    };
    Ok(match has_old_value {
        true => Bound::Latest,
        false => Bound::Pinned(old),
    })
}

fn fact(consumer: &Consumer) -> &'static str {
    facts::of_consumer(consumer.role).bound_before
}

/// What somebody has bound a service to since it was pinned isn't taken away, unless it can't
/// be read any more.
async fn refuse_what_others_deployed(
    context: &Context,
    facts: &Facts,
    old: VersionNumber,
    described: &[(&Consumer, Service)],
) -> Result<(), Error> {
    let new = facts.version(facts::NEW_VERSION).ok();
    for (_, service) in described {
        let Bound::Pinned(version) = service.bound else {
            continue;
        };
        let is_known = version == old || Some(version.get()) == new;
        if !is_known && context.enabled_value(version).await?.is_some() {
            return Err(Error::ForeignVersion {
                secret: context.store.name.clone(),
                version,
            });
        }
    }
    Ok(())
}

/// The version that all consumers read, with its key's fingerprint.
async fn record_version_in_use(
    context: &Context,
    log: &mut Log<'_>,
    described: &[(&Consumer, Service)],
) -> Result<VersionNumber, Error> {
    if let Ok(known) = old_version(log.facts()) {
        return Ok(known);
    }
    let mut in_use: Option<VersionNumber> = None;
    let mut asked = Vec::new();
    for (consumer, service) in described {
        if asked.contains(&service.bound) {
            continue;
        }
        asked.push(service.bound);
        let current = context.stored_in_use(consumer, service.bound).await?;
        context.expect_same_version(in_use, current.version)?;
        in_use = Some(current.version);
        context.check_form(&current.value, &format!("version {}", current.version))?;
        if context.candidate.as_ref() == Some(&current.value) {
            // Somebody deployed it since it was tested.
            return Err(Error::Unchanged {
                secret: context.store.name.clone(),
                service: consumer.service.clone(),
            });
        }
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
