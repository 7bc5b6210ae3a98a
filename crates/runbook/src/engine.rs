//! The way forward: from wherever the journal and the world say that a run stands, to its end.

use jiff::Timestamp;

use crate::about::{About, Kind, Undo};
use crate::event::{Conductor, Event};
use crate::journal::{JournalError, Record};
use crate::log::Log;
use crate::plan::{Plan, Position};
use crate::run::Run;
use crate::status::StepStatus;
use crate::step::{Applied, Observed, Step, StepError};
use crate::stopped::Stopped;

/// Carries a run on to its end, be it new, left, failed or cut off by a crash.
///
/// Before it goes on, every step that the journal says is done is observed again.
/// Where the effect of one is gone, and those of all later steps as well, the run
/// goes on from there; where a later effect is there, somebody else had a hand in
/// it, and nothing is done. What was in the memory of a process that ended is lost
/// without anybody's hand: the run goes on from there, too, and finds what came later.
///
/// # Errors
///
/// [`Stopped`]; the journal tells how far it came.
pub async fn run_forward<C, E: StepError>(
    plan: &Plan<C, E>,
    context: &mut C,
    run: &mut Run,
    conductor: &mut dyn Conductor,
) -> Result<(), Stopped<E>> {
    run.write_resumption()?;
    let first = match where_to_begin(plan, context, run).await? {
        Begin::At(index) => index,
        Begin::AtLost(lost) => write_losses(plan, lost, run, conductor)?,
    };
    for (position, step) in plan.positions().skip(first) {
        if conductor.is_interrupted() {
            return Err(Stopped::interrupted(position));
        }
        let carried_out = carry_out(step, position, context, run, conductor).await;
        carried_out.map_err(|halt| halt.at(position, may_have_changed(plan, run)))?;
    }
    run.write(Record::RunDone)?;
    Ok(())
}

/// Why a step didn't come to its end.
enum Halt<E> {
    Failed(E),
    Waits(Option<Timestamp>),
    Journal(JournalError),
}

/// Where a run goes on.
enum Begin {
    /// At the step of this index.
    At(usize),
    /// At a step that was done, and whose effect is gone.
    AtLost(Position),
}

async fn where_to_begin<C, E: StepError>(
    plan: &Plan<C, E>,
    context: &mut C,
    run: &Run,
) -> Result<Begin, Stopped<E>> {
    // The first step that is done again whatever came after it.
    let mut repeated = None;
    for (position, step) in plan.positions() {
        let Position { number, about, .. } = position;
        if run.status_of(about.name) != StepStatus::Done {
            return Ok(repeated.map_or(Begin::At(number - 1), Begin::AtLost));
        }
        // Of what changes nothing, the journal's word is enough.
        if !about.kind.is_observed() {
            continue;
        }
        let observed = is_present(step, context, run).await;
        if observed.map_err(|halt| halt.at(position, may_have_changed(plan, run)))? {
            continue;
        }
        if about.kind == Kind::Change {
            refuse_later_effects(plan, position, context, run).await?;
            return Ok(Begin::AtLost(repeated.unwrap_or(position)));
        }
        repeated = repeated.or(Some(position));
    }
    let end = Begin::At(plan.steps().len());
    Ok(repeated.map_or(end, Begin::AtLost))
}

/// Refuses where the effect of a step is gone, and that of a later one is there.
async fn refuse_later_effects<C, E: StepError>(
    plan: &Plan<C, E>,
    lost: Position,
    context: &mut C,
    run: &Run,
) -> Result<(), Stopped<E>> {
    for (later, step) in plan.positions().skip(lost.number) {
        let has_begun = run.status_of(later.about.name).may_have_effect();
        if !has_begun || !later.about.kind.is_change() {
            continue;
        }
        let observed = is_present(step, context, run).await;
        if observed.map_err(|halt| halt.at(later, may_have_changed(plan, run)))? {
            return Err(Stopped::Disturbed {
                gone: lost.about,
                there: later.about,
            });
        }
    }
    Ok(())
}

/// Writes that a step and all later ones are to be done again, the last first: a
/// crash between two of these records must leave no later step done.
fn write_losses<C, E>(
    plan: &Plan<C, E>,
    lost: Position,
    run: &mut Run,
    conductor: &mut dyn Conductor,
) -> Result<usize, JournalError> {
    conductor.event(Event::Lost { about: lost.about });
    let index = lost.number - 1;
    for about in plan.abouts().skip(index).rev() {
        if run.status_of(about.name).may_have_effect() {
            let step = about.name.into();
            run.write(Record::StepLost { step })?;
        }
    }
    Ok(index)
}

