//! What holds whatever `gcloud secrets versions` answers.
#![expect(
    clippy::disallowed_methods,
    reason = "a property looks at made-up values"
)]

use secrecy::ExposeSecret as _;
use secret::{VersionNumber, python_base64};
use serde_json::Value;

use super::answers::{AccessAnswer, AddAnswer, VersionAnswer};
use crate::Version;
use crate::google_cloud::gcloud::Answer;
use crate::google_cloud::properties::read;

/// The answer as a version, as versions, and as what an addition answers.
pub(in crate::google_cloud) fn of_versions(answer: &Answer) {
    let one = read::<VersionAnswer>(answer);
    let several = read::<Vec<VersionAnswer>>(answer).unwrap_or_default();
    for version in one
        .iter()
        .chain(&several)
        .filter_map(VersionAnswer::version)
    {
        let Version { number, state, .. } = version;
        assert!(!state.to_string().is_empty());
        is_a_number(number);
    }
    if let Some(number) = read::<AddAnswer>(answer).and_then(|added| added.number()) {
        is_a_number(number);
    }
}

/// The answer as a version with its value: the value is, byte for byte, what stands there.
pub(in crate::google_cloud) fn of_values(answer: &Answer, printed: &[u8]) {
    let Some(read) = read::<AccessAnswer<'_>>(answer) else {
        return;
    };
    let Some(version) = read.value() else {
        return;
    };
    is_a_number(version.version);
    // What nobody reads of it need not be text.
    let Ok(json) = serde_json::from_str::<Value>(&String::from_utf8_lossy(printed)) else {
        unreachable!("it was read as JSON");
    };
    let data = json.get("payload").and_then(|payload| payload.get("data"));
    let written = python_base64::encode(version.value.expose_secret());
    assert!(
        data.and_then(Value::as_str) == Some(written.as_str()),
        "another value than what stands there"
    );
}

fn is_a_number(number: VersionNumber) {
    assert!(
        number.to_string().parse() == Ok(number),
        "it is written otherwise"
    );
}
