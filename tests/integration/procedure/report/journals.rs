//! What is told of runs whose journals are known to the letter.
use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{
    ALL, CLIENT, DONE, EMERGENCY, ROLLED_BACK, SOAKING, STUCK, assert_counts_add_up, evidence,
    printed, with_journals,
};
use crate::command_line::assert_file_snapshot;
use crate::procedure::sandbox::Sandbox;

#[test]
fn every_form_of_a_long_run_a_client_secret_and_a_rolled_back_run() -> Result<()> {
    let sandbox = with_journals()?;
    for (name, run) in [
        ("done", DONE),
        ("client", CLIENT),
        ("rolled_back", ROLLED_BACK),
    ] {
        let markdown = printed(&sandbox, &[run])?;
        assert_file_snapshot(format!("report_{name}_markdown"), markdown);
        let json = serde_json::to_string_pretty(&evidence(&sandbox, run)?)?;
        assert_file_snapshot(format!("report_{name}_json"), json);
        let page = printed(&sandbox, &[run, "--format", "html"])?;
        let (head, rest) = page.split_once("<style>").context("a style")?;
        let (_, body) = rest.split_once("</style>").context("its end")?;
        let page = format!("{head}<style>[style]</style>{body}").replace("><", ">\n<");
        assert_file_snapshot(format!("report_{name}_html"), page);
    }
    Ok(())
}

#[test]
fn in_markdown_a_stuck_run_an_emergency_and_one_that_soaks() -> Result<()> {
    let sandbox = with_journals()?;
    for (name, run) in [
        ("stuck", STUCK),
        ("emergency", EMERGENCY),
        ("soaking", SOAKING),
    ] {
        assert_file_snapshot(
            format!("report_{name}_markdown"),
            printed(&sandbox, &[run])?,
        );
    }
    Ok(())
}

#[test]
fn without_a_name_it_is_the_newest_run() -> Result<()> {
    let sandbox = with_journals()?;
    std::fs::remove_dir_all(sandbox.path(&format!("state/runs/{SOAKING}")))?;
    assert_eq!(printed(&sandbox, &[])?, printed(&sandbox, &[DONE])?);
    Ok(())
}

#[test]
fn the_counts_of_every_column_add_up() -> Result<()> {
    let sandbox = with_journals()?;
    for (run, columns) in [(DONE, 4), (STUCK, 2), (CLIENT, 0), (EMERGENCY, 0)] {
        let counted = assert_counts_add_up(&evidence(&sandbox, run)?)?;
        assert_eq!(counted, columns, "{run}");
    }
    Ok(())
}

/// A journal that somebody has changed doesn't pass for a good one.
#[test]
fn counts_that_do_not_add_up_are_told() -> Result<()> {
    let sandbox = with_journals()?;
    let path = format!("state/runs/{DONE}/journal.jsonl");
    let journal = sandbox.read(&path)?;
    let changed = journal.replace(
        "\"cells empty in registration_access_token_encrypted\",\"fact\":{\"count\":8737}",
        "\"cells empty in registration_access_token_encrypted\",\"fact\":{\"count\":8736}",
    );
    assert_ne!(journal, changed);
    sandbox.write(&path, &changed)?;
    let adds_up = &evidence(&sandbox, DONE)?["counts"][0]["columns"][1]["adds_up"];
    assert_eq!(*adds_up, false);
    assert!(printed(&sandbox, &[DONE])?.contains("| NO |"));
    assert!(printed(&sandbox, &[DONE, "--format", "html"])?.contains("✗ no"));
    Ok(())
}

/// What, from when, to when (or null), for how long, and whether it may have been shorter.
fn outages(evidence: &Value) -> Value {
    let of = |outage: &Value| {
        let what = outage["what"].as_str().unwrap_or_default();
        let what = what.split(':').next().unwrap_or_default();
        let fields = ["began_at", "ended_at", "duration_ms", "is_at_most"];
        json!([what, fields.map(|field| outage[field].clone())])
    };
    let outages = evidence["outages"].as_array();
    outages.into_iter().flatten().map(of).collect()
}

