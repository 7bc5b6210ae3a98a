//! The folder for journals of runs, where nobody names one.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;

use crate::failure::{Failure, chain};

/// The folder for the runs of one place, of this name.
pub(super) fn default_state_dir(place: &str) -> Result<PathBuf, Failure> {
    let strategy =
        etcetera::choose_base_strategy().map_err(|error| no_state_dir(&chain(&error)))?;
    let state = strategy.state_dir().unwrap_or_else(|| strategy.data_dir());
    Ok(state.join("secret-rotation").join(place))
}

/// The name of the place that has a `.env`: two checkouts on one machine don't share
/// their runs.
pub(super) fn name_of(env_file: &Path) -> Result<String, Failure> {
    let place = std::path::absolute(env_file).map_err(|error| no_state_dir(&chain(&error)))?;
    let place = place.parent().unwrap_or(Path::new("/"));
    let name = place
        .to_string_lossy()
        .trim_start_matches('/')
        .replace('/', "-");
    Ok(if name.is_empty() {
        "root".to_owned()
    } else {
        name
    })
}

fn no_state_dir(reason: &str) -> Failure {
    Failure::check(format!("no folder for journals can be found: {reason}"))
        .nothing_changed()
        .hint("name one with `--state-dir`")
}
