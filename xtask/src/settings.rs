//! From what was typed and what the environment holds to the plain values that commands take.

mod database;
mod file;
mod google_cloud;
mod installation;
mod local;
mod names;
mod platform_name;
mod procedure;
#[cfg(any(test, fuzzing))]
pub mod properties;
mod reach;
mod state_dir;
mod survey;

use std::ffi::OsString;
use std::sync::Arc;

use reencrypt::{ColumnName, Keyring, KeyringError};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

pub(crate) use self::database::Database;
pub(crate) use self::platform_name::{PlatformName, platform_of};
pub(crate) use self::procedure::{Procedure, procedure};
pub(crate) use self::survey::{Survey, survey};
use crate::cli;
use crate::failure::Failure;
use crate::input::Terminal;
use crate::input::keys::{self, KeyRole};
use crate::output::Printer;

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
    /// An environment variable, in a buffer that is wiped. An empty one is how shells
    /// and CI systems say "not set".
    pub(crate) fn variable(&self, name: &str) -> Option<Zeroizing<Vec<u8>>> {
        let value = (self.environment)(name)?;
        Some(Zeroizing::new(value.into_encoded_bytes())).filter(|value| !value.is_empty())
    }

    /// An environment variable that holds a name, and no secret.
    fn text(&self, variable: &str) -> Result<Option<String>, Failure> {
        let Some(value) = self.variable(variable) else {
            return Ok(None);
        };
        match std::str::from_utf8(&value) {
            Ok(text) => Ok(Some(text.to_owned())),
            Err(_) => Err(Failure::check(format!("{variable} is not UTF-8")).nothing_changed()),
        }
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
    let database = database::resolve(&typed.timeouts, &surroundings)?;
    let mut given = keys::given(&typed.keys, &surroundings)?;
    if given.old.is_empty() {
        given.old.push(keys::ask_for(KeyRole::Old, &surroundings)?);
    }
    let new = match given.new {
        Some(new) => new,
        None => keys::ask_for(KeyRole::New, &surroundings)?,
    };
    let keyring = Keyring::for_rotation(&given.old, &new).map_err(|error| no_keyring(&error))?;
    Ok(Rotation {
        database,
        keyring: Arc::new(keyring),
        excluded_columns: typed.exclude_column.clone(),
        dry_run: typed.dry_run,
        ask_on: surroundings
            .terminal
            .filter(|_| !typed.going.yes && !typed.dry_run),
    })
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

#[cfg(test)]
mod tests {
    use reencrypt::{Timeouts, Tls};

    use super::*;

    const KEY: &str = "EREREREREREREREREREREUtLS0tLS0tLS0tLS0tLS0s=";
    const OTHER: &str = "IiIiIiIiIiIiIiIiIiIiInh4eHh4eHh4eHh4eHh4eHg=";

    fn resolve(typed: &cli::RotateDcr, variables: &[(&str, &str)]) -> Result<Rotation, Failure> {
        let find = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let surroundings = Surroundings {
            environment: &find,
            terminal: None,
            printer: Printer::default(),
            interrupt: &CancellationToken::new(),
        };
        rotation(typed, surroundings)
    }

    fn refusal(typed: &cli::RotateDcr, variables: &[(&str, &str)]) -> Failure {
        match resolve(typed, variables) {
            Ok(_) => panic!("it was accepted"),
            Err(failure) => failure,
        }
    }

    const SQLITE: (&str, &str) = ("DATABASE_URL", "sqlite:///clients.db");
    const OLD: (&str, &str) = ("DCR_OLD_KEY", KEY);
    const NEW: (&str, &str) = ("DCR_NEW_KEY", OTHER);

    #[test]
    fn three_variables_are_enough() {
        let settings = resolve(&cli::RotateDcr::default(), &[SQLITE, OLD, NEW])
            .ok()
            .unwrap();
        assert_eq!(settings.database.url.to_string(), "sqlite:///clients.db");
        assert_eq!(settings.database.tls, Tls::AsUrlSays);
        assert_eq!(settings.database.timeouts, Timeouts::default());
        assert_eq!(settings.keyring.old_keys().len(), 1);
        assert!(!settings.dry_run && settings.ask_on.is_none());
    }

    #[test]
    fn what_is_missing_or_wrong_is_named_with_its_exit_code() {
        let typed = cli::RotateDcr::default();
        for (variables, code, message) in [
            (vec![OLD, NEW], 1, "DATABASE_URL is not set"),
            (vec![SQLITE, NEW], 1, "there is no old key"),
            (
                vec![SQLITE, OLD, ("DCR_NEW_KEY", "")],
                1,
                "there is no new key",
            ),
            (
                vec![SQLITE, OLD, ("DCR_NEW_KEY", KEY)],
                1,
                "the old key and the new key are the same key (`f584d96052b80a7e`)",
            ),
            (
                vec![SQLITE, OLD, NEW, ("DATABASE_REQUIRE_SSL", "maybe")],
                1,
                "DATABASE_REQUIRE_SSL is neither `true` nor `false`",
            ),
        ] {
            let failure = refusal(&typed, &variables);
            assert_eq!(
                (failure.exit_code, failure.message.as_str()),
                (code, message)
            );
        }
    }

    #[test]
    fn sqlite_refuses_a_timeout_that_it_does_not_have() {
        let mut typed = cli::RotateDcr::default();
        typed.timeouts.statement_timeout = Some(std::time::Duration::from_secs(5));
        assert_eq!(refusal(&typed, &[SQLITE, OLD, NEW]).exit_code, 64);
    }

    #[test]
    fn tls_is_demanded_in_the_words_of_the_service() {
        for word in ["true", "True", "1", "yes", "on"] {
            let variables = [SQLITE, OLD, NEW, ("DATABASE_REQUIRE_SSL", word)];
            let settings = resolve(&cli::RotateDcr::default(), &variables)
                .ok()
                .unwrap();
            assert_eq!(settings.database.tls, Tls::Required, "{word}");
        }
    }

    #[test]
    fn the_help_tells_the_defaults() {
        let help = cli::command()
            .find_subcommand_mut("rotate-dcr")
            .unwrap()
            .render_long_help()
            .to_string();
        let Timeouts { lock, statement } = Timeouts::default();
        for default in [lock, statement] {
            assert!(
                help.contains(&format!("[default: {}s]", default.as_secs())),
                "{help}"
            );
        }
    }
}
