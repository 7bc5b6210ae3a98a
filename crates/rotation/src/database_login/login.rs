//! The logins of a run: the URL of each version, and what the server says to it.

use platform::database_roles::{DatabaseRoles, Login, Missing, other_role};
use runbook::Facts;
use secret::{DatabaseUrl, SecretValue, VersionNumber};

use super::check::url_in_use;
use super::{Logins, Mode};
use crate::context::{Context, new_version, old_version};
use crate::error::Error;
use crate::facts;
use crate::material::{Found, Material};

impl Context {
    /// The roles of the server.
    ///
    /// # Errors
    ///
    /// In a rotation of another secret: a plan that was put together wrongly.
    pub(super) fn logins(&self) -> Result<&Logins, Error> {
        match &self.material {
            Material::Login(logins) => Ok(logins),
            Material::Key(_) | Material::ClientSecret(_) => Err(Error::WrongPlan),
        }
    }

    pub(super) fn roles(&self) -> Result<&dyn DatabaseRoles, Error> {
        Ok(self.logins()?.roles.as_ref())
    }

    /// The URL of an enabled version.
    pub(super) async fn url(&self, version: VersionNumber) -> Result<DatabaseUrl, Error> {
        let value = self.value(version).await?;
        self.url_in(&value, &format!("version {version}"))
    }

    /// The value as a URL of this server. `place` is where the value was found.
    pub(super) fn url_in(&self, value: &SecretValue, place: &str) -> Result<DatabaseUrl, Error> {
        url_of(self.logins()?, self.found(value, place))
    }

    /// The URL that was in use when the run began, and the one that takes its place.
    pub(super) async fn urls(&self, facts: &Facts) -> Result<(DatabaseUrl, DatabaseUrl), Error> {
        let old = self.url(old_version(facts)?).await?;
        Ok((old, self.url(new_version(facts)?).await?))
    }

    /// Whether the server lets this URL in.
    pub(super) async fn is_accepted(&self, url: &DatabaseUrl) -> Result<bool, Error> {
        let login = self.roles()?.log_in(url, None).await?;
        Ok(matches!(login, Login::Accepted(_)))
    }

    /// Sees that the server lets this URL in, with all that the role of the other one
    /// may do.
    pub(super) async fn expect_login(
        &self,
        url: &DatabaseUrl,
        like: &DatabaseUrl,
        place: &str,
    ) -> Result<(), Error> {
        let login = self.roles()?.log_in(url, Some(like.user()?)).await?;
        match login {
            Login::Accepted(accepted) => refuse_lack(url.user()?, like.user()?, &accepted.missing),
            Login::Refused(source) => Err(Error::LoginRefused {
                secret: self.store.name.clone(),
                place: place.to_owned(),
                role: url.user()?.to_owned(),
                source,
            }),
        }
    }
}

/// Refuses a role that can't do what another one can.
pub(super) fn refuse_lack(role: &str, like: &str, missing: &[Missing]) -> Result<(), Error> {
    match missing.first() {
        None => Ok(()),
        Some(first) => Err(Error::RoleLacks {
            role: role.to_owned(),
            like: like.to_owned(),
            missing: first.to_string(),
            others: missing.len() - 1,
        }),
    }
}

/// The value as a database URL with a login.
pub(crate) fn url_of(logins: &Logins, found: Found<'_>) -> Result<DatabaseUrl, Error> {
    let not_a_url = |source| Error::NotAUrl {
        secret: found.secret.to_owned(),
        place: found.place.to_owned(),
        source,
    };
    match found.value.database_url() {
        None => Err(not_a_url(None)),
        Some(Err(error)) => Err(not_a_url(Some(error))),
        Some(Ok(url)) => {
            url.password()?;
            Ok(match &logins.socket_folder {
                Some(folder) => url.through_socket_in(folder),
                None => url,
            })
        }
    }
}

/// Refuses while the server lets the URL in: whoever has it could use it.
pub(crate) async fn refuse_if_accepted(
    logins: &Logins,
    found: Found<'_>,
    version: VersionNumber,
) -> Result<(), Error> {
    let url = url_of(logins, found)?;
    match logins.roles.log_in(&url, None).await? {
        Login::Refused(_) => Ok(()),
        Login::Accepted(_) => Err(Error::StillAccepted {
            secret: found.secret.to_owned(),
            version,
            role: url.user()?.to_owned(),
        }),
    }
}

/// Whether the role of a value is on the server no more: then nobody logs in with that, though
/// the server may not even let anybody try.
pub(crate) async fn is_role_gone(context: &Context, found: Found<'_>) -> bool {
    let look = async {
        let logins = context.logins()?;
        let role = url_of(logins, found)?.user()?.to_owned();
        let described = context.describe_all().await?;
        let in_use = url_in_use(context, &described).await?;
        Ok::<_, Error>(logins.roles.role(&in_use, &role).await?.is_none())
    };
    look.await.unwrap_or(false)
}

/// Whether this may be the URL that this run has generated: the one that was in use, with
/// the login of the role that takes over.
pub(crate) async fn is_candidate(
    context: &Context,
    facts: &Facts,
    value: &SecretValue,
) -> Result<bool, Error> {
    let Some(Ok(url)) = value.database_url() else {
        return Ok(false);
    };
    let old = context.url(old_version(facts)?).await?;
    let role = facts.name(facts::NEW_ROLE)?;
    let Ok(password) = url.password() else {
        return Ok(false);
    };
    Ok(SecretValue::from(&old.with_login(role, &password)?) == *value)
}

/// The role that is to take over from the one that this URL logs in as.
pub(super) fn next_role(url: &DatabaseUrl, mode: Mode) -> Result<String, Error> {
    let role = url.user()?;
    Ok(match mode {
        Mode::Alternate => other_role(role),
        Mode::InPlace => role.to_owned(),
    })
}
