//! What would be sent to Google Cloud, word by word.

use std::sync::Arc;

use async_trait::async_trait;

use super::backups;
use super::gcloud::{Call, Gcloud};
use super::services::{CloudRun, Rehearsed as Services};
use super::store::SecretManager;
use crate::rehearsal::{Change, Rehearsal, Rehearsed};
use crate::{Error, VersionState};

/// Changes of Google Cloud, told and not made.
pub(super) struct CloudRehearsal {
    gcloud: Arc<Gcloud>,
    services: Services,
}

impl CloudRehearsal {
    pub(super) fn new(gcloud: Arc<Gcloud>, services: CloudRun) -> CloudRehearsal {
        CloudRehearsal {
            gcloud,
            services: Services::new(services),
        }
    }

    fn told(&self, call: &Call<'_>, expects: &str) -> Rehearsed {
        let program = self.gcloud.settings.gcloud.display().to_string();
        let words = self.gcloud.words(call).into_iter();
        let words = words.map(|word| self.without_digests(word));
        Rehearsed {
            command: std::iter::once(program).chain(words).collect(),
            text: expects.to_owned(),
        }
    }

    fn told_of_caller(&self, service: &str, caller: &str, is_admitted: bool) -> Rehearsed {
        let call = CloudRun::changing_callers(service, caller, is_admitted);
        let with_or_without = match is_admitted {
            true => format!("and with `{caller}` again"),
            false => format!("but without `{caller}`"),
        };
        let expects = format!(
            "the policy on standard input, as it was read {with_or_without}; its etag is the one that \
             there is"
        );
        self.told(&call, &expects)
    }

    /// A tag ends in a digest of what it is for: where that has no name yet, the digest
    /// isn't known either.
    fn without_digests(&self, word: String) -> String {
        let digests = self.services.digests().iter().enumerate();
        digests.fold(word, |word, (index, digest)| {
            word.replace(&format!("-{digest}"), &format!("-<digest {}>", index + 1))
        })
    }
}

#[async_trait(?Send)]
impl Rehearsal for CloudRehearsal {
    async fn rehearse(&mut self, change: &Change) -> Result<Vec<Rehearsed>, Error> {
        let told = match change {
            Change::AddVersion { secret } => {
                let expects = "the value on standard input; the new version's number in the answer, \
                               by which it is read back and compared";
                Some(self.told(&SecretManager::adding(secret), expects))
            }
            Change::SetState {
                secret,
                version,
                state,
            } => {
                let call = SecretManager::changing(secret, &version.to_string(), *state)?;
                let expects = match state {
                    VersionState::Enabled => "the version is enabled",
                    VersionState::Disabled => "the version is disabled: it can be enabled again",
                    VersionState::Destroyed => "the version is destroyed: its value is gone",
                };
                Some(self.told(&call, expects))
            }
            Change::Prepare {
                service,
                binding,
                to,
            } => {
                let call = self.services.prepare(service, binding, *to).await?;
                let expects =
                    "a revision without traffic that differs in this binding alone, ready";
                call.map(|call| self.told(&call, expects))
            }
            Change::CutOver { service } => {
                let call = self.services.cut_over(service).await?;
                let expects = "all traffic really at this revision, and the service ready";
                call.map(|call| self.told(&call, expects))
            }
            Change::DiscardOthers { service } => {
                let calls = self.services.discard_others(service).await?;
                let expects = "what serves goes on; no other revision can be reached in the end";
                return Ok(calls.iter().map(|call| self.told(call, expects)).collect());
            }
            Change::Refuse { service, caller } => Some(self.told_of_caller(service, caller, false)),
            Change::Admit { service, caller } => Some(self.told_of_caller(service, caller, true)),
            Change::BackUp => self.gcloud.settings.instance.as_ref().map(|instance| {
                let description = backups::description("<time>");
                let call = backups::backing_up(instance, &description);
                self.told(&call, "a backup that is complete")
            }),
        };
        Ok(told.into_iter().collect())
    }
}
