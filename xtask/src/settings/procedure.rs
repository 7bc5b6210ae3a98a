//! Settings of a whole rotation: the platform, the names, the folder for runs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use reencrypt::{ColumnName, ColumnNameError};
use rotation::{Consumer, Role, Secret, Store};
use runbook::{Name, Runs};
use secret::DatabaseUrl;
use serde::Deserialize;

use super::file::{self, File, Issuers};
use super::google_cloud::GoogleCloud;
use super::{Surroundings, state_dir};
use crate::cli;
use crate::failure::Failure;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Where secrets and services live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PlatformName {
    /// Nowhere that is known: keys are given, and the table alone is re-encrypted
    #[default]
    None,
    /// On this machine: a `.env` file, and a store in a folder
    Local,
    /// On Google Cloud, through gcloud: Secret Manager, Cloud Run, Cloud SQL
    GoogleCloud,
}

/// The name as it is typed.
impl std::fmt::Display for PlatformName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            PlatformName::None => "none",
            PlatformName::Local => "local",
            PlatformName::GoogleCloud => "google-cloud",
        })
    }
}

/// The platform that flags or settings name.
///
/// # Errors
///
/// Settings that can't be understood.
pub(crate) fn platform_of(typed: &cli::Place) -> Result<PlatformName, Failure> {
    match typed.platform {
        Some(platform) => Ok(platform),
        None => Ok(file::read(typed.settings.as_deref())?
            .platform
            .unwrap_or_default()),
    }
}

/// What a procedure needs to know, wherever it happens.
pub(crate) struct Procedure {
    /// The platform.
    pub(crate) platform: PlatformName,
    /// The folder for runs.
    pub(crate) state_dir: PathBuf,
    /// How old a secret may get.
    pub(crate) rotate_every: Duration,
    /// How long the old version is kept.
    pub(crate) soak: Duration,
    /// How old a backup may be.
    pub(crate) backup_max_age: Duration,
    /// Whether a window is announced first.
    pub(crate) announce: bool,
    /// This machine's platform.
    pub(crate) local: Local,
    /// Google Cloud.
    pub(crate) google_cloud: GoogleCloud,
    /// Who types.
    pub(crate) operator: Name,
    /// Encrypted columns to leave alone.
    pub(crate) excluded_columns: Vec<ColumnName>,
    pub(super) file: File,
}

/// The platform of this machine.
pub(crate) struct Local {
    /// The file of variables.
    pub(crate) env_file: PathBuf,
    /// The folder of versions.
    pub(crate) store: PathBuf,
}

/// Merges the file, the environment and the flags; the later goes before.
///
/// # Errors
///
/// What can't be understood; nothing is changed yet.
pub(crate) fn procedure(
    typed: &cli::Place,
    surroundings: &Surroundings<'_>,
) -> Result<Procedure, Failure> {
    merged(file::read(typed.settings.as_deref())?, typed, surroundings)
}

/// The same for a file that was read already.
pub(super) fn merged(
    mut file: File,
    typed: &cli::Place,
    surroundings: &Surroundings<'_>,
) -> Result<Procedure, Failure> {
    rename(&mut file, surroundings)?;
    let platform = typed.platform.or(file.platform).unwrap_or_default();
    let env_file = file.local.env_file.clone().unwrap_or_else(|| ".env".into());
    let folder = env_file.parent().unwrap_or(Path::new(""));
    let store = file
        .local
        .store
        .clone()
        .unwrap_or_else(|| folder.join(".rotation"));
    let google_cloud = GoogleCloud::resolve(&file, platform, surroundings)?;
    let is_deployed = platform == PlatformName::GoogleCloud;
    let state_dir = match typed.state_dir.clone().or(file.state_dir.clone()) {
        Some(folder) => folder,
        None => state_dir::default_state_dir(&match platform {
            PlatformName::None | PlatformName::Local => state_dir::name_of(&env_file)?,
            PlatformName::GoogleCloud => format!("{platform}-{}", google_cloud.project),
        })?,
    };
    Ok(Procedure {
        platform,
        state_dir,
        rotate_every: file.rotate_every.unwrap_or(365 * DAY),
        soak: file
            .soak
            .unwrap_or(if is_deployed { DAY } else { Duration::ZERO }),
        backup_max_age: file.backup_max_age.unwrap_or(DAY),
        announce: file.announce.unwrap_or(is_deployed),
        local: Local { env_file, store },
        google_cloud,
        operator: operator(),
        excluded_columns: excluded_columns(&file)?,
        file,
    })
}

impl Procedure {
    /// Refuses where no platform is named.
    ///
    /// # Errors
    ///
    /// With the ways to name one.
    pub(crate) fn refuse_no_platform(&self) -> Result<(), Failure> {
        if self.platform != PlatformName::None {
            return Ok(());
        }
        Err(Failure::usage("no platform is named")
            .nothing_changed()
            .hint("`--platform local`, or `platform = \"local\"` in rotation.toml"))
    }

    /// Who issues client secrets.
    pub(crate) fn issuers(&self) -> &Issuers {
        &self.file.issuers
    }

    /// Whether people have to restart a service that reads this secret.
    pub(crate) fn cannot_restart(&self, secret: &Secret) -> bool {
        !secret.readers.iter().all(|role| self.can_restart(*role))
    }

