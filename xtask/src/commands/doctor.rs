//! `cargo xtask doctor`: what a rotation would fail at, with what mends it.

mod database;
mod print;
mod trials;

use platform::{Examination, Finding, Level};
use tokio_util::sync::CancellationToken;

use super::{fail, let_children_end, printer, surroundings};
use crate::cli::{self, Format, Output};
use crate::exit_code;
use crate::failure::{Failure, chain};
use crate::settings::{self, PlatformName, Surroundings};

/// Runs the command and gives its exit code.
pub(super) async fn run(typed: &cli::Doctor, interrupt: &CancellationToken) -> u8 {
    let printer = printer(Output {
        format: typed.format,
        verbose: false,
    });
    let surroundings = surroundings(false, printer, interrupt);
    let examined = interrupt.run_until_cancelled(examine(typed, &surroundings));
    let examined = match examined.await {
        Some(examined) => examined,
        None => {
            let_children_end().await;
            Err(Failure::stopped("stopped before everything was looked at"))
        }
    };
    match examined {
        Ok((platform, findings)) => {
            match typed.format {
                Format::Human => print::human(&findings, &printer),
                Format::Json => printer.json(&print::json(platform, &findings).to_string()),
            }
            let would_fail = findings.iter().any(|one| one.level == Level::Fault);
            match would_fail {
                true => exit_code::CHECK_FAILED,
                false => exit_code::DONE,
            }
        }
        Err(failure) => {
            let failure = failure.at(&typed.place);
            if typed.format == Format::Json {
                printer.json(&print::json_of_failure(&failure).to_string());
            }
            fail(&failure, &printer)
        }
    }
}

async fn examine(
    typed: &cli::Doctor,
    surroundings: &Surroundings<'_>,
) -> Result<(PlatformName, Vec<Finding>), Failure> {
    let settings = settings::procedure(&typed.place, surroundings)?;
    surroundings.printer.note("looking; nothing is changed");
    let unfinished = unfinished_runs(&settings);
    let reached = match settings.platform {
        PlatformName::None => {
            return Err(Failure::usage("no platform is named: there is nothing to examine")
                .nothing_changed()
                .hint(
                    "`--platform google-cloud` or `--platform local`, or `platform` in rotation.toml",
                ));
        }
        // Where its backups are, only the database's URL tells.
        PlatformName::Local => Some(database::reach(&settings, surroundings).await),
        PlatformName::GoogleCloud => None,
    };
    let url = match &reached {
        Some(Ok((database, _))) => Some(&database.url),
        _ => None,
    };
    let Examination {
        mut findings,
        is_cut_short,
    } = settings.examine(url).await;
    if !is_cut_short {
        let of_database = async {
            let reached = match reached {
                Some(reached) => reached,
                None => database::reach(&settings, surroundings).await,
            };
            database::examine(&settings, reached, surroundings).await
        };
        let of_values = trials::examine(&typed.place, &findings, surroundings);
        let (of_database, of_values) = tokio::join!(of_database, of_values);
        findings.extend(of_database);
        findings.extend(of_values);
    }
    findings.extend(unfinished);
    for command in findings.iter_mut().flat_map(|finding| &mut finding.mend) {
        *command = typed.place.complete_one(command);
    }
    Ok((settings.platform, findings))
}

/// No rotation of a secret begins beside one that isn't finished, and none at all beside a
/// journal that can't be read. That is odd, and no fault of the installation.
fn unfinished_runs(settings: &settings::Procedure) -> Vec<Finding> {
    let runs = settings.runs();
    let mut findings: Vec<Finding> = Vec::new();
    for secret in rotation::SECRETS {
        let Err(error) = runs.check_free(secret.name) else {
            continue;
        };
        let mut finding = Finding::warning("runs", chain(&error)).mended_by("cargo xtask status");
        finding.stops.push(secret.name.to_owned());
        match findings.iter_mut().find(|one| one.text == finding.text) {
            Some(one) => one.stops.append(&mut finding.stops),
            None => findings.push(finding),
        }
    }
    findings
}
