//! What to do about a failed step, beyond resuming or rolling back.

use secret::DatabaseUrlError;

use super::Error;
use crate::same_place::STORE;

pub(super) fn hint(error: &Error) -> Option<String> {
    match error {
        Error::Platform(error) => error.hint(),
        Error::Database { source, .. } | Error::Reencryption { source, .. } => source.hint(),
        Error::NotAKey { source, .. } => source.hint().map(ToOwned::to_owned),
        Error::Unreadable { .. } => Some(
            "`cargo xtask survey-dcr` lists them; what is under the key of another version, or under one that you \
             have elsewhere, `cargo xtask rotate-dcr --platform none` puts \
             under the key in use; what no key opens, put right, or delete rows that nobody needs"
                .to_owned(),
        ),
        Error::ForeignVersion { secret, version } => Some(format!(
            "ask who added version {version} of `{secret}`, if it wasn't a run that was abandoned or lost; if \
             nobody needs it, `cargo xtask disable-version {secret} {version}` disables it"
        )),
        Error::Login(error) => error.hint().map(str::to_owned),
        Error::NotAUrl { source, .. } => {
            let hint = source.as_ref().and_then(DatabaseUrlError::hint);
            hint.map(str::to_owned)
        }
        Error::SharedRole { neighbour, .. } => Some(format!(
            "give each secret a role of its own first: a new password for one would shut out the \
             services that read `{neighbour}`"
        )),
        Error::NoSecondRole { role, .. } => Some(format!(
            "let an administrator run `ALTER ROLE \"{role}\" CREATEROLE`, or rotate with `--in-place`"
        )),
        Error::RoleLacks { like, missing, .. } if missing.starts_with("$user") => Some(format!(
            "let an administrator name the schemas, as in `ALTER ROLE \"{like}\" SET search_path = \
             \"{like}\", public` (with `IN DATABASE`, if it is set so), which is carried over; or rotate \
             with `--in-place`"
        )),
        Error::RoleLacks { role, missing, .. } if !is_privilege(missing) => Some(format!(
            "an administrator can do that, by `ALTER ROLE \"{role}\" …`, if that role is there; or rotate \
             with `--in-place`"
        )),
        Error::RoleLacks { role, like, .. } => Some(format!(
            "where it is a privilege, let an administrator grant it to `{like}` WITH GRANT OPTION, or to \
             `{role}` if that is there; rotated with `--in-place`, the role stays the same one"
        )),
        Error::NoCallerList | Error::CallerList { .. } => Some(
            "write `callers.csv` beside the journal anew: the line `service,caller`, then one such line \
             for each caller of each service"
                .to_owned(),
        ),
        Error::NotRevoked { .. } => Some(
            "ask those who issued it once more: until it is revoked, whoever has it can use it"
                .to_owned(),
        ),
        Error::StillAdmitted { service, .. } => Some(format!(
            "ask who admitted them to `{service}` meanwhile: going on shuts them out once more"
        )),
        Error::StillAccepted { .. } => Some(
            "somebody gave the role this password again: resuming locks it out once more".to_owned(),
        ),
        Error::RefusedByIssuer { place, .. } if place == "the candidate" => Some(
            "see that the whole value was given, and that it was issued for this client; ask those \
             who issued it"
                .to_owned(),
        ),
        Error::OldValueDead { secret, .. } => Some(format!(
            "the services stay with the new value; if that is no good, ask those who issue it for another \
             one, bring this run to its end (with `soak = \"0s\"` in the settings it waits no longer), \
             and give that to `cargo xtask rotate-secret {secret}`"
        )),
        Error::OldLoginDead { role, version, .. } => Some(format!(
            "the services stay with the new login; to go back all the same, let an administrator \
             let `{role}` in again, with the password of version {version}"
        )),
        Error::Unchanged { .. } => {
            Some("ask those who issue it for a new value, and give that one".to_owned())
        }
        Error::NotInStore { service, .. } => Some(format!(
            "ask who put it into the configuration of `{service}`; keep a copy if a token may be \
             under it, then put back the value that was there"
        )),
        Error::OtherPlace { what: STORE, setting } => Some(format!(
            "set {setting} as it was when the run began; if it is as it was, somebody emptied or \
             replaced that store: put back from a backup what it had, or, if that is lost and the \
             services work with what they have, `cargo xtask abandon` ends the run"
        )),
        Error::VersionGone { .. } => Some(
            "put back from a backup what the store had; if that is lost and the services work with what \
             they have, `cargo xtask abandon` ends the run"
                .to_owned(),
        ),
        Error::OtherPlace { what, setting } => Some(format!(
            "set {setting} as it was when the run began; the journal has the {what} among its facts, a file \
             by its way from the store"
        )),
        Error::NotReady { service } => Some(format!(
            "wait until nothing is under way for `{service}`, and see that it runs"
        )),
        Error::StillRead { service, .. } => Some(format!(
            "look who changed `{service}`: this run moved it to the other version"
        )),
        Error::TokensUnder { .. } | Error::StillWritten { .. } => Some(
            "find the instance that still runs with the old key and stop it; resuming sweeps again"
                .to_owned(),
        ),
        Error::Journal(error) => Some(error.hint().to_owned()),
        Error::MissingFact(_) | Error::NoVersion | Error::WrongPlan => {
            Some("go on with the build that began the run".to_owned())
        }
        Error::NoClientId { secret, variable } => Some(format!(
            "set {variable}, or add the id to the store as `{secret}`"
        )),
        Error::LoginRefused { secret, .. } => Some(format!(
            "did somebody else give the role another password? If that of another version of `{secret}` \
             logs in, have the services read that one"
        )),
        Error::DifferentVersions { secret, .. } => Some(format!(
            "deploy the services so that all of them read one version of `{secret}`"
        )),
        Error::Closed { .. } => Some(
            "going on, or back, lets them in again; where it can't, let those in who stand in `callers.csv` \
             beside the journal; the line of somebody who is no more can be taken out of that"
                .to_owned(),
        ),
        Error::RevocationAsked => Some(
            "go on when there is a new value; if the services were given one by hand, and restarted with it, \
             say so with `--done`"
                .to_owned(),
        ),
        Error::NotRestarted { services } => Some(format!(
            "restart `{services}`, and say so with `--done`"
        )),
        // A run says how it goes on, and that is all there is to say.
        Error::Name(_)
        | Error::Keyring(_)
        | Error::Empty { .. }
        | Error::RefusedByIssuer { .. }
        | Error::NotAdmitted { .. }
        | Error::OldVersionGone { .. }
        | Error::WrongRevision { .. }
        | Error::ReadBack { .. }
        | Error::CandidateLost
        | Error::WrongState { .. }
        | Error::NoBackup => None,
    }
}

/// Whether what a role lacks can be granted, as settings of its own can't.
fn is_privilege(missing: &str) -> bool {
    let others = ["SET ", "RESET ", "VALID UNTIL "];
    !others.iter().any(|other| missing.starts_with(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever gave the value can look at it again; nobody gave the one in use just now.
    #[test]
    fn only_of_the_candidate_it_is_said_to_look_at_what_was_given() {
        let refused = |place: &str| {
            hint(&Error::RefusedByIssuer {
                secret: "gma-client-secret".to_owned(),
                place: place.to_owned(),
                issuer: "https://sso.example.com".to_owned(),
                client: "agent".to_owned(),
            })
        };
        let said = refused("the candidate").unwrap();
        assert!(said.contains("the whole value was given"), "{said}");
        assert_eq!(refused("version 2"), None);
    }
}
