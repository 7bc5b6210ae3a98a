//! Settings of a whole rotation: the platform, the limits, the folder for runs.

use std::path::PathBuf;
use std::time::Duration;

use reencrypt::{ColumnName, ColumnNameError};
use rotation::Secret;
use runbook::{Name, Runs};
use secret::DatabaseUrl;

use super::file::{self, File, Issuers};
use super::google_cloud::GoogleCloud;
use super::local::Local;
use super::{PlatformName, Surroundings, names, state_dir};
use crate::cli;
use crate::failure::Failure;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

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
    /// What was typed of the place; its flags name it again.
    pub(crate) place: cli::Place,
    pub(super) file: File,
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
    names::rename(&mut file, surroundings)?;
    let platform = typed.platform.or(file.platform).unwrap_or_default();
    let local = Local::resolve(&file);
    let google_cloud = GoogleCloud::resolve(&file, platform, surroundings)?;
    let is_deployed = platform == PlatformName::GoogleCloud;
    let state_dir = match typed.state_dir.clone().or(file.state_dir.clone()) {
        Some(folder) => folder,
        None => state_dir::default_state_dir(&match platform {
            PlatformName::None | PlatformName::Local => state_dir::name_of(&local.env_file)?,
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
        local,
        google_cloud,
        operator: operator(),
        excluded_columns: excluded_columns(&file)?,
        place: typed.clone(),
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
