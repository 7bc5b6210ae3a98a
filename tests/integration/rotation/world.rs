//! A world to rotate in: a folder with a `.env`, a store, a database and the journals.
//! Processes come and go; the folder stays.
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use diesel::prelude::*;
use diesel::sql_types::Text;
use platform::Platform;
use platform::local::{ServiceSettings, Settings};
use reencrypt::{Timeouts, sample};
use rotation::Error;
use rotation::dcr_encryption_key::Parameters;
use runbook::{History, RunStatus, Runs, Stopped};
use secret::{FernetKey, SecretValue};
use tempfile::TempDir;

use super::laws::Laws;
use super::moments::Moments;
use super::process::operator;
use super::seen::{SECRET, SERVICE, Seen, VARIABLE};

const CLIENTS: u64 = 30;

/// How a run ended.
pub(super) type Ended = Result<(), Stopped<Error>>;

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Resume,
    RollBack,
}

pub(super) const THEN: [Then; 2] = [Then::Resume, Then::RollBack];

pub(super) struct World {
    folder: TempDir,
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
    /// The key stands in `.env` alone.
    pub(super) async fn inline() -> Result<World> {
        let key = FernetKey::generate();
        let world = World::empty()?;
        let env = format!("A=1\n{VARIABLE}={}\nB=2\n", *key.to_text());
        fs::write(world.path(".env"), env)?;
        sample::create_sqlite(&world.path("service.db"), CLIENTS, &key).await?;
        Ok(world)
    }

    /// The key is the latest version, beside an older one.
    pub(super) async fn stored() -> Result<World> {
        let world = World::inline().await?;
        let store = world.platform()?.store;
        store
            .add(SECRET, &SecretValue::from(&FernetKey::generate()))
            .await?;
        let in_use = platform::local::variable(&world.path(".env"), VARIABLE)?;
        store.add(SECRET, &in_use).await?;
        Ok(world)
    }

    /// It was rotated before, so that the service is pinned.
    pub(super) async fn pinned() -> Result<World> {
        let world = World::inline().await?;
        world.begin(&Moments::undisturbed()).await?;
        Ok(world)
    }

    fn empty() -> Result<World> {
        let memory = Path::new("/dev/shm");
        let folder = match memory.is_dir() {
            true => TempDir::new_in(memory)?,
            false => TempDir::new()?,
        };
        Ok(World {
            folder,
            parameters: Parameters::default(),
            soak: Duration::ZERO,
            restarts: false,
            people: true,
            is_lawful: true,
            lock_timeout: Timeouts::default().lock,
            times: 1,
        })
    }

    /// Another world in the same state.
    pub(super) fn copy(&self) -> Result<World> {
        let copy = World::empty()?;
        copy_folder(self.folder.path(), copy.folder.path())?;
        Ok(World {
            folder: copy.folder,
            ..*self
        })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The platform, past everything that may be hit.
    pub(super) fn platform(&self) -> Result<Platform> {
        let script = format!("echo restarted >> '{}'", self.path("restarts").display());
        let words = ["sh", "-c", &script].map(str::to_owned).to_vec();
        let service = ServiceSettings {
            restart: self.restarts.then_some(words),
            ready: None,
            timeout: Duration::from_secs(20),
        };
        Ok(platform::local::platform(Settings {
            env_file: self.path(".env"),
            store: self.path("store"),
            services: BTreeMap::from([(SERVICE.to_owned(), service)]),
            sqlite: Some(self.path("service.db")),
        })?)
    }

    pub(super) fn laws(&self) -> Result<Laws> {
        Ok(Laws {
            folder: self.folder.path().to_owned(),
            platform: Rc::new(self.platform()?),
            are_kept: self.is_lawful,
        })
    }

    pub(super) async fn see(&self) -> Result<Seen> {
        Ok(self.laws()?.see().await)
    }

    pub(super) fn runs(&self) -> Runs {
        Runs::in_folder(self.path("state"))
    }

    /// What the newest journal tells.
    pub(super) fn history(&self) -> Result<History> {
        let newest = self.runs().list()?.into_iter().next();
        Ok(newest.expect("a run").history?)
    }

    /// A new process begins a run.
    pub(super) async fn begin(&self, moments: &Moments) -> Ended {
        let mut process = self.process(moments).expect("a process");
        let runs = self.runs();
        let run = runs.begin(&process.plan, "local", operator());
        process.forward(run.expect("a run")).await
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
        let mut process = self.process(moments).expect("a process");
        let name = self.history().expect("a history").run;
        let runs = self.runs();
        let run = runs.open(name.as_str(), &process.plan, operator());
        let run = run.expect("a run");
        let ended = match then {
            Then::Resume => process.forward(run).await,
            Then::RollBack => process.back(run).await,
        };
        (ended, process.watcher.remarks)
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

/// Registers a client as the service would, under a key.
pub(super) fn register(database: &Path, order_id: &str, key: &str) -> Result<()> {
    let path = database.to_string_lossy().into_owned();
    let token = fernet::Fernet::new(key)
        .expect("a key")
        .encrypt(order_id.as_bytes());
    let mut connection = SqliteConnection::establish(&path)?;
    let insert = "insert into dcr_clients (order_id, client_id, client_secret_encrypted,
        account_id, redirect_uris, grant_types, metadata) values (?, ?, ?, 'a', '[]', '[]', '{}')";
    diesel::sql_query(insert)
        .bind::<Text, _>(order_id)
        .bind::<Text, _>(order_id)
        .bind::<Text, _>(token)
        .execute(&mut connection)?;
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir(&to)?;
            fs::set_permissions(&to, entry.metadata()?.permissions())?;
            copy_folder(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), &to)?;
        }
    }
    Ok(())
}
