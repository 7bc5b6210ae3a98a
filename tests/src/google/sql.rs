//! Cloud SQL: the backups of one instance.
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::Answer;
use super::server::Recorded;
use super::{INSTANCE, PROJECT, World};

/// The backups, the first one first.
#[derive(Clone, Debug)]
pub struct SqlState {
    /// Each of them.
    pub backups: Vec<BackupState>,
    /// What the backups that are made from now on end with: `SUCCESSFUL`, `FAILED`.
    pub outcome: &'static str,
    /// How long one takes.
    pub pace: Duration,
}

/// A backup.
#[derive(Clone, Debug)]
pub struct BackupState {
    id: String,
    outcome: &'static str,
    description: Option<String>,
    started_at: Timestamp,
    ends: Instant,
}

impl Default for SqlState {
    fn default() -> SqlState {
        SqlState {
            backups: Vec::new(),
            outcome: "SUCCESSFUL",
            pace: Duration::from_millis(300),
        }
    }
}

impl SqlState {
    /// A backup of an earlier time.
    pub fn add(&mut self, outcome: &'static str, started_at: Timestamp) -> String {
        self.begin(outcome, started_at, Duration::ZERO, None)
    }

    fn begin(
        &mut self,
        outcome: &'static str,
        started_at: Timestamp,
        pace: Duration,
        description: Option<String>,
    ) -> String {
        let id = (1_700_000_000_000 + self.backups.len()).to_string();
        self.backups.push(BackupState {
            id: id.clone(),
            outcome,
            description,
            started_at,
            ends: Instant::now() + pace,
        });
        id
    }
}

impl BackupState {
    fn answer(&self) -> Value {
        let mut answer = json!({
            "kind": "sql#backupRun", "id": self.id, "instance": INSTANCE, "type": "ON_DEMAND",
            "backupKind": "SNAPSHOT", "status": "RUNNING",
            "enqueuedTime": self.started_at.to_string(), "startTime": self.started_at.to_string(),
            "windowStartTime": self.started_at.to_string(), "description": self.description,
        });
        if self.ends <= Instant::now() {
            answer["status"] = json!(self.outcome);
            answer["endTime"] = json!((self.started_at + Duration::from_secs(1)).to_string());
        }
        answer
    }
}

pub(super) fn permission(request: &Recorded) -> &'static str {
    match (request.method.as_str(), request.path()) {
        ("POST", _) => "cloudsql.backupRuns.create",
        ("PUT", _) => "cloudsql.users.update",
        (_, path) if path.ends_with("/backupRuns") => "cloudsql.backupRuns.list",
        (_, path) if path.contains("/backupRuns/") => "cloudsql.backupRuns.get",
        _ => "cloudsql.instances.get",
    }
}

pub(super) fn handle(world: &mut World, request: &Recorded) -> Answer {
    let prefix = format!("/sql/v1beta4/projects/{PROJECT}/");
    let rest = request.path().strip_prefix(&prefix).unwrap_or_default();
    let of_instance = rest.strip_prefix(&format!("instances/{INSTANCE}"));
    let state = &mut world.sql;
    match (request.method.as_str(), of_instance) {
        ("GET", Some("")) => Answer::ok(json!({"name": INSTANCE, "kind": "sql#instance"})),
        ("GET", Some("/backupRuns")) => {
            let listed: Vec<_> = state
                .backups
                .iter()
                .rev()
                .map(BackupState::answer)
                .collect();
            Answer::ok(json!({"kind": "sql#backupRunsList", "items": listed}))
        }
        ("POST", Some("/backupRuns")) => {
            let description = request.body["description"].as_str().map(str::to_owned);
            let (outcome, pace) = (state.outcome, state.pace);
            let id = state.begin(outcome, Timestamp::now(), pace, description);
            Answer::ok(operation(&id, "PENDING"))
        }
        // A password that is set is none that a test logs in with.
        ("PUT", Some("/users")) => Answer::ok(operation("0", "DONE")),
        ("GET", Some(path)) => {
            let id = path.trim_start_matches("/backupRuns/");
            let found = state.backups.iter().find(|one| one.id == id);
            found.map_or_else(
                || Answer::not_found("The requested backup run does not exist."),
                |one| Answer::ok(one.answer()),
            )
        }
        ("GET", None) if rest.starts_with("operations/") => {
            let id = rest.trim_start_matches("operations/op-");
            Answer::ok(operation(id, "DONE"))
        }
        _ => Answer::not_found("The Cloud SQL instance does not exist."),
    }
}

fn operation(backup: &str, status: &str) -> Value {
    json!({
        "kind": "sql#operation", "name": format!("op-{backup}"), "status": status,
        "operationType": "BACKUP_VOLUME", "targetId": INSTANCE, "targetProject": PROJECT,
        "backupContext": {"kind": "sql#backupContext", "backupId": backup},
    })
}
