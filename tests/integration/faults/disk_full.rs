//! The disk fills up under an SQLite database.
use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;
use integration_tests::Program;
use tempfile::TempDir;

use super::random::say;
use super::table::{SqliteFile, Store};
use super::tokens::{Counted, Keys};

/// Some 9 MB, more than the 8 MB of pages that a run keeps in memory.
const CLIENTS: u64 = 10_000;

/// Runs twice on a disk of its own, which nobody outside sees: first with `$ROOM_KB`
/// beside the database, then with enough. Copies of the database and what was said go
/// to `$OUT`.
const ON_A_SMALL_DISK: &str = r#"
set -eu
size_kb=$(du -k "$OUT/clients.sqlite" | cut -f1)
mount -t tmpfs -o size=$((size_kb * 4))k tmpfs "$DISK"
cp "$OUT/clients.sqlite" "$DISK/"
head -c $((size_kb * 3 - ROOM_KB))k /dev/zero >"$DISK/in-the-way"
for run in full roomy; do
    code=0
    "$XTASK" rotate-dcr >"$OUT/$run.stdout" 2>"$OUT/$run.stderr" || code=$?
    echo $code >"$OUT/$run.code"
    mkdir "$OUT/$run"
    cp "$DISK"/clients.sqlite* "$OUT/$run/"
    rm -f "$DISK/in-the-way"
done
"#;

#[tokio::test]
async fn a_full_disk_rolls_back_and_with_more_room_a_run_succeeds() -> Result<()> {
    fill_disk("delete", &[0, 100, 4_000]).await
}

#[tokio::test]
async fn with_a_write_ahead_log_a_full_disk_rolls_back_too() -> Result<()> {
    fill_disk("wal", &[64, 200, 4_000]).await
}

async fn fill_disk(journal_mode: &str, rooms_kb: &[u32]) -> Result<()> {
    let Some(unshare) = private_mounts() else {
        return Ok(());
    };
    for room_kb in rooms_kb {
        let keys = Keys::generate();
        let file = SqliteFile::create(CLIENTS, &keys).await?;
        let pragma = format!("pragma journal_mode = {journal_mode}");
        file.connect()?.batch_execute(&pragma)?;
        let out = tempfile::tempdir()?;
        fs::copy(file.path(), out.path().join("clients.sqlite"))?;
        run_on_a_small_disk(&unshare, out.path(), *room_kb, &keys)?;

        let said = |name: &str| fs::read_to_string(out.path().join(name));
        let stderr = said("full.stderr")?;
        let code = said("full.code")?;
        ensure!(
            ["1\n", "2\n"].contains(&code.as_str()) && stderr.contains("the disk is full"),
            "{journal_mode}, {room_kb} KB of room: code {code}{stderr}"
        );
        let state = match code.as_str() {
            "1\n" => "state: nothing was",
            _ => "state: rolled back",
        };
        ensure!(stderr.contains(state), "{code}{stderr}");
        let left = intact_copy(&out, "full")?;
        assert_eq!(left.count(&keys).await?, Counted::all_old(CLIENTS));

        let stderr = said("roomy.stderr")?;
        assert_eq!(said("roomy.code")?, "0\n", "{stderr}");
        let left = intact_copy(&out, "roomy")?;
        assert_eq!(left.count(&keys).await?, Counted::all_new(CLIENTS));
    }
    Ok(())
}

fn run_on_a_small_disk(unshare: &[&str], out: &Path, room_kb: u32, keys: &Keys) -> Result<()> {
    let disk = tempfile::tempdir()?;
    let url = format!(
        "sqlite+aiosqlite:///{}/clients.sqlite",
        disk.path().display()
    );
    let output = Program::xtask("unshare")
        .args(unshare)
        .args(["sh", "-c", ON_A_SMALL_DISK])
        .env("XTASK", env!("CARGO_BIN_EXE_xtask-under-test"))
        .env("DISK", disk.path())
        .env("OUT", out)
        .env("ROOM_KB", room_kb.to_string())
        .env("DATABASE_URL", url)
        .env("DCR_OLD_KEY", &keys.old)
        .env("DCR_NEW_KEY", &keys.new)
        .run();
    ensure!(output.code == Some(0), "{output:#?}");
    Ok(())
}

/// What was copied off the small disk, after SQLite's own check of every page.
fn intact_copy(out: &TempDir, run: &str) -> Result<SqliteFile> {
    #[derive(QueryableByName)]
    struct Check {
        #[diesel(sql_type = Text)]
        integrity_check: String,
    }
    let copy = SqliteFile::copy_of(&out.path().join(run))?;
    let check: Check =
        diesel::sql_query("pragma integrity_check").get_result(&mut copy.connect()?)?;
    assert_eq!(check.integrity_check, "ok");
    Ok(copy)
}

/// How to get mounts of one's own, as root or not; nothing if the test is to be left out.
pub(crate) fn private_mounts() -> Option<Vec<&'static str>> {
    let ways = [
        vec!["--mount", "--"],
        vec!["--user", "--map-root-user", "--mount", "--"],
    ];
    // Through a shell, for `unshare` itself may be missing.
    let attempt = r#"exec unshare "$@" mount -t tmpfs -o size=1m tmpfs /tmp"#;
    let works = |way: &Vec<&str>| {
        let attempt = Program::xtask("sh").args(["-c", attempt, "unshare"]);
        attempt.args(way).run().code == Some(0)
    };
    let way = ways.into_iter().find(works);
    if way.is_none() {
        assert!(
            std::env::var_os("TEST_WITHOUT_NAMESPACES").is_some(),
            "a disk that is full needs a private mount namespace, and `unshare` makes none \
             here, neither as root nor in a user namespace (in a container, they may be \
             forbidden). TEST_WITHOUT_NAMESPACES=1 leaves this test out, and with it the \
             proof that a full disk does no harm"
        );
        say("left out, because TEST_WITHOUT_NAMESPACES is set");
    }
    way
}
