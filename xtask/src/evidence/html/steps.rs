//! The steps with their timeline, and how each was verified.

use maud::{Markup, html};
use rotation::Evidence;

use super::inline::near;
use super::lines::{axis, legend, line};
use crate::evidence::timeline::Timeline;
use crate::evidence::words::{passed, remark, took};

pub(super) fn steps(evidence: &Evidence) -> Markup {
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

pub(super) fn verifications(evidence: &Evidence) -> Markup {
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
