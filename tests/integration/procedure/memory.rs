//! What a run leaves in the memory of its process when it is over: no key and no token's
//! text; a few copies of half a key's bytes, where a cipher worked with them.
use anyhow::Result;

use super::sandbox::{Sandbox, assert_said};
use crate::remains::Tracer;

const CLIENTS: u64 = 200;
/// Of half a key, in the stacks of threads: the ciphers don't wipe what they work with.
/// That is few, whatever the number of cells. See `crates/secret/README.md`.
const MOST_COPIES: usize = 16;

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
    let (core, probe) = (sandbox.home().join("core"), sandbox.program(&["--version"]));
    let Some(tracer) = Tracer::writing_to(&core, &probe)? else {
        return Ok(());
    };
    let (output, left) = tracer.run(sandbox.program(&["rotate-dcr"]))?;
    assert_said(&output, 0, &["Rotated"]);
    let new = sandbox.env_key()?;
    assert!(new != old, "not rotated");
    left.expect_none_of(&[old.clone(), new.clone()], "the keys");
    assert_eq!(left.count(b"made-up-secret"), 0, "a token's text");
    for (which, key) in [("old", &old), ("new", &new)] {
        for (form, bytes) in forms(key)? {
            let copies = left.count(&bytes);
            let most = if form == "text" { 0 } else { MOST_COPIES };
            assert!(copies <= most, "the {which} key's {form}: {copies} times");
        }
    }
    Ok(())
}
