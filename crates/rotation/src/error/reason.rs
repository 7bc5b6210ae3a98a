//! What a journal says of a failed step: texts that can't hold a secret.

use reencrypt::TableState;

use super::Error;

/// Of a re-encryption that changed nothing.
pub(crate) const NOT_WRITTEN: &str = "the re-encryption failed before it wrote";
/// Of one whose transaction was seen not to be committed.
pub(crate) const ROLLED_BACK: &str = "the re-encryption was rolled back";

pub(super) fn reason(error: &Error) -> &'static str {
    match error {
        Error::Platform(error) => error.what(),
        Error::Journal(_) => "the journal could not be written",
        Error::MissingFact(_) | Error::NoVersion => "the journal lacks something",
        Error::Name(_) => "something has a name that no journal may hold",
        Error::Database { operation, .. } => match *operation {
            "connect to the database" => "the database could not be reached",
            "check the table" => "the table can't be re-encrypted as it is",
            _ => "the table could not be surveyed",
        },
        Error::Reencryption { table, .. } => match table {
            TableState::Untouched => NOT_WRITTEN,
            TableState::RolledBack => ROLLED_BACK,
            TableState::Unknown => "the answer to the commit was lost",
        },
        Error::Keyring(_) => "the old key and the new key are the same",
        Error::NotAKey { .. } => "a version holds no key",
        Error::Empty { .. } => "a version is empty",
        Error::RefusedByIssuer { .. } => "the issuer refused the value",
        Error::OldValueDead { .. } => "the issuer refused the old value",
        Error::OldLoginDead { .. } => "the database refused the old login",
        Error::Unchanged { .. } => "the candidate is the value in use",
        Error::NoClientId { .. } => "the client's id could not be read",
        Error::Login(_) | Error::NotAUrl { .. } => "a version holds no URL with a login",
        Error::LoginRefused { .. } => "the database refused a login",
        Error::RoleLacks { .. } => "a role lacks a privilege",
        Error::SharedRole { .. } => "another secret has the same role",
        Error::NoSecondRole { .. } => "the role may not create roles",
        Error::NotRevoked { .. } => "the old value is not revoked",
        Error::StillAdmitted { .. } => "a service is not closed",
        Error::NotAdmitted { .. } => "a service is not open again",
        Error::Closed { .. } => "the services are closed",
        Error::RevocationAsked => "the value in use is about to be revoked",
        Error::NotRestarted { .. } => "a service is still to be restarted",
        Error::NoCallerList => "the list of callers is gone",
        Error::CallerList { .. } => "the list of callers can't be read",
        Error::StillAccepted { .. } => "the old login still works",
        Error::WrongPlan => "a step belongs to another rotation",
        Error::NotInStore { .. } => "a service doesn't read the store",
        Error::DifferentVersions { .. } => "the services read different versions",
        Error::VersionGone { .. } => "a version is gone from the store",
        Error::OldVersionGone { .. } => "the old version is destroyed",
        Error::NotReady { .. } => "a service was not ready",
        Error::WrongRevision { .. } => "a service served with another revision",
        Error::ReadBack { .. } => "a version was read back with another value",
        Error::ForeignVersion { .. } => "somebody else added a version",
        Error::CandidateLost => "the candidate was lost with its process",
        Error::StillRead { .. } => "a revision still reads the version",
        Error::TokensUnder { .. } => "tokens are still under the key",
        Error::Unreadable { .. } => "cells can't be read with any of the keys",
        Error::StillWritten { .. } => "somebody still writes with the old key",
        Error::WrongState { .. } => "a version is not in the state it was put into",
        Error::NoBackup => "the backup could not be found again",
        Error::OtherPlace { .. } => "it was to go on in another place",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// They tell apart what came before anything was looked at from what was found.
    #[test]
    fn each_use_of_the_database_has_a_reason_of_its_own() {
        let of = |operation| reason(&Error::database(operation, reencrypt::Error::ReadOnly));
        let operations = ["connect to the database", "check the table", "survey"];
        assert_eq!(
            operations.map(of),
            [
                "the database could not be reached",
                "the table can't be re-encrypted as it is",
                "the table could not be surveyed",
            ]
        );
    }
}
