//! A real bash completes `cargo xtask`, and what it completed after `cargo` before.
use anyhow::Result;
use integration_tests::Program;

use super::Xtask;

/// What a shell with the script completes a line to, when somebody else completes
/// `cargo` otherwise.
fn completed(line: &str) -> Result<Vec<String>> {
    let folder = tempfile::tempdir()?;
    let script = Xtask::new("completions").arg("bash").run();
    assert_eq!(
        (script.code, script.stderr.as_str()),
        (Some(0), ""),
        "{script:?}"
    );
    std::fs::write(folder.path().join("cargo-xtask.bash"), script.stdout)?;
    std::fs::write(folder.path().join("old.key"), "")?;
    let shell = r#"
        _others() { COMPREPLY=(build); }
        # It is for a shell that somebody types in.
        compopt() { :; }
        complete -F _others cargo
        source ./cargo-xtask.bash
        words=($LINE)
        [[ $LINE == *' ' ]] && words+=('')
        COMP_WORDS=("${words[@]}") COMP_CWORD=$(( ${#words[@]} - 1 ))
        [[ $(complete -p cargo) =~ -F\ ([^ ]+) ]]
        "${BASH_REMATCH[1]}" cargo "${words[COMP_CWORD]}" "${words[COMP_CWORD-1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let output = Program::xtask("bash")
        .args(["--norc", "-c", shell])
        .env("LINE", line)
        .current_dir(folder.path())
        .run();
    assert_eq!(
        (output.code, output.stderr.as_str()),
        (Some(0), ""),
        "{output:?}"
    );
    Ok(output.stdout.lines().map(str::to_owned).collect())
}

#[test]
fn bash_completes_commands_secrets_values_and_files() -> Result<()> {
    for (line, expected) in [
        (
            "cargo xtask ro",
            &["rotate-dcr", "rotate-secret", "rollback"][..],
        ),
        (
            "cargo xtask rotate-secret d",
            &["database-url", "dcr-encryption-key"],
        ),
        (
            "cargo xtask status --platform ",
            &["none", "local", "google-cloud"],
        ),
        ("cargo xtask rotate-dcr --dry", &["--dry-run"]),
        ("cargo xtask rotate-dcr --old-key-file old", &["old.key"]),
        ("cargo xtask stand-in", &[]),
    ] {
        let mut completed = completed(line)?;
        completed.retain(|word| !word.is_empty());
        completed.sort();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(completed, expected, "{line}");
    }
    Ok(())
}

#[test]
fn bash_completes_cargo_itself_as_before() -> Result<()> {
    assert_eq!(completed("cargo bui")?, ["build"]);
    assert_eq!(completed("cargo build --")?, ["build"]);
    Ok(())
}
