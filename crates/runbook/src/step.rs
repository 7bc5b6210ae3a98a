//! What a step has to be able to do.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::about::About;
use crate::fact::Facts;
use crate::forecast::Forecast;
use crate::log::Log;

/// One step of a rotation, over a context `C` that reaches the world.
///
/// The contract, on which resuming rests:
///
/// - **Every method can be repeated,** after a success, after a failure, and after
///   a crash in its middle.
/// - **[`observe`](Step::observe) asks the world, not the journal,** whether the
///   step's effect is there. Facts tell it only *which* version or revision to ask for.
/// - **A fact is recorded before the effect that it names,** wherever the fact is
///   known before: what a crash leaves behind must be found again.
/// - **[`undo`](Step::undo) is called for every step that this run has begun,**
///   whether its effect came about wholly, by half or not, and leaves things as they
///   were before the step. It isn't called for what was there before the run: see
///   [`is_of_this_run`](Step::is_of_this_run).
/// - **An effect stays until it is undone.** No method takes away what another step
///   brought about: its [`observe`](Step::observe) is asked again after later steps.
/// - **Who waits for a time records it as a fact,** or waits anew when resumed.
#[async_trait(?Send)]
pub trait Step<C, E> {
    /// Its texts.
    fn about(&self) -> &'static About;

    /// Whether its effect has to do with what this run has made, so that it can't have been
    /// there before: one that is found is undone as one that the run has brought about.
    fn is_of_this_run(&self) -> bool {
        false
    }

    /// Whether the effect is there. Changes nothing.
    async fn observe(&self, context: &mut C, facts: &Facts) -> Result<Observed, E>;

    /// Brings the effect about.
    async fn apply(&self, context: &mut C, log: &mut Log<'_>) -> Result<Applied, E>;

    /// Proves the effect in another way than by having done it.
    async fn verify(&self, context: &mut C, facts: &Facts) -> Result<(), E> {
        let _ = (context, facts);
        Ok(())
    }

    /// Tells what [`apply`](Step::apply) would do, once the steps before it were done.
    /// Changes nothing.
    async fn foresee(&self, context: &mut C, forecast: &mut Forecast) -> Result<(), E> {
        let _ = context;
        forecast.by_texts(self.about());
        Ok(())
    }

    /// Takes the effect back.
    async fn undo(&self, context: &mut C, log: &mut Log<'_>) -> Result<(), E> {
        let _ = (context, log);
        Ok(())
    }
}

/// What the world says about a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observed {
    /// Its effect is there.
    Present,
    /// It isn't, or not wholly.
    Absent,
}

/// How far a step came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// To its end.
    Done,
    /// It has to wait. The run can be left.
    Waits {
        /// When to go on; none where something has to come from people.
        until: Option<Timestamp>,
    },
}

/// What the engine wants to know of an error.
pub trait StepError: std::error::Error + 'static {
    /// What went wrong, for the journal. A fixed text can't hold a secret.
    fn reason(&self) -> &'static str;

    /// What to do next, beyond resuming or rolling back.
    fn hint(&self) -> Option<String> {
        None
    }

    /// Whether nothing went wrong: somebody asked to stop.
    fn is_interruption(&self) -> bool {
        false
    }
}

impl Observed {
    /// Present when the condition holds.
    pub fn when(condition: bool) -> Observed {
        if condition {
            Observed::Present
        } else {
            Observed::Absent
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("a step failed")]
    struct Plain;

    impl StepError for Plain {
        fn reason(&self) -> &'static str {
            "plain"
        }
    }

    #[test]
    fn an_error_that_says_no_more_is_a_failure_without_a_hint() {
        assert_eq!(Plain.hint(), None);
        assert!(!Plain.is_interruption());
    }
}
