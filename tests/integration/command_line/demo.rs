//! `demo`: a whole rotation to look at, with a service that runs meanwhile.
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Ended, Xtask, assert_file_snapshot};

fn demo_in(folder: &Path) -> Ended {
    Xtask::new("demo").arg("--dir").arg(folder).run()
}

/// A line of a shell, with the program for `cargo xtask`.
fn pasted(line: &str) -> Ended {
    let program = format!("'{}'", env!("CARGO_BIN_EXE_xtask-under-test"));
    let line = line.replace("cargo xtask", &program);
    Xtask::by(integration_tests::Program::xtask("/bin/sh").args(["-c", &line])).run()
}

/// What stands between two texts, and the whole without it.
fn between(text: &str, before: &str, after: &str) -> Result<(String, String)> {
    let (start, rest) = text.split_once(before).context(before.to_owned())?;
    let (middle, end) = rest.split_once(after).context(after.to_owned())?;
    Ok((
        middle.to_owned(),
        format!("{start}{before}[its log]{after}{end}"),
    ))
}

/// The line after the one that is this.
fn command_after(text: &str, title: &str) -> Result<String> {
    let mut lines = text.lines().skip_while(|line| *line != title).skip(1);
    Ok(lines.next().context(title.to_owned())?.trim().to_owned())
}

fn read(folder: &Path, name: &str) -> Result<String> {
    fs::read_to_string(folder.join(name)).with_context(|| name.to_owned())
}

/// The key in the `.env`.
fn key_in(folder: &Path) -> Result<String> {
    let env = read(folder, ".env")?;
    let key = env
        .lines()
        .find_map(|line| line.strip_prefix("DCR_ENCRYPTION_KEY="));
    Ok(key.context("no key")?.to_owned())
}

/// Whether the stand-in service runs: it holds a lock while it does.
fn service_runs(folder: &Path) -> bool {
    File::open(folder.join("service.ready")).is_ok_and(|file| file.try_lock_shared().is_err())
}

/// The text without the folder, the times, the counts of what the service registered, the run's
/// name and the fingerprints of random keys.
pub(crate) fn hidden(text: &str, folder: &Path) -> String {
    let text = text.replace(&folder.display().to_string(), "[folder]");
    let line = |line: &str| {
        line.split(' ')
            .map(word_hidden)
            .collect::<Vec<_>>()
            .join(" ")
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn word_hidden(word: &str) -> String {
    let bare = word.trim_end_matches([',', '.', ':']);
    let end = &word[bare.len()..];
    let number = bare.replace(',', "").parse::<u64>().ok();
    let is_clock = bare.len() == 12 && bare.matches(':').count() == 2;
    let hidden = if bare.len() == 16 && bare.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        "[fingerprint]"
    } else if bare.parse::<jiff::Timestamp>().is_ok() {
        "[time]"
    } else if bare.parse::<jiff::civil::Date>().is_ok() {
        "[date]"
    } else if is_clock && bare.parse::<jiff::civil::Time>().is_ok() {
        "[clock]"
    } else if bare.starts_with("dcr-encryption-key-2") {
        "[run]"
    } else if number.is_some_and(|number| (1_300..1_400).contains(&number)) {
        "[1,300 and some]"
    } else {
        bare
    };
    format!("{hidden}{end}")
}

#[test]
fn it_rotates_a_thousand_clients_while_a_service_runs() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let folder = parent.path().join("made/by the demo");
    let ended = demo_in(&folder);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let text = hidden(&ended.stdout, &folder);
    // How many orders were registered between the commit and the restart is chance.
    let swept = text
        .split(" swept")
        .next()
        .and_then(|text| text.rsplit(' ').next());
    let swept = swept.context("no sweep")?.to_owned();
    assert!(swept.parse::<u64>()? < 100, "{swept}");
    let text = text.replace(&format!(" {swept} swept"), " [some] swept");
    let (log, text) = between(&text, "saw meanwhile:\n", "\n\nIt is yours")?;
    assert_file_snapshot("demo", text);
    // Whether it was asked for an order just after the commit is chance, too.
    let log = log.replace(
        "[clock]  can't answer known orders\n[clock]  started",
        "[clock]  started",
    );
    let life = "[clock]  started with the key [fingerprint]\n[clock]  answers known orders";
    assert_eq!(log, [life, life].join("\n"));

    let mode = fs::metadata(folder.join(".env"))?.permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let key = key_in(&folder)?;
    let old = read(&folder, ".rotation/dcr-encryption-key/1.value")?;
    assert!(read(&folder, ".rotation/dcr-encryption-key/2.value")? == key);
    for secret in [&key, &old] {
        assert!(!ended.stdout.contains(secret) && !ended.stderr.contains(secret));
    }
    assert!(!service_runs(&folder), "the service is left");
    Ok(())
}

/// The commands that it ends with are good for pasting into a shell.
#[test]
fn what_it_tells_to_do_next_works() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let folder = parent.path().join("it's a \"demo\" $HOME");
    let ended = demo_in(&folder);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let command = |title| command_after(&ended.stdout, title);
    let [status, undo, again] = ["Its state:", "Undo it:", "Rotate again:"].map(command);
    let [status, undo, again] = [status?, undo?, again?];
    let old = read(&folder, ".rotation/dcr-encryption-key/1.value")?;

    let shown = pasted(&status);
    assert_eq!(shown.code, Some(0), "{status}: {shown:?}");
    assert!(shown.stdout.contains("  done 2"), "{shown:?}");
    let undone = pasted(&undo);
    assert_eq!(undone.code, Some(0), "{undo}: {undone:?}");
    assert!(key_in(&folder)? == old, "another key");
    let rotated = pasted(&again);
    assert_eq!(rotated.code, Some(0), "{again}: {rotated:?}");
    assert!(key_in(&folder)? != old, "the old key");
    let shown = pasted(&status);
    for words in ["  rolled back 2", "  done 2"] {
        assert_eq!(shown.stdout.matches(words).count(), 1, "{shown:?}");
    }

    // These restarted the service, which ends by itself; another demonstration ends it at once.
    assert!(service_runs(&folder), "nobody restarted the service");
    assert_eq!(demo_in(&folder).code, Some(0));
    assert!(!service_runs(&folder), "the service is left");
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
        keys.push(key_in(&folder)?);
        assert_eq!(fs::read_dir(folder.join("state/runs"))?.count(), 1);
        assert!(!service_runs(&folder), "the service is left");
    }
    assert!(keys[0] != keys[1], "the same key again");
    Ok(())
}

/// The default is a folder that Git ignores, whatever folder it is typed in; a relative one is
/// made where it is typed.
#[test]
fn a_relative_folder_is_made_where_it_is_typed() -> Result<()> {
    let parent = tempfile::tempdir()?;
    let demo = Xtask::new("demo").arg("--dir").arg("here");
    let ended = demo.current_dir(parent.path()).run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(parent.path().join("here/.env").is_file());
    // What it prints works from everywhere.
    let status = command_after(&ended.stdout, "Its state:")?;
    assert_eq!(pasted(&status).code, Some(0), "{status}");
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
