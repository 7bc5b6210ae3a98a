//! A password, the old one, the new one or the one that an idle role gets, is in the `.env`,
//! in the store's value files, and nowhere else.
#![cfg(target_os = "linux")]
use anyhow::Result;

use super::clients_leak::{NOSY, expect_in_their_places};
use super::logins_lab::{Lab, SERVICES, SESSIONS};
use crate::procedure::sandbox::assert_said;

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_in_no_process_file_or_output() -> Result<()> {
    for (url, mode) in [
        (SERVICES, &["--verbose"][..]),
        (SESSIONS, &["--verbose"]),
        (SERVICES, &["--verbose", "--in-place"]),
    ] {
        let lab = Lab::new(url).await?;
        let installation = &lab.installation;
        installation.sandbox.write("restart.sh", NOSY)?;
        assert_said(&installation.run(&lab.rotate(mode))?, 0, &["Rotated"]);
        expect_in_their_places(installation)?;
        // The second one lets an idle role in again.
        assert_said(&installation.run(&lab.rotate(mode))?, 0, &["Rotated"]);
        expect_in_their_places(installation)?;
        let run = installation.last_run()?;
        let output = installation.run(&["rollback", &run, "--verbose"])?;
        assert_said(&output, 0, &["Rolled back"]);
        installation.sandbox.write("broken", "")?;
        assert_said(&installation.run(&lab.rotate(mode))?, 2, &[]);
        installation.run(&["status", "--format", "json"])?;
        expect_in_their_places(installation)?;
    }
    Ok(())
}
