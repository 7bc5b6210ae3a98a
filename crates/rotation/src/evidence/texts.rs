//! The texts of the steps that a run has: those of the plan that it was begun with.

use runbook::{About, History};

use crate::Plan;
use crate::client_secret;
use crate::database_login::{self, Mode};
use crate::emergency::{Containment, is_emergency};
use crate::secrets::{
    DATABASE_URL, DCR_ENCRYPTION_KEY, GMA_CLIENT_SECRET, RED_HAT_SSO_CLIENT_SECRET,
    SESSION_DATABASE_URL, Secret,
};
use crate::steps::{ANNOUNCE, BACK_UP_BY_HAND, RESTART_BY_HAND};
use crate::{
    database_url, dcr_encryption_key, gma_client_secret, red_hat_sso_client_secret,
    session_database_url,
};

/// The texts by the steps' names. A run of an older build may have steps that aren't there.
pub(crate) fn of(history: &History) -> Vec<&'static About> {
    plan(history).map_or_else(Vec::new, |plan| plan.abouts().collect())
}

/// The plan, put together by the names of the steps that the run has.
fn plan(history: &History) -> Option<Plan> {
    let has = |name: &str| history.step(name).is_some();
    let emergency = is_emergency(history);
    let containment = Containment::of(history);
    let restart_by_hand = has(RESTART_BY_HAND);
    // Of an emergency, announcements are part anyway.
    let announce = has(ANNOUNCE);
    let of_client = client_secret::Parameters {
        emergency,
        containment,
        restart_by_hand,
    };
    let of_login = database_login::Parameters {
        mode: Mode::of(history),
        emergency,
        containment,
        announce,
        restart_by_hand,
    };
    let of_key = dcr_encryption_key::Parameters {
        emergency,
        containment,
        announce,
        back_up_by_hand: has(BACK_UP_BY_HAND),
        restart_by_hand,
    };
    Some(match Secret::named(history.rotation.as_str())? {
        RED_HAT_SSO_CLIENT_SECRET => red_hat_sso_client_secret::plan(of_client),
        GMA_CLIENT_SECRET => gma_client_secret::plan(of_client),
        DATABASE_URL => database_url::plan(of_login),
        SESSION_DATABASE_URL => session_database_url::plan(of_login),
        DCR_ENCRYPTION_KEY => dcr_encryption_key::plan(of_key),
        _ => return None,
    })
}
