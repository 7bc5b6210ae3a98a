//! The store: Secret Manager.

mod add;
mod answers;
#[cfg(any(test, fuzzing))]
pub(super) mod properties;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use async_trait::async_trait;
use secret::{SecretValue, VersionNumber, Versioned};

use self::answers::{AccessAnswer, VersionAnswer};
use super::failure::{Failure, Kind};
use super::gcloud::{ATTEMPTS, Call, Gcloud};
use super::{CloudError, is_name};
use crate::error::wrong_state;
use crate::{Error, Reference, SecretStore, Version, VersionState};

/// Secret Manager. Its `latest` is the version created last, whatever its state.
#[derive(Clone, Debug)]
pub(super) struct SecretManager {
    gcloud: Arc<Gcloud>,
    /// The newest version of each secret whose versions were listed, for the addition
    /// that follows.
    newest: Rc<RefCell<HashMap<String, VersionNumber>>>,
}

impl SecretManager {
    pub(super) fn new(gcloud: Arc<Gcloud>) -> SecretManager {
        SecretManager {
            gcloud,
            newest: Rc::default(),
        }
    }

    /// A version's number and state, without its value.
    pub(super) async fn state(&self, secret: &str, reference: Reference) -> Result<Version, Error> {
        let action = format!("look at version {reference} of the secret `{secret}`");
        let call = about_version(action, "describe", secret, &reference.to_string())?;
        let asked = self.gcloud.ask(&call).await;
        let answer = asked.map_err(|failure| self.failed(failure, secret, reference))?;
        let found: VersionAnswer = answer.json().map_err(|failure| self.error(failure))?;
        found
            .version()
            .ok_or_else(|| unexpected(&call, "a version"))
    }

    /// The version is to be readable when an instance starts now.
    pub(super) async fn check_enabled(
        &self,
        secret: &str,
        reference: Reference,
    ) -> Result<VersionNumber, Error> {
        let version = self.state(secret, reference).await?;
        if version.state == VersionState::Enabled {
            return Ok(version.number);
        }
        Err(wrong_state(secret, &version))
    }

    async fn change(
        &self,
        secret: &str,
        version: VersionNumber,
        to: VersionState,
    ) -> Result<(), Error> {
        let reference = Reference::Number(version);
        let call = SecretManager::changing(secret, &version.to_string(), to)?;
        let called = self.gcloud.call(&call).await;
        let changed = called.and_then(|answer| answer.json::<VersionAnswer>());
        let Err(failure) = changed else {
            return Ok(());
        };
        if !failure.is_unsettled() && !matches!(failure.kind, Kind::Precondition) {
            return Err(self.failed(failure, secret, reference));
        }
        // It may be there already, or have happened although nobody said so.
        let found = self.state(secret, reference).await?;
        if found.state == to {
            return Ok(());
        }
        if found.state == VersionState::Destroyed {
            return Err(wrong_state(secret, &found));
        }
        Err(self.error(failure))
    }

