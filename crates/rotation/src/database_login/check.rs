//! Nothing begins that can't end.

use async_trait::async_trait;
use platform::database_roles::{Role, other_role, refuse_long_name};
use platform::{Reference, Service};
use runbook::{About, Applied, Facts, Kind, Log, Name, Observed, Step, Undo};
use secret::{DatabaseUrl, SecretValue};

use super::Mode;
use super::login::{next_role, refuse_lack};
use crate::context::{Consumer, Context, old_version};
use crate::error::Error;
use crate::same_place;
use crate::steps;

/// Looks at everything that later steps need.
pub(super) struct Check;

const ABOUT: About = About {
    name: "check",
    title: "Check that the rotation can end before it begins",
    kind: Kind::Check,
    told: None,
    does: "Asks each service for its state and the store for the URL in use, logs in with that URL, and \
           looks whether its role may make a second one. A role that another secret uses as well is \
           refused: the other secret would stop to work.",
    touches: "nothing",
    verified: "the store, the services and the database answer",
    undo: Undo::By("it is looked at again: the URL in use logs in"),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for Check {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn observe(&self, _: &mut Context, _: &Facts) -> Result<Observed, Error> {
        Ok(Observed::Absent)
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        same_place::record(context, log)?;
        let (url, remarks) = check(context, log.facts()).await?;
        for remark in &remarks {
            log.say(remark);
        }
        log.say(&format!("`{}` logs in", url.user()?));
        Ok(Applied::Done)
    }

    /// The last word of a rollback: whatever was undone, the service must be able to
    /// log in.
    async fn undo(&self, context: &mut Context, log: &mut Log<'_>) -> Result<(), Error> {
        if old_version(log.facts()).is_ok() {
            let described = context.describe_all().await?;
            url_in_use(context, &described).await?;
        }
        Ok(())
    }
}

/// What `--dry-run` does.
pub(crate) async fn trial(context: &mut Context) -> Result<(), Error> {
    check(context, &Facts::default()).await?;
    Ok(())
}

/// Sees that each service can log in with the URL that it has.
pub(crate) async fn prove_in_use(context: &Context) -> Result<(), Error> {
    for one in &steps::settleable_consumers(context).await? {
        url_in_use(context, std::slice::from_ref(one)).await?;
    }
    Ok(())
}

/// The URL in use, and what is to be said of the services.
async fn check(context: &Context, facts: &Facts) -> Result<(DatabaseUrl, Vec<String>), Error> {
    let described = steps::settleable_consumers(context).await?;
    steps::refuse_unchangeable(context).await?;
    let url = url_in_use(context, &described).await?;
    // After that: where the URL in use doesn't log in, that of such a version may be the one
    // that does, and nobody may be told to disable it.
    steps::refuse_foreign_versions(context, facts, &described).await?;
    // Or the journal could not name the roles.
    Name::new(url.user()?)?;
    refuse_shared_role(context, &url).await?;
    let mut remarks = steps::unsettled_remarks(&described);
    remarks.extend(check_second_role(context, &url).await?);
    Ok((url, remarks))
}

/// The URL that the services have, which must log in.
pub(super) async fn url_in_use(
    context: &Context,
    described: &[(&Consumer, Service)],
) -> Result<DatabaseUrl, Error> {
    let (consumer, service) = described.first().ok_or(Error::NoVersion)?;
    let value = context.value_in_use(consumer, service.bound).await?;
    let place = format!("what `{}` reads", consumer.service);
    let url = context.url_in(&value, &place)?;
    context.expect_login(&url, &url, &place).await?;
    Ok(url)
}

/// A role has one password: who rotates it for one secret takes it from the other.
async fn refuse_shared_role(context: &Context, url: &DatabaseUrl) -> Result<(), Error> {
    let own = url.user()?;
    for value in neighbours_values(context).await? {
        let Some(Ok(other)) = value.database_url() else {
            continue;
        };
        if other
            .user()
            .is_ok_and(|user| user == own || user == other_role(own))
        {
            return Err(Error::SharedRole {
                role: own.to_owned(),
                neighbour: context.logins()?.neighbour.name.clone(),
            });
        }
    }
    Ok(())
}

/// What the other secret holds: in the store, and in the services' own configuration,
/// which the store may know nothing of yet.
async fn neighbours_values(context: &Context) -> Result<Vec<SecretValue>, Error> {
    let mut values = Vec::new();
    let neighbour = &context.logins()?.neighbour;
    let store = &context.platform.store;
    match store.access(&neighbour.name, Reference::Latest).await {
        Ok(stored) => values.push(stored.value),
        Err(error) if error.is_without_value() => {}
        Err(error) => return Err(error.into()),
    }
    for consumer in &context.consumers {
        let services = &context.platform.services;
        match services
            .describe(&consumer.service, &neighbour.binding())
            .await
        {
            Ok(found) => {
                let value =
                    neighbour.value_in_use(&context.platform, &consumer.service, found.bound);
                values.push(value.await?);
            }
            // It is there, and whose role it has can't be told.
            Err(error @ platform::Error::Interpolated { .. }) => return Err(error.into()),
            // Any other is how platforms say that there is none. That the service can be asked
            // was seen before.
            Err(_) => {}
        }
    }
    Ok(values)
}

/// Alternating needs a second role, and somebody who may make it and give it all that the role
/// in use has. Tells what it will not have all the same.
async fn check_second_role(context: &Context, url: &DatabaseUrl) -> Result<Vec<String>, Error> {
    let logins = context.logins()?;
    if logins.mode == Mode::InPlace {
        return Ok(Vec::new());
    }
    let (own, next) = (url.user()?, next_role(url, logins.mode)?);
    refuse_long_name(&next).map_err(platform::Error::from)?;
    let role = logins.roles.role(url, own).await?;
    let may_create_roles = role.as_ref().is_some_and(|role| role.may_create_roles);
    let second = logins.roles.role(url, &next).await?;
    if !may_create_roles && second.is_none() {
        return Err(Error::NoSecondRole {
            role: own.to_owned(),
            next,
        });
    }
    let missing = logins.roles.check_second(url, &next).await?;
    refuse_lack(&next, own, &missing)?;
    Ok(role.map_or(Vec::new(), |role| {
        differences((own, &role), (&next, second.as_ref()))
    }))
}

/// What the one that takes over doesn't have from the other.
fn differences((own, role): (&str, &Role), (next, second): (&str, Option<&Role>)) -> Vec<String> {
    let mut said = Vec::new();
    if role.is_superuser && !second.is_some_and(|second| second.is_superuser) {
        said.push(format!(
            "`{own}` is a superuser, and `{next}` is none: it has what `{own}` may grant"
        ));
    }
    let limits = |role: &Role| match role.limits.is_empty() {
        true => "no limits".to_owned(),
        false => role.limits.clone(),
    };
    if let Some(second) = second.filter(|second| second.limits != role.limits) {
        said.push(format!(
            "`{next}` has other limits than `{own}`: {} in place of {}",
            limits(second),
            limits(role)
        ));
    }
    said
}
