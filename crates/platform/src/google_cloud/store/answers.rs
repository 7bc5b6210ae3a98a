//! What `gcloud secrets versions` answers.

use jiff::Timestamp;
use secret::{SecretValue, VersionNumber, Versioned, python_base64};
use serde::Deserialize;

use crate::{Version, VersionState};

/// A version without its value.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VersionAnswer {
    name: String,
    state: String,
    create_time: Timestamp,
}

impl VersionAnswer {
    pub(super) fn version(&self) -> Option<Version> {
        let state = match self.state.as_str() {
            "ENABLED" => VersionState::Enabled,
            "DISABLED" => VersionState::Disabled,
            "DESTROYED" => VersionState::Destroyed,
            _ => return None,
        };
        Some(Version {
            number: number(&self.name)?,
            state,
            created_at: self.create_time,
        })
    }
}

/// What an addition answers.
#[derive(Deserialize)]
pub(super) struct AddAnswer {
    name: String,
}

impl AddAnswer {
    pub(super) fn number(&self) -> Option<VersionNumber> {
        number(&self.name)
    }
}

/// A version with its value, borrowed from the buffer that is wiped.
#[derive(Deserialize)]
pub(super) struct AccessAnswer<'a> {
    name: &'a str,
    payload: Payload<'a>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    data: &'a str,
}

impl AccessAnswer<'_> {
    pub(super) fn value(&self) -> Option<Versioned<SecretValue>> {
        let data = self.payload.data;
        let bytes = python_base64::decode(data.as_bytes()).ok()?;
        // That reader is lenient: of a garbled text it would make another value.
        if *python_base64::encode(&bytes) != data {
            return None;
        }
        Some(Versioned {
            value: SecretValue::new(bytes),
            version: number(self.name)?,
        })
    }
}

/// `projects/…/secrets/…/versions/7`.
fn number(name: &str) -> Option<VersionNumber> {
    let (_, number) = name.rsplit_once("/versions/")?;
    number.parse().ok()
}
