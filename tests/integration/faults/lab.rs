//! A database behind a proxy, and a run in the middle of its work.
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use integration_tests::{Output, Proxy, Running, TestDatabase};

use super::rotation::{assert_said, rotation};
use super::table::{Store, on_postgres};
use super::tokens::{Counted, Keys};

const CLIENTS: u64 = 20_000;

/// A database behind a proxy.
pub(super) struct Lab {
    pub(super) keys: Keys,
    pub(super) database: TestDatabase,
    pub(super) proxy: Proxy,
}

impl Lab {
    pub(super) async fn new() -> Result<Lab> {
        let keys = Keys::generate();
        let database = on_postgres(CLIENTS, &keys).await?;
        let proxy = Proxy::start(database.server());
        Ok(Lab {
            keys,
            database,
            proxy,
        })
    }

    /// A run that is writing: `COMMIT` stands in no later statement but the commit.
    pub(super) fn run_until_writing(&self, arguments: &[&str]) -> Running {
        let url = self.database.url_through(self.proxy.port());
        let mut running = rotation(&url, &self.keys).args(arguments).spawn();
        running.wait_for("re-encrypting");
        running
    }

    pub(super) async fn assert_all_new(&self) -> Result<()> {
        let counted = self.database.count(&self.keys).await?;
        assert_eq!(counted, Counted::all_new(CLIENTS));
        Ok(())
    }

    pub(super) async fn assert_all_old(&self) -> Result<()> {
        let counted = self.database.count(&self.keys).await?;
        assert_eq!(counted, Counted::all_old(CLIENTS));
        Ok(())
    }

    /// Rolled back, said so, and the next run, past the proxy, finishes.
    pub(super) async fn assert_rolled_back_and_repeatable(&self, output: &Output) -> Result<()> {
        assert_said(output, 2, &["state: rolled back", "hint: "]);
        self.assert_all_old().await?;
        self.assert_the_next_run_finishes().await
    }

    pub(super) async fn assert_the_next_run_finishes(&self) -> Result<()> {
        let next = rotation(&self.database.url(), &self.keys).run();
        assert_said(&next, 0, &[]);
        self.assert_all_new().await
    }

    /// Waits until the run has come to the page that takes long.
    pub(super) async fn wait_until_pausing(&self) -> Result<()> {
        let client = self.database.connect().await;
        let pausing = "select count(*) from pg_stat_activity
            where datname = current_database() and wait_event = 'PgSleep'";
        let give_up = Instant::now() + Duration::from_secs(60);
        while client.query_one(pausing, &[]).await?.get::<_, i64>(0) == 0 {
            ensure!(Instant::now() < give_up, "no page in a minute");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }
}
