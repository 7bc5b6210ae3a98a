//! How a rotation is to go.

use rotation::Containment;
use rotation::database_login::Mode;
use runbook::History;

/// How a rotation is to go. A run is gone on with as it was begun.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    /// How the login of a database URL is replaced.
    pub(crate) mode: Mode,
    /// Whether others know the value.
    pub(crate) emergency: bool,
    /// What contains it meanwhile.
    pub(crate) containment: Containment,
}

impl Options {
    /// Those of a run.
    pub(crate) fn of(history: &History) -> Options {
        Options {
            mode: Mode::of(history),
            emergency: rotation::is_emergency(history),
            containment: Containment::of(history),
        }
    }
}
