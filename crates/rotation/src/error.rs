//! Why a step failed, and what to do about it.

mod hint;
mod reason;

use platform::database_roles::DatabaseMessage;
use reencrypt::{KeyringError, TableState};
use runbook::{JournalError, MissingFact, NotAName, StepError};
use secret::{DatabaseUrlError, FernetKeyError, Fingerprint, LoginError, VersionNumber};

pub(crate) use self::reason::{NOT_WRITTEN, ROLLED_BACK};

/// Why a step failed. No message holds a value.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The platform.
    #[error(transparent)]
    Platform(#[from] platform::Error),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal lacks something that an earlier step records.
    #[error(transparent)]
    MissingFact(#[from] MissingFact),
    /// Something has a name that no journal may hold.
    #[error("the platform calls something by a name that can't stand in a journal")]
    Name(#[from] NotAName),
    /// The journal has a version that can't be.
    #[error("the journal has a version 0, and versions begin with 1")]
    NoVersion,
    /// The database, before anything was written to it.
    #[error("can't {operation}")]
    Database {
        /// What was tried.
        operation: &'static str,
        /// Why not.
        source: Box<reencrypt::Error>,
    },
    /// The re-encryption.
    #[error("the re-encryption failed; {}", table_words(*.table))]
    Reencryption {
        /// What became of the table.
        table: TableState,
        /// Why.
        source: Box<reencrypt::Error>,
    },
    /// The two keys make no rotation.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// A value is no key.
    #[error("`{secret}` in {place} is no Fernet key")]
    NotAKey {
        /// The secret.
        secret: String,
        /// Where the value is.
        place: String,
        /// What it seems to be.
        source: FernetKeyError,
    },
    /// A value is no value.
    #[error("`{secret}` in {place} is empty")]
    Empty {
        /// The secret.
        secret: String,
        /// Where the value is.
        place: String,
    },
    /// The issuer doesn't know the value.
    #[error(
        "`{issuer}` refuses {place} of `{secret}`: it is not the secret of the client `{client}`"
    )]
    RefusedByIssuer {
        /// The secret.
        secret: String,
        /// Where the value is.
        place: String,
        /// Who refuses it.
        issuer: String,
        /// The client's id.
        client: String,
    },
    /// There is no value to go back to that works.
    #[error(
        "`{issuer}` refuses version {version} of `{secret}`, to which the services would go back: it was revoked"
    )]
    OldValueDead {
        /// The secret.
        secret: String,
        /// The version.
        version: VersionNumber,
        /// Who refuses it.
        issuer: String,
    },
    /// There is no login to go back to that works.
    #[error(
        "the database refuses version {version} of `{secret}`, to which the services would go back: somebody locked or dropped `{role}`, or gave it another password"
    )]
    OldLoginDead {
        /// The secret.
        secret: String,
        /// The version.
        version: VersionNumber,
        /// Whose login it is.
        role: String,
    },
    /// The candidate is the value in use.
    #[error("the candidate is the value that `{service}` has of `{secret}` already")]
    Unchanged {
        /// The secret.
        secret: String,
        /// The service.
        service: String,
    },
    /// The client's id isn't there, or is none.
    #[error(
        "the client's id can't be read: neither `{secret}` in the store nor {variable} has one"
    )]
    NoClientId {
        /// What the store calls the id.
        secret: &'static str,
        /// The variable.
        variable: &'static str,
    },
    /// A URL has no login, or can't have the one that it is to have.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// A value is no database URL.
    #[error("`{secret}` in {place} is no database URL{}", why(.source.as_ref()))]
    NotAUrl {
        /// The secret.
        secret: String,
        /// Where the value is.
        place: String,
        /// Why not; none where it isn't even text.
        source: Option<DatabaseUrlError>,
    },
    /// The server refuses a login that has to work.
    #[error("the database refuses the login of `{role}` from {place} of `{secret}`")]
    LoginRefused {
        /// The secret.
        secret: String,
        /// Where the URL is.
        place: String,
        /// Who tried to log in.
        role: String,
        /// What the server said.
        source: DatabaseMessage,
    },
    /// A role can't do what it is to do.
    #[error("`{role}` lacks what `{like}` has: {missing}{}", and_others(*.others))]
    RoleLacks {
        /// The role.
        role: String,
        /// The role that can.
        like: String,
        /// The first privilege that is missing.
        missing: String,
        /// How many more there are.
        others: usize,
    },
    /// A role serves two secrets.
    #[error("`{neighbour}` has the role `{role}`, or the one that takes turns with it, as well")]
    SharedRole {
        /// The role.
        role: String,
        /// What the store calls the other secret.
        neighbour: String,
    },
    /// There is nobody to take turns with.
    #[error("`{role}` may not create the role `{next}`, which is to take over from it")]
    NoSecondRole {
        /// The role in use.
        role: String,
        /// The one that isn't there.
        next: String,
    },
    /// The issuer still accepts a value that is to be revoked.
    #[error("the issuer still accepts version {version} of `{secret}`")]
    NotRevoked {
        /// The secret.
        secret: String,
        /// The version.
        version: VersionNumber,
    },
    /// Somebody may call a service that is to be closed.
    #[error("`{caller}` may call `{service}`, which is to be closed")]
    StillAdmitted {
        /// The service.
        service: String,
        /// Who.
        caller: String,
    },
    /// Somebody may not call a service that was opened again.
    #[error("`{caller}` may not call `{service}`, though it was opened again")]
    NotAdmitted {
        /// The service.
        service: String,
        /// Who.
        caller: String,
    },
    /// A run that is to be left as it is keeps somebody out.
    #[error("the run has closed `{service}`: `{caller}` may not call it")]
    Closed {
        /// The service.
        service: String,
        /// Who.
        caller: String,
    },
    /// A run that is to be left as it is has had people ask for a revocation.
    #[error(
        "the run has asked for the revocation of the value that the services had: they may be left without any"
    )]
    RevocationAsked,
    /// A run that is to be left as it is has changed what services start with.
    #[error(
        "`{services}` may run with another value than in the configuration: whether there was a restart since, isn't known"
    )]
    NotRestarted {
        /// The services.
        services: String,
    },
    /// Nobody knows any more who may call the services.
    #[error("the list of the services' callers is gone")]
    NoCallerList,
    /// The same, and the system says why.
    #[error("can't read the list of the services' callers, `{}`", .path.display())]
    CallerList {
        /// The file.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A login that is to go still works.
    #[error("version {version} of `{secret}` still lets `{role}` in")]
    StillAccepted {
        /// The secret.
        secret: String,
        /// The version.
        version: VersionNumber,
        /// The role.
        role: String,
    },
    /// A plan has a step of another secret's rotation.
    #[error("a step of this plan belongs to the rotation of another secret")]
    WrongPlan,
    /// A consumer has its value from its own configuration.
    #[error("`{service}` has `{secret}` in its own configuration, and not from the store")]
    NotInStore {
        /// The secret.
        secret: String,
        /// The service.
        service: String,
    },
    /// Consumers read different versions.
    #[error("the services read different versions of `{secret}`: {one} and {other}")]
    DifferentVersions {
        /// The secret.
        secret: String,
        /// A version.
        one: VersionNumber,
        /// Another.
        other: VersionNumber,
    },
    /// A version of the journal isn't in the store.
    #[error("the store has no version {version} of `{secret}`")]
    VersionGone {
        /// The secret.
        secret: String,
        /// The version.
        version: VersionNumber,
    },
    /// There is nothing to go back to.
    #[error("version {version} of `{secret}` is destroyed: there is nothing to go back to")]
    OldVersionGone {
        /// The secret.
        secret: String,
        /// The version.
        version: VersionNumber,
    },
    /// A service isn't up.
    #[error("`{service}` is not ready, or a change of it is under way")]
    NotReady {
        /// The service.
        service: String,
    },
    /// A service doesn't do what it was told.
    #[error("`{service}` serves with the revision `{revision}`, which reads {bound}")]
    WrongRevision {
        /// The service.
        service: String,
        /// The revision that serves.
        revision: String,
        /// What it reads.
        bound: String,
    },
    /// What is read back isn't what was stored.
    #[error("version {version} of `{secret}` is read back with another value than was stored")]
    ReadBack {
        /// The secret.
        secret: String,
        /// The version.
        version: VersionNumber,
    },
    /// Somebody else added a version.
    #[error("somebody else added version {version} of `{secret}`, which this run doesn't know")]
    ForeignVersion {
        /// The secret.
        secret: String,
        /// The version.
        version: VersionNumber,
    },
    /// The candidate is gone, and was never stored.
    #[error("the candidate was lost with the process that generated it")]
    CandidateLost,
    /// A revision reads the version that is to go.
    #[error(
        "version {version} of `{secret}` is still read by the revision `{revision}` of `{service}`"
    )]
    StillRead {
        /// The secret.
        secret: String,
        /// The version.
        version: VersionNumber,
        /// The service.
        service: String,
        /// The revision.
        revision: String,
    },
    /// Tokens are under the key that is to go.
    #[error("{tokens} tokens are still under the key `{key}` of version {version}")]
    TokensUnder {
        /// The key.
        key: Fingerprint,
        /// The version.
        version: VersionNumber,
        /// How many.
        tokens: u64,
    },
    /// Cells that no key opens.
    #[error("{cells} cells of dcr_clients can't be read with any of the keys")]
    Unreadable {
        /// How many.
        cells: u64,
    },
    /// The sweep finds new tokens under the old key every time.
    #[error(
        "{tokens} tokens are under the old key after {sweeps} sweeps: somebody still writes with it"
    )]
    StillWritten {
        /// How many are left.
        tokens: u64,
        /// How often it swept.
        sweeps: u32,
    },
    /// The version isn't in the state that it was put into.
    #[error("version {version} of `{secret}` is {state}, although it was just changed")]
    WrongState {
        /// The secret.
        secret: String,
        /// The version.
        version: VersionNumber,
        /// The state that it is in.
        state: platform::VersionState,
    },
    /// The backup can't be found again.
    #[error("the backup isn't there after it was made")]
    NoBackup,
    /// The run began somewhere else.
    #[error("the run began with another {what} than {setting} names now")]
    OtherPlace {
        /// What differs.
        what: &'static str,
        /// Where it is set.
        setting: &'static str,
    },
}

