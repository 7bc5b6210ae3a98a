//! What can go wrong, each with its advice.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use secret::VersionNumber;

use crate::database_roles::RolesError;
use crate::google_cloud::CloudError;
use crate::oauth_checks::OauthError;
use crate::secret_store::{Reference, Version, VersionState};

/// Why a platform could not do what it was asked to.
///
/// No message holds a value, or what a child process printed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store has no such version.
    #[error("the secret `{secret}` has no version `{reference}`")]
    NoSuchVersion {
        /// The secret.
        secret: String,
        /// What was asked for.
        reference: Reference,
    },
    /// The version's state forbids it.
    #[error("version `{version}` of the secret `{secret}` is {state}")]
    VersionState {
        /// The secret.
        secret: String,
        /// The version.
        version: VersionNumber,
        /// Its state.
        state: VersionState,
    },
    /// A value without a byte.
    #[error("an empty value for the secret `{secret}`")]
    EmptyValue {
        /// The secret.
        secret: String,
    },
    /// A name that the store can't keep. It isn't quoted: what stands in a wrong
    /// place may be a value.
    #[error("a secret's name is not one that the store can keep")]
    SecretName,
    /// The file system refused something.
    #[error("cannot {action} `{path}`")]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The store's folder is a symbolic link, or no folder.
    #[error("the store `{path}` is not a folder of its own")]
    NotAFolder {
        /// The store.
        path: PathBuf,
    },
    /// Other users can get at the store's folder.
    #[error("the store `{path}` is open to other users: its mode is `{mode:03o}`")]
    OpenToOthers {
        /// The store.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Somebody else changes the store.
    #[error("the store `{path}` is in use: waited {} s", .waited.as_secs())]
    StoreBusy {
        /// The store.
        path: PathBuf,
        /// How long.
        waited: Duration,
    },
    /// A file of the store isn't as it was written. What it holds isn't quoted.
    #[error("`{path}` is damaged: {what} (line {line})")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
        /// Where, from 1 on.
        line: usize,
    },
    /// A file of the store was written by a newer version of this tool.
    #[error("`{path}` has the format `{found}`, and this program knows `{known}` only")]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The newest that is known here.
        known: u64,
    },
    /// The file of variables isn't there.
    #[error("no file of variables at `{path}`")]
    NoEnvFile {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file of variables doesn't set a variable.
    #[error("`{path}` does not set `{variable}`")]
    NoVariable {
        /// The file.
        path: PathBuf,
        /// The variable.
        variable: String,
    },
    /// The file of variables sets a variable more than once.
    #[error("`{path}` sets `{variable}` more than once: lines {}", listed(.lines))]
    RepeatedVariable {
        /// The file.
        path: PathBuf,
        /// The variable.
        variable: String,
        /// Where, from 1 on.
        lines: Vec<usize>,
    },
    /// A quote that nothing ends: who knows where the next variable begins.
    #[error("line {line} of `{path}` opens a quote that nothing closes")]
    OpenQuote {
        /// The file.
        path: PathBuf,
        /// Where, from 1 on.
        line: usize,
    },
    /// What the file of variables has is no value, but how to make one of others.
    #[error("`{path}`, line {line}, makes `{variable}` of another variable's value, by `${{…}}`")]
    Interpolated {
        /// The file.
        path: PathBuf,
        /// The variable.
        variable: String,
        /// Where it is set.
        line: usize,
    },
    /// The value can't be written so that every reader reads it back.
    #[error("the value of `{variable}` cannot be written to `{path}` so that it is read back")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The variable.
        variable: String,
    },
    /// The file is replaced, and the new one can't be given what the old one has.
    #[error("the owner, the group and the mode of `{path}` ({owner}:{group}) can't be kept")]
    NotKept {
        /// The file.
        path: PathBuf,
        /// Its user's number.
        owner: u32,
        /// Its group's number.
        group: u32,
        /// What the system said.
        source: io::Error,
    },
    /// The file is mounted by itself, as a container's may be: the system has nobody put
    /// another one in its place.
    #[error("`{path}` is a mount of its own: no new file can take its place")]
    MountPoint {
        /// The file.
        path: PathBuf,
    },
    /// The file has an attribute that keeps it as it is.
    #[error("`{path}` is immutable: no new file can take its place")]
    Immutable {
        /// The file.
        path: PathBuf,
    },
    /// The store has the version, and its value is lost.
    #[error("the value of version {version} of `{secret}` is gone: there is no `{path}`")]
    ValueGone {
        /// The secret.
        secret: String,
        /// The version.
        version: VersionNumber,
        /// Where the value was.
        path: PathBuf,
    },
    /// The file goes by other names, too, under which the old one would stay.
    #[error("`{path}` has {names} names, by hard links: the others would keep the old value")]
    HardLinked {
        /// The file.
        path: PathBuf,
        /// How many names it has.
        names: u64,
    },
    /// Somebody else wrote the file of variables in the same moment.
    #[error("`{path}` was changed by somebody else meanwhile")]
    EnvFileChanged {
        /// The file.
        path: PathBuf,
    },
    /// The platform has no such service.
    #[error("there is no service `{service}`")]
    NoSuchService {
        /// The service.
        service: String,
    },
    /// The service has no such revision.
    #[error("the service `{service}` has no revision `{revision}`")]
    NoSuchRevision {
        /// The service.
        service: String,
        /// The revision.
        revision: String,
    },
    /// Another process changes the service.
    #[error("another process has been changing `{service}` for {waited:.0?}")]
    ServiceBusy {
        /// The service.
        service: String,
        /// How long it was waited for.
        waited: Duration,
    },
    /// Somebody else sent the traffic elsewhere meanwhile.
    #[error(
        "somebody else sent the traffic of `{service}` elsewhere while it went to `{revision}`"
    )]
    Overtaken {
        /// The service.
        service: String,
        /// The revision that was to have it.
        revision: String,
    },
    /// The revision serves, or may.
    #[error("the revision `{revision}` of `{service}` serves")]
    RevisionServes {
        /// The service.
        service: String,
        /// The revision.
        revision: String,
    },
    /// A revision can't be made with a value that is in no store.
    #[error("no revision of `{service}` can be made that has `{variable}` from no secret")]
    InlineRevision {
        /// The service.
        service: String,
        /// The variable.
        variable: String,
    },
    /// The value that a revision had was in no store, and has been overwritten.
    #[error("the value that `{variable}` had in the revision `{revision}` was in no store")]
    InlineValueGone {
        /// The revision.
        revision: String,
        /// The variable.
        variable: String,
    },
    /// A command of the settings didn't start.
    #[error("the {purpose} command `{program}` of `{service}` did not start")]
    CommandNotStarted {
        /// The service.
        service: String,
        /// `restart` or `ready`.
        purpose: &'static str,
        /// Its first word.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// A command of the settings failed.
    #[error("the {purpose} command `{program}` of `{service}` ended with {status}")]
    CommandFailed {
        /// The service.
        service: String,
        /// `restart` or `ready`.
        purpose: &'static str,
        /// Its first word.
        program: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// A command of the settings took too long, and was killed.
    #[error("the {purpose} command `{program}` of `{service}` did not end in {} s", .limit.as_secs_f32())]
    CommandTimeout {
        /// The service.
        service: String,
        /// `restart` or `ready`.
        purpose: &'static str,
        /// Its first word.
        program: String,
        /// How long it may take.
        limit: Duration,
    },
    /// The service was restarted, and its `ready` command went on failing.
    #[error("`{service}` was not ready {} s after its restart", .limit.as_secs_f32())]
    NotReady {
        /// The service.
        service: String,
        /// How long it may take.
        limit: Duration,
    },
    /// The database couldn't be backed up.
    #[error("cannot {action} of `{database}`")]
    Backup {
        /// What was tried.
        action: &'static str,
        /// The database.
        database: PathBuf,
        /// What SQLite said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The copy of the database has faults.
    #[error("the copy of `{database}` has faults")]
    FaultyBackup {
        /// The database.
        database: PathBuf,
    },
    /// Something of Google Cloud's own.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// A client's secret couldn't be tested at its issuer.
    #[error(transparent)]
    Oauth(#[from] OauthError),
    /// Something of a database server's roles.
    #[error(transparent)]
    Roles(#[from] RolesError),
}

impl Error {
    /// What to do about it, where that isn't plain from the message.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Error::Cloud(error) => return error.hint(),
            Error::Oauth(error) => return error.hint(),
            Error::Roles(error) => return error.hint(),
            Error::NoSuchVersion { .. } => "`cargo xtask status` says which version is in use",
            Error::VersionState {
                secret,
                version,
                state: VersionState::Disabled,
            } => {
                return Some(format!(
                    "`cargo xtask enable-version {secret} {version}` enables it; or take another \
                     version: `latest` doesn't fall back to an older one"
                ));
            }
            Error::VersionState { .. } => {
                "its value is gone: take another version, or add the value anew"
            }
            Error::ValueGone {
                secret, version, ..
            } => {
                return Some(format!(
                    "put the file back from a backup of the store, or from the configuration of a service that \
                     has the value still; if it is lost, and the services work without it, `cargo xtask \
                     abandon` ends a run that needs it, and `cargo xtask disable-version {secret} \
                     {version}` puts the version out of use"
                ));
            }
            Error::SecretName => {
                "a name is 1 to 255 lower-case letters, digits and hyphens, and neither `backups` nor `runs`"
            }
            Error::NotAFolder { .. } => "name the folder itself in the settings, not a link to it",
            Error::OpenToOthers { path, .. } => {
                return Some(format!("`chmod 700 '{}'`", path.display()));
            }
            Error::StoreBusy { .. } => "let the other run end, then try again",
            Error::Damaged { .. } => {
                "put the file back from a backup of the store; the values beside it are untouched"
            }
            Error::NewerFormat { .. } => "update this program",
            Error::NoEnvFile { .. } => "check `env_file` in the settings",
            Error::NoVariable { variable, .. } => {
                return Some(format!(
                    "add a line `{variable}=` with the value that the service runs with"
                ));
            }
            Error::RepeatedVariable { .. } => {
                "the last one counts: remove the others, then try again"
            }
            Error::OpenQuote { .. } => "close the quote",
            Error::Interpolated { .. } => {
                "write the value itself there: no other could take its place"
            }
            Error::Unwritable { .. } => {
                "a value there must be text without `${`, without control characters, and without a backslash \
                 at its end"
            }
            Error::NotKept { .. } => {
                "run this as the file's owner, who has to be in its group, or as root"
            }
            Error::MountPoint { .. } => {
                "mount the folder that it is in, or run this where the file itself is"
            }
            Error::HardLinked { .. } => {
                "make the other names symbolic links to this one; `find . -samefile` lists them"
            }
            Error::Immutable { path } => {
                return Some(format!("`chattr -ia '{}'`", path.display()));
            }
            Error::EnvFileChanged { .. } => "try again when nobody edits it",
            Error::ServiceBusy { .. } => "let the other run end, then go on; trying again is safe",
            Error::Overtaken { .. } => "agree with them who goes first; trying again is safe",
            Error::RevisionServes { .. } => "send the traffic to another revision first",
            Error::InlineRevision { .. } | Error::InlineValueGone { .. } => {
                "add the value to the store, and bind a revision to that version"
            }
            Error::CommandNotStarted { .. } => "check the command in the settings",
            Error::CommandFailed { .. } => "its own output is above; running it again is safe",
            Error::CommandTimeout { .. } | Error::NotReady { .. } => {
                "look at the service's log; a longer `timeout` can be set in the settings"
            }
            Error::Backup { .. } => "is there room for a second copy of the database?",
            Error::FaultyBackup { .. } => {
                "the database itself may be damaged: look at it with `PRAGMA integrity_check`"
            }
            Error::EmptyValue { .. } => "give the whole value: an empty one starts no service",
            Error::File { .. } => {
                "look at its permissions, and whether there is room; trying again is safe"
            }
            Error::NoSuchService { .. } => "check the names of the services in the settings",
            Error::NoSuchRevision { .. } => {
                "somebody deleted it: `cargo xtask status` shows what can be done with the run"
            }
        };
        Some(hint.to_owned())
    }

    /// Whether a version has no value that could be read: it isn't there, is disabled or
    /// destroyed, or its value is lost.
    pub fn is_without_value(&self) -> bool {
        matches!(
            self,
            Error::NoSuchVersion { .. } | Error::VersionState { .. } | Error::ValueGone { .. }
        )
    }

    /// The same in a few fixed words, for a journal: without names, and without
    /// what a system or a database said.
    pub fn what(&self) -> &'static str {
        match self {
            Error::NoSuchVersion { .. } => "a version does not exist",
            Error::VersionState { .. } => "a version is disabled or destroyed",
            Error::ValueGone { .. } => "a version's value is gone from the store",
            Error::EmptyValue { .. } => "a value was empty",
            Error::SecretName => "a secret's name was refused",
            Error::File { .. } => "a file could not be read or written",
            Error::NotAFolder { .. } | Error::OpenToOthers { .. } => "the store is not private",
            Error::StoreBusy { .. } => "the store was in use",
            Error::Damaged { .. } => "a file of the store is damaged",
            Error::NewerFormat { .. } => "a file of the store has a newer format",
            Error::NoEnvFile { .. } | Error::OpenQuote { .. } | Error::Interpolated { .. } => {
                "the file of variables could not be read"
            }
            Error::NoVariable { .. } => "a variable is not set",
            Error::RepeatedVariable { .. } => "a variable is set more than once",
            Error::Unwritable { .. } => "a value could not be written to the file of variables",
            Error::NotKept { .. }
            | Error::MountPoint { .. }
            | Error::Immutable { .. }
            | Error::HardLinked { .. } => "the file of variables could not be replaced",
            Error::EnvFileChanged { .. } => "the file of variables was changed meanwhile",
            Error::NoSuchService { .. } => "a service does not exist",
            Error::NoSuchRevision { .. } => "a revision does not exist",
            Error::ServiceBusy { .. } => "another process was changing a service",
            Error::Overtaken { .. } => "somebody else moved the traffic",
            Error::RevisionServes { .. } => "a revision serves",
            Error::InlineRevision { .. } | Error::InlineValueGone { .. } => {
                "a value is in no store"
            }
            Error::CommandNotStarted { .. } => "a command did not start",
            Error::CommandFailed { .. } => "a command failed",
            Error::CommandTimeout { .. } => "a command took too long",
            Error::NotReady { .. } => "a service did not become ready",
            Error::Backup { .. } | Error::FaultyBackup { .. } => "a backup could not be made",
            Error::Cloud(error) => error.what(),
            Error::Oauth(error) => error.what(),
            Error::Roles(error) => error.what(),
        }
    }

    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Error {
        let path = path.into();
        move |source| Error::File {
            action,
            path,
            source,
        }
    }
}

fn listed(lines: &[usize]) -> String {
    let lines: Vec<String> = lines.iter().map(usize::to_string).collect();
    lines.join(", ")
}

/// An error with its causes, in one line: `error sending request` alone says nothing.
pub(crate) fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// The refusal of a version by its state.
pub(crate) fn wrong_state(secret: &str, version: &Version) -> Error {
    Error::VersionState {
        secret: secret.to_owned(),
        version: version.number,
        state: version.state,
    }
}
