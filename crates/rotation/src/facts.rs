//! The names of the facts that steps record for each other. They stand in
//! journals: a change of one makes unfinished runs unreadable.

use reencrypt::Column;

use crate::secrets::Role;

/// What the store calls the secret.
pub(crate) const SECRET: &str = "secret";
/// Where the database is.
pub(crate) const DATABASE: &str = "database";
/// Where the file of the services' configuration is.
pub(crate) const CONFIGURATION: &str = "file of variables";
/// Where the services and the secrets are, where no file says so.
pub(crate) const PLACE: &str = "place";
/// The backup that was found or made.
pub(crate) const BACKUP: &str = "backup";
/// When it was taken.
pub(crate) const BACKUP_TAKEN_AT: &str = "backup taken at";
/// The version that the consumers read when the run began.
pub(crate) const OLD_VERSION: &str = "old version";
/// Its key.
pub(crate) const OLD_KEY: &str = "old key";
/// The candidate's key.
pub(crate) const NEW_KEY: &str = "new key";
/// The newest version right before the candidate was stored, where the candidate has no
/// fingerprint to be known by.
pub(crate) const LATEST_BEFORE: &str = "latest version before";
/// The version that the candidate was stored as.
pub(crate) const NEW_VERSION: &str = "new version";
/// The version as which a rollback stored the old value again.
pub(crate) const REPUBLISHED_VERSION: &str = "old value stored again as";
/// The version that the services have been given back, before people restart them.
pub(crate) const SENT_BACK: &str = "services have again";
/// The same, where somebody had changed that after people restarted them.
pub(crate) const SENT_BACK_AGAIN: &str = "services have once more";
/// The role that was in use when the run began.
pub(crate) const OLD_ROLE: &str = "old role";
/// The role that takes over.
pub(crate) const NEW_ROLE: &str = "new role";
/// Whether that was there before: `absent` or `idle`.
pub(crate) const ROLE_BEFORE: &str = "new role, before";
/// The role whose turn it isn't, which gets the password that follows from the new one.
pub(crate) const IDLE_ROLE: &str = "idle role";
/// The version whose login it was made ready for, once that has come to its end.
pub(crate) const ROLE_READY: &str = "new role is ready for version";
/// Callers that were on the services' lists before those were closed.
pub(crate) const CALLERS_REFUSED: &str = "callers refused";
/// When the services were opened to them again.
pub(crate) const OPENED: &str = "services opened again";
/// The version after whose password the sessions of the one before were ended.
pub(crate) const SESSIONS_ENDED: &str = "sessions ended for version";
/// Rows in the table when it was surveyed.
pub(crate) const CLIENTS: &str = "clients";
/// Clients whose secrets have to be issued anew.
pub(crate) const CLIENTS_LISTED: &str = "clients to issue anew";
/// Tokens under the old key when it was surveyed.
pub(crate) const TOKENS_UNDER_OLD_KEY: &str = "tokens under the old key before";
/// Tokens that the re-encryption wrote.
pub(crate) const REENCRYPTED: &str = "tokens re-encrypted";
/// When the commit of the re-encryption was sent.
pub(crate) const COMMITTED_AT: &str = "re-encryption committed at";
/// When all traffic had moved to the new version.
pub(crate) const CUT_OVER_AT: &str = "cut over at";
/// Tokens that the sweep wrote.
pub(crate) const SWEPT: &str = "tokens swept";
/// Tokens that the verification opened with the new key alone.
pub(crate) const VERIFIED: &str = "tokens verified";
/// Other versions with the old value, which are retired with it: `3-5`.
pub(crate) const COPIES: &str = "copies of the old version";
/// When the old version may be retired.
pub(crate) const SOAK_ENDS: &str = "soak ends";

/// The names of what is known of one consumer.
pub(crate) struct OfConsumer {
    /// What the platform calls it.
    pub(crate) service: &'static str,
    /// What it was bound to before the run.
    pub(crate) bound_before: &'static str,
    /// The revision that reads the new version.
    pub(crate) new_revision: &'static str,
    /// The revision that its traffic stays at by name, where it can't be given back.
    pub(crate) stays_at: &'static str,
}

pub(crate) fn of_consumer(role: Role) -> OfConsumer {
    match role {
        Role::Agent => OfConsumer {
            service: "agent",
            bound_before: "agent bound to, before",
            new_revision: "new revision of the agent",
            stays_at: "agent stays pinned to",
        },
        Role::Handler => OfConsumer {
            service: "handler",
            bound_before: "handler bound to, before",
            new_revision: "new revision of the handler",
            stays_at: "handler stays pinned to",
        },
    }
}

/// The names of what is known of the cells of one column.
pub(crate) struct OfColumn {
    /// All cells, at the re-encryption; the others of this group add up to it.
    pub(crate) scanned: &'static str,
    pub(crate) reencrypted: &'static str,
    pub(crate) already_current: &'static str,
    pub(crate) empty: &'static str,
    pub(crate) unreadable: &'static str,
    /// All cells, at the verification; the others of this group add up to it.
    pub(crate) verified: &'static str,
    pub(crate) verified_current: &'static str,
    pub(crate) verified_empty: &'static str,
}

macro_rules! of_column {
    ($column:literal) => {
        OfColumn {
            scanned: concat!("cells scanned in ", $column),
            reencrypted: concat!("cells re-encrypted in ", $column),
            already_current: concat!("cells under the new key before in ", $column),
            empty: concat!("cells empty in ", $column),
            unreadable: concat!("cells unreadable in ", $column),
            verified: concat!("cells verified in ", $column),
            verified_current: concat!("cells verified under the new key in ", $column),
            verified_empty: concat!("cells verified to be empty in ", $column),
        }
    };
}

pub(crate) fn of_column(column: Column) -> OfColumn {
    match column {
        Column::ClientSecret => of_column!("client_secret_encrypted"),
        Column::RegistrationAccessToken => of_column!("registration_access_token_encrypted"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_columns_have_their_own_names() {
        for column in Column::ALL {
            let names = of_column(column);
            for name in [names.scanned, names.verified, names.unreadable] {
                assert!(name.ends_with(&format!(" in {column}")), "{name}");
            }
        }
    }
}
