//! After an emergency, an old value is not to be found in the store either.

use async_trait::async_trait;
use platform::{VersionState, Which};
use runbook::{About, Applied, Facts, Forecast, Kind, Log, Observed, Step, Undo};
use secret::VersionNumber;

use super::retire::copies;
use crate::context::{Context, in_use, old_version};
use crate::error::Error;

/// Destroys the old version, once it is retired.
pub(crate) struct Destroy;

/// What journals call the step; it tells an emergency's run.
pub(crate) const NAME: &str = "destroy";

const ABOUT: About = About {
    name: NAME,
    title: "Destroy the old version",
    kind: Kind::Change,
    told: None,
    does: "Removes the value of the old version, and of every other version that has the same value, \
           from the store for ever: nobody who can read the store can bring it back into use.",
    touches: "the store: the old version is destroyed",
    verified: "the store says that the version is destroyed",
    undo: Undo::Impossible(
        "a destroyed version can't be read again, nor can what older backups have under it",
    ),
    outage: None,
};

#[async_trait(?Send)]
impl Step<Context, Error> for Destroy {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    async fn observe(&self, context: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        for version in to_be_destroyed(facts)? {
            if context.state(version).await? != VersionState::Destroyed {
                return Ok(Observed::Absent);
            }
        }
        Ok(Observed::Present)
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        for version in to_be_destroyed(log.facts())? {
            let state = context.state(version).await?;
            if state == VersionState::Enabled {
                // Somebody enabled it since it was retired, and may need it.
                return Err(Error::WrongState {
                    secret: context.store.name.clone(),
                    version,
                    state,
                });
            }
            let store = &context.platform.store;
            store.destroy(&context.store.name, version).await?;
        }
        Ok(Applied::Done)
    }

    async fn foresee(&self, context: &mut Context, forecast: &mut Forecast) -> Result<(), Error> {
        let copies = copies(forecast.facts()).into_iter().map(Which::Number);
        let versions = copies.chain([in_use(forecast)]);
        let state = VersionState::Destroyed;
        context.rehearse_states(versions, state, forecast).await
    }

    async fn verify(&self, context: &mut Context, facts: &Facts) -> Result<(), Error> {
        for version in to_be_destroyed(facts)? {
            let state = context.state(version).await?;
            if state != VersionState::Destroyed {
                return Err(Error::WrongState {
                    secret: context.store.name.clone(),
                    version,
                    state,
                });
            }
        }
        Ok(())
    }
}

fn to_be_destroyed(facts: &Facts) -> Result<Vec<VersionNumber>, Error> {
    let mut versions = copies(facts);
    versions.push(old_version(facts)?);
    Ok(versions)
}
