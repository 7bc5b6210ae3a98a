//! What somebody else did meanwhile.

use runbook::{RunStatus, StepStatus, Stopped};

use crate::driver::{Stage, Then, Watcher};
use crate::folder::cut_off_the_last_record;
use crate::toy::{IN_MEMORY, plan, plan_of};
use crate::world::{Effects, World};

#[tokio::test]
async fn nothing_is_done_where_an_earlier_effect_is_gone_and_a_later_one_is_there() {
    for gone in ["open-door", "make-thing"] {
        let mut stage = Stage::new(plan(), World::new());
        let mut run = stage.all_but_the_last_record().await;
        stage.world.take_away(gone, false);
        let before = stage.world.clone();
        let stopped = stage.forward(&mut run).await.unwrap_err();
        match stopped {
            Stopped::Disturbed { gone: about, .. } => assert_eq!(about.name, gone),
            stopped => panic!("{stopped:?}"),
        }
        assert_eq!(stage.world.effects, before.effects);
        assert_eq!(stage.world.calls, before.calls);
        stage.bring_to_end(&mut run, Then::RollBack, gone).await;
    }
}

#[tokio::test]
async fn a_lost_effect_is_done_again_with_everything_after_it() {
    let mut stage = Stage::new(plan(), World::new());
    let mut run = stage.all_but_the_last_record().await;
    stage.world.take_away("point", false);
    stage.world.take_away("make-thing", false);
    stage.world.calls.clear();
    let mut watcher = Watcher::default();
    stage.forward_with(&mut run, &mut watcher).await.unwrap();
    assert_eq!(watcher.events[0], "lost make-thing");
    assert_eq!(
        stage.world.calls,
        ["apply make-thing", "apply soak", "apply point"]
    );
    assert_eq!(run.history().status, RunStatus::Done);
    assert_eq!(run.history().step("make-thing").unwrap().lost, 1);
    assert_eq!(run.history().last_operator.as_str(), "ben");
    stage.bring_to_end(&mut run, Then::RollBack, "back").await;
}

#[tokio::test]
async fn what_is_left_by_half_after_a_loss_is_undone_too() {
    let mut stage = Stage::new(plan(), World::new());
    let mut run = stage.all_but_the_last_record().await;
    for step in ["point", "make-thing"] {
        stage.world.take_away(step, true);
    }
    let mut watcher = Watcher::default();
    watcher.stops_after.set(Some(0));
    let stopped = stage.forward_with(&mut run, &mut watcher).await;
    assert!(
        matches!(stopped, Err(Stopped::Interrupted { number: 4, .. })),
        "{stopped:?}"
    );
    stage.bring_to_end(&mut run, Then::RollBack, "back").await;
}

#[tokio::test]
async fn what_was_there_before_the_run_is_found_and_stays_when_it_is_undone() {
    let mut world = World::new();
    world.effects.door.extend(["lock", "hinge"]);
    let before = world.effects.clone();
    let mut stage = Stage::new(plan(), world);
    let mut run = stage.begin();
    stage.forward(&mut run).await.unwrap();
    assert!(run.history().steps[1].found);
    assert!(!stage.world.calls.contains(&"apply open-door".to_owned()));

    stage.back(&mut run).await.unwrap();
    assert_eq!(stage.world.effects, before);
    assert!(!stage.world.calls.contains(&"undo open-door".to_owned()));
    assert_eq!(run.history().step_status("open-door"), StepStatus::Done);
    assert_eq!(run.history().status, RunStatus::RolledBack);
    stage.assert_replays(&run, "found");
}

#[tokio::test]
async fn what_was_found_and_is_gone_later_becomes_the_runs_own() {
    let mut world = World::new();
    world.effects.door.extend(["lock", "hinge"]);
    let mut stage = Stage::new(plan(), world);
    let mut run = stage.begin();
    stage.forward_until(&mut run, 2).await;
    stage.world.effects.door.clear();
    stage.forward(&mut run).await.unwrap();
    assert!(!run.history().steps[1].found);
    stage.back(&mut run).await.unwrap();
    assert_eq!(stage.world.effects, Effects::default());
}

#[tokio::test]
async fn what_was_in_memory_is_made_again_and_what_came_later_is_found() {
    let mut stage = Stage::new(plan_of("toy", &IN_MEMORY), World::new());
    let mut run = stage.begin();
    stage.forward_until(&mut run, 2).await;
    let mut run = stage.reopen(run);
    stage.world.take_away("make-thing", false);
    stage.world.calls.clear();
    let mut watcher = Watcher::default();
    stage.forward_with(&mut run, &mut watcher).await.unwrap();
    assert_eq!(watcher.events[0], "lost make-thing");
    assert!(watcher.events.contains(&"found open-door".to_owned()));
    assert_eq!(stage.world.calls, ["apply make-thing", "apply point"]);
    stage.bring_to_end(&mut run, Then::RollBack, "back").await;
}

#[tokio::test]
async fn memory_excuses_nothing_that_is_gone_beside_it() {
    let mut stage = Stage::new(plan_of("toy", &IN_MEMORY), World::new());
    let mut run = stage.begin();
    stage.forward(&mut run).await.unwrap();
    cut_off_the_last_record(&run);
    let mut run = stage.reopen(run);
    stage.world.take_away("make-thing", false);
    stage.world.take_away("open-door", false);
    let stopped = stage.forward(&mut run).await.unwrap_err();
    match stopped {
        Stopped::Disturbed { gone, there } => {
            assert_eq!((gone.name, there.name), ("open-door", "point"));
        }
        stopped => panic!("{stopped:?}"),
    }
}
