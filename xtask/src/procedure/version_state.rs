//! One version of a secret, by hand.

use platform::VersionState;
use runbook::{RunsError, StepError as _};
use secret::VersionNumber;

use super::Procedure;
use crate::exit_code;
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
        let failed = |error: &RunsError| Failure::from_runs(error);
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
                let run = &summary.name;
                return Err(Failure::check(format!(
                    "the run `{run}` goes by version {version}, and is not finished"
                ))
                .nothing_changed()
                .hint(format!(
                    "`cargo xtask resume {run}` goes on; `cargo xtask rollback {run}` undoes it; if neither \
                     works, see `cargo xtask abandon {run}`"
                )));
            }
        }
        Ok(())
    }

    /// The state that a version is in, if nothing keeps it from being brought into another one.
    ///
    /// # Errors
    ///
    /// With what needs it, where it is to be disabled.
    pub(crate) async fn check_version(
        &mut self,
        version: VersionNumber,
        to: VersionState,
    ) -> Result<VersionState, Failure> {
        let state = match to {
            VersionState::Disabled => {
                rotation::refuse_needed_version(&mut self.context, version).await
            }
            VersionState::Enabled | VersionState::Destroyed => {
                rotation::version_state(&self.context, version).await
            }
        };
        self.watcher.quiet();
        state.map_err(|error| match &error {
            rotation::Error::StillRead { .. } => Failure::from_check(&error).hint(format!(
                "a rotation moves the service first: `cargo xtask rotate-secret {}`",
                self.plan.rotation()
            )),
            rotation::Error::VersionGone { .. } => Failure::from_check(&error)
                .hint("`cargo xtask status` says which versions there are"),
            error => Failure::from_check(error),
        })
    }

    /// Brings it into that state.
    ///
    /// # Errors
    ///
    /// When that fails: whether it is done is not known then.
    pub(crate) async fn change_version(
        &self,
        version: VersionNumber,
        to: VersionState,
        _confirmed: Confirmed,
    ) -> Result<(), Failure> {
        let changed = match to {
            VersionState::Disabled => rotation::disable_version(&self.context, version).await,
            VersionState::Enabled | VersionState::Destroyed => {
                let enabled = rotation::enable_version(&self.context, version).await;
                enabled.map(|()| Vec::new())
            }
        };
        let kept = changed.map_err(|error| Failure {
            exit_code: exit_code::CHANGE_FAILED,
            state: Some("unknown: the same command again is safe, and says it".to_owned()),
            ..Failure::check(chain(&error)).hint_if_any(error.hint())
        })?;
        for kept in kept {
            self.watcher.printer.warning(&kept.to_string());
        }
        Ok(())
    }
}
