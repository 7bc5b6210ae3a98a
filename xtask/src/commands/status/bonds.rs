//! Whether the services still read what the runs bound them to.

use platform::{Expected, Finding, Platform, Service, Version};
use rotation::LeftBehind;

use super::ages::Unseen;
use super::look::Looked;

/// A service that a run bound to a version.
pub(super) struct Bond {
    pub(super) run: String,
    pub(super) service: String,
    pub(super) standing: Standing,
}

/// How that stands.
pub(super) enum Standing {
    /// As the run left it, or has it so far; or another run has the word since.
    AsLeft,
    /// Somebody has changed it.
    Deviates(Finding),
    /// It could not be looked at.
    Unknown(String),
}

/// Each service of each run that has the last word on its secret.
pub(super) fn bonds(left: &[LeftBehind], platform: &Platform, looked: &Looked) -> Vec<Bond> {
    let mut bonds = Vec::new();
    for left in left {
        for expected in &left.services {
            let standing = match seen(expected, looked) {
                Ok((found, versions)) => match expected.deviation(platform, found, versions) {
                    None => Standing::AsLeft,
                    Some(finding) => Standing::Deviates(finding),
                },
                Err(unseen) => Standing::Unknown(unseen.words()),
            };
            bonds.push(Bond {
                run: left.run.clone(),
                service: expected.service.clone(),
                standing,
            });
        }
    }
    bonds
}

fn seen<'a>(
    expected: &Expected,
    looked: &'a Looked,
) -> Result<(&'a Service, &'a [Version]), Unseen<'a>> {
    let Expected {
        service, binding, ..
    } = expected;
    let found = looked.service(service, binding)?;
    Ok((found, looked.versions(&binding.secret)?))
}
