//! The connection is lost, in the middle of a page or of the commit.
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use integration_tests::{Output, Proxy, Running};

use super::lab::Lab;
use super::rotation::assert_said;
use super::table::{make_a_page_take, make_commits_take};

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_found_to_have_taken_place() -> Result<()> {
    let lab = Lab::new().await?;
    let running = lab.run_until_writing(&[]);
    lab.proxy.cut_after("COMMIT");
    let output = running.wait();
    assert_eq!(lab.proxy.cuts(), 1);
    let said = [
        "the answer to the commit was lost",
        "has committed it",
        "Re-encrypted",
    ];
    assert_said(&output, 0, &said);
    lab.assert_all_new().await
}

#[tokio::test]
async fn a_commit_that_never_arrived_is_found_to_be_rolled_back() -> Result<()> {
    let lab = Lab::new().await?;
    let running = lab.run_until_writing(&[]);
    lab.proxy.cut_before("COMMIT");
    let output = running.wait();
    assert_eq!(lab.proxy.cuts(), 1);
    lab.assert_rolled_back_and_repeatable(&output).await
}

/// Both at once, for each asks for a minute.
#[tokio::test]
async fn where_nobody_can_be_asked_it_says_unknown_and_a_later_run_repairs() -> Result<()> {
    let (committed, lost) = (Lab::new().await?, Lab::new().await?);
    let mut running = Vec::new();
    for lab in [&committed, &lost] {
        running.push(lab.run_until_writing(&[]));
        lab.proxy.refuse_after_cut(true);
        if std::ptr::eq(lab, &committed) {
            lab.proxy.cut_after("COMMIT");
        } else {
            lab.proxy.cut_before("COMMIT");
        }
    }
    for output in running.into_iter().map(Running::wait) {
        assert_unknown(&output);
    }
    committed.assert_all_new().await?;
    lost.assert_all_old().await?;
    for lab in [committed, lost] {
        assert_eq!(lab.proxy.cuts(), 1);
        lab.assert_the_next_run_finishes().await?;
    }
    Ok(())
}

fn assert_unknown(output: &Output) {
    let said = [
        "could not be found out",
        "state: unknown",
        "cargo xtask survey-dcr",
    ];
    assert_said(output, 2, &said);
}

#[tokio::test]
async fn a_server_that_is_away_for_a_while_is_asked_until_it_answers() -> Result<()> {
    let lab = Lab::new().await?;
    let running = lab.run_until_writing(&[]);
    lab.proxy.refuse_after_cut(true);
    lab.proxy.cut_after("COMMIT");
    wait_for_cut(&lab.proxy)?;
    sleep(Duration::from_secs(3));
    lab.proxy.refuse_new_connections(false);
    lab.proxy.refuse_after_cut(false);
    assert_said(&running.wait(), 0, &["has committed it"]);
    lab.assert_all_new().await
}

#[tokio::test]
async fn a_commit_that_goes_on_without_its_connection_is_waited_for() -> Result<()> {
    let lab = Lab::new().await?;
    make_commits_take(&lab.database.connect().await, Duration::from_secs(3)).await?;
    let mut running = lab.run_until_writing(&[]);
    running.wait_for("committing");
    sleep(Duration::from_secs(1));
    lab.proxy.cut_all();
    assert_said(&running.wait(), 0, &["has committed it"]);
    lab.assert_all_new().await
}

#[tokio::test]
async fn a_commit_that_never_ends_is_ended_and_found_to_be_rolled_back() -> Result<()> {
    let lab = Lab::new().await?;
    make_commits_take(&lab.database.connect().await, Duration::from_secs(600)).await?;
    let mut running = lab.run_until_writing(&[]);
    running.wait_for("committing");
    sleep(Duration::from_secs(1));
    lab.proxy.cut_all();
    let output = running.wait();
    let drop_trigger = "drop trigger pause on dcr_clients";
    lab.database
        .connect()
        .await
        .batch_execute(drop_trigger)
        .await?;
    lab.assert_rolled_back_and_repeatable(&output).await
}

/// The one that writes, and the one that reads ahead of it.
#[tokio::test]
async fn a_connection_that_the_server_ends_rolls_back() -> Result<()> {
    let lab = Lab::new().await?;
    let client = lab.database.connect().await;
    make_a_page_take(&client, Duration::from_secs(1)).await?;
    for writes in [true, false] {
        let running = lab.run_until_writing(&[]);
        lab.wait_until_pausing().await?;
        // Other tests' tables have the same number in their databases.
        let end = "select pg_terminate_backend(pid) from pg_locks
             where relation = 'dcr_clients'::regclass and pid <> pg_backend_pid()
                 and database = (select oid from pg_database where datname = current_database())
             group by pid having bool_or(mode = 'RowExclusiveLock') = $1";
        let ended = client.query(end, &[&writes]).await?;
        assert_eq!(ended.len(), 1, "writes: {writes}");
        assert_said(&running.wait(), 2, &["state: rolled back"]);
        lab.assert_all_old().await?;
    }
    lab.assert_the_next_run_finishes().await
}

#[tokio::test]
async fn a_connection_that_is_cut_in_the_middle_of_a_page_rolls_back() -> Result<()> {
    for cut in [Proxy::cut_after_sent, Proxy::cut_after_received] {
        let lab = Lab::new().await?;
        let running = lab.run_until_writing(&[]);
        // About a page and a half.
        cut(&lab.proxy, 1_500_000);
        let output = running.wait();
        assert_eq!(lab.proxy.cuts(), 1);
        lab.assert_rolled_back_and_repeatable(&output).await?;
    }
    Ok(())
}

fn wait_for_cut(proxy: &Proxy) -> Result<()> {
    let give_up = Instant::now() + Duration::from_secs(60);
    while proxy.cuts() == 0 {
        ensure!(Instant::now() < give_up, "no commit in a minute");
        sleep(Duration::from_millis(5));
    }
    Ok(())
}
