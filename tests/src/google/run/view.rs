//! What a test wants to know of a service.
use serde_json::Value;

use super::service::ServiceState;

impl ServiceState {
    /// What it is told, without what `gcloud` itself changes at every change: its own
    /// name and version, and the first container's image by its digest.
    pub fn told(&self) -> Value {
        let mut spec = self.spec.clone();
        spec["template"]["spec"]["containers"][0]["image"] = Value::Null;
        let metadata = &mut spec["template"]["metadata"];
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.remove("name");
            metadata.remove("labels");
        }
        if let Some(annotations) = metadata["annotations"].as_object_mut() {
            annotations.retain(|name, _| !name.starts_with("run.googleapis.com/client-"));
        }
        spec
    }

    /// The revision that all traffic goes to.
    pub fn serving(&self) -> Option<&str> {
        let targets = self.traffic.as_array()?;
        let all = targets.iter().find(|target| target["percent"] == 100);
        all?["revisionName"].as_str()
    }

    /// The revisions that traffic goes to, or can be sent to by a tag.
    pub fn reachable(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for target in self.traffic.as_array().into_iter().flatten() {
            if let Some(name) = target["revisionName"].as_str()
                && !names.contains(&name)
            {
                names.push(name);
            }
        }
        names
    }

    /// Whether it is ready, and has done what it was told.
    pub fn is_ready(&self) -> bool {
        self.status().0 == "True"
    }

    /// The key by which a revision reads this variable: `latest`, or a number.
    pub fn key(&self, revision: &str, variable: &str) -> Option<&str> {
        let revision = self.revisions.iter().find(|one| one.name == revision)?;
        key(&revision.template, variable)
    }

    /// The same of the template that the next revision is made of.
    pub fn next_key(&self, variable: &str) -> Option<&str> {
        key(&self.spec["template"], variable)
    }
}

fn key<'a>(template: &'a Value, variable: &str) -> Option<&'a str> {
    let variables = template["spec"]["containers"][0]["env"].as_array()?;
    let found = variables.iter().find(|one| one["name"] == variable)?;
    found["valueFrom"]["secretKeyRef"]["key"].as_str()
}
