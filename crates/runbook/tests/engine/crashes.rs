//! A crash at every record, before, in the middle of and after its line.

use runbook::{Activity, Run, RunStatus, StepHistory, StepStatus, Stopped};

use crate::driver::{RECORDS, Stage, THEN, Then, Watcher, through};
use crate::sinks::{Breaking, CUTS, Cut};
use crate::toy::{ABOUTS, plan};
use crate::world::{CHANGES, World};

#[tokio::test]
async fn a_crash_at_every_record_can_be_resumed_and_undone() {
    let mut cases = 0;
    for record in 0..RECORDS {
        for cut in CUTS {
            for then in THEN {
                let case = format!("{cut:?} of record {record}, then {then:?}");
                let mut stage = Stage::new(plan(), World::new());
                let run = stage.begin();
                let mut run =
                    crash_forward(&mut stage, run, Breaking::at(record, cut), &case).await;
                // After the last record there is nothing to be resumed.
                if then == Then::RollBack || run.history().status == RunStatus::Forward {
                    stage.bring_to_end(&mut run, then, &case).await;
                }
                cases += 1;
            }
        }
    }
    assert_eq!(cases, RECORDS * CUTS.len() * THEN.len());
}

async fn crash_forward(stage: &mut Stage, run: Run, breaking: Breaking, case: &str) -> Run {
    let mut run = through(run, breaking);
    let mut watcher = Watcher::default();
    let stopped = stage
        .forward_with(&mut run, &mut watcher)
        .await
        .unwrap_err();
    let is_journal = matches!(stopped, Stopped::Journal(_));
    // A step hands on the journal's error as its own, and its failure can't be written.
    assert!(is_journal, "{case}: {stopped:?}");
    let effects = stage.world.effects.clone();
    let again = stage.forward(&mut run).await.unwrap_err();
    assert!(matches!(again, Stopped::Journal(_)), "{case}: {again:?}");
    let back = stage.back(&mut run).await.unwrap_err();
    assert!(matches!(back, Stopped::Journal(_)), "{case}: {back:?}");
    assert_eq!(
        stage.world.effects, effects,
        "{case}: nothing without a journal"
    );
    let run = stage.reopen(run);
    assert_done_steps_come_first(&run, case);
    assert_told_waits_are_written(&run, &watcher, case);
    run
}

/// What was told to wait for is in the journal; it may be there untold, cut off in between.
fn assert_told_waits_are_written(run: &Run, watcher: &Watcher, case: &str) {
    let spans = run.history().steps.iter().flat_map(StepHistory::spans);
    let waits = spans.filter(|span| span.activity == Activity::Waiting);
    let told = watcher
        .events
        .iter()
        .filter(|event| event.starts_with("waits"));
    assert!(
        told.count() <= waits.count(),
        "{case}: {:?}",
        watcher.events
    );
}

fn assert_done_steps_come_first(run: &Run, case: &str) {
    let is_done = |step: &StepHistory| step.status == StepStatus::Done;
    let steps = &run.history().steps;
    let first = steps.iter().take_while(|step| is_done(step)).count();
    assert_eq!(
        first,
        steps.iter().filter(|step| is_done(step)).count(),
        "{case}"
    );
}

#[tokio::test]
async fn a_second_crash_at_every_record_after_every_first_one_can_be_resumed_and_undone() {
    let mut cases = 0;
    let mut expected = 0;
    for first in 0..RECORDS {
        let mut second = 0;
        loop {
            let counting = Breaking::at(second, Cut::Nothing);
            let mut was_reached = false;
            for then in THEN {
                let case = format!("record {first}, then {second} more, then {then:?}");
                let mut stage = Stage::new(plan(), World::new());
                let run = stage.begin();
                let breaking = Breaking::at(first, Cut::Nothing);
                let run = crash_forward(&mut stage, run, breaking, &case).await;
                let mut run = through(
                    run,
                    Breaking {
                        records: std::rc::Rc::default(),
                        ..counting.clone()
                    },
                );
                match stage.forward(&mut run).await {
                    Ok(()) => break,
                    Err(Stopped::Journal(_)) => was_reached = true,
                    Err(stopped) => panic!("{case}: {stopped:?}"),
                }
                let mut run = stage.reopen(run);
                stage.bring_to_end(&mut run, then, &case).await;
                cases += 1;
            }
            if !was_reached {
                break;
            }
            second += 1;
        }
        expected += second * THEN.len();
    }
    assert_eq!(cases, expected);
    assert!(cases >= RECORDS * RECORDS, "{cases}");
}

#[tokio::test]
async fn a_crash_at_every_record_of_a_rollback_from_everywhere_can_be_gone_on_with() {
    let mut cases = 0;
    let mut expected = 0;
    for done in 0..=ABOUTS.len() {
        let counting = Breaking::never();
        let (mut stage, run) = after_steps(done).await;
        let mut run = through(run, counting.clone());
        stage.back(&mut run).await.unwrap();
        let records = counting.records.get();
        assert_eq!(records, 2 + 2 * done, "begun, two for each step, ended");
        expected += records * CUTS.len();
        for record in 0..records {
            for cut in CUTS {
                let case = format!("{done} steps, {cut:?} of record {record}");
                let (mut stage, run) = after_steps(done).await;
                let mut run = through(run, Breaking::at(record, cut));
                let stopped = stage.back(&mut run).await.unwrap_err();
                assert!(
                    matches!(stopped, Stopped::Journal(_)),
                    "{case}: {stopped:?}"
                );
                let mut run = stage.reopen(run);
                if run.history().status != RunStatus::RolledBack {
                    stage.bring_to_end(&mut run, Then::RollBack, &case).await;
                }
                assert_eq!(stage.world.effects, Default::default(), "{case}");
                cases += 1;
            }
        }
    }
    assert_eq!(cases, expected);
}

async fn after_steps(done: usize) -> (Stage, Run) {
    let mut stage = Stage::new(plan(), World::new());
    let mut run = stage.begin();
    stage.forward_until(&mut run, done).await;
    (stage, run)
}

/// Somebody undoes everything from a step on, in whole or in half; the crash comes
/// while the run writes that these are to be done again.
#[tokio::test]
async fn a_crash_at_every_record_after_a_loss_can_be_resumed_and_undone() {
    let mut cases = 0;
    let mut expected = 0;
    for lost in 0..CHANGES.len() {
        for half in [false, true] {
            let counting = Breaking::never();
            let (mut stage, run) = after_loss(lost, half).await;
            let mut run = through(run, counting.clone());
            stage.forward(&mut run).await.unwrap();
            let records = counting.records.get();
            expected += records * CUTS.len() * THEN.len();
            for record in 0..records {
                for cut in CUTS {
                    for then in THEN {
                        let case = format!(
                            "{lost} lost (half: {half}), {cut:?} of record {record}, then {then:?}"
                        );
                        let (mut stage, run) = after_loss(lost, half).await;
                        let mut run =
                            crash_forward(&mut stage, run, Breaking::at(record, cut), &case).await;
                        if then == Then::RollBack || run.history().status == RunStatus::Forward {
                            stage.bring_to_end(&mut run, then, &case).await;
                        }
                        cases += 1;
                    }
                }
            }
        }
    }
    assert_eq!(cases, expected);
}

/// A run whose last record is missing, and a world without the effects from a change on.
async fn after_loss(lost: usize, half: bool) -> (Stage, Run) {
    let mut stage = Stage::new(plan(), World::new());
    let run = stage.all_but_the_last_record().await;
    for step in &CHANGES[lost..] {
        stage.world.take_away(step, half);
    }
    (stage, run)
}
