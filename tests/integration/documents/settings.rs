//! The settings that documents show are ones that the tool understands.
use anyhow::Result;
use integration_tests::Program;

use super::markdown::Markdown;
use super::repository::markdown_files;

#[test]
fn settings_in_the_documents_are_understood() -> Result<()> {
    let mut shown = 0;
    for path in markdown_files()? {
        let markdown = Markdown::read(&path)?;
        let blocks = markdown.blocks.iter();
        for block in blocks.filter(|block| block.info == "toml") {
            let folder = tempfile::tempdir()?;
            std::fs::write(folder.path().join("rotation.toml"), &block.text)?;
            let output = Program::xtask(env!("CARGO_BIN_EXE_xtask-under-test"))
                .arg("runbook")
                .current_dir(folder.path())
                .run();
            assert_eq!(output.code, Some(0), "{path}: {output:?}");
            shown += 1;
        }
    }
    assert!(shown >= 2, "{shown} were found");
    Ok(())
}
