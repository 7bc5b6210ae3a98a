//! A secret, where it is rotated, and what depends on it.
use anyhow::{Context as _, Result, ensure};
use integration_tests::{Output, PostgresServer, Program};
use rotation::Secret;
use serde_json::Value;

use super::beside::{Beside, Plaintexts};
use super::case::{On, Rotated};
use super::installed::{VALUES, installed};
use super::place::Place;
use crate::procedure::lab::next_commands;

/// The file with the value that was issued.
const ISSUED: &str = "issued";

pub(super) struct Scene {
    rotated: Rotated,
    is_in_place: bool,
    pub(super) place: Place,
    pub(super) beside: Beside,
    start: Start,
}

/// How it was before the run.
#[derive(Default)]
struct Start {
    in_use: String,
    told: Vec<Value>,
    plaintexts: Plaintexts,
}

impl Scene {
    /// Nothing where `gcloud` needn't be.
    pub(super) async fn new(
        rotated: Rotated,
        on: On,
        is_in_place: bool,
        server: &'static PostgresServer,
    ) -> Result<Option<Scene>> {
        let Some((mut place, beside)) = installed(rotated, on, server).await? else {
            return Ok(None);
        };
        if let Beside::Client(_) = beside {
            place.hide(ISSUED, VALUES[1])?;
        }
        let mut scene = Scene {
            rotated,
            is_in_place,
            place,
            beside,
            start: Start::default(),
        };
        scene.begin_anew().await?;
        Ok(Some(scene))
    }

    /// What there is now is how it was before the run.
    async fn begin_anew(&mut self) -> Result<()> {
        let in_use = self.place.in_use(self.secret())?;
        self.start = Start {
            plaintexts: self.beside.plaintexts(&[&in_use]).await?,
            told: self.place.told(self.secret())?,
            in_use,
        };
        Ok(())
    }

    fn secret(&self) -> Secret {
        self.rotated.secret()
    }

    /// The command that is to be struck.
    pub(super) fn rotation(&self) -> Result<Program> {
        let name = self.secret().name;
        let begin = match (&self.beside, self.is_in_place) {
            (Beside::TokensIn(_) | Beside::TokensOf(_), _) => vec!["rotate-dcr"],
            (Beside::Client(_), _) => vec!["rotate-secret", name, "--value-file", ISSUED],
            (Beside::Login(_), true) => vec!["rotate-secret", name, "--in-place"],
            (Beside::Login(_), false) => vec!["rotate-secret", name],
        };
        let begin = self.place.program(&begin);
        let backup_is_by_people =
            matches!(self.place, Place::Local(_)) && self.rotated == Rotated::KeyOnPostgres;
        if !backup_is_by_people {
            return Ok(begin);
        }
        let output = self.run(&begin)?;
        ensure!(output.code == Some(3), "{output:#?}");
        let next = next_commands(&self.status()?);
        Ok(self.typed(next.first().context("no command")?))
    }

    /// A line that was printed, to be typed. It has no quotes here.
    pub(super) fn typed(&self, line: &str) -> Program {
        let words: Vec<&str> = line.split_whitespace().skip(2).collect();
        self.place.program(&words)
    }

    /// The same with the value, which has to be given again until it is stored.
    pub(super) fn typed_with_value(&self, line: &str) -> Program {
        self.typed(&format!("{line} --value-file {ISSUED}"))
    }

    pub(super) fn run(&self, program: &Program) -> Result<Output> {
        let output = program.run();
        self.place.refuse_values(&output)?;
        Ok(output)
    }

    pub(super) fn status(&self) -> Result<Output> {
        let status = self.run(&self.place.program(&["status"]))?;
        // It exits with 1 where it can't tell everything: this project lacks the other secrets.
        let is_whole = matches!(self.place, Place::Local(_));
        let is_told = status.code == Some(0) || status.code == Some(1) && !is_whole;
        ensure!(is_told, "{status:#?}");
        Ok(status)
    }

    /// No key is lost that any token needs, and services can do their work.
    pub(super) async fn expect_nothing_lost(&self) -> Result<()> {
        let versions = self.place.versions(self.secret())?;
        let in_use = self.place.in_use(self.secret())?;
        let values = versions.iter().map(|version| version.value.as_str());
        let values: Vec<&str> = values.chain([in_use.as_str()]).collect();
        let plaintexts = self.beside.plaintexts(&values).await?;
        ensure!(plaintexts == self.start.plaintexts, "tokens are lost");
        let mut served = self.place.served(self.secret())?;
        if served.is_empty() {
            served.push(self.start.in_use.clone());
        }
        for value in served.iter().filter(|_| !self.is_in_place) {
            self.beside.expect_good(value).await.context("served")?;
        }
        Ok(())
    }

    /// As after a run that nothing disturbed.
    pub(super) async fn expect_rotated(&self) -> Result<()> {
        let in_use = self.expect_sound().await?;
        ensure!(in_use != self.start.in_use, "the old value is in use");
        let versions = self.place.versions(self.secret())?;
        let latest = versions.last().context("no version")?;
        ensure!(
            latest.is_enabled && latest.value == in_use,
            "the latest version isn't in use"
        );
        Ok(())
    }

    /// As before the run.
    pub(super) async fn expect_undone(&self) -> Result<()> {
        let in_use = self.expect_sound().await?;
        ensure!(in_use == self.start.in_use, "another value is in use");
        let told = self.place.told(self.secret())?;
        // A `.env` has values, so it isn't shown.
        let shown = match self.place {
            Place::Local(_) => String::new(),
            Place::Google(_) => format!(": {told:?}, and at first: {:?}", self.start.told),
        };
        ensure!(
            told == self.start.told,
            "services are told otherwise{shown}"
        );
        Ok(())
    }

    /// Whether the value of the start is in use.
    pub(super) fn is_as_before(&self) -> Result<bool> {
        Ok(self.place.in_use(self.secret())? == self.start.in_use)
    }

    /// What holds at either end. Gives the value in use.
    async fn expect_sound(&self) -> Result<String> {
        let in_use = self.place.in_use(self.secret())?;
        for served in self.place.served(self.secret())? {
            ensure!(served == in_use, "a service runs with another value");
        }
        let plaintexts = self.beside.plaintexts(&[&in_use]).await?;
        ensure!(plaintexts == self.start.plaintexts, "tokens are lost");
        let versions = self.place.versions(self.secret())?;
        for version in &versions {
            let (number, is_in_use) = (version.number, version.value == in_use);
            ensure!(
                is_in_use || !version.is_enabled,
                "version {number} is enabled"
            );
        }
        let is_stored =
            |version: &super::place::Version| version.is_enabled && version.value == in_use;
        // A run that was undone before it stored anything leaves no store.
        ensure!(
            versions.is_empty() || versions.iter().any(is_stored),
            "the value in use is no enabled version"
        );
        self.beside.expect_good(&in_use).await?;
        self.beside.expect_alone(&in_use, &versions).await?;
        let status = self.status()?;
        ensure!(next_commands(&status).is_empty(), "unfinished: {status:#?}");
        Ok(in_use)
    }

    /// The next rotation works, whatever was left behind.
    pub(super) async fn rotate_again(&mut self) -> Result<()> {
        self.begin_anew().await?;
        if let Beside::Client(_) = self.beside {
            self.place.hide(ISSUED, VALUES[2])?;
        }
        let output = self.run(&self.rotation()?)?;
        ensure!(output.code == Some(0), "{output:#?}");
        self.expect_rotated().await
    }
}
