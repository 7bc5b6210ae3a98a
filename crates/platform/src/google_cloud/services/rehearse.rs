//! What changes of a service would be sent, by the functions that send them: over a
//! service's answer that is changed here, and nowhere else.

mod answer;
#[cfg(any(test, fuzzing))]
pub(super) mod properties;

use std::collections::HashMap;
use std::rc::Rc;

use super::answers::{ServiceAnswer, Target};
use super::bindings::{Bindings, Found};
use super::tags::{Tag, digest};
use super::traffic::{self, Discarded};
use super::{CloudRun, assignment, key};
use crate::google_cloud::gcloud::Call;
use crate::rehearsal::Which;
use crate::{Binding, Bound, Error};

/// The services as they would be by now.
pub(in crate::google_cloud) struct Rehearsed {
    run: CloudRun,
    services: HashMap<String, Rehearsal>,
    /// The digests of what has no name yet.
    digests: Vec<String>,
}

/// One service as it would be by now.
struct Rehearsal {
    answer: ServiceAnswer,
    /// The revision that was prepared last.
    prepared: Option<String>,
}

impl Rehearsed {
    pub(in crate::google_cloud) fn new(run: CloudRun) -> Rehearsed {
        Rehearsed {
            run,
            services: HashMap::new(),
            digests: Vec::new(),
        }
    }

    /// The digests that stand in tags and that the real tags don't have: those of names
    /// that aren't known yet.
    pub(in crate::google_cloud) fn digests(&self) -> &[String] {
        &self.digests
    }

