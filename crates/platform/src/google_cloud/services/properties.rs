//! What holds whatever `gcloud run` answers.

use std::collections::BTreeSet;

use super::answers::{RevisionAnswer, RevisionSpec, ServiceAnswer};
use super::bindings::Bindings;
use super::rehearse::properties::{is_as_told, is_bound_as_told};
use super::tags::Tag;
use crate::google_cloud::gcloud::Answer;
use crate::google_cloud::properties::read;

/// The answer as a service.
pub(in crate::google_cloud) fn of_services(answer: &Answer) {
    let Some(service) = read::<ServiceAnswer>(answer) else {
        return;
    };
    has_one_that_serves(&service);
    has_tags_that_are_found_again(&service);
    let is_settled = service.of_template().is_none_or(|_| service.is_observed());
    assert!(is_settled, "a template of before");
    let mut service = service;
    refers_as_told(&mut service.spec.template.spec);
    is_as_told(service);
}

/// The answer as a revision.
pub(in crate::google_cloud) fn of_revisions(answer: &Answer) {
    let Some(mut revision) = read::<RevisionAnswer>(answer) else {
        return;
    };
    let ready = revision.ready();
    assert!(ready.is_none_or(|ready| ready.kind == "Ready"));
    refers_as_told(&mut revision.spec);
}

fn has_one_that_serves(service: &ServiceAnswer) {
    let reachable = service.reachable();
    let each: BTreeSet<&String> = reachable.iter().collect();
    assert!(each.len() == reachable.len(), "a revision twice");
    if let Some((serving, share)) = service.serving() {
        assert!(share > 0, "it serves nobody");
        assert!(
            reachable.iter().any(|name| name == serving),
            "it can't be reached"
        );
    }
    for name in &reachable {
        let is_whole = service.is_to_serve(name);
        let has_share = service.spec.traffic.iter().any(|target| target.percent > 0);
        assert!(!is_whole || has_share, "all of nothing");
    }
}

fn has_tags_that_are_found_again(service: &ServiceAnswer) {
    let made = [
        Tag::for_preparing(service, "DATABASE_URL=database-url:7"),
        Tag::for_keeping(service, "handler-00001-abc"),
    ];
    let found = Tag::all(service);
    for tag in made.iter().chain(found.iter().map(|(tag, _)| tag)) {
        assert!(
            Tag::parse(&tag.text()).as_ref() == Some(tag),
            "a tag that is lost"
        );
    }
    for (tag, revision) in &found {
        let tags = service.tags_of(revision);
        assert!(
            tags.contains(&tag.text().as_str()),
            "a tag of another revision"
        );
    }
}

/// A revision reads what it reads itself.
fn refers_as_told(spec: &mut RevisionSpec) {
    let bindings = Bindings::of(spec);
    assert!(
        bindings.reads_as(&bindings),
        "it reads otherwise than itself"
    );
    assert!(
        bindings.differing(&bindings, "").is_empty(),
        "it differs from itself"
    );
    assert!(
        spec.difference(spec, "").is_none(),
        "it differs from itself"
    );
    is_bound_as_told(spec);
}
