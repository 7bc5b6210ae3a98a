//! Settings: the file, the environment, the flags, and which of them goes before which.
use std::fs;

use anyhow::{Context as _, Result};
use integration_tests::Output;
use serde_json::Value;

use super::lab::json;
use super::sandbox::{RESTART, Sandbox, assert_said};

const CLIENTS: u64 = 20;

/// Every command that reads the settings.
const COMMANDS: [&str; 4] = ["rotate-dcr", "status", "resume", "rollback"];

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_not_understood_is_named() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    for (top, tables, words) in [
        (
            "soka = \"1h\"",
            RESTART,
            ["line 3 of `rotation.toml`", "unknown field `soka`"],
        ),
        (
            "soak = \"soon\"",
            RESTART,
            ["line 3 of `rotation.toml`", "a time such as `24h`"],
        ),
        (
            "soak = 5",
            RESTART,
            ["line 3 of `rotation.toml`", "expected "],
        ),
        (
            "",
            "[local]\nenv = \".env\"",
            ["line 5 of `rotation.toml`", "unknown field `env`"],
        ),
        (
            "",
            "[local.handlers]",
            ["line 4 of `rotation.toml`", "unknown field `handlers`"],
        ),
        (
            "announce = \"hunter2\"",
            "",
            ["line 3 of `rotation.toml`", "expected a boolean"],
        ),
        ("[[[", "", ["line 3 of `rotation.toml`", "hint: "]),
        (
            "",
            "[secrets]\n\"hunter2\" = \"gma-client-secret\"",
            ["`secrets` in the settings", "`gma-client-secret`"],
        ),
        (
            "",
            "[secrets]\n\"hunter2!\" = \"hunter2!\"",
            ["`secrets` in the settings", "`gma-client-secret`"],
        ),
        (
            "",
            "[secrets]\n\"gma-client-secret\" = \"redhat-sso-client-secret\"",
            ["one name in the store", "a name of its own"],
        ),
    ] {
        sandbox.settings(top, tables)?;
        let before = sandbox.tree()?;
        for command in COMMANDS {
            let output = sandbox.run(&[command])?;
            assert_said(&output, 1, &words);
            assert_said(&output, 1, &["nothing was changed"]);
            assert!(!output.stderr.contains("hunter2"), "{output:?}");
        }
        let differences = before.differences(&sandbox.tree()?);
        assert!(differences.is_empty(), "{differences:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_is_none_is_named() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.settings("exclude_columns = [\"x\"]", RESTART)?;
    for command in ["rotate-dcr", "resume", "rollback"] {
        let words = ["`exclude_columns` in the settings", "`table.column`"];
        assert_said(&sandbox.run(&[command])?, 1, &words);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_are_not_there_are_named() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    for command in COMMANDS {
        for name in ["none.toml", ".", "no/such/folder/r.toml"] {
            let output = sandbox.run(&[command, "--settings", name])?;
            let words = ["the settings can't be read", name, "nothing was changed"];
            assert_said(&output, 1, &words);
        }
    }
    Ok(())
}

/// Scripts get an object when nothing could be done, too.
#[tokio::test(flavor = "multi_thread")]
async fn scripts_are_told_of_a_refusal() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    for command in COMMANDS {
        let output = sandbox.run(&[command, "--format", "json", "--settings", "none.toml"])?;
        assert_said(&output, 1, &["error: the settings can't be read"]);
        let error = &json(&output)?["error"];
        assert_eq!(error["state"], "nothing was changed", "{output:?}");
        assert!(error["message"].is_string(), "{output:?}");
    }
    Ok(())
}

/// Without any settings, the flag is enough; without either, it is said what is missing.
#[tokio::test(flavor = "multi_thread")]
async fn a_platform_has_to_be_named() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    fs::remove_file(sandbox.path("rotation.toml"))?;
    for command in ["resume", "rollback"] {
        assert_said(
            &sandbox.run(&[command])?,
            64,
            &["--platform local", "rotation.toml"],
        );
    }
    // Nobody knows of a store, but of runs.
    assert_said(&sandbox.run(&["status"])?, 0, &["none yet"]);
    let output = sandbox.run(&["rotate-dcr", "--platform", "local"])?;
    assert_said(&output, 3, &["Restart the service by hand"]);
    Ok(())
}

