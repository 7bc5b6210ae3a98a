//! What people read: the document, the plan, and what a report is made from.

use runbook::{About, History, Kind, plan_lines, plan_summary, runbook_section};

use crate::driver::{Stage, Then};
use crate::toy::{ONE_WAY, OPEN_DOOR, plan, plan_of};
use crate::world::{Fault, Method, Moment, ToyError, World};

#[test]
fn a_plan_as_a_document() {
    let section = runbook_section(
        "Toys",
        " How toys are turned. \n",
        plan_of("toy", &ONE_WAY).abouts().take(2),
    );
    insta::assert_snapshot!(section, @r"
    ## Toys

    How toys are turned.

    ### 1. Open the door

    Turns a screw.

    - Touches: a screw
    - Verified: it is turned
    - Undone: closing it
    - Outage: none

    ### 2. Make a thing

    Turns a screw.

    - Touches: a screw
    - Verified: it is turned
    - **Can't be undone**: it lives
    - Outage: none
    ");
}

#[test]
fn a_plan_in_short() {
    let lines = plan_lines(plan_of("toy", &ONE_WAY).abouts()).join("\n");
    insta::assert_snapshot!(lines, @r"
      1. Open the door (a screw)
      2. Make a thing (a screw)
         can't be undone: it lives
      3. Point at it (a screw)
    ");
}

#[test]
fn what_touches_nothing_says_so_by_silence() {
    const QUIET: About = About {
        touches: "nothing; readers go on",
        ..OPEN_DOOR
    };
    assert_eq!(plan_lines([&QUIET]), ["  1. Open the door"]);
    assert_eq!(plan_lines([&OPEN_DOOR]), ["  1. Open the door (a screw)"]);
}

/// Whoever says yes has to see what changes, who has to act, how long it takes, and what
/// there is no way back from.
#[test]
fn the_summary_of_a_plan_leaves_out_the_steps_that_only_look() {
    let plan = plan();
    let about = plan.abouts().next().unwrap();
    for (kind, touches, shown) in [
        (Kind::Check, "nothing; readers go on", None),
        (Kind::InMemory, "nothing outside this process", None),
        (Kind::Check, "a screw: its thread", Some(" (a screw)")),
        (
            Kind::Change,
            "a screw, where it is loose",
            Some(" (a screw)"),
        ),
        (Kind::People, "nothing that is known of", Some("")),
        (Kind::Soak, "nothing", Some("")),
    ] {
        let step = About {
            kind,
            touches,
            ..*about
        };
        let lines = plan_summary([&*Box::leak(Box::new(step))]);
        let line = shown.map(|touches| format!("  1. {}{touches}", about.title));
        assert_eq!(lines.first(), line.as_ref(), "{touches}");
    }
    let lines = plan_summary(plan_of("toy", &ONE_WAY).abouts());
    assert!(
        lines.contains(&"     can't be undone: it lives".to_owned()),
        "{lines:?}"
    );
}

#[tokio::test]
async fn the_history_of_a_run_that_was_undone_tells_how_each_time_ended_and_by_whom() {
    let fault = Fault {
        step: "make-thing",
        method: Method::Apply,
        moment: Moment::During,
        error: ToyError::Broken,
    };
    let mut stage = Stage::new(plan(), World::with(fault));
    let mut run = stage.begin();
    stage.forward(&mut run).await.unwrap_err();
    let mut run = stage.reopen(run);
    stage.bring_to_end(&mut run, Then::RollBack, "back").await;
    let history = run.history();
    assert!(history.ended_at.is_some());
    insta::assert_snapshot!(told(history), @r"
    ann Began
    ben RolledBack
    look: Doing→Done Undoing→Undone
    open-door: Doing→Done Undoing→Undone
    ask: Doing→Waits Waiting→Left Doing→Done Undoing→Undone
    make-thing: Doing→Failed Undoing→Undone
    soak:
    point:
    ");
}

/// Who had a hand in it, and the times of each step.
fn told(history: &History) -> String {
    let hands = history.hands.iter();
    let hands = hands.map(|hand| format!("{} {:?}", hand.operator, hand.deed));
    let steps = history.steps.iter().map(|step| {
        let spans = step.spans().iter();
        let spans = spans.map(|span| {
            assert!(span.ended_at(history.last_at) >= span.began_at);
            let end = span.end.map(|(_, how)| format!("{how:?}"));
            format!(" {:?}→{}", span.activity, end.unwrap_or_default())
        });
        format!("{}:{}", step.name, spans.collect::<String>())
    });
    hands.chain(steps).collect::<Vec<_>>().join("\n")
}
