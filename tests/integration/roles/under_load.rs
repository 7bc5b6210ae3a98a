//! A service that logs in all the time doesn't notice a turn.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use anyhow::Result;
use secret::DatabaseUrl;
use tokio::sync::RwLock;
use tokio::task::JoinHandle;

use super::lab::{Lab, use_tables};

/// Logs in anew for each query, with whatever URL is in use.
struct Load {
    url: Arc<RwLock<Arc<DatabaseUrl>>>,
    logins: Arc<AtomicU32>,
    ends: Arc<AtomicBool>,
    working: JoinHandle<Result<()>>,
}

impl Load {
    fn start(url: Arc<DatabaseUrl>) -> Load {
        let url = Arc::new(RwLock::new(url));
        let (logins, ends) = (Arc::<AtomicU32>::default(), Arc::<AtomicBool>::default());
        let working = tokio::spawn({
            let (url, logins, ends) = (Arc::clone(&url), Arc::clone(&logins), Arc::clone(&ends));
            async move {
                while !ends.load(Ordering::Relaxed) {
                    let url = url.read().await;
                    use_tables(&url).await?;
                    logins.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            }
        });
        Load {
            url,
            logins,
            ends,
            working,
        }
    }

    /// Waits until it has logged in some more.
    async fn some_more(&self) {
        let enough = self.logins.load(Ordering::Relaxed) + 3;
        while self.logins.load(Ordering::Relaxed) < enough && !self.working.is_finished() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_login_fails_during_two_turns() -> Result<()> {
    let lab = Lab::new().await?;
    let mut in_use = Arc::new(lab.in_use()?);
    let load = Load::start(Arc::clone(&in_use));
    load.some_more().await;
    for _ in 0..2 {
        let candidate = Arc::new(lab.candidate(&in_use)?);
        lab.prepare(&in_use, &candidate).await?;
        load.some_more().await;
        // The cutover: what has begun with the old URL ends with it.
        *load.url.write().await = Arc::clone(&candidate);
        load.some_more().await;
        lab.lock_out(&in_use, &candidate).await?;
        load.some_more().await;
        in_use = candidate;
    }
    load.ends.store(true, Ordering::Relaxed);
    let logins = load.logins.load(Ordering::Relaxed);
    load.working.await??;
    assert!(logins > 20, "only {logins} logins");
    Ok(())
}
