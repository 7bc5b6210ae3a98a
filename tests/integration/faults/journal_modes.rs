//! SQLite's journal modes. A mode is a connection's own choice (all but `wal`, which is the
//! file's), so it is the service's connection that is in each of them here: it holds the
//! lock, and it is the first to open what a killed run has left.
use anyhow::{Context as _, Result};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::random::say;
use super::rotation::{assert_said, rotation};
use super::table::{SqliteFile, Store};
use super::tokens::{Counted, Keys};

const MODES: [&str; 6] = ["delete", "truncate", "persist", "memory", "wal", "off"];

/// Some 18 MB: more than the 8 MB of pages that a run keeps in memory, so that half of
/// what it writes is in the file before its commit.
const CLIENTS: u64 = 20_000;

#[tokio::test]
async fn in_every_journal_mode_a_lock_is_waited_for_and_then_nothing_is_changed() -> Result<()> {
    let mut keys = Keys::generate();
    let file = SqliteFile::create(100, &keys).await?;
    for mode in MODES {
        let mut service = in_mode(&file, mode)?;
        service.batch_execute("begin immediate; update dcr_clients set account_id = 'b'")?;
        let output = rotation(&file.url(), &keys)
            .args(["--lock-timeout", "100ms"])
            .run();
        assert_said(&output, 1, &["locked by somebody else", "nothing was"]);
        // Not a rollback: `off` has none.
        service.batch_execute("commit")?;
        assert_eq!(file.count(&keys).await?, Counted::all_old(100), "{mode}");

        let output = rotation(&file.url(), &keys).run();
        assert_said(&output, 0, &["100"]);
        assert_eq!(file.count(&keys).await?, Counted::all_new(100), "{mode}");
        keys = keys.next();
    }
    Ok(())
}

#[tokio::test]
async fn in_every_journal_mode_the_service_finds_all_old_after_a_killed_run() -> Result<()> {
    let mut keys = Keys::generate();
    let file = SqliteFile::create(CLIENTS, &keys).await?;
    for mode in MODES {
        let mut service = in_mode(&file, mode)?;
        let mut running = rotation(&file.url(), &keys).spawn();
        // By then all is written, and nothing committed.
        running.wait_for("verifying");
        running.kill();
        let output = running.wait();
        assert_eq!(output.signal, Some(9), "{mode}: {output:#?}");
        say(&format!("{mode}: left beside it: {:?}", file.beside()?));
        // It puts back what was written, and goes on.
        service.batch_execute("update dcr_clients set account_id = 'b'")?;
        assert_eq!(intact(&mut service)?, "ok", "{mode}");
        assert_eq!(
            file.count(&keys).await?,
            Counted::all_old(CLIENTS),
            "{mode}"
        );

        let output = rotation(&file.url(), &keys).run();
        assert_said(&output, 0, &["20,000"]);
        assert_eq!(intact(&mut service)?, "ok", "{mode}");
        assert_eq!(
            file.count(&keys).await?,
            Counted::all_new(CLIENTS),
            "{mode}"
        );
        keys = keys.next();
    }
    Ok(())
}

/// A connection in a journal mode that has written, so that its journal is what it
/// leaves after a commit: none, an empty one, one that counts as empty, a log.
fn in_mode(file: &SqliteFile, mode: &'static str) -> Result<SqliteConnection> {
    #[derive(QueryableByName)]
    struct Set {
        #[diesel(sql_type = Text)]
        journal_mode: String,
    }
    let mut connection = file.connect()?;
    let set: Set = diesel::sql_query(format!("pragma journal_mode = {mode}"))
        .get_result(&mut connection)
        .context(mode)?;
    assert_eq!(set.journal_mode, mode);
    connection.batch_execute("update dcr_clients set account_id = 'a'")?;
    Ok(connection)
}

fn intact(connection: &mut SqliteConnection) -> Result<String> {
    #[derive(QueryableByName)]
    struct Check {
        #[diesel(sql_type = Text)]
        integrity_check: String,
    }
    let check: Check = diesel::sql_query("pragma integrity_check").get_result(connection)?;
    Ok(check.integrity_check)
}
