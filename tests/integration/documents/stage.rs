//! Where the commands of the documents are run: an installation for each kind of reader.
use std::any::Any;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use integration_tests::{Output, Program};
use tempfile::TempDir;

use super::repository::root;
use crate::google::doctor::installation::Installation as OnGoogle;
use crate::procedure::sandbox::CONTACTS;
use crate::roles::lab::Lab;
use crate::secrets::clients;
use crate::secrets::installation::BOTH;
use crate::subject::{Backend, OLD, Subject, key};

/// How long the old version stays, where a document says "a day".
pub(super) const SOAK_SECONDS: u64 = 2;

const CLIENTS: u64 = 10;

/// A shell in a folder, and what has to be there meanwhile.
pub(super) struct Stage {
    shell: Program,
    _held: Vec<Box<dyn Any>>,
}

impl Stage {
    /// The one that a document names; nothing where `gcloud` needn't be.
    pub(super) async fn named(name: &str) -> Result<Option<Stage>> {
        Ok(Some(match name {
            "repository" => Stage::repository()?,
            "table" => Stage::table().await?,
            "local" => {
                let database = Subject::with_clients(Backend::Sqlite, CLIENTS).await?;
                let url = format!("DATABASE_URL={}\n", database.url());
                Stage::local(&url, vec![Box::new(database)]).await?
            }
            "local-postgres" => {
                let [service, sessions] = [lab(true).await?, lab(false).await?];
                let [url, session_url] = [url_of(&service), url_of(&sessions)];
                let variables = format!("DATABASE_URL={url}\nSESSION_DATABASE_URL={session_url}\n");
                Stage::local(&variables, vec![Box::new([service, sessions])]).await?
            }
            "google-cloud" => return Stage::google_cloud().await,
            name => bail!("there is no stage `{name}`"),
        }))
    }

    /// Runs lines of a shell, in which `cargo xtask` is the program.
    pub(super) fn run(&self, script: &str) -> Output {
        let program = format!("'{}'", env!("CARGO_BIN_EXE_xtask-under-test"));
        let script = script.replace("cargo xtask", &program);
        let shell = self.shell.clone().timeout(Duration::from_secs(600));
        shell.args(["-c", &script]).run()
    }

    /// What the program takes for this repository.
    fn repository() -> Result<Stage> {
        let folder = TempDir::new()?;
        fs::create_dir(folder.path().join("xtask"))?;
        for file in ["Cargo.lock", "xtask/Cargo.toml"] {
            fs::write(folder.path().join(file), "")?;
        }
        symlink(root()?.join("docs"), folder.path().join("docs"))?;
        Ok(Stage::of(shell_in(folder.path()), vec![Box::new(folder)]))
    }

    /// A database and its key, and nothing else that is known.
    async fn table() -> Result<Stage> {
        let folder = TempDir::new()?;
        let database = Subject::with_clients(Backend::Postgres, CLIENTS).await?;
        write_private(folder.path(), "old.key", OLD)?;
        // Which is typed when it is asked for.
        let shell = shell_in(folder.path()).stdin(format!("{}\n", database.url()));
        Ok(Stage::of(shell, vec![Box::new(folder), Box::new(database)]))
    }

    /// A `.env` with every secret, and a command that restarts the services.
    async fn local(urls: &str, mut held: Vec<Box<dyn Any>>) -> Result<Stage> {
        let (issuer, installation) = clients::installation_with(BOTH).await?;
        let sandbox = &installation.sandbox;
        let key = key(OLD)?.to_text();
        let clients = clients::variables();
        sandbox.write_env(&format!("{clients}{urls}DCR_ENCRYPTION_KEY={}\n", *key))?;
        write_private(&sandbox.folder(), "issued-value", clients::NEW)?;
        let shell = shell_in(&sandbox.folder()).env("HOME", sandbox.home());
        let shell = installation.at_home(shell);
        held.push(Box::new((issuer, installation)));
        Ok(Stage::of(shell, held))
    }

    /// The service as it is deployed.
    async fn google_cloud() -> Result<Option<Stage>> {
        let service = lab(true).await?;
        let url = url_of(&service);
        let Some(installation) = OnGoogle::of(&url, Box::new(service)).await? else {
            return Ok(None);
        };
        let folder = installation.folder().to_owned();
        write_private(&folder, "issued-value", clients::NEW)?;
        for client in ["redhat-sso", "gma"] {
            let id = OnGoogle::value_of(&format!("{client}-client-id"));
            installation.issuer.accept(&id, clients::NEW);
        }
        let settings = folder.join("rotation.toml");
        let issuers = fs::read_to_string(&settings)?;
        let top = format!(
            "platform = \"google-cloud\"\nstate_dir = \"state\"\nsoak = \"{SOAK_SECONDS}s\"\n"
        );
        fs::write(settings, format!("{top}{issuers}{CONTACTS}"))?;
        let mut shell = shell_in(&folder);
        for (name, value) in installation.environment() {
            shell = shell.env(name, value);
        }
        Ok(Some(Stage::of(shell, vec![Box::new(installation)])))
    }

    fn of(shell: Program, held: Vec<Box<dyn Any>>) -> Stage {
        Stage { shell, _held: held }
    }
}

fn shell_in(folder: &Path) -> Program {
    Program::xtask("/bin/sh").current_dir(folder)
}

fn write_private(folder: &Path, name: &str, text: &str) -> Result<()> {
    let path = folder.join(name);
    fs::write(&path, text)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).context(name.to_owned())
}

/// A database whose role may make another.
async fn lab(has_clients: bool) -> Result<Lab> {
    let count = if has_clients { CLIENTS } else { 0 };
    match Subject::with_clients(Backend::Postgres, count).await? {
        Subject::Postgres(database) => Ok(Lab::of(database, "createrole").await),
        Subject::Sqlite(_) => bail!("another database"),
    }
}

fn url_of(lab: &Lab) -> String {
    lab.database.url_as(lab.first.name(), lab.first.password())
}
