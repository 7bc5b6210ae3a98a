//! The journal cut off after each of its records.
use std::fs;
use std::io::Write as _;

use anyhow::Result;

use super::moments::{Blow, Moments};
use super::world::{THEN, World};

/// The process ends when a record is written, and half of the next one is there.
#[tokio::test(flavor = "multi_thread")]
async fn after_each_record_and_in_the_middle_of_the_next() -> Result<()> {
    let world = World::stored().await?;
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

fn journal(world: &World) -> Result<String> {
    let run = &world.runs().list()?[0];
    Ok(fs::read_to_string(run.folder.join("journal.jsonl"))?)
}
