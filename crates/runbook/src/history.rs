//! What a journal's records add up to: the state of a run and of each step.

mod span;
mod step;

use jiff::Timestamp;

pub use self::span::{Activity, Span, SpanEnd};
pub use self::step::StepHistory;
use crate::fact::Facts;
use crate::journal::{FixedText, Record, Written};
use crate::name::Name;
use crate::status::{
    RunEvent, RunStatus, StepEvent, StepStatus, next_run_status, next_step_status,
};

/// A run as its journal tells it.
#[derive(Clone, Debug)]
pub struct History {
    /// The run's name.
    pub run: Name,
    /// The version of the program that began it.
    pub program: Name,
    /// The rotation's name.
    pub rotation: FixedText,
    /// The platform's name.
    pub platform: FixedText,
    /// Who began it.
    pub operator: Name,
    /// Who carried it on last, or wanted it undone.
    pub last_operator: Name,
    /// The last run of the same secret when this one began, as far as its journal was found;
    /// none in a journal of a program that didn't write it down.
    pub follows: Option<Name>,
    /// When it began, by the clock of that moment.
    pub began_at: Timestamp,
    /// When its last record was written.
    pub last_at: Timestamp,
    /// When it came to its end, was undone or abandoned; none while there is something to do.
    pub ended_at: Option<Timestamp>,
    /// Everybody who had a hand in it, in order.
    pub hands: Vec<Hand>,
    /// How far it is.
    pub status: RunStatus,
    /// Its steps, in the order of the plan.
    pub steps: Vec<StepHistory>,
    /// What its steps found out.
    pub facts: Facts,
}

/// Somebody who had a hand in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hand {
    /// Who.
    pub operator: Name,
    /// What they did.
    pub deed: Deed,
    /// When.
    pub at: Timestamp,
}

/// What somebody does with a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Begins it.
    Began,
    /// Goes on with it.
    Resumed,
    /// Begins, or goes on with, undoing it.
    RolledBack,
    /// Leaves it where it stands, for good.
    Abandoned,
}

/// A record that can't follow those before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// The first record doesn't begin a run, or a later one does.
    #[error("a run begins with its first record, and only there")]
    Beginning,
    /// The plan has no such step.
    #[error("the plan has no step `{0}`")]
    UnknownStep(FixedText),
    /// The step can't do that now.
    #[error("the step `{step}` is {status:?}, and `{event:?}` can't follow")]
    Step {
        /// Which.
        step: FixedText,
        /// How far it is.
        status: StepStatus,
        /// What is said to have happened.
        event: StepEvent,
    },
    /// The run can't do that now.
    #[error("the run is {status:?}, and `{event:?}` can't follow")]
    Run {
        /// How far it is.
        status: RunStatus,
        /// What is said to have happened.
        event: RunEvent,
    },
}

impl History {
    /// The state after the first record.
    ///
    /// # Errors
    ///
    /// When it doesn't begin a run.
    pub fn begin(first: &Written) -> Result<History, Impossible> {
        let Record::RunBegan {
            program,
            run,
            rotation,
            platform,
            operator,
            follows,
            steps,
            ..
        } = &first.record
        else {
            return Err(Impossible::Beginning);
        };
        Ok(History {
            run: run.clone(),
            program: program.clone(),
            rotation: rotation.clone(),
            platform: platform.clone(),
            operator: operator.clone(),
            last_operator: operator.clone(),
            follows: follows.clone(),
            began_at: first.at,
            last_at: first.at,
            ended_at: None,
            hands: vec![Hand {
                operator: operator.clone(),
                deed: Deed::Began,
                at: first.at,
            }],
            status: RunStatus::Forward,
            steps: steps.iter().map(StepHistory::new).collect(),
            facts: Facts::default(),
        })
    }

