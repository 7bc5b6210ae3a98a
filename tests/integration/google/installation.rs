//! An installation whose secret is rotated on Google Cloud, by the program and the
//! real `gcloud`: what it does, and that no value comes to light meanwhile.
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use integration_tests::google::{GcloudConfig, Google};
use integration_tests::{Output, Program};
use secret::python_base64;
use serde_json::Value;

use super::watch::Watch;
use crate::procedure::tree::Tree;

pub(crate) const AGENT: &str = "lightspeed-agent";
pub(crate) const HANDLER: &str = "marketplace-handler";

/// The secret that is rotated.
#[derive(Clone, Copy)]
pub(crate) struct Subject {
    pub(crate) secret: &'static str,
    pub(crate) variable: &'static str,
    pub(crate) services: &'static [&'static str],
}

/// Services that read the latest version of one secret, and a folder to rotate it from.
pub(crate) struct Installation {
    pub(crate) google: Google,
    pub(crate) config: GcloudConfig,
    subject: Subject,
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
    /// Values that are in no version.
    others: Vec<String>,
}

impl Installation {
    /// With one version; nothing where `gcloud` needn't be.
    pub(crate) async fn new(subject: Subject, value: &str) -> Result<Option<Installation>> {
        if !super::has_gcloud() {
            return Ok(None);
        }
        let google = Google::start().await;
        {
            let mut world = google.world();
            world.secrets.add(subject.secret, value.as_bytes());
            for service in subject.services {
                let variables = [(subject.variable, subject.secret)];
                world.run.create(service, &variables);
            }
        }
        let installation = Installation {
            config: GcloudConfig::new(&google),
            google,
            subject,
            folder: tempfile::tempdir()?,
            variables: Vec::new(),
            others: Vec::new(),
        };
        Ok(Some(installation.set("")?))
    }

    /// Adds to the settings.
    pub(crate) fn set(self, more: &str) -> Result<Installation> {
        let settings =
            "platform = \"google-cloud\"\nstate_dir = \"state\"\nannounce = false\nsoak = \"0s\"\n";
        self.write("rotation.toml", &format!("{settings}{more}"))?;
        Ok(self)
    }

    /// Has a rotation wait between its cutover and the end of the old version.
    pub(crate) fn soaking(self, soak: Duration) -> Result<Installation> {
        let path = self.folder.path().join("rotation.toml");
        let settings = std::fs::read_to_string(path)?;
        let soak = format!("soak = \"{}s\"", soak.as_secs());
        self.write("rotation.toml", &settings.replace("soak = \"0s\"", &soak))?;
        Ok(self)
    }

    /// Sets a variable for the program.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Installation {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Writes a file with a value that may come to light no more than the versions may.
    pub(crate) fn hide(&mut self, name: &str, value: &str) -> Result<()> {
        self.others.push(value.to_owned());
        self.write(name, value)
    }

    /// The folder that the program runs in.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        Ok(std::fs::write(self.folder.path().join(name), text)?)
    }

    /// Runs the program, and looks that no value came to light.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Output> {
        let running = self.program(arguments).spawn();
        let watch = Watch::children_of(running.pid());
        let output = running.wait();
        let seen = watch.end();
        self.refuse_value_in("a child's arguments or environment", &seen);
        self.refuse_values(&output)?;
        Ok(output)
    }

    /// The program with arguments, in this folder.
    pub(crate) fn program(&self, arguments: &[&str]) -> Program {
        let mut program = Program::xtask(env!("CARGO_BIN_EXE_xtask-under-test"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("GOOGLE_CLOUD_PROJECT", "p1")
            .env("DB_INSTANCE_NAME", "db1")
            .timeout(Duration::from_secs(600));
        for (name, value) in self.config.environment().iter().chain(&self.variables) {
            program = program.env(name, value);
        }
        program
    }

    /// Looks that no value came to light by a run of the program.
    pub(crate) fn refuse_values(&self, output: &Output) -> Result<()> {
        let printed = format!("{}{}", output.stdout, output.stderr);
        self.refuse_value_in("what was printed", &printed);
        let world = self.google.world();
        let targets = world.requests.iter().map(|one| one.target.as_str());
        let targets: String = targets.collect();
        drop(world);
        self.refuse_value_in("a URL", &targets);
        self.refuse_value_under("gcloud's own folder", self.config.folder())?;
        let state = self.folder.path().join("state");
        if state.exists() {
            self.refuse_value_under("the journals", &state)?;
        }
        Ok(())
    }

    fn refuse_value_in(&self, place: &str, text: &str) {
        for part in self.telling() {
            assert!(!text.contains(&part), "a value is in {place}");
        }
    }

    fn refuse_value_under(&self, place: &str, folder: &Path) -> Result<()> {
        let tree = Tree::read(folder)?;
        for part in self.telling() {
            let files = tree.holding(&part);
            assert!(files.is_empty(), "a value is in {place}: {files:?}");
        }
        Ok(())
    }

    /// What must come to light nowhere: the values, their passwords, and both as they
    /// are sent.
    pub(super) fn telling(&self) -> Vec<String> {
        let mut plain = self.values();
        // What was destroyed.
        plain.retain(|value| !value.is_empty());
        plain.extend(self.others.iter().cloned());
        let password = |value: &String| {
            let login = value.rsplit_once('@')?.0;
            Some(login.rsplit_once(':')?.1.to_owned())
        };
        plain.extend(plain.iter().filter_map(password).collect::<Vec<_>>());
        let encoded = plain
            .iter()
            .map(|one| python_base64::encode(one.as_bytes()));
        let encoded: Vec<String> = encoded.map(|one| one.to_string()).collect();
        plain.into_iter().chain(encoded).collect()
    }

    /// The values of all versions, the first one first.
    pub(crate) fn values(&self) -> Vec<String> {
        let world = self.google.world();
        let versions = world.secrets.secrets[self.subject.secret].iter();
        versions
            .map(|version| String::from_utf8_lossy(&version.value).into_owned())
            .collect()
    }

    /// The states of all versions, the first one first.
    pub(crate) fn states(&self) -> Vec<&'static str> {
        self.google.world().secrets.states(self.subject.secret)
    }

    /// What the template of each service says of the secret's version.
    pub(crate) fn bound(&self) -> Result<Vec<String>> {
        let world = self.google.world();
        let bound = |service: &&str| {
            let key = world.run.services[*service].next_key(self.subject.variable);
            Ok(key.context("a version")?.to_owned())
        };
        self.subject.services.iter().map(bound).collect()
    }

    /// What each service is told.
    pub(crate) fn told(&self) -> Vec<Value> {
        let world = self.google.world();
        let services = self.subject.services.iter();
        services
            .map(|service| world.run.services[*service].told())
            .collect()
    }

    /// The name of the run that was begun last.
    pub(crate) fn run_name(&self) -> Result<String> {
        let folder = self.folder.path().join("state/runs");
        let names = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name()));
        let names: Result<Vec<_>> = names.collect();
        let last = names?.into_iter().max().context("a run")?;
        Ok(last.to_string_lossy().into_owned())
    }
}
