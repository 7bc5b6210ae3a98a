//! The rotation of a client secret on Google Cloud, by the program and the real
//! `gcloud`: both services, and the issuer.
use std::time::Duration;

use anyhow::Result;
use integration_tests::google::{GcloudConfig, Google, require_gcloud};
use integration_tests::issuer::TestIssuer;
use integration_tests::{Output, Program};

const SECRET: &str = "redhat-sso-client-secret";
const VARIABLE: &str = "RED_HAT_SSO_CLIENT_SECRET";
const SERVICES: [&str; 2] = ["lightspeed-agent", "marketplace-handler"];
const CLIENT: &str = "a-client";
const OLD: &str = "hunter2-old-value";
const NEW: &str = "hunter2-new-value";

/// Both services, which read the latest version, and an issuer that knows both values.
struct Installation {
    google: Google,
    config: GcloudConfig,
    issuer: TestIssuer,
    folder: tempfile::TempDir,
}

impl Installation {
    /// Nothing where `gcloud` needn't be.
    async fn new() -> Result<Option<Installation>> {
        if require_gcloud().is_none() {
            return Ok(None);
        }
        let google = Google::start().await;
        {
            let mut world = google.world();
            world.secrets.add(SECRET, OLD.as_bytes());
            world.secrets.add("redhat-sso-client-id", CLIENT.as_bytes());
            for service in SERVICES {
                world.run.create(service, &[(VARIABLE, SECRET)]);
            }
        }
        let issuer = TestIssuer::start().await;
        issuer.accept(CLIENT, OLD);
        issuer.accept(CLIENT, NEW);
        Ok(Some(Installation {
            config: GcloudConfig::new(&google),
            google,
            issuer,
            folder: tempfile::tempdir()?,
        }))
    }

    fn run(&self, arguments: &[&str]) -> Result<Output> {
        let settings = format!(
            "platform = \"google-cloud\"\nstate_dir = \"state\"\nsoak = \"0s\"\n\
             [issuers]\nred_hat_sso = \"{}\"\n",
            self.issuer.url()
        );
        std::fs::write(self.folder.path().join("rotation.toml"), settings)?;
        std::fs::write(self.folder.path().join("value"), NEW)?;
        let mut program = Program::xtask(env!("CARGO_BIN_EXE_xtask-under-test"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("HOME", self.folder.path())
            .env("SSL_CERT_FILE", self.issuer.authority_pem())
            .env("GOOGLE_CLOUD_PROJECT", "p1")
            .timeout(Duration::from_secs(600));
        for (name, value) in self.config.environment() {
            program = program.env(name, value);
        }
        // The issuer is no server of Google's.
        program = program
            .env("no_proxy", "localhost")
            .env("NO_PROXY", "localhost");
        Ok(program.run())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_rotates_and_is_rolled_back() -> Result<()> {
    let Some(installation) = Installation::new().await? else {
        return Ok(());
    };
    let rotated = installation.run(&["rotate-secret", SECRET, "--value-file", "value"])?;
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    Ok(())
}
