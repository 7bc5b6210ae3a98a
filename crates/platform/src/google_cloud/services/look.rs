//! A service as it is now, asked of Cloud Run.

use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use secret::SecretValue;

use super::CloudRun;
use super::answers::{RevisionAnswer, ServiceAnswer};
use super::bindings::{Bindings, Found};
use crate::google_cloud::gcloud::Call;
use crate::google_cloud::{CloudError, is_name};
use crate::{Binding, Bound, Error, Revision, Service};

impl CloudRun {
    /// The service's own answer.
    pub(super) async fn look(&self, service: &str) -> Result<Rc<ServiceAnswer>, Error> {
        let answer = self.ask(service).await?;
        Ok(self.remember(service, answer))
    }

    /// The same, once no traffic is on its way any more: another's cutover may be under way,
    /// and what is to serve is neither to be discarded nor left out of a comparison. Traffic
    /// that never arrives is waited for no longer than any.
    pub(super) async fn look_at_rest(&self, service: &str) -> Result<Rc<ServiceAnswer>, Error> {
        let is_at_rest = |answer: &ServiceAnswer| !answer.has_traffic_on_its_way();
        let limit = self.gcloud.settings.timeouts.traffic;
        self.look_until(service, limit, is_at_rest).await
    }

    /// The same, once this holds of it; as it is then, where it never does.
    pub(super) async fn look_until(
        &self,
        service: &str,
        limit: Duration,
        is_enough: impl Fn(&ServiceAnswer) -> bool,
    ) -> Result<Rc<ServiceAnswer>, Error> {
        let started = Instant::now();
        loop {
            let answer = self.look(service).await?;
            if is_enough(&answer) || started.elapsed() >= limit {
                return Ok(answer);
            }
            self.gcloud.pause().await;
        }
    }

    /// The service's own answer, to be kept by nobody else.
    pub(super) async fn ask(&self, service: &str) -> Result<ServiceAnswer, Error> {
        let unknown = || Error::NoSuchService {
            service: service.to_owned(),
        };
        if !is_name(service) {
            return Err(unknown());
        }
        let action = format!("look at the service `{service}`");
        let call = Call::new(action, &["run", "services", "describe", service]);
        match self.gcloud.ask_for(&call).await {
            Err(failure) if failure.is_not_found() => Err(unknown()),
            answer => answer.map_err(|failure| self.error(failure)),
        }
    }

    /// Keeps an answer for a change that follows at once. Of a service at rest, it tells
    /// what the latest revision refers to as well: that needn't be asked.
    pub(super) fn remember(&self, service: &str, answer: ServiceAnswer) -> Rc<ServiceAnswer> {
        if let Some(revision) = answer.of_template() {
            let mut known = self.known_bindings.borrow_mut();
            let bindings = || Rc::new(Bindings::of(&answer.spec.template.spec));
            known.entry(revision.to_owned()).or_insert_with(bindings);
        }
        let answer = Rc::new(answer);
        self.fresh.keep(service, &answer);
        answer
    }

    /// A revision's own answer.
    pub(super) async fn look_at_revision(
        &self,
        service: &str,
        revision: &str,
    ) -> Result<RevisionAnswer, Error> {
        let unknown = || Error::NoSuchRevision {
            service: service.to_owned(),
            revision: revision.to_owned(),
        };
        if !is_name(revision) {
            return Err(unknown());
        }
        let action = format!("look at the revision `{revision}` of `{service}`");
        let call = Call::new(action, &["run", "revisions", "describe", revision]);
        let answer = match self.gcloud.ask(&call).await {
            Ok(answer) => answer,
            Err(failure) if failure.is_not_found() => return Err(unknown()),
            Err(failure) => return Err(self.error(failure)),
        };
        let revision_answer: RevisionAnswer =
            answer.json().map_err(|failure| self.error(failure))?;
        let bindings = Rc::new(Bindings::of(&revision_answer.spec));
        self.known_bindings
            .borrow_mut()
            .insert(revision.to_owned(), bindings);
        Ok(revision_answer)
    }

    /// What a revision refers to. It can't change, so it is asked once.
    pub(super) async fn bindings(
        &self,
        service: &str,
        revision: &str,
    ) -> Result<Rc<Bindings>, Error> {
        if let Some(bindings) = self.known_bindings.borrow().get(revision) {
            return Ok(Rc::clone(bindings));
        }
        let answer = self.look_at_revision(service, revision).await?;
        Ok(Rc::new(Bindings::of(&answer.spec)))
    }

