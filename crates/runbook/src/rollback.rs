//! The way back: every step that this run has begun is undone, the last first.

use crate::about::{About, Undo};
use crate::event::{Conductor, Event};
use crate::journal::{JournalError, Record};
use crate::log::Log;
use crate::plan::{Plan, Position};
use crate::run::Run;
use crate::step::{Step, StepError};
use crate::stopped::Stopped;

/// Undoes a run, wherever it stands, or goes on with undoing it.
///
/// # Errors
///
/// [`Stopped::Stuck`] when an undo failed: a person must look, then the same call
/// goes on there. [`Stopped::Waits`] where people have to complete one.
/// [`Stopped::CannotUndo`] before anything is undone.
pub async fn roll_back<C, E: StepError>(
    plan: &Plan<C, E>,
    context: &mut C,
    run: &mut Run,
    conductor: &mut dyn Conductor,
) -> Result<(), Stopped<E>> {
    refuse_what_cannot_be_undone(plan, run)?;
    let operator = run.operator();
    run.write(Record::RollbackBegan { operator })?;
    for (position, step) in plan.positions().rev() {
        if !run.has_to_undo(position.about.name) {
            continue;
        }
        if conductor.is_interrupted() {
            return Err(Stopped::interrupted(position));
        }
        undo(step, position, context, run, conductor).await?;
    }
    run.write(Record::RunRolledBack)?;
    Ok(())
}

fn refuse_what_cannot_be_undone<C, E>(plan: &Plan<C, E>, run: &Run) -> Result<(), Stopped<E>> {
    for (Position { number, about, .. }, _) in plan.positions() {
        let has_begun = run.has_to_undo(about.name);
        if has_begun && matches!(about.undo, Undo::Impossible(_)) {
            return Err(Stopped::CannotUndo { number, about });
        }
    }
    Ok(())
}

async fn undo<C, E: StepError>(
    step: &dyn Step<C, E>,
    position: Position,
    context: &mut C,
    run: &mut Run,
    conductor: &mut dyn Conductor,
) -> Result<(), Stopped<E>> {
    let Position { number, of, about } = position;
    run.write(Record::UndoBegan {
        step: about.name.into(),
    })?;
    let undo = true;
    conductor.event(Event::Begins {
        number,
        of,
        about,
        undo,
    });
    let mut log = Log::new(run, about.name, conductor);
    match step.undo(context, &mut log).await {
        Ok(()) => {}
        Err(error) if error.is_interruption() => return Err(Stopped::interrupted(position)),
        Err(error) => {
            write_failure(&error, about, run, conductor)?;
            return Err(Stopped::Stuck {
                number,
                about,
                error,
            });
        }
    }
    let is_of_people = matches!(about.undo, Undo::ByPeople(_));
    if is_of_people && !conductor.is_undone_by_people(about) {
        let until = None;
        conductor.event(Event::Waits { about, until });
        return Err(Stopped::Waits {
            number,
            about,
            until,
        });
    }
    run.write(Record::StepUndone {
        step: about.name.into(),
    })?;
    conductor.event(Event::Ends { about });
    Ok(())
}

/// Where that can't be written, the journal's error is the one that is returned.
fn write_failure<E: StepError>(
    error: &E,
    about: &'static About,
    run: &mut Run,
    conductor: &mut dyn Conductor,
) -> Result<(), JournalError> {
    let written = run.write(Record::UndoFailed {
        step: about.name.into(),
        reason: error.reason().into(),
    });
    if written.is_err() {
        conductor.event(Event::Remark(&error.to_string()));
    }
    written
}
