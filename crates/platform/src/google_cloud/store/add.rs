//! Adding a version once, though `gcloud` repeats a request whose answer it lost.

use secret::{SecretValue, VersionNumber};

use super::SecretManager;
use super::answers::AddAnswer;
use crate::google_cloud::CloudError;
use crate::google_cloud::failure::Failure;
use crate::google_cloud::gcloud::Call;
use crate::{Error, Reference, SecretStore as _, VersionState};

impl SecretManager {
    /// Adds a version, and disables what else of the same value came to be there.
    ///
    /// `gcloud` sends an addition again after a server's error, so that one call may
    /// make two versions. The last of them is kept: `latest` stays readable.
    pub(super) async fn add_once(
        &self,
        secret: &str,
        value: &SecretValue,
    ) -> Result<VersionNumber, Error> {
        // An older number than there is makes for more to look at, and harms nothing.
        let known = self.newest.borrow_mut().remove(secret);
        let before = match known {
            Some(known) => Some(known),
            None => self.newest(secret).await?,
        };
        let answered = match self.send(secret, value).await {
            Ok(number) if is_next(before, number) => {
                // None came in between: it was sent once.
                return Ok(number);
            }
            Ok(number) => Some(number),
            Err(failure) if may_have_happened(&failure) => {
                return match self.settle(secret, value, before, None).await? {
                    Some(number) => Ok(number),
                    None => Err(self.error(failure)),
                };
            }
            Err(failure) => return Err(self.error(failure)),
        };
        let kept = self.settle(secret, value, before, answered).await?;
        kept.ok_or_else(|| {
            let action = format!("find the version that was added to the secret `{secret}`");
            let what = "it isn't there".to_owned();
            CloudError::Unexpected { action, what }.into()
        })
    }

    async fn newest(&self, secret: &str) -> Result<Option<VersionNumber>, Error> {
        match self.list(secret).await {
            Ok(versions) => Ok(versions.first().map(|version| version.number)),
            Err(failure) if failure.is_not_found() => {
                let secret = secret.to_owned();
                Err(CloudError::NoSuchSecret { secret }.into())
            }
            Err(failure) => Err(self.error(failure)),
        }
    }

    /// The addition, but for the value, which it reads on standard input.
    pub(in crate::google_cloud) fn adding<'a>(secret: &str) -> Call<'a> {
        let action = format!("add a version to the secret `{secret}`");
        let words = ["secrets", "versions", "add", secret, "--data-file=-"];
        Call::new(action, &words)
    }

    async fn send(&self, secret: &str, value: &SecretValue) -> Result<VersionNumber, Failure> {
        let call = SecretManager::adding(secret).reading(value);
        let answer = self.gcloud.call(&call).await?;
        let added: AddAnswer = answer.json()?;
        added.number().ok_or_else(|| Failure {
            kind: crate::google_cloud::failure::Kind::Unreadable,
            message: "no number".to_owned(),
            action: call.action,
        })
    }

    /// Of the versions that came to be there since `before`, the last that holds the
    /// value; the others that hold it are disabled.
    async fn settle(
        &self,
        secret: &str,
        value: &SecretValue,
        before: Option<VersionNumber>,
        answered: Option<VersionNumber>,
    ) -> Result<Option<VersionNumber>, Error> {
        let versions = self
            .list(secret)
            .await
            .map_err(|failure| self.error(failure))?;
        let newer: Vec<VersionNumber> = versions
            .into_iter()
            .filter(|version| Some(version.number) > before)
            .filter(|version| version.state == VersionState::Enabled)
            .map(|version| version.number)
            .collect();
        let mut kept = None;
        for number in newer {
            let is_ours = self.holds(secret, number, value).await?;
            if is_ours && kept.is_some() {
                self.disable(secret, number).await?;
            } else if is_ours {
                kept = Some(number);
            } else if answered == Some(number) {
                self.disable(secret, number).await?;
                let (secret, version) = (secret.to_owned(), number);
                return Err(CloudError::Corrupt { secret, version }.into());
            }
        }
        Ok(kept)
    }

    async fn holds(
        &self,
        secret: &str,
        number: VersionNumber,
        value: &SecretValue,
    ) -> Result<bool, Error> {
        let read = self.access(secret, Reference::Number(number)).await?;
        Ok(read.value == *value)
    }
}

/// Whether a version is the next one after those that were there.
fn is_next(before: Option<VersionNumber>, number: VersionNumber) -> bool {
    let next = before.map_or(0, VersionNumber::get).checked_add(1);
    next == Some(number.get())
}

/// A sum that the server didn't confirm is an error of `gcloud`'s though the version
/// is there: its bytes tell.
fn may_have_happened(failure: &Failure) -> bool {
    failure.is_unsettled() || failure.message.contains("Version created but")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_number_is_one_more_and_the_last_has_none() {
        let number = |number| VersionNumber::new(number).unwrap();
        for (before, answered, expected) in [
            (None, 1, true),
            (None, 2, false),
            (Some(4), 5, true),
            (Some(4), 6, false),
            (Some(4), 4, false),
            (Some(4), 3, false),
            (Some(u64::MAX - 1), u64::MAX, true),
            (Some(u64::MAX), u64::MAX, false),
            (Some(u64::MAX), 1, false),
        ] {
            let found = is_next(before.map(number), number(answered));
            assert_eq!(found, expected, "{before:?}, {answered}");
        }
    }
}
