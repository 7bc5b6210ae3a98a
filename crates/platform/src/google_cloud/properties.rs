//! What holds whatever `gcloud` prints: for the fuzz target of `tests/fuzz`, and for the
//! test that gives the same properties the answers that fuzzing found.

#[cfg(test)]
#[path = "../../../../tests/fuzz/replay.rs"]
mod replay;

use std::path::Path;

use serde::Deserialize;

use super::failure::{Failure, Kind};
use super::gcloud::Answer;
use super::{backups, services, store};

/// What `gcloud` prints: an answer of any kind, or why there is none.
pub fn gcloud_answers(printed: &[u8]) {
    let answer = Answer::of("try", printed);
    services::properties::of_services(&answer);
    services::properties::of_revisions(&answer);
    store::properties::of_versions(&answer);
    store::properties::of_values(&answer, printed);
    backups::properties::of_backups(&answer);
    is_a_failure_in_plain_words(printed);
}

/// Reads an answer. What isn't one is refused without a word of what it holds.
pub(super) fn read<'a, T: Deserialize<'a>>(answer: &'a Answer) -> Option<T> {
    match answer.json() {
        Ok(read) => Some(read),
        Err(failure) => {
            assert!(matches!(failure.kind, Kind::Unreadable), "another kind");
            let line = failure.message.strip_prefix("line ");
            let line = line.and_then(|rest| rest.strip_suffix(" of its answer"));
            assert!(
                line.is_some_and(|line| line.parse::<usize>().is_ok()),
                "more than the line is told"
            );
            None
        }
    }
}

fn is_a_failure_in_plain_words(printed: &[u8]) {
    let failure = Failure::read("try", printed);
    assert!(!failure.message.is_empty(), "nothing is said");
    assert!(failure.message.chars().count() <= 500, "too much is said");
    assert!(
        !failure.message.contains(char::is_control),
        "it could harm a terminal"
    );
    let after = failure.message.split_once("HttpError accessing <");
    let is_quoted = after.is_some_and(|(_, rest)| rest.contains(">: response: <"));
    assert!(!is_quoted, "an answer that isn't Google's is quoted");
    assert!(!failure.is_passing() || failure.is_unsettled());
    if let Kind::Denied(Some(permission)) = &failure.kind {
        assert!(
            failure.message.contains(permission.as_str()),
            "another permission"
        );
    }
    let error = failure.into_error(Path::new("gcloud"));
    let said = format!("{error} {}", error.hint().unwrap_or_default());
    assert!(!said.contains(char::is_control), "it breaks lines");
}

#[cfg(test)]
mod tests {
    use super::replay;

    #[test]
    fn the_properties_of_answers_hold_for_the_corpus() {
        replay::replay("gcloud_answers", super::gcloud_answers);
    }
}
