//! One version of a secret, by hand.

use runbook::RunsError;
use secret::VersionNumber;

use super::Procedure;
use crate::failure::{Failure, chain};
use crate::input::Confirmed;

impl Procedure {
    /// What the store calls the secret.
    pub(crate) fn store_name(&self) -> &str {
        &self.context.store.name
    }

    /// Where the store is.
    pub(crate) fn place_of_store(&self) -> &str {
        &self.context.platform.place
    }

    /// Refuses while another process rotates the secret, and what a run goes by that isn't
    /// finished.
    ///
    /// # Errors
    ///
    /// With the run.
    pub(crate) fn refuse_version_of_run(&self, version: VersionNumber) -> Result<(), Failure> {
        let failed = |error: &RunsError| Failure::from_runs(error, &self.settings.place);
        match self.runs.check_free(self.plan.rotation()) {
            Ok(()) => return Ok(()),
            Err(RunsError::Unfinished { .. }) => {}
            Err(error) => return Err(failed(&error)),
        }
        for summary in self.runs.list().map_err(|error| failed(&error))? {
            let Ok(history) = &summary.history else {
                continue;
            };
            if history.rotation.as_str() == self.plan.rotation()
                && rotation::goes_by(history, version)
            {
                let (run, flags) = (&summary.name, self.settings.place.flags());
                return Err(Failure::check(format!(
                    "the run `{run}` goes by version {version}, and is not finished"
                ))
                .nothing_changed()
                .hint(format!(
                    "`cargo xtask resume {run}{flags}` goes on; `cargo xtask rollback {run}{flags}` undoes it"
                )));
            }
        }
        Ok(())
    }

    /// Disables a version that nothing needs; gives whether that was needed.
    ///
    /// # Errors
    ///
    /// With what needs it.
    pub(crate) async fn disable_version(
        &mut self,
        version: VersionNumber,
        _confirmed: Confirmed,
    ) -> Result<bool, Failure> {
        let disabled = rotation::disable_version(&mut self.context, version).await;
        self.watcher.quiet();
        disabled.map_err(|error| of_version(&error))
    }

    /// Enables a version; gives whether that was needed.
    ///
    /// # Errors
    ///
    /// When it can't be.
    pub(crate) async fn enable_version(
        &mut self,
        version: VersionNumber,
        _confirmed: Confirmed,
    ) -> Result<bool, Failure> {
        let enabled = rotation::enable_version(&self.context, version).await;
        self.watcher.quiet();
        enabled.map_err(|error| of_version(&error))
    }
}

/// Of a change whose answer may have been lost: its state is not known then.
fn of_version(error: &rotation::Error) -> Failure {
    use runbook::StepError as _;
    match error {
        rotation::Error::Platform(_) | rotation::Error::WrongState { .. } => {
            Failure::check(chain(error)).hint_if_any(error.hint())
        }
        rotation::Error::StillRead { secret, .. } => Failure::from_check(error).hint(format!(
            "a rotation moves the service first: `cargo xtask rotate-secret {secret}`"
        )),
        _ => Failure::from_check(error),
    }
}
