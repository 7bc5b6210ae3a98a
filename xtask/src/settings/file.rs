//! `rotation.toml`: what an installation is like.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::cli::{local_path, waiting_time};
use crate::failure::{Failure, chain};
use crate::input::shown_path;

/// The file that is read when no other is named.
pub(crate) const DEFAULT_PATH: &str = "rotation.toml";

/// What stands in the file. Everything has a default; what is unknown is an error.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// Where secrets and services live.
    pub(crate) platform: Option<super::PlatformName>,
    /// The folder for journals.
    #[serde(default, deserialize_with = "path")]
    pub(crate) state_dir: Option<PathBuf>,
    /// How old a secret may get.
    #[serde(default, deserialize_with = "time")]
    pub(crate) rotate_every: Option<Duration>,
    /// How long the old version is kept after a rotation.
    #[serde(default, deserialize_with = "time")]
    pub(crate) soak: Option<Duration>,
    /// How old a backup may be.
    #[serde(default, deserialize_with = "time")]
    pub(crate) backup_max_age: Option<Duration>,
    /// Encrypted columns, under other keys, to leave alone.
    #[serde(default)]
    pub(crate) exclude_columns: Vec<String>,
    /// How long to wait for the lock on the table.
    #[serde(default, deserialize_with = "time_to_wait")]
    pub(crate) lock_timeout: Option<Duration>,
    /// How long one statement may take, on Postgres.
    #[serde(default, deserialize_with = "time_to_wait")]
    pub(crate) statement_timeout: Option<Duration>,
    /// Whether a window is announced first.
    pub(crate) announce: Option<bool>,
    /// What the platform calls the services.
    #[serde(default)]
    pub(crate) services: Services,
    /// What the store calls the secrets, where it isn't their own name.
    #[serde(default)]
    pub(crate) secrets: BTreeMap<String, String>,
    /// Who is told.
    #[serde(default)]
    pub(crate) contacts: Contacts,
    /// The platform of this machine.
    #[serde(default)]
    pub(crate) local: Local,
    /// Google Cloud.
    #[serde(default)]
    pub(crate) google_cloud: GoogleCloud,
    /// Who issues client secrets.
    #[serde(default)]
    pub(crate) issuers: Issuers,
}

/// Who issues client secrets: the URL that an issuer calls itself by.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Issuers {
    /// Red Hat SSO.
    pub(crate) red_hat_sso: Option<String>,
    /// GMA.
    pub(crate) gma: Option<String>,
}

/// Where the service is deployed on Google Cloud.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GoogleCloud {
    /// The project's id.
    pub(crate) project: Option<String>,
    /// The region of the services.
    pub(crate) region: Option<String>,
    /// The instance of Cloud SQL.
    pub(crate) instance: Option<String>,
    /// The program.
    #[serde(default, deserialize_with = "path")]
    pub(crate) gcloud: Option<PathBuf>,
    /// The Cloud SQL Auth Proxy.
    #[serde(default, deserialize_with = "path")]
    pub(crate) cloud_sql_proxy: Option<PathBuf>,
}

/// What the platform calls the services.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Services {
    /// The agent.
    pub(crate) agent: Option<String>,
    /// The handler.
    pub(crate) handler: Option<String>,
}

/// Who is told, and asked: a list's address, a channel, a name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contacts {
    /// The users of the service.
    pub(crate) users: Option<String>,
    /// Whoever is on call for the service.
    pub(crate) on_call: Option<String>,
    /// Who decides in an emergency.
    pub(crate) incidents: Option<String>,
    /// Who issues the client secret of Red Hat SSO.
    pub(crate) red_hat_sso: Option<String>,
    /// Who issues the client secret of GMA.
    pub(crate) gma: Option<String>,
}

impl Contacts {
    /// Each with its name in the settings.
    pub(crate) fn all(&self) -> [(&'static str, Option<&str>); 5] {
        [
            ("users", self.users.as_deref()),
            ("on_call", self.on_call.as_deref()),
            ("incidents", self.incidents.as_deref()),
            ("red_hat_sso", self.red_hat_sso.as_deref()),
            ("gma", self.gma.as_deref()),
        ]
    }
}

/// The platform of this machine.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Local {
    /// The file of variables.
    #[serde(default, deserialize_with = "path")]
    pub(crate) env_file: Option<PathBuf>,
    /// The folder of versions.
    #[serde(default, deserialize_with = "path")]
    pub(crate) store: Option<PathBuf>,
    /// How the agent is restarted.
    #[serde(default)]
    pub(crate) agent: LocalService,
    /// How the handler is restarted.
    #[serde(default)]
    pub(crate) handler: LocalService,
}

