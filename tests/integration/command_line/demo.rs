//! `demo`: a rotation to look at.
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Ended, Xtask, assert_file_snapshot};

fn demo_in(folder: &Path) -> Ended {
    Xtask::new("demo").arg("--dir").arg(folder).run()
}

/// The text without the folder, the times and the fingerprints of random keys.
fn hidden(text: &str, folder: &Path) -> String {
    let text = text.replace(&folder.display().to_string(), "[folder]");
    let hide = |word: &str| -> String {
        let is_fingerprint = word.len() == 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_time = !word.ends_with('.') && word.contains('.') && word.parse::<f64>().is_ok();
        match (is_fingerprint, is_time) {
            (true, _) => "[fingerprint]".to_owned(),
            (_, true) => "[seconds]".to_owned(),
            _ => word.to_owned(),
        }
    };
    let line = |line: &str| line.split(' ').map(hide).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn it_rotates_a_thousand_clients_and_leaves_them_to_look_at() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let folder = parent.path().join("made/by the demo");
    let ended = demo_in(&folder);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_file_snapshot("demo", hidden(&ended.stdout, &folder));
    for name in ["old.key", "new.key"] {
        let path = folder.join(name);
        assert_eq!(
            fs::metadata(&path)?.permissions().mode() & 0o777,
            0o600,
            "{name}"
        );
        let key = fs::read_to_string(path)?;
        assert!(
            !ended.stdout.contains(&key) && !ended.stderr.contains(&key),
            "{name}"
        );
    }
    Ok(())
}

/// The commands that it ends with are good for pasting into a shell.
#[test]
fn what_it_tells_to_do_next_works() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let folder = parent.path().join("it's a demo");
    let ended = demo_in(&folder);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let program = env!("CARGO_BIN_EXE_xtask-under-test");
    let mut ran = 0;
    for line in ended.stdout.lines().map(str::trim_start) {
        if !line.starts_with("DATABASE_URL=") {
            continue;
        }
        let line = line.replace("cargo xtask", &format!("'{program}'"));
        let shell = integration_tests::Program::xtask("/bin/sh").args(["-c", &line]);
        let ended = Xtask::by(shell).run();
        assert_eq!(ended.code, Some(0), "{line}: {ended:?}");
        assert!(ended.stdout.contains("1,000 clients"), "{line}: {ended:?}");
        ran += 1;
    }
    assert_eq!(ran, 2, "{ended:?}");
    Ok(())
}

#[test]
fn a_second_run_replaces_the_first() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let folder = parent.path().join("demo");
    let mut keys = Vec::new();
    for _ in 0..2 {
        let ended = demo_in(&folder);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        keys.push(fs::read_to_string(folder.join("new.key"))?);
    }
    assert_ne!(keys[0], keys[1]);
    Ok(())
}

#[test]
fn a_folder_with_files_of_somebody_else_is_left_alone() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let theirs = folder.path().join("clients.sqlite");
    fs::write(&theirs, "somebody's")?;
    let ended = demo_in(folder.path());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("no demonstration made"), "{ended:?}");
    assert_eq!(fs::read_to_string(&theirs)?, "somebody's");
    let names = fs::read_dir(folder.path())?.count();
    assert_eq!(names, 1);
    let ended = demo_in(&theirs);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(fs::read_to_string(&theirs)?, "somebody's");
    Ok(())
}

#[test]
fn files_of_somebody_else_survive_a_second_run() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let folder = parent.path().join("demo");
    assert_eq!(demo_in(&folder).code, Some(0));
    let theirs = folder.join("notes.txt");
    fs::write(&theirs, "mine")?;
    assert_eq!(demo_in(&folder).code, Some(0));
    let kept = fs::read_to_string(&theirs).context("it is gone")?;
    assert_eq!(kept, "mine");
    Ok(())
}
