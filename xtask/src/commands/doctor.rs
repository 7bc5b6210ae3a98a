//! `cargo xtask doctor`: what a rotation would fail at, with what mends it.

mod database;
mod print;
mod trials;

use std::time::Duration;

use platform::{Finding, Level};
use tokio_util::sync::CancellationToken;

use super::{printer, surroundings};
use crate::cli::{self, Format, Output};
use crate::exit_code;
use crate::failure::Failure;
use crate::settings::{self, PlatformName, Surroundings};

/// What was asked of `gcloud` is ended by threads, which look every few milliseconds
/// whether anybody still waits: this program must not be gone before them.
const FOR_CHILDREN_TO_END: Duration = Duration::from_millis(200);

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
            tokio::time::sleep(FOR_CHILDREN_TO_END).await;
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
            if typed.format == Format::Json {
                printer.json(&print::json_of_failure(&failure).to_string());
            }
            printer.failure(&failure);
            failure.exit_code
        }
    }
}

async fn examine(
    typed: &cli::Doctor,
    surroundings: &Surroundings<'_>,
) -> Result<(PlatformName, Vec<Finding>), Failure> {
    let settings = settings::procedure(&typed.place, surroundings)?;
    surroundings.printer.note("looking; nothing is changed");
    let findings = match settings.platform {
        PlatformName::None => {
            return Err(Failure::usage("no platform is named: there is nothing to examine")
                .nothing_changed()
                .hint(
                    "`--platform google-cloud` or `--platform local`, or `platform` in rotation.toml",
                ));
        }
        // Where its backups are, only the database's URL tells.
        PlatformName::Local => {
            let reached = database::reach(&settings, surroundings).await;
            let url = reached.as_ref().ok().map(|(database, _)| &database.url);
            let mut examination = settings.examine(url).await;
            if !examination.is_cut_short {
                let findings = &examination.findings;
                let more = tokio::join!(
                    database::examine(&settings, reached, surroundings),
                    trials::examine(&typed.place, findings, surroundings),
                );
                examination.findings.extend(more.0);
                examination.findings.extend(more.1);
            }
            examination.findings
        }
        PlatformName::GoogleCloud => {
            let mut examination = settings.examine(None).await;
            if !examination.is_cut_short {
                let of_database = async {
                    let reached = database::reach(&settings, surroundings).await;
                    database::examine(&settings, reached, surroundings).await
                };
                let findings = &examination.findings;
                let more = tokio::join!(
                    of_database,
                    trials::examine(&typed.place, findings, surroundings),
                );
                examination.findings.extend(more.0);
                examination.findings.extend(more.1);
            }
            examination.findings
        }
    };
    Ok((settings.platform, findings))
}
