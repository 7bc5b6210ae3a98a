//! The examples in the help do what they say.
use anyhow::Result;
use secret::FernetKey;

use super::sandbox::{RESTART, Sandbox, assert_said};

/// The examples of a command that are typed in this repository.
fn examples(sandbox: &Sandbox, command: &str) -> Result<Vec<String>> {
    let help = sandbox.run(&[command, "--help"])?.stdout;
    let typed = help.lines().filter_map(|line| line.strip_prefix("    "));
    let typed = typed.filter(|line| line.starts_with("cargo xtask "));
    Ok(typed.map(ToOwned::to_owned).collect())
}

/// A service with its `.env`, and the two keys in files; or these without settings, where
/// the table alone is re-encrypted.
async fn place(has_settings: bool) -> Result<Sandbox> {
    let sandbox = Sandbox::with_clients(3).await?;
    sandbox.write("old.key", &sandbox.env_key()?)?;
    sandbox.write("new.key", &FernetKey::generate().to_text())?;
    sandbox.settings("", RESTART)?;
    if !has_settings {
        std::fs::remove_file(sandbox.path("rotation.toml"))?;
    }
    for folder in [".zfunc", ".config/fish/conf.d", ".config/elvish"] {
        std::fs::create_dir_all(sandbox.home().join(folder))?;
    }
    Ok(sandbox)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_example_runs() -> Result<()> {
    let commands = [
        "rotate-dcr",
        "survey-dcr",
        "status",
        "runbook",
        "completions",
    ];
    for command in commands {
        let examples = examples(&place(true).await?, command)?;
        assert!(!examples.is_empty(), "{command}");
        for example in examples {
            let takes_keys = ["-key-file", "--exclude-column"];
            let takes_keys = takes_keys.iter().any(|flag| example.contains(flag));
            let sandbox = place(!takes_keys).await?;
            let mut shell = sandbox.shell(&example);
            if example.contains("--exclude-column") {
                shell = shell
                    .env("DCR_OLD_KEY", sandbox.read("old.key")?)
                    .env("DCR_NEW_KEY", sandbox.read("new.key")?);
            }
            let shell = shell
                .env("DATABASE_URL", "sqlite+aiosqlite:///clients.sqlite")
                .env("PROFILE", sandbox.path("profile.ps1"));
            let output = sandbox.checked(&shell)?;
            let (code, said) = match example.as_str() {
                // Of what this place has not.
                _ if example.contains("--exclude-column") => (1, "no column `other"),
                _ if example.contains("--statement-timeout") => (64, "SQLite has no timeout"),
                _ => (0, ""),
            };
            assert_eq!(output.code, Some(code), "{example}: {output:#?}");
            assert_said(&output, code, &[said]);
        }
    }
    Ok(())
}

/// The only run that isn't finished goes on, or back.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_needs_no_name_where_it_is_the_only_one() -> Result<()> {
    for (line, said) in [
        ("cargo xtask resume", "Rotated"),
        ("cargo xtask rollback", "Rolled back"),
    ] {
        let sandbox = place(true).await?;
        sandbox.write("broken", "")?;
        assert_said(&sandbox.run(&["rotate-dcr"])?, 2, &[]);
        std::fs::remove_file(sandbox.path("broken"))?;
        let help = examples(&sandbox, line.split(' ').next_back().unwrap_or_default())?;
        assert!(help.contains(&line.to_owned()), "{help:?}");
        assert_said(&sandbox.pasted(line)?, 0, &[said]);
    }
    Ok(())
}
