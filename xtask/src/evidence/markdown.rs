//! The evidence in Markdown: for a ticket, a mail, a terminal.

mod bar;

use std::fmt::Write as _;

use rotation::Evidence;
use rotation::evidence::EvidenceStep;

use self::bar::bar;
use super::timeline::Timeline;
use super::words::{
    at_most, between, day, deed, duration, exactly, moment, moment_or_dash, outage_in_short, pass,
    passed, remark, sentence, tokens, took,
};
use crate::output::grouped;

pub(super) fn render(evidence: &Evidence) -> String {
    let mut page = Page(String::new());
    page.head(evidence);
    page.before_and_after(evidence);
    page.outages(evidence);
    page.counts(evidence);
    page.steps(evidence);
    page.verifications(evidence);
    page.ahead(evidence);
    page.others(evidence);
    page.0
}

/// What is written so far.
struct Page(String);

impl Page {
    fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn section(&mut self, title: &str) {
        // Never fails on a String.
        let _ = writeln!(self.0, "\n## {title}\n");
    }

    /// A table whose cells are escaped.
    fn table<const N: usize>(&mut self, head: [&str; N], rows: impl Iterator<Item = [String; N]>) {
        self.line(&format!("| {} |", head.join(" | ")));
        self.line(&format!("| {} |", ["---"; N].join(" | ")));
        for row in rows {
            self.line(&format!(
                "| {} |",
                row.map(|cell| in_cell(&cell)).join(" | ")
            ));
        }
    }

    fn head(&mut self, evidence: &Evidence) {
        let emergency = if evidence.is_emergency {
            ", in an emergency"
        } else {
            ""
        };
        self.line(&format!(
            "# Rotation of `{}`{emergency}: {}\n\n{}.\n",
            evidence.rotation,
            evidence.state.words(),
            sentence(&evidence.summary)
        ));
        for (title, value) in [
            ("Run", format!("`{}`", evidence.run)),
            ("Platform", evidence.platform.clone()),
            ("Began", format!("{} UTC", moment(evidence.began_at))),
            (
                "Ended",
                match evidence.ended_at {
                    Some(at) => format!("{} UTC", moment(at)),
                    None => format!(
                        "not yet; heard of last at {} UTC",
                        moment(evidence.last_record_at)
                    ),
                },
            ),
            ("Outage", outage_in_short(evidence)),
            ("Tool", format!("version {}", evidence.program)),
        ] {
            self.line(&format!("- {title}: {value}"));
        }
        for hand in &evidence.hands {
            let (operator, at) = (&hand.operator, moment(hand.at));
            self.line(&format!("- {operator} {}: {at} UTC", deed(hand.deed)));
        }
    }

    fn before_and_after(&mut self, evidence: &Evidence) {
        if !evidence.versions.is_empty() {
            self.section("Versions, before and after");
            let rows = evidence.versions.iter().map(|version| {
                [
                    version.role.words().to_owned(),
                    version.number.to_string(),
                    or_dash(version.fingerprint.clone()),
                    version.state.to_owned(),
                    moment_or_dash(version.since),
                ]
            });
            self.table(["", "version", "fingerprint", "state", "since (UTC)"], rows);
        }
        if !evidence.services.is_empty() {
            self.section("Services, before and after");
            let rows = evidence.services.iter().map(|service| {
                [
                    service.name.clone(),
                    or_dash(service.bound_before.clone()),
                    or_dash(service.new_revision.clone()),
                ]
            });
            self.table(["service", "read before", "new revision"], rows);
        }
        if let Some(login) = &evidence.login {
            self.line(&format!(
                "\nRole before: `{}`; after: `{}`.",
                login.old_role,
                or_dash(login.new_role.clone())
            ));
        }
        if let Some(backup) = &evidence.backup {
            let at = moment_or_dash(backup.taken_at);
            self.line(&format!("\nBackup: `{}`, taken {at} UTC.", backup.name));
        }
    }

    fn outages(&mut self, evidence: &Evidence) {
        if evidence.outages.is_empty() {
            return;
        }
        self.section("Outage");
        let rows = evidence.outages.iter().map(|outage| {
            [
                outage.what.to_owned(),
                exactly(outage.began_at),
                outage
                    .ended_at
                    .map_or_else(|| "goes on".to_owned(), exactly),
                at_most(outage.is_at_most, outage.duration_ms),
            ]
        });
        self.table(["what", "from (UTC)", "to (UTC)", "duration"], rows);
    }

