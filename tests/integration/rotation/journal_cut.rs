//! The journal cut off after each of its records.
use std::fs;
use std::io::Write as _;

use anyhow::Result;
use runbook::StepError as _;
use secret::FernetKey;

use super::keys::move_tokens;
use super::moments::{Blow, Moments};
use super::other_people::{carry_on, stopped_after};
use super::world::{THEN, Then, World};

/// The process ends when a record is written, and half of the next one is there.
#[tokio::test(flavor = "multi_thread")]
async fn after_each_record_and_in_the_middle_of_the_next() -> Result<()> {
    cut_after_each_record(&World::stored().await?).await
}

/// People changed the `.env` before: nobody knows what the service started with.
#[tokio::test(flavor = "multi_thread")]
async fn where_the_service_is_not_as_recorded_at_first() -> Result<()> {
    let mut world = World::pinned().await?;
    world.restarts = true;
    let before = world.see().await?;
    let theirs = FernetKey::generate().to_text().to_string();
    let database = world.path("service.db");
    move_tokens(&database, before.value_in_use(), &theirs).await?;
    let edited = before.env.replace(before.value_in_use(), &theirs);
    fs::write(world.path(".env"), edited)?;
    cut_after_each_record(&world).await
}

async fn cut_after_each_record(world: &World) -> Result<()> {
    let start = world.see().await?;
    let undisturbed = Moments::undisturbed();
    let whole = world.copy()?;
    whole.begin(&undisturbed).await?;
    let all = journal(&whole)?;
    let passed = undisturbed.passed();
    let records: Vec<usize> = (0..passed.len())
        .filter(|number| passed[*number].ends_with("after a record"))
        .collect();
    // The first record is written before anything can be hit.
    assert_eq!(records.len() + 1, all.lines().count());
    let mut cases = 0;
    for (index, number) in records.iter().enumerate() {
        for then in THEN {
            for rest in ["", "{\"at\":\"2026-"] {
                let case = format!("after record {index}, then {then:?}, with `{rest}`");
                let copy = world.copy()?;
                let ended = copy.begin(&Moments::hit_at(*number, Blow::Dies)).await;
                assert!(ended.is_err(), "{case}");
                assert_eq!(journal(&copy)?.lines().count(), index + 2, "{case}");
                let path = copy.runs().list()?[0].folder.join("journal.jsonl");
                let mut file = fs::OpenOptions::new().append(true).open(path)?;
                file.write_all(rest.as_bytes())?;
                if then == Then::RollBack && !start.services[0].ready {
                    // What was there can't be had back wholly: it is in the store now.
                    copy.carry_on(then, &Moments::undisturbed()).await?;
                    let back = copy.see().await?;
                    assert_eq!(back.env, start.env, "{case}");
                    back.expect_all_under(start.value_in_use(), &case);
                    cases += 1;
                    continue;
                }
                copy.bring_to_its_end(then, &start, &case).await;
                cases += 1;
            }
        }
    }
    assert_eq!(cases, records.len() * THEN.len() * 2);
    eprintln!(
        "{} records, the journal cut after each: {cases} cases",
        records.len()
    );
    Ok(())
}

/// A folder of runs that is restored from a backup tells of less than was done: a rollback by it
/// would take the table away from the service.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_of_it_undoes_nothing_that_it_does_not_know() -> Result<()> {
    let world = World::stored().await?;
    let start = world.see().await?;
    for step in ["survey", "prepare", "re-encrypt"] {
        let stopped = stopped_after(&world, step).await?;
        let path = stopped.runs().list()?[0].folder.join("journal.jsonl");
        let older = fs::read_to_string(&path)?;
        carry_on(&stopped, Then::Resume).await?;
        fs::write(&path, older)?;
        let looked = stopped.look_before_the_rollback().await;
        let reason = looked.err().map(|error| error.reason());
        assert_eq!(
            reason,
            Some("a service served with another revision"),
            "{step}"
        );
        let seen = stopped.see().await?;
        seen.expect_all_under(seen.value_in_use(), step);
        assert_eq!(seen.plaintexts(), start.plaintexts(), "{step}");
    }
    Ok(())
}

fn journal(world: &World) -> Result<String> {
    let run = &world.runs().list()?[0];
    Ok(fs::read_to_string(run.folder.join("journal.jsonl"))?)
}
