//! The change that makes a revision: the new binding, and what of the service's template is
//! not to come along.

use super::answers::ServiceAnswer;
use super::bindings::Bindings;
use super::tags::Tag;
use super::{CloudRun, assignment};
use crate::google_cloud::CloudError;
use crate::google_cloud::gcloud::Call;
use crate::{Binding, Error};

impl CloudRun {
    /// The change that makes the revision.
    pub(super) async fn update(
        &self,
        service: &str,
        answer: &ServiceAnswer,
        binding: &Binding,
        key: &str,
    ) -> Result<Call<'static>, Error> {
        let subject = assignment(&binding.variable, &binding.secret, key);
        let tag = Tag::for_preparing(answer, &subject);
        let mut updates = vec![subject];
        updates.extend(self.back_to_serving(service, answer, binding).await?);
        let action = format!("make a revision of `{service}`");
        let mut call = Call::new(action, &["run", "services", "update", service])
            .with(format!("--update-secrets={}", updates.join(",")))
            .with(format!("--tag={}", tag.text()))
            .with("--no-traffic".to_owned());
        if !answer.has_min_instances() && key != "latest" {
            call = call.with("--min-instances=1".to_owned());
        } else if key == "latest" && tag.set_min_instances {
            call = call.with("--min-instances=default".to_owned());
        }
        Ok(call)
    }

    /// What a new revision would have from the service's template and the serving
    /// one has otherwise: a deployment that got no traffic.
    async fn back_to_serving(
        &self,
        service: &str,
        answer: &ServiceAnswer,
        binding: &Binding,
    ) -> Result<Vec<String>, Error> {
        let serving = self.serving(service, answer)?;
        let created = answer.status.latest_created_revision_name.as_deref();
        if answer.is_observed() && created == Some(&serving) {
            return Ok(Vec::new());
        }
        let what = self
            .deployed_beside(service, answer, &serving, &binding.variable)
            .await?;
        if let Some(what) = what {
            let service = service.to_owned();
            return Err(CloudError::TemplateDiffers {
                service,
                serving,
                what,
            }
            .into());
        }
        let ours = self.bindings(service, &serving).await?;
        let theirs = Bindings::of(&answer.spec.template.spec);
        Ok(ours.differing(&theirs, &binding.variable))
    }

    /// In what the service's template differs from what serves, but for references to secrets
    /// and one variable: somebody deployed without traffic.
    pub(super) async fn deployed_beside(
        &self,
        service: &str,
        answer: &ServiceAnswer,
        serving: &str,
        variable: &str,
    ) -> Result<Option<String>, Error> {
        let revision = self.look_at_revision(service, serving).await?;
        let what = revision
            .spec
            .difference(&answer.spec.template.spec, variable);
        let created = answer.status.latest_created_revision_name.as_deref();
        let (None, Some(created)) = (&what, created) else {
            return Ok(what);
        };
        let created = self.look_at_revision(service, created).await?;
        let is_same = revision.has_image_of(&created);
        Ok((!is_same).then(|| "an image".to_owned()))
    }
}
