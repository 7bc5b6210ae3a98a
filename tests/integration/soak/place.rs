//! Where a secret is rotated: a folder on this machine, or a project of Google Cloud.
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use integration_tests::{Output, Program};
use rotation::{Role, Secret};
use serde_json::Value;

use crate::google::installation as google;
use crate::procedure::sandbox::assert_none_in;
use crate::secrets::installation as local;

pub(super) enum Place {
    Local(local::Installation),
    Google(google::Installation),
}

/// A version of the store's.
pub(super) struct Version {
    pub(super) number: u64,
    pub(super) is_enabled: bool,
    /// Empty once it is destroyed.
    pub(super) value: String,
}

impl Place {
    /// The program with arguments, in the folder from which the secret is rotated.
    pub(super) fn program(&self, arguments: &[&str]) -> Program {
        match self {
            Place::Local(installation) => installation.program(arguments),
            Place::Google(installation) => installation.program(arguments),
        }
    }

    /// That folder.
    pub(super) fn folder(&self) -> PathBuf {
        match self {
            Place::Local(installation) => installation.sandbox.folder(),
            Place::Google(installation) => installation.folder().to_owned(),
        }
    }

    /// Writes a file with a value there, and looks for it in every output from now on.
    pub(super) fn hide(&mut self, name: &str, value: &str) -> Result<()> {
        match self {
            Place::Local(installation) => {
                installation.keeps_secret(value);
                installation.sandbox.write(name, value)?;
            }
            Place::Google(installation) => installation.hide(name, value)?,
        }
        let private = fs::Permissions::from_mode(0o600);
        Ok(fs::set_permissions(self.folder().join(name), private)?)
    }

    /// Looks that no value was printed, nor left where others can see it.
    pub(super) fn refuse_values(&self, output: &Output) -> Result<()> {
        match self {
            Place::Local(installation) => assert_none_in(output, &installation.secrets()?),
            Place::Google(installation) => installation.refuse_values(output)?,
        }
        Ok(())
    }

    /// The oldest first.
    pub(super) fn versions(&self, secret: Secret) -> Result<Vec<Version>> {
        let name = secret.store_name;
        match self {
            Place::Local(installation) => {
                let version = |stored: crate::procedure::sandbox::Stored| Version {
                    number: stored.number,
                    is_enabled: stored.state == "enabled",
                    value: stored.value,
                };
                Ok(installation
                    .stored(name)?
                    .into_iter()
                    .map(version)
                    .collect())
            }
            Place::Google(installation) => {
                let world = installation.google.world();
                let versions = world.secrets.secrets[name].iter().zip(1..);
                let version =
                    |(version, number): (&integration_tests::google::SecretVersion, u64)| Version {
                        number,
                        is_enabled: version.state == "ENABLED",
                        value: String::from_utf8_lossy(&version.value).into_owned(),
                    };
                Ok(versions.map(version).collect())
            }
        }
    }

    /// The value that a service finds when it starts next.
    pub(super) fn in_use(&self, secret: Secret) -> Result<String> {
        match self {
            Place::Local(installation) => installation.variable(secret.variable),
            Place::Google(_) => {
                let served = self.served(secret)?;
                served.into_iter().next().context("no service")
            }
        }
    }

    /// The values that services run with; nothing where none was ever restarted.
    pub(super) fn served(&self, secret: Secret) -> Result<Vec<String>> {
        match self {
            Place::Local(installation) => {
                let has_restarted = installation.sandbox.path("running").exists();
                let served = has_restarted.then(|| installation.served(secret.variable));
                Ok(served.transpose()?.into_iter().collect())
            }
            Place::Google(installation) => {
                let versions = self.versions(secret)?;
                let mut served = Vec::new();
                for service in secret.readers.iter().copied().map(Role::default_service) {
                    let world = installation.google.world();
                    let state = &world.run.services[service];
                    let revision = state.serving().context("no revision serves")?;
                    let key = state.key(revision, secret.variable).context("no key")?;
                    let version = match key {
                        "latest" => versions.last(),
                        number => {
                            let number: u64 = number.parse()?;
                            versions.iter().find(|version| version.number == number)
                        }
                    };
                    let version = version.context("no such version")?;
                    served.push(version.value.clone());
                }
                Ok(served)
            }
        }
    }

    /// What services are told: the same again once a run is undone.
    pub(super) fn told(&self, secret: Secret) -> Result<Vec<Value>> {
        match self {
            Place::Local(installation) => Ok(vec![installation.sandbox.read(".env")?.into()]),
            Place::Google(installation) => {
                let world = installation.google.world();
                let services = secret.readers.iter().copied().map(Role::default_service);
                let told = services.flat_map(|service| {
                    let state = &world.run.services[service];
                    let callers = format!("{:?}", state.policy.bindings);
                    [state.told(), callers.into()]
                });
                Ok(told.collect())
            }
        }
    }
}
