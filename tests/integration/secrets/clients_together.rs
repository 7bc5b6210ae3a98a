//! Two people rotate the secrets of two clients of one service at the same time.
use anyhow::Result;
use integration_tests::Running;

use super::clients::{GMA, NEW, SSO, expect_rotated, installation, with_value};
use crate::procedure::sandbox::assert_said;

/// A service takes its time to start, so that the one waits for the other.
const SLOW: &str =
    "sleep 0.2\ncp .env running.$1 && mv running.$1 running && echo $1 >> restarts\n";

/// Whatever the one is at when the other restarts a service that both secrets are read by.
#[tokio::test(flavor = "multi_thread")]
async fn both_come_to_their_end() -> Result<()> {
    for lead in [0, 1, 2, 3, 4, 5] {
        let (_issuer, installation) = installation().await?;
        installation.sandbox.write("restart.sh", SLOW)?;
        let first = with_value(&installation, SSO, NEW).spawn();
        std::thread::sleep(std::time::Duration::from_millis(100 * lead));
        let second = with_value(&installation, GMA, NEW).spawn();
        for output in [first, second].map(Running::wait) {
            assert_said(&output, 0, &["Rotated"]);
        }
        expect_rotated(&installation, SSO)?;
        expect_rotated(&installation, GMA)?;
    }
    Ok(())
}