    /// Who is told and asked, by their names in the settings.
    pub(crate) fn contacts(&self) -> [(&'static str, Option<&str>); 5] {
        self.file.contacts.all()
    }

    /// The contacts that the settings have.
    pub(crate) fn known_contacts(&self) -> Vec<(String, String)> {
        let all = self.contacts().into_iter();
        let known = all.filter_map(|(name, contact)| Some((name.to_owned(), contact?.to_owned())));
        known.collect()
    }

    /// The contacts that are missing although windows are announced.
    pub(crate) fn missing_contacts(&self) -> Vec<&'static str> {
        let missing = |(name, contact): (_, Option<&str>)| contact.is_none().then_some(name);
        let contacts = self.file.contacts.all().into_iter();
        contacts
            .filter_map(missing)
            .filter(|_| self.announce)
            .collect()
    }

    /// The runs. Whoever has another folder for theirs finds these by the store.
    pub(crate) fn runs(&self) -> Runs {
        let runs = Runs::in_folder(&self.state_dir);
        match self.platform {
            PlatformName::None | PlatformName::Local => {
                runs.shared_in(self.local.store.join("runs"))
            }
            PlatformName::GoogleCloud => runs,
        }
    }

    /// The platform that is named; for a database, where backups of it matter.
    ///
    /// # Errors
    ///
    /// One that can't be used.
    pub(crate) fn platform(
        &self,
        database: Option<&DatabaseUrl>,
    ) -> Result<platform::Platform, Failure> {
        match self.platform {
            PlatformName::None | PlatformName::Local => self.local_platform(database),
            PlatformName::GoogleCloud => self.google_cloud.platform(),
        }
    }

    /// What the store and the services call a secret.
    pub(crate) fn store_of(&self, secret: &Secret) -> Store {
        let renamed = self.file.secrets.get(secret.name);
        Store {
            name: renamed
                .cloned()
                .unwrap_or_else(|| secret.store_name.to_owned()),
            variable: secret.variable.to_owned(),
            setting: secret
                .store_name_variable
                .unwrap_or("`secrets` in the settings"),
        }
    }

    /// The services that read a secret.
    pub(crate) fn consumers_of(&self, secret: &Secret) -> Vec<Consumer> {
        let consumer = |role: &Role| Consumer {
            role: *role,
            service: self.service(*role),
        };
        secret.readers.iter().map(consumer).collect()
    }

    pub(super) fn service(&self, role: Role) -> String {
        let named = match role {
            Role::Agent => &self.file.services.agent,
            Role::Handler => &self.file.services.handler,
        };
        named
            .clone()
            .unwrap_or_else(|| role.default_service().to_owned())
    }
}

fn excluded_columns(file: &File) -> Result<Vec<ColumnName>, Failure> {
    let names = file.exclude_columns.iter();
    names
        .map(|name| {
            name.parse().map_err(|error: ColumnNameError| {
                Failure::check(format!("`exclude_columns` in the settings: {error}"))
                    .nothing_changed()
            })
        })
        .collect()
}

/// The service's own variables go before the file.
fn rename(file: &mut File, surroundings: &Surroundings<'_>) -> Result<(), Failure> {
    let roles = [
        (Role::Agent, &mut file.services.agent),
        (Role::Handler, &mut file.services.handler),
    ];
    for (role, name) in roles {
        if let Some(renamed) = text_of(role.name_variable(), surroundings)? {
            *name = Some(renamed);
        }
    }
    for secret in rotation::SECRETS {
        let Some(variable) = secret.store_name_variable else {
            continue;
        };
        if let Some(renamed) = text_of(variable, surroundings)? {
            file.secrets.insert(secret.name.to_owned(), renamed);
        }
    }
    refuse_unknown_secrets(file)?;
    refuse_other_than_names(file)
}

/// What is renamed has to be there. It isn't quoted: whoever takes the table for one of values
/// may have put a secret there.
fn refuse_unknown_secrets(file: &File) -> Result<(), Failure> {
    let known = rotation::SECRETS.map(|secret| secret.name);
    if file.secrets.keys().all(|name| known.contains(&&**name)) {
        return Ok(());
    }
    Err(
        Failure::check("`secrets` in the settings renames a secret that the service doesn't have")
            .nothing_changed()
            .hint(format!("its secrets are `{}`", known.join("`, `"))),
    )
}

/// A journal takes names only: better to say so now than in the middle of a run.
fn refuse_other_than_names(file: &File) -> Result<(), Failure> {
    let services = [
        ("service", "agent", &file.services.agent),
        ("service", "handler", &file.services.handler),
    ];
    let services = services
        .into_iter()
        .filter_map(|(kind, of, name)| Some((kind, of, name.as_ref()?)));
    let secrets = file.secrets.iter();
    let secrets = secrets.map(|(of, name)| ("secret", of.as_str(), name));
    for (kind, of, name) in services.chain(secrets) {
        if Name::new(name).is_err() {
            // It isn't quoted: somebody may have put the secret itself there.
            return Err(Failure::check(format!(
                "what the settings have for the {kind} `{of}` can't be its name"
            ))
            .nothing_changed()
            .hint("names have letters, digits and `.`, `_`, `-`, `/`, `:`"));
        }
    }
    Ok(())
}

pub(super) fn text_of(
    variable: &str,
    surroundings: &Surroundings<'_>,
) -> Result<Option<String>, Failure> {
    let Some(value) = surroundings.variable(variable) else {
        return Ok(None);
    };
    match std::str::from_utf8(&value) {
        Ok(text) => Ok(Some(text.to_owned())),
        Err(_) => Err(Failure::check(format!("{variable} is not UTF-8")).nothing_changed()),
    }
}

/// The user's name, with what no journal takes left out.
fn operator() -> Name {
    let user = whoami::username().unwrap_or_default();
    let plain: String = user
        .chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() || "._-".contains(character) {
                character
            } else {
                '-'
            }
        })
        .take(100)
        .collect();
    Name::new(plain).unwrap_or_else(|_| Name::unknown())
}
