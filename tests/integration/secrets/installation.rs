//! A folder with what an installation on one machine has, and the program run in it.
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use integration_tests::issuer::TestIssuer;
use integration_tests::{Output, Program};
use platform::database_roles::other_role;
use secret::DatabaseUrl;

use crate::procedure::lab::{json, next_commands};
use crate::procedure::sandbox::{Sandbox, Stored, assert_none_in};

/// Both services are restarted by a script, which a file named `broken` makes fail. What a
/// service finds in the `.env` is in `running` from then on.
pub(crate) const BOTH: &str = "[local.agent]\nrestart = [\"sh\", \"restart.sh\", \"agent\"]\n\
                               [local.handler]\nrestart = [\"sh\", \"restart.sh\", \"handler\"]\n";

const RESTART: &str = "cp .env running.$1 && mv running.$1 running && echo $1 >> restarts\n\
                       test ! -e broken\n";

/// An installation of a test's own.
pub(crate) struct Installation {
    pub(crate) sandbox: Sandbox,
    /// What the program finds in its environment.
    environment: Vec<(&'static str, PathBuf)>,
    /// What stands in no output, beside what is in the `.env` and in the store.
    secrets: Vec<String>,
}

impl Installation {
    /// With these variables in the `.env`, and these tables in the settings.
    pub(crate) fn new(variables: &str, tables: &str) -> Result<Installation> {
        let sandbox = Sandbox::empty()?;
        sandbox.write_env(&format!("LOG_LEVEL=INFO\n{variables}"))?;
        sandbox.write("restart.sh", RESTART)?;
        sandbox.settings("", tables)?;
        Ok(Installation {
            sandbox,
            environment: Vec::new(),
            secrets: Vec::new(),
        })
    }

    /// One whose client secrets an issuer has issued.
    pub(crate) fn of_issuer(
        issuer: &TestIssuer,
        variables: &str,
        tables: &str,
    ) -> Result<Installation> {
        let tables = format!("{tables}{}", issuers(issuer));
        let mut installation = Installation::new(variables, &tables)?;
        let authority = issuer.authority_pem();
        installation.environment.push(("SSL_CERT_FILE", authority));
        Ok(installation)
    }

    /// Looks for this in every output from now on.
    pub(crate) fn keeps_secret(&mut self, secret: &str) {
        self.secrets.push(secret.to_owned());
    }

    /// The program with arguments, in this folder.
    pub(crate) fn program(&self, arguments: &[&str]) -> Program {
        self.at_home(self.sandbox.program(arguments))
    }

    /// With this installation's environment.
    pub(crate) fn at_home(&self, program: Program) -> Program {
        let variables = self.environment.iter();
        variables.fold(program, |program, (name, value)| program.env(name, value))
    }

    /// Runs the program to its end, and looks that it printed no secret.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Output> {
        self.checked(&self.program(arguments))
    }

    /// Runs what was copied from a message or from `status`, likewise.
    pub(crate) fn pasted(&self, line: &str) -> Result<Output> {
        self.checked(&self.at_home(self.sandbox.shell(line)))
    }

    pub(crate) fn checked(&self, program: &Program) -> Result<Output> {
        let before = self.secrets()?;
        let output = program.run();
        assert_none_in(&output, &before);
        assert_none_in(&output, &self.secrets()?);
        Ok(output)
    }

    /// Everything that is secret now: in the `.env`, in the store, and what follows from it.
    pub(crate) fn secrets(&self) -> Result<Vec<String>> {
        let mut values = self.secrets.clone();
        for name in self.sandbox.tree()?.names() {
            if name == ".env" {
                values.extend(self.secret_variables()?);
            } else if name.ends_with(".value") {
                values.extend(self.sandbox.read(&name).ok());
            }
        }
        let parts = values.iter().map(|value| secret_parts(value));
        Ok(parts.collect::<Result<Vec<_>>>()?.concat())
    }

    fn secret_variables(&self) -> Result<Vec<String>> {
        let text = self.sandbox.read(".env")?;
        let variables = text.lines().filter_map(|line| line.split_once('='));
        let secret =
            variables.filter(|(name, _)| name.ends_with("SECRET") || name.ends_with("URL"));
        let secret = secret.filter(|(_, value)| !value.is_empty());
        Ok(secret.map(|(_, value)| value.to_owned()).collect())
    }

