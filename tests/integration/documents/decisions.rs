//! The decisions' index names each of them once, by its number and its title.
use anyhow::{Context as _, Result};

use super::repository::{markdown_files, read};

const FOLDER: &str = "docs/decisions/";
const INDEX: &str = "docs/decisions/README.md";

#[test]
fn the_index_of_decisions_is_complete() -> Result<()> {
    let mut lines = Vec::new();
    for path in markdown_files()? {
        let Some(file) = path.strip_prefix(FOLDER).filter(|_| path != INDEX) else {
            continue;
        };
        let text = read(&path)?;
        let title = text.lines().next().and_then(|line| line.strip_prefix("# "));
        let title = title.with_context(|| format!("no title in {path}"))?;
        let number: u32 = file.split('-').next().unwrap_or_default().parse()?;
        lines.push(format!("{number}. [{title}]({file})"));
    }
    let index = read(INDEX)?;
    let listed: Vec<&str> = index.lines().filter(|line| line.contains("](")).collect();
    assert_eq!(listed, lines, "{INDEX} has a line for each decision");
    Ok(())
}
