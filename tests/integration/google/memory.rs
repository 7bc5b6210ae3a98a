//! What the rotation of a client's secret on Google Cloud leaves in the memory of its process
//! when it is over: nothing of a value, whether it was given or read from the store.
#![cfg(target_os = "linux")]
use anyhow::Result;
use integration_tests::issuer::TestIssuer;

use super::client_secrets::{self, SSO};
use crate::remains::Tracer;

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_left_nowhere_in_it() -> Result<()> {
    let issuer = TestIssuer::start().await;
    let Some(installation) = client_secrets::installation(&issuer).await? else {
        return Ok(());
    };
    let core = installation.folder().join("core");
    let Some(tracer) = Tracer::writing_to(&core, &installation.program(&["--version"]))? else {
        return Ok(());
    };
    let rotate = ["rotate-secret", SSO.secret, "--value-file"];
    for (value, code) in [("wrong", 1), ("new", 0)] {
        let arguments = [&rotate[..], &[value]].concat();
        let (output, remains) = tracer.run(installation.program(&arguments))?;
        assert_eq!(output.code, Some(code), "{output:?}");
        installation.refuse_values(&output)?;
        remains.expect_none_of(&installation.telling(), value);
    }
    let back = ["rollback", &installation.run_name()?];
    let (output, remains) = tracer.run(installation.program(&back))?;
    assert_eq!(output.code, Some(0), "{output:?}");
    remains.expect_none_of(&installation.telling(), "rolled back");
    Ok(())
}