    /// What the `.env` has for a variable.
    pub(crate) fn variable(&self, name: &str) -> Result<String> {
        variable_in(&self.sandbox.read(".env")?, name)
    }

    /// What a service that was restarted has for a variable.
    pub(crate) fn served(&self, name: &str) -> Result<String> {
        variable_in(&self.sandbox.read("running")?, name)
    }

    /// Which services were restarted, in this order.
    pub(crate) fn restarts(&self) -> Vec<String> {
        let log = self.sandbox.read("restarts").unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    /// The versions that the store has, the oldest first.
    pub(crate) fn stored(&self, secret: &str) -> Result<Vec<Stored>> {
        self.sandbox.stored_as(&format!(".rotation/{secret}"))
    }

    /// Their states.
    pub(crate) fn states(&self, secret: &str) -> Result<Vec<String>> {
        let stored = self.stored(secret)?.into_iter();
        Ok(stored.map(|version| version.state).collect())
    }

    /// The run that was begun last.
    pub(crate) fn last_run(&self) -> Result<String> {
        self.sandbox.runs()?.pop().context("no run")
    }

    /// The commands that `status` names for what isn't at its end.
    pub(crate) fn next_commands(&self) -> Result<Vec<String>> {
        Ok(next_commands(&self.run(&["status"])?))
    }

    /// No run is unfinished, as `status` tells scripts.
    pub(crate) fn expect_nothing_unfinished(&self) -> Result<()> {
        let status = json(&self.run(&["status", "--format", "json"])?)?;
        for run in status["runs"].as_array().context("runs")? {
            ensure!(run["is_unfinished"] == false, "{run}");
        }
        Ok(())
    }

    /// The text of both streams for a snapshot, without what differs from run to run.
    pub(crate) fn streams(&self, output: &Output) -> Result<String> {
        let code = output.code.context("an exit code")?;
        let (stdout, stderr) = (&output.stdout, &output.stderr);
        self.sandbox.hidden(&format!(
            "exit code {code}\n--- stdout\n{stdout}--- stderr\n{stderr}"
        ))
    }

    /// Nothing but journals, reports and the store's own notes about runs has changed since.
    pub(crate) fn expect_as_before(&self, before: &crate::procedure::tree::Tree) -> Result<()> {
        let mut differences = before.differences(&self.sandbox.tree()?);
        differences.retain(|name| !is_of_runs(name));
        ensure!(differences.is_empty(), "{differences:?}");
        Ok(())
    }
}

/// The journals, and how others find them from the store.
fn is_of_runs(name: &str) -> bool {
    name.starts_with("state/")
        || name == ".rotation/"
        || name.starts_with(".rotation/runs")
        || name == ".rotation/.gitignore"
        || name == ".rotation/lock"
}

fn issuers(issuer: &TestIssuer) -> String {
    let url = issuer.url();
    format!("[issuers]\nred_hat_sso = \"{url}\"\ngma = \"{url}\"\n")
}

fn variable_in(text: &str, name: &str) -> Result<String> {
    let mut values = text.lines().filter_map(|line| {
        let (found, value) = line.split_once('=')?;
        (found == name).then_some(value)
    });
    Ok(values.next().with_context(|| name.to_owned())?.to_owned())
}

/// The value itself; of a database URL its password, as it is and as it is written, and that
/// of the role that is idle while the URL is in use.
fn secret_parts(value: &str) -> Result<Vec<String>> {
    if !value.contains("://") {
        return Ok(vec![value.to_owned()]);
    }
    let url = DatabaseUrl::parse(value)?;
    let mut parts = Vec::new();
    if let (Ok(user), Ok(_)) = (url.user(), url.password()) {
        parts.extend(passwords(&url));
        parts.extend(passwords(&url.for_idle(&other_role(user))?));
    }
    Ok(parts)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test looks for the password in what was printed"
)]
fn passwords(url: &DatabaseUrl) -> Vec<String> {
    use secrecy::ExposeSecret as _;
    let text = url.expose_secret();
    let written = text.split_once("://").and_then(|(_, rest)| {
        let (login, _) = rest.rsplit_once('@')?;
        Some(login.split_once(':')?.1.to_owned())
    });
    let decoded = url.password().ok();
    let decoded = decoded.map(|password| password.expose_secret().to_owned());
    written.into_iter().chain(decoded).collect()
}
