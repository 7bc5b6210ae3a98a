//! One case: a run that is struck, and what `status` says then, typed until it is at its end.
use anyhow::{Context as _, Result, ensure};
use integration_tests::{Output, PostgresServer};
use tokio::sync::Mutex;

use super::case::{Case, Victim, Way};
use super::paces::Paces;
use super::scene::Scene;
use super::strike::struck;
use crate::procedure::lab::next_commands;

/// More commands than a run needs that is struck three times.
const MOST_COMMANDS: usize = 10;

/// Whoever kills the server, uses it alone.
static SERVER: Mutex<()> = Mutex::const_new(());

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Outcome {
    /// It was on its way, and went on from this step.
    WentOn(Way, String),
    /// It had no record yet, or did nothing.
    NotBegun,
    /// It was over, or came to its end by itself.
    AtItsEnd,
    /// The machine has no means to strike so.
    LeftOut,
}

pub(super) async fn run(case: &Case, paces: &Paces) -> Result<Outcome> {
    let kind = case.kind;
    let kills_server = matches!(kind.victim, Victim::Backend | Victim::Server);
    let _alone = match kills_server {
        true => Some(SERVER.lock().await),
        false => None,
    };
    let server = match kills_server {
        true => PostgresServer::to_be_killed(),
        false => PostgresServer::shared(),
    };
    let scene = Scene::new(kind.rotated, kind.on, case.is_in_place, server).await?;
    let Some(mut scene) = scene else {
        return Ok(Outcome::LeftOut);
    };
    let pace = paces.of(kind.rotated, kind.on, case.is_in_place).await?;
    let program = scene.rotation()?;
    let first = struck(&scene, program, kind.victim, case.moment, pace).await?;
    let Some(first) = first else {
        return Ok(Outcome::LeftOut);
    };
    let said = format!("{:#?}", first.output);
    let outcome = async {
        scene.expect_nothing_lost().await.context("when struck")?;
        let outcome = bring_to_its_end(&scene, case, paces, &first.output).await?;
        if case.is_repeated {
            scene.rotate_again().await.context("the next rotation")?;
        }
        anyhow::Ok(outcome)
    };
    let outcome = outcome.await;
    outcome.with_context(|| format!("struck: {}: {said}", first.is_hit))
}

async fn bring_to_its_end(
    scene: &Scene,
    case: &Case,
    paces: &Paces,
    struck_output: &Output,
) -> Result<Outcome> {
    let status = scene.status()?;
    let Some(step) = step_of(&status) else {
        return without_a_run(scene, struck_output).await;
    };
    let ended = go_on(scene, case, paces, status).await?;
    let word = match case.way {
        Way::Forward => "Rotated",
        Way::Back => "Rolled back",
    };
    // Killed at its very end, it says nothing.
    let is_said = ended.signal.is_some() || ended.stdout.starts_with(word);
    ensure!(is_said, "{ended:#?}");
    match case.way {
        Way::Forward => scene.expect_rotated().await,
        Way::Back => scene.expect_undone().await,
    }
    .with_context(|| format!("{word}: {ended:#?}"))?;
    Ok(Outcome::WentOn(case.way, step))
}

/// Types what `status` says, until it says nothing any more; the tool may be killed again
/// meanwhile. Gives what the last command said.
async fn go_on(scene: &Scene, case: &Case, paces: &Paces, status: Output) -> Result<Output> {
    let mut status = status;
    let mut again = case.again.iter();
    for _ in 0..MOST_COMMANDS {
        let next = next_commands(&status);
        let line = match case.way {
            Way::Forward => next.first(),
            Way::Back => next.last(),
        };
        let line = line.with_context(|| format!("no command: {status:#?}"))?;
        let ended = match again.next() {
            Some(moment) => {
                let pace = paces.of(case.kind.rotated, case.kind.on, case.is_in_place);
                let typed = scene.typed(line);
                let victim = Victim::Tool;
                let struck = struck(scene, typed, victim, *moment, pace.await?).await?;
                scene.expect_nothing_lost().await.context("when killed")?;
                struck.context("a kill")?.output
            }
            None => scene.run(&scene.typed(line))?,
        };
        let ended = match ended.stderr.contains("--value-file") {
            true => scene.run(&scene.typed_with_value(line))?,
            false => ended,
        };
        if ended.code == Some(0) {
            return Ok(ended);
        }
        status = scene.status()?;
        // Only what was killed, or waits for people, may stop before its end.
        let waits = ended.code == Some(3) && ended.stderr.contains("--done");
        ensure!(
            ended.signal.is_some() || waits,
            "{line}: {ended:#?}, then {status:#?}"
        );
        if next_commands(&status).is_empty() {
            return Ok(ended);
        }
    }
    anyhow::bail!("it doesn't come to its end: {status:#?}")
}

/// It was struck before its first record, did nothing, or had ended: everything is as it was,
/// and a new run works; or it is rotated.
async fn without_a_run(scene: &Scene, struck: &Output) -> Result<Outcome> {
    if !scene.is_as_before()? {
        scene.expect_rotated().await.context("at its end")?;
        return Ok(Outcome::AtItsEnd);
    }
    ensure!(struck.code != Some(0), "it did nothing");
    scene.expect_undone().await.context("not begun")?;
    let again = scene.run(&scene.rotation()?)?;
    ensure!(again.code == Some(0), "a new run: {again:#?}");
    scene.expect_rotated().await.context("by a new run")?;
    Ok(Outcome::NotBegun)
}

/// `stopped at step 7 of 15, `survey`` gives `survey`, of a run that is unfinished.
fn step_of(status: &Output) -> Option<String> {
    if next_commands(status).is_empty() {
        return None;
    }
    status.stdout.split('`').nth(1).map(str::to_owned)
}
