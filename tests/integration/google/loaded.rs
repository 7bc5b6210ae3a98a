//! A `gcloud` that is loaded once does what one does that is started anew.
use std::collections::BTreeSet;
use std::process::Stdio;

use anyhow::Result;
use integration_tests::google::{GcloudConfig, Google};

use super::has_gcloud;
use crate::procedure::tree::Tree;

/// How a run ended, what it printed, what it asked the servers, and how many logs of
/// runs there were then.
type Seen = (Option<i32>, String, String, Vec<String>, usize);

/// Every kind of call that the platform makes; some are refused.
const CALLS: [&[&str]; 9] = [
    &["secrets", "versions", "list", "a-secret"],
    &["secrets", "versions", "add", "a-secret", "--data-file=-"],
    &["secrets", "versions", "access", "1", "--secret=a-secret"],
    &["secrets", "versions", "access", "9", "--secret=a-secret"],
    &[
        "run",
        "services",
        "describe",
        "a-service",
        "--region=us-central1",
    ],
    &[
        "run",
        "services",
        "update",
        "a-service",
        "--update-secrets=A=a-secret:1",
        "--region=us-central1",
    ],
    &[
        "run",
        "services",
        "update",
        "a-service",
        "--region=us-central1",
    ],
    &["sql", "backups", "list", "--instance=db1"],
    &["sql", "backups", "no-such-word"],
];

async fn seen(is_cold: bool) -> Result<Vec<Seen>> {
    let google = Google::start().await;
    google.world().secrets.add("a-secret", b"hunter2");
    google.world().run.create("a-service", &[("A", "a-secret")]);
    let mut config = GcloudConfig::new(&google);
    if is_cold {
        config = config.cold();
    }
    let (mut seen, mut calls) = (Vec::new(), BTreeSet::new());
    for words in CALLS {
        let mut command = tokio::process::Command::from(config.command());
        command.args(words).args(["--project=p1", "--format=json"]);
        // No terminal, and no input: the empty value.
        let output = command.stdin(Stdio::null()).output().await?;
        let requests = std::mem::take(&mut google.world().requests);
        if let Some(call) = requests.iter().find_map(|one| one.call.clone()) {
            assert!(calls.insert(call), "{words:?} says that it is another run");
        }
        let requests = requests
            .into_iter()
            .map(|one| format!("{} {}{}", one.method, one.host, one.target));
        let mut requests: Vec<_> = requests.collect();
        // It asks again until a service is ready, which takes its time.
        requests.dedup();
        seen.push((
            output.status.code(),
            without_chance(&output.stdout),
            without_chance(&output.stderr),
            requests,
            Tree::read(config.folder())?
                .holding("Running [gcloud.")
                .len(),
        ));
    }
    Ok(seen)
}

/// Without times, the dots that are printed while they pass, and the word that makes each
/// revision another.
fn without_chance(printed: &[u8]) -> String {
    let mut printed = String::from_utf8_lossy(printed).into_owned();
    while printed.contains("..") {
        printed = printed.replace("..", ".");
    }
    let is_chance = |line: &&str| line.contains("Time\":") || line.contains("dev/nonce\":");
    let lines = printed.lines().filter(|line| !is_chance(line));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn it_prints_asks_and_ends_as_one_that_is_started_anew() -> Result<()> {
    if !has_gcloud() {
        return Ok(());
    }
    let cold = seen(true).await?;
    for what in ["loaded", "loaded, with what the first of each call made"] {
        for (words, (cold, loaded)) in CALLS.iter().zip(cold.iter().zip(&seen(false).await?)) {
            assert_eq!(cold, loaded, "{what}: {words:?}");
        }
    }
    assert!(cold.iter().all(|one| one.4 > 0), "{cold:?}");
    assert!(cold.iter().any(|one| one.0 == Some(1)), "{cold:?}");
    assert!(cold.iter().any(|one| one.0 == Some(2)), "{cold:?}");
    Ok(())
}