    pub(in crate::google_cloud) async fn prepare(
        &mut self,
        service: &str,
        binding: &Binding,
        to: Which,
    ) -> Result<Option<Call<'static>>, Error> {
        let mut rehearsal = self.take(service).await?;
        let call = self.prepared(service, binding, to, &mut rehearsal).await;
        self.services.insert(service.to_owned(), rehearsal);
        call
    }

    async fn prepared(
        &mut self,
        service: &str,
        binding: &Binding,
        to: Which,
        rehearsal: &mut Rehearsal,
    ) -> Result<Option<Call<'static>>, Error> {
        let answer = &rehearsal.answer;
        let serving = self.run.serving(service, answer)?;
        let key = match to {
            Which::Number(number) => key(service, binding, Bound::Pinned(number))?,
            Which::InUse | Which::New => to.to_string(),
        };
        let subject = assignment(&binding.variable, &binding.secret, &key);
        if let Which::Number(number) = to {
            let bindings = self.run.bindings(service, &serving).await?;
            if bindings.find(binding) == Found::Bound(Bound::Pinned(number)) {
                rehearsal.prepared = Some(serving);
                return Ok(None);
            }
            if let Some(made) = Tag::find(answer, &subject, &[]) {
                rehearsal.prepared = Some(made.to_owned());
                return Ok(None);
            }
        } else {
            self.digests.push(digest(&subject));
        }
        let update = self.run.update(service, answer, binding, &key);
        let call = update.await?;
        let version = match to {
            Which::Number(number) => format!("version {number}"),
            Which::InUse => "the version in use".to_owned(),
            Which::New => "the new version".to_owned(),
        };
        let name = format!("<revision of {service} with {version}>");
        self.make(&mut rehearsal.answer, &serving, &name, &call);
        rehearsal.prepared = Some(name);
        Ok(Some(call))
    }

    pub(in crate::google_cloud) async fn cut_over(
        &mut self,
        service: &str,
    ) -> Result<Option<Call<'static>>, Error> {
        let mut rehearsal = self.take(service).await?;
        let call = self.sent(service, &mut rehearsal);
        self.services.insert(service.to_owned(), rehearsal);
        call
    }

    fn sent(
        &self,
        service: &str,
        rehearsal: &mut Rehearsal,
    ) -> Result<Option<Call<'static>>, Error> {
        let answer = &mut rehearsal.answer;
        let revision = match &rehearsal.prepared {
            Some(prepared) if !answer.is_to_serve(prepared) => prepared,
            _ => return Ok(None),
        };
        let call = self.run.sending(service, revision, answer)?;
        let tags = tags_after(answer, &call);
        answer.route(Target::all_to(revision), tags);
        Ok(Some(call))
    }

    pub(in crate::google_cloud) async fn discard_others(
        &mut self,
        service: &str,
    ) -> Result<Vec<Call<'static>>, Error> {
        let mut rehearsal = self.take(service).await?;
        let calls = self.discarded(service, &mut rehearsal.answer).await;
        self.services.insert(service.to_owned(), rehearsal);
        calls
    }

    async fn discarded(
        &mut self,
        service: &str,
        answer: &mut ServiceAnswer,
    ) -> Result<Vec<Call<'static>>, Error> {
        let serving = self.run.serving(service, answer)?;
        let revisions = self.run.revisions_of(service, answer, Discarded::Others)?;
        let mut calls = Vec::new();
        if traffic::tags_of(answer, &revisions).is_empty() {
            return Ok(calls);
        }
        let back = self.run.to_give_back(service, &revisions, answer).await?;
        let to_latest = match back.filter(|back| back.deployed.is_none()) {
            None => false,
            Some(back) => {
                if !back.changes.is_empty() {
                    let call = CloudRun::putting_back(service, &back.changes);
                    let name = format!("<revision of {service} as it was>");
                    self.make(answer, &serving, &name, &call);
                    calls.push(call);
                }
                self.run
                    .may_follow_latest(service, &serving, answer)
                    .await?
            }
        };
        let action = format!("remove the tags of `{service}`");
        let tags = traffic::tags_of(answer, &revisions);
        let call = CloudRun::untagging(service, &tags, action, to_latest);
        let tags = tags_after(answer, &call);
        let target = match to_latest {
            true => Target::all_to_latest(),
            false => Target::all_to(&serving),
        };
        answer.route(target, tags);
        calls.push(call);
        Ok(calls)
    }

    async fn take(&mut self, service: &str) -> Result<Rehearsal, Error> {
        match self.services.remove(service) {
            Some(rehearsal) => Ok(rehearsal),
            None => Ok(Rehearsal {
                answer: self.run.ask(service).await?,
                prepared: None,
            }),
        }
    }

    /// The service after a call that makes a revision without traffic.
    fn make(&mut self, answer: &mut ServiceAnswer, serving: &str, name: &str, call: &Call<'_>) {
        for update in values_of(call, "--update-secrets=") {
            if let Some((variable, (secret, key))) = update
                .split_once('=')
                .and_then(|(variable, to)| Some((variable, to.rsplit_once(':')?)))
            {
                answer.spec.template.spec.bind(variable, secret, key);
            }
        }
        if let Some(instances) = values_of(call, "--min-instances=").next() {
            answer.set_min_instances((instances != "default").then_some(instances));
        }
        for target in &mut answer.spec.traffic {
            if std::mem::take(&mut target.latest_revision) {
                target.revision_name = Some(serving.to_owned());
            }
        }
        for tag in values_of(call, "--tag=") {
            answer.spec.traffic.push(Target::tagged(name, tag));
        }
        answer.has_made(name);
        let bindings = Rc::new(Bindings::of(&answer.spec.template.spec));
        self.run
            .known_bindings
            .borrow_mut()
            .insert(name.to_owned(), bindings);
        self.digests.push(digest(name));
    }
}

/// The tags that a call leaves, each with its revision.
fn tags_after(answer: &ServiceAnswer, call: &Call<'_>) -> Vec<Target> {
    let removed: Vec<&str> = values_of(call, "--remove-tags=").collect();
    let tagged = answer.spec.traffic.iter().filter_map(|target| {
        let (name, tag) = (target.revision_name.as_deref()?, target.tag.as_deref()?);
        (!removed.contains(&tag)).then(|| Target::tagged(name, tag))
    });
    let added = values_of(call, "--update-tags=").filter_map(|update| {
        let (tag, name) = update.split_once('=')?;
        Some(Target::tagged(name, tag))
    });
    tagged.chain(added).collect()
}

/// What stands after a flag, one by one.
fn values_of<'a>(call: &'a Call<'_>, flag: &'a str) -> impl Iterator<Item = &'a str> {
    let values = call
        .words
        .iter()
        .filter_map(move |word| word.strip_prefix(flag));
    values.flat_map(|list| list.split(','))
}
