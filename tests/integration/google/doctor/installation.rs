//! An installation as the service's own YAML makes it, and the program that examines it.
use std::any::Any;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use integration_tests::google::{GcloudConfig, Google};
use integration_tests::issuer::TestIssuer;
use integration_tests::{Output, Program};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::roles::lab::Lab;
use crate::subject::{Backend, OLD, Subject, key};

pub(super) const AGENT: &str = "lightspeed-agent";
pub(super) const HANDLER: &str = "marketplace-handler";

/// What the stand-in's values hold, so that one that is printed is found.
const VALUE: &str = "hunter2-";

const OF_AGENT: [(&str, &str); 5] = [
    ("RED_HAT_SSO_CLIENT_ID", "redhat-sso-client-id"),
    ("RED_HAT_SSO_CLIENT_SECRET", "redhat-sso-client-secret"),
    ("DATABASE_URL", "database-url"),
    ("SESSION_DATABASE_URL", "session-database-url"),
    ("REDIS_URL", "redis-url"),
];

const OF_HANDLER: [(&str, &str); 6] = [
    ("RED_HAT_SSO_CLIENT_SECRET", "redhat-sso-client-secret"),
    ("GMA_CLIENT_ID", "gma-client-id"),
    ("GMA_CLIENT_SECRET", "gma-client-secret"),
    ("DCR_ENCRYPTION_KEY", "dcr-encryption-key"),
    ("DATABASE_URL", "database-url"),
    ("REDIS_URL", "redis-url"),
];

pub(crate) struct Installation {
    pub(crate) google: Google,
    config: GcloudConfig,
    /// Who has issued both client secrets.
    pub(crate) issuer: TestIssuer,
    /// Its file goes with it.
    _database: Box<dyn Any>,
    /// The same of the session database, which is on a server.
    _sessions: Lab,
    folder: tempfile::TempDir,
}

impl Installation {
    /// One without a fault; nothing where `gcloud` needn't be.
    pub(super) async fn new() -> Result<Option<Installation>> {
        let database = Subject::with_clients(Backend::Sqlite, 10).await?;
        let url = database.url();
        Installation::of(&url, Box::new(database)).await
    }

    /// One whose service has another database.
    pub(crate) async fn of(url: &str, database: Box<dyn Any>) -> Result<Option<Installation>> {
        if !crate::google::has_gcloud() {
            return Ok(None);
        }
        let google = Google::start().await;
        let sessions = Lab::new().await?;
        let session_url = sessions
            .database
            .url_as(sessions.first.name(), sessions.first.password());
        {
            let mut world = google.world();
            for (_, secret) in OF_AGENT.into_iter().chain(OF_HANDLER) {
                let is_new = !world.secrets.secrets.contains_key(secret);
                let value = match secret {
                    "dcr-encryption-key" => key(OLD)?.to_text().to_string(),
                    "database-url" => url.to_owned(),
                    "session-database-url" => session_url.clone(),
                    other => Installation::value_of(other),
                };
                if is_new {
                    world.secrets.add(secret, value.as_bytes());
                }
            }
            world.run.create(AGENT, &OF_AGENT);
            world.run.create(HANDLER, &OF_HANDLER);
            world.sql.add("SUCCESSFUL", Timestamp::now());
        }
        let issuer = TestIssuer::start().await;
        for client in ["redhat-sso", "gma"] {
            let value = |of| Installation::value_of(&format!("{client}-client-{of}"));
            issuer.accept(&value("id"), &value("secret"));
        }
        let folder = tempfile::tempdir()?;
        let issuer_url = issuer.url();
        let issuers =
            format!("[issuers]\nred_hat_sso = \"{issuer_url}\"\ngma = \"{issuer_url}\"\n");
        std::fs::write(folder.path().join("rotation.toml"), issuers)?;
        Ok(Some(Installation {
            config: GcloudConfig::new(&google),
            google,
            issuer,
            _database: database,
            _sessions: sessions,
            folder,
        }))
    }

    /// What the store has for most of the names.
    pub(crate) fn value_of(name: &str) -> String {
        format!("{VALUE}{name}")
    }

    /// Runs the command, and looks that it changed nothing and printed no value.
    pub(super) fn doctor(&self, arguments: &[&str]) -> Result<Output> {
        self.doctor_with(arguments, &[])
    }

    /// The same with other variables; an empty one is not set.
    pub(super) fn doctor_with(
        &self,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<Output> {
        let output = self.program(arguments, variables).run();
        assert_eq!(self.google.changes(), Vec::<String>::new());
        let printed = format!("{}{}", output.stdout, output.stderr);
        let text = key(OLD)?.to_text();
        for value in [VALUE, "a-token", text.as_str()] {
            assert!(!printed.contains(value), "a value is printed");
            let world = self.google.world();
            let in_url = world.requests.iter().any(|one| one.target.contains(value));
            assert!(!in_url, "a value stands in a URL");
        }
        Ok(output)
    }

    /// The command, to be run.
    pub(super) fn program(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Program {
        let mut program = Program::xtask(env!("CARGO_BIN_EXE_xtask-under-test"))
            .arg("doctor")
            .args(["--platform", "google-cloud"])
            .args(arguments)
            .current_dir(self.folder.path())
            .timeout(Duration::from_secs(300));
        for (name, value) in self.environment() {
            program = program.env(name, value);
        }
        for (name, value) in variables {
            program = program.env(name, value);
        }
        program
    }

    /// The variables that the program is started with here.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let mut variables = self.config.environment();
        let (folder, authority) = (self.folder.path(), self.issuer.authority_pem());
        for (name, value) in [
            ("HOME", &*folder.to_string_lossy()),
            ("GOOGLE_CLOUD_PROJECT", "p1"),
            ("DB_INSTANCE_NAME", "db1"),
            ("SSL_CERT_FILE", &*authority.to_string_lossy()),
            // The issuer is no server of Google's.
            ("no_proxy", "localhost"),
            ("NO_PROXY", "localhost"),
        ] {
            variables.push((name.to_owned(), value.to_owned()));
        }
        variables
    }

    /// Where the program runs.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Changes what a service is told, and the revision that it serves with.
    pub(super) fn change_template(&self, service: &str, change: impl Fn(&mut Value)) {
        let mut world = self.google.world();
        let Some(state) = world.run.services.get_mut(service) else {
            return;
        };
        change(&mut state.spec["template"]["spec"]);
        for revision in &mut state.revisions {
            change(&mut revision.template["spec"]);
        }
    }

    /// Sends the traffic somewhere, as if it had always been there.
    pub(super) fn route(&self, service: &str, traffic: &Value) {
        let mut world = self.google.world();
        if let Some(state) = world.run.services.get_mut(service) {
            state.spec["traffic"] = traffic.clone();
            state.traffic = traffic.clone();
        }
    }

    /// Binds a variable of the handler to another version, or to no secret.
    pub(super) fn bind(&self, service: &str, variable: &str, to: &Value) {
        self.change_template(service, |spec| {
            let env = spec["containers"][0]["env"].as_array_mut();
            let mut ours = env.into_iter().flatten();
            if let Some(one) = ours.find(|one| one["name"] == variable) {
                *one = match to {
                    Value::String(value) => json!({"name": variable, "value": value}),
                    reference => {
                        json!({"name": variable, "valueFrom": {"secretKeyRef": reference}})
                    }
                };
            }
        });
    }
}
