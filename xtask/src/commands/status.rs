//! `cargo xtask status`: the runs with the next command for each, and how old each secret is.

mod json;

use clap::ValueEnum as _;
use jiff::Timestamp;
use platform::{Bound, Platform, VersionState};
use rotation::Secret;
use runbook::{History, RunStatus, RunSummary, StepStatus};
use tokio_util::sync::CancellationToken;

use super::surroundings;
use crate::cli::{self, Format};
use crate::exit_code;
use crate::failure::{Failure, chain};
use crate::printer::Printer;
use crate::settings::{self, PlatformName};

/// Finished runs that are shown.
const LAST_FINISHED: usize = 5;

/// What is known of a secret's age.
struct Age {
    secret: Secret,
    known: Known,
}

enum Known {
    /// The version in use and when it was created.
    Version {
        number: u64,
        created_at: Timestamp,
        due_at: Timestamp,
    },
    /// It stands in the service's configuration alone.
    Inline,
    /// The service isn't given it here.
    NotUsed,
    /// It could not be found out.
    Unknown(String),
}

/// Where it was looked.
struct Placed {
    /// Contacts that the settings should name.
    missing_contacts: Vec<&'static str>,
    /// What was typed.
    typed: cli::Place,
    /// The platform that this, or the settings, named.
    platform: PlatformName,
}

impl Placed {
    /// The flags that the next command needs: those that were typed, and the run's
    /// platform where nothing else names one.
    fn flags(&self, history: &History) -> String {
        let mut typed = self.typed.clone();
        if self.platform == PlatformName::None {
            typed.platform = PlatformName::from_str(history.platform.as_str(), false).ok();
        }
        typed.flags()
    }
}

/// Runs the command and gives its exit code.
pub(super) async fn run(typed: &cli::Status, interrupt: &CancellationToken) -> u8 {
    let printer = Printer::default();
    match look(typed, &printer, interrupt).await {
        Ok((runs, ages, place)) => {
            match typed.format {
                Format::Human => print(&runs, &ages, &place, &printer),
                Format::Json => printer.json(&json::of(&runs, &ages, &place).to_string()),
            }
            let is_damaged = runs.iter().any(|run| run.history.is_err());
            let is_incomplete = !place.missing_contacts.is_empty();
            if is_damaged || is_incomplete || ages.iter().any(Age::needs_attention) {
                exit_code::CHECK_FAILED
            } else {
                exit_code::DONE
            }
        }
        Err(failure) => {
            if typed.format == Format::Json {
                printer.json(&json::of_failure(&failure).to_string());
            }
            printer.failure(&failure);
            failure.exit_code
        }
    }
}

async fn look(
    typed: &cli::Status,
    printer: &Printer,
    interrupt: &CancellationToken,
) -> Result<(Vec<RunSummary>, Vec<Age>, Placed), Failure> {
    let settings = settings::procedure(&typed.place, &surroundings(false, *printer, interrupt))?;
    let runs = settings
        .runs()
        .list()
        .map_err(|error| Failure::from_runs(&error, &typed.place.flags()))?;
    let mut ages = Vec::new();
    if settings.platform != PlatformName::None {
        let platform = settings.platform(None)?;
        for secret in rotation::SECRETS {
            ages.push(Age {
                secret,
                known: age_of(&secret, &platform, &settings).await,
            });
        }
    }
    let place = Placed {
        missing_contacts: settings.missing_contacts(),
        typed: typed.place.clone(),
        platform: settings.platform,
    };
    Ok((runs, ages, place))
}

async fn age_of(secret: &Secret, platform: &Platform, settings: &settings::Procedure) -> Known {
    match version_in_use(secret, platform, settings).await {
        Ok(Some((number, created_at))) => Known::Version {
            number,
            created_at,
            due_at: created_at
                .saturating_add(settings.rotate_every)
                .unwrap_or(Timestamp::MAX),
        },
        Ok(None) => Known::Inline,
        Err(platform::Error::NoVariable { .. }) => Known::NotUsed,
        Err(error) => Known::Unknown(chain(&error)),
    }
}

async fn version_in_use(
    secret: &Secret,
    platform: &Platform,
    settings: &settings::Procedure,
) -> Result<Option<(u64, Timestamp)>, platform::Error> {
    let store = settings.store_of(secret);
    let binding = platform::Binding {
        variable: store.variable,
        secret: store.name.clone(),
    };
    let versions = platform.store.versions(&store.name).await?;
    let mut in_use = None;
    for consumer in settings.consumers_of(secret) {
        let service = platform
            .services
            .describe(&consumer.service, &binding)
            .await?;
        let version = match service.bound {
            Bound::Inline => return Ok(None),
            Bound::Pinned(number) => versions.iter().find(|version| version.number == number),
            Bound::Latest => versions.first(),
        };
        if let Some(version) = version.filter(|version| version.state != VersionState::Enabled) {
            return Err(platform::Error::VersionState {
                secret: store.name.clone(),
                version: version.number,
                state: version.state,
            });
        }
        // Of several services, the one with the oldest version counts.
        let found = version.map(|version| (version.number.get(), version.created_at));
        in_use = match (in_use, found) {
            (Some(one), Some(other)) => Some(std::cmp::min(one, other)),
            (one, other) => one.or(other),
        };
    }
    Ok(in_use)
}

