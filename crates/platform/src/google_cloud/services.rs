//! The services: Cloud Run.

mod answers;
mod bindings;
mod callers;
mod change;
mod examine;
mod fresh;
mod look;
mod prepare;
#[cfg(any(test, fuzzing))]
pub(super) mod properties;
mod rehearse;
mod tags;
mod tidy;
mod traffic;
mod update;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use secret::{SecretValue, VersionNumber};

use self::bindings::Bindings;
pub(super) use self::examine::{Bond, Examined};
use self::fresh::Fresh;
pub(super) use self::rehearse::Rehearsed;
use self::traffic::Discarded;
use super::failure::Failure;
use super::gcloud::Gcloud;
use super::is_name;
use super::store::SecretManager;
use crate::{Binding, Bound, Error, Kept, Service, Services};

/// Cloud Run. Nothing is remembered but what can't change, the bindings of revisions
/// that were looked at, and for a moment what a change may begin with.
///
/// A revision that this tool made or took the traffic from is reachable under a tag
/// of its own (`rot-…`), by which a cutover and its undo find it. What `gcloud`
/// itself changes with every new revision stays: the image of the first container by
/// its digest, and annotations with the client's name and version.
pub(super) struct CloudRun {
    gcloud: Arc<Gcloud>,
    store: SecretManager,
    known_bindings: RefCell<HashMap<String, Rc<Bindings>>>,
    /// Two revisions each, and the variable in which alone they differ.
    alike: RefCell<HashSet<[String; 3]>>,
    /// Of each service, the revision that was prepared last, and the one that served then.
    bases: RefCell<HashMap<String, [String; 2]>>,
    fresh: Fresh,
}

impl CloudRun {
    pub(super) fn new(gcloud: Arc<Gcloud>, store: SecretManager) -> CloudRun {
        CloudRun {
            gcloud,
            store,
            known_bindings: RefCell::default(),
            alike: RefCell::default(),
            bases: RefCell::default(),
            fresh: Fresh::default(),
        }
    }

    fn error(&self, failure: Failure) -> Error {
        failure.into_error(&self.gcloud.settings.gcloud)
    }
}

#[async_trait(?Send)]
impl Services for CloudRun {
    async fn describe(&self, service: &str, binding: &Binding) -> Result<Service, Error> {
        let answer = self.look(service).await?;
        self.described(service, &answer, binding).await
    }

    async fn describe_at_rest(&self, service: &str, binding: &Binding) -> Result<Service, Error> {
        // Somebody else's revision may be about to start.
        let limit = self.gcloud.settings.timeouts.ready;
        let at_rest = self.look_until(service, limit, |answer| !answer.is_moving());
        let answer = at_rest.await?;
        self.described(service, &answer, binding).await
    }

    async fn describe_each(
        &self,
        service: &str,
        bindings: &[Binding],
    ) -> Result<Vec<Result<Service, Error>>, Error> {
        let answer = self.look(service).await?;
        let described = bindings
            .iter()
            .map(|binding| self.described(service, &answer, binding));
        Ok(join_all(described).await)
    }

    fn commands_to_bind(
        &self,
        service: &str,
        binding: &Binding,
        version: VersionNumber,
    ) -> Vec<String> {
        let settings = &self.gcloud.settings;
        let (variable, secret) = (&binding.variable, &binding.secret);
        let number = version.to_string();
        vec![
            settings.bind(service, variable, secret, &number),
            // Where somebody's change keeps traffic at another revision.
            settings.update_traffic(service, "--to-latest"),
        ]
    }

    fn command_to_send(&self, service: &str, revision: &str) -> Option<String> {
        let to = format!("--to-revisions={revision}=100");
        Some(self.gcloud.settings.update_traffic(service, &to))
    }

    async fn check_traffic(&self, service: &str) -> Result<(), Error> {
        let answer = self.look(service).await?;
        self.refuse_split(service, &answer)
    }

    async fn inline_value(&self, service: &str, variable: &str) -> Result<SecretValue, Error> {
        let answer = self.look(service).await?;
        let serving = self.serving(service, &answer)?;
        self.literal(service, &serving, variable).await
    }

    async fn prepare(&self, service: &str, binding: &Binding, to: Bound) -> Result<String, Error> {
        if !is_name(&binding.variable) || !is_name(&binding.secret) {
            let what = "variable or secret";
            return Err(super::CloudError::Name { what }.into());
        }
        self.make_ready(service, binding, to).await
    }

    async fn cut_over(&self, service: &str, revision: &str) -> Result<(), Error> {
        self.send_traffic(service, revision).await
    }

    async fn discard(&self, service: &str, revision: &str) -> Result<Option<Kept>, Error> {
        self.untag(service, Discarded::One(revision)).await
    }

    async fn discard_others(&self, service: &str) -> Result<Option<Kept>, Error> {
        self.untag(service, Discarded::Others).await
    }
}

/// A binding to a version, as `gcloud` takes it; the tag of its revision is made of it.
fn assignment(variable: &str, secret: &str, key: &str) -> String {
    format!("{variable}={secret}:{key}")
}

/// `latest` or the number, as Cloud Run has it.
fn key(service: &str, binding: &Binding, bound: Bound) -> Result<String, Error> {
    match bound {
        Bound::Latest => Ok("latest".to_owned()),
        Bound::Pinned(number) => Ok(VersionNumber::to_string(&number)),
        Bound::Inline => Err(Error::InlineRevision {
            service: service.to_owned(),
            variable: binding.variable.clone(),
        }),
    }
}