/// The variables of the service's own scripts go before the file.
#[tokio::test(flavor = "multi_thread")]
async fn the_environment_goes_before_the_file() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let renamed =
        "[services]\nhandler = \"of-the-file\"\n[secrets]\ndcr-encryption-key = \"file-key\"\n";
    sandbox.settings("", &format!("{RESTART}{renamed}"))?;
    let program = sandbox
        .program(&["rotate-dcr"])
        .env("HANDLER_SERVICE_NAME", "of-the-environment")
        .env("DCR_ENCRYPTION_KEY_SECRET", "environment-key");
    let output = sandbox.checked(&program)?;
    assert_said(&output, 0, &["of-the-environment-2"]);
    let stored = sandbox.stored_as(".rotation/environment-key")?;
    assert_eq!(stored.len(), 2);
    assert!(stored[1].value == sandbox.env_key()?, "another value");
    assert!(!sandbox.path(".rotation/file-key").exists());

    // Empty ones are as if they weren't there.
    let program = sandbox
        .program(&["rotate-dcr"])
        .env("HANDLER_SERVICE_NAME", "")
        .env("DCR_ENCRYPTION_KEY_SECRET", "");
    let output = sandbox.checked(&program)?;
    assert_said(&output, 0, &["of-the-file-2"]);
    assert_eq!(sandbox.stored_as(".rotation/file-key")?.len(), 2);
    sandbox.expect_clients(CLIENTS)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_of_the_environment_has_to_be_the_service_s_own() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let env = sandbox.read(".env")?;
    fs::copy(sandbox.path("clients.sqlite"), sandbox.path("copy.sqlite"))?;
    let with = |arguments: &[&str], url: &str| {
        sandbox.checked(&sandbox.program(arguments).env("DATABASE_URL", url))
    };
    // A copy's tokens open with the key in use as well; the service's own would be left behind.
    let before = sandbox.tree()?;
    for arguments in [
        &["rotate-dcr"][..],
        &["rotate-dcr", "--dry-run"],
        &["rotate-secret", "dcr-encryption-key", "--emergency"],
    ] {
        let refused = with(arguments, "sqlite+aiosqlite:///copy.sqlite")?;
        let words = ["copy.sqlite", "clients.sqlite", "`unset DATABASE_URL`"];
        assert_said(&refused, 1, &words);
        assert_said(&refused, 1, &["nothing was changed"]);
    }
    let differences = before.differences(&sandbox.tree()?);
    assert!(differences.is_empty(), "{differences:?}");
    // The same file by another name, and where the service's is not known.
    let same = format!("sqlite:///{}", sandbox.path("clients.sqlite").display());
    assert_said(&with(&["rotate-dcr"], &same)?, 0, &["Rotated"]);
    let lines = env.lines().filter(|line| !line.starts_with("DATABASE_URL"));
    let key = format!("DCR_ENCRYPTION_KEY={}", sandbox.env_key()?);
    let lines = lines.map(|line| match line.starts_with("DCR") {
        true => &*key,
        false => line,
    });
    sandbox.write_env(&(lines.collect::<Vec<_>>().join("\n") + "\n"))?;
    let rotated = with(&["rotate-dcr"], "sqlite+aiosqlite:///clients.sqlite")?;
    assert_said(&rotated, 0, &["Rotated", "can't be seen"]);
    sandbox.expect_clients(CLIENTS)
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_go_before_the_file() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.settings("soak = \"1h\"", RESTART)?;
    sandbox.write("other.toml", &format!("platform = \"none\"\n{RESTART}"))?;
    let arguments = [
        "rotate-dcr",
        "--settings",
        "other.toml",
        "--platform",
        "local",
    ];
    let output = sandbox.run(&[&arguments[..], &["--state-dir", "elsewhere"]].concat())?;
    assert_said(&output, 0, &["Rotated", "elsewhere"]);
    assert!(sandbox.path("elsewhere/runs").is_dir());
    assert!(!sandbox.path("state").exists());
    // The platform `none` takes keys, and knows no runs.
    let output = sandbox.run(&["rotate-dcr", "--platform", "none"])?;
    assert_said(&output, 1, &["DATABASE_URL is not set"]);
    sandbox.expect_clients(CLIENTS)
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_in_the_file_are_relative_to_it() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let [inner, env] = ["etc", "service"].map(|name| sandbox.path(name));
    fs::create_dir(&inner)?;
    fs::create_dir(&env)?;
    fs::copy(sandbox.path(".env"), env.join("variables"))?;
    // So is the database that the variables name.
    fs::rename(sandbox.path("clients.sqlite"), env.join("clients.sqlite"))?;
    fs::remove_file(sandbox.path("rotation.toml"))?;
    let text = "platform = \"local\"\nstate_dir = \"runs\"\n[local]\nenv_file = \"../service/variables\"\n";
    fs::write(
        inner.join("rotation.toml"),
        format!("{text}store = \"versions\"\n{RESTART}"),
    )?;
    let settings = ["--settings", "etc/rotation.toml"];
    let output = sandbox.run(&[&["rotate-dcr"], &settings[..]].concat())?;
    assert_said(&output, 0, &["Rotated"]);
    assert_eq!(
        sandbox.stored_as("etc/versions/dcr-encryption-key")?.len(),
        2
    );
    assert!(inner.join("runs/runs").is_dir());
    let names = sandbox.tree()?.names();
    assert!(
        !names.iter().any(|name| name.starts_with("state")),
        "{names:?}"
    );
    Ok(())
}