#[test]
fn an_outage_lasts_from_the_commit_until_the_traffic_has_moved() -> Result<()> {
    let sandbox = with_journals()?;
    let orders = "known orders could not be answered";
    let began_at = "2026-11-28T02:02:13.4Z";
    let expected = json!([[orders, [began_at, "2026-11-28T02:02:19.93Z", 6530, false]]]);
    for run in [DONE, SOAKING] {
        assert_eq!(outages(&evidence(&sandbox, run)?), expected);
    }
    Ok(())
}

#[test]
fn an_outage_of_a_run_that_is_undone_lasts_until_the_table_is_back() -> Result<()> {
    let sandbox = with_journals()?;
    let orders = "known orders could not be answered";
    let began_at = "2026-11-20T02:02:13.4Z";
    let ended_at = "2026-11-20T02:04:35.53Z";
    assert_eq!(
        outages(&evidence(&sandbox, ROLLED_BACK)?),
        json!([[orders, [began_at, ended_at, 142_130, true]]])
    );
    assert_eq!(
        outages(&evidence(&sandbox, STUCK)?),
        json!([[orders, [began_at, null, 113_130, false]]])
    );
    Ok(())
}

/// Before the commit was in journals, the step's own times have to do, and a step that was
/// cut off may have had its effect at its first attempt.
#[test]
fn what_a_journal_does_not_tell_is_taken_to_have_lasted_longer() -> Result<()> {
    let sandbox = with_journals()?;
    let path = format!("state/runs/{DONE}/journal.jsonl");
    let journal = sandbox.read(&path)?;
    let is_kept = |line: &&str| !line.contains("committed at") && !line.contains("cut over at");
    let older: Vec<&str> = journal.lines().filter(is_kept).collect();
    sandbox.write(&path, &(older.join("\n") + "\n"))?;
    let orders = "known orders could not be answered";
    let times = ["2026-11-28T02:02:11.1Z", "2026-11-28T02:02:22.13Z"];
    assert_eq!(
        outages(&evidence(&sandbox, DONE)?),
        json!([[orders, [times[0], times[1], 11_030, true]]])
    );
    assert_eq!(
        outages(&evidence(&sandbox, EMERGENCY)?),
        json!([
            [
                "nobody could call the services",
                [
                    "2026-11-15T23:40:05.02Z",
                    "2026-11-15T23:43:33.84Z",
                    208_820,
                    true
                ]
            ],
            [
                "services could not open new connections to the database",
                [
                    "2026-11-15T23:41:01.09Z",
                    "2026-11-15T23:43:19.82Z",
                    138_730,
                    true
                ]
            ],
        ])
    );
    Ok(())
}

/// One lies within the other.
#[test]
fn outages_of_two_causes_are_counted_once() -> Result<()> {
    let sandbox = with_journals()?;
    assert_eq!(evidence(&sandbox, EMERGENCY)?["outage_ms"], 208_820);
    assert_eq!(evidence(&sandbox, CLIENT)?["outage_ms"], 0);
    assert!(printed(&sandbox, &[EMERGENCY])?.contains("- Outage: at most 3 min 29 s\n"));
    Ok(())
}

#[test]
fn what_is_still_to_come_has_its_date_and_its_command() -> Result<()> {
    let sandbox = with_journals()?;
    let ahead = |run| Ok::<_, anyhow::Error>(evidence(&sandbox, run)?["to_come"].clone());
    let soaking = ahead(SOAKING)?;
    assert_eq!(soaking[0]["due_at"], "2026-11-29T02:08:00Z");
    assert_eq!(
        soaking[0]["command"],
        format!("cargo xtask resume {SOAKING}")
    );
    assert_eq!(
        soaking[1]["what"],
        "retirement: version 3 is to be disabled"
    );
    let done = ahead(DONE)?;
    let destruction = done[0]["what"].as_str().context("words")?;
    assert!(destruction.starts_with("destruction: version 3"), "{done}");
    // A year after version 4 was stored.
    assert_eq!(done[1]["due_at"], "2027-11-28T02:01:30.76Z");
    assert_eq!(
        ahead(STUCK)?[0]["command"],
        format!("cargo xtask resume {STUCK}")
    );
    Ok(())
}