    fn counts(&mut self, evidence: &Evidence) {
        if evidence.tokens.is_none() && evidence.counts.is_empty() {
            return;
        }
        self.section("Counts");
        if let Some(counted) = &evidence.tokens {
            self.line(&format!("{}.\n", tokens(counted)));
        }
        let rows = evidence.counts.iter().flat_map(|counted| {
            counted.columns.iter().map(|cells| {
                [
                    pass(counted.pass).to_owned(),
                    cells.column.to_owned(),
                    grouped(cells.scanned),
                    grouped(cells.reencrypted),
                    grouped(cells.already_current),
                    grouped(cells.empty),
                    grouped(cells.unreadable),
                    (if cells.adds_up { "yes" } else { "NO" }).to_owned(),
                ]
            })
        });
        if !evidence.counts.is_empty() {
            self.table(
                [
                    "pass",
                    "column",
                    "scanned",
                    "= re-encrypted",
                    "+ already under the new key",
                    "+ empty",
                    "+ unreadable",
                    "adds up",
                ],
                rows,
            );
        }
    }

    fn steps(&mut self, evidence: &Evidence) {
        self.section("Steps");
        let timeline = Timeline::of(evidence);
        let rows = evidence.steps.iter().map(|step| {
            [
                step.number.to_string(),
                step.title.clone(),
                status(step),
                moment_or_dash(step.began_at),
                moment_or_dash(step.ended_at),
                took(step),
                format!("`{}`", bar(step, evidence, &timeline)),
            ]
        });
        self.table(
            [
                "",
                "step",
                "state",
                "began (UTC)",
                "ended (UTC)",
                "at work",
                "timeline",
            ],
            rows,
        );
        self.line("\n`█` at work, `▒` waiting, `◀` being undone, `!` failed, `x` outage, `~` a pause cut short.");
        for cut in timeline.cuts() {
            let from = moment(cut.from);
            self.line(&format!(
                "The pause from {from} UTC lasted {}.",
                duration(between(cut.from, cut.to))
            ));
        }
    }

    fn verifications(&mut self, evidence: &Evidence) {
        let verified = evidence.steps.iter();
        let mut verified = verified
            .filter_map(|step| Some((step, step.verification.as_ref()?)))
            .peekable();
        if verified.peek().is_none() {
            return;
        }
        self.section("What was verified, and how");
        let rows = verified.map(|(step, verification)| {
            let undone = if step.status == "undone" {
                "; undone since"
            } else {
                ""
            };
            [
                step.title.clone(),
                verification.how.to_owned(),
                format!(
                    "{} {}{undone}",
                    passed(verification),
                    moment(verification.passed_at)
                ),
            ]
        });
        self.table(["step", "verified", "outcome (UTC)"], rows);
    }

    fn ahead(&mut self, evidence: &Evidence) {
        self.section("Still to come");
        if evidence.to_come.is_empty() {
            self.line("Nothing.");
        }
        for ahead in &evidence.to_come {
            let due = ahead.due_at.map(|at| format!(" ({})", day(at)));
            let command = ahead
                .command
                .as_ref()
                .map(|command| format!(": `{command}`"));
            let (due, command) = (due.unwrap_or_default(), command.unwrap_or_default());
            self.line(&format!("- {}{due}{command}", ahead.what));
        }
    }

    fn others(&mut self, evidence: &Evidence) {
        if evidence.other_facts.is_empty() {
            return;
        }
        self.section("What else was found out");
        let facts = evidence.other_facts.iter();
        let rows = facts.map(|fact| [fact.name.clone(), fact.value.clone()]);
        self.table(["fact", "value"], rows);
    }
}

/// Its state, with what is to be said of it.
fn status(step: &EvidenceStep) -> String {
    match remark(step) {
        Some(remark) => format!("{}: {remark}", step.words()),
        None => step.words().to_owned(),
    }
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "–".to_owned())
}

/// Whatever a journal holds, a row stays a row, and text stays text.
fn in_cell(text: &str) -> String {
    text.replace('|', "\\|")
        .replace('<', "&lt;")
        .replace(['\n', '\r'], " ")
}
