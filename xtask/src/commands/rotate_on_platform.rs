//! Any rotation on a platform: show the plan, ask, begin the run.

use std::path::Path;

use rotation::Secret;
use runbook::{plan_lines, plan_summary};
use tokio_util::sync::CancellationToken;

use super::{printer, surroundings};
use crate::cli::{Contain, Going, Output, Place, Timeouts};
use crate::failure::Failure;
use crate::input::{candidate, confirm, is_standard_input};
use crate::output::{Printer, hanging, screen};
use crate::procedure::{Ended, Options, Procedure};
use crate::settings::{self, PlatformName, Surroundings};

/// What was asked for.
pub(super) struct Wanted<'a> {
    pub(super) secret: Secret,
    pub(super) options: Options,
    pub(super) place: &'a Place,
    pub(super) timeouts: &'a Timeouts,
    pub(super) output: Output,
    pub(super) going: Going,
    pub(super) dry_run: bool,
    /// The file with the new value, where other people issue it.
    pub(super) value_file: Option<&'a Path>,
}

/// Rotates, and gives the exit code.
pub(super) async fn run(wanted: &Wanted<'_>, interrupt: &CancellationToken) -> u8 {
    let printer = printer(wanted.output);
    let uses_standard_input = wanted.value_file.is_some_and(is_standard_input);
    let surroundings = surroundings(uses_standard_input, printer, interrupt);
    let ended = rotate(wanted, &surroundings).await;
    let ended = ended.unwrap_or_else(Ended::not_begun).at(wanted.place);
    ended.print(wanted.output.format, &printer)
}

async fn rotate(wanted: &Wanted<'_>, surroundings: &Surroundings<'_>) -> Result<Ended, Failure> {
    let settings = settings::procedure(wanted.place, surroundings)?;
    let mut procedure = Procedure::new(
        settings,
        wanted.secret,
        wanted.options,
        wanted.timeouts,
        surroundings,
    )
    .await?;
    procedure.refuse_unfinished()?;
    show(&procedure, wanted, &surroundings.printer);
    if wanted.options.emergency {
        show_containment(&procedure, wanted, &surroundings.printer);
    }
    if wanted.dry_run {
        if wanted.value_file.is_some() {
            procedure.take(candidate(
                wanted.secret.name,
                wanted.value_file,
                surroundings,
            )?);
        } else if procedure.takes_value() {
            let reason = "no new value is tested: none was given with `--value-file`";
            surroundings.printer.note(reason);
        }
        return Ok(procedure.trial().await);
    }
    let ask_on = surroundings.terminal.as_ref().filter(|_| !wanted.going.yes);
    let confirmed = confirm("Go on?", ask_on, surroundings.interrupt)?;
    if procedure.takes_value() {
        procedure.take(candidate(
            wanted.secret.name,
            wanted.value_file,
            surroundings,
        )?);
    }
    Ok(procedure.begin(wanted.going, confirmed).await)
}

/// What whoever says yes has to know, on a screen; all of it with `--verbose`.
fn show(procedure: &Procedure, wanted: &Wanted<'_>, printer: &Printer) {
    let abouts = procedure.plan.abouts();
    let of = abouts.len();
    let (which, steps) = if wanted.output.verbose {
        (format!("{of} steps:"), plan_lines(abouts))
    } else {
        let which =
            format!("{of} steps, of which these change something or take time (-v shows all):");
        (which, plan_summary(abouts))
    };
    let dry_run = if wanted.dry_run { " (dry run)" } else { "" };
    let width = screen::width();
    printer.note(&hanging(&format!("Plan{dry_run}: {which}"), 2, width));
    let place = place(&procedure.settings);
    printer.note(&hanging(&format!("  place     {place}"), 12, width));
    for line in steps {
        printer.note(&hanging(&line, 5, width));
    }
}

/// What is rotated where, and where its journal is.
fn place(settings: &settings::Procedure) -> String {
    let runs = settings.state_dir.display();
    let at = match settings.platform {
        PlatformName::None => String::new(),
        PlatformName::Local => {
            let (env_file, store) = (&settings.local.env_file, &settings.local.store);
            format!(
                ", `{}` and the store `{}`",
                env_file.display(),
                store.display()
            )
        }
        PlatformName::GoogleCloud => {
            let google_cloud = &settings.google_cloud;
            let instance = google_cloud.instance.as_deref();
            format!(
                ", project `{}`, region `{}`, {}",
                google_cloud.project,
                google_cloud.region,
                instance.map_or_else(
                    || "no instance named".to_owned(),
                    |instance| format!("instance `{instance}`")
                ),
            )
        }
    };
    format!("{}{at}; runs in `{runs}`", settings.platform)
}

/// Every means that would contain the leak, with its effect and its undo, before any is used.
fn show_containment(procedure: &Procedure, wanted: &Wanted<'_>, printer: &Printer) {
    printer.note("Containment, until the new value serves:");
    for means in procedure.means(&wanted.secret) {
        let word = Contain::word(means);
        let is_used = match wanted.options.containment.has(means) {
            true => "used",
            false => "not used",
        };
        printer.note(&format!("  --contain {word} ({is_used})"));
        printer.note(&format!("     effect: {}", means.effect()));
        printer.note(&format!("     undo: {}", means.undo()));
    }
    if procedure.means(&wanted.secret).next().is_none() {
        printer.note("  there is no means here but the rotation itself");
    }
}