fn secret_of(status: &Output, name: &str) -> Result<Value> {
    let status = json(status)?;
    let secrets = status["secrets"].as_array().context("secrets")?;
    let found = secrets.iter().find(|secret| secret["name"] == name);
    Ok(found.context("the secret")?.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_overdue_is_told_by_the_exit_code() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
    for (every, is_overdue) in [
        ("1ms", true),
        ("1h", false),
        ("0s", true),
        ("100years", false),
    ] {
        sandbox.settings(&format!("rotate_every = \"{every}\""), RESTART)?;
        let code = i32::from(is_overdue);
        let output = sandbox.run(&["status"])?;
        assert_said(&output, code, &["version 2, 0 days old"]);
        assert_eq!(
            output.stdout.contains("OVERDUE since"),
            is_overdue,
            "{output:?}"
        );
        let output = sandbox.run(&["status", "--format", "json"])?;
        assert_said(&output, code, &[]);
        let secret = secret_of(&output, "dcr-encryption-key")?;
        assert_eq!(secret["is_overdue"], is_overdue);
    }
    Ok(())
}

/// Below HOME or XDG_STATE_HOME, one for each place; never in the folder where it is typed.
#[tokio::test(flavor = "multi_thread")]
async fn runs_are_kept_outside_the_repository_by_default() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    sandbox.write("rotation.toml", &format!("platform = \"local\"\n{RESTART}"))?;
    assert_said(&sandbox.run(&["rotate-dcr"])?, 0, &[]);
    let default = sandbox.home().join(".local/state/secret-rotation");
    let places = fs::read_dir(default)?.count();
    assert_eq!(places, 1);
    assert_said(&sandbox.run(&["status"])?, 0, &["  done 2"]);

    let other = sandbox.home().join("xdg");
    let at = |arguments: &[&str]| {
        let program = sandbox.program(arguments);
        sandbox.checked(&program.env("XDG_STATE_HOME", &other))
    };
    assert_said(&at(&["status"])?, 0, &["none yet"]);
    assert_said(&at(&["rotate-dcr"])?, 0, &["Rotated"]);
    assert!(other.join("secret-rotation").is_dir());
    // A relative one is none, by the specification of these variables.
    let program = sandbox.program(&["status"]).env("XDG_STATE_HOME", "here");
    assert_said(&sandbox.checked(&program)?, 0, &["  done 2"]);
    let names = sandbox.tree()?.names();
    let is_run = |name: &String| name.contains("journal.jsonl") || name.starts_with("here");
    assert!(!names.iter().any(is_run), "{names:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_contact_is_told_where_windows_are_announced() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let settings =
        "platform = \"local\"\nannounce = true\n[contacts]\nusers = \"all@example.com\"\n";
    sandbox.write("rotation.toml", settings)?;
    assert_said(
        &sandbox.run(&["status"])?,
        1,
        &["Missing: the contact `on_call`"],
    );
    let runbook = sandbox.run(&["runbook"])?;
    assert_said(
        &runbook,
        0,
        &["- `users`: all@example.com", "- `gma`: not set"],
    );
    sandbox.write("rotation.toml", &settings.replace("announce = true\n", ""))?;
    assert_said(&sandbox.run(&["status"])?, 0, &[]);
    Ok(())
}
