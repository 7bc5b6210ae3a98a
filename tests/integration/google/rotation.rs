//! The whole rotation of the DCR key on Google Cloud, by the program and the real
//! `gcloud`; the table is in an SQLite file here.
use std::time::Duration;

use anyhow::{Context as _, Result};
use integration_tests::google::{Fate, GcloudConfig, Google, require_gcloud};
use integration_tests::{Output, Program};
use serde_json::Value;

use super::lab::{INSTALLED, SECRET};
use crate::subject::{Backend, OLD, Row, Subject, key};

struct Installation {
    google: Google,
    config: GcloudConfig,
    database: Subject,
    folder: tempfile::TempDir,
}

impl Installation {
    /// With a few clients; nothing where `gcloud` needn't be.
    async fn new() -> Result<Option<Installation>> {
        if require_gcloud().is_none() {
            return Ok(None);
        }
        let google = Google::start().await;
        google
            .world()
            .secrets
            .add(SECRET, key(OLD)?.to_text().as_bytes());
        let variables = [("DCR_ENCRYPTION_KEY", SECRET)];
        google.world().run.create(INSTALLED, &variables);
        Ok(Some(Installation {
            config: GcloudConfig::new(&google),
            google,
            database: Subject::with_clients(Backend::Sqlite, 10).await?,
            folder: tempfile::tempdir()?,
        }))
    }

    fn run(&self, arguments: &[&str]) -> Result<Output> {
        let settings =
            "platform = \"google-cloud\"\nstate_dir = \"state\"\nannounce = false\nsoak = \"0s\"\n";
        std::fs::write(self.folder.path().join("rotation.toml"), settings)?;
        let mut program = Program::xtask(env!("CARGO_BIN_EXE_xtask-under-test"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("DATABASE_URL", self.database.url())
            .env("GOOGLE_CLOUD_PROJECT", "p1")
            .env("DB_INSTANCE_NAME", "db1")
            .timeout(Duration::from_secs(600));
        for (name, value) in self.config.environment() {
            program = program.env(name, value);
        }
        let output = program.run();
        for value in self.values() {
            let printed = format!("{}{}", output.stdout, output.stderr);
            assert!(!printed.contains(&value), "a key is printed");
            let world = self.google.world();
            let in_url = world.requests.iter().any(|one| one.target.contains(&value));
            assert!(!in_url, "a key stands in a URL");
        }
        Ok(output)
    }

    /// The values of all versions.
    fn values(&self) -> Vec<String> {
        let world = self.google.world();
        let versions = &world.secrets.secrets[SECRET];
        let text = |value: &Vec<u8>| String::from_utf8_lossy(value).into_owned();
        versions
            .iter()
            .map(|version| text(&version.value))
            .collect()
    }

    fn states(&self) -> Vec<&'static str> {
        self.google.world().secrets.states(SECRET)
    }

    /// What the template says of the key's version.
    fn bound(&self) -> Result<String> {
        let spec = self.google.world().run.services[INSTALLED].spec.clone();
        let env = spec["template"]["spec"]["containers"][0]["env"].clone();
        let variables = env.as_array().context("variables")?;
        let ours = |variable: &&Value| variable["name"] == "DCR_ENCRYPTION_KEY";
        let found = variables.iter().find(ours).context("the variable")?;
        let version = found["valueFrom"]["secretKeyRef"]["key"].as_str();
        Ok(version.context("a version")?.to_owned())
    }

    async fn opened(&self, key: &str) -> Result<usize> {
        let of_row = |row: &Row| row.opened(key).iter().flatten().count();
        Ok(self.database.rows().await?.iter().map(of_row).sum())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_rotates_and_is_rolled_back() -> Result<()> {
    let Some(installation) = Installation::new().await? else {
        return Ok(());
    };
    let tokens = installation.opened(OLD).await?;
    let rotated = installation.run(&["rotate-dcr"])?;
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    let new = installation.values()[1].clone();
    assert_eq!(installation.states(), ["DISABLED", "ENABLED"]);
    assert_eq!(installation.bound()?, "2");
    assert_eq!(installation.opened(&new).await?, tokens);

    let names = std::fs::read_dir(installation.folder.path().join("state/runs"))?;
    let run = names.last().context("a run")??.file_name();
    let run = run.to_string_lossy();
    let back = installation.run(&["rollback", &run])?;
    assert_eq!(back.code, Some(0), "{back:?}");
    // The old value is the latest version again, and the service reads the latest.
    assert_eq!(installation.states(), ["ENABLED", "DISABLED", "ENABLED"]);
    let values = installation.values();
    assert_eq!(values[2], values[0]);
    assert_eq!(installation.bound()?, "latest");
    assert_eq!(installation.opened(OLD).await?, tokens);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_that_fails_is_undone() -> Result<()> {
    let Some(installation) = Installation::new().await? else {
        return Ok(());
    };
    let tokens = installation.opened(OLD).await?;
    installation.google.world().run.fate = Fate::Failed("it does not start".to_owned());
    let failed = installation.run(&["rotate-dcr", "--rollback-on-failure"])?;
    assert!(failed.stderr.contains(INSTALLED), "{failed:?}");
    assert!(matches!(failed.code, Some(4 | 5)), "{failed:?}");
    if failed.code == Some(5) {
        // What undoes it needs a revision, too.
        installation.google.world().run.fate = Fate::Ready;
        let back = installation.run(&["rollback"])?;
        assert_eq!(back.code, Some(0), "{back:?}");
    }
    assert_eq!(installation.bound()?, "latest");
    assert_eq!(installation.opened(OLD).await?, tokens);
    Ok(())
}
