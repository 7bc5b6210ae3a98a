//! Carrying a run on: forward, back, and back because of a failure.

use rotation::Restarted;
use runbook::{History, Run, RunStatus, Stopped};

use super::{Ended, Outcome, Procedure};
use crate::cli::Going;
use crate::failure::{Failure, chain};
use crate::input::Confirmed;
use crate::interrupt;

impl Procedure {
    /// Begins a run and carries it on.
    pub(crate) async fn begin(mut self, going: Going, confirmed: Confirmed) -> Ended {
        let platform = self.context.platform.name;
        let begun = self
            .runs
            .begin(&self.plan, platform, self.settings.operator.clone());
        match begun {
            Ok(run) => self.forward(run, going, confirmed).await,
            Err(error) => Ended::not_begun(Failure::from_runs(&error)),
        }
    }

    /// Goes on with a run, in the direction in which it was going.
    pub(crate) async fn resume(
        mut self,
        name: &str,
        is_done: bool,
        going: Going,
        confirmed: Confirmed,
    ) -> Ended {
        let run = match self.open(name, History::is_unfinished).await {
            Ok(run) => run,
            Err(failure) => return Ended::not_begun(failure),
        };
        if run.history().status == RunStatus::RollingBack {
            self.watcher.is_done = is_done && rotation::waits_for_restart(run.history());
            return self.back(run, None, confirmed).await;
        }
        // A value is given, not done: the word would be taken for a later step.
        let is_of_people = !rotation::waits_for_value(run.history());
        self.watcher.is_done = is_done && is_of_people;
        self.forward(run, going, confirmed).await
    }

    /// Undoes a run.
    pub(crate) async fn roll_back(mut self, name: &str, confirmed: Confirmed) -> Ended {
        let can_be =
            |history: &History| history.is_unfinished() || history.status == RunStatus::Done;
        let run = match self.open(name, can_be).await {
            Ok(run) => run,
            Err(failure) => return Ended::not_begun(failure),
        };
        if run.history().status != RunStatus::RollingBack
            && let Err(failure) = self.check_rollback(&run).await
        {
            return Ended::not_begun(failure);
        }
        self.back(run, None, confirmed).await
    }

    /// Leaves a run where it stands, for good, if nothing depends on its going on.
    pub(crate) async fn abandon(
        &mut self,
        name: &str,
        restarted: Restarted,
        confirmed: Confirmed,
    ) -> Ended {
        let run = match self.left_for_good(name, restarted, confirmed).await {
            Ok(run) => run,
            Err(failure) => return Ended::not_begun(failure),
        };
        self.tidy(run.history()).await;
        self.ended(&run, Ok(Outcome::Abandoned))
    }

    async fn left_for_good(
        &mut self,
        name: &str,
        restarted: Restarted,
        _confirmed: Confirmed,
    ) -> Result<Run, Failure> {
        let operator = self.settings.operator.clone();
        let opened = self.runs.open_to_leave(name, &self.plan, operator);
        let mut run = opened.map_err(|error| Failure::from_runs(&error))?;
        if !run.history().is_unfinished() {
            return Err(nothing_to_do(name, run.history().status));
        }
        // The list of callers lies there.
        self.context.run_folder = run.folder().to_owned();
        let context = &mut self.context;
        let sound = rotation::refuse_abandoning(context, run.history(), restarted).await;
        self.watcher.quiet();
        sound.map_err(|error| Failure::from_refused_abandonment(&error, run.history()))?;
        run.abandon()
            .map_err(|error| Failure::from_journal(&error))?;
        Ok(run)
    }

    /// What an abandoned run has left beside what serves. It is abandoned, whatever becomes of
    /// that.
    async fn tidy(&self, history: &History) {
        let printer = &self.watcher.printer;
        match rotation::tidy_services(&self.context, history).await {
            Ok(remarks) => {
                for remark in remarks {
                    printer.warning(&remark);
                }
            }
            Err(error) => printer.warning(&format!(
                "what the run prepared could not be taken away: {}",
                chain(&error)
            )),
        }
        for version in rotation::unread_versions(&self.context)
            .await
            .unwrap_or_default()
        {
            let name = &history.rotation;
            let note = format!(
                "version {version} is enabled, and no service reads it: `cargo xtask disable-version {name} \
                 {version}` disables it, if nobody needs it"
            );
            printer.note(&self.settings.place.complete(&note));
        }
    }

