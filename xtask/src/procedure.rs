//! A whole rotation on a platform: what it needs, and how it is carried on.

mod carry_on;
mod containment;
mod ended;
mod failures;
mod find;
mod options;
mod planned;
mod prepared;
mod version_state;
mod watcher;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use platform::google_cloud::SqlProxy;
use rotation::{Context, Material, Means, Plan, Secret, Trial};
use runbook::Runs;
use secret::SecretValue;

pub(crate) use self::ended::{Ended, Outcome};
use self::find::{Found, find};
pub(crate) use self::options::Options;
use self::prepared::{Preparation, Prepared};
use self::watcher::Watcher;
use crate::cli;
use crate::failure::Failure;
use crate::input::Terminal;
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
        let preparation = Preparation {
            options,
            settings: &settings,
            timeouts,
            progress: &progress,
            surroundings,
        };
        let Prepared {
            plan,
            platform,
            material,
            proxy,
        } = preparation.of(secret).await?;
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
            .map_err(|error| Failure::from_runs(&error))
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
}
