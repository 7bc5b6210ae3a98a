//! The way forward: from wherever the journal and the world say that a run stands, to its end.

use jiff::Timestamp;

use crate::about::{About, Kind, Undo};
use crate::event::{Conductor, Event};
use crate::journal::{JournalError, Record};
use crate::plan::Plan;
use crate::run::{Log, Run};
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
    for (place, step) in plan.places().skip(first) {
        if conductor.is_interrupted() {
            return Err(place.interrupted());
        }
        let carried_out = carry_out(step, place, context, run, conductor).await;
        carried_out.map_err(|halt| halt.at(place, may_have_changed(plan, run)))?;
    }
    run.write(Record::RunDone)?;
    Ok(())
}

/// A step's place in its plan.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// Counted from 1.
    pub(crate) number: usize,
    /// How many steps there are.
    pub(crate) of: usize,
    pub(crate) about: &'static About,
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
    AtLost(Place),
}

async fn where_to_begin<C, E: StepError>(
    plan: &Plan<C, E>,
    context: &mut C,
    run: &Run,
) -> Result<Begin, Stopped<E>> {
    let stopped = |halt: Halt<E>, place| halt.at(place, may_have_changed(plan, run));
    let mut steps = plan.places();
    let mut forgotten = None;
    let at = |place: Place| Begin::At(place.number - 1);
    let lost = loop {
        let Some((place, step)) = steps.next() else {
            let end = Begin::At(plan.steps().len());
            return Ok(forgotten.map_or(end, Begin::AtLost));
        };
        if run.status_of(place.about.name) != StepStatus::Done {
            return Ok(forgotten.map_or(at(place), Begin::AtLost));
        }
        // Of what changes nothing, the journal's word is enough.
        if place.about.kind.is_observed() {
            let is_present = is_present(step, context, run).await;
            if !is_present.map_err(|halt| stopped(halt, place))? {
                if place.about.kind == Kind::Change {
                    break place;
                }
                forgotten = forgotten.or(Some(place));
            }
        }
    };
    for (later, step) in steps {
        let has_begun = run.status_of(later.about.name).may_have_effect();
        let is_change = later.about.kind.is_change();
        if has_begun && is_change {
            let is_present = is_present(step, context, run).await;
            if is_present.map_err(|halt| stopped(halt, later))? {
                return Err(Stopped::Disturbed {
                    gone: lost.about,
                    there: later.about,
                });
            }
        }
    }
    Ok(Begin::AtLost(forgotten.unwrap_or(lost)))
}

/// Writes that a step and all later ones are to be done again, the last first: a
/// crash between two of these records must leave no later step done.
fn write_losses<C, E>(
    plan: &Plan<C, E>,
    lost: Place,
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
    place: Place,
    context: &mut C,
    run: &mut Run,
    conductor: &mut dyn Conductor,
) -> Result<(), Halt<E>> {
    let Place { number, of, about } = place;
    if about.kind.is_observed() && is_present(step, context, run).await? {
        conductor.event(Event::Found { number, of, about });
        step.verify(context, &run.history().facts)
            .await
            .map_err(Halt::Failed)?;
        // After a crash, what is there may be this run's own doing.
        let found = !run.has_to_undo(about.name);
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

impl Place {
    pub(crate) fn interrupted<E>(self) -> Stopped<E> {
        Stopped::Interrupted {
            number: self.number,
            about: self.about,
        }
    }
}

impl<E: StepError> Halt<E> {
    fn at(self, place: Place, changed: bool) -> Stopped<E> {
        let Place { number, about, .. } = place;
        match self {
            Halt::Failed(error) if error.is_interruption() => place.interrupted(),
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
