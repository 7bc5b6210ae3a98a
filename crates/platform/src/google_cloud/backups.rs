//! The backups: Cloud SQL.

#[cfg(any(test, fuzzing))]
pub(super) mod properties;

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Deserialize;

use super::CloudError;
use super::failure::Failure;
use super::gcloud::{Call, Gcloud};
use crate::{Backup, Backups, Error};

/// The backups of one instance of Cloud SQL.
pub(super) struct SqlBackups {
    pub(super) gcloud: Arc<Gcloud>,
    pub(super) instance: String,
}

/// A run of a backup: done, under way or failed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RunAnswer {
    id: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    description: Option<String>,
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
}

/// The operation that makes one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OperationAnswer {
    backup_context: BackupContext,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BackupContext {
    backup_id: String,
}

impl RunAnswer {
    /// The backup, if it is complete. Its state is one between its start and its end:
    /// the earlier of them is what can be relied on.
    fn backup(&self) -> Option<Backup> {
        let end = self.end_time.filter(|_| self.status == "SUCCESSFUL")?;
        Some(Backup {
            name: self.id.clone(),
            taken_at: self.start_time.map_or(end, |start| start.min(end)),
        })
    }

    fn has_failed(&self) -> bool {
        matches!(
            self.status.as_str(),
            "FAILED" | "SKIPPED" | "DELETED" | "DELETION_PENDING" | "DELETION_FAILED"
        )
    }
}

impl SqlBackups {
    async fn runs(&self) -> Result<Vec<RunAnswer>, Failure> {
        let action = format!("list the backups of the instance `{}`", self.instance);
        let call = Call::new(action, &["sql", "backups", "list"]).with(on_instance(&self.instance));
        let answer = self.gcloud.ask(&call).await?;
        answer.json()
    }

    async fn begin(&self, description: &str) -> Result<String, Failure> {
        let call = backing_up(&self.instance, description);
        let answer = self.gcloud.call(&call).await?;
        let begun: OperationAnswer = answer.json()?;
        Ok(begun.backup_context.backup_id)
    }

    /// Begins one, and finds it by its description where its answer was lost.
    async fn begin_once(&self) -> Result<String, Error> {
        let description = description(Timestamp::now());
        let failure = match self.begin(&description).await {
            Ok(id) => return Ok(id),
            Err(failure) if failure.is_unsettled() => failure,
            Err(failure) => return Err(self.error(failure)),
        };
        let runs = self.runs().await.map_err(|failure| self.error(failure))?;
        let is_it = |run: &&RunAnswer| run.description.as_ref() == Some(&description);
        match runs.iter().find(is_it) {
            Some(run) => Ok(run.id.clone()),
            None => Err(self.error(failure)),
        }
    }

    async fn run(&self, id: &str) -> Result<RunAnswer, Error> {
        let action = format!("look at the backup `{id}` of `{}`", self.instance);
        let words = ["sql", "backups", "describe", id];
        let call = Call::new(action, &words).with(on_instance(&self.instance));
        let answer = self.gcloud.ask(&call).await;
        let read = answer.and_then(|answer| answer.json());
        read.map_err(|failure| self.error(failure))
    }

    fn error(&self, failure: Failure) -> Error {
        failure.into_error(&self.gcloud.settings.gcloud)
    }

    fn failed(&self, id: &str, what: &'static str) -> Error {
        let error = CloudError::Backup {
            instance: self.instance.clone(),
            backup: id.to_owned(),
            what,
        };
        error.into()
    }
}

/// The change that makes a backup.
pub(super) fn backing_up(instance: &str, description: &str) -> Call<'static> {
    let action = format!("back up the instance `{instance}`");
    Call::new(action, &["sql", "backups", "create", "--async"])
        .with(on_instance(instance))
        .with(format!("--description={description}"))
}

/// What a backup is known by, whoever asks for it.
pub(super) fn description(time: impl std::fmt::Display) -> String {
    format!("before a rotation, {time}")
}

fn on_instance(instance: &str) -> String {
    format!("--instance={instance}")
}

#[async_trait(?Send)]
impl Backups for SqlBackups {
    async fn newest(&self) -> Result<Option<Backup>, Error> {
        let runs = self.runs().await.map_err(|failure| self.error(failure))?;
        let complete = runs.iter().filter_map(RunAnswer::backup);
        Ok(complete.max_by_key(|backup| backup.taken_at))
    }

    async fn take(&self) -> Result<Backup, Error> {
        let started = Instant::now();
        let id = self.begin_once().await?;
        loop {
            let run = self.run(&id).await?;
            if let Some(backup) = run.backup() {
                return Ok(backup);
            }
            if run.has_failed() {
                return Err(self.failed(&id, "failed"));
            }
            if started.elapsed() >= self.gcloud.settings.timeouts.backup {
                return Err(self.failed(&id, "was not complete in time"));
            }
            self.gcloud.pause().await;
        }
    }
}
