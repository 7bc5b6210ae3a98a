//! What may follow what: one table for steps and one for runs. The engine asks
//! them before it writes a record, and recovery when it reads one.

/// How far a step is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StepStatus {
    /// Not begun.
    #[default]
    Pending,
    /// Begun, or lost again: its effect may be there, or not, or by half.
    Begun,
    /// Waits for people or for a time.
    Waiting,
    /// Failed: its effect may be there or not.
    Failed,
    /// Done and verified.
    Done,
    /// Its undo has begun.
    Undoing,
    /// Undone.
    Undone,
    /// Its undo failed: a person must look.
    Stuck,
}

/// What happens to a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepEvent {
    /// It begins, perhaps again.
    Begin,
    /// It has to wait.
    Wait,
    /// It fails.
    Fail,
    /// It finds out something that later steps need.
    FindFact,
    /// It is done, or found to be.
    Finish,
    /// Its effect is gone again.
    Lose,
    /// Its undo begins, perhaps again.
    BeginUndo,
    /// It is undone.
    FinishUndo,
    /// Its undo fails.
    FailUndo,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStatus {
    /// On its way.
    Forward,
    /// At its end.
    Done,
    /// On its way back.
    RollingBack,
    /// Back at its start.
    RolledBack,
    /// Left where it stood, for good.
    Abandoned,
}

/// What happens to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEvent {
    /// Somebody goes on with it.
    Resume,
    /// Its last step is done.
    Finish,
    /// Somebody wants it undone, perhaps again.
    BeginRollback,
    /// Its first step is undone.
    FinishRollback,
    /// Somebody leaves it where it stands, for good.
    Abandon,
}

/// The step's status after the event; `None` where that can't happen.
pub(crate) fn next_step_status(status: StepStatus, event: StepEvent) -> Option<StepStatus> {
    use StepEvent as Event;
    use StepStatus::{Begun, Done, Failed, Pending, Stuck, Undoing, Undone, Waiting};
    match (status, event) {
        (Pending | Begun | Waiting | Failed, Event::Begin) => Some(Begun),
        (Pending | Begun | Waiting | Failed, Event::Finish) => Some(Done),
        (Begun, Event::FindFact) => Some(Begun),
        (Begun | Waiting, Event::Wait) => Some(Waiting),
        (Begun, Event::Fail) => Some(Failed),
        // Not pending: half of the effect may be left, and is to be undone.
        (Begun | Waiting | Failed | Done, Event::Lose) => Some(Begun),
        (Begun | Waiting | Failed | Done | Undoing | Stuck, Event::BeginUndo) => Some(Undoing),
        (Undoing, Event::FindFact) => Some(Undoing),
        (Undoing, Event::FinishUndo) => Some(Undone),
        (Undoing, Event::FailUndo) => Some(Stuck),
        (Pending, Event::FindFact | Event::Wait | Event::Fail | Event::Lose | Event::BeginUndo)
        | (Begun | Waiting | Failed | Done, Event::FinishUndo | Event::FailUndo)
        | (Waiting | Failed, Event::Fail)
        | (Failed, Event::Wait)
        | (Waiting | Failed | Done, Event::FindFact)
        | (Done, Event::Begin | Event::Wait | Event::Fail | Event::Finish)
        | (Pending, Event::FinishUndo | Event::FailUndo)
        | (Undoing, Event::Begin | Event::Wait | Event::Fail | Event::Finish | Event::Lose)
        | (Undone, _)
        | (
            Stuck,
            Event::Begin
            | Event::FindFact
            | Event::Wait
            | Event::Fail
            | Event::Finish
            | Event::Lose
            | Event::FinishUndo
            | Event::FailUndo,
        ) => None,
    }
}

/// The run's status after the event; `None` where that can't happen.
pub(crate) fn next_run_status(status: RunStatus, event: RunEvent) -> Option<RunStatus> {
    use RunStatus::{Abandoned, Done, Forward, RolledBack, RollingBack};
    match (status, event) {
        (Forward, RunEvent::Resume) => Some(Forward),
        (Forward, RunEvent::Finish) => Some(Done),
        (Forward | Done | RollingBack, RunEvent::BeginRollback) => Some(RollingBack),
        (RollingBack, RunEvent::FinishRollback) => Some(RolledBack),
        (Forward | RollingBack, RunEvent::Abandon) => Some(Abandoned),
        (Forward | Done, RunEvent::FinishRollback)
        | (Done, RunEvent::Resume | RunEvent::Finish | RunEvent::Abandon)
        | (RollingBack, RunEvent::Resume | RunEvent::Finish)
        | (RolledBack | Abandoned, _) => None,
    }
}

