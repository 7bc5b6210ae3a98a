//! `cargo xtask rotate-dcr` with a platform: show the plan, ask, begin the run.

use runbook::plan_lines;
use tokio_util::sync::CancellationToken;

use super::{printer, surroundings};
use crate::cli;
use crate::confirm::confirm;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::procedure::{Ended, Procedure};
use crate::settings::{PlatformName, Surroundings};

/// Runs the command and gives its exit code.
pub(super) async fn run(typed: &cli::RotateDcr, interrupt: &CancellationToken) -> u8 {
    let printer = printer(typed.output);
    let ended = rotate(typed, &printer, interrupt).await;
    let ended = ended.unwrap_or_else(Ended::not_begun);
    ended.print(typed.output.format, &printer)
}

async fn rotate(
    typed: &cli::RotateDcr,
    printer: &Printer,
    interrupt: &CancellationToken,
) -> Result<Ended, Failure> {
    refuse_flags(typed)?;
    let surroundings = surroundings(&cli::Keys::default(), *printer, interrupt);
    warn_of_ignored_keys(&surroundings);
    let mut procedure =
        Procedure::new(&typed.place, &typed.timeouts, typed.output, &surroundings).await?;
    procedure.refuse_unfinished()?;
    show(&procedure, typed.dry_run, printer);
    if typed.dry_run {
        return Ok(procedure.trial().await);
    }
    let ask_on = surroundings.terminal.filter(|_| !typed.going.yes);
    let confirmed = confirm("Go on?", ask_on.as_ref(), interrupt)?;
    Ok(procedure.begin(typed.going, confirmed).await)
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

fn warn_of_ignored_keys(surroundings: &Surroundings<'_>) {
    for name in ["DCR_OLD_KEY", "DCR_NEW_KEY"] {
        if surroundings.variable(name).is_some() {
            surroundings.printer.warning(&format!(
                "{name} is set and not used: with a platform, keys come from its store"
            ));
        }
    }
}

fn show(procedure: &Procedure, dry_run: bool, printer: &Printer) {
    let settings = &procedure.settings;
    printer.note(if dry_run { "Plan (dry run):" } else { "Plan:" });
    let mut place = vec![("platform", settings.platform.to_string())];
    match settings.platform {
        PlatformName::None => {}
        PlatformName::Local => {
            place.push(("env file", settings.local.env_file.display().to_string()));
            place.push(("store", settings.local.store.display().to_string()));
        }
        PlatformName::GoogleCloud => {
            let google_cloud = &settings.google_cloud;
            let instance = google_cloud.instance.clone();
            place.push(("project", google_cloud.project.clone()));
            place.push(("region", google_cloud.region.clone()));
            place.push((
                "instance",
                instance.unwrap_or_else(|| "none named".to_owned()),
            ));
        }
    }
    place.push(("runs", settings.state_dir.display().to_string()));
    for (title, value) in place {
        printer.note(&format!("  {title:<10}{value}"));
    }
    for line in plan_lines(procedure.plan.abouts()) {
        printer.note(&line);
    }
}
