//! The timeline: a line of SVG beside each step, all of them on one scale.

use maud::{Markup, html};
use rotation::Evidence;
use rotation::evidence::{EvidenceSpan, EvidenceStep};

use crate::evidence::timeline::{Activity, Timeline};
use crate::evidence::words::{between, duration};

/// Of the line's width, so that what took no time is seen.
const THINNEST: f64 = 0.006;

/// Nearer than this to an end of the line, a label in the middle would leave it.
const NEAR: f64 = 0.12;

/// What fills of several lines refer to.
pub(super) fn patterns() -> Markup {
    html! {
        svg width="0" height="0" aria-hidden="true" style="position:absolute" {
            defs {
                pattern id="hatched" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect width="2" height="5" fill="var(--waiting)" {}
                }
                pattern id="crossed" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                    rect width="5" height="2.5" fill="var(--failed)" {}
                    rect width="2.5" height="5" fill="var(--failed)" {}
                }
            }
        }
    }
}

/// The head of the column: when it begins and ends, and how long the cuts are. Where a cut
/// is near an end, its own length stands there.
pub(super) fn axis(evidence: &Evidence, timeline: &Timeline) -> Markup {
    let end = between(evidence.began_at, evidence.last_record_at);
    let is_free = |from: f64| {
        let places = timeline.cuts().map(|cut| cut.place + cut.length / 2.0);
        !places
            .into_iter()
            .any(|place| (from..from + NEAR).contains(&place))
    };
    let outage = evidence.outages.first();
    let outage = outage.map(|outage| timeline.place(outage.began_at));
    html! {
        svg role="img" aria-label="timeline" {
            @if is_free(0.0) { (label(0.0, 92, "0")) }
            @if is_free(1.0 - NEAR) { (label(1.0, 92, &duration(end))) }
            @for cut in timeline.cuts() {
                (label(cut.place + cut.length / 2.0, 92, &duration(between(cut.from, cut.to))))
            }
            @if let Some(place) = outage { (label(place, 45, "outage")) }
        }
    }
}

/// Within the line, wherever it belongs to.
fn label(place: f64, height: u8, text: &str) -> Markup {
    let (place, anchor) = match place {
        place if place < NEAR => (0.0, "start"),
        place if place > 1.0 - NEAR => (1.0, "end"),
        place => (place, "middle"),
    };
    html! {
        text class="axis" x=(percent(place)) y={ (height) "%" } text-anchor=(anchor) { (text) }
    }
}

/// The times of a step, before the outage and the cuts.
pub(super) fn line(step: &EvidenceStep, evidence: &Evidence, timeline: &Timeline) -> Markup {
    html! {
        svg role="img" aria-label=(told(step)) {
            @for cut in timeline.cuts() {
                rect class="cut" x=(percent(cut.place)) width=(percent(cut.length)) y="0" height="100%" {}
                @let middle = percent(cut.place + cut.length / 2.0);
                line class="teeth" x1=(middle) x2=(middle) y1="0" y2="100%" {}
            }
            @for outage in &evidence.outages {
                @let (from, width) = stretch(timeline, outage.began_at, outage.ended_at.unwrap_or(evidence.last_record_at));
                rect class="outage" x=(percent(from)) width=(percent(width)) y="0" height="100%" {}
                line class="edge" x1=(percent(from)) x2=(percent(from)) y1="0" y2="100%" {}
                @if outage.ended_at.is_some() {
                    line class="edge" x1=(percent(from + width)) x2=(percent(from + width)) y1="0" y2="100%" {}
                }
            }
            @for span in &step.spans {
                @let (from, width) = stretch(timeline, span.began_at, span.ended_at);
                rect class=(class(span)) x=(percent(from)) width=(percent(width)) y="28%" height="44%" rx="1.5" {}
            }
        }
    }
}

/// What the colours are, of those that occur.
pub(super) fn legend(evidence: &Evidence, timeline: &Timeline) -> Markup {
    let spans = evidence.steps.iter().flat_map(|step| &step.spans);
    let drawn: Vec<&str> = spans.map(class).collect();
    let named = [
        ("doing", "at work"),
        ("waiting", "waiting, for people or a time"),
        ("undoing", "being undone"),
        ("failed", "failed"),
    ];
    html! {
        ul.legend {
            @for (class, words) in named {
                @if drawn.contains(&class) {
                    li { svg aria-hidden="true" { rect class=(class) x="0" y="20%" width="100%" height="60%" rx="1.5" {} } (words) }
                }
            }
            @if !evidence.outages.is_empty() {
                li {
                    svg aria-hidden="true" {
                        rect class="outage" width="100%" height="100%" {}
                        line class="edge" x1="0" x2="0" y1="0" y2="100%" {}
                        line class="edge" x1="100%" x2="100%" y1="0" y2="100%" {}
                    }
                    "outage"
                }
            }
            @if timeline.cuts().next().is_some() {
                li { svg aria-hidden="true" { rect class="cut" width="100%" height="100%" {} line class="teeth" x1="50%" x2="50%" y1="0" y2="100%" {} } "a pause, cut short" }
            }
        }
    }
}

fn class(span: &EvidenceSpan) -> &'static str {
    match Activity::of(span) {
        Activity::Failed => "failed",
        Activity::Waiting => "waiting",
        Activity::Undoing => "undoing",
        Activity::Doing => "doing",
    }
}

/// For whoever hears the page.
fn told(step: &EvidenceStep) -> String {
    let spans = step.spans.iter();
    let spans = spans.map(|span| {
        let lasted = duration(between(span.began_at, span.ended_at));
        format!("{} for {lasted}", span.activity)
    });
    let spans: Vec<String> = spans.collect();
    if spans.is_empty() {
        return "not begun".to_owned();
    }
    spans.join(", ")
}

/// Where it begins and how wide it is, within the line.
fn stretch(timeline: &Timeline, from: jiff::Timestamp, to: jiff::Timestamp) -> (f64, f64) {
    let from = timeline.place(from);
    let width = (timeline.place(to) - from).max(THINNEST);
    (from.min(1.0 - width), width)
}

fn percent(part: f64) -> String {
    format!("{:.2}%", part * 100.0)
}
