//! What people read: the document, the plan, and what a report is made from.

use runbook::{History, plan_lines, runbook_section};

use crate::driver::{Stage, Then};
use crate::toy::{ONE_WAY, plan, plan_of};
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
