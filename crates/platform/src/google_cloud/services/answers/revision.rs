//! What a revision's answer says: whether it is up, and in what it differs from another.

use super::{Condition, Container, RevisionAnswer, RevisionSpec, Variable};

impl RevisionAnswer {
    /// Whether its instances run the same image, as far as Cloud Run tells.
    pub(in super::super) fn has_image_of(&self, other: &RevisionAnswer) -> bool {
        let digests = (&self.status.image_digest, &other.status.image_digest);
        match digests {
            (Some(one), Some(other)) => one == other,
            _ => true,
        }
    }

    pub(in super::super) fn ready(&self) -> Option<&Condition> {
        let mut conditions = self.status.conditions.iter();
        conditions.find(|condition| condition.kind == "Ready")
    }
}

impl RevisionSpec {
    /// In what another differs that no reference to a secret can mend. Values aren't
    /// told. Images are compared where both are fixed by a digest.
    pub(in super::super) fn difference(
        &self,
        other: &RevisionSpec,
        variable: &str,
    ) -> Option<String> {
        if self.containers.len() != other.containers.len() {
            return Some("its containers".to_owned());
        }
        for (one, other) in self.containers.iter().zip(&other.containers) {
            let are_fixed = one.image.contains("@sha256:") && other.image.contains("@sha256:");
            if are_fixed && one.image != other.image {
                return Some("an image".to_owned());
            }
            if let Some(name) = one.differing_variable(other, variable) {
                return Some(format!("`{name}`"));
            }
        }
        None
    }
}

impl Container {
    fn differing_variable(&self, other: &Container, except: &str) -> Option<String> {
        let is_in = |one: &Variable, container: &Container| {
            let mut variables = container.env.iter();
            variables.any(|other| {
                let are_references = one.key_ref().is_some() && other.key_ref().is_some();
                one.name == other.name && (are_references || one.value == other.value)
            })
        };
        let gone = self.env.iter().filter(|one| !is_in(one, other));
        let new = other.env.iter().filter(|one| !is_in(one, self));
        let mut differing = gone.chain(new).map(|one| one.name.as_str());
        let found = differing.find(|name| *name != except);
        found.map(str::to_owned)
    }
}
