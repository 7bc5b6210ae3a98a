//! The times of a step, drawn with characters.

use rotation::Evidence;
use rotation::evidence::EvidenceStep;

use crate::evidence::timeline::{Activity, Timeline};

/// The places on a line of text.
const WIDTH: usize = 32;

/// The step's times on a line of text.
pub(super) fn bar(step: &EvidenceStep, evidence: &Evidence, timeline: &Timeline) -> String {
    let mut line = [' '; WIDTH];
    for cut in timeline.cuts() {
        fill(&mut line, cut.place, cut.place + cut.length, '~');
    }
    for outage in &evidence.outages {
        let ended_at = outage.ended_at.unwrap_or(evidence.last_record_at);
        let (from, to) = (timeline.place(outage.began_at), timeline.place(ended_at));
        fill(&mut line, from, to, 'x');
    }
    for span in &step.spans {
        let mark = match Activity::of(span) {
            Activity::Failed => '!',
            Activity::Waiting => '▒',
            Activity::Undoing => '◀',
            Activity::Doing => '█',
        };
        let (from, to) = (timeline.place(span.began_at), timeline.place(span.ended_at));
        fill(&mut line, from, to, mark);
    }
    line.iter().collect()
}

/// At least one character.
fn fill(line: &mut [char; WIDTH], from: f64, to: f64, mark: char) {
    let (first, last) = (column(from), column(to));
    let places = line.iter_mut().enumerate();
    for (_, place) in places.filter(|(index, _)| (first..=last).contains(index)) {
        *place = mark;
    }
}

fn column(place: f64) -> usize {
    ((place * WIDTH as f64) as usize).min(WIDTH - 1)
}
