//! The evidence as one page for a browser or a printer, which needs nothing beside itself.

mod inline;
mod lines;
mod steps;
mod tables;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use rotation::Evidence;
use rotation::evidence::RunState;

use self::inline::{prose, time};
use self::lines::patterns;
use self::steps::{steps, verifications};
use self::tables::{counts, outages, services, versions};
use super::words::{between, day, deed, duration, outage_in_short, sentence};
use crate::output::grouped;

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
        RunState::Abandoned => ("badge warn", "–"),
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
    let worked = evidence.steps.iter().map(|step| step.worked_ms);
    let work = worked.fold(0, u64::saturating_add);
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
