//! What holds of an answer that is changed as a change of the service would change it.

use super::super::answers::{RevisionSpec, ServiceAnswer, Target};
use super::super::bindings::{Bindings, Found};
use crate::{Binding, Bound};

/// The answer is, after each change, as that change makes a service.
pub(in crate::google_cloud::services) fn is_as_told(mut service: ServiceAnswer) {
    let tags = vec![Target::tagged("kept-1", "rot-811c9dc5")];
    service.route(Target::all_to("made-1"), tags);
    assert!(service.is_to_serve("made-1") && !service.is_to_serve("kept-1"));
    assert!(
        service.serving() == Some(("made-1", 100)),
        "another one serves"
    );
    assert!(
        service.reachable() == ["made-1", "kept-1"],
        "others are reachable"
    );
    assert!(service.tags_of("kept-1") == ["rot-811c9dc5"], "another tag");

    service.has_made("made-2");
    assert!(service.is_observed(), "it is under way");
    let has_condition = service.condition("Ready").is_some();
    assert!(service.of_template() == has_condition.then_some("made-2"));
    assert!(service.serving() == Some(("made-1", 100)), "it got traffic");

    service.route(Target::all_to_latest(), Vec::new());
    assert!(service.follows_latest(), "it does not follow");
    assert!(
        service.serving() == Some(("made-2", 100)),
        "another one serves"
    );

    service.set_min_instances(Some("1"));
    assert!(service.has_min_instances(), "no instances are kept");
    service.set_min_instances(None);
    assert!(!service.has_min_instances(), "instances are kept");
}

/// A revision's first variable reads, after a change, what it was told to.
pub(in crate::google_cloud::services) fn is_bound_as_told(spec: &mut RevisionSpec) {
    let mut variables = spec.containers.iter().flat_map(|one| &one.env);
    let Some(name) = variables.next().map(|one| one.name.clone()) else {
        return;
    };
    let binding = Binding {
        variable: name,
        secret: "made-up".to_owned(),
    };
    let found = Bindings::of(spec).find(&binding);
    assert!(found != Found::Nowhere, "a variable that isn't found");
    for (key, bound) in [("latest", Some(Bound::Latest)), ("7", None)] {
        spec.bind(&binding.variable, &binding.secret, key);
        match (Bindings::of(spec).find(&binding), bound) {
            (Found::Bound(found), Some(bound)) => assert!(found == bound, "another key"),
            (Found::Bound(Bound::Pinned(number)), None) => assert!(number.get() == 7),
            _ => unreachable!("it isn't bound"),
        }
    }
}
