//! The backups of an SQLite file: whole, private, and of one state.
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use platform::Backups;

use super::lab::{Lab, mode};

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

fn backups(lab: &Lab) -> Result<Box<dyn Backups>> {
    lab.platform()?.backups.context("no backups of SQLite")
}

fn count(path: &str, query: &str) -> Result<i64> {
    let mut connection = SqliteConnection::establish(path)?;
    let found: Count = diesel::sql_query(query).get_result(&mut connection)?;
    Ok(found.n)
}

#[tokio::test]
async fn a_backup_is_a_private_database_with_every_row() -> Result<()> {
    for journal in ["delete", "wal"] {
        let lab = Lab::new()?;
        let mut database = SqliteConnection::establish(&lab.database())?;
        database.batch_execute(&format!("pragma journal_mode = {journal}"))?;
        database.batch_execute("insert into t values ('two')")?;
        assert_eq!(backups(&lab)?.newest().await?, None);
        let taken = backups(&lab)?.take().await?;
        let folder = lab.backups();
        assert_eq!(Lab::names_in(&folder)?, std::slice::from_ref(&taken.name));
        assert_eq!(
            (mode(&folder)?, mode(&folder.join(&taken.name))?),
            (0o700, 0o600)
        );
        let copy = folder.join(&taken.name).to_string_lossy().into_owned();
        assert_eq!(count(&copy, "select count(*) as n from t")?, 2);
        drop(database);
        // Also while nobody has it open.
        backups(&lab)?.take().await?;
        assert_eq!(Lab::names_in(&folder)?.len(), 2);
    }
    Ok(())
}

#[tokio::test]
async fn only_whole_ones_count_and_leftovers_are_removed() -> Result<()> {
    let lab = Lab::new()?;
    let taken = backups(&lab)?.take().await?;
    let folder = lab.backups();
    let leftover = folder.join("29991231T000000.000Z.sqlite.unfinished");
    fs::write(&leftover, "")?;
    fs::write(folder.join("note.txt"), "")?;
    assert_eq!(backups(&lab)?.newest().await?, Some(taken));
    backups(&lab)?.take().await?;
    assert!(!leftover.exists() && folder.join("note.txt").exists());
    Ok(())
}

#[tokio::test]
async fn a_failed_backup_leaves_nothing() -> Result<()> {
    let lab = Lab::new()?;
    fs::write(lab.database(), "no database".repeat(1000))?;
    let failed = backups(&lab)?.take().await.expect_err("no database");
    assert_eq!(
        failed.to_string(),
        format!("cannot make a copy of `{}`", lab.database())
    );
    fs::remove_file(lab.database())?;
    assert!(backups(&lab)?.take().await.is_err());
    assert!(!fs::exists(lab.database())?);
    assert_eq!(Lab::names_in(&lab.backups())?, [""; 0]);
    assert_eq!(backups(&lab)?.newest().await?, None);
    Ok(())
}

/// Each transaction keeps the sum; a copy of half of one would not.
#[tokio::test]
async fn it_is_of_one_state_while_others_write() -> Result<()> {
    for journal in ["delete", "wal"] {
        let lab = Lab::new()?;
        let mut database = SqliteConnection::establish(&lab.database())?;
        database.batch_execute(&format!(
            "pragma journal_mode = {journal}; pragma busy_timeout = 20000;
             create table pairs (n integer);
             with recursive s(i) as (select 1 union all select i + 1 from s where i < 20000)
             insert into pairs select 0 from s"
        ))?;
        let stop = Arc::new(AtomicBool::new(false));
        let writes = Arc::new(AtomicU32::new(0));
        let (stopped, written) = (Arc::clone(&stop), Arc::clone(&writes));
        let writer = thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let move_one = "begin immediate; update pairs set n = n + 1 where rowid = 1;
                                update pairs set n = n - 1 where rowid = 20000; commit";
                database.batch_execute(move_one).expect("a write");
                written.fetch_add(1, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(1));
            }
        });
        let mut copies = 0;
        // A busy machine may give all its time to the copies.
        while copies < 5 || writes.load(Ordering::Relaxed) <= 5 {
            copies += 1;
            assert!(copies < 500, "nobody writes");
            let taken = backups(&lab)?.take().await?;
            let path = lab.backups().join(taken.name);
            let path = path.to_string_lossy().into_owned();
            assert_eq!(count(&path, "select sum(n) as n from pairs")?, 0);
        }
        stop.store(true, Ordering::Relaxed);
        writer.join().expect("no panic");
    }
    Ok(())
}

#[tokio::test]
async fn a_transaction_that_a_crash_cut_off_is_not_in_it() -> Result<()> {
    let lab = Lab::new()?;
    let writing = lab.path("writing.db").to_string_lossy().into_owned();
    let mut database = SqliteConnection::establish(&writing)?;
    // A cache too small for it: pages and journal are on the disk before the commit.
    database.batch_execute(
        "create table pairs (n integer, filling text);
         with recursive s(i) as (select 1 union all select i + 1 from s where i < 20000)
         insert into pairs select 0, hex(zeroblob(50)) from s;
         pragma cache_size = 5; begin immediate; update pairs set n = 1",
    )?;
    fs::copy(&writing, lab.database())?;
    fs::copy(
        format!("{writing}-journal"),
        format!("{}-journal", lab.database()),
    )?;
    let taken = backups(&lab)?.take().await?;
    let path = lab.backups().join(taken.name);
    let path = path.to_string_lossy().into_owned();
    assert_eq!(
        count(&path, "select count(*) as n from pairs where n = 0")?,
        20_000
    );
    Ok(())
}
