//! SQLite files that the user may not write, seen by a user to whom permissions apply.
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::Result;
use integration_tests::Program;

use super::{Ended, Xtask};
use crate::subject::{NEW, SqliteFile, clients};

/// Nobody's user and group on every Linux; root steps down to it.
const NOBODY: &str = "65534";

/// A file with two clients, in a folder that anybody may enter.
fn public_file(file_mode: u32, folder_mode: u32) -> Result<SqliteFile> {
    let file = SqliteFile::with_tables()?;
    file.insert(&clients(2)?)?;
    set_mode(&file.path(), file_mode)?;
    set_mode(file.folder(), folder_mode)?;
    Ok(file)
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
}

/// Runs the program as a user whom permissions bind. Root is bound by none, so for
/// root it is a copy that `setpriv` runs as nobody: where the build lies, nobody may
/// not look.
fn run_bound_by_permissions(command: &str, file: &SqliteFile) -> Result<Ended> {
    let built = Path::new(env!("CARGO_BIN_EXE_xtask-under-test"));
    if !rustix::process::geteuid().is_root() {
        return Ok(Xtask::at(command, &file.url()).run());
    }
    let folder = tempfile::tempdir()?;
    let copy = folder.path().join("xtask");
    // Not by this process: a child that another test starts meanwhile would hold the copy
    // open for writing, and what is open for writing can't be run.
    let copied = Program::xtask("cp").arg(built).arg(&copy).run();
    assert_eq!(copied.code, Some(0), "{copied:?}");
    set_mode(folder.path(), 0o755)?;
    let setpriv = Program::xtask("setpriv").args([
        &format!("--reuid={NOBODY}"),
        &format!("--regid={NOBODY}"),
        "--clear-groups",
    ]);
    let run = Xtask::by(setpriv.arg(&copy).arg(command)).with_keys();
    let ended = run
        .env("DATABASE_URL", &file.url())
        .current_dir(folder.path())
        .run();
    Ok(ended)
}

fn assert_refused(file: &SqliteFile, error: &str) -> Result<()> {
    let before = file.footprint()?;
    let ended = run_bound_by_permissions("rotate-dcr", file)?;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let error = format!(
        "error: {error}\nstate: nothing was changed\nhint: SQLite writes its journal beside"
    );
    assert!(ended.stderr.contains(&error), "expected {error}: {ended:?}");
    assert!(file.footprint()? == before, "something was written");
    Ok(())
}

#[test]
fn a_file_that_may_be_written_is_rotated() -> Result<()> {
    let file = public_file(0o666, 0o777)?;
    let ended = run_bound_by_permissions("rotate-dcr", &file)?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(file.rows()?.iter().all(|row| row.opened(NEW)[0].is_some()));
    Ok(())
}

#[test]
fn a_read_only_file_is_refused_and_can_be_surveyed() -> Result<()> {
    let file = public_file(0o444, 0o777)?;
    let path = file.path().canonicalize()?;
    assert_refused(
        &file,
        &format!("no permission to write `{}`", path.display()),
    )?;
    let ended = run_bound_by_permissions("survey-dcr", &file)?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.starts_with("Surveyed 2 clients "), "{ended:?}");
    Ok(())
}

/// Whoever was killed there may have been somebody else, whose lock can only be read.
#[test]
fn a_lock_that_somebody_else_left_behind_is_taken() -> Result<()> {
    let file = public_file(0o666, 0o777)?;
    let lock = file.folder().join("clients.sqlite.rotation-lock");
    fs::write(&lock, "")?;
    set_mode(&lock, 0o444)?;
    let ended = run_bound_by_permissions("rotate-dcr", &file)?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(file.rows()?.iter().all(|row| row.opened(NEW)[0].is_some()));
    assert!(!lock.exists(), "left behind once more");
    Ok(())
}

/// SQLite needs a place for its journal.
#[test]
fn a_read_only_folder_is_refused_and_can_be_surveyed() -> Result<()> {
    let file = public_file(0o666, 0o555)?;
    let folder = file.folder().canonicalize()?;
    assert_refused(
        &file,
        &format!("no permission to write `{}`", folder.display()),
    )?;
    let ended = run_bound_by_permissions("survey-dcr", &file)?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    set_mode(file.folder(), 0o755)
}

#[test]
fn a_file_that_may_not_be_read_is_refused() -> Result<()> {
    let file = public_file(0o600, 0o755)?;
    set_mode(&file.path(), 0o000)?;
    for command in ["rotate-dcr", "survey-dcr"] {
        let ended = run_bound_by_permissions(command, &file)?;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(
            ended.stderr.contains("error: no permission to "),
            "{command}: {ended:?}"
        );
        assert!(
            ended.stderr.contains("\nstate: nothing was changed\n"),
            "{ended:?}"
        );
    }
    Ok(())
}

#[test]
fn a_folder_that_may_not_be_entered_is_refused() -> Result<()> {
    let file = public_file(0o666, 0o000)?;
    let ended = run_bound_by_permissions("rotate-dcr", &file)?;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stderr.contains("error: no permission to read `"),
        "{ended:?}"
    );
    set_mode(file.folder(), 0o755)
}