    /// Looks that a rollback can come to its end: begun, there is no way but back.
    async fn check_rollback(&mut self, run: &Run) -> Result<(), Failure> {
        rotation::refuse_rollback(&mut self.context, run.history())
            .await
            .map_err(|error| Failure::from_refused_rollback(&error, run.history()))
    }

    /// The run, if it is one that this can be done with.
    async fn open(&self, name: &str, is_meant: impl Fn(&History) -> bool) -> Result<Run, Failure> {
        let operator = self.settings.operator.clone();
        let opened = self.runs.open(name, &self.plan, operator);
        let run = opened.map_err(|error| Failure::from_runs(&error))?;
        if !is_meant(run.history()) {
            return Err(nothing_to_do(name, run.history().status));
        }
        rotation::refuse_other_place(&self.context, &run.history().facts)
            .await
            .map_err(|error| Failure::from_refusal(&error, run.history()))?;
        Ok(run)
    }

    async fn forward(&mut self, mut run: Run, going: Going, confirmed: Confirmed) -> Ended {
        self.set_out(&run);
        let ran = runbook::run_forward(&self.plan, &mut self.context, &mut run, &mut self.watcher);
        let ran = ran.await;
        self.watcher.quiet();
        match ran {
            Ok(()) => self.ended(&run, Ok(Outcome::Done)),
            Err(stopped) => self.after_stop(run, stopped, going, confirmed).await,
        }
    }

    /// Undoes a run whose step failed, where that is wanted, or nothing was changed by it.
    async fn after_stop(
        &mut self,
        run: Run,
        stopped: Stopped<rotation::Error>,
        going: Going,
        confirmed: Confirmed,
    ) -> Ended {
        let failure = Failure::from_stopped(&stopped, run.history()).at(&self.settings.place);
        let Stopped::Failed { changed, .. } = stopped else {
            return self.ended(&run, Err(failure));
        };
        if changed && !self.is_to_be_undone(going, &failure) {
            return self.ended(&run, Err(failure));
        }
        if changed && let Err(error) = self.check_rollback(&run).await {
            let reason = format!("it isn't undone: {}", error.message);
            self.watcher.printer.warning(&reason);
            return self.ended(&run, Err(failure));
        }
        self.back(run, Some((failure, changed)), confirmed).await
    }

    /// Undoes a run, perhaps because of a failure, which may have changed something.
    async fn back(
        &mut self,
        mut run: Run,
        because: Option<(Failure, bool)>,
        _confirmed: Confirmed,
    ) -> Ended {
        self.set_out(&run);
        let back = runbook::roll_back(&self.plan, &mut self.context, &mut run, &mut self.watcher);
        let back = back.await;
        self.watcher.quiet();
        let result = match (back, because) {
            (Ok(()), None) => Ok(Outcome::RolledBack),
            (Ok(()), Some((failure, changed))) => Err(failure.undone(changed)),
            (Err(stopped), because) => {
                if let Some((failure, _)) = because {
                    self.watcher.printer.failure(&failure);
                }
                Err(Failure::from_stopped(&stopped, run.history()))
            }
        };
        self.ended(&run, result)
    }

    fn set_out(&mut self, run: &Run) {
        self.context.run_folder = run.folder().to_owned();
        interrupt::run_begins();
        self.watcher.explain_ctrl_c();
    }

    fn ended(&self, run: &Run, result: Result<Outcome, Failure>) -> Ended {
        Ended::of_run(
            run,
            self.settings.rotate_every,
            result,
            &self.watcher.printer,
        )
    }

    /// Whether a failed run is undone at once: by the flag, or by the answer.
    fn is_to_be_undone(&self, going: Going, failure: &Failure) -> bool {
        going.rollback_on_failure || (!going.yes && self.watcher.asks_for_rollback(failure))
    }
}

fn nothing_to_do(name: &str, status: RunStatus) -> Failure {
    let state = match status {
        RunStatus::Done => "done already",
        RunStatus::RolledBack => "rolled back already",
        RunStatus::Abandoned => "abandoned",
        RunStatus::Forward | RunStatus::RollingBack => "not finished",
    };
    Failure::check(format!(
        "the run `{name}` is {state}: there is nothing to do"
    ))
    .nothing_changed()
}
