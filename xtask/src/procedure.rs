//! A whole rotation on a platform: what it needs, and how it is carried on.

mod containment;
mod ended;
mod failures;
mod find;
mod options;
mod planned;
mod prepared;
mod watcher;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use platform::google_cloud::SqlProxy;
use rotation::{Context, Material, Means, Plan, Secret, Trial};
use runbook::{Run, RunStatus, Runs, Stopped};
use secret::SecretValue;

pub(crate) use self::ended::{Ended, Outcome};
use self::find::{Found, find};
pub(crate) use self::options::Options;
use self::prepared::Prepared;
use self::watcher::Watcher;
use crate::cli::{self, Going};
use crate::failure::Failure;
use crate::input::{Confirmed, Terminal};
use crate::interrupt;
use crate::output::Progress;
use crate::settings::{self, Surroundings};

/// What is at hand for carrying a rotation on.
pub(crate) struct Procedure {
    /// The settings.
    pub(crate) settings: settings::Procedure,
    /// The steps.
    pub(crate) plan: Plan,
    /// The runs.
    runs: Runs,
    context: Context,
    /// The way to the database, open as long as this is.
    _proxy: Option<SqlProxy>,
    watcher: Watcher,
}

/// Which run is asked for.
pub(crate) struct Asked<'a> {
    /// Where runs are.
    pub(crate) place: &'a cli::Place,
    /// Its name, if it was typed.
    pub(crate) run: Option<&'a str>,
    /// What is to be done with it: `resume`.
    pub(crate) verb: &'a str,
}

impl Procedure {
    /// Makes everything ready. Changes nothing.
    ///
    /// # Errors
    ///
    /// What is missing, or can't be used.
    pub(crate) async fn new(
        settings: settings::Procedure,
        secret: Secret,
        options: Options,
        timeouts: &cli::Timeouts,
        surroundings: &Surroundings<'_>,
    ) -> Result<Procedure, Failure> {
        settings.refuse_no_platform()?;
        let progress = Progress::new(surroundings.printer.without_notes());
        let progress = Arc::new(Mutex::new(progress));
        let prepared = Prepared::new(
            secret,
            options,
            &settings,
            timeouts,
            &progress,
            surroundings,
        );
        let Prepared {
            plan,
            platform,
            material,
            proxy,
        } = prepared.await?;
        containment::refuse_what_does_not_fit(options.containment, &secret, &platform)?;
        let context = Context {
            platform,
            store: settings.store_of(&secret),
            consumers: settings.consumers_of(&secret),
            material,
            backup_max_age: settings.backup_max_age,
            soak: settings.soak,
            run_folder: PathBuf::new(),
            contacts: settings.known_contacts(),
            candidate: None,
        };
        Ok(Procedure {
            runs: settings.runs(),
            watcher: Watcher {
                printer: surroundings.printer,
                progress,
                terminal: Terminal::find(false),
                is_done: false,
                interrupt: surroundings.interrupt.clone(),
            },
            settings,
            plan,
            context,
            _proxy: proxy,
        })
    }

    /// The same for a run: the one that is named, or the only one that isn't finished.
    ///
    /// # Errors
    ///
    /// What is missing, or can't be used; when there is no such run, or more than one.
    pub(crate) async fn of_run(
        asked: Asked<'_>,
        timeouts: &cli::Timeouts,
        surroundings: &Surroundings<'_>,
    ) -> Result<(Procedure, Found), Failure> {
        let settings = settings::procedure(asked.place, surroundings)?;
        let found = find(&settings, asked.run, asked.verb)?;
        let options = Options::of(&found.history);
        let procedure = Procedure::new(settings, found.secret, options, timeouts, surroundings);
        Ok((procedure.await?, found))
    }

    /// Whether other people issue the new value, so that somebody has to give it.
    pub(crate) fn takes_value(&self) -> bool {
        matches!(self.context.material, Material::ClientSecret(_))
    }

    /// What would contain a leak of the secret here.
    pub(crate) fn means(&self, secret: &Secret) -> impl Iterator<Item = Means> {
        containment::means(secret, &self.context.platform)
    }

    /// Takes the new value, if it is there.
    pub(crate) fn take(&mut self, candidate: Option<SecretValue>) {
        self.context.candidate = candidate;
    }

    /// Refuses to begin where a run isn't finished.
    ///
    /// # Errors
    ///
    /// With that run's name.
    pub(crate) fn refuse_unfinished(&self) -> Result<(), Failure> {
        self.runs
            .check_free(self.plan.rotation())
            .map_err(|error| Failure::from_runs(&error, &self.settings.flags))
    }

    /// Everything but the changes: what `--dry-run` does.
    pub(crate) async fn trial(&mut self) -> Ended {
        let tried = self.tried().await;
        let foreseen = match tried {
            Ok(_) => runbook::foresee(&self.plan, &mut self.context).await,
            Err(_) => Ok(Vec::new()),
        };
        self.watcher.quiet();
        if let Ok(Trial::RefusedInUse) = tried {
            // For scripts as well, which read no sentence.
            let printer = &self.watcher.printer;
            printer.warning("the issuer refuses the value in use");
        }
        match foreseen {
            Ok(foreseen) => Ended::of_trial(tried, foreseen),
            Err(error) => Ended::of_trial(Err(error), Vec::new()),
        }
    }

