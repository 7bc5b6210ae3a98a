//! Waiting for people and for a time, and stopping between steps.

use jiff::SignedDuration;
use runbook::{JournalError, RunStatus, StepStatus, Stopped, roll_back, run_forward};

use crate::driver::{Stage, Then, Watcher};
use crate::toy::{ABOUTS, BY_PEOPLE, plan, plan_of};
use crate::world::{Fault, Method, Moment, ToyError, World};

#[tokio::test]
async fn a_step_by_people_waits_until_they_say_yes() {
    let mut stage = Stage::new(plan(), World::new());
    let mut run = stage.begin();
    for _ in 0..2 {
        let mut no = Watcher::default();
        let stopped = run_forward(&stage.plan, &mut stage.world, &mut run, &mut no).await;
        let Err(Stopped::Waits {
            number: 3,
            until: None,
            ..
        }) = stopped
        else {
            panic!("{stopped:?}");
        };
        assert_eq!(no.events.last().unwrap(), "waits ask false");
        assert_eq!(run.history().step_status("ask"), StepStatus::Waiting);
        run = stage.reopen(run);
    }
    assert!(!stage.world.calls.contains(&"apply ask".to_owned()));
    stage.bring_to_end(&mut run, Then::Resume, "yes").await;
}

#[tokio::test]
async fn an_undo_by_people_waits_before_anything_else_is_undone() {
    let mut stage = Stage::new(plan_of("toy", &BY_PEOPLE), World::new());
    let mut run = stage.begin();
    stage.forward(&mut run).await.unwrap();
    for _ in 0..2 {
        let mut no = Watcher::default();
        let stopped = roll_back(&stage.plan, &mut stage.world, &mut run, &mut no).await;
        let Err(Stopped::Waits {
            number: 2,
            until: None,
            ..
        }) = stopped
        else {
            panic!("{stopped:?}");
        };
        assert_eq!(no.events.last().unwrap(), "waits ask false");
        assert_eq!(run.history().step_status("ask"), StepStatus::Undoing);
        assert_eq!(run.history().step_status("open-door"), StepStatus::Done);
        run = stage.reopen(run);
    }
    let mut yes = Watcher {
        says_yes: true,
        ..Watcher::default()
    };
    let back = roll_back(&stage.plan, &mut stage.world, &mut run, &mut yes).await;
    back.unwrap();
    assert_eq!(run.history().status, RunStatus::RolledBack);
}

#[tokio::test]
async fn a_soak_waits_until_its_time_however_often_it_is_resumed() {
    let mut stage = Stage::new(plan(), World::new());
    let began = stage.world.now;
    let mut run = stage.begin();
    stage.forward_until(&mut run, 4).await;
    for minutes in [0, 30, 59] {
        stage.world.now = began + SignedDuration::from_mins(minutes);
        let mut watcher = Watcher::default();
        let stopped = run_forward(&stage.plan, &mut stage.world, &mut run, &mut watcher).await;
        let Err(Stopped::Waits {
            until: Some(until), ..
        }) = stopped
        else {
            panic!("{stopped:?}");
        };
        assert_eq!(until, began + SignedDuration::from_hours(1));
        assert_eq!(run.history().steps[4].until, Some(until));
        run = stage.reopen(run);
    }
    stage.world.now = began + SignedDuration::from_hours(1);
    let mut watcher = Watcher::default();
    run_forward(&stage.plan, &mut stage.world, &mut run, &mut watcher)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_run_can_be_interrupted_between_any_two_steps_both_ways() {
    for index in 0..ABOUTS.len() {
        for then in crate::driver::THEN {
            let case = format!("before step {index}, then {then:?}");
            let mut stage = Stage::new(plan(), World::new());
            let mut run = stage.begin();
            stage.forward_until(&mut run, index).await;
            let mut watcher = Watcher::default();
            watcher.stops_after.set(Some(0));
            let stopped = stage.forward_with(&mut run, &mut watcher).await;
            let Err(Stopped::Interrupted { number, .. }) = stopped else {
                panic!("{case}: {stopped:?}");
            };
            assert_eq!(number, index + 1, "{case}");
            let mut run = stage.reopen(run);
            stage.bring_to_end(&mut run, then, &case).await;
        }
    }
}

#[tokio::test]
async fn what_a_run_cannot_do_is_refused_without_a_word_in_the_journal() {
    for reopened in [false, true] {
        let mut stage = Stage::new(plan(), World::new());
        let mut run = stage.begin();
        stage.bring_to_end(&mut run, Then::Resume, "forward").await;
        run = refuses_forward(&mut stage, run, reopened, RunStatus::Done).await;
        stage.bring_to_end(&mut run, Then::RollBack, "back").await;
        run = refuses_forward(&mut stage, run, reopened, RunStatus::RolledBack).await;
        let stopped = stage.back(&mut run).await;
        let is_refused = matches!(stopped, Err(Stopped::Journal(JournalError::Refused { .. })));
        assert!(is_refused, "{stopped:?}");
    }
}

async fn refuses_forward(
    stage: &mut Stage,
    mut run: runbook::Run,
    reopened: bool,
    status: RunStatus,
) -> runbook::Run {
    if reopened {
        run = stage.reopen(run);
    }
    let calls = stage.world.calls.len();
    // Not even asked: the world would answer with this.
    stage.world.fault = Some(Fault {
        step: "open-door",
        method: Method::Observe,
        moment: Moment::Before,
        error: ToyError::Broken,
    });
    let stopped = stage.forward(&mut run).await;
    let is_refused = matches!(stopped, Err(Stopped::Journal(JournalError::Refused { .. })));
    assert!(is_refused, "{stopped:?}");
    assert!(stage.world.fault.take().is_some());
    assert_eq!(stage.world.calls.len(), calls);
    assert_eq!(run.history().status, status);
    stage.assert_replays(&run, "refused");
    run
}