async fn carry_out<C, E: StepError>(
    step: &dyn Step<C, E>,
    position: Position,
    context: &mut C,
    run: &mut Run,
    conductor: &mut dyn Conductor,
) -> Result<(), Halt<E>> {
    let Position { number, of, about } = position;
    if about.kind.is_observed() && is_present(step, context, run).await? {
        conductor.event(Event::Found { number, of, about });
        step.verify(context, &run.history().facts)
            .await
            .map_err(Halt::Failed)?;
        // After a crash, what is there may be this run's own doing, or have become its own.
        let found = !run.has_to_undo(about.name) && !step.is_of_this_run();
        return finish(about, found, run, conductor);
    }
    let undo = false;
    conductor.event(Event::Begins {
        number,
        of,
        about,
        undo,
    });
    run.write(Record::StepBegan {
        step: about.name.into(),
    })?;
    match attempt(step, about, context, run, conductor).await {
        Ok(()) => finish(about, false, run, conductor),
        Err(halt) => {
            write_down(&halt, about, run, conductor)?;
            Err(halt)
        }
    }
}

async fn is_present<C, E: StepError>(
    step: &dyn Step<C, E>,
    context: &mut C,
    run: &Run,
) -> Result<bool, Halt<E>> {
    let observed = step.observe(context, &run.history().facts).await;
    let observed = observed.map_err(Halt::Failed)?;
    Ok(observed == Observed::Present)
}

async fn attempt<C, E: StepError>(
    step: &dyn Step<C, E>,
    about: &'static About,
    context: &mut C,
    run: &mut Run,
    conductor: &mut dyn Conductor,
) -> Result<(), Halt<E>> {
    if about.kind == Kind::People && !conductor.is_done_by_people(about) {
        return Err(Halt::Waits(None));
    }
    let mut log = Log::new(run, about.name, conductor);
    match step.apply(context, &mut log).await {
        Ok(Applied::Done) => {}
        Ok(Applied::Waits { until }) => return Err(Halt::Waits(until)),
        Err(error) => return Err(Halt::Failed(error)),
    }
    let verified = step.verify(context, &run.history().facts).await;
    verified.map_err(Halt::Failed)
}

fn finish<E>(
    about: &'static About,
    found: bool,
    run: &mut Run,
    conductor: &mut dyn Conductor,
) -> Result<(), Halt<E>> {
    run.write(Record::StepDone {
        step: about.name.into(),
        found,
    })?;
    conductor.event(Event::Ends { about });
    Ok(())
}

/// An interruption leaves no record: a step that has begun and isn't done says enough.
fn write_down<E: StepError>(
    halt: &Halt<E>,
    about: &'static About,
    run: &mut Run,
    conductor: &mut dyn Conductor,
) -> Result<(), JournalError> {
    let step = about.name.into();
    let record = match halt {
        Halt::Failed(error) if !error.is_interruption() => Record::StepFailed {
            step,
            reason: error.reason().into(),
        },
        Halt::Waits(until) => Record::StepWaits {
            step,
            until: *until,
        },
        Halt::Failed(_) | Halt::Journal(_) => return Ok(()),
    };
    let written = run.write(record);
    match halt {
        Halt::Waits(until) if written.is_ok() => {
            let until = *until;
            conductor.event(Event::Waits { about, until });
        }
        // The journal's error is the one that is returned.
        Halt::Failed(error) if written.is_err() => {
            conductor.event(Event::Remark(&error.to_string()));
        }
        _ => {}
    }
    written
}

/// Whether this run may have left something changed.
fn may_have_changed<C, E>(plan: &Plan<C, E>, run: &Run) -> bool {
    let steps = &run.history().steps;
    plan.abouts().zip(steps).any(|(about, step)| {
        about.kind.is_change() && !matches!(about.undo, Undo::Nothing(_)) && step.is_to_be_undone()
    })
}

impl<E: StepError> Halt<E> {
    fn at(self, position: Position, changed: bool) -> Stopped<E> {
        let Position { number, about, .. } = position;
        match self {
            Halt::Failed(error) if error.is_interruption() => Stopped::interrupted(position),
            Halt::Failed(error) => Stopped::Failed {
                number,
                about,
                error,
                changed,
            },
            Halt::Waits(until) => Stopped::Waits {
                number,
                about,
                until,
            },
            Halt::Journal(error) => Stopped::Journal(error),
        }
    }
}

impl<E> From<JournalError> for Halt<E> {
    fn from(error: JournalError) -> Halt<E> {
        Halt::Journal(error)
    }
}
