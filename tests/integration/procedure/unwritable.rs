//! A `.env` that can't be replaced is found before anything is changed, on trial too: a run
//! would find it when the database is committed.
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;

use anyhow::Result;
use integration_tests::Program;

use super::sandbox::{Sandbox, assert_said};
use crate::faults::disk_full::private_mounts;
use crate::faults::random::say;

const COMMANDS: [&[&str]; 3] = [&["doctor"], &["rotate-dcr", "--dry-run"], &["rotate-dcr"]];

/// Nobody's user and group on every Linux.
const NOBODY: u32 = 65_534;

/// Mounts the file on itself, as a container's settings have it.
const MOUNTED: &str = "mount --bind .env .env && exec \"$@\"";

/// Refused with 1 by each command, saying each of these; nothing is stored, nothing
/// restarted.
fn assert_refused(
    sandbox: &Sandbox,
    words: &[&str],
    run_by: impl Fn(Program) -> Program,
) -> Result<()> {
    for arguments in COMMANDS {
        let before = sandbox.read(".env")?;
        let output = sandbox.checked(&run_by(sandbox.program(arguments)))?;
        assert_said(&output, 1, words);
        if arguments[0] == "rotate-dcr" {
            assert_said(&output, 1, &["state: nothing was changed"]);
        }
        assert_eq!(sandbox.read(".env")?, before);
        assert_eq!(sandbox.stored()?, []);
        assert!(!sandbox.path("restarts").exists());
        assert!(!sandbox.path(".env.unfinished").exists());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_variable_stands_there_twice() -> Result<()> {
    let sandbox = Sandbox::with_clients(5).await?;
    let line = format!("DCR_ENCRYPTION_KEY={}\n", sandbox.env_key()?);
    sandbox.write_env(&(sandbox.read(".env")? + &line))?;
    let words = [
        "sets `DCR_ENCRYPTION_KEY` more than once: lines 3, 4",
        "remove the others",
    ];
    assert_refused(&sandbox, &words, |program| program)
}

/// Whoever reads it by the other name would go on with the old key.
#[tokio::test(flavor = "multi_thread")]
async fn it_has_another_name() -> Result<()> {
    let sandbox = Sandbox::with_clients(5).await?;
    fs::hard_link(sandbox.path(".env"), sandbox.path("of-a-service.env"))?;
    let words = ["has 2 names, by hard links", "symbolic links"];
    assert_refused(&sandbox, &words, |program| program)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_a_mount_of_its_own() -> Result<()> {
    let Some(unshare) = private_mounts() else {
        return Ok(());
    };
    let sandbox = Sandbox::with_clients(5).await?;
    let words = ["is a mount of its own", "mount the folder"];
    assert_refused(&sandbox, &words, |program| {
        let shell = ["sh", "-c", MOUNTED, "sh"];
        program.through("unshare", &[&unshare[..], &shell].concat())
    })
}

/// Root may do all this: the program is run as nobody, who owns all else in the folder.
#[tokio::test(flavor = "multi_thread")]
async fn its_group_could_not_be_kept() -> Result<()> {
    let words = ["the owner, the group and the mode of `", "(65534:0)"];
    refused_to_nobody(&words, |sandbox| {
        chown(sandbox.path(".env"), Some(NOBODY), Some(0))?;
        Ok(set_mode(&sandbox.path(".env"), 0o640)?)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn its_folder_may_not_be_written() -> Result<()> {
    refused_to_nobody(&["cannot write beside `", "its permissions"], |sandbox| {
        let folder = sandbox.path("environment");
        fs::create_dir(&folder)?;
        fs::rename(sandbox.path(".env"), folder.join(".env"))?;
        std::os::unix::fs::symlink("environment/.env", sandbox.path(".env"))?;
        Ok(set_mode(&folder, 0o755)?)
    })
    .await
}

/// Left out where the tests aren't root's, who alone can make it so.
async fn refused_to_nobody(words: &[&str], prepare: impl Fn(&Sandbox) -> Result<()>) -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        say("left out, because these tests are not root's: a file that its user can't replace");
        return Ok(());
    }
    let sandbox = Sandbox::with_clients(5).await?;
    // The build may lie where nobody may look.
    let copy = sandbox.home().join("xtask");
    let built = env!("CARGO_BIN_EXE_xtask-under-test");
    let copied = Program::xtask("cp").arg(built).arg(&copy).run();
    assert_eq!(copied.code, Some(0), "{copied:?}");
    let owner = format!("{NOBODY}:{NOBODY}");
    let holder = sandbox.folder().join("..");
    let given = Program::xtask("chown")
        .args(["-R", &owner])
        .arg(holder)
        .run();
    assert_eq!(given.code, Some(0), "{given:?}");
    prepare(&sandbox)?;
    let copy = copy.display().to_string();
    let (user, group) = (format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"));
    assert_refused(&sandbox, words, |program| {
        // The shell puts the copy in the place of what was built.
        let shell = ["sh", "-c", "shift; exec \"$0\" \"$@\"", &copy];
        let nobody = [&user[..], &group, "--clear-groups"];
        program.through("setpriv", &[&nobody[..], &shell].concat())
    })
}

fn set_mode(path: &Path, mode: u32) -> std::io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}
