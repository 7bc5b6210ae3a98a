//! What holds whatever `gcloud sql backups` answers.

use super::{OperationAnswer, RunAnswer};
use crate::google_cloud::gcloud::Answer;
use crate::google_cloud::properties::read;

/// The answer as a backup, as backups, and as the operation that makes one.
pub(in crate::google_cloud) fn of_backups(answer: &Answer) {
    let one = read::<RunAnswer>(answer);
    let several = read::<Vec<RunAnswer>>(answer).unwrap_or_default();
    for run in one.iter().chain(&several) {
        if let Some(backup) = run.backup() {
            assert!(!run.has_failed(), "complete, and failed");
            assert!(backup.name == run.id, "another backup");
            assert!(
                Some(backup.taken_at) <= run.end_time,
                "a state after its end"
            );
        }
    }
    let _begun = read::<OperationAnswer>(answer);
}
