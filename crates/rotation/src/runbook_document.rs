//! `docs/runbook.md`, rendered from the steps themselves.

use runbook::runbook_section;

use crate::dcr_encryption_key::{self, Parameters};

const INTRODUCTION: &str = include_str!("runbook/introduction.md");
const DCR_ENCRYPTION_KEY: &str = include_str!("runbook/dcr_encryption_key.md");
const EMERGENCY: &str = include_str!("runbook/emergency.md");

/// The whole runbook in Markdown.
pub fn runbook_document() -> String {
    let parameters = Parameters {
        announce: true,
        ..Parameters::default()
    };
    let plan = dcr_encryption_key::plan(parameters);
    let rotation = runbook_section(
        "Rotating `dcr-encryption-key` (tier 3)",
        DCR_ENCRYPTION_KEY,
        plan.abouts(),
    );
    let by_hand = runbook_section(
        "Where the platform can't do it",
        "These take the place of *Back up the database*, and come after *Cut over*, where a platform \
         can't make a backup or restart a service.",
        dcr_encryption_key::steps_by_hand(),
    );
    [
        INTRODUCTION.trim(),
        rotation.trim(),
        by_hand.trim(),
        EMERGENCY.trim(),
    ]
    .join("\n\n")
        + "\n"
}
