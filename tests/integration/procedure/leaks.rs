//! Keys are in `.env` and in the store's value files, and nowhere else.
use anyhow::Result;

use super::sandbox::{Sandbox, assert_said};

const CLIENTS: u64 = 20;

/// Writes down what any user of the machine can see of it and its parents, and what it was given.
const NOSY: &str = r#"
echo restarted >> restarts
n=$(wc -l < restarts)
{
    env
    cat /proc/self/environ
    pid=$$
    while test "$pid" -gt 1; do
        tr '\0' ' ' < "/proc/$pid/cmdline" || true
        tr '\0' ' ' < "/proc/$pid/environ" || true
        pid=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$pid/status")
    done
} > "seen.$n" 2>&1
timeout 1 cat > "input.$n"
test ! -e broken
"#;

/// Where a key may stand.
fn is_its_place(name: &str) -> bool {
    name == ".env" || name.starts_with(".rotation/dcr-encryption-key/") && name.ends_with(".value")
}

fn assert_in_their_places(sandbox: &Sandbox) -> Result<()> {
    let tree = sandbox.tree()?;
    // The reports are among what is searched, and what is printed of them is, too.
    let run = sandbox.run_name()?;
    for name in ["report.md", "report.json", "report.html"] {
        let path = format!("state/runs/{run}/{name}");
        assert!(tree.names().contains(&path), "{path} isn't there");
    }
    for form in ["markdown", "json", "html"] {
        assert_said(&sandbox.run(&["report", "--format", form])?, 0, &[]);
    }
    for (number, secret) in sandbox.secrets()?.iter().enumerate() {
        for name in tree.holding(secret) {
            assert!(is_its_place(&name), "key {number} is in {name}");
        }
        // Nor its first half, which a shortened text would show.
        for name in tree.holding(&secret[..secret.len() / 2]) {
            assert!(is_its_place(&name), "half of key {number} is in {name}");
        }
    }
    let is_database = |name: &String| name.contains("clients.sqlite") || name.ends_with("Z.sqlite");
    for text in ["gAAAA", "made-up-secret", "made-up-registration"] {
        let mut names = tree.holding(text);
        names.retain(|name| !is_database(name));
        assert!(names.is_empty(), "`{text}` is in {names:?}");
    }
    Ok(())
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn keys_are_in_no_process_file_or_output() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.write("restart.sh", NOSY)?;
    let old = sandbox.env_key()?;
    let url = "sqlite+aiosqlite:///clients.sqlite";
    // What stands in this process's own environment is no child's business either.
    let program = sandbox
        .program(&["rotate-dcr", "--verbose"])
        .env("DATABASE_URL", url)
        .env("DCR_ENCRYPTION_KEY", &old);
    assert_said(&sandbox.checked(&program)?, 0, &["Rotated"]);
    let run = sandbox.run_name()?;
    assert_in_their_places_but_environ(&sandbox, &old)?;
    let output = sandbox.run(&["rollback", &run, "--verbose"])?;
    assert_said(&output, 0, &["Rolled back"]);
    let seen = sandbox.read("seen.2")?;
    assert!(seen.contains("rollback"), "the parent's arguments: {seen}");
    assert_eq!(sandbox.read("input.2")?, "", "its standard input");
    sandbox.run(&["status"])?;
    assert_in_their_places_but_environ(&sandbox, &old)?;
    sandbox.expect_sound(CLIENTS)
}

/// The first restart saw the environment that the test itself gave to the program, in
/// `/proc`; its own was without the key.
fn assert_in_their_places_but_environ(sandbox: &Sandbox, old: &str) -> Result<()> {
    let seen = sandbox.read("seen.1")?;
    let (own, _parents) = seen.split_once("restart.sh").unwrap_or((&seen, ""));
    assert!(!own.contains(old), "the key is in the child's environment");
    assert!(!own.contains("DATABASE_URL"), "the database's URL is, too");
    sandbox.write("seen.1", own)?;
    assert_in_their_places(sandbox)
}

/// Also where it fails, and where it is killed.
#[tokio::test(flavor = "multi_thread")]
async fn nor_after_a_failure() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.write("broken", "")?;
    let output = sandbox.run(&["rotate-dcr", "--verbose"])?;
    assert_said(&output, 2, &[]);
    assert_in_their_places(&sandbox)?;
    assert_said(&sandbox.run(&["rollback", "--format", "json"])?, 5, &[]);
    assert_in_their_places(&sandbox)?;
    sandbox.run(&["status", "--format", "json"])?;
    Ok(())
}

/// An environment file that holds more than was asked for, and values that aren't keys.
#[tokio::test(flavor = "multi_thread")]
async fn what_else_is_in_the_env_file_is_not_shown() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let key = sandbox.env_key()?;
    let url = "postgresql+asyncpg://insights:tell-n0body@127.0.0.1:9/agent";
    for env in [
        format!("GMA_CLIENT_SECRET=tell-n0body\nDATABASE_URL={url}\nDCR_ENCRYPTION_KEY={key}\n"),
        "DATABASE_URL=tell-n0body\nDCR_ENCRYPTION_KEY=tell-n0body\n".to_owned(),
        "DATABASE_URL=sqlite:///clients.sqlite\nDCR_ENCRYPTION_KEY='tell-n0body\n".to_owned(),
        "tell-n0body\n".to_owned(),
        format!("DATABASE_URL=sqlite:///clients.sqlite\nDCR_ENCRYPTION_KEY=\"{key}tell-n0body\"\n"),
    ] {
        sandbox.write_env(&env)?;
        for arguments in [
            &["rotate-dcr", "--verbose"][..],
            &["rotate-dcr", "--dry-run", "--format", "json"],
            &["status"],
            &["status", "--format", "json"],
        ] {
            let output = sandbox.run(arguments)?;
            let said = format!("{}{}", output.stdout, output.stderr);
            assert!(!said.contains("tell-n0body"), "{arguments:?}: {said}");
            assert!(!said.contains(&key), "{arguments:?}");
        }
    }
    Ok(())
}
