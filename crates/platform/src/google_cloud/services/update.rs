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
        let subject = assignment(binding, key);
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
        let template = &answer.spec.template.spec;
        let revision = self.look_at_revision(service, &serving).await?;
        let mut what = revision.spec.difference(template, &binding.variable);
        if let (None, Some(created)) = (&what, created) {
            let created = self.look_at_revision(service, created).await?;
            let is_same = revision.has_image_of(&created);
            what = (!is_same).then(|| "an image".to_owned());
        }
        if let Some(what) = what {
            let service = service.to_owned();
            return Err(CloudError::TemplateDiffers {
                service,
                serving,
                what,
            }
            .into());
        }
        let (ours, theirs) = (Bindings::of(&revision.spec), Bindings::of(template));
        Ok(ours.differing(&theirs, &binding.variable))
    }
}
