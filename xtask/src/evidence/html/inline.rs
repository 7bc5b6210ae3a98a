//! Times, names and sentences, wherever they stand.

use maud::{Markup, html};
use rotation::Evidence;

use crate::evidence::words::{day, moment};

pub(super) fn time(at: jiff::Timestamp) -> Markup {
    html! { time datetime=(at) { (moment(at)) } }
}

/// Without the day, where that is the day on which the run began.
pub(super) fn near(at: jiff::Timestamp, evidence: &Evidence) -> Markup {
    let is_same_day = day(at) == day(evidence.began_at);
    let form = if is_same_day {
        "%H:%M:%S"
    } else {
        "%m-%d %H:%M:%S"
    };
    html! { time datetime=(at) title=(moment(at)) { (at.strftime(form)) } }
}

/// What stands between backticks is a name.
pub(super) fn prose(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

pub(super) fn code_or_dash(text: Option<&str>) -> Markup {
    html! { @match text { Some(text) => code { (text) }, None => "–" } }
}
