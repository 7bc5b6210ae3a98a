//! `cargo xtask rotate-dcr`: connect, check, show the plan, ask, re-encrypt, report.

use std::time::{Duration, Instant};

use reencrypt::{Database, Event, Mode, Outcome, Plan};
use runbook::RunsError;
use tokio_util::sync::CancellationToken;

use super::connect::connect;
use super::rotate_on_platform::{self, Wanted};
use super::{printer, surroundings};
use crate::cli;
use crate::failure::{Failure, chain};
use crate::input::{Confirmed, confirm};
use crate::output::{Printer, Progress};
use crate::procedure::{Ended, Options};
use crate::report::{self, Listing, Subject, plan};
use crate::settings::{self, PlatformName};

/// Runs the command and gives its exit code.
pub(super) async fn run(typed: &cli::RotateDcr, interrupt: &CancellationToken) -> u8 {
    let format = typed.output.format;
    let printer = printer(typed.output);
    match settings::platform_of(&typed.place) {
        Ok(PlatformName::None) => {}
        Ok(PlatformName::Local | PlatformName::GoogleCloud) => {
            return match wanted_on_platform(typed) {
                Ok(wanted) => rotate_on_platform::run(&wanted, interrupt).await,
                Err(failure) => Ended::not_begun(failure.at(&typed.place)).print(format, &printer),
            };
        }
        Err(failure) => return Ended::not_begun(failure.at(&typed.place)).print(format, &printer),
    }
    let mut report = report::Rotation {
        subject: Subject::default(),
        clients: None,
        columns: None,
        unreadable: if typed.dry_run {
            Listing::of_all(format)
        } else {
            Listing::of_first(format)
        },
        duration: Duration::ZERO,
        result: Ok(Outcome::NothingToDo),
    };
    if !typed.dry_run {
        warn_of_unfinished_run(typed, &printer, interrupt);
    }
    report.result = match settings::rotation(
        typed,
        surroundings(typed.keys.use_standard_input(), printer, interrupt),
    ) {
        Ok(settings) => rotate(&settings, &printer, interrupt, &mut report).await,
        Err(failure) => Err(failure),
    };
    report.result = report.result.map_err(|failure| failure.at(&typed.place));
    report.print(format, &printer);
    report.exit_code()
}

/// Rotates, and fills in the report except for its result.
///
/// # Errors
///
/// The [`Failure`], with the state that the table is in.
async fn rotate(
    settings: &settings::Rotation,
    printer: &Printer,
    interrupt: &CancellationToken,
    report: &mut report::Rotation,
) -> Result<Outcome, Failure> {
    report.subject = Subject::new(&settings.database, &settings.keyring);
    let mut progress = Progress::new(*printer);
    let mut database = connect(&settings.database, &mut progress, interrupt).await?;
    let plan = check(&mut database, settings, &mut progress, interrupt).await?;
    report.clients = Some(plan.clients);

    plan::print(settings, &report.subject, &plan, printer);
    let confirmed = confirm("Go on?", settings.ask_on.as_ref(), interrupt)?;
    reencrypt(
        database,
        settings,
        &plan,
        confirmed,
        &mut progress,
        interrupt,
        report,
    )
    .await
}

async fn check(
    database: &mut Database,
    settings: &settings::Rotation,
    progress: &mut Progress,
    interrupt: &CancellationToken,
) -> Result<Plan, Failure> {
    progress.begin("checking the table");
    let check = reencrypt::check(database, &settings.excluded_columns);
    let checked = interrupt.run_until_cancelled(check).await;
    progress.end();
    checked
        .unwrap_or(Err(reencrypt::Error::Interrupted))
        .map_err(|error| Failure::before_changing(&error))
}

async fn reencrypt(
    mut database: Database,
    settings: &settings::Rotation,
    plan: &Plan,
    _confirmed: Confirmed,
    progress: &mut Progress,
    interrupt: &CancellationToken,
    report: &mut report::Rotation,
) -> Result<Outcome, Failure> {
    let mode = if settings.dry_run {
        Mode::DryRun
    } else {
        Mode::Commit
    };
    let began = Instant::now();
    let mut observer = |event: Event<'_>| report.unreadable.observe(&event, progress);
    let result = reencrypt::reencrypt(
        &mut database,
        plan,
        &settings.keyring,
        mode,
        &mut observer,
        interrupt,
    )
    .await;
    progress.end();
    match result {
        Ok(done) => {
            report.duration = done.duration;
            report.clients = Some(done.clients);
            report.columns = Some(done.columns);
            Ok(done.outcome)
        }
        Err(failed) => {
            report.duration = began.elapsed();
            report.clients = failed.clients.or(report.clients);
            report.columns = failed.columns;
            Err(Failure::while_rotating(&failed, settings.dry_run))
        }
    }
}

/// What the same command means on a platform.
fn wanted_on_platform(typed: &cli::RotateDcr) -> Result<Wanted<'_>, Failure> {
    refuse_flags(typed)?;
    warn_of_ignored_keys(&printer(typed.output));
    Ok(Wanted {
        secret: rotation::DCR_ENCRYPTION_KEY,
        options: Options::default(),
        place: &typed.place,
        timeouts: &typed.timeouts,
        output: typed.output,
        going: typed.going,
        dry_run: typed.dry_run,
        value_file: None,
    })
}

/// A run on a platform knows two keys, and no third one.
fn warn_of_unfinished_run(
    typed: &cli::RotateDcr,
    printer: &Printer,
    interrupt: &CancellationToken,
) {
    let surroundings = surroundings(typed.keys.use_standard_input(), *printer, interrupt);
    // Runs are where the settings' platform has them, whatever was typed.
    let place = cli::Place {
        platform: None,
        ..typed.place.clone()
    };
    // Without settings, or a place for runs, there are none to be known.
    let Ok(settings) = settings::procedure(&place, &surroundings) else {
        return;
    };
    let rotation = rotation::DCR_ENCRYPTION_KEY.name;
    let found = settings.runs().check_free(rotation);
    if let Err(
        error @ (RunsError::Busy { .. }
        | RunsError::Unfinished { .. }
        | RunsError::UnfinishedElsewhere { .. }),
    ) = found
    {
        printer.warning(&format!(
            "{}: a run goes on, or back, only where the tokens are under its own keys",
            chain(&error)
        ));
    }
}

/// The platform knows the old key and makes the new one: a key that was given
/// would be ignored, and somebody would think it wasn't. What `resume` has to know
/// as well belongs into the settings.
fn refuse_flags(typed: &cli::RotateDcr) -> Result<(), Failure> {
    if !typed.keys.old_key_file.is_empty() || typed.keys.new_key_file.is_some() {
        return Err(Failure::usage("with a platform, keys aren't given")
            .nothing_changed()
            .hint(
                "leave `--old-key-file` and `--new-key-file` out: the old key is read from where the \
                 service reads it, and the new one is generated and stored; `--platform none` takes keys",
            ));
    }
    if !typed.exclude_column.is_empty() {
        return Err(
            Failure::usage("with a platform, excluded columns aren't given")
                .nothing_changed()
                .hint("write `exclude_columns = [\"table.column\"]` into rotation.toml, for `resume` to know"),
        );
    }
    Ok(())
}

fn warn_of_ignored_keys(printer: &Printer) {
    for name in ["DCR_OLD_KEY", "DCR_NEW_KEY"] {
        if std::env::var_os(name).is_some_and(|value| !value.is_empty()) {
            printer.warning(&format!(
                "{name} is set and not used: with a platform, keys come from its store"
            ));
        }
    }
}
