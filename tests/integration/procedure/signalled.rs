//! Ctrl-C and SIGTERM at any moment: the run stops where it can be resumed.
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use integration_tests::Signal;

use super::sandbox::{Sandbox, assert_none_in, assert_said};
use crate::faults::random::Random;

const CLIENTS: u64 = 2_000;
const SIGNALS: u32 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn whenever_it_is_interrupted_the_run_goes_on_later() -> Result<()> {
    let template = Sandbox::with_clients(CLIENTS).await?;
    let mut undisturbed = length(&template, &["rotate-dcr"])?;
    let moments = Random::new().spread(SIGNALS);
    let signals = [Signal::INT, Signal::TERM].into_iter().cycle();
    let mut stopped = 0;
    for (number, (moment, signal)) in moments.into_iter().zip(signals).enumerate() {
        let moment = undisturbed.mul_f64(moment);
        // Once each way for each of the two.
        let word = ["resume", "rollback"][number / 2 % 2];
        let is_stopped = interrupt(&template, moment, signal, word);
        let about = || format!("{signal:?} after {moment:?}, then {word}");
        match is_stopped.with_context(about)? {
            true => stopped += 1,
            // Others use the machine too, and not always as much.
            false => undisturbed = length(&template, &["rotate-dcr"])?,
        }
    }
    ensure!(stopped >= SIGNALS / 2, "hardly any was stopped: {stopped}");
    Ok(())
}

/// How long a command takes that nobody interrupts.
fn length(template: &Sandbox, words: &[&str]) -> Result<Duration> {
    let sandbox = template.copied()?;
    let began = Instant::now();
    assert_said(&sandbox.run(words)?, 0, &[]);
    Ok(began.elapsed())
}

/// Whether it was stopped on its way.
fn interrupt(template: &Sandbox, moment: Duration, signal: Signal, word: &str) -> Result<bool> {
    let sandbox = template.copied()?;
    let running = sandbox.program(&["rotate-dcr"]).spawn();
    sleep(moment);
    running.signal(signal);
    let output = running.wait();
    assert_none_in(&output, &sandbox.secrets()?);
    if output.code == Some(0) {
        sandbox.expect_sound(CLIENTS)?;
        return Ok(false);
    }
    if sandbox.runs()?.is_empty() {
        // Before it listens, a signal ends it as any program.
        ensure!(
            output.signal.is_some() || output.code == Some(3),
            "{output:#?}"
        );
        return Ok(false);
    }
    ensure!(output.code == Some(3), "{output:#?}");
    for words in ["error: interrupted at step", "\nstate: ", "\nhint: "] {
        ensure!(output.stderr.contains(words), "{words}: {output:#?}");
    }
    let next = sandbox.next_commands()?;
    let line = next.iter().find(|line| line.contains(word));
    let line = line.with_context(|| format!("{next:?}"))?;
    // What the message itself says is the same.
    ensure!(
        output.stderr.contains(line),
        "`{line}` not said: {output:#?}"
    );
    let ended = sandbox.pasted(line)?;
    ensure!(ended.code == Some(0), "{line}: {ended:#?}");
    sandbox.expect_sound(CLIENTS)?;
    Ok(true)
}

/// A rollback that is interrupted goes back further, not forward.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_rollback_is_resumed_backwards() -> Result<()> {
    let template = Sandbox::with_clients(CLIENTS).await?;
    let old = template.env_key()?;
    assert_said(&template.run(&["rotate-dcr"])?, 0, &[]);
    let run = template.run_name()?;
    let mut undisturbed = length(&template, &["rollback", &run])?;
    let mut stopped = 0;
    for moment in Random::new().spread(10) {
        let sandbox = template.copied()?;
        let mut running = sandbox.program(&["rollback", &run]).spawn();
        sleep(undisturbed.mul_f64(moment));
        running.kill();
        running.wait();
        let next = sandbox.next_commands()?;
        let unfinished = sandbox.unfinished()?;
        if unfinished.is_empty() {
            assert_eq!(next, Vec::<String>::new());
            undisturbed = length(&template, &["rollback", &run])?;
            continue;
        }
        stopped += 1;
        ensure!(next == [format!("cargo xtask rollback {run}")], "{next:?}");
        // `resume` takes the run in the direction in which it went.
        let line = match stopped % 2 {
            0 => next[0].clone(),
            _ => next[0].replace("rollback", "resume"),
        };
        let ended = sandbox.pasted(&line)?;
        ensure!(ended.code == Some(0), "{line}: {ended:#?}");
        sandbox.expect_sound(CLIENTS)?;
        ensure!(sandbox.env_key()? == old, "another key");
    }
    ensure!(stopped >= 3, "hardly any was stopped: {stopped}");
    Ok(())
}
