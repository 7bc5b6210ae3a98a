//! The evidence as one page for a browser or a printer, which needs nothing beside itself.

mod lines;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use rotation::Evidence;
use rotation::evidence::{Counted, RunState};

use self::lines::{axis, legend, line, patterns};
use super::timeline::Timeline;
use super::words::{
    at_most, between, day, deed, duration, exactly, moment, outage_in_short, pass, passed, remark,
    sentence, tokens, took,
};
use crate::printer::grouped;

const STYLE: &str = include_str!("style.css");

pub(super) fn render(evidence: &Evidence) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Rotation of " (evidence.rotation) ": " (evidence.state.words()) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (patterns())
                main {
                    (head(evidence))
                    (steps(evidence))
                    div.pair {
                        (versions(evidence))
                        (services(evidence))
                    }
                    (outages(evidence))
                    (counts(evidence))
                    (verifications(evidence))
                    div.pair {
                        (to_come(evidence))
                        (hands_and_facts(evidence))
                    }
                    footer {
                        "All times are UTC. This page holds names, numbers, times and fingerprints, and no secret. \
                         It was made from the journal of the run by the tool that carried it out, version "
                        (evidence.program) "."
                    }
                }
            }
        }
    };
    page.into_string() + "\n"
}

fn head(evidence: &Evidence) -> Markup {
    let (class, sign) = match evidence.state {
        RunState::Done => ("badge good", "✓"),
        RunState::RolledBack => ("badge warn", "↩"),
        RunState::Waiting | RunState::Unfinished | RunState::RollingBack => ("badge warn", "…"),
        RunState::Failed | RunState::Stuck => ("badge bad", "✗"),
    };
    html! {
        header {
            p.kicker {
                @if evidence.is_emergency { "Evidence of an emergency rotation" } @else { "Evidence of a secret rotation" }
                " · run " code { (evidence.run) }
            }
            div.head {
                h1 { (evidence.rotation) }
                span class=(class) { span aria-hidden="true" { (sign) " " } (evidence.state.words()) }
            }
            p.summary { (prose(&sentence(&evidence.summary))) "." }
            dl.tiles { (tiles(evidence)) }
        }
    }
}

fn tiles(evidence: &Evidence) -> Markup {
    let last = evidence.ended_at.unwrap_or(evidence.last_record_at);
    let all = duration(between(evidence.began_at, last));
    let work = evidence.steps.iter().map(|step| step.worked_ms).sum();
    html! {
        div {
            dt { "Where" }
            dd { (evidence.platform) @if let Some(secret) = &evidence.secret { small { "stored as " (secret) } } }
        }
        div { dt { "Began" } dd { (time(evidence.began_at)) @if let Some(hand) = evidence.hands.first() { small { "by " (hand.operator) } } } }
        div {
            dt { @if evidence.ended_at.is_some() { "Ended" } @else { "Heard of last" } }
            dd { (time(last)) small { "after " (all) ", of which " (duration(work)) " at work" } }
        }
        div { dt { "Outage" } dd { (outage_in_short(evidence)) } }
        @if let Some(counted) = &evidence.tokens {
            div {
                dt { "Tokens verified" }
                dd {
                    (counted.verified.map_or_else(|| "none".to_owned(), grouped))
                    small { (grouped(counted.clients)) " clients" }
                }
            }
        }
    }
}

fn steps(evidence: &Evidence) -> Markup {
    let timeline = Timeline::of(evidence);
    html! {
        section {
            h2 { "Steps" }
            div.scroll {
                table.steps {
                    thead {
                        tr {
                            th.count scope="col" { "#" }
                            th scope="col" { "step" }
                            th scope="col" { "state" }
                            th scope="col" { "began" }
                            th scope="col" { "ended" }
                            th scope="col" { "at work" }
                            th.line scope="col" { (axis(evidence, &timeline)) }
                        }
                    }
                    tbody {
                        @for step in &evidence.steps {
                            tr {
                                td.count { (step.number) }
                                th scope="row" { (step.title) @if let Some(remark) = remark(step) { small { (remark) } } }
                                td class=(class(step.status)) { span aria-hidden="true" { (sign(step.status)) " " } (step.words()) }
                                @for at in [step.began_at, step.ended_at] {
                                    td.moment { @if let Some(at) = at { (near(at, evidence)) } }
                                }
                                td.moment { (took(step)) }
                                td.line { (line(step, evidence, &timeline)) }
                            }
                        }
                    }
                }
            }
            (legend(evidence, &timeline))
        }
    }
}

fn versions(evidence: &Evidence) -> Markup {
    html! {
        @if !evidence.versions.is_empty() {
            section {
                h2 { "Versions, before and after" }
                table {
                    thead { tr { th scope="col" { "" } th.count scope="col" { "version" } th scope="col" { "fingerprint" } th scope="col" { "state" } th scope="col" { "since" } } }
                    tbody {
                        @for version in &evidence.versions {
                            tr {
                                th scope="row" { (version.role.words()) }
                                td.count { (version.number) }
                                td { (code_or_dash(version.fingerprint.as_deref())) }
                                td { (version.state) }
                                td.moment { @if let Some(at) = version.since { (time(at)) } }
                            }
                        }
                    }
                }
                @if evidence.versions.iter().all(|version| version.fingerprint.is_none()) {
                    p.quiet { small { "The value has no fingerprint: it isn't random all through, and could be guessed from one." } }
                }
            }
        }
    }
}

