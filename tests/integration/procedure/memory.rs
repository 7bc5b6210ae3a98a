//! What a run leaves in the memory of its process when it is over: no key and no token's
//! text; a few copies of half a key's bytes, where a cipher worked with them.
use std::fs;

use anyhow::{Context as _, Result};
use integration_tests::{Output, Program};

use super::sandbox::{Sandbox, assert_said};
use crate::faults::random::say;

const CLIENTS: u64 = 200;
/// Of half a key, in the stacks of threads: the ciphers don't wipe what they work with.
/// That is few, whatever the number of cells. See `crates/secret/README.md`.
const MOST_COPIES: usize = 16;

/// The ways to be let near another process's memory: as root, or as root of a namespace.
const WAYS: [&[&str]; 2] = [&[], &["unshare", "--user", "--map-root-user"]];

/// A program whose memory is written to a file when it ends.
fn through_tracer(program: Program, way: &[&str], core: &str) -> Program {
    let tracer = program.through(env!("CARGO_BIN_EXE_memory-at-exit"), &[core]);
    match way {
        [] => tracer,
        [unshare, words @ ..] => tracer.through(unshare, words),
    }
}

/// Runs the program, and gives what it did and what it left; nothing if the test is to be
/// left out.
fn left_by(sandbox: &Sandbox, program: Program) -> Result<Option<(Output, Vec<u8>)>> {
    let core = sandbox.home().join("core");
    let file = core.to_str().context("a name")?;
    // Any run forbids others its memory.
    let is_let_near = |way: &&[&str]| {
        let probe = through_tracer(sandbox.program(&["--version"]), way, file);
        probe.run().code == Some(0)
    };
    let Some(way) = WAYS.into_iter().find(is_let_near) else {
        assert!(
            std::env::var_os("TEST_WITHOUT_NAMESPACES").is_some(),
            "the memory of a process can be looked at neither by this user nor in a user \
             namespace (in a container, both may be forbidden). TEST_WITHOUT_NAMESPACES=1 \
             leaves this test out, and with it the proof that no key stays there"
        );
        say("left out, because TEST_WITHOUT_NAMESPACES is set");
        return Ok(None);
    };
    let output = through_tracer(program, way, file).run();
    Ok(Some((output, fs::read(&core)?)))
}

/// How often bytes stand in others.
fn count(needle: &[u8], hay: &[u8]) -> usize {
    let Some((first, rest)) = needle.split_first() else {
        return 0;
    };
    let mut places = hay.iter().enumerate().filter(|(_, byte)| *byte == first);
    std::iter::from_fn(|| places.next())
        .filter(|(at, _)| hay[at + 1..].starts_with(rest))
        .count()
}

/// A key's text and its two halves, each of which opens something: what signs, and what
/// encrypts.
fn forms(key: &str) -> Result<Vec<(&'static str, Vec<u8>)>> {
    let bytes = secret::python_base64::decode(key.as_bytes())?;
    Ok(vec![
        ("text", key.trim_end_matches('=').as_bytes().to_vec()),
        ("signing half", bytes[..16].to_vec()),
        ("encrypting half", bytes[16..].to_vec()),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_key_s_rotation_it_has_no_key_and_no_text() -> Result<()> {
    let sandbox = Sandbox::with_clients(CLIENTS).await?;
    let old = sandbox.env_key()?;
    let Some((output, left)) = left_by(&sandbox, sandbox.program(&["rotate-dcr"]))? else {
        return Ok(());
    };
    assert_said(&output, 0, &["Rotated"]);
    let new = sandbox.env_key()?;
    assert!(new != old, "not rotated");
    // What is there for sure: or the memory was looked at in a wrong way.
    assert!(count(b"DCR_ENCRYPTION_KEY", &left) > 0, "no memory at all");
    assert_eq!(count(b"made-up-secret", &left), 0, "a token's text");
    for (which, key) in [("old", &old), ("new", &new)] {
        for (form, bytes) in forms(key)? {
            let copies = count(&bytes, &left);
            let most = if form == "text" { 0 } else { MOST_COPIES };
            assert!(copies <= most, "the {which} key's {form}: {copies} times");
        }
    }
    Ok(())
}
