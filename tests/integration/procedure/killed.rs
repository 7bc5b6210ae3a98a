//! SIGKILL at any moment of a whole rotation, as a power cut would strike it: what `status` says
//! then is typed, and works.
use std::collections::BTreeMap;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use integration_tests::Output;

use super::lab::next_commands;
use super::sandbox::{Sandbox, assert_none_in};
use crate::faults::random::{Random, say};

const CLIENTS: u64 = 5_000;
const KILLS: u32 = 100;
const FEW_CLIENTS: u64 = 500;
/// At a time.
const THREADS: usize = 2;

/// How the run that was killed is brought to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Forward,
    Back,
}

/// What a killed run had done, and the way on from there.
type Tally = BTreeMap<(String, Option<Way>), u32>;

#[tokio::test(flavor = "multi_thread")]
async fn whenever_it_is_killed_resume_finishes_and_rollback_undoes() -> Result<()> {
    let template = Sandbox::with_clients(CLIENTS).await?;
    let undisturbed = length_of_a_run(&template)?;
    say(&format!("a run takes {undisturbed:?}"));
    let moments = Random::new().spread(KILLS);
    let cases: Vec<(f64, Way)> = moments
        .into_iter()
        .zip([Way::Forward, Way::Back].into_iter().cycle())
        .collect();
    // Every other pair of cases to each thread, so that each goes both ways at any time.
    let template = &template;
    let work = |first: usize| {
        let mine = cases.chunks(2).skip(first).step_by(THREADS).flatten();
        mine.map(|(moment, way)| kill(template, undisturbed.mul_f64(*moment), *way))
            .collect::<Result<Vec<_>>>()
    };
    let work = &work;
    let tallied = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|first| scope.spawn(move || work(first)))
            .collect();
        let join = |thread: thread::ScopedJoinHandle<'_, _>| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().map(join).collect::<Result<Vec<_>>>()
    })?;
    let mut tally = Tally::new();
    for case in tallied.into_iter().flatten() {
        *tally.entry(case).or_default() += 1;
    }
    for ((step, way), cases) in &tally {
        say(&format!("{cases:4} killed at {step}, then {way:?}"));
    }
    let mid_way = |(case, _): &(&(String, Option<Way>), &u32)| case.1.is_some();
    let mid_way: u32 = tally.iter().filter(mid_way).map(|(_, cases)| cases).sum();
    ensure!(mid_way >= KILLS / 2, "hardly any was killed on its way");
    Ok(())
}

/// The power fails while the run is resumed, and while it is rolled back, too.
#[tokio::test(flavor = "multi_thread")]
async fn however_often_it_is_killed_the_run_comes_to_its_end() -> Result<()> {
    let template = Sandbox::with_clients(FEW_CLIENTS).await?;
    let mut random = Random::new();
    let undisturbed = {
        let sandbox = template.copied()?;
        let began = Instant::now();
        ensure!(sandbox.run(&["rotate-dcr"])?.code == Some(0));
        began.elapsed()
    };
    let mut killed = 0;
    for _ in 0..20 {
        let sandbox = template.copied()?;
        let mut line = "cargo xtask rotate-dcr".to_owned();
        for _ in 0..5 {
            // The shell becomes the program, which is killed then.
            let mut running = sandbox.shell(&format!("exec {line}")).spawn();
            sleep(undisturbed.mul_f64(random.fraction() * 0.8));
            running.kill();
            assert_none_in(&running.wait(), &sandbox.secrets()?);
            let next = sandbox.next_commands()?;
            let Some(last) = next.len().checked_sub(1) else {
                break;
            };
            killed += 1;
            // Forward for a while; once it goes back, that is the only way.
            let chosen = if random.fraction() < 0.3 { last } else { 0 };
            line.clone_from(&next[chosen]);
        }
        if let Some(next) = sandbox.next_commands()?.first() {
            let ended = sandbox.pasted(next)?;
            ensure!(ended.code == Some(0), "{next}: {ended:#?}");
        }
        sandbox.expect_sound(FEW_CLIENTS)?;
    }
    say(&format!("{killed} killed on their way"));
    ensure!(killed > 10, "hardly any was killed on its way: {killed}");
    Ok(())
}

/// The shortest of three, while as much is going on as later.
fn length_of_a_run(template: &Sandbox) -> Result<Duration> {
    let mut shortest = Duration::MAX;
    for _ in 0..3 {
        let sandbox = template.copied()?;
        let began = Instant::now();
        let output = sandbox.run(&["rotate-dcr"])?;
        shortest = shortest.min(began.elapsed());
        ensure!(output.code == Some(0), "{output:#?}");
        sandbox.expect_sound(CLIENTS)?;
    }
    Ok(shortest)
}

/// Kills a run at that moment, and does what `status` says. Gives the step at which it was
/// killed, and the way if there was one to go.
fn kill(template: &Sandbox, moment: Duration, way: Way) -> Result<(String, Option<Way>)> {
    let sandbox = template.copied()?;
    let old = template.env_key()?;
    let mut running = sandbox.program(&["rotate-dcr"]).spawn();
    sleep(moment);
    running.kill();
    let killed = running.wait();
    let about = format!("killed after {moment:?}, then {way:?}: {killed:#?}");
    go_on(&sandbox, &killed, &old, way).context(about)
}

fn go_on(sandbox: &Sandbox, killed: &Output, old: &str, way: Way) -> Result<(String, Option<Way>)> {
    assert_none_in(killed, &sandbox.secrets()?);
    let status = sandbox.run(&["status"])?;
    ensure!(status.code == Some(0), "{status:#?}");
    let next = next_commands(&status);
    if next.is_empty() {
        return without_a_run(sandbox);
    }
    let step = at_step(&status)?;
    let (command, ends) = match way {
        Way::Forward => ("resume", "Rotated"),
        Way::Back => ("rollback", "Rolled back"),
    };
    ensure!(next.len() == 2, "{status:#?}");
    let line = next.iter().find(|line| line.contains(command));
    let line = line.with_context(|| format!("no {command}: {status:#?}"))?;
    let ended = sandbox.pasted(line)?;
    ensure!(
        ended.code == Some(0),
        "{line}: {ended:#?} after {status:#?}"
    );
    ensure!(ended.stdout.starts_with(ends), "{line}: {ended:#?}");
    sandbox.expect_sound(CLIENTS)?;
    let is_as_before = sandbox.env_key()? == old;
    ensure!(is_as_before == (way == Way::Back), "the other key");
    Ok((step, Some(way)))
}

/// It was killed before its first record, or had ended: a new run works.
fn without_a_run(sandbox: &Sandbox) -> Result<(String, Option<Way>)> {
    let status = sandbox.run(&["status"])?;
    let case = if status.stdout.contains("  done 2") {
        "its end"
    } else {
        "its beginning"
    };
    sandbox.expect_sound(CLIENTS)?;
    let again = sandbox.run(&["rotate-dcr"])?;
    ensure!(again.code == Some(0), "{again:#?}");
    sandbox.expect_sound(CLIENTS)?;
    Ok((case.to_owned(), None))
}

/// `stopped at step 7 of 15, `survey`` gives `survey`.
fn at_step(status: &Output) -> Result<String> {
    let step = status.stdout.split('`').nth(1).context("a step")?;
    Ok(step.to_owned())
}
