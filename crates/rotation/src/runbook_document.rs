//! `docs/runbook.md`, rendered from the steps themselves.

use runbook::runbook_section;

use crate::{
    Plan, client_secret, dcr_encryption_key, gma_client_secret, red_hat_sso_client_secret,
};

const INTRODUCTION: &str = include_str!("runbook/introduction.md");
const RED_HAT_SSO_CLIENT_SECRET: &str = include_str!("runbook/red_hat_sso_client_secret.md");
const GMA_CLIENT_SECRET: &str = include_str!("runbook/gma_client_secret.md");
const DCR_ENCRYPTION_KEY: &str = include_str!("runbook/dcr_encryption_key.md");
const EMERGENCY: &str = include_str!("runbook/emergency.md");

/// The whole runbook in Markdown.
pub fn runbook_document() -> String {
    let of_client = client_secret::Parameters::default();
    let of_key = dcr_encryption_key::Parameters {
        announce: true,
        ..dcr_encryption_key::Parameters::default()
    };
    let by_hand = runbook_section(
        "Where the platform can't do it",
        "These take the place of *Back up the database*, and come after *Cut over*, where a platform \
         can't make a backup or restart a service.",
        dcr_encryption_key::steps_by_hand(),
    );
    [
        INTRODUCTION.to_owned(),
        section(
            1,
            &red_hat_sso_client_secret::plan(of_client),
            RED_HAT_SSO_CLIENT_SECRET,
        ),
        section(1, &gma_client_secret::plan(of_client), GMA_CLIENT_SECRET),
        section(3, &dcr_encryption_key::plan(of_key), DCR_ENCRYPTION_KEY),
        by_hand,
        EMERGENCY.to_owned(),
    ]
    .map(|part| part.trim().to_owned())
    .join("\n\n")
        + "\n"
}

fn section(tier: u32, plan: &Plan, introduction: &str) -> String {
    let title = format!("Rotating `{}` (tier {tier})", plan.rotation());
    runbook_section(&title, introduction, plan.abouts())
}
