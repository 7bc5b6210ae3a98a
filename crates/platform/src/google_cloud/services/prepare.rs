//! A new revision without traffic: made once, waited for, found again.

use std::rc::Rc;
use std::time::Instant;

use futures_util::future::try_join;

use super::answers::{Condition, ServiceAnswer};
use super::bindings::{Bindings, Found};
use super::change::conflict;
use super::tags::Tag;
use super::{CloudRun, assignment, key};
use crate::google_cloud::CloudError;
use crate::google_cloud::failure::one_line;
use crate::google_cloud::gcloud::ATTEMPTS;
use crate::{Binding, Bound, Error, Reference};

/// What is under the tag of the revision that is wanted.
struct Candidate<'a> {
    revision: &'a str,
    /// Whether this very call made it.
    is_ours: bool,
}

impl CloudRun {
    pub(super) async fn make_ready(
        &self,
        service: &str,
        binding: &Binding,
        to: Bound,
    ) -> Result<String, Error> {
        let key = key(service, binding, to)?;
        self.bases.borrow_mut().remove(service);
        let mut answer = self.look_at_rest(service).await?;
        self.refuse_split(service, &answer)?;
        let subject = assignment(&binding.variable, &binding.secret, &key);
        // What was under its tags before and isn't what is wanted.
        let mut stale = Vec::new();
        let mut refusal = None;
        for attempt in 0..=ATTEMPTS {
            if let Some(serving) = self.serves_already(service, &answer, binding, to).await? {
                self.check_readable(binding, to).await?;
                return Ok(serving);
            }
            while let Some(made) = Tag::find(&answer, &subject, &stale).map(str::to_owned) {
                let candidate = Candidate {
                    revision: &made,
                    is_ours: attempt > 0,
                };
                if self
                    .is_good(service, answer, binding, to, &candidate)
                    .await?
                {
                    return Ok(made);
                }
                stale.push(made);
                answer = self.look(service).await?;
            }
            if let Some(failure) = refusal {
                // In this program's own words, where it is the version's fault.
                self.check_readable(binding, to).await?;
                return Err(self.error(failure));
            }
            if attempt == ATTEMPTS {
                break;
            }
            let update = self.update(service, &answer, binding, &key).await?;
            let tried = self.try_revision(service, update).await?;
            (answer, refusal) = (tried.answer, tried.refusal);
        }
        Err(conflict(format!("make a revision of `{service}`")))
    }

    /// The version is to be readable when an instance starts. Of a revision that is
    /// being made, Cloud Run sees to that itself.
    async fn check_readable(&self, binding: &Binding, to: Bound) -> Result<(), Error> {
        let reference = match to {
            Bound::Pinned(number) => Reference::Number(number),
            Bound::Latest | Bound::Inline => Reference::Latest,
        };
        self.store.check_enabled(&binding.secret, reference).await?;
        Ok(())
    }

    async fn serves_already(
        &self,
        service: &str,
        answer: &ServiceAnswer,
        binding: &Binding,
        to: Bound,
    ) -> Result<Option<String>, Error> {
        // What is to serve has lost its tag already, though its traffic may be on the way.
        let serving = match answer.to_serve() {
            Some(to_serve) => to_serve.to_owned(),
            None => self.serving(service, answer)?,
        };
        let bindings = self.bindings(service, &serving).await?;
        Ok((bindings.find(binding) == Found::Bound(to)).then_some(serving))
    }

    /// Waits until a revision is ready, and looks whether it differs from the serving
    /// one in the binding alone. One that an earlier run left and that failed is no
    /// error: another is made.
    async fn is_good(
        &self,
        service: &str,
        answer: Rc<ServiceAnswer>,
        binding: &Binding,
        to: Bound,
        candidate: &Candidate<'_>,
    ) -> Result<bool, Error> {
        if !candidate.is_ours {
            self.check_readable(binding, to).await?;
        }
        let revision = candidate.revision;
        let waited = self.wait_until_made(service, revision, answer).await;
        let answer = match waited {
            Err(Error::Cloud(CloudError::RevisionFailed { .. })) if !candidate.is_ours => {
                return Ok(false);
            }
            other => other?,
        };
        let made = self.bindings(service, revision).await?;
        if made.find(binding) != Found::Bound(to) {
            return Ok(false);
        }
        let serving = self.serving(service, &answer)?;
        let is_good = self.differ_only_in(service, [&serving, revision], &binding.variable);
        let is_good = is_good.await?;
        if is_good {
            let basis = [revision.to_owned(), serving];
            self.bases.borrow_mut().insert(service.to_owned(), basis);
        }
        Ok(is_good)
    }

    /// Whether two revisions differ in nothing but a variable. That can't change, so each
    /// pair is compared once.
    async fn differ_only_in(
        &self,
        service: &str,
        revisions: [&str; 2],
        variable: &str,
    ) -> Result<bool, Error> {
        let [one, other] = revisions;
        let pair = [one, other, variable].map(str::to_owned);
        if self.alike.borrow().contains(&pair) {
            return Ok(true);
        }
        let looks = revisions.map(|revision| self.look_at_revision(service, revision));
        let [one, other] = looks;
        let (one, other) = try_join(one, other).await?;
        let bindings = [&one, &other].map(|one| Bindings::of(&one.spec));
        let [first, second] = &bindings;
        let are_alike = first.differing(second, variable).is_empty()
            && one.spec.difference(&other.spec, variable).is_none()
            && one.has_image_of(&other);
        if are_alike {
            self.alike.borrow_mut().insert(pair);
        }
        Ok(are_alike)
    }

    /// Waits until a revision is really ready; how the service is by then.
    async fn wait_until_made(
        &self,
        service: &str,
        revision: &str,
        mut answer: Rc<ServiceAnswer>,
    ) -> Result<Rc<ServiceAnswer>, Error> {
        let limit = self.gcloud.settings.timeouts.ready;
        let started = Instant::now();
        loop {
            if self.is_made(service, revision, &answer).await? {
                return Ok(answer);
            }
            if started.elapsed() >= limit {
                return Err(CloudError::RevisionLate {
                    service: service.to_owned(),
                    revision: revision.to_owned(),
                    limit,
                }
                .into());
            }
            self.gcloud.pause().await;
            answer = self.look(service).await?;
        }
    }

    async fn is_made(
        &self,
        service: &str,
        revision: &str,
        answer: &ServiceAnswer,
    ) -> Result<bool, Error> {
        let status = &answer.status;
        if !answer.is_observed() {
            return Ok(false);
        }
        let ready = answer.condition("Ready");
        // The service may fail for another reason: its traffic, or who may call it.
        let has_failed = ready.is_some_and(|ready| ready.status == "False");
        if status.latest_created_revision_name.as_deref() != Some(revision) || has_failed {
            let revision_answer = self.look_at_revision(service, revision).await?;
            return is_true(service, revision, revision_answer.ready());
        }
        let is_ready = is_true(service, revision, ready)?;
        Ok(is_ready && status.latest_ready_revision_name.as_deref() == Some(revision))
    }
}

fn is_true(service: &str, revision: &str, ready: Option<&Condition>) -> Result<bool, Error> {
    let status = ready.map_or("Unknown", |ready| ready.status.as_str());
    if status != "False" {
        return Ok(status == "True");
    }
    let message = ready.and_then(|ready| ready.message.as_deref());
    let error = CloudError::RevisionFailed {
        service: service.to_owned(),
        revision: revision.to_owned(),
        message: one_line(message.unwrap_or("no message"), 500),
    };
    Err(error.into())
}