impl StepEvent {
    /// Whether a run in this status lets its steps do that.
    pub(crate) fn belongs_to(self, status: RunStatus) -> bool {
        let backwards = matches!(
            self,
            StepEvent::BeginUndo | StepEvent::FinishUndo | StepEvent::FailUndo
        );
        let either = self == StepEvent::FindFact;
        match status {
            RunStatus::Forward | RunStatus::RollingBack if either => true,
            RunStatus::Forward => !backwards,
            RunStatus::RollingBack => backwards,
            RunStatus::Done | RunStatus::RolledBack | RunStatus::Abandoned => false,
        }
    }
}

impl StepStatus {
    /// Whether it has begun and isn't undone: something may have to be undone.
    pub fn may_have_effect(self) -> bool {
        !matches!(self, StepStatus::Pending | StepStatus::Undone)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    const STEP_STATUSES: [StepStatus; 8] = [
        StepStatus::Pending,
        StepStatus::Begun,
        StepStatus::Waiting,
        StepStatus::Failed,
        StepStatus::Done,
        StepStatus::Undoing,
        StepStatus::Undone,
        StepStatus::Stuck,
    ];
    const STEP_EVENTS: [StepEvent; 9] = [
        StepEvent::Begin,
        StepEvent::FindFact,
        StepEvent::Wait,
        StepEvent::Fail,
        StepEvent::Finish,
        StepEvent::Lose,
        StepEvent::BeginUndo,
        StepEvent::FinishUndo,
        StepEvent::FailUndo,
    ];
    const RUN_STATUSES: [RunStatus; 5] = [
        RunStatus::Forward,
        RunStatus::Done,
        RunStatus::RollingBack,
        RunStatus::RolledBack,
        RunStatus::Abandoned,
    ];
    const RUN_EVENTS: [RunEvent; 5] = [
        RunEvent::Resume,
        RunEvent::Finish,
        RunEvent::BeginRollback,
        RunEvent::FinishRollback,
        RunEvent::Abandon,
    ];

    /// A line for each status with what may happen in it; what isn't there can't.
    fn table<S: Copy + Debug, E: Copy + Debug>(
        statuses: &[S],
        events: &[E],
        next: impl Fn(S, E) -> Option<String>,
    ) -> String {
        let cell = |status, event| Some(format!(" {event:?}→{}", next(status, event)?));
        let line = |status: &S| {
            let cells = events.iter().filter_map(|event| cell(*status, *event));
            format!("{status:?}:{}", cells.collect::<String>())
        };
        statuses.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_may_happen_to_a_step() {
        let next = |status, event| next_step_status(status, event).map(|next| format!("{next:?}"));
        insta::assert_snapshot!(table(&STEP_STATUSES, &STEP_EVENTS, next), @r"
        Pending: Begin→Begun Finish→Done
        Begun: Begin→Begun FindFact→Begun Wait→Waiting Fail→Failed Finish→Done Lose→Begun BeginUndo→Undoing
        Waiting: Begin→Begun Wait→Waiting Finish→Done Lose→Begun BeginUndo→Undoing
        Failed: Begin→Begun Finish→Done Lose→Begun BeginUndo→Undoing
        Done: Lose→Begun BeginUndo→Undoing
        Undoing: FindFact→Undoing BeginUndo→Undoing FinishUndo→Undone FailUndo→Stuck
        Undone:
        Stuck: BeginUndo→Undoing
        ");
    }

    #[test]
    fn what_may_happen_to_a_run() {
        let next = |status, event| next_run_status(status, event).map(|next| format!("{next:?}"));
        insta::assert_snapshot!(table(&RUN_STATUSES, &RUN_EVENTS, next), @r"
        Forward: Resume→Forward Finish→Done BeginRollback→RollingBack Abandon→Abandoned
        Done: BeginRollback→RollingBack
        RollingBack: BeginRollback→RollingBack FinishRollback→RolledBack Abandon→Abandoned
        RolledBack:
        Abandoned:
        ");
    }

    #[test]
    fn what_a_run_lets_its_steps_do() {
        let lets = |status, event: StepEvent| event.belongs_to(status).then(|| "yes".to_owned());
        insta::assert_snapshot!(table(&RUN_STATUSES, &STEP_EVENTS, lets), @r"
        Forward: Begin→yes FindFact→yes Wait→yes Fail→yes Finish→yes Lose→yes
        Done:
        RollingBack: FindFact→yes BeginUndo→yes FinishUndo→yes FailUndo→yes
        RolledBack:
        Abandoned:
        ");
    }
}