/// Whoever had a hand in it, with what they did.
#[test]
fn it_tells_by_whom() -> Result<()> {
    let sandbox = with_journals()?;
    let hands = evidence(&sandbox, ROLLED_BACK)?["hands"].clone();
    let told = hands.as_array().context("hands")?.iter();
    let told: Vec<_> = told
        .map(|hand| (&hand["operator"], &hand["deed"]))
        .collect();
    let expected = json!([
        ["ada", "began"],
        ["ada", "resumed"],
        ["grace", "rolled_back"],
        ["grace", "rolled_back"]
    ]);
    assert_eq!(json!(told), expected);
    Ok(())
}

#[test]
fn every_step_of_every_run_has_its_texts() -> Result<()> {
    let sandbox = with_journals()?;
    for run in ALL {
        for step in evidence(&sandbox, run)?["steps"]
            .as_array()
            .context("steps")?
        {
            assert!(step["does"].is_string(), "{run}: {step}");
            let is_verified = step["verification"]["how"].is_string();
            let is_done = ["done", "found"].contains(&step["status"].as_str().unwrap_or_default());
            assert!(is_verified || !is_done, "{run}: {step}");
        }
    }
    Ok(())
}

/// A run's journal, as far as it goes before its last record, and another one in place of that.
fn with_last_record(sandbox: &Sandbox, run: &str, record: Option<&str>) -> Result<()> {
    let path = format!("state/runs/{run}/journal.jsonl");
    let journal = sandbox.read(&path)?;
    let (kept, last) = journal
        .trim_end()
        .rsplit_once('\n')
        .context("two records")?;
    let (at, _) = last.split_once(",\"record\"").context("a time")?;
    let record = record.map(|record| format!("{at},{record}}}\n"));
    sandbox.write(&path, &format!("{kept}\n{}", record.unwrap_or_default()))
}

#[test]
fn what_an_unfinished_run_stands_at_is_still_to_come() -> Result<()> {
    let sandbox = with_journals()?;
    for (record, what) in [
        (
            Some(r#""record":"step_waits","step":"soak","until":null"#),
            "people: `Soak`; then the run goes on",
        ),
        (
            Some(r#""record":"step_failed","step":"soak","reason":"the database failed""#),
            "`Soak` failed: the run is to be gone on with, or rolled back",
        ),
        (None, "the run stands at `Soak`, and is to be gone on with"),
    ] {
        with_last_record(&sandbox, SOAKING, record)?;
        assert_eq!(evidence(&sandbox, SOAKING)?["to_come"][0]["what"], what);
    }
    Ok(())
}

#[test]
fn a_rollback_is_stuck_when_a_step_of_it_has_failed() -> Result<()> {
    let sandbox = with_journals()?;
    assert_eq!(evidence(&sandbox, STUCK)?["state"], "stuck");
    with_last_record(&sandbox, STUCK, None)?;
    assert_eq!(evidence(&sandbox, STUCK)?["state"], "rolling_back");
    Ok(())
}

/// The other database's runs have the same steps, and so the same texts.
#[test]
fn the_steps_of_the_session_databases_runs_have_their_texts() -> Result<()> {
    let sandbox = with_journals()?;
    let steps = evidence(&sandbox, EMERGENCY)?["steps"].clone();
    let path = format!("state/runs/{EMERGENCY}/journal.jsonl");
    let journal = sandbox.read(&path)?;
    let rotation = |name: &str| format!("\"rotation\":\"{name}\"");
    let other = journal.replace(&rotation("database-url"), &rotation("session-database-url"));
    assert_ne!(journal, other);
    sandbox.write(&path, &other)?;
    assert_eq!(evidence(&sandbox, EMERGENCY)?["steps"], steps);
    Ok(())
}
