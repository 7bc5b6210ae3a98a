//! Whether a run is one of an emergency.

use runbook::History;

use crate::steps::DESTROY;

/// Whether the run was begun in an emergency: it destroys at its end.
pub fn is_emergency(history: &History) -> bool {
    let mut steps = history.steps.iter();
    steps.any(|step| step.name.to_string() == DESTROY)
}