    /// The same, without a word.
    pub(crate) async fn tried(&mut self) -> Result<Trial, rotation::Error> {
        rotation::trial(&mut self.context).await
    }

    /// Begins a run and carries it on.
    pub(crate) async fn begin(mut self, going: Going, confirmed: Confirmed) -> Ended {
        let platform = self.context.platform.name;
        let begun = self
            .runs
            .begin(&self.plan, platform, self.settings.operator.clone());
        match begun {
            Ok(run) => self.forward(run, going, confirmed).await,
            Err(error) => Ended::not_begun(Failure::from_runs(&error, &self.settings.flags)),
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
        match self.open(name).await {
            Err(failure) => Ended::not_begun(failure),
            Ok(run) => match run.history().status {
                RunStatus::Forward => {
                    // A value is given, not done: the word would be taken for a later step.
                    let is_of_people = !rotation::waits_for_value(run.history());
                    self.watcher.is_done = is_done && is_of_people;
                    self.forward(run, going, confirmed).await
                }
                RunStatus::RollingBack => {
                    self.watcher.is_done = is_done && rotation::waits_for_restart(run.history());
                    self.back(run, None, confirmed).await
                }
                RunStatus::Done => Ended::not_begun(nothing_to_do(name, "done")),
                RunStatus::RolledBack => Ended::not_begun(nothing_to_do(name, "rolled back")),
            },
        }
    }

    /// Undoes a run.
    pub(crate) async fn roll_back(mut self, name: &str, confirmed: Confirmed) -> Ended {
        match self.open(name).await {
            Err(failure) => Ended::not_begun(failure),
            Ok(run) if run.history().status == RunStatus::RolledBack => {
                Ended::not_begun(nothing_to_do(name, "rolled back"))
            }
            Ok(run) => {
                if run.history().status != RunStatus::RollingBack
                    && let Err(failure) = self.check_rollback(&run).await
                {
                    return Ended::not_begun(failure);
                }
                self.back(run, None, confirmed).await
            }
        }
    }

    /// Looks that a rollback can come to its end: begun, there is no way but back.
    async fn check_rollback(&mut self, run: &Run) -> Result<(), Failure> {
        rotation::refuse_rollback(&mut self.context, run.history())
            .await
            .map_err(|error| Failure::from_check(&error))
    }

    async fn open(&self, name: &str) -> Result<Run, Failure> {
        let operator = self.settings.operator.clone();
        let run = self
            .runs
            .open(name, &self.plan, operator)
            .map_err(|error| Failure::from_runs(&error, &self.settings.flags))?;
        rotation::refuse_other_place(&self.context, &run.history().facts)
            .await
            .map_err(|error| Failure::from_check(&error))?;
        Ok(run)
    }

    async fn forward(&mut self, mut run: Run, going: Going, confirmed: Confirmed) -> Ended {
        self.context.run_folder = run.folder().to_owned();
        interrupt::run_begins();
        self.watcher.explain_ctrl_c();
        let ran = runbook::run_forward(&self.plan, &mut self.context, &mut run, &mut self.watcher);
        let ran = ran.await;
        self.watcher.quiet();
        match ran {
            Ok(()) => self.ended(&run, Ok(Outcome::Done)),
            Err(stopped) => {
                let changed = !matches!(stopped, Stopped::Failed { changed: false, .. });
                let is_failure = matches!(stopped, Stopped::Failed { .. });
                let failure = Failure::from_stopped(&stopped, run.history(), &self.settings.flags);
                if is_failure && (!changed || self.is_to_be_undone(going, &failure)) {
                    if changed && let Err(error) = self.check_rollback(&run).await {
                        let reason = format!("it isn't undone: {}", error.message);
                        self.watcher.printer.warning(&reason);
                        return self.ended(&run, Err(failure));
                    }
                    return self.back(run, Some((failure, changed)), confirmed).await;
                }
                self.ended(&run, Err(failure))
            }
        }
    }

    /// Undoes a run, perhaps because of a failure.
    async fn back(
        &mut self,
        mut run: Run,
        because: Option<(Failure, bool)>,
        _confirmed: Confirmed,
    ) -> Ended {
        self.context.run_folder = run.folder().to_owned();
        interrupt::run_begins();
        self.watcher.explain_ctrl_c();
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
                Err(Failure::from_stopped(
                    &stopped,
                    run.history(),
                    &self.settings.flags,
                ))
            }
        };
        self.ended(&run, result)
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

fn nothing_to_do(name: &str, state: &str) -> Failure {
    Failure::check(format!(
        "the run `{name}` is {state} already: there is nothing to do"
    ))
    .nothing_changed()
}
