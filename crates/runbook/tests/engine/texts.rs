//! What people read: the document, the plan, the report.

use runbook::{plan_lines, report, runbook_section};

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
async fn the_report_of_a_run_that_was_undone_tells_why() {
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
    insta::assert_snapshot!(without_times(&report(run.history())), @r"
    # RUN

    - Secret: toy
    - Platform: toy-box
    - Begun by: ann
    - Carried on by: ben
    - Begun: TIME
    - Last record: TIME
    - State: rolled back

    | step | state | begun | last | why |
    | --- | --- | --- | --- | --- |
    | look | undone | TIME | TIME |  |
    | open-door | undone | TIME | TIME |  |
    | ask | undone | TIME | TIME |  |
    | make-thing | undone | TIME | TIME | the toy broke |
    | soak | not begun |  |  |  |
    | point | not begun |  |  |  |

    | fact | value |
    | --- | --- |
    | thing | thing-1 |
    ");
}

/// A report with its times and the name of the run replaced.
fn without_times(text: &str) -> String {
    let word = |word: &str| {
        let is_time = word.parse::<jiff::Timestamp>().is_ok();
        let is_run = word.starts_with("toy-2");
        match (is_time, is_run) {
            (true, _) => "TIME".to_owned(),
            (_, true) => "RUN".to_owned(),
            _ => word.to_owned(),
        }
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}
