//! What the rotations of the two OAuth client secrets share: all but the client.

mod check;
mod obtain;
mod revoke;
mod revoke_first;
mod rollback;
mod test;
mod verify;

use platform::{Issuer, OauthChecks, OauthClient, Proof, Reference, Verdict};
use runbook::{About, Step};
use secret::SecretValue;

use crate::Plan;
use crate::context::Context;
use crate::emergency::Containment;
use crate::error::Error;
use crate::material::Material;
use crate::steps::{
    self, Close, CutOver, Destroy, Open, Pin, Prepare, RestartByHand, Retire, Soak, Stage,
    StoreCurrent,
};

pub(crate) use check::{prove_in_use, trial};
pub(crate) use obtain::OBTAIN;
pub(crate) use revoke_first::{NAME as REVOKE_FIRST, refuse_after_revocation};
pub(crate) use rollback::refuse_rollback;

/// Who issues both client secrets, unless the settings say otherwise.
pub const ISSUER: &str = "https://sso.redhat.com/auth/realms/redhat-external";

/// What differs between installations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// The value is known to others: nothing is waited for, and the old one is revoked
    /// and destroyed.
    pub emergency: bool,
    /// What contains the emergency meanwhile.
    pub containment: Containment,
    /// The platform can't restart the services, so people do.
    pub restart_by_hand: bool,
}

/// Where a client's id stands: it is no secret, but is kept beside the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientId {
    /// What the store calls it.
    pub store_name: &'static str,
    /// The environment variable in which the services read it.
    pub variable: &'static str,
}

/// The client whose secret it is, and where that is tested.
pub struct Client {
    /// Who tests.
    pub checks: Box<dyn OauthChecks>,
    /// Who has issued the secret.
    pub issuer: Issuer,
    /// Where the client's id stands.
    pub id: ClientId,
    /// How the secret is tested.
    pub proof: Proof,
}

/// The rotation, step by step. `obtain` tells whom to ask.
pub(crate) fn plan(rotation: &'static str, obtain: &'static About, parameters: Parameters) -> Plan {
    let mut steps: Vec<Box<dyn Step<Context, Error>>> = vec![Box::new(check::Check)];
    if parameters.containment.close {
        steps.push(Box::new(Close));
    }
    if parameters.containment.revoke {
        steps.push(Box::new(revoke_first::RevokeFirst));
        steps.push(Box::new(revoke_first::RevokedFirst));
    }
    let rolled: [Box<dyn Step<Context, Error>>; 7] = [
        Box::new(obtain::Obtain(obtain)),
        Box::new(test::Test),
        Box::new(StoreCurrent),
        Box::new(Pin),
        Box::new(Stage),
        Box::new(Prepare),
        Box::new(CutOver::without_outage()),
    ];
    steps.extend(rolled);
    if parameters.restart_by_hand {
        steps.push(Box::new(RestartByHand::without_outage()));
    }
    steps.push(Box::new(verify::Verify));
    if parameters.containment.close {
        steps.push(Box::new(Open));
    }
    if parameters.emergency {
        if !parameters.containment.revoke {
            steps.push(Box::new(revoke::Revoke));
            steps.push(Box::new(revoke::Revoked));
        }
        steps.push(Box::new(Retire));
        steps.push(Box::new(Destroy));
    } else {
        steps.push(Box::new(Soak));
        steps.push(Box::new(Retire));
    }
    if parameters.emergency {
        steps::draft(&mut steps, Some(parameters.containment));
    }
    Plan::new(rotation, steps)
}

/// Whether the issuer accepts what may be this run's candidate.
pub(crate) async fn is_candidate(context: &Context, value: &SecretValue) -> Result<bool, Error> {
    let oauth_client = oauth_client(context).await?;
    Ok(ask_issuer(context, &oauth_client, value).await? == Verdict::Accepted)
}

/// The client, with its id as it is now.
async fn oauth_client(context: &Context) -> Result<OauthClient, Error> {
    let client = client(context)?;
    Ok(OauthClient {
        issuer: client.issuer.clone(),
        id: client_id(context, client).await?,
        proof: client.proof.clone(),
    })
}

/// Asks the issuer what it thinks of a value.
async fn ask_issuer(
    context: &Context,
    oauth_client: &OauthClient,
    value: &SecretValue,
) -> Result<Verdict, Error> {
    Ok(client(context)?.checks.check(oauth_client, value).await?)
}

/// Refuses a value that the issuer refuses. `place` is where the value is.
async fn expect_accepted(
    context: &Context,
    oauth_client: &OauthClient,
    value: &SecretValue,
    place: &str,
) -> Result<(), Error> {
    match ask_issuer(context, oauth_client, value).await? {
        Verdict::Accepted => Ok(()),
        Verdict::Refused => Err(Error::RefusedByIssuer {
            secret: context.store.name.clone(),
            place: place.to_owned(),
            issuer: oauth_client.issuer.to_string(),
            client: oauth_client.id.clone(),
        }),
    }
}

fn client(context: &Context) -> Result<&Client, Error> {
    match &context.material {
        Material::ClientSecret(client) => Ok(client),
        Material::Key(_) | Material::Login(_) => Err(Error::WrongPlan),
    }
}

/// The id of the client whose secret it is.
pub(crate) async fn id(context: &Context) -> Result<String, Error> {
    client_id(context, client(context)?).await
}

/// From the store, or where the store has none, from the services' own configuration.
async fn client_id(context: &Context, client: &Client) -> Result<String, Error> {
    let ClientId {
        store_name,
        variable,
    } = client.id;
    let store = &context.platform.store;
    let value = match store.access(store_name, Reference::Latest).await {
        Ok(stored) => stored.value,
        Err(error) if error.is_without_value() => {
            let consumer = context.consumers.first().ok_or(Error::NoVersion)?;
            let services = &context.platform.services;
            services.inline_value(&consumer.service, variable).await?
        }
        Err(error) => return Err(error.into()),
    };
    value.client_id().ok_or(Error::NoClientId {
        secret: store_name,
        variable,
    })
}
