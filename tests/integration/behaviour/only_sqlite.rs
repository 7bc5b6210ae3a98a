//! What only an SQLite file can be like.
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context as _, Result};
use reencrypt::{Database, Error, Outcome, TableState, Timeouts, Tls};
use secret::DatabaseUrl;

use super::run::{Rotation, counts, survey};
use crate::subject::{NEW, OLD, OLDER, Opened, Row, SqliteFile, clients, token};

const ISSUED_AT: u64 = 1_715_000_000;

fn with_clients(count: u64) -> Result<SqliteFile> {
    let file = SqliteFile::with_tables()?;
    file.insert(&clients(count)?)?;
    Ok(file)
}

fn all_under(key: &str, rows: &[Row]) -> bool {
    rows.iter().all(|row| row.opened(key)[0].is_some())
}

#[tokio::test(flavor = "multi_thread")]
async fn rowids_with_gaps_and_below_zero_are_all_met() -> Result<()> {
    let file = with_clients(7)?;
    let rowids = [i64::MIN, -5_000, -1, 0, 1 << 40, i64::MAX - 1, i64::MAX];
    for (number, rowid) in rowids.iter().enumerate() {
        file.execute(&format!(
            "UPDATE dcr_clients SET rowid = {rowid} WHERE order_id = 'order-000000{number}'"
        ))?;
    }
    let ran = Rotation::at(file.url()).run().await?;
    assert_eq!(ran.done()?.columns, counts([7, 0, 0, 0], [3, 0, 4, 0]));
    assert!(all_under(NEW, &file.rows()?));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_a_blob_is_read_and_written_as_text() -> Result<()> {
    let file = with_clients(1)?;
    file.execute(
        "UPDATE dcr_clients SET client_secret_encrypted = CAST(client_secret_encrypted AS BLOB)",
    )?;
    let kind = "SELECT typeof(client_secret_encrypted) AS value FROM dcr_clients";
    assert_eq!(file.text(kind)?, "blob");
    let ran = Rotation::at(file.url()).run().await?;
    assert_eq!(ran.done()?.columns, counts([1, 0, 0, 0], [1, 0, 0, 0]));
    assert_eq!(file.text(kind)?, "text");
    assert!(all_under(NEW, &file.rows()?));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_beside_the_tokens_keep_their_types_too() -> Result<()> {
    let file = with_clients(3)?;
    file.execute(
        "UPDATE dcr_clients SET account_id = x'00ff', redirect_uris = 5, grant_types = 2.5 WHERE rowid = 1;
         UPDATE dcr_clients SET account_id = '', redirect_uris = '5', metadata = x'' WHERE rowid = 2",
    )?;
    let others = |rows: Vec<Row>| rows.into_iter().map(|row| row.others).collect::<Vec<_>>();
    let before = others(file.rows()?);
    Rotation::at(file.url()).run().await?.done()?;
    assert_eq!(others(file.rows()?), before);
    Ok(())
}

/// The rewritten pages outgrow SQLite's cache and are in the file before the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_larger_than_the_cache_leaves_the_file_as_it_was() -> Result<()> {
    let file = with_clients(25_000)?;
    let before = file.footprint()?;
    assert!(before.len() > 12_000_000, "{}", before.len());
    let ran = Rotation::at(file.url()).dry().run().await?;
    assert_eq!(ran.done()?.outcome, Outcome::DryRun);
    assert_eq!(
        ran.done()?.columns[reencrypt::Column::ClientSecret].reencrypted,
        25_000
    );
    assert!(file.footprint()? == before, "the file is another");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_beside_the_file() -> Result<()> {
    let file = with_clients(3)?;
    Rotation::at(file.url()).dry().run().await?.done()?;
    assert_eq!(file.files()?, ["clients.sqlite"]);
    Rotation::at(file.url()).run().await?.done()?;
    assert_eq!(file.files()?, ["clients.sqlite"]);
    Rotation::at(file.url())
        .keys(&[OLD], OLDER)
        .run()
        .await?
        .failed()?;
    assert_eq!(file.files()?, ["clients.sqlite"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_a_write_ahead_log_keeps_it() -> Result<()> {
    let file = SqliteFile::with_tables()?;
    file.execute("PRAGMA journal_mode = wal")?;
    file.insert(&clients(20)?)?;
    // Somebody who is in the midst of reading neither waits nor is waited for.
    let mut reader = file.connect()?;
    let read = "BEGIN; SELECT count(*) FROM dcr_clients";
    diesel::connection::SimpleConnection::batch_execute(&mut reader, read)?;
    let ran = Rotation::at(file.url()).run().await?;
    assert_eq!(ran.done()?.columns, counts([20, 0, 0, 0], [6, 0, 14, 0]));
    drop(reader);
    assert!(all_under(NEW, &file.rows()?));
    assert_eq!(
        file.text("SELECT journal_mode AS value FROM pragma_journal_mode")?,
        "wal"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_says_that_readers_may_wait_where_there_is_no_write_ahead_log() -> Result<()> {
    for (mode, may_wait) in [("delete", true), ("wal", false)] {
        let file = with_clients(1)?;
        file.execute(&format!("PRAGMA journal_mode = {mode}"))?;
        let url = DatabaseUrl::parse(&file.url())?;
        let mut database = Database::connect(&url, Tls::AsUrlSays, Timeouts::default()).await?;
        let remarks = reencrypt::check(&mut database, &[]).await?.remarks;
        let is_said = remarks
            .iter()
            .any(|remark| remark.contains("readers may wait"));
        assert_eq!(is_said, may_wait, "{mode}: {remarks:?}");
    }
    Ok(())
}

/// A mode is what a writer chose; its journal may still lie beside the file, and the
/// writer be there.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_written_in_any_journal_mode_is_rotated() -> Result<()> {
    for mode in ["delete", "truncate", "persist", "memory", "wal", "off"] {
        let file = SqliteFile::with_tables()?;
        file.insert(&clients(20)?)?;
        let mut writer = file.connect()?;
        let write =
            format!("PRAGMA journal_mode = {mode}; UPDATE dcr_clients SET account_id = 'b'");
        diesel::connection::SimpleConnection::batch_execute(&mut writer, &write)?;
        let ran = Rotation::at(file.url()).run().await?;
        let counted = ran.done()?.columns;
        assert_eq!(counted, counts([20, 0, 0, 0], [6, 0, 14, 0]), "{mode}");
        assert!(all_under(NEW, &file.rows()?), "{mode}");
        let write = "UPDATE dcr_clients SET account_id = 'c'";
        diesel::connection::SimpleConnection::batch_execute(&mut writer, write)?;
        drop(writer);
        assert_eq!(
            file.text("SELECT integrity_check AS value FROM pragma_integrity_check")?,
            "ok",
            "{mode}"
        );
    }
    Ok(())
}

/// What the service reads there is text, whatever its bytes in the file.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_utf_16_is_rotated_properly_or_refused() -> Result<()> {
    for encoding in ["UTF-16le", "UTF-16be"] {
        let file = SqliteFile::missing()?;
        let schema = reencrypt::sample::SQLITE_SCHEMA;
        file.execute(&format!("PRAGMA encoding = '{encoding}'; {schema}"))?;
        file.insert(&[Row::new("naïve 密码", token("odd", ISSUED_AT, OLD)?)])?;
        let before = file.footprint()?;
        let ran = Rotation::at(file.url()).run().await?;
        if ran.result.is_ok() {
            let found = file.rows()?[0].opened(NEW);
            assert_eq!(found[0], Some(Opened::new("odd", ISSUED_AT)), "{encoding}");
        } else {
            assert!(file.footprint()? == before, "something was written");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_symbolic_link_leads_to_the_same_run_lock() -> Result<()> {
    let file = with_clients(2)?;
    let elsewhere = tempfile::tempdir()?;
    let link = elsewhere.path().join("linked.sqlite");
    symlink(file.path(), &link)?;
    let ran = Rotation::at(url_of(&link)).run().await?;
    assert_eq!(ran.done()?.outcome, Outcome::Rotated);
    assert!(all_under(NEW, &file.rows()?));
    let left: Vec<_> = fs::read_dir(elsewhere.path())?.collect();
    assert_eq!(left.len(), 1, "{left:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_missing_is_not_made() -> Result<()> {
    let file = SqliteFile::missing()?;
    let ran = Rotation::at(file.url()).run().await?;
    let (error, table) = ran.failed()?;
    assert!(
        matches!(error, Error::NoSuchFile { path } if *path == file.path()),
        "{error:?}"
    );
    assert_eq!(table, TableState::Untouched);
    assert!(survey(&file.url(), &[OLD], None).await.is_err());
    assert_eq!(file.files()?, Vec::<String>::new());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_database_is_refused_and_left_alone() -> Result<()> {
    let file = SqliteFile::missing()?;
    let text = "not a database at all, but longer than a header would be ".repeat(20);
    fs::write(file.path(), &text)?;
    let ran = Rotation::at(file.url()).run().await?;
    let (error, _) = ran.failed()?;
    assert!(matches!(error, Error::NotADatabase { .. }), "{error:?}");
    assert_eq!(fs::read_to_string(file.path())?, text);

    let ran = Rotation::at(url_of(file.folder())).run().await?;
    let (error, _) = ran.failed()?;
    assert!(matches!(error, Error::NotADatabase { .. }), "{error:?}");

    fs::write(file.path(), "")?;
    let ran = Rotation::at(file.url()).run().await?;
    let (error, _) = ran.failed()?;
    assert!(matches!(error, Error::NoTable), "{error:?}");
    assert_eq!(fs::read_to_string(file.path())?, "");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_not_rewritten() -> Result<()> {
    let file = with_clients(2_000)?;
    let mut bytes = fs::read(file.path())?;
    let middle = bytes.len() / 2;
    bytes
        .get_mut(middle..middle + 8_192)
        .context("a middle")?
        .fill(0xA5);
    fs::write(file.path(), &bytes)?;
    let ran = Rotation::at(file.url()).run().await?;
    let (error, _) = ran.failed()?;
    assert!(error.to_string().contains("failed to"), "{error}");
    assert!(fs::read(file.path())? == bytes, "something was written");
    assert_eq!(file.files()?, ["clients.sqlite"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_another_kind_are_refused() -> Result<()> {
    let columns =
        "order_id PRIMARY KEY, client_secret_encrypted, registration_access_token_encrypted";
    let without_rowid = format!("CREATE TABLE dcr_clients ({columns}) WITHOUT ROWID");
    let virtual_table = format!(
        "CREATE VIRTUAL TABLE dcr_clients USING fts5({})",
        columns.replace(" PRIMARY KEY", "")
    );
    for (create, what) in [
        (without_rowid, "a table without rowid"),
        (virtual_table, "a virtual table"),
    ] {
        let file = SqliteFile::missing()?;
        file.execute(&create)?;
        let before = file.footprint()?;
        let ran = Rotation::at(file.url()).run().await?;
        let (error, table) = ran.failed()?;
        let message = format!("`dcr_clients` is {what}, which this tool does not rewrite");
        assert_eq!(error.to_string(), message);
        assert_eq!(table, TableState::Untouched);
        assert!(file.footprint()? == before, "something was written");
    }
    Ok(())
}

fn url_of(path: &Path) -> String {
    format!("sqlite:///{}", path.display())
}
