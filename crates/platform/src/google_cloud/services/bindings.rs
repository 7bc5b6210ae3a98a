//! Where a revision's variables come from: what of it can't change any more.

use std::collections::BTreeSet;

use super::answers::{KeyRef, RevisionSpec, Variable};
use super::assignment;
use crate::{Binding, Bound};

/// The secrets that a revision refers to, and the names of its own variables.
pub(super) struct Bindings {
    references: Vec<(String, KeyRef)>,
    literals: Vec<String>,
    /// Secrets that stand in files: each with its key.
    files: Vec<KeyRef>,
}

/// What a revision has of one binding.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The secret, or a value of its own.
    Bound(Bound),
    /// The variable refers to another secret.
    OtherSecret,
    /// The variable isn't there, and the secret isn't read in another way.
    Nowhere,
    /// A key that is neither `latest` nor a number.
    UnknownKey,
}

impl Bindings {
    pub(super) fn of(spec: &RevisionSpec) -> Bindings {
        let variables = || spec.containers.iter().flat_map(|one| &one.env);
        let reference = |one: &Variable| Some((one.name.clone(), one.key_ref()?.clone()));
        let is_literal = |one: &&Variable| one.key_ref().is_none();
        let files = spec.volumes.iter().filter_map(|one| one.secret.as_ref());
        let in_file = |name: &str, key: &str| KeyRef {
            name: name.to_owned(),
            key: key.to_owned(),
        };
        Bindings {
            references: variables().filter_map(reference).collect(),
            literals: variables()
                .filter(is_literal)
                .map(|one| one.name.clone())
                .collect(),
            files: files
                .flat_map(|one| {
                    one.items
                        .iter()
                        .map(|item| in_file(&one.secret_name, &item.key))
                })
                .collect(),
        }
    }

    /// What is bound to the variable; where that isn't the secret, any other way in
    /// which the revision reads it.
    pub(super) fn find(&self, binding: &Binding) -> Found {
        let mut at_variable = self
            .references
            .iter()
            .filter(|(variable, _)| *variable == binding.variable);
        let is_secret = |reference: &&KeyRef| reference.name == binding.secret;
        if let Some((_, reference)) = at_variable.next() {
            return match is_secret(&reference) {
                true => bound(&reference.key),
                false => Found::OtherSecret,
            };
        }
        let references = self.references.iter().map(|(_, reference)| reference);
        if let Some(reference) = references.chain(&self.files).find(is_secret) {
            return bound(&reference.key);
        }
        match self.literals.contains(&binding.variable) {
            true => Found::Bound(Bound::Inline),
            false => Found::Nowhere,
        }
    }

    /// Each secret with the key by which it is read: `latest`, or a version's number.
    pub(super) fn versions(&self) -> BTreeSet<(String, String)> {
        let references = self.references.iter().map(|(_, reference)| reference);
        let all = references.chain(&self.files);
        all.map(|one| (one.name.clone(), one.key.clone())).collect()
    }

    /// Whether an instance of another revision would read the same versions.
    pub(super) fn reads_as(&self, other: &Bindings) -> bool {
        self.references == other.references && self.files == other.files
    }

    /// The reference of one variable, as `gcloud` takes it.
    pub(super) fn first(&self) -> Option<String> {
        let (name, reference) = self.references.first()?;
        Some(assigned(name, reference))
    }

    /// The references of other variables that another revision has otherwise: what
    /// this one has, as `gcloud` takes it.
    pub(super) fn differing(&self, other: &Bindings, variable: &str) -> Vec<String> {
        let mut updates = Vec::new();
        for (name, reference) in &self.references {
            let is_same =
                |(other_name, other): &(String, KeyRef)| other_name == name && other == reference;
            if name != variable && !other.references.iter().any(is_same) {
                updates.push(assigned(name, reference));
            }
        }
        updates
    }
}

fn assigned(variable: &str, reference: &KeyRef) -> String {
    assignment(variable, &reference.name, &reference.key)
}

fn bound(key: &str) -> Found {
    if key == "latest" {
        return Found::Bound(Bound::Latest);
    }
    let number = key
        .parse()
        .map(|number| Found::Bound(Bound::Pinned(number)));
    number.unwrap_or(Found::UnknownKey)
}
