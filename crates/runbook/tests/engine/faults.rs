//! Every step with every fault.

use runbook::{Kind, RunStatus, StepStatus, Stopped, roll_back};

use crate::driver::{RECORDS, Stage, THEN, Then, Watcher, through};
use crate::sinks::{Breaking, Cut};
use crate::toy::{ABOUTS, ONE_WAY, plan, plan_of, plan_with_twice};
use crate::world::{Effects, Fault, MOMENTS, Method, Moment, ToyError, World};

const ERRORS: [ToyError; 2] = [ToyError::Broken, ToyError::Interrupted];
/// Whether the same process goes on, or a new one.
const REOPENED: [bool; 2] = [false, true];

#[tokio::test]
async fn every_step_done_twice_and_undone_twice_is_done_and_undone() {
    let mut cases = 0;
    for about in &ABOUTS {
        for then in THEN {
            let mut stage = Stage::new(plan_with_twice(about.name), World::new());
            let mut run = stage.begin();
            stage.bring_to_end(&mut run, Then::Resume, about.name).await;
            if then == Then::RollBack {
                stage.bring_to_end(&mut run, then, about.name).await;
            }
            cases += 1;
        }
    }
    assert_eq!(cases, ABOUTS.len() * THEN.len());
}

#[tokio::test]
async fn a_step_that_fails_anywhere_can_be_resumed_and_undone() {
    let mut cases = 0;
    for about in &ABOUTS {
        for moment in MOMENTS {
            for error in ERRORS {
                for reopened in REOPENED {
                    for then in THEN {
                        let step = about.name;
                        let method = Method::Apply;
                        let fault = Fault {
                            step,
                            method,
                            moment,
                            error,
                        };
                        one_fault_forward(fault, reopened, then).await;
                        cases += 1;
                    }
                }
            }
        }
    }
    assert_eq!(
        cases,
        ABOUTS.len() * MOMENTS.len() * ERRORS.len() * REOPENED.len() * THEN.len()
    );
}

async fn one_fault_forward(fault: Fault, reopened: bool, then: Then) {
    let case = format!("{fault:?}, reopened: {reopened}, then {then:?}");
    let mut stage = Stage::new(plan(), World::with(fault));
    let mut run = stage.begin();
    let stopped = stage.forward(&mut run).await.unwrap_err();
    assert_stopped_by(fault, &stopped, &case);
    let expected = if fault.error == ToyError::Interrupted {
        StepStatus::Begun
    } else {
        StepStatus::Failed
    };
    assert_eq!(run.history().step_status(fault.step), expected, "{case}");
    stage.assert_replays(&run, &case);
    if reopened {
        run = stage.reopen(run);
    }
    stage.bring_to_end(&mut run, then, &case).await;
    assert!(
        run.history().steps.iter().all(|step| !step.found),
        "{case}: all is this run's doing"
    );
    if then == Then::Resume {
        stage.bring_to_end(&mut run, Then::RollBack, &case).await;
    }
}

fn assert_stopped_by(fault: Fault, stopped: &Stopped<ToyError>, case: &str) {
    let about = match stopped {
        Stopped::Failed { about, .. } if fault.error == ToyError::Broken => about,
        Stopped::Interrupted { about, .. } if fault.error == ToyError::Interrupted => about,
        stopped => panic!("{case}: {stopped:?}"),
    };
    assert_eq!(about.name, fault.step, "{case}");
}

#[tokio::test]
async fn an_observe_or_a_verify_that_fails_can_be_resumed_and_undone() {
    let mut cases = 0;
    let changes = || ABOUTS.iter().filter(|about| about.kind == Kind::Change);
    for about in changes() {
        for method in [Method::Observe, Method::Verify] {
            for error in ERRORS {
                for then in THEN {
                    let step = about.name;
                    let moment = Moment::Before;
                    let fault = Fault {
                        step,
                        method,
                        moment,
                        error,
                    };
                    let case = format!("{fault:?}, then {then:?}");
                    let mut stage = Stage::new(plan(), World::with(fault));
                    let mut run = stage.begin();
                    let stopped = stage.forward(&mut run).await.unwrap_err();
                    assert_stopped_by(fault, &stopped, &case);
                    run = stage.reopen(run);
                    stage.bring_to_end(&mut run, then, &case).await;
                    cases += 1;
                }
            }
        }
    }
    assert_eq!(cases, changes().count() * 2 * ERRORS.len() * THEN.len());
}

