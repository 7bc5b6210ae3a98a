//! What steps would do to the platform, for `--dry-run`.

use platform::{Change, VersionState, Which};
use runbook::{Fact, Forecast};

use super::{Context, old_version};
use crate::error::Error;
use crate::facts;

impl Context {
    /// Has the platform tell what a change comes to.
    pub(crate) async fn rehearse(
        &mut self,
        change: Change,
        forecast: &mut Forecast,
    ) -> Result<(), Error> {
        for rehearsed in self.platform.rehearsal.rehearse(&change).await? {
            forecast.command(rehearsed.command, rehearsed.text);
        }
        Ok(())
    }

    /// The same for every service that reads the secret.
    pub(crate) async fn rehearse_for_all(
        &mut self,
        change: impl Fn(String) -> Change,
        forecast: &mut Forecast,
    ) -> Result<(), Error> {
        let consumers = self.consumers.iter();
        let services: Vec<String> = consumers.map(|one| one.service.clone()).collect();
        for service in services {
            self.rehearse(change(service), forecast).await?;
        }
        Ok(())
    }

    /// The same for versions, one after the other.
    pub(crate) async fn rehearse_states(
        &mut self,
        versions: impl IntoIterator<Item = Which>,
        state: VersionState,
        forecast: &mut Forecast,
    ) -> Result<(), Error> {
        for version in versions {
            let secret = self.store.name.clone();
            let change = Change::SetState {
                secret,
                version,
                state,
            };
            self.rehearse(change, forecast).await?;
        }
        Ok(())
    }

    /// Records the version in use, as the pin does; none where the value in use is in no
    /// store yet.
    pub(crate) async fn foresee_version_in_use(
        &self,
        forecast: &mut Forecast,
    ) -> Result<(), Error> {
        let described = self.describe_all().await?;
        if let Some(number) = self.version_in_use(&described).await? {
            forecast.record(facts::OLD_VERSION, Fact::Version(number.get()));
        }
        Ok(())
    }
}

/// The version in use: its number, or what stands for it.
pub(crate) fn in_use(forecast: &Forecast) -> Which {
    old_version(forecast.facts()).map_or(Which::InUse, Which::Number)
}
