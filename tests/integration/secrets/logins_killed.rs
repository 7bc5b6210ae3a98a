//! SIGKILL in any step of the rotation of a database URL: what `status` says then is typed,
//! and the service can log in whichever way it goes.
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::logins_lab::{Lab, SERVICES, use_tables};
use crate::faults::random::{Random, say};
use crate::procedure::sandbox::assert_none_in;

/// A step is over in less than that, most of the time.
const LONGEST_STEP: Duration = Duration::from_millis(40);

/// How a run is begun, when it is killed, and which of the commands that `status` names is typed.
#[derive(Clone, Copy, Debug)]
struct Case {
    mode: &'static [&'static str],
    step: usize,
    way: usize,
}

/// In each step, once in each direction; in place one direction has to do.
fn cases() -> Vec<Case> {
    let alternate = (0..24).map(|number| Case {
        mode: &[],
        step: number / 2 + 1,
        way: number % 2,
    });
    let in_place = (0..11).map(|number| Case {
        mode: &["--in-place"],
        step: number + 1,
        way: number % 2,
    });
    alternate.chain(in_place).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_it_is_killed_the_run_comes_to_its_end_and_the_service_logs_in() -> Result<()> {
    let mut random = Random::new();
    let cases = cases();
    let mut on_their_way = 0;
    for case in &cases {
        // It may be a later step by then, or over.
        let delay = LONGEST_STEP.mul_f64(random.fraction());
        let about = format!("killed {delay:?} after the step began, {case:?}");
        let stopped_at = kill(*case, delay).await;
        let stopped_at = stopped_at.with_context(|| about.clone())?;
        on_their_way += usize::from(stopped_at.is_some());
        say(&format!("{about}: {}", stopped_at.unwrap_or_default()));
    }
    ensure!(
        on_their_way >= cases.len() / 2,
        "hardly any was killed on its way"
    );
    Ok(())
}

/// The step at which it was killed, if it was on its way.
async fn kill(case: Case, delay: Duration) -> Result<Option<String>> {
    let lab = Lab::new(SERVICES).await?;
    let installation = &lab.installation;
    let mut running = installation.program(&lab.rotate(case.mode)).spawn();
    running.wait_for(&format!("{:>3}/1", case.step));
    sleep(delay);
    running.kill();
    assert_none_in(&running.wait(), &installation.secrets()?);
    let status = installation.run(&["status"])?;
    ensure!(status.code == Some(0), "{status:#?}");
    let next = installation.next_commands()?;
    let Some(line) = next.get(case.way) else {
        ensure!(next.is_empty(), "one way is missing: {status:#?}");
        use_tables(&lab.in_env()?).await?;
        return Ok(None);
    };
    let ended = installation.pasted(line)?;
    let (code, expected) = (ended.code, ["Rotated", "Rolled back"][case.way]);
    ensure!(code == Some(0), "{line}: {ended:#?} after {status:#?}");
    ensure!(ended.stdout.starts_with(expected), "{ended:#?}");
    expect_end(&lab, case)
        .await
        .with_context(|| format!("{ended:#?} after {status:#?}"))?;
    Ok(status.stdout.split('`').nth(1).map(str::to_owned))
}

async fn expect_end(lab: &Lab, case: Case) -> Result<()> {
    use_tables(&lab.in_env()?).await?;
    if case.way == 0 {
        lab.expect_sound().await?;
    }
    lab.installation.expect_nothing_unfinished()?;
    // And the next rotation, whatever was left behind.
    let again = lab.installation.run(&lab.rotate(case.mode))?;
    ensure!(again.code == Some(0), "the next one: {again:#?}");
    lab.expect_sound().await
}