fn services(evidence: &Evidence) -> Markup {
    html! {
        @if !evidence.services.is_empty() {
            section {
                h2 { "Services, before and after" }
                table {
                    thead { tr { th scope="col" { "service" } th scope="col" { "read before" } th scope="col" { "new revision" } } }
                    tbody {
                        @for service in &evidence.services {
                            tr {
                                th scope="row" { (service.name) }
                                td { (code_or_dash(service.bound_before.as_deref())) }
                                td { (code_or_dash(service.new_revision.as_deref())) }
                            }
                        }
                    }
                }
                @if let Some(login) = &evidence.login {
                    p { "Role before: " code { (login.old_role) } ". Role after: " (code_or_dash(login.new_role.as_deref())) "." }
                }
                @if let Some(backup) = &evidence.backup {
                    p { "Backup: " code { (backup.name) } @if let Some(at) = backup.taken_at { ", taken " (time(at)) } "." }
                }
            }
        }
    }
}

fn outages(evidence: &Evidence) -> Markup {
    html! {
        @if !evidence.outages.is_empty() {
            section {
                h2 { "Outage" }
                table {
                    thead { tr { th scope="col" { "what could not be done" } th scope="col" { "from" } th scope="col" { "to" } th.count scope="col" { "duration" } } }
                    tbody {
                        @for outage in &evidence.outages {
                            tr {
                                td { (outage.what) }
                                td.moment { (exactly(outage.began_at)) }
                                td.moment { @match outage.ended_at { Some(at) => (exactly(at)), None => strong.bad { "goes on" } } }
                                td.count.moment { (at_most(outage.is_at_most, outage.duration_ms)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn counts(evidence: &Evidence) -> Markup {
    html! {
        @if evidence.tokens.is_some() || !evidence.counts.is_empty() {
            section {
                h2 { "Counts" }
                @if let Some(counted) = &evidence.tokens {
                    p { (tokens(counted)) "." }
                }
                @if !evidence.counts.is_empty() {
                    div.scroll {
                        table {
                            thead {
                                tr {
                                    @for title in ["pass", "column"] { th scope="col" { (title) } }
                                    @for title in ["scanned", "= re-encrypted", "+ under the new key before", "+ empty", "+ unreadable"] { th.count scope="col" { (title) } }
                                    th scope="col" { "adds up" }
                                }
                            }
                            tbody { @for counted in &evidence.counts { (cells(counted)) } }
                        }
                    }
                }
            }
        }
    }
}

fn cells(counted: &Counted) -> Markup {
    html! {
        @for cells in &counted.columns {
            tr {
                td { (pass(counted.pass)) }
                th scope="row" { code { (cells.column) } }
                @for count in [cells.scanned, cells.reencrypted, cells.already_current, cells.empty, cells.unreadable] {
                    td.count { (grouped(count)) }
                }
                @if cells.adds_up { td.good { "✓ yes" } } @else { td.bad { "✗ no" } }
            }
        }
    }
}

fn verifications(evidence: &Evidence) -> Markup {
    let steps = evidence.steps.iter();
    let verified: Vec<_> = steps
        .filter_map(|step| Some((step, step.verification.as_ref()?)))
        .collect();
    html! {
        @if !verified.is_empty() {
            section {
                h2 { "What was verified, and how" }
                table.checks {
                    thead { tr { th scope="col" { "step" } th scope="col" { "verified" } th scope="col" { "outcome" } } }
                    tbody {
                        @for (step, verification) in verified {
                            tr {
                                th scope="row" { (step.title) }
                                td { (verification.how) }
                                td.moment {
                                    span.good { "✓ " (passed(verification)) " " } (near(verification.passed_at, evidence))
                                    @if step.status == "undone" { ", undone since" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn to_come(evidence: &Evidence) -> Markup {
    html! {
        section {
            h2 { "Still to come" }
            ul.plain {
                @for ahead in &evidence.to_come {
                    li {
                        (prose(&sentence(&ahead.what)))
                        @if let Some(at) = ahead.due_at { ": " strong { (day(at)) } }
                        @if let Some(command) = &ahead.command { ": " code { (command) } }
                        "."
                    }
                }
                @if evidence.to_come.is_empty() { li { "Nothing." } }
            }
        }
    }
}

fn hands_and_facts(evidence: &Evidence) -> Markup {
    html! {
        section {
            h2 { "By whom" }
            ul.plain {
                @for hand in &evidence.hands {
                    li { strong { (hand.operator) } " " (deed(hand.deed)) ", " (time(hand.at)) "." }
                }
            }
            @if !evidence.other_facts.is_empty() {
                h2 { "What else was found out" }
                ul.plain {
                    @for fact in &evidence.other_facts { li { (sentence(&fact.name)) ": " code { (fact.value) } "." } }
                }
            }
        }
    }
}

fn time(at: jiff::Timestamp) -> Markup {
    html! { time datetime=(at) { (moment(at)) } }
}

/// Without the day, where that is the day on which the run began.
fn near(at: jiff::Timestamp, evidence: &Evidence) -> Markup {
    let is_same_day = day(at) == day(evidence.began_at);
    let form = if is_same_day {
        "%H:%M:%S"
    } else {
        "%m-%d %H:%M:%S"
    };
    html! { time datetime=(at) title=(moment(at)) { (at.strftime(form)) } }
}

/// What stands between backticks is a name.
fn prose(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

fn code_or_dash(text: Option<&str>) -> Markup {
    html! { @match text { Some(text) => code { (text) }, None => "–" } }
}

fn class(status: &str) -> &'static str {
    match status {
        "done" | "found" => "good",
        "failed" | "stuck" => "bad",
        "pending" => "quiet",
        _ => "warn",
    }
}

fn sign(status: &str) -> &'static str {
    match status {
        "done" | "found" => "✓",
        "failed" | "stuck" => "✗",
        "undone" | "undoing" => "↩",
        "pending" => "·",
        _ => "…",
    }
}
