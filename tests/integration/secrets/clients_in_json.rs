//! What scripts get.
use anyhow::{Context as _, Result};
use serde_json::Value;

use super::clients::{NEW, SSO, installation, with_value, without_issuer};
use crate::command_line::assert_file_snapshot;
use crate::procedure::lab::json;
use crate::procedure::sandbox::assert_said;

/// The fields that xtask/README.md promises, in every outcome.
const FIELDS: [&str; 10] = [
    "error", "facts", "outcome", "planned", "platform", "report", "reports", "rotation", "run",
    "steps",
];

fn fields(result: &Value) -> Result<Vec<&str>> {
    let mut fields: Vec<&str> = result
        .as_object()
        .context("an object")?
        .keys()
        .map(String::as_str)
        .collect();
    fields.sort_unstable();
    Ok(fields)
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_get_one_object_whatever_comes() -> Result<()> {
    let (issuer, installation) = installation().await?;
    let with = |value: &str, more: &[&str]| {
        let program = with_value(&installation, SSO, value);
        program
            .args(["--format", "json"])
            .args(more.iter().copied())
    };
    let without = ["rotate-secret", SSO.rotation, "--format", "json"];
    for (program, outcome, code) in [
        (with(NEW, &["--dry-run"]), "dry_run", 0),
        (with("hunter2-anothers", &[]), "failed", 1),
        (with("", &[]), "failed", 1),
        (installation.program(&without), "stopped", 3),
        (
            installation.program(&["rollback", "--format", "json"]),
            "rolled_back",
            0,
        ),
        (with(NEW, &[]), "done", 0),
    ] {
        let output = installation.checked(&program)?;
        assert_said(&output, code, &[]);
        let result = json(&output)?;
        assert_eq!(result["outcome"], outcome, "{result}");
        assert_eq!(fields(&result)?, FIELDS);
        assert_eq!(result["error"].is_null(), code == 0, "{result}");
        if code == 0 {
            assert_eq!(output.stderr, "", "a script wants no words");
        }
        if outcome == "done" {
            let text = serde_json::to_string_pretty(&result)?;
            let text = installation.sandbox.hidden(&text)?;
            assert_file_snapshot("secret_json", without_issuer(&text, &issuer));
        }
    }
    Ok(())
}