/// How a service on this machine is restarted.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LocalService {
    /// The program that restarts it, and its arguments.
    #[serde(default, deserialize_with = "command")]
    pub(crate) restart: Option<Vec<String>>,
    /// The program that succeeds when it is ready.
    #[serde(default, deserialize_with = "command")]
    pub(crate) ready: Option<Vec<String>>,
    /// How long that may take.
    #[serde(default, deserialize_with = "time")]
    pub(crate) timeout: Option<Duration>,
}

/// Reads the file that was named, or the default one where it is there. Paths in
/// it are relative to its folder.
///
/// # Errors
///
/// A file that can't be read, or a line that can't be understood.
pub(crate) fn read(named: Option<&Path>) -> Result<File, Failure> {
    let path = named.unwrap_or(Path::new(DEFAULT_PATH));
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => {
            return Ok(File::default());
        }
        Err(error) => {
            return Err(Failure::check(format!(
                "the settings can't be read from {}: {}",
                shown_path(path),
                chain(&error)
            ))
            .nothing_changed());
        }
    };
    let mut file = parse(path, &text)?;
    file.resolve_paths(path.parent().unwrap_or(Path::new("")));
    Ok(file)
}

pub(super) fn parse(path: &Path, text: &str) -> Result<File, Failure> {
    toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| {
            let before = text.get(..span.start).unwrap_or(text);
            1 + before.matches('\n').count()
        });
        Failure::check(format!(
            "line {line} of {} is not understood: {}",
            shown_path(path),
            without_value(error.message())
        ))
        .nothing_changed()
        .hint("`docs/rotation.example.toml` has every setting with its default")
    })
}

impl File {
    pub(super) fn resolve_paths(&mut self, folder: &Path) {
        self.local.env_file.get_or_insert_with(|| ".env".into());
        let paths = [
            &mut self.state_dir,
            &mut self.local.env_file,
            &mut self.local.store,
        ];
        for path in paths.into_iter().flatten() {
            *path = folder.join(&*path);
        }
    }
}

/// `24h`, `365d`.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text)
        .map(Some)
        .map_err(|_| serde::de::Error::custom("expected a time such as `24h`"))
}

fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
    let path = PathBuf::deserialize(deserializer)?;
    local_path(path).map(Some).map_err(serde::de::Error::custom)
}

/// `10s`, within the limits that the flags have.
fn time_to_wait<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    waiting_time(&text)
        .map(Some)
        .map_err(serde::de::Error::custom)
}

/// A program and its arguments.
fn command<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    let words = Vec::<String>::deserialize(deserializer)?;
    if words.is_empty() {
        return Err(serde::de::Error::custom(
            "expected a program and its arguments",
        ));
    }
    Ok(Some(words))
}

/// What is expected, without what stands there instead: that may be anything, a
/// password among it. The name of an unknown setting is shown.
fn without_value(message: &str) -> String {
    match message.rsplit_once(", expected ") {
        Some((before, expected)) if !before.starts_with("unknown field") => {
            format!("expected {expected}")
        }
        _ => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(text: &str) -> String {
        parse(Path::new("rotation.toml"), text).unwrap_err().message
    }

    #[test]
    fn the_example_is_understood_and_says_the_defaults() {
        let example = include_str!("../../../docs/rotation.example.toml");
        parse(Path::new("example"), example).unwrap();
        let uncommented: String = example
            .lines()
            .map(|line| line.strip_prefix("#: ").unwrap_or(line))
            .map(|line| format!("{line}\n"))
            .collect();
        let file = parse(Path::new("example"), &uncommented).unwrap();
        assert_eq!(file.soak, Some(Duration::ZERO));
        assert_eq!(file.local.handler.restart.unwrap()[0], "systemctl");
    }

    #[test]
    fn what_is_not_understood_is_named_with_its_line() {
        for (text, line, words) in [
            ("soak = \"1h\"\nsaok = \"1h\"\n", 2, "unknown field `saok`"),
            ("[local]\n\nenv = 1\n", 3, "unknown field `env`"),
            ("soak = \"soon\"\n", 1, "a time such as `24h`"),
            ("lock_timeout = \"hunter2\"\n", 1, "a time from `1ms`"),
            ("statement_timeout = \"25h\"\n", 1, "a time from `1ms`"),
            (
                "platform = \"cloud\"\n",
                1,
                "expected one of `none`, `local`, `google-cloud`",
            ),
            ("announce = \"hunter2\"\n", 1, "expected a boolean"),
            ("[local\n", 1, ""),
        ] {
            let message = failure(text);
            assert!(
                message.starts_with(&format!("line {line} of ")),
                "{message}"
            );
            assert!(message.contains(words), "{message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.toml");
        fs::write(&path, "[local]\nenv_file = \"app/.env\"\n").unwrap();
        let file = read(Some(&path)).unwrap();
        assert_eq!(file.local.env_file, Some(folder.path().join("app/.env")));
        assert!(read(Some(&folder.path().join("none.toml"))).is_err());
    }
}
