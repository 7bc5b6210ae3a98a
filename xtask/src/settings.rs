//! From what was typed and what the environment holds to the plain values that commands take.

use std::ffi::OsString;
use std::sync::Arc;

use reencrypt::{ColumnName, Keyring, KeyringError, Timeouts, Tls};
use secret::{DatabaseTarget, DatabaseUrl};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use crate::cli;
use crate::failure::Failure;
use crate::keys::{self, Role};
use crate::printer::Printer;
use crate::terminal::Terminal;

/// What a rotation needs to know.
pub(crate) struct Rotation {
    /// The database.
    pub(crate) database: Database,
    /// The keys.
    pub(crate) keyring: Arc<Keyring>,
    /// Encrypted columns to leave alone.
    pub(crate) excluded_columns: Vec<ColumnName>,
    /// Whether everything is rolled back at the end.
    pub(crate) dry_run: bool,
    /// Where to ask before it begins, if anybody is to be asked.
    pub(crate) ask_on: Option<Terminal>,
}

/// What a survey needs to know.
pub(crate) struct Survey {
    /// The database.
    pub(crate) database: Database,
    /// The keys.
    pub(crate) keyring: Arc<Keyring>,
}

/// A database and how to deal with it.
pub(crate) struct Database {
    /// Where it is.
    pub(crate) url: DatabaseUrl,
    /// Whether TLS is demanded.
    pub(crate) tls: Tls,
    /// How long to wait.
    pub(crate) timeouts: Timeouts,
}

/// What a command finds around itself.
pub(crate) struct Surroundings<'a> {
    /// The environment.
    pub(crate) environment: &'a dyn Fn(&str) -> Option<OsString>,
    /// Somebody to ask.
    pub(crate) terminal: Option<Terminal>,
    /// For warnings.
    pub(crate) printer: Printer,
    /// Ends a question.
    pub(crate) interrupt: &'a CancellationToken,
}

impl Surroundings<'_> {
    /// An environment variable, in a buffer that is wiped.
    pub(crate) fn variable(&self, name: &str) -> Option<Zeroizing<Vec<u8>>> {
        (self.environment)(name).map(|value| Zeroizing::new(value.into_encoded_bytes()))
    }
}

/// The settings of `rotate-dcr`.
///
/// # Errors
///
/// What is missing, or can't be used; nothing is changed yet.
pub(crate) fn rotation(
    typed: &cli::RotateDcr,
    surroundings: Surroundings<'_>,
) -> Result<Rotation, Failure> {
    let database = database(&typed.timeouts, &surroundings)?;
    let mut given = keys::given(&typed.keys, &surroundings)?;
    if given.old.is_empty() {
        given.old.push(keys::ask_for(Role::Old, &surroundings)?);
    }
    let new = match given.new {
        Some(new) => new,
        None => keys::ask_for(Role::New, &surroundings)?,
    };
    let keyring = Keyring::for_rotation(&given.old, &new).map_err(|error| no_keyring(&error))?;
    Ok(Rotation {
        database,
        keyring: Arc::new(keyring),
        excluded_columns: typed.exclude_column.clone(),
        dry_run: typed.dry_run,
        ask_on: surroundings
            .terminal
            .filter(|_| !typed.yes && !typed.dry_run),
    })
}

/// The settings of `survey-dcr`, for which one key is enough.
///
/// # Errors
///
/// What is missing, or can't be used.
pub(crate) fn survey(
    typed: &cli::SurveyDcr,
    surroundings: &Surroundings<'_>,
) -> Result<Survey, Failure> {
    let database = database(&typed.timeouts, surroundings)?;
    let mut given = keys::given(&typed.keys, surroundings)?;
    if given.old.is_empty() && given.new.is_none() {
        given.old.push(keys::ask_for(Role::Old, surroundings)?);
    }
    let keyring =
        Keyring::for_survey(&given.old, given.new.as_ref()).map_err(|error| no_keyring(&error))?;
    Ok(Survey {
        database,
        keyring: Arc::new(keyring),
    })
}

fn database(typed: &cli::Timeouts, surroundings: &Surroundings<'_>) -> Result<Database, Failure> {
    let url = database_url(surroundings)?;
    if typed.statement_timeout.is_some() && matches!(url.target(), DatabaseTarget::Sqlite(_)) {
        return Err(Failure::usage("SQLite has no timeout for statements")
            .nothing_changed()
            .hint("leave `--statement-timeout` out; `--lock-timeout` works"));
    }
    let default = Timeouts::default();
    Ok(Database {
        url,
        tls: tls(surroundings)?,
        timeouts: Timeouts {
            lock: typed.lock_timeout.unwrap_or(default.lock),
            statement: typed.statement_timeout.unwrap_or(default.statement),
        },
    })
}

fn database_url(surroundings: &Surroundings<'_>) -> Result<DatabaseUrl, Failure> {
    let Some(bytes) = surroundings
        .variable("DATABASE_URL")
        .filter(|bytes| !bytes.is_empty())
    else {
        return Err(Failure::check("DATABASE_URL is not set").nothing_changed().hint(
            "set it to the service's own URL: `postgresql+asyncpg://user:password@host:5432/database` \
             or `sqlite+aiosqlite:///./file.db`",
        ));
    };
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Err(Failure::check("DATABASE_URL is not UTF-8")
            .nothing_changed()
            .hint("percent-encode what is not ASCII: `ü` is `%C3%BC`"));
    };
    DatabaseUrl::parse(text).map_err(|error| {
        let failure = Failure::check(format!("DATABASE_URL can't be used: {error}"));
        Failure {
            hint: error.hint().map(ToOwned::to_owned),
            ..failure
        }
        .nothing_changed()
    })
}

/// Reads DATABASE_REQUIRE_SSL with the words that the service's settings know.
fn tls(surroundings: &Surroundings<'_>) -> Result<Tls, Failure> {
    let value = surroundings
        .variable("DATABASE_REQUIRE_SSL")
        .unwrap_or_default();
    match value.to_ascii_lowercase().as_slice() {
        b"true" | b"t" | b"yes" | b"y" | b"on" | b"1" => Ok(Tls::Required),
        b"" | b"false" | b"f" | b"no" | b"n" | b"off" | b"0" => Ok(Tls::AsUrlSays),
        _ => Err(
            Failure::check("DATABASE_REQUIRE_SSL is neither `true` nor `false`").nothing_changed(),
        ),
    }
}

fn no_keyring(error: &KeyringError) -> Failure {
    let failure = Failure::check(error.to_string()).nothing_changed();
    match error {
        KeyringError::SameKey(_) => {
            failure.hint("give the new key, made for this rotation, as the new one")
        }
        KeyringError::NoKey => failure,
    }
}
