//! What somebody changes after a run: `status` says so, with what mends it.
use anyhow::Result;

use super::lab::json;
use super::sandbox::{Sandbox, assert_said};

#[tokio::test]
async fn another_value_in_the_env_file_is_told() -> Result<()> {
    let sandbox = Sandbox::with_clients(3).await?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &["Rotated"]);
    let status = sandbox.run(&["status"])?;
    assert_said(&status, 0, &["  done 2"]);
    assert!(!status.stdout.contains("CHANGED"), "{status:?}");
    let report = json(&sandbox.run(&["status", "--format", "json"])?)?;
    assert_eq!(
        report["runs"][0]["services"],
        serde_json::json!([{
            "service": "marketplace-handler",
            "is_as_left": true,
            "change": null,
            "mend": null,
            "error": null,
        }])
    );

    let env = sandbox.read(".env")?;
    let (old, new) = (sandbox.stored()?[0].value.clone(), sandbox.env_key()?);
    sandbox.write_env(&env.replace(&new, &old))?;
    let status = sandbox.run(&["status"])?;
    let words = [
        "CHANGED: `marketplace-handler` reads version 1 of `dcr-encryption-key`, and not version 2",
        "mend: put the value of version 2 back as DCR_ENCRYPTION_KEY, and restart `marketplace-handler`",
    ];
    assert_said(&status, 1, &words);

    // A value that is in no store.
    let other = secret::FernetKey::generate();
    sandbox.write_env(&env.replace(&new, &other.to_text()))?;
    let report = json(&sandbox.run(&["status", "--format", "json"])?)?;
    let told = &report["runs"][0]["services"][0];
    assert_eq!(told["is_as_left"], false, "{report:#}");
    let change = told["change"].as_str().unwrap_or_default();
    assert!(change.contains("in its own configuration"), "{report:#}");
    Ok(())
}
