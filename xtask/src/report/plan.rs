//! What a rotation is about to do, for the person who decides.

use reencrypt::{Column, Plan, remark_on_unsearched};
use secret::{DatabaseTarget, Fingerprint};

use super::Subject;
use crate::output::{Printer, grouped, plain, screen, wrapped};
use crate::settings;

/// Where the text begins.
const TITLE_WIDTH: usize = 12;
/// How wide the text is, where there is no narrower terminal.
const TEXT_WIDTH: usize = 78;

/// Shows the plan.
pub(crate) fn print(
    settings: &settings::Rotation,
    subject: &Subject,
    plan: &Plan,
    printer: &Printer,
) {
    printer.note(if settings.dry_run {
        "Plan (dry run):"
    } else {
        "Plan:"
    });
    for (title, text) in lines(settings, subject, plan) {
        let room =
            screen::width().map_or(TEXT_WIDTH, |width| width.saturating_sub(TITLE_WIDTH + 1));
        let text = wrapped(&text, room.min(TEXT_WIDTH)).join(&format!("\n{:TITLE_WIDTH$}", ""));
        printer.note(&format!("  {title:<0$}{text}", TITLE_WIDTH - 2));
    }
    warn_of_unsearched(&plan.unsearched_tables, printer);
}

/// Warns that encrypted columns may have gone unnoticed.
pub(crate) fn warn_of_unsearched(tables: &[String], printer: &Printer) {
    if let Some(remark) = remark_on_unsearched(tables) {
        printer.warning(&plain(&remark));
    }
}

fn lines(
    settings: &settings::Rotation,
    subject: &Subject,
    plan: &Plan,
) -> Vec<(&'static str, String)> {
    let mut lines = vec![
        ("database", subject.database.clone().unwrap_or_default()),
        (
            "clients",
            format!("{} in dcr_clients", grouped(plan.clients)),
        ),
        ("columns", Column::ALL.map(Column::name).join(", ")),
        (
            if subject.old_keys.len() == 1 {
                "old key"
            } else {
                "old keys"
            },
            fingerprints(&subject.old_keys),
        ),
        ("new key", fingerprints(subject.new_key.as_slice())),
    ];
    if !plan.excluded_columns.is_empty() {
        let columns: Vec<String> = plan
            .excluded_columns
            .iter()
            .map(|column| plain(&column.to_string()))
            .collect();
        lines.push((
            "excluded",
            format!("{}: left as they are", columns.join(", ")),
        ));
    }
    lines.push(("waiting", waiting(settings)));
    lines.push(("work", work(settings.dry_run).to_owned()));
    for remark in &plan.remarks {
        lines.push(("remark", plain(remark)));
    }
    if !settings.dry_run {
        let after = "until the service runs with the new key, it can't read these tokens";
        lines.push(("after it", after.to_owned()));
    }
    lines
}

/// Who waits for whom.
fn waiting(settings: &settings::Rotation) -> String {
    let lock = humantime::format_duration(settings.database.timeouts.lock);
    let waiting = match settings.database.url.target() {
        DatabaseTarget::Postgres(_) => {
            "whoever writes to dcr_clients waits until it is over, readers don't"
        }
        // Whether readers do is in a remark.
        DatabaseTarget::Sqlite(_) => "whoever writes to the file waits until it is over",
    };
    format!("{waiting}; the run gives up if it doesn't get the lock within {lock}")
}

fn work(dry_run: bool) -> &'static str {
    if dry_run {
        "in one transaction: every token under an old key is written under the new key and read back, \
         then all of it is rolled back"
    } else {
        "in one transaction: every token under an old key is written under the new key and read back; \
         all of it is committed, or none"
    }
}

fn fingerprints(keys: &[Fingerprint]) -> String {
    let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
    keys.join(", ")
}
