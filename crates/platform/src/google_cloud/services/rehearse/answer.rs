//! Answers as they would be after a change that isn't made.

use super::super::answers::{
    KeyRef, MIN_INSTANCES, RevisionSpec, ServiceAnswer, Target, ValueFrom,
};

impl ServiceAnswer {
    /// As after a change that made this revision and waited until it was ready.
    pub(super) fn has_made(&mut self, revision: &str) {
        self.status.latest_created_revision_name = Some(revision.to_owned());
        self.status.latest_ready_revision_name = Some(revision.to_owned());
        self.status.observed_generation = self.metadata.generation;
        for condition in &mut self.status.conditions {
            // One that failed before is the latest no more.
            if condition.kind == "Ready" {
                condition.status = "True".to_owned();
            }
        }
        self.route_as_told();
    }

    /// As after a change of the traffic.
    pub(super) fn route(&mut self, all_to: Target, tags: Vec<Target>) {
        self.spec.traffic = vec![all_to];
        self.spec.traffic.extend(tags);
        self.route_as_told();
    }

    fn route_as_told(&mut self) {
        self.status.traffic = self.spec.traffic.clone();
        for target in &mut self.status.traffic {
            if target.latest_revision {
                target.revision_name = self.status.latest_ready_revision_name.clone();
            }
        }
    }

    /// As after a change of the template.
    pub(super) fn set_min_instances(&mut self, instances: Option<&str>) {
        let metadata = self.spec.template.metadata.get_or_insert_default();
        match instances {
            Some(instances) => {
                let instances = instances.to_owned();
                metadata
                    .annotations
                    .insert(MIN_INSTANCES.to_owned(), instances);
            }
            None => {
                metadata.annotations.remove(MIN_INSTANCES);
            }
        }
    }
}

impl Target {
    pub(super) fn all_to(revision: &str) -> Target {
        Target {
            revision_name: Some(revision.to_owned()),
            percent: 100,
            ..Target::default()
        }
    }

    pub(super) fn all_to_latest() -> Target {
        Target {
            latest_revision: true,
            percent: 100,
            ..Target::default()
        }
    }

    pub(super) fn tagged(revision: &str, tag: &str) -> Target {
        Target {
            revision_name: Some(revision.to_owned()),
            tag: Some(tag.to_owned()),
            ..Target::default()
        }
    }
}

impl RevisionSpec {
    /// As after a change of the variable's reference.
    pub(super) fn bind(&mut self, variable: &str, secret: &str, key: &str) {
        let variables = self.containers.iter_mut().flat_map(|one| &mut one.env);
        for one in variables.filter(|one| one.name == variable) {
            let reference = KeyRef {
                name: secret.to_owned(),
                key: key.to_owned(),
            };
            one.value_from = Some(ValueFrom {
                secret_key_ref: Some(reference),
            });
        }
    }
}