    /// The name of the revision that serves.
    pub(super) fn serving(&self, service: &str, answer: &ServiceAnswer) -> Result<String, Error> {
        let serving = answer.serving().map(|(name, _)| name.to_owned());
        serving.ok_or_else(|| {
            let action = format!("find the revision that `{service}` serves with");
            let what = "none has traffic".to_owned();
            CloudError::Unexpected { action, what }.into()
        })
    }

    /// Refuses traffic that somebody has split: which of its revisions a rotation is to
    /// build on, and that the others end, is for a person to say.
    pub(super) fn refuse_split(&self, service: &str, answer: &ServiceAnswer) -> Result<(), Error> {
        if !answer.is_split() {
            return Ok(());
        }
        let serving = self.serving(service, answer)?;
        let share = answer.share(&serving);
        let service = service.to_owned();
        Err(CloudError::TrafficSplit {
            service,
            serving,
            share,
        }
        .into())
    }

    /// The answer, with what each of the revisions reads: they are asked side by side.
    pub(super) async fn described(
        &self,
        service: &str,
        answer: &ServiceAnswer,
        binding: &Binding,
    ) -> Result<Service, Error> {
        let serving = self.serving(service, answer)?;
        let mut names = answer.reachable();
        names.sort_by_key(|name| *name != serving);
        let asked = names.iter().map(|name| self.bindings(service, name));
        let found = try_join_all(asked).await?;
        let mut revisions = Vec::new();
        for (name, bindings) in names.into_iter().zip(&found) {
            let bound = match bindings.find(binding) {
                Found::Bound(bound) => bound,
                // What doesn't serve may be older than the variable.
                Found::Nowhere | Found::OtherSecret if name != serving => Bound::Inline,
                other => return Err(not_bound(service, &name, binding, &other)),
            };
            revisions.push(Revision { name, bound });
        }
        let bound = revisions.first().map_or(Bound::Inline, |one| one.bound);
        Ok(Service {
            ready: self.is_ready(service, answer, &serving).await?,
            is_unsettled: false,
            serving,
            bound,
            revisions,
        })
    }

    /// Whether the serving revision is really up, and nothing is under way.
    ///
    /// A newer revision that failed for good leaves the service's condition at
    /// `False` though the serving one is as it was: that one is asked then.
    pub(super) async fn is_ready(
        &self,
        service: &str,
        answer: &ServiceAnswer,
        serving: &str,
    ) -> Result<bool, Error> {
        let has_all = answer.serving() == Some((serving, 100)) && answer.is_to_serve(serving);
        let status = answer.condition("Ready").map(|ready| ready.status.as_str());
        if !answer.is_observed() || !has_all {
            return Ok(false);
        }
        let created = &answer.status.latest_created_revision_name;
        match status {
            Some("True") => Ok(*created == answer.status.latest_ready_revision_name),
            Some("False") if created.as_deref() != Some(serving) => {
                let revision = self.look_at_revision(service, serving).await?;
                Ok(revision.ready().is_some_and(|ready| ready.status == "True"))
            }
            _ => Ok(false),
        }
    }

    /// A variable's value that stands in the revision itself.
    pub(super) async fn literal(
        &self,
        service: &str,
        revision: &str,
        variable: &str,
    ) -> Result<SecretValue, Error> {
        let answer = self.look_at_revision(service, revision).await?;
        let mut variables = answer.spec.containers.iter().flat_map(|one| &one.env);
        let found = variables.find(|one| one.name == variable);
        let value = found.and_then(|one| one.value.as_deref());
        value
            .map(|value| SecretValue::from(value.as_bytes()))
            .ok_or_else(|| variable_error(service, revision, variable, "has no value of its own"))
    }
}

fn not_bound(service: &str, revision: &str, binding: &Binding, found: &Found) -> Error {
    let what = match found {
        Found::OtherSecret => "is bound to another secret",
        Found::UnknownKey => "is bound to a version that is neither `latest` nor a number",
        Found::Nowhere | Found::Bound(_) => "is not set",
    };
    variable_error(service, revision, &binding.variable, what)
}

fn variable_error(service: &str, revision: &str, variable: &str, what: &'static str) -> Error {
    let error = CloudError::Variable {
        service: service.to_owned(),
        revision: revision.to_owned(),
        variable: variable.to_owned(),
        what,
    };
    error.into()
}