#[tokio::test]
async fn an_undo_that_fails_anywhere_is_stuck_and_can_be_gone_on_with() {
    let mut cases = 0;
    for about in &ABOUTS {
        for moment in MOMENTS {
            for error in ERRORS {
                for reopened in REOPENED {
                    let step = about.name;
                    let method = Method::Undo;
                    one_fault_back(
                        Fault {
                            step,
                            method,
                            moment,
                            error,
                        },
                        reopened,
                    )
                    .await;
                    cases += 1;
                }
            }
        }
    }
    assert_eq!(
        cases,
        ABOUTS.len() * MOMENTS.len() * ERRORS.len() * REOPENED.len()
    );
}

async fn one_fault_back(fault: Fault, reopened: bool) {
    let case = format!("{fault:?}, reopened: {reopened}");
    let mut stage = Stage::new(plan(), World::with(fault));
    let mut run = stage.begin();
    stage.bring_to_end(&mut run, Then::Resume, &case).await;
    let is_stuck = fault.error == ToyError::Broken;
    match stage.back(&mut run).await.unwrap_err() {
        Stopped::Stuck { about, .. } if is_stuck => assert_eq!(about.name, fault.step, "{case}"),
        Stopped::Interrupted { about, .. } if !is_stuck => {
            assert_eq!(about.name, fault.step, "{case}");
        }
        stopped => panic!("{case}: {stopped:?}"),
    }
    assert_eq!(run.history().is_stuck(), is_stuck, "{case}");
    assert_eq!(
        run.history().current_step().unwrap().name.as_str(),
        fault.step,
        "{case}"
    );
    if reopened {
        run = stage.reopen(run);
    }
    stage.bring_to_end(&mut run, Then::RollBack, &case).await;
}

#[tokio::test]
async fn what_cannot_be_undone_is_refused_before_anything_is_undone() {
    let mut stage = Stage::new(plan_of("toy", &ONE_WAY), World::new());
    let mut run = stage.begin();
    stage.bring_to_end(&mut run, Then::Resume, "forward").await;
    let before = stage.world.effects.clone();
    let stopped = stage.back(&mut run).await.unwrap_err();
    assert!(
        matches!(stopped, Stopped::CannotUndo { number: 2, .. }),
        "{stopped:?}"
    );
    assert_eq!(
        stopped.to_string(),
        "step 2, `Make a thing`, can't be undone: it lives"
    );
    assert_eq!(stage.world.effects, before);
    assert_eq!(run.history().status, RunStatus::Done);
}

#[tokio::test]
async fn what_cannot_be_undone_but_has_not_begun_is_in_nobodys_way() {
    let mut stage = Stage::new(plan_of("toy", &ONE_WAY), World::new());
    let mut run = stage.begin();
    stage.forward_until(&mut run, 1).await;
    stage.bring_to_end(&mut run, Then::RollBack, "back").await;
    assert_eq!(stage.world.effects, Effects::default());
}

#[tokio::test]
async fn only_what_may_have_changed_something_says_so() {
    for (step, expected) in [("look", false), ("open-door", true), ("ask", true)] {
        let fault = Fault {
            step,
            method: Method::Apply,
            moment: Moment::Before,
            error: ToyError::Broken,
        };
        let mut stage = Stage::new(plan(), World::with(fault));
        let mut run = stage.begin();
        match stage.forward(&mut run).await {
            Err(Stopped::Failed { changed, .. }) => assert_eq!(changed, expected, "{step}"),
            stopped => panic!("{stopped:?}"),
        }
    }
}

#[tokio::test]
async fn a_failure_that_cannot_be_written_down_is_not_lost() {
    let fault = |method| Fault {
        step: "look",
        method,
        moment: Moment::Before,
        error: ToyError::Broken,
    };
    for (method, record) in [(Method::Apply, 1), (Method::Undo, RECORDS + 12)] {
        let mut stage = Stage::new(plan(), World::with(fault(method)));
        let mut run = through(stage.begin(), Breaking::at(record, Cut::Nothing));
        let mut watcher = Watcher::default();
        let mut stopped = stage.forward_with(&mut run, &mut watcher).await;
        if method == Method::Undo {
            stopped = roll_back(&stage.plan, &mut stage.world, &mut run, &mut watcher).await;
        }
        assert!(matches!(stopped, Err(Stopped::Journal(_))), "{stopped:?}");
        assert_eq!(watcher.events.last().unwrap(), "broken", "{method:?}");
        let again = stage.back(&mut run).await.unwrap_err();
        let cause = std::error::Error::source(&again).unwrap().to_string();
        assert!(cause.ends_with(": the disk is full"), "{cause}");
    }
}
