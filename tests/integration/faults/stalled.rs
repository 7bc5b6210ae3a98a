//! The network goes away without a word: nothing comes, and nothing is refused.
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Result;
use integration_tests::{Running, Signal};

use super::lab::Lab;
use super::random::say;
use super::rotation::{assert_said, rotation};
use super::signalled::interrupt_and_wait;
use super::table::make_a_page_take;

const AT_ONCE: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_network_that_comes_back_has_only_taken_longer() -> Result<()> {
    let lab = Lab::new().await?;
    let mut running = lab.run_until_writing(&[]);
    lab.proxy.stall();
    sleep(Duration::from_secs(3));
    assert!(running.is_running());
    lab.proxy.pass();
    assert_said(&running.wait(), 0, &["Re-encrypted"]);
    lab.assert_all_new().await
}

#[tokio::test]
async fn in_the_middle_of_a_page_the_run_gives_up_and_is_rolled_back() -> Result<()> {
    let lab = Lab::new().await?;
    let client = lab.database.connect().await;
    make_a_page_take(&client, Duration::from_secs(2)).await?;
    let running = lab.run_until_writing(&["--statement-timeout", "5s"]);
    lab.wait_until_pausing().await?;
    lab.proxy.stall();
    let stalled = Instant::now();
    let output = running.wait();
    say(&format!("given up after {:?}", stalled.elapsed()));
    lab.proxy.cut_all();
    client
        .batch_execute("drop trigger pause on dcr_clients")
        .await?;
    lab.assert_rolled_back_and_repeatable(&output).await
}

/// About when a large table's run opens its second connection.
#[tokio::test]
async fn before_the_first_page_the_run_gives_up_and_is_rolled_back() -> Result<()> {
    let lab = Lab::new().await?;
    let mut running = lab.run_until_writing(&["--statement-timeout", "1s"]);
    lab.proxy.stall();
    assert_ends_within(&mut running, Duration::from_secs(90));
    lab.proxy.cut_all();
    lab.assert_rolled_back_and_repeatable(&running.wait()).await
}

#[tokio::test]
async fn a_server_that_accepts_a_connection_and_says_nothing_is_given_up() -> Result<()> {
    let lab = Lab::new().await?;
    lab.proxy.stall();
    let url = lab.database.url_through(lab.proxy.port());
    let mut running = rotation(&url, &lab.keys).spawn();
    assert_ends_within(&mut running, Duration::from_secs(30));
    assert_said(
        &running.wait(),
        1,
        &["cannot connect to", "nothing was changed"],
    );
    Ok(())
}

#[tokio::test]
async fn a_first_ctrl_c_is_answered_at_once_and_ends_the_run() -> Result<()> {
    let lab = Lab::new().await?;
    let mut running = lab.run_until_writing(&[]);
    lab.proxy.stall();
    sleep(Duration::from_millis(300));
    let began = Instant::now();
    running.signal(Signal::INT);
    running.wait_for("stopping; a second Ctrl-C leaves at once");
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    assert_ends_within(&mut running, Duration::from_secs(20));
    lab.proxy.cut_all();
    assert_said(&running.wait(), 3, &["interrupted", "state: rolled back"]);
    lab.assert_all_old().await
}

#[tokio::test]
async fn a_second_ctrl_c_leaves_at_once() -> Result<()> {
    let lab = Lab::new().await?;
    let mut running = lab.run_until_writing(&[]);
    lab.proxy.stall();
    running.signal(Signal::INT);
    running.wait_for("a second Ctrl-C leaves at once");
    // Signals in quick succession count as one.
    sleep(Duration::from_millis(500));
    let output = interrupt_and_wait(running, AT_ONCE);
    assert_said(&output, 3, &["leaving: the database rolls back by itself"]);
    lab.proxy.cut_all();
    lab.assert_all_old().await
}

fn assert_ends_within(running: &mut Running, limit: Duration) {
    let began = Instant::now();
    while running.is_running() {
        assert!(began.elapsed() < limit, "it still waits after {limit:?}");
        sleep(Duration::from_millis(20));
    }
    say(&format!("given up after {:?}", began.elapsed()));
}