impl Error {
    pub(crate) fn database(operation: &'static str, source: reencrypt::Error) -> Error {
        Error::Database {
            operation,
            source: Box::new(source),
        }
    }
}

impl StepError for Error {
    fn reason(&self) -> &'static str {
        reason::reason(self)
    }

    fn hint(&self) -> Option<String> {
        hint::hint(self)
    }

    fn is_interruption(&self) -> bool {
        match self {
            Error::Database { source, .. } | Error::Reencryption { source, .. } => {
                matches!(**source, reencrypt::Error::Interrupted)
            }
            _ => false,
        }
    }
}

fn why(source: Option<&DatabaseUrlError>) -> String {
    source.map_or_else(
        || ": it is no text".to_owned(),
        |error| format!(": {error}"),
    )
}

fn and_others(others: usize) -> String {
    match others {
        0 => String::new(),
        others => format!(", and {others} more"),
    }
}

fn table_words(table: TableState) -> &'static str {
    match table {
        TableState::Untouched => "nothing was written to the table",
        TableState::RolledBack => "it was rolled back, and the table is as it was before",
        TableState::Unknown => {
            "its commit's answer was lost: the table is either wholly as before or wholly rewritten"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is stopped on purpose is no failure, wherever the database was.
    #[test]
    fn an_interruption_is_told_from_a_failure_of_the_database() {
        let looked = |source| Error::database("survey the table", source);
        let wrote = |source: reencrypt::Error| Error::Reencryption {
            table: TableState::RolledBack,
            source: Box::new(source),
        };
        assert!(looked(reencrypt::Error::Interrupted).is_interruption());
        assert!(wrote(reencrypt::Error::Interrupted).is_interruption());
        assert!(!looked(reencrypt::Error::ReadOnly).is_interruption());
        assert!(!wrote(reencrypt::Error::ReadOnly).is_interruption());
        assert!(!Error::CandidateLost.is_interruption());
    }

    #[test]
    fn a_re_encryption_that_failed_says_what_became_of_the_table() {
        let said = |table| {
            let source = Box::new(reencrypt::Error::ReadOnly);
            Error::Reencryption { table, source }.to_string()
        };
        let tables = [
            TableState::Untouched,
            TableState::RolledBack,
            TableState::Unknown,
        ];
        assert_eq!(
            tables.map(said),
            [
                "the re-encryption failed; nothing was written to the table",
                "the re-encryption failed; it was rolled back, and the table is as it was before",
                "the re-encryption failed; its commit's answer was lost: the table is either wholly \
                 as before or wholly rewritten",
            ]
        );
    }

    #[test]
    fn of_a_value_that_is_no_text_it_is_said() {
        let error = Error::NotAUrl {
            secret: "database-url".to_owned(),
            place: "version 2".to_owned(),
            source: None,
        };
        assert_eq!(
            error.to_string(),
            "`database-url` in version 2 is no database URL: it is no text"
        );
    }
}
