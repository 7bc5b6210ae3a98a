//! A world to rotate in: a folder with a `.env`, a store, a database and the journals.
//! Processes come and go; the folder stays.
use std::cell::Cell;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use platform::Platform;
use platform::local::{ServiceSettings, Settings};
use reencrypt::Timeouts;
use rotation::dcr_encryption_key::Parameters;
use rotation::{DCR_ENCRYPTION_KEY, Error, Plan, Restarted, Role};
use runbook::{History, Run, RunStatus, Runs, RunsError, Stopped};
use secret::SecretValue;
use tempfile::TempDir;

use super::faulty::{self, CallerFile};
use super::folder;
use super::laws::Laws;
use super::moments::Moments;
use super::process::operator;
use super::project::Project;
use super::scene::Scene;
use super::seen::Seen;

/// How a run ended.
pub(super) type Ended = Result<(), Stopped<Error>>;

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Resume,
    RollBack,
}

pub(super) const THEN: [Then; 2] = [Then::Resume, Then::RollBack];

/// On a machine with much else to do.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) struct World {
    folder: TempDir,
    /// In place of the `.env` and the store, where the platform is Google Cloud.
    project: Option<Rc<Project>>,
    pub(super) scene: Scene,
    /// The new value that each process is given, where other people issue it.
    pub(super) candidate: Option<&'static str>,
    /// What another world of the same scene may have changed since this one was used:
    /// the roles of the server.
    is_asleep: Cell<bool>,
    /// Whether the server has both roles, when this world is at its start or its end.
    has_both_roles: Cell<bool>,
    /// Of the rotation of the key.
    pub(super) parameters: Parameters,
    pub(super) soak: Duration,
    /// Whether the service has a command that restarts it.
    pub(super) restarts: bool,
    /// Whether people say that they have done what a step asks of them.
    pub(super) people: bool,
    /// Whether the laws are looked at: not where somebody else has just broken them.
    pub(super) is_lawful: bool,
    /// How long a lock on the table is waited for.
    pub(super) lock_timeout: Duration,
    /// How often a step applies and undoes.
    pub(super) times: usize,
}

impl World {
    /// A world in which the value stands in `.env` alone.
    pub(super) fn of(scene: Scene, value: &str) -> Result<World> {
        let world = World::empty(scene)?;
        let variable = world.scene.secret().variable;
        let env = format!("A=1\n{variable}={value}\nB=2\n");
        fs::write(world.path(".env"), env)?;
        let readers = world.scene.secret().readers.iter().copied();
        let listed = readers.map(Role::default_service).flat_map(|service| {
            ["allUsers", "serviceAccount:pusher@p1"].map(|caller| format!("{service} {caller}"))
        });
        faulty::write_callers(&world.path("callers"), &listed.collect::<Vec<_>>())?;
        Ok(world)
    }

    /// A world on Google Cloud.
    pub(super) fn on_google(scene: Scene, project: impl Into<Rc<Project>>) -> Result<World> {
        let mut world = World::empty(scene)?;
        world.project = Some(project.into());
        Ok(world)
    }

    /// The project of a world on Google Cloud.
    pub(super) fn project(&self) -> &Project {
        self.project.as_ref().expect("a project")
    }

    /// Makes the value in use the latest version, beside an older one.
    pub(super) async fn store_beside(&self, older: &SecretValue) -> Result<()> {
        let (secret, store) = (self.scene.secret(), self.platform()?.store);
        store.add(secret.store_name, older).await?;
        let in_use = platform::local::variable(&self.path(".env"), secret.variable)?;
        store.add(secret.store_name, &in_use).await?;
        Ok(())
    }

    fn empty(scene: Scene) -> Result<World> {
        Ok(World {
            folder: folder::new()?,
            project: None,
            scene,
            candidate: None,
            is_asleep: Cell::new(false),
            has_both_roles: Cell::new(false),
            parameters: Parameters::default(),
            soak: Duration::ZERO,
            restarts: false,
            people: true,
            is_lawful: true,
            lock_timeout: Timeouts::default().lock,
            times: 1,
        })
    }

    /// Another world in the same state. Worlds with a server share it: one is copied at
    /// its start or its end, and only one of them is in use at a time.
    pub(super) fn copy(&self) -> Result<World> {
        let copy = World::empty(self.scene.clone())?;
        folder::copy(self.folder.path(), copy.folder.path())?;
        self.is_asleep.set(true);
        let project = self.project.as_ref();
        Ok(World {
            folder: copy.folder,
            project: project.map(|project| Rc::new(project.copy())),
            scene: copy.scene,
            is_asleep: Cell::new(true),
            has_both_roles: self.has_both_roles.clone(),
            ..*self
        })
    }

    /// Sees to it that the server has the roles as this world has them.
    async fn wake(&self) {
        let Scene::Login(server) = &self.scene else {
            return;
        };
        if self.is_asleep.replace(false) {
            let in_use = self.laws().expect("laws").see_files().await;
            let has_both_roles = self.has_both_roles.get();
            server.put(in_use.value_in_use(), has_both_roles).await;
        }
    }

