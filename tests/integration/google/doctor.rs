//! `cargo xtask doctor` over the real `gcloud`: a healthy installation, and each fault
//! with the command that mends it. Faults that leave each other alone share a run,
//! since a run costs seconds of `gcloud`.
mod healthy;
pub(crate) mod installation;
mod login;
mod many_faults;
mod other_faults;

use anyhow::{Context as _, Result};
use integration_tests::Output;
use serde_json::Value;

/// What the command found, as scripts read it.
struct Findings(Value);

impl Findings {
    fn of(output: &Output) -> Result<Findings> {
        let report = serde_json::from_str(&output.stdout);
        Ok(Findings(report.with_context(|| format!("{output:?}"))?))
    }

    fn all(&self) -> &[Value] {
        self.0["findings"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The findings of a level whose text has this.
    fn find(&self, level: &str, piece: &str) -> Result<&Value> {
        let is_it = |one: &&Value| {
            let text = one["text"].as_str().unwrap_or_default();
            one["level"] == level && text.contains(piece)
        };
        let found = self.all().iter().find(is_it);
        found.with_context(|| format!("no {level} with {piece:?} in {:#}", self.0))
    }

    /// Asserts that there is a finding, what it stops, and what mends it.
    fn assert(&self, level: &str, piece: &str, stops: &[&str], mend: &[&str]) -> Result<()> {
        let found = self.find(level, piece)?;
        assert_eq!(found["stops"], serde_json::json!(stops), "{found:#}");
        assert_eq!(found["mend"], serde_json::json!(mend), "{found:#}");
        Ok(())
    }
}
