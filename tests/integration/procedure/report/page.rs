//! The page for a browser: whole, well-formed, and with nothing to fetch.
use anyhow::{Context as _, Result, ensure};

use super::{ALL, evidence, printed, with_journals};

/// Elements of HTML that have no end.
const WITHOUT_END: [&str; 1] = ["meta"];

/// Fails where an element ends that isn't the last to have begun.
fn assert_well_formed(page: &str) -> Result<()> {
    let rest = page.strip_prefix("<!DOCTYPE html>").context("a doctype")?;
    let mut open = Vec::new();
    for part in rest.split('<').skip(1) {
        let (tag, text) = part.split_once('>').context("a `<` that begins no tag")?;
        ensure!(
            open.last() == Some(&"style") || !text.contains('>'),
            "a stray `>` after {tag}"
        );
        let name = tag.split([' ', '\n']).next().unwrap_or_default();
        match name.strip_prefix('/') {
            Some(name) => ensure!(open.pop() == Some(name), "</{name}> ends nothing"),
            None if WITHOUT_END.contains(&name) => {}
            None => open.push(name),
        }
        ensure!(
            tag.matches('"').count() % 2 == 0,
            "an attribute without its end: {tag}"
        );
    }
    ensure!(open.is_empty(), "without an end: {open:?}");
    Ok(())
}

#[test]
fn it_is_well_formed_and_has_each_step() -> Result<()> {
    let sandbox = with_journals()?;
    for run in ALL {
        let page = printed(&sandbox, &[run, "--format", "html"])?;
        assert_well_formed(page.trim_end()).context(run)?;
        for step in evidence(&sandbox, run)?["steps"]
            .as_array()
            .context("steps")?
        {
            let title = step["title"].as_str().context("a title")?;
            let row = format!("<th scope=\"row\">{title}<");
            assert!(page.contains(&row), "{run}: no row of `{title}`");
        }
        assert_eq!(page.matches("<h1>").count(), 1, "{run}");
        assert!(page.contains("<html lang=\"en\">"), "{run}");
    }
    Ok(())
}

#[test]
fn a_page_that_is_not_well_formed_is_found() {
    for page in [
        "<!DOCTYPE html><p><b>x</p></b>",
        "<!DOCTYPE html><p>x",
        "<!DOCTYPE html><p class=\"a>x</p>",
        "<p>x</p>",
        "<!DOCTYPE html><p>1 < 2</p>",
    ] {
        assert!(assert_well_formed(page).is_err(), "{page}");
    }
    assert!(assert_well_formed("<!DOCTYPE html><p>x &lt; <b>y</b></p>").is_ok());
}

/// It can be mailed, archived, opened without a network: nothing runs, nothing is fetched.
#[test]
fn it_needs_nothing_beside_itself() -> Result<()> {
    let sandbox = with_journals()?;
    for run in ALL {
        let page = printed(&sandbox, &[run, "--format", "html"])?;
        for reference in [
            "http:",
            "https:",
            "//",
            "<script",
            "<link",
            "<img",
            "<iframe",
            "<object",
            "src=",
            "href=",
            "@import",
            "javascript",
            "onload",
            "onclick",
        ] {
            assert!(!page.contains(reference), "{run}: `{reference}`");
        }
        // Fills refer to patterns of the page itself.
        for reference in page.split("url(").skip(1) {
            assert!(reference.starts_with('#'), "{run}: `url({reference:.20}`");
        }
        for id in ["hatched", "crossed"] {
            assert!(page.contains(&format!("id=\"{id}\"")), "{run}: no {id}");
        }
    }
    Ok(())
}

/// Text of a journal is text of the page, whatever it holds.
#[test]
fn what_a_journal_holds_is_escaped() -> Result<()> {
    let sandbox = with_journals()?;
    let run = super::ROLLED_BACK;
    let path = format!("state/runs/{run}/journal.jsonl");
    let text = "<script>alert(1)</script> | \\u001b[2J";
    let journal = sandbox.read(&path)?;
    let changed = journal.replace("the service did not become ready", text);
    assert_ne!(journal, changed);
    sandbox.write(&path, &changed)?;
    let page = printed(&sandbox, &[run, "--format", "html"])?;
    assert!(page.contains("&lt;script&gt;alert(1)"), "it isn't there");
    assert!(!page.contains("<script"), "it is an element");
    assert_well_formed(page.trim_end())?;
    let markdown = printed(&sandbox, &[run])?;
    assert!(!markdown.contains('\u{1b}'), "it reaches the terminal");
    assert!(!markdown.contains("<script"), "a ticket shows it as HTML");
    let table: Vec<&str> = markdown
        .lines()
        .filter(|line| line.contains("alert(1)"))
        .collect();
    assert!(table.iter().all(|row| row.contains("\\|")), "{table:?}");
    Ok(())
}
