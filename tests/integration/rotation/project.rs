//! A project of Google Cloud in place of the files: the real `gcloud`, and what the
//! stand-in knows.
use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use integration_tests::google::{self, GcloudConfig, Google, Hold, ServiceState};
use platform::google_cloud::{Settings, Timeouts};
use platform::{Bound, Platform, Revision, Service};
use rotation::{DCR_ENCRYPTION_KEY, Role, Secret};
use secret::VersionNumber;
use serde_json::Value;

use super::network::Case;

/// How long anything may take: on a machine with much else to do, a `gcloud` takes minutes.
const LIMIT: Duration = Duration::from_secs(600);

/// A project whose services read the latest version of the secret, as they are
/// installed.
pub(super) struct Project {
    google: Google,
    config: GcloudConfig,
    limit: Cell<Duration>,
}

/// What a project tells of a secret.
pub(super) struct Told {
    /// The value that each service reads.
    pub(super) env: String,
    /// What the services are told.
    pub(super) services: Vec<Value>,
    pub(super) versions: BTreeMap<u64, (String, String)>,
    pub(super) described: Vec<Service>,
    /// Who may call the services.
    pub(super) callers: String,
}

impl Project {
    /// One in which these are the secret's versions; nothing where `gcloud` needn't be.
    pub(super) async fn new(secret: Secret, values: &[&str]) -> Option<Project> {
        Project::of(&[(secret, values)]).await
    }

    /// The same of several secrets.
    pub(super) async fn of(secrets: &[(Secret, &[&str])]) -> Option<Project> {
        if !crate::google::has_gcloud() {
            return None;
        }
        let google = Google::start().await;
        {
            let mut world = google.world();
            world.run.pace = Duration::ZERO;
            world.sql.pace = Duration::ZERO;
            let mut readers: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
            for (secret, values) in secrets {
                for value in *values {
                    world.secrets.add(secret.store_name, value.as_bytes());
                }
                for service in services(*secret) {
                    let variables = readers.entry(service).or_default();
                    variables.push((secret.variable, secret.store_name));
                }
            }
            for (service, variables) in readers {
                world.run.create(service, &variables);
            }
        }
        Some(Project {
            config: GcloudConfig::new(&google),
            google,
            limit: Cell::new(LIMIT),
        })
    }

    /// With a login, by which each run of `gcloud` asks for a token.
    pub(super) fn logged_in(mut self) -> Project {
        self.config = self.config.logged_in();
        self
    }

    /// Adds a secret that the services read, too.
    pub(super) fn add(&self, secret: &str, value: &str) {
        self.google.world().secrets.add(secret, value.as_bytes());
    }

    pub(super) fn copy(&self) -> Project {
        let google = self.google.copy();
        Project {
            config: GcloudConfig::new(&google),
            google,
            limit: Cell::new(LIMIT),
        }
    }

    /// Has a request wait.
    pub(super) fn hold(&self, hold: Hold) -> Hold {
        self.google.world().holds.push(hold.clone());
        hold
    }

    /// The servers.
    pub(super) fn google(&self) -> Google {
        self.google.clone()
    }

    /// Runs a `gcloud` that was told of, as somebody types it.
    pub(super) fn paste(&self, command: &str) -> Result<()> {
        let words = command.split(' ').skip(1);
        let output = self.config.command().args(words).output()?;
        ensure!(output.status.success(), "{command}: {output:?}");
        Ok(())
    }

    /// Every request so far: its method and its target.
    pub(super) fn asked(&self) -> Vec<(String, String)> {
        let world = self.google.world();
        let requests = world.requests.iter();
        requests
            .map(|one| (one.method.clone(), one.target.clone()))
            .collect()
    }

    /// Has a request meet with trouble.
    pub(super) fn disturb(&self, case: &Case) {
        self.limit.set(case.limit());
        self.google.fault(case.fault());
    }

    /// Has nothing go wrong any more; tells whether anything did.
    pub(super) fn mend(&self) -> bool {
        self.limit.set(LIMIT);
        let mut world = self.google.world();
        world.faults.clear();
        world.strikes > 0
    }

    /// The platform over the real `gcloud`, past everything that may be hit.
    pub(super) fn platform(&self, secret: Secret) -> Result<Platform> {
        let is_key = secret == DCR_ENCRYPTION_KEY;
        let limit = self.limit.get();
        Ok(platform::google_cloud::platform(Settings {
            project: google::PROJECT.to_owned(),
            region: google::REGION.to_owned(),
            instance: is_key.then(|| google::INSTANCE.to_owned()),
            gcloud: "gcloud".into(),
            timeouts: Timeouts {
                call: limit,
                ready: limit,
                traffic: limit,
                backup: limit,
                poll: Duration::from_millis(5),
            },
            environment: self.config.environment(),
        })?)
    }

    /// What it tells of a secret, without asking it anything.
    pub(super) fn tell(&self, secret: Secret) -> Result<Told> {
        let mut world = self.google.world();
        world.run.settle();
        let versions = world.secrets.secrets[secret.store_name].iter();
        let versions: BTreeMap<_, _> = (1..)
            .zip(versions.map(|version| {
                let value = String::from_utf8_lossy(&version.value).into_owned();
                (version.state.to_lowercase(), value)
            }))
            .collect();
        let mut told = Told {
            env: String::new(),
            services: Vec::new(),
            versions,
            described: Vec::new(),
            callers: String::new(),
        };
        for name in services(secret) {
            let service = &world.run.services[name];
            let described = describe(service, secret.variable)?;
            let number = match described.bound {
                Bound::Pinned(number) => Some(number.get()),
                _ => told.versions.keys().next_back().copied(),
            };
            let number = number.context("a version")?;
            let (_, value) = told.versions.get(&number).context("the version")?;
            told.env += &format!("{}={value}\n", secret.variable);
            told.callers += &format!("{name}: {:?}\n", service.policy.bindings);
            told.services.push(service.told());
            told.described.push(described);
        }
        Ok(told)
    }
}

fn services(secret: Secret) -> impl Iterator<Item = &'static str> {
    secret.readers.iter().copied().map(Role::default_service)
}

fn describe(service: &ServiceState, variable: &str) -> Result<Service> {
    let bound = |revision: &str| {
        let key = service.key(revision, variable).context("a reference")?;
        if key == "latest" {
            return Ok(Bound::Latest);
        }
        let number = VersionNumber::new(key.parse()?).context("a number")?;
        anyhow::Ok(Bound::Pinned(number))
    };
    let serving = service.serving().context("a revision that serves")?;
    let revision = |name: &str| {
        anyhow::Ok(Revision {
            name: name.to_owned(),
            bound: bound(name)?,
        })
    };
    Ok(Service {
        serving: serving.to_owned(),
        bound: bound(serving)?,
        ready: service.is_ready(),
        is_unsettled: false,
        revisions: service
            .reachable()
            .into_iter()
            .map(revision)
            .collect::<Result<_>>()?,
    })
}