impl Age {
    fn is_overdue(&self) -> bool {
        matches!(self.known, Known::Version { due_at, .. } if due_at < Timestamp::now())
    }

    fn needs_attention(&self) -> bool {
        self.is_overdue() || matches!(self.known, Known::Unknown(_))
    }

    fn words(&self) -> String {
        match &self.known {
            Known::Version {
                number,
                created_at,
                due_at,
            } => {
                let days = Timestamp::now().duration_since(*created_at).as_hours() / 24;
                let due = due_at.strftime("%Y-%m-%d");
                let overdue = if self.is_overdue() {
                    "OVERDUE since"
                } else {
                    "due"
                };
                format!("version {number}, {days} days old, {overdue} {due}")
            }
            Known::Inline => "not in the store: its age isn't known".to_owned(),
            Known::NotUsed => "not set here".to_owned(),
            Known::Unknown(reason) => format!("unknown: {reason}"),
        }
    }
}

fn print(runs: &[RunSummary], ages: &[Age], place: &Placed, printer: &Printer) {
    let is_shown = |run: &&RunSummary| {
        run.history
            .as_ref()
            .map_or(true, |history| history.is_unfinished())
    };
    let unfinished: Vec<&RunSummary> = runs.iter().filter(is_shown).collect();
    printer.data("Runs:");
    // A check that failed leaves a run that did nothing: no news.
    let did_something = |run: &&RunSummary| {
        run.history
            .as_ref()
            .is_ok_and(|history| !rotation::did_nothing(history))
    };
    let finished = runs
        .iter()
        .filter(|run| !is_shown(run))
        .filter(did_something);
    let shown: Vec<&RunSummary> = unfinished
        .into_iter()
        .chain(finished.take(LAST_FINISHED))
        .collect();
    if shown.is_empty() {
        printer.data("  none yet");
    }
    for run in shown {
        print_run(run, place, printer);
    }
    if !ages.is_empty() {
        printer.data("\nSecrets:");
    }
    for age in ages {
        printer.data(&format!("  {:<26}{}", age.secret.name, age.words()));
    }
    for contact in &place.missing_contacts {
        printer.data(&format!(
            "\nMissing: the contact `{contact}`, under `[contacts]` in the settings"
        ));
    }
}

fn print_run(run: &RunSummary, place: &Placed, printer: &Printer) {
    let history = match &run.history {
        Ok(history) => history,
        Err(error) => {
            printer.data(&format!("  {}  unreadable: {}", run.name, chain(error)));
            printer.data(&format!("      {}", error.hint()));
            return;
        }
    };
    printer.data(&format!("  {}  {}", run.name, words(run, history)));
    if history.is_unfinished() {
        printer.data(&format!("      state: {}", rotation::state(history)));
    }
    for command in next_commands(run, history, place) {
        printer.data(&format!("      next: {command}"));
    }
}

fn words(run: &RunSummary, history: &History) -> String {
    let step = history.current_step();
    let name = step.map(|step| step.name.to_string()).unwrap_or_default();
    let reason = step
        .and_then(|step| step.reason.as_ref())
        .map(|reason| format!(": {reason}"))
        .unwrap_or_default();
    let of = history.steps.len();
    let number = step
        .and_then(|step| {
            history
                .steps
                .iter()
                .position(|other| other.name == step.name)
        })
        .map_or(0, |index| index + 1);
    let at = format!("step {number} of {of}, `{name}`");
    match history.status {
        RunStatus::Done => format!("done {:.0}", history.last_at),
        RunStatus::RolledBack => format!("rolled back {:.0}", history.last_at),
        _ if run.is_carried_on => format!("running, at {at}"),
        RunStatus::RollingBack if history.is_stuck() => format!("STUCK undoing {at}{reason}"),
        RunStatus::RollingBack => format!("stopped while undoing {at}"),
        RunStatus::Forward => match step.map(|step| (step.status, step.until)) {
            Some((StepStatus::Failed, _)) => format!("failed at {at}{reason}"),
            Some((StepStatus::Waiting, Some(until))) => format!("waits until {until:.0} at {at}"),
            Some((StepStatus::Waiting, None)) if rotation::waits_for_value(history) => {
                format!("waits for the new value at {at}")
            }
            Some((StepStatus::Waiting, None)) => format!("waits for people at {at}"),
            _ => format!("stopped at {at}"),
        },
    }
}

fn next_commands(run: &RunSummary, history: &History, place: &Placed) -> Vec<String> {
    let name = &run.name;
    let flags = place.flags(history);
    if run.is_carried_on || !history.is_unfinished() {
        return Vec::new();
    }
    if history.status == RunStatus::RollingBack {
        return vec![format!("cargo xtask rollback {name}{flags}")];
    }
    // A value that isn't there yet can't be said to be done: it has to be given.
    let waits_for_people = !rotation::waits_for_value(history)
        && history
            .current_step()
            .is_some_and(|step| step.status == StepStatus::Waiting && step.until.is_none());
    let done = if waits_for_people { " --done" } else { "" };
    vec![
        format!("cargo xtask resume {name}{done}{flags}"),
        format!("cargo xtask rollback {name}{flags}"),
    ]
}