    /// Takes the state in which the run is for one to copy.
    async fn settle(&self) {
        if let Scene::Login(server) = &self.scene {
            self.has_both_roles.set(server.roles().await.len() == 2);
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The platform, past everything that may be hit.
    pub(super) fn platform(&self) -> Result<Platform> {
        if let Some(project) = &self.project {
            return project.platform(self.scene.secret());
        }
        let script = format!("echo restarted >> '{}'", self.path("restarts").display());
        let words = ["sh", "-c", &script].map(str::to_owned).to_vec();
        let service = ServiceSettings {
            restart: self.restarts.then_some(words),
            ready: None,
            timeout: Duration::from_secs(20),
        };
        let secret = self.scene.secret();
        let names = secret.readers.iter().copied().map(Role::default_service);
        let services = names.map(|name| (name.to_owned(), service.clone()));
        let is_key = secret == DCR_ENCRYPTION_KEY;
        let mut platform = platform::local::platform(Settings {
            env_file: self.path(".env"),
            store: self.path("store"),
            services: services.collect(),
            sqlite: is_key.then(|| self.path("service.db")),
        })?;
        platform.callers = Some(Box::new(CallerFile(self.path("callers"))));
        Ok(platform)
    }

    pub(super) fn laws(&self) -> Result<Laws> {
        Ok(Laws {
            folder: self.folder.path().to_owned(),
            platform: Rc::new(self.platform()?),
            project: self.project.clone(),
            scene: self.scene.clone(),
            are_kept: self.is_lawful,
        })
    }

    pub(super) async fn see(&self) -> Result<Seen> {
        self.wake().await;
        Ok(self.laws()?.see().await)
    }

    /// The same, once all services are up.
    pub(super) async fn see_when_ready(&self) -> Result<Seen> {
        loop {
            let seen = self.see().await?;
            if seen.services.iter().all(|service| service.ready) {
                return Ok(seen);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    pub(super) fn runs(&self) -> Runs {
        Runs::in_folder(self.path("state"))
    }

    /// What the newest journal tells.
    pub(super) fn history(&self) -> Result<History> {
        Ok(self.histories()?.into_iter().next().expect("a run"))
    }

    /// What the journals tell, that of the newest run first.
    pub(super) fn histories(&self) -> Result<Vec<History>> {
        let runs = self.runs().list()?.into_iter();
        runs.map(|run| Ok(run.history?)).collect()
    }

    /// A new process begins a run.
    pub(super) async fn begin(&self, moments: &Moments) -> Ended {
        self.wake().await;
        let mut process = self.process(moments).expect("a process");
        process.context.candidate = self.given();
        let runs = self.runs();
        let run = runs.begin(&process.plan, "local", operator());
        let ended = process.forward(run.expect("a run")).await;
        self.settle().await;
        ended
    }

    fn given(&self) -> Option<SecretValue> {
        let given = self.candidate?;
        Some(SecretValue::from(given.as_bytes()))
    }

    /// A new process goes on with the newest run, or rolls it back.
    pub(super) async fn carry_on(&self, then: Then, moments: &Moments) -> Ended {
        self.carry_on_telling(then, moments).await.0
    }

    /// The same, with what was said meanwhile.
    pub(super) async fn carry_on_telling(
        &self,
        then: Then,
        moments: &Moments,
    ) -> (Ended, Vec<String>) {
        self.wake().await;
        let mut process = self.process(moments).expect("a process");
        let run = self.open(&process.plan).await;
        let ended = match then {
            Then::Resume => {
                process.context.candidate = self.given();
                process.forward(run).await
            }
            Then::RollBack => process.back(run).await,
        };
        self.settle().await;
        (ended, process.watcher.remarks)
    }

    /// The newest run. This process is many at once here, and has other children: one that is
    /// about to start another program holds what its parent has open, the lock of a run, too.
    async fn open(&self, plan: &Plan) -> Run {
        let name = self.history().expect("a history").run;
        let began = Instant::now();
        loop {
            match self.runs().open(name.as_str(), plan, operator()) {
                Err(RunsError::Busy { .. }) if began.elapsed() < PATIENCE => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                opened => return opened.expect("a run"),
            }
        }
    }

    /// Leaves the newest run where it stands, as the program does, if nothing depends on it.
    pub(super) async fn abandon(&self, restarted: Restarted) -> Result<(), Error> {
        self.wake().await;
        let process = self.process(&Moments::undisturbed());
        let mut process = process.expect("a process");
        let mut run = self.open(&process.plan).await;
        let context = &mut process.context;
        rotation::refuse_abandoning(context, run.history(), restarted).await?;
        run.abandon().expect("a journal");
        rotation::tidy_services(context, run.history()).await?;
        self.settle().await;
        Ok(())
    }

    /// Looks, as the program does before a rollback, that it can come to its end.
    pub(super) async fn look_before_the_rollback(&self) -> Result<(), Error> {
        let process = self.process(&Moments::undisturbed());
        let mut context = process.expect("a process").context;
        let history = self.history().expect("a history");
        rotation::refuse_rollback(&mut context, &history).await
    }

    /// Brings a run that was stopped to this end, with nothing in its way any more.
    pub(super) async fn bring_to_its_end(&self, then: Then, start: &Seen, case: &str) {
        let nothing = Moments::undisturbed();
        let status = self.history().expect("a history").status;
        let is_there = match then {
            Then::Resume => status == RunStatus::Done,
            Then::RollBack => status == RunStatus::RolledBack,
        };
        if !is_there {
            let ended = self.carry_on(then, &nothing).await;
            ended.unwrap_or_else(|stopped| panic!("{case}: {stopped:?}"));
        }
        let (status, seen) = (self.history().expect("a history").status, self.see().await);
        let seen = seen.expect("a world");
        match then {
            Then::Resume => {
                assert_eq!(status, RunStatus::Done, "{case}");
                seen.expect_rotated_from(start, case);
            }
            Then::RollBack => {
                assert_eq!(status, RunStatus::RolledBack, "{case}");
                seen.expect_to_be(start, case);
            }
        }
        self.laws().expect("laws").hold(case).await;
    }
}
