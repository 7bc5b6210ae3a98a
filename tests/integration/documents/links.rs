//! Links between documents lead to files and headings that there are.
use anyhow::Result;

use super::markdown::Markdown;
use super::repository::{markdown_files, resolved, root};

/// Where a link leads, if it is broken.
fn broken(from: &Markdown, link: &str, all: &[Markdown]) -> Result<Option<String>> {
    if link.contains("://") || link.starts_with("mailto:") {
        return Ok(None);
    }
    let (file, anchor) = match link.split_once('#') {
        Some((file, anchor)) => (file, Some(anchor)),
        None => (link, None),
    };
    let target = match file {
        "" => Some(from.path.clone()),
        file => resolved(&from.path, file),
    };
    let Some(target) = target else {
        return Ok(Some(format!("{}: `{link}` leads away", from.path)));
    };
    if !root()?.join(&target).exists() {
        return Ok(Some(format!("{}: no `{target}`", from.path)));
    }
    let has = |anchor: &str| {
        let mut targets = all.iter().filter(|one| one.path == target);
        targets.any(|one| one.anchors.iter().any(|known| known == anchor))
    };
    let is_known = anchor.is_none_or(has);
    Ok((!is_known).then(|| format!("{}: no heading for `{link}`", from.path)))
}

#[test]
fn every_link_within_the_repository_leads_somewhere() -> Result<()> {
    let files = markdown_files()?.into_iter();
    let all: Vec<Markdown> = files
        .map(|path| Markdown::read(&path))
        .collect::<Result<_>>()?;
    let mut broken_links = Vec::new();
    let mut looked_at = 0;
    for markdown in &all {
        looked_at += markdown.links.len();
        for link in &markdown.links {
            broken_links.extend(broken(markdown, link, &all)?);
        }
    }
    assert!(broken_links.is_empty(), "{}", broken_links.join("\n"));
    assert!(looked_at > 30, "only {looked_at} links were found");
    Ok(())
}

#[test]
fn a_link_to_nowhere_is_found() -> Result<()> {
    let readme = Markdown::read("README.md")?;
    let cli = Markdown::read("docs/cli.md")?;
    let anchor = cli.anchors.first().cloned().unwrap_or_default();
    let all = [readme, cli];
    for (link, is_broken) in [
        ("docs/cli.md", false),
        (&*format!("docs/cli.md#{anchor}"), false),
        ("https://example.com/none", false),
        ("docs/none.md", true),
        ("docs/cli.md#none", true),
        ("#none", true),
        ("../other/README.md", true),
    ] {
        assert_eq!(broken(&all[0], link, &all)?.is_some(), is_broken, "{link}");
    }
    Ok(())
}
