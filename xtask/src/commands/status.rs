//! `cargo xtask status`: the runs with the next command for each, whether the services still
//! read what the runs bound them to, and how old each secret is.

mod ages;
mod bonds;
mod json;
mod look;
mod print;
mod runs;

use rotation::left_behind;
use runbook::RunSummary;
use tokio_util::sync::CancellationToken;

use self::ages::{Age, age_of};
use self::bonds::{Bond, Standing, bonds};
use self::look::{Looked, Wanted};
use self::runs::Placed;
use super::{fail, surroundings};
use crate::cli::{self, Format};
use crate::exit_code;
use crate::failure::{Failure, chain};
use crate::output::Printer;
use crate::settings::{self, PlatformName};

/// Finished runs that are shown.
const LAST_FINISHED: usize = 5;

/// All that there is to be told.
struct Report {
    /// Those here, and those that aren't finished elsewhere: no other begins before they are.
    runs: Vec<RunSummary>,
    /// Why it isn't known whether there are more.
    unknown: Vec<String>,
    ages: Vec<Age>,
    bonds: Vec<Bond>,
    place: Placed,
}

/// Runs the command and gives its exit code.
pub(super) async fn run(typed: &cli::Status, interrupt: &CancellationToken) -> u8 {
    let printer = Printer::default();
    match look(typed, &printer, interrupt).await {
        Ok(report) => {
            match typed.format {
                Format::Human => print::human(&report, &printer),
                Format::Json => printer.json(&json::of(&report).to_string()),
            }
            if report.needs_attention() {
                exit_code::CHECK_FAILED
            } else {
                exit_code::DONE
            }
        }
        Err(failure) => {
            let failure = failure.at(&typed.place);
            if typed.format == Format::Json {
                printer.json(&json::of_failure(&failure).to_string());
            }
            fail(&failure, &printer)
        }
    }
}

async fn look(
    typed: &cli::Status,
    printer: &Printer,
    interrupt: &CancellationToken,
) -> Result<Report, Failure> {
    let settings = settings::procedure(&typed.place, &surroundings(false, *printer, interrupt))?;
    let runs = settings.runs();
    let listed = runs.list().map_err(|error| Failure::from_runs(&error))?;
    let mut report = Report {
        runs: listed,
        unknown: Vec::new(),
        ages: Vec::new(),
        bonds: Vec::new(),
        place: Placed {
            missing_contacts: settings.missing_contacts(),
            typed: typed.place.clone(),
            state_dir: settings.state_dir.clone(),
            platform: settings.platform,
        },
    };
    for secret in rotation::SECRETS {
        match runs.unfinished_elsewhere(secret.name) {
            Ok(found) => report.runs.extend(found),
            Err(error) => report.unknown.push(chain(&error)),
        }
    }
    if settings.platform != PlatformName::None {
        report.look_at_platform(&settings).await?;
    }
    Ok(report)
}

impl Report {
    async fn look_at_platform(&mut self, settings: &settings::Procedure) -> Result<(), Failure> {
        let platform = settings.platform(None)?;
        let histories = self.runs.iter().filter_map(|run| run.history.as_ref().ok());
        // Another platform's runs are told by that platform.
        let ours = histories.filter(|history| history.platform.as_str() == platform.name);
        let left = left_behind(ours);
        let mut wanted = Wanted::default();
        for expected in left.iter().flat_map(|left| &left.services) {
            wanted.secret(&expected.binding.secret);
            wanted.service(&expected.service, &expected.binding);
        }
        for secret in rotation::SECRETS {
            wanted.secret(&settings.store_of(&secret).name);
            for consumer in settings.consumers_of(&secret) {
                wanted.service(&consumer.service, &settings.store_of(&secret).binding());
            }
        }
        let looked: Looked = wanted.look(&platform).await;
        self.bonds = bonds(&left, &platform, &looked);
        let secrets = rotation::SECRETS.into_iter();
        self.ages = secrets
            .map(|secret| age_of(secret, settings, &looked))
            .collect();
        Ok(())
    }

    fn bonds_of<'a>(&'a self, run: &'a str) -> impl Iterator<Item = &'a Bond> {
        self.bonds.iter().filter(move |bond| bond.run == run)
    }

    /// Whether a service isn't as the run left it, or nobody knows.
    fn has_news_of(&self, run: &str) -> bool {
        let is_as_left = |bond: &Bond| matches!(bond.standing, Standing::AsLeft);
        !self.bonds_of(run).all(is_as_left)
    }

    fn needs_attention(&self) -> bool {
        let is_damaged = self.runs.iter().any(|run| run.history.is_err());
        let is_incomplete = !self.place.missing_contacts.is_empty();
        is_damaged
            || is_incomplete
            || !self.unknown.is_empty()
            || self.runs.iter().any(|run| self.has_news_of(&run.name))
            || self.ages.iter().any(Age::needs_attention)
    }
}