    /// The change of a version's state, by its number or by what stands for that.
    pub(super) fn changing(
        secret: &str,
        version: &str,
        to: VersionState,
    ) -> Result<Call<'static>, Error> {
        let verb = match to {
            VersionState::Enabled => "enable",
            VersionState::Disabled => "disable",
            VersionState::Destroyed => "destroy",
        };
        let action = format!("{verb} version {version} of the secret `{secret}`");
        about_version(action, verb, secret, version)
    }

    async fn read(
        &self,
        secret: &str,
        reference: Reference,
    ) -> Result<Versioned<SecretValue>, Error> {
        let action = format!("read version {reference} of the secret `{secret}`");
        let call = about_version(action, "access", secret, &reference.to_string())?;
        let answer = match self.gcloud.ask(&call).await {
            Ok(answer) => answer,
            Err(failure) if matches!(failure.kind, Kind::Precondition) => {
                // Its state, and which version `latest` is.
                self.check_enabled(secret, reference).await?;
                return Err(self.error(failure));
            }
            Err(failure) => return Err(self.failed(failure, secret, reference)),
        };
        let read: AccessAnswer<'_> = answer.json().map_err(|failure| self.error(failure))?;
        read.value().ok_or_else(|| unexpected(&call, "a value"))
    }

    /// All versions, the newest first.
    async fn list(&self, secret: &str) -> Result<Vec<Version>, Failure> {
        let action = format!("list the versions of the secret `{secret}`");
        for _ in 0..ATTEMPTS {
            let versions = self.list_once(secret, &action).await?;
            // Of an answer that is cut off in its headers, `gcloud` makes an empty list.
            if !versions.is_empty() || self.has_none(secret, &action).await? {
                return Ok(versions);
            }
        }
        Err(Failure {
            kind: Kind::Unavailable,
            message: "none is listed, and there is one".to_owned(),
            action,
        })
    }

    /// Whether the secret has no version at all, or isn't there.
    async fn has_none(&self, secret: &str, action: &str) -> Result<bool, Failure> {
        let words = ["secrets", "versions", "describe", "latest"];
        let call = Call::new(action.to_owned(), &words).with(format!("--secret={secret}"));
        match self.gcloud.ask(&call).await {
            Ok(_) => Ok(false),
            Err(failure) if failure.is_not_found() => Ok(true),
            Err(failure) => Err(failure),
        }
    }

    async fn list_once(&self, secret: &str, action: &str) -> Result<Vec<Version>, Failure> {
        let action = action.to_owned();
        let call = Call::new(action, &["secrets", "versions", "list", secret]);
        let answer = self.gcloud.ask(&call).await?;
        let mut versions = Vec::new();
        for one in answer.json::<Vec<VersionAnswer>>()? {
            versions.push(one.version().ok_or_else(|| Failure {
                kind: Kind::Unreadable,
                message: "a version that is none".to_owned(),
                action: call.action.clone(),
            })?);
        }
        versions.sort_by_key(|version| std::cmp::Reverse(version.number));
        Ok(versions)
    }

    fn failed(&self, failure: Failure, secret: &str, reference: Reference) -> Error {
        if failure.is_not_found() {
            let secret = secret.to_owned();
            return Error::NoSuchVersion { secret, reference };
        }
        self.error(failure)
    }

    fn error(&self, failure: Failure) -> Error {
        failure.into_error(&self.gcloud.settings.gcloud)
    }
}

fn about_version(
    action: String,
    verb: &str,
    secret: &str,
    reference: &str,
) -> Result<Call<'static>, Error> {
    check_name(secret)?;
    let call = Call::new(action, &["secrets", "versions", verb, reference]);
    Ok(call.with(format!("--secret={secret}")))
}

fn check_name(secret: &str) -> Result<(), Error> {
    if is_name(secret) && !secret.contains(['.', ':']) {
        return Ok(());
    }
    Err(CloudError::Name { what: "secret" }.into())
}

fn unexpected(call: &Call<'_>, what: &str) -> Error {
    let error = CloudError::Unexpected {
        action: call.action.clone(),
        what: format!("not {what}"),
    };
    error.into()
}

#[async_trait(?Send)]
impl SecretStore for SecretManager {
    async fn versions(&self, secret: &str) -> Result<Vec<Version>, Error> {
        check_name(secret)?;
        let versions = match self.list(secret).await {
            Err(failure) if failure.is_not_found() => Vec::new(),
            other => other.map_err(|failure| self.error(failure))?,
        };
        if let Some(newest) = versions.first() {
            let mut known = self.newest.borrow_mut();
            known.insert(secret.to_owned(), newest.number);
        }
        Ok(versions)
    }

    async fn access(
        &self,
        secret: &str,
        reference: Reference,
    ) -> Result<Versioned<SecretValue>, Error> {
        self.read(secret, reference).await
    }

    async fn add(&self, secret: &str, value: &SecretValue) -> Result<VersionNumber, Error> {
        check_name(secret)?;
        if value.is_empty() {
            let secret = secret.to_owned();
            return Err(Error::EmptyValue { secret });
        }
        self.add_once(secret, value).await
    }

    async fn disable(&self, secret: &str, version: VersionNumber) -> Result<(), Error> {
        let to = VersionState::Disabled;
        self.change(secret, version, to).await
    }

    async fn enable(&self, secret: &str, version: VersionNumber) -> Result<(), Error> {
        let to = VersionState::Enabled;
        self.change(secret, version, to).await
    }

    async fn destroy(&self, secret: &str, version: VersionNumber) -> Result<(), Error> {
        let to = VersionState::Destroyed;
        self.change(secret, version, to).await
    }
}
