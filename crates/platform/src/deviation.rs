//! Whether a service still reads what a rotation bound it to.

use secret::VersionNumber;

use crate::{Binding, Bound, Finding, Platform, Revision, Service, Version, VersionState};

/// What the findings belong to.
const TOPIC: &str = "bindings";

/// What a service is to read, unless somebody has changed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The service, as the platform calls it.
    pub service: String,
    /// The variable and its secret.
    pub binding: Binding,
    /// The version that it is to read by its number; two while traffic moves, the one
    /// that it moves to last.
    pub versions: Vec<VersionNumber>,
    /// Whether it is to read that as the latest version, where it reads the latest one at all.
    pub follows_latest: bool,
    /// Whether nothing is under way any more, so that the service has to be up.
    pub is_settled: bool,
}

impl Expected {
    /// What is to be said where a service reads something else, with the commands that
    /// mend it; nothing where all is as it was left, or somebody has rotated the secret
    /// since: the version that was left is retired then.
    pub fn deviation(
        &self,
        platform: &Platform,
        found: &Service,
        versions: &[Version],
    ) -> Option<Finding> {
        let Expected {
            service, binding, ..
        } = self;
        let Binding { variable, secret } = binding;
        let wanted = *self.versions.last()?;
        let state = |number| versions.iter().find(|one| one.number == number);
        let is_enabled =
            |number| state(number).is_some_and(|one| one.state == VersionState::Enabled);
        let latest = versions.first().map(|latest| latest.number);
        let text = match found.bound {
            Bound::Latest if self.follows_latest => match latest {
                Some(latest) if latest != wanted && is_enabled(wanted) => format!(
                    "`{service}` reads the latest version of `{secret}`: that is version {latest} \
                     now, and not version {wanted}, which a rollback left; whoever stored it on \
                     purpose leaves it so"
                ),
                _ => return None,
            },
            _ if self.follows_latest => return None,
            Bound::Pinned(version) if self.versions.contains(&version) => {
                return self.unreadiness(platform, found);
            }
            Bound::Pinned(version) if version > wanted && !is_enabled(wanted) => return None,
            Bound::Latest => format!(
                "`{service}` reads the latest version of `{secret}` again, whatever that is when it \
                 starts, and not version {wanted} by its number"
            ),
            Bound::Pinned(version) => format!(
                "`{service}` reads version {version} of `{secret}`, and not version {wanted}"
            ),
            Bound::Inline => format!(
                "`{service}` has {variable} in its own configuration, and not version {wanted} of \
                 `{secret}`"
            ),
        };
        let finding = Finding::fault(TOPIC, text, Vec::new());
        // What is retired is not brought back: the newest is what a service had best read.
        let mut readable = [Some(wanted), latest].into_iter().flatten();
        let Some(number) = readable.find(|number| is_enabled(*number)) else {
            let advice = format!("enable version {wanted} of `{secret}`, or rotate it anew");
            return Some(finding.mended_by(advice));
        };
        Some(self.mended(finding, platform, found, number))
    }

    fn mended(
        &self,
        finding: Finding,
        platform: &Platform,
        found: &Service,
        number: VersionNumber,
    ) -> Finding {
        let Binding { variable, secret } = &self.binding;
        let service = &self.service;
        let pinned = |revision: &&Revision| revision.bound == Bound::Pinned(number);
        let services = &platform.services;
        // Only its traffic went elsewhere.
        if let Some(revision) = found.revisions.iter().find(pinned)
            && let Some(command) = services.command_to_send(service, &revision.name)
        {
            return finding.mended_by(command);
        }
        let commands = services.commands_to_bind(service, &self.binding, number);
        if commands.is_empty() && found.bound == Bound::Inline {
            return finding.mended_by(format!(
                "keep what is there as {variable}: it is in no version of `{secret}`, and may be all \
                 that opens a token or logs in; if the service works with it, the next rotation takes \
                 it into the store; put the value of version {number} back only if it doesn't"
            ));
        }
        if commands.is_empty() {
            return finding.mended_by(format!(
                "put the value of version {number} back as {variable}, and restart `{service}`, unless \
                 it works with what is there: a rollback of the run, or the next rotation, settles that"
            ));
        }
        commands.into_iter().fold(finding, Finding::mended_by)
    }

    fn unreadiness(&self, platform: &Platform, found: &Service) -> Option<Finding> {
        if found.ready || !self.is_settled {
            return None;
        }
        let service = &self.service;
        let text = format!("`{service}` is not up, or not all of its traffic is at one revision");
        let finding = Finding::warning(TOPIC, text);
        let command = platform.services.command_to_send(service, &found.serving);
        Some(match command {
            Some(command) => finding.mended_by(command),
            None => finding,
        })
    }
}
