//! The plan's steps, the journal and the database as they can be hit.
use std::io;
use std::rc::Rc;

use async_trait::async_trait;
use platform::Error as PlatformError;
use reencrypt::Event;
use rotation::{Context, Error, Plan, RowObserver};
use runbook::{About, Applied, Facts, LineSink, Log, Observed, Step};
use tokio_util::sync::CancellationToken;

use super::moments::Moments;

/// A step that can be hit before and after each of its methods.
struct Watched {
    plan: Rc<Plan>,
    index: usize,
    moments: Moments,
    /// How often it applies, and undoes.
    times: usize,
}

/// The plan with each step watched, and everything done so many times.
pub(super) fn watched(plan: Plan, moments: &Moments, times: usize) -> Plan {
    let (name, plan) = (plan.rotation(), Rc::new(plan));
    let step = |index| Watched {
        plan: Rc::clone(&plan),
        index,
        moments: moments.clone(),
        times,
    };
    let steps = (0..plan.steps().len()).map(|index| Box::new(step(index)) as _);
    Plan::new(name, steps.collect())
}

impl Watched {
    fn inner(&self) -> &dyn Step<Context, Error> {
        self.plan.steps().nth(self.index).expect("a step")
    }

    fn pass(&self, what: &str) -> Result<(), Error> {
        self.moments.pass(what).map_err(hit)
    }
}

fn hit(source: io::Error) -> Error {
    Error::Platform(PlatformError::File {
        action: "reach",
        path: "the world".into(),
        source,
    })
}

#[async_trait(?Send)]
impl Step<Context, Error> for Watched {
    fn about(&self) -> &'static About {
        self.inner().about()
    }

    fn is_of_this_run(&self) -> bool {
        self.inner().is_of_this_run()
    }

    async fn observe(&self, context: &mut Context, facts: &Facts) -> Result<Observed, Error> {
        self.moments.enter(self.about().name);
        self.inner().observe(context, facts).await
    }

    async fn apply(&self, context: &mut Context, log: &mut Log<'_>) -> Result<Applied, Error> {
        self.moments.enter(self.about().name);
        self.pass("before it is applied")?;
        let mut applied = self.inner().apply(context, log).await?;
        for _ in 1..self.times {
            applied = self.inner().apply(context, log).await?;
        }
        self.pass("after it is applied")?;
        Ok(applied)
    }

    async fn verify(&self, context: &mut Context, facts: &Facts) -> Result<(), Error> {
        self.inner().verify(context, facts).await?;
        self.pass("after it is verified")
    }

    async fn undo(&self, context: &mut Context, log: &mut Log<'_>) -> Result<(), Error> {
        self.moments.enter(&format!("undo {}", self.about().name));
        self.pass("before it is undone")?;
        for _ in 0..self.times {
            self.inner().undo(context, log).await?;
        }
        self.pass("after it is undone")
    }
}

/// A journal that can be hit before and after each record. Of the record at which the
/// process dies, half is written.
pub(super) struct Records {
    pub(super) file: Box<dyn LineSink>,
    pub(super) moments: Moments,
}

impl LineSink for Records {
    /// Of several that are written in one go, a process may die between any two.
    fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut lines = lines.split_inclusive(|byte| *byte == b'\n');
        lines.try_for_each(|line| self.append_record(line))
    }
}

impl Records {
    fn append_record(&mut self, line: &[u8]) -> io::Result<()> {
        if self.moments.is_dead() {
            return Err(io::Error::other("the process is dead"));
        }
        let passed = self.moments.pass_record("before a record");
        if passed.is_err() && self.moments.is_dead() {
            self.file.append(&line[..line.len() / 2])?;
        }
        passed?;
        self.file.append(line)?;
        self.moments.pass_record("after a record")
    }
}

/// Tells of the database, and stops it where the run is hit.
pub(super) fn observer(moments: &Moments, interrupt: &CancellationToken) -> RowObserver {
    let (moments, interrupt) = (moments.clone(), interrupt.clone());
    Box::new(move |event| {
        let what = match event {
            Event::Phase(phase) => format!("the database: {phase:?}"),
            Event::Rows { .. } => "the database: rows".to_owned(),
            Event::Unreadable(_) | Event::CommitFoundByLooking => return,
        };
        if moments.pass(&what).is_err() {
            interrupt.cancel();
        }
    })
}
