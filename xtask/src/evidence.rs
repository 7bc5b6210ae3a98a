//! The evidence of a run, as Markdown, JSON and a page for a browser.

mod html;
mod markdown;
mod timeline;
mod words;

use std::path::{Path, PathBuf};

use platform::local::write_whole_file;
use rotation::Evidence;

use crate::cli::EvidenceForm;

/// The files with the evidence that a run leaves beside its journal.
#[derive(Clone, Debug)]
pub(crate) struct Left {
    pub(crate) markdown: PathBuf,
    pub(crate) json: PathBuf,
    pub(crate) html: PathBuf,
}

/// The whole text, with a line end.
pub(crate) fn render(evidence: &Evidence, form: EvidenceForm) -> String {
    match form {
        EvidenceForm::Markdown => markdown::render(evidence),
        EvidenceForm::Json => json(evidence, serde_json::to_string_pretty) + "\n",
        EvidenceForm::Html => html::render(evidence),
    }
}

/// The same as JSON on one line.
pub(crate) fn json_line(evidence: &Evidence) -> String {
    json(evidence, serde_json::to_string)
}

/// Writes it in every form beside the journal, each file whole or not at all, for its
/// owner alone.
///
/// # Errors
///
/// When one can't be written.
pub(crate) fn leave(folder: &Path, evidence: &Evidence) -> Result<Left, platform::Error> {
    let write = |name: &str, form| {
        let path = folder.join(name);
        write_whole_file(&path, render(evidence, form).as_bytes()).map(|()| path)
    };
    Ok(Left {
        markdown: write("report.md", EvidenceForm::Markdown)?,
        json: write("report.json", EvidenceForm::Json)?,
        html: write("report.html", EvidenceForm::Html)?,
    })
}

#[expect(
    clippy::expect_used,
    reason = "evidence is text and numbers, and lists of them"
)]
fn json(evidence: &Evidence, write: fn(&Evidence) -> serde_json::Result<String>) -> String {
    write(evidence).expect("text and numbers can be written as JSON")
}
