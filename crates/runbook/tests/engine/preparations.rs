//! What later steps can do without: where it is gone, it is made again, whatever came after it.

use runbook::{Run, RunStatus, Stopped};

use crate::driver::{Stage, THEN, Then, Watcher};
use crate::folder::cut_off_the_last_record;
use crate::toy::{PREPARED, plan_of};
use crate::world::{Effects, World};

/// A run that was cut off when so many of its steps were done, the second of which prepares.
async fn stopped_after(done: usize, is_reopened: bool) -> (Stage, Run) {
    let mut stage = Stage::new(plan_of("toy", &PREPARED), World::new());
    let mut run = stage.begin();
    if done < PREPARED.len() {
        stage.forward_until(&mut run, done).await;
    } else {
        stage.forward(&mut run).await.unwrap();
        cut_off_the_last_record(&run);
        run = stage.reopen(run);
    }
    if is_reopened {
        run = stage.reopen(run);
    }
    stage.world.calls.clear();
    (stage, run)
}

#[tokio::test]
async fn a_preparation_that_is_gone_is_made_again_and_undone_once() {
    for (done, applied) in [
        (2, &["apply open-door", "apply point"][..]),
        // What came after it is there, and nobody had a hand in that.
        (3, &["apply open-door"]),
    ] {
        for half in [false, true] {
            for is_reopened in [false, true] {
                let case = format!("{done} done, by half: {half}, reopened: {is_reopened}");
                let (mut stage, mut run) = stopped_after(done, is_reopened).await;
                stage.world.take_away("open-door", half);
                let mut watcher = Watcher::default();
                let ended = stage.forward_with(&mut run, &mut watcher).await;
                ended.unwrap_or_else(|stopped| panic!("{case}: {stopped:?}"));
                assert_eq!(watcher.events[0], "lost open-door", "{case}");
                assert_eq!(stage.world.calls, applied, "{case}");
                assert_eq!(run.history().status, RunStatus::Done, "{case}");
                assert!(
                    run.history().steps.iter().all(|step| !step.found),
                    "{case}: all is this run's doing"
                );

                stage.world.calls.clear();
                stage.bring_to_end(&mut run, Then::RollBack, &case).await;
                let undone = ["undo point", "undo open-door", "undo make-thing"];
                assert_eq!(stage.world.calls, undone, "{case}");
            }
        }
    }
}

/// The process ends between the word that it is lost and the end of making it again.
#[tokio::test]
async fn a_crash_while_it_is_made_again_can_be_resumed_and_undone() {
    for questions in 0..2 {
        for then in THEN {
            let case = format!("after {questions} questions, then {then:?}");
            let (mut stage, mut run) = stopped_after(3, true).await;
            stage.world.take_away("open-door", false);
            let mut watcher = Watcher::default();
            watcher.stops_after.set(Some(questions));
            let stopped = stage.forward_with(&mut run, &mut watcher).await;
            let is_interrupted = matches!(stopped, Err(Stopped::Interrupted { .. }));
            assert!(is_interrupted, "{case}: {stopped:?}");
            let mut run = stage.reopen(run);
            stage.bring_to_end(&mut run, then, &case).await;
        }
    }
}

/// Its way back does without it, too.
#[tokio::test]
async fn a_rollback_does_not_make_again_what_is_gone() {
    for done in [2, 3] {
        let (mut stage, mut run) = stopped_after(done, true).await;
        stage.world.take_away("open-door", false);
        stage.bring_to_end(&mut run, Then::RollBack, "gone").await;
        let applied = |call: &String| call.starts_with("apply");
        assert!(!stage.world.calls.iter().any(applied), "{done} done");
    }
}

#[tokio::test]
async fn a_preparation_excuses_nothing_that_is_gone_beside_it() {
    for (taken, there) in [
        (&["make-thing"][..], "open-door"),
        (&["make-thing", "open-door"], "point"),
    ] {
        let (mut stage, mut run) = stopped_after(3, true).await;
        for step in taken {
            stage.world.take_away(step, false);
        }
        let before = stage.world.effects.clone();
        match stage.forward(&mut run).await.unwrap_err() {
            Stopped::Disturbed { gone, there: later } => {
                assert_eq!((gone.name, later.name), ("make-thing", there));
            }
            stopped => panic!("{stopped:?}"),
        }
        assert_eq!(stage.world.effects, before);
        assert_eq!(stage.world.calls, Vec::<String>::new());
    }
}

/// Another change that is gone, after it: the run goes on from the first of both.
#[tokio::test]
async fn what_is_gone_after_it_as_well_is_done_again_with_it() {
    let (mut stage, mut run) = stopped_after(3, true).await;
    for step in ["point", "open-door"] {
        stage.world.take_away(step, false);
    }
    stage
        .bring_to_end(&mut run, Then::Resume, "both gone")
        .await;
    assert_eq!(stage.world.calls, ["apply open-door", "apply point"]);
}

/// What others prepared is theirs, until it is gone and the run makes it.
#[tokio::test]
async fn a_preparation_that_was_there_before_the_run_stays_when_it_is_undone() {
    for is_gone in [false, true] {
        let mut world = World::new();
        world.effects.door.extend(["lock", "hinge"]);
        let theirs = world.effects.clone();
        let mut stage = Stage::new(plan_of("toy", &PREPARED), world);
        let mut run = stage.begin();
        stage.forward_until(&mut run, 2).await;
        assert!(run.history().steps[1].found);
        if is_gone {
            stage.world.take_away("open-door", false);
        }
        stage.forward(&mut run).await.unwrap();
        assert_eq!(run.history().steps[1].found, !is_gone);
        stage.back(&mut run).await.unwrap();
        let left = if is_gone { Effects::default() } else { theirs };
        assert_eq!(stage.world.effects, left, "gone: {is_gone}");
    }
}
