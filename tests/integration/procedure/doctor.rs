//! `cargo xtask doctor` on this machine: it looks at what a rotation needs, and changes nothing.
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use anyhow::Result;

use super::lab::json;
use super::sandbox::Sandbox;

#[tokio::test]
async fn a_healthy_folder_is_left_as_it_is() -> Result<()> {
    let sandbox = Sandbox::with_clients(5).await?;
    let before = sandbox.tree()?;
    let examined = sandbox.run(&["doctor"])?;
    assert_eq!(examined.code, Some(0), "{examined:?}");
    let lines: Vec<_> = examined.stdout.lines().collect();
    for line in [
        "  ok       `marketplace-handler` reads `DCR_ENCRYPTION_KEY`",
        "  ok       `sqlite+aiosqlite:///clients.sqlite` answers; dcr_clients has 5 clients",
        "  warning  the settings don't say how `lightspeed-agent` is restarted: a run waits for you there",
    ] {
        assert!(lines.contains(&line), "no {line:?} in\n{}", examined.stdout);
    }
    let last = lines.last().copied();
    assert!(
        last.is_some_and(|last| last.starts_with("0 faults")),
        "{last:?}"
    );
    assert!(sandbox.tree()? == before, "it changed something");
    Ok(())
}

#[tokio::test]
async fn a_key_that_opens_nothing_and_an_open_store_are_faults() -> Result<()> {
    let sandbox = Sandbox::with_clients(5).await?;
    let other = secret::FernetKey::generate();
    let env = sandbox
        .read(".env")?
        .replace(&sandbox.env_key()?, &other.to_text());
    sandbox.write_env(&env)?;
    let examined = sandbox.run(&["doctor", "--format", "json"])?;
    assert_eq!(examined.code, Some(1), "{examined:?}");
    let report = json(&examined)?;
    assert_eq!(report["faults"], 1, "{report:#}");
    assert_eq!(
        report["stopped_rotations"],
        serde_json::json!(["dcr-encryption-key"])
    );

    let store = sandbox.path(".rotation");
    fs::create_dir(&store)?;
    fs::set_permissions(&store, fs::Permissions::from_mode(0o755))?;
    let examined = sandbox.run(&["doctor"])?;
    assert_eq!(examined.code, Some(1), "{examined:?}");
    assert!(
        examined.stdout.contains("mend: chmod 700 '"),
        "{}",
        examined.stdout
    );
    Ok(())
}

#[tokio::test]
async fn without_a_platform_there_is_nothing_to_examine() -> Result<()> {
    let sandbox = Sandbox::with_clients(1).await?;
    let refused = sandbox.run(&["doctor", "--platform", "none", "--format", "json"])?;
    assert_eq!(refused.code, Some(64), "{refused:?}");
    let report = json(&refused)?;
    assert!(
        report["error"]["hint"].to_string().contains("--platform"),
        "{report:#}"
    );
    Ok(())
}
