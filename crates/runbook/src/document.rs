//! A plan as a document: the runbook that people read is what the engine runs.

use std::fmt::Write as _;

use crate::about::{About, Kind, Undo};

/// A section of the runbook in Markdown: a heading, an introduction, and each step
/// with who is told, what is done, how it is verified, how it is undone, and the
/// outage to expect.
pub fn runbook_section(
    title: &str,
    introduction: &str,
    steps: impl IntoIterator<Item = &'static About>,
) -> String {
    let mut text = format!("## {title}\n\n{}\n", introduction.trim());
    for (index, about) in steps.into_iter().enumerate() {
        // Never fails on a String.
        let _ = write!(text, "\n{}", step(index + 1, about));
    }
    text
}

fn step(number: usize, about: &About) -> String {
    let who = match about.kind {
        Kind::People => " (by people)",
        Kind::Soak => " (time passes)",
        Kind::Check | Kind::Change | Kind::Preparation | Kind::InMemory => "",
    };
    let undo = match about.undo {
        Undo::Nothing(_) => "Nothing to undo",
        Undo::By(_) | Undo::ByPeople(_) => "Undone",
        Undo::Impossible(_) => "**Can't be undone**",
    };
    let mut text = format!(
        "### {number}. {}{who}\n\n{}\n\n",
        about.title,
        about.does.trim()
    );
    let rows = [
        ("Told", about.told),
        ("Touches", Some(about.touches)),
        ("Verified", Some(about.verified)),
        (undo, Some(about.undo.text())),
        ("Outage", Some(about.outage.unwrap_or("none"))),
    ];
    for (title, content) in rows {
        if let Some(content) = content {
            let _ = writeln!(text, "- {title}: {content}");
        }
    }
    text
}

/// The plan, for the person who decides: a line for each step with what it touches, the
/// outage to expect, and what can't be undone.
pub fn plan_lines(steps: impl IntoIterator<Item = &'static About>) -> Vec<String> {
    let touches = |about: &About| match about.touches {
        touches if touches.starts_with("nothing") => "",
        touches => touches,
    };
    let steps = steps.into_iter().enumerate();
    steps
        .flat_map(|(index, about)| lines_of(index, about, touches(about)))
        .collect()
}

/// The same in short: without the steps that only look, and of the others where the
/// change is, not what it is in detail.
pub fn plan_summary(steps: impl IntoIterator<Item = &'static About>) -> Vec<String> {
    let steps = steps.into_iter().enumerate();
    let matters = steps.filter(|(_, about)| {
        about.kind.is_change()
            || matches!(about.kind, Kind::People | Kind::Soak)
            || matches!(about.undo, Undo::Impossible(_))
            || about.outage.is_some()
            || !where_it_changes(about).is_empty()
    });
    matters
        .flat_map(|(index, about)| lines_of(index, about, where_it_changes(about)))
        .collect()
}

fn where_it_changes(about: &About) -> &'static str {
    match about.touches.split([':', ',', ';']).next() {
        Some(place) if !place.starts_with("nothing") => place,
        _ => "",
    }
}

fn lines_of(index: usize, about: &About, touches: &str) -> Vec<String> {
    let touches = match touches {
        "" => String::new(),
        touches => format!(" ({touches})"),
    };
    let mut lines = vec![format!("{:>3}. {}{touches}", index + 1, about.title)];
    if let Some(outage) = about.outage {
        lines.push(format!("     outage: {outage}"));
    }
    if let Undo::Impossible(reason) = about.undo {
        lines.push(format!("     can't be undone: {reason}"));
    }
    lines
}
