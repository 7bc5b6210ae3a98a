//! The evidence that a run leaves, and that `report` prints again.
//!
//! Of runs of days, failures and emergencies there are journals in `fixtures/journals`, one
//! of them from before journals told of columns and of the outage.

mod journals;
mod page;
mod real_runs;
mod refused;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::sandbox::{Sandbox, assert_said};

/// Done after a day of soaking, by two people.
const DONE: &str = "dcr-encryption-key-20261128-010500";
/// The same, while it soaks.
const SOAKING: &str = "dcr-encryption-key-20261128-010500-2";
/// A cutover failed, the undo failed once, all was undone.
const ROLLED_BACK: &str = "dcr-encryption-key-20261120-010500";
/// The same, when the undo had failed.
const STUCK: &str = "dcr-encryption-key-20261120-010500-2";
/// Waited for a value for two days, in a journal of an older build.
const CLIENT: &str = "gma-client-secret-20261102-091500";
/// The services closed, one login in place, the tool killed meanwhile.
const EMERGENCY: &str = "database-url-20261115-234000";

const ALL: [&str; 6] = [DONE, SOAKING, ROLLED_BACK, STUCK, CLIENT, EMERGENCY];

/// A place with those runs.
fn with_journals() -> Result<Sandbox> {
    let sandbox = Sandbox::empty()?;
    sandbox.settings("", "")?;
    let fixtures = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/journals");
    for run in ALL {
        let folder = sandbox.path(&format!("state/runs/{run}"));
        std::fs::create_dir_all(&folder)?;
        let journal = fixtures.join(format!("{run}.jsonl"));
        std::fs::copy(journal, folder.join("journal.jsonl"))?;
    }
    Ok(sandbox)
}

/// What `report` prints.
fn printed(sandbox: &Sandbox, arguments: &[&str]) -> Result<String> {
    let output = sandbox.run(&[&["report"], arguments].concat())?;
    assert_said(&output, 0, &[]);
    ensure!(output.stderr.is_empty(), "{}", output.stderr);
    Ok(output.stdout)
}

fn evidence(sandbox: &Sandbox, run: &str) -> Result<Value> {
    let text = printed(sandbox, &[run, "--format", "json"])?;
    ensure!(text.lines().count() == 1, "more than one line");
    Ok(serde_json::from_str(&text)?)
}

/// Of every column in every pass; gives how many there were.
fn assert_counts_add_up(evidence: &Value) -> Result<usize> {
    let mut seen = 0;
    for counted in evidence["counts"].as_array().context("counts")? {
        for cells in counted["columns"].as_array().context("columns")? {
            let of = |name: &str| cells[name].as_u64().context(name.to_owned());
            let parts = ["reencrypted", "already_current", "empty", "unreadable"];
            let sum: u64 = parts.map(of).into_iter().sum::<Result<u64>>()?;
            assert_eq!(of("scanned")?, sum, "{cells}");
            assert_eq!(cells["adds_up"], true, "{cells}");
            seen += 1;
        }
    }
    Ok(seen)
}
