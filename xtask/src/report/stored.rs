//! A survey by the keys of an installation: which version each of them is, and who reads it.

use rotation::StoredKey;
use secret::Fingerprint;

use super::Subject;
use super::human::counted;

/// What the table calls a key, where the installation has it.
pub(super) fn name(subject: &Subject, key: Fingerprint) -> Option<String> {
    let found = subject.stored.iter().find(|found| found.key == key)?;
    let versions: Vec<String> = found.versions.iter().map(ToString::to_string).collect();
    Some(match versions.as_slice() {
        [] => format!("{key}, in no version"),
        [one] => format!("{key}, version {one}"),
        all => format!("{key}, versions {}", all.join(", ")),
    })
}

/// What the counts mean, in sentences.
pub(super) fn verdict(subject: &Subject, survey: &reencrypt::Survey) -> Vec<String> {
    let mut lines: Vec<String> = survey
        .keys
        .iter()
        .enumerate()
        .filter_map(|(index, key)| {
            let counts = survey.columns.iter();
            let under = counts.filter_map(|(_, counts)| counts.under.get(index));
            let found = subject.stored.iter().find(|found| found.key == *key)?;
            of_key(subject, under.sum(), found)
        })
        .collect();
    let unreadable: u64 = survey
        .columns
        .iter()
        .map(|(_, counts)| counts.unreadable)
        .sum();
    if unreadable > 0 {
        lines.push(format!(
            "{} can't be read with these keys; see the list above.",
            counted(unreadable, "cell")
        ));
        lines.extend(
            subject
                .disabled
                .iter()
                .map(|version| {
                    format!(
                        "Version {version} is disabled: its key was not tried; `cargo xtask enable-version` \
                         enables it."
                    )
                }),
        );
    }
    if lines.is_empty() {
        lines.push("No cell holds a token.".to_owned());
    }
    lines
}

fn of_key(subject: &Subject, tokens: u64, found: &StoredKey) -> Option<String> {
    if tokens == 0 {
        return None;
    }
    let tokens = counted(tokens, "token");
    let key = found.key;
    Some(match found.readers.as_slice() {
        [] if !subject.are_readers_known => {
            format!("{tokens} under the key {key}; whether a service reads it, isn't known.")
        }
        [] => subject.typed.complete(&format!(
            "{tokens} under the key {key}, which no service reads: as long as that is so, nobody \
             can use them. `cargo xtask status` tells of a run that is under way; without one, \
             `cargo xtask rotate-dcr --platform none`, with both keys and DATABASE_URL, puts them under the \
             key that is read."
        )),
        readers => format!(
            "{tokens} under the key {key}, which `{}` reads.",
            readers.join("`, `")
        ),
    })
}
