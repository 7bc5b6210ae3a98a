//! Whether a rotation on this machine could come to its end: looked at, and nothing changed.

use super::Settings;
use super::env_file::EnvFile;
use crate::examination::{Examination, Finding, Installation, Rotated, of_backups};
use crate::{Error, Platform};

/// Examines an installation. Without its file of variables, or with a store that others
/// can read, nothing else is looked at.
pub async fn examine(settings: Settings, installation: &Installation) -> Examination {
    let cut_short = |error: &Error| Examination {
        findings: vec![Finding::of_error("settings", error, installation.all())],
        is_cut_short: true,
    };
    let (env_file, store) = (settings.env_file.clone(), settings.store.clone());
    let env = match EnvFile::read(&env_file) {
        Ok(env) => env,
        Err(error) => return cut_short(&error),
    };
    let mut findings = vec![match env.check_writable() {
        Ok(()) => Finding::fine(
            "settings",
            format!("the variables are in `{}`", env_file.display()),
        ),
        Err(error) => Finding::of_error("settings", &error, installation.all()),
    }];
    for name in installation.services() {
        findings.extend(of_restart(&settings, name));
    }
    let platform = match super::platform(settings) {
        Ok(platform) => platform,
        Err(error) => return cut_short(&error),
    };
    findings.push(match store.exists() {
        true => Finding::fine("store", format!("`{}` is yours alone", store.display())),
        false => Finding::fine(
            "store",
            format!(
                "`{}` isn't there yet: the first rotation makes it",
                store.display()
            ),
        ),
    });
    for rotated in &installation.rotations {
        for service in &rotated.services {
            findings.push(of_service(&platform, &env, rotated, service).await);
        }
    }
    findings.push(match &platform.backups {
        Some(backups) => of_backups(&**backups, installation).await,
        None => Finding::warning(
            "backups",
            "the database is no SQLite file: people have to make the backup",
        ),
    });
    Examination {
        findings,
        is_cut_short: false,
    }
}

/// Without a command a run waits until somebody has restarted the service.
fn of_restart(settings: &Settings, service: &str) -> Option<Finding> {
    let has_command = settings
        .services
        .get(service)
        .is_some_and(|service| service.restart.is_some());
    if has_command {
        return None;
    }
    let text =
        format!("the settings don't say how `{service}` is restarted: a run waits for you there");
    let mend = "set `restart` under `[local.handler]` or `[local.agent]` in rotation.toml";
    Some(Finding::warning("settings", text).mended_by(mend))
}

async fn of_service(
    platform: &Platform,
    env: &EnvFile,
    rotated: &Rotated,
    service: &str,
) -> Finding {
    const TOPIC: &str = "services";
    let variable = &rotated.binding.variable;
    let stops = vec![rotated.name.clone()];
    match platform.services.describe(service, &rotated.binding).await {
        Ok(found) if found.ready => match env.check_replaceable(variable) {
            Ok(()) => Finding::fine(TOPIC, format!("`{service}` reads `{variable}`")),
            Err(error) => Finding::of_error(TOPIC, &error, stops),
        },
        Ok(found) if found.is_unsettled => {
            let text = format!(
                "`{service}` may not run with what stands there as `{variable}`: people changed \
                 it, or a restart was cut off; the run that is unfinished, or else the next \
                 rotation, restarts it"
            );
            Finding::warning(TOPIC, text).mended_by("cargo xtask status")
        }
        Ok(_) => {
            let text = format!(
                "`{service}` is not ready: its `ready` command fails, or it is being restarted"
            );
            Finding::fault(TOPIC, text, stops)
        }
        // A laptop needn't have everything.
        Err(Error::NoVariable { .. }) => {
            Finding::fine(TOPIC, format!("`{service}` has no `{variable}` here"))
        }
        Err(error) => Finding::of_error(TOPIC, &error, stops),
    }
}
