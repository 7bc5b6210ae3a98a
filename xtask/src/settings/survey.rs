//! Settings of a survey: the keys that are given, or those that the installation has.

use std::sync::Arc;

use reencrypt::Keyring;
use rotation::{DCR_ENCRYPTION_KEY, StoredKey};
use secret::{FernetKey, VersionNumber};

use super::{Database, PlatformName, Surroundings, database, no_keyring, platform_of, procedure};
use crate::cli;
use crate::failure::{Failure, chain};
use crate::input::keys::{self, KeyRole};

/// What a survey needs to know.
pub(crate) struct Survey {
    /// The database.
    pub(crate) database: Database,
    /// The keys.
    pub(crate) keyring: Arc<Keyring>,
    /// Where the keys were found, where nobody gave any.
    pub(crate) stored: Vec<StoredKey>,
    /// The versions whose keys could not be read, since they are disabled.
    pub(crate) disabled: Vec<VersionNumber>,
    /// Whether it is known of each service which key it reads.
    pub(crate) are_readers_known: bool,
}

/// The settings of `survey-dcr`. One key is enough; where none is given, those of the platform
/// count, and without a platform somebody is asked for one.
///
/// # Errors
///
/// What is missing, or can't be used.
pub(crate) async fn survey(
    typed: &cli::SurveyDcr,
    surroundings: &Surroundings<'_>,
) -> Result<Survey, Failure> {
    // Whoever gives all that it takes needs no platform: the table may be a restored copy.
    let is_given = keys::are_given(&typed.keys, surroundings)
        && surroundings.variable("DATABASE_URL").is_some();
    if is_given || platform_of(&typed.place)? == PlatformName::None {
        let database = database::resolve(&typed.timeouts, surroundings)?;
        let mut given = keys::given(&typed.keys, surroundings)?;
        if given.old.is_empty() && given.new.is_none() {
            given.old.push(keys::ask_for(KeyRole::Old, surroundings)?);
        }
        return Survey::with(database, &given.old, given.new.as_ref());
    }
    let given = keys::given(&typed.keys, surroundings)?;
    let settings = procedure(&typed.place, surroundings)?;
    let (database, platform) = settings.reach(&typed.timeouts, surroundings).await?;
    if !given.old.is_empty() || given.new.is_some() {
        return Survey::with(database, &given.old, given.new.as_ref());
    }
    let store = settings.store_of(&DCR_ENCRYPTION_KEY);
    let consumers = settings.consumers_of(&DCR_ENCRYPTION_KEY);
    let found = rotation::stored_keys(&platform, &store, &consumers)
        .await
        .map_err(|error| Failure::from_check(&error))?;
    for error in found.no_keys.iter().chain(&found.unknown_readers) {
        surroundings.printer.warning(&chain(error));
    }
    if found.keys.is_empty() {
        return Err(no_key(&store.name, &found.disabled));
    }
    Ok(Survey {
        stored: found.found_at,
        disabled: found.disabled,
        are_readers_known: found.unknown_readers.is_empty(),
        ..Survey::with(database, &found.keys, None)?
    })
}

fn no_key(secret: &str, disabled: &[VersionNumber]) -> Failure {
    let versions: Vec<String> = disabled.iter().map(ToString::to_string).collect();
    let hint = match versions.is_empty() {
        true => "give one: `--old-key-file`".to_owned(),
        false => format!(
            "`cargo xtask enable-version {secret} NUMBER` enables one ({} disabled); or give a key: \
             `--old-key-file`",
            versions.join(", ")
        ),
    };
    Failure::check(format!(
        "no version of `{secret}` and no service has a key that can be read"
    ))
    .nothing_changed()
    .hint(hint)
}

impl Survey {
    fn with(
        database: Database,
        old: &[FernetKey],
        new: Option<&FernetKey>,
    ) -> Result<Survey, Failure> {
        let keyring = Keyring::for_survey(old, new).map_err(|error| no_keyring(&error))?;
        Ok(Survey {
            database,
            keyring: Arc::new(keyring),
            stored: Vec::new(),
            disabled: Vec::new(),
            are_readers_known: true,
        })
    }
}
