//! A run among others: writers, readers, a second run, and whoever interrupts it.
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use reencrypt::{Error, Outcome, Phase, TableState};

use super::run::{Ran, Rotation};
use crate::subject::{Backend, NEW, Subject, Writer};

pub(super) async fn a_second_run_at_the_same_time_is_refused(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, 10).await?;
    let first = HeldRun::start(&subject, Phase::Reencrypting)?;
    for second in [Rotation::of(&subject), Rotation::of(&subject).dry()] {
        let ran = second.run().await?;
        let (error, table) = ran.failed()?;
        assert!(matches!(error, Error::AlreadyRunning), "{error:?}");
        assert_eq!(table, TableState::Untouched);
    }
    let ran = first.finish()?;
    assert_eq!(ran.done()?.outcome, Outcome::Rotated);
    let third = Rotation::of(&subject).run().await?;
    assert_eq!(third.done()?.outcome, Outcome::NothingToDo);
    Ok(())
}

pub(super) async fn a_writer_who_keeps_the_lock_stops_the_run(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, 3).await?;
    let before = subject.footprint().await?;
    let writer = Writer::inserting(&subject, "never committed").await?;
    let lock_timeout = Duration::from_millis(200);
    let rotation = Rotation {
        lock_timeout,
        ..Rotation::of(&subject)
    };
    let ran = rotation.run().await?;
    let (error, table) = ran.failed()?;
    let Error::Locked { waited, holders } = error else {
        return Err(anyhow!("it failed otherwise: {error:?}"));
    };
    assert!(*waited >= lock_timeout, "{waited:?}");
    assert_eq!(table, TableState::Untouched);
    if backend == Backend::Postgres {
        assert!(holders[0].starts_with("process "), "{holders:?}");
    }
    writer.finish("ROLLBACK").await?;
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Rotation::of(&subject).run().await?.done()?;
    Ok(())
}

/// What the writer commits last is seen by the run that waited for it.
pub(super) async fn a_writer_who_lets_go_in_time_does_not_stop_the_run(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::with_clients(backend, 3).await?;
    let writer = Writer::inserting(&subject, "just in time").await?;
    let run = HeldRun::start(&subject, Phase::Locking)?.let_go()?;
    subject.until_a_run_waits().await?;
    writer.finish("COMMIT").await?;
    let ran = run.finish()?;
    assert_eq!(ran.done()?.clients, 4);
    assert_eq!(
        ran.done()?.columns.0.map(|counts| counts.reencrypted),
        [4, 3]
    );
    let rows = subject.rows().await?;
    assert!(rows.iter().all(|row| row.opened(NEW)[0].is_some()));
    Ok(())
}

/// They see the table as it was, up to the commit.
pub(super) async fn readers_read_while_a_run_goes_on(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, 10).await?;
    let before = subject.rows().await?;
    for phase in [Phase::Reencrypting, Phase::Verifying] {
        let run = HeldRun::start_dry(&subject, phase)?;
        let reading = tokio::time::timeout(Duration::from_secs(5), subject.rows());
        assert!(
            reading.await?? == before,
            "a reader saw what was not committed"
        );
        assert_eq!(run.finish()?.done()?.outcome, Outcome::DryRun);
    }
    Ok(())
}

pub(super) async fn a_run_that_is_interrupted_changes_nothing(backend: Backend) -> Result<()> {
    let subject = Subject::with_clients(backend, 10).await?;
    let before = subject.footprint().await?;
    for (phase, state) in [
        (Phase::Locking, TableState::Untouched),
        (Phase::Reencrypting, TableState::RolledBack),
        (Phase::Verifying, TableState::RolledBack),
    ] {
        let rotation = Rotation::of(&subject);
        let interrupt = rotation.interrupt.clone();
        let watch = |begun| {
            if begun == phase {
                interrupt.cancel();
            }
        };
        let ran = rotation.watched(watch).await?;
        let (error, table) = ran.failed()?;
        assert!(matches!(error, Error::Interrupted), "{phase:?}: {error:?}");
        assert_eq!(table, state, "{phase:?}");
        assert!(
            subject.footprint().await? == before,
            "{phase:?}: something was written"
        );
    }
    Rotation::of(&subject).run().await?.done()?;
    Ok(())
}

pub(super) async fn a_run_that_was_interrupted_before_it_began_changes_nothing(
    backend: Backend,
) -> Result<()> {
    let subject = Subject::with_clients(backend, 3).await?;
    let before = subject.footprint().await?;
    let rotation = Rotation::of(&subject);
    rotation.interrupt.cancel();
    let ran = rotation.run().await?;
    let (error, table) = ran.failed()?;
    assert!(matches!(error, Error::Interrupted), "{error:?}");
    assert_eq!(table, TableState::Untouched);
    assert!(
        subject.footprint().await? == before,
        "something was written"
    );
    Ok(())
}

/// A run on a thread of its own, held where a phase begins.
struct HeldRun {
    thread: JoinHandle<Result<Ran>>,
    go_on: mpsc::Sender<()>,
}

impl HeldRun {
    fn start(subject: &Subject, phase: Phase) -> Result<HeldRun> {
        HeldRun::hold(Rotation::of(subject), phase)
    }

    fn start_dry(subject: &Subject, phase: Phase) -> Result<HeldRun> {
        HeldRun::hold(Rotation::of(subject).dry(), phase)
    }

    fn hold(rotation: Rotation, phase: Phase) -> Result<HeldRun> {
        let (say_begun, has_begun) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new()?;
            runtime.block_on(rotation.watched(move |begun| {
                if begun == phase {
                    // Whoever holds it may be gone, after a failed assertion.
                    let _ = say_begun.send(());
                    let _ = may_go_on.recv();
                }
            }))
        });
        has_begun
            .recv_timeout(Duration::from_secs(20))
            .with_context(|| format!("it never came to {phase:?}"))?;
        Ok(HeldRun { thread, go_on })
    }

    /// Has it go on, without waiting for its end.
    fn let_go(self) -> Result<HeldRun> {
        self.go_on
            .send(())
            .map_err(|_| anyhow!("it ended before"))?;
        Ok(self)
    }

    fn finish(self) -> Result<Ran> {
        drop(self.go_on);
        self.thread.join().map_err(|_| anyhow!("it panicked"))?
    }
}
