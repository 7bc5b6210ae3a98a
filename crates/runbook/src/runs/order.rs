//! Which run came after which. A clock may have been wrong, so times alone don't tell.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::RunSummary;

/// What a run is sorted by: the latest time on the way back over the runs that it follows, and
/// how far back that is.
type Key = (Option<Timestamp>, usize);

/// The newest first: by their times, but none before a run that it follows.
pub(super) fn newest_first(mut runs: Vec<RunSummary>) -> Vec<RunSummary> {
    let keys: BTreeMap<String, Key> = runs
        .iter()
        .map(|run| (run.name.clone(), key(run, &runs)))
        .collect();
    runs.sort_by_key(|run| Reverse(keys.get(&run.name).copied()));
    runs
}

fn key(run: &RunSummary, runs: &[RunSummary]) -> Key {
    let mut key = (None, 0);
    let mut next = Some(run);
    // Those that were edited by hand may follow each other in a circle.
    for back in 0..runs.len() {
        let Some(Ok(history)) = next.map(|run| &run.history) else {
            break;
        };
        if Some(history.began_at) >= key.0 {
            key = (Some(history.began_at), back);
        }
        let follows = history.follows.as_ref().map(|name| name.as_str());
        next = runs.iter().find(|run| follows == Some(&run.name));
    }
    key
}
