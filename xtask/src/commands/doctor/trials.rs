//! What others have to say to the values in use: the issuer of each client's secret, and the
//! server of the session database. The other database is looked at as a re-encryption does.

use futures_util::future::join_all;
use platform::{Finding, Level};
use rotation::{
    Error, GMA_CLIENT_SECRET, RED_HAT_SSO_CLIENT_SECRET, SESSION_DATABASE_URL, Secret, Trial,
};
use runbook::StepError as _;

use crate::cli;
use crate::failure::{Failure, chain};
use crate::procedure::{Options, Procedure};
use crate::settings::{self, Surroundings};

const TOPIC: &str = "values in use";

/// Does what these rotations do before they change anything, but for those that are known to
/// fail: they would only say so once more.
pub(super) async fn examine(
    place: &cli::Place,
    findings: &[Finding],
    surroundings: &Surroundings<'_>,
) -> Vec<Finding> {
    let is_stopped = |secret: &Secret| {
        let mut faults = findings.iter().filter(|one| one.level == Level::Fault);
        faults.any(|fault| fault.stops.iter().any(|name| name == secret.name))
    };
    let secrets = [
        RED_HAT_SSO_CLIENT_SECRET,
        GMA_CLIENT_SECRET,
        SESSION_DATABASE_URL,
    ];
    let tried = secrets
        .into_iter()
        .filter(|secret| !is_stopped(secret))
        .map(|secret| of_secret(secret, place, surroundings));
    join_all(tried).await.into_iter().flatten().collect()
}

/// Nothing of a secret that isn't used here.
async fn of_secret(
    secret: Secret,
    place: &cli::Place,
    surroundings: &Surroundings<'_>,
) -> Option<Finding> {
    match tried(secret, place, surroundings).await {
        Ok(Ok(trial)) => Some(of_trial(secret, trial)),
        Ok(Err(Error::Platform(platform::Error::NoVariable { .. }))) => None,
        Ok(Err(error)) => {
            let text = format!("`{}`: {}", secret.name, chain(&error));
            let mut finding = Finding::fault(TOPIC, text, vec![secret.name.to_owned()]);
            finding.mend.extend(error.hint());
            Some(finding)
        }
        Err(failure) => {
            let text = format!("`{}`: {}", secret.name, failure.message);
            let mut finding = Finding::fault(TOPIC, text, vec![secret.name.to_owned()]);
            finding.mend.extend(failure.hint);
            Some(finding)
        }
    }
}

async fn tried(
    secret: Secret,
    place: &cli::Place,
    surroundings: &Surroundings<'_>,
) -> Result<Result<Trial, Error>, Failure> {
    let settings = settings::procedure(place, surroundings)?;
    let timeouts = cli::Timeouts::default();
    let options = Options::default();
    let procedure = Procedure::new(settings, secret, options, &timeouts, surroundings);
    Ok(procedure.await?.tried().await)
}

fn of_trial(secret: Secret, trial: Trial) -> Finding {
    let name = secret.name;
    match trial {
        Trial::RefusedInUse => Finding::warning(
            TOPIC,
            format!(
                "the issuer refuses the `{name}` that the services have: they can't log in with it"
            ),
        )
        .mended_by(format!("cargo xtask rotate-secret {name}")),
        _ if secret == SESSION_DATABASE_URL => {
            Finding::fine(TOPIC, format!("`{name}`, as it is in use, logs in"))
        }
        _ => Finding::fine(
            TOPIC,
            format!("the issuer accepts the `{name}` that the services have"),
        ),
    }
}