    /// The state after one more record.
    ///
    /// # Errors
    ///
    /// When the record can't follow; nothing has changed then.
    pub fn follow(&mut self, written: &Written) -> Result<(), Impossible> {
        let at = written.at;
        match &written.record {
            Record::RunBegan { .. } => return Err(Impossible::Beginning),
            Record::RunDone => self.end(RunEvent::Finish, at)?,
            Record::RunRolledBack => self.end(RunEvent::FinishRollback, at)?,
            Record::RunResumed { operator } => {
                self.run_event(RunEvent::Resume)?;
                self.take_up(operator, Deed::Resumed, at);
            }
            Record::RollbackBegan { operator } => {
                self.run_event(RunEvent::BeginRollback)?;
                self.take_up(operator, Deed::RolledBack, at);
            }
            Record::RunAbandoned { operator } => {
                self.run_event(RunEvent::Abandon)?;
                self.take_up(operator, Deed::Abandoned, at);
                self.ended_at = Some(at);
            }
            Record::FactFound { step, name, fact } => {
                self.step_event(step, StepEvent::FindFact, at)?;
                self.facts.insert(name.as_str().to_owned(), fact.clone());
            }
            Record::StepBegan { step } => {
                let step = self.step_event(step, StepEvent::Begin, at)?;
                step.found = false;
                step.reason = None;
            }
            Record::StepWaits { step, until } => {
                self.step_event(step, StepEvent::Wait, at)?.until = *until;
            }
            Record::StepFailed { step, reason } => {
                self.step_event(step, StepEvent::Fail, at)?.reason = Some(reason.clone());
            }
            Record::StepDone { step, found } => {
                let step = self.step_event(step, StepEvent::Finish, at)?;
                step.found = *found;
                step.reason = None;
            }
            Record::StepLost { step } => self.step_event(step, StepEvent::Lose, at)?.lost += 1,
            Record::UndoBegan { step } => {
                self.step_event(step, StepEvent::BeginUndo, at)?;
            }
            Record::StepUndone { step } => {
                self.step_event(step, StepEvent::FinishUndo, at)?;
            }
            Record::UndoFailed { step, reason } => {
                self.step_event(step, StepEvent::FailUndo, at)?.reason = Some(reason.clone());
            }
        }
        self.last_at = at;
        Ok(())
    }

    /// A step of the plan.
    pub fn step(&self, name: &str) -> Option<&StepHistory> {
        self.steps.iter().find(|step| step.name.as_str() == name)
    }

    /// How far a step is; pending if the plan has none of that name.
    pub fn step_status(&self, name: &str) -> StepStatus {
        self.step(name).map(|step| step.status).unwrap_or_default()
    }

    /// The step that a run stands at: the first that isn't done on the way
    /// forward, the last that isn't undone on the way back.
    pub fn current_step(&self) -> Option<&StepHistory> {
        match self.status {
            RunStatus::Forward => self
                .steps
                .iter()
                .find(|step| step.status != StepStatus::Done),
            RunStatus::RollingBack => self.steps.iter().rev().find(|step| step.is_to_be_undone()),
            RunStatus::Done | RunStatus::RolledBack | RunStatus::Abandoned => None,
        }
    }

    /// Whether there is something left to resume or to roll back.
    pub fn is_unfinished(&self) -> bool {
        matches!(self.status, RunStatus::Forward | RunStatus::RollingBack)
    }

    /// Whether an undo failed, so that a person must look.
    pub fn is_stuck(&self) -> bool {
        self.status == RunStatus::RollingBack
            && self
                .steps
                .iter()
                .any(|step| step.status == StepStatus::Stuck)
    }

    /// Whether that can happen to the run now: the table allows it, and no step
    /// that is left contradicts it.
    ///
    /// # Errors
    ///
    /// When it can't.
    pub(crate) fn after(&self, event: RunEvent) -> Result<RunStatus, Impossible> {
        let status = self.status;
        let mut steps = self.steps.iter();
        let is_complete = match event {
            RunEvent::Finish => steps.all(|step| step.status == StepStatus::Done),
            RunEvent::FinishRollback => !steps.any(StepHistory::is_to_be_undone),
            RunEvent::Resume | RunEvent::BeginRollback | RunEvent::Abandon => true,
        };
        next_run_status(status, event)
            .filter(|_| is_complete)
            .ok_or(Impossible::Run { status, event })
    }

    fn run_event(&mut self, event: RunEvent) -> Result<(), Impossible> {
        self.status = self.after(event)?;
        Ok(())
    }

    fn end(&mut self, event: RunEvent, at: Timestamp) -> Result<(), Impossible> {
        self.run_event(event)?;
        self.ended_at = Some(at);
        Ok(())
    }

    fn take_up(&mut self, operator: &Name, deed: Deed, at: Timestamp) {
        self.last_operator = operator.clone();
        self.ended_at = None;
        self.hands.push(Hand {
            operator: operator.clone(),
            deed,
            at,
        });
        for step in &mut self.steps {
            step.take_up(self.last_at);
        }
    }

    fn step_event(
        &mut self,
        name: &FixedText,
        event: StepEvent,
        at: Timestamp,
    ) -> Result<&mut StepHistory, Impossible> {
        let mut steps = self.steps.iter_mut();
        let step = steps
            .find(|step| step.name == *name)
            .ok_or_else(|| Impossible::UnknownStep(name.clone()))?;
        let status = step.status;
        let next = next_step_status(status, event)
            .filter(|_| event.belongs_to(self.status))
            .ok_or_else(|| Impossible::Step {
                step: name.clone(),
                status,
                event,
            })?;
        step.follow(event, next, at, self.last_at);
        Ok(step)
    }
}
