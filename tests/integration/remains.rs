//! What a program leaves in the memory of its process when it is over: a core that is taken
//! on purpose, and what a value looks like there.
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use integration_tests::{Output, Program};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::faults::random::say;

/// The ways to be let near another process's memory: as root, or as root of a namespace.
const WAYS: [&[&str]; 2] = [&[], &["unshare", "--user", "--map-root-user"]];

/// What writes a program's memory down.
pub(crate) struct Tracer {
    way: &'static [&'static str],
    core: PathBuf,
}

impl Tracer {
    /// One that writes to this file; nothing if the tests of memory are to be left out. It is
    /// tried with a program that any run is like: it forbids others its memory.
    pub(crate) fn writing_to(core: &Path, probe: &Program) -> Result<Option<Tracer>> {
        for way in WAYS {
            let core = core.to_owned();
            let tracer = Tracer { way, core };
            if tracer.around(probe.clone())?.run().code == Some(0) {
                return Ok(Some(tracer));
            }
        }
        assert!(
            std::env::var_os("TEST_WITHOUT_NAMESPACES").is_some(),
            "the memory of a process can be looked at neither by this user nor in a user \
             namespace (in a container, both may be forbidden). TEST_WITHOUT_NAMESPACES=1 \
             leaves this test out, and with it the proof that no secret stays there"
        );
        say("left out, because TEST_WITHOUT_NAMESPACES is set");
        Ok(None)
    }

    /// What stands before the program and its arguments.
    pub(crate) fn words(&self) -> Result<Vec<&str>> {
        let core = self.core.to_str().context("a name")?;
        let tracer = [env!("CARGO_BIN_EXE_memory-at-exit"), core];
        Ok([self.way, &tracer].concat())
    }

    /// The program, whose memory is written to the file when it ends.
    pub(crate) fn around(&self, program: Program) -> Result<Program> {
        let words = self.words()?;
        let (first, others) = words.split_first().context("a program")?;
        Ok(program.through(first, others))
    }

    /// Runs the program, and gives what it did and what it left.
    pub(crate) fn run(&self, program: Program) -> Result<(Output, Remains)> {
        let output = self.around(program)?.run();
        Ok((output, self.remains()?))
    }

    /// What the program left that was written down last.
    pub(crate) fn remains(&self) -> Result<Remains> {
        let remains = Remains::of(&fs::read(&self.core)?);
        fs::remove_file(&self.core)?;
        // Where its arguments are.
        let is_all = remains.count(b"xtask-under-test") > 0;
        ensure!(is_all, "the memory was looked at in a wrong way");
        Ok(remains)
    }
}

/// What is left of a process.
pub(crate) struct Remains(Vec<u8>);

impl Remains {
    /// Nine tenths are pages that nothing was ever written to.
    fn of(memory: &[u8]) -> Remains {
        const NOTHING: [u8; 4096] = [0; 4096];
        let pages = memory.chunks(NOTHING.len());
        let written = pages.filter(|page| **page != NOTHING[..page.len()]);
        Remains(written.flatten().copied().collect())
    }

    /// How often bytes stand in it.
    pub(crate) fn count(&self, needle: &[u8]) -> usize {
        let Some((first, rest)) = needle.split_first() else {
            return 0;
        };
        let mut places = self.0.iter().enumerate().filter(|(_, byte)| *byte == first);
        std::iter::from_fn(|| places.next())
            .filter(|(at, _)| self.0[at + 1..].starts_with(rest))
            .count()
    }

    /// Sees that nothing of these is left: no value, and nothing that one is read from.
    #[track_caller]
    pub(crate) fn expect_none_of(&self, values: &[String], case: &str) {
        for (number, value) in values.iter().enumerate() {
            for (form, bytes) in forms(value) {
                let copies = self.count(&bytes);
                assert_eq!(copies, 0, "{case}: the {form} of value {number}");
            }
        }
    }
}

/// A value as it stands in the memory of whoever stores it, sends it and logs in with it:
/// the last half of each form, for an allocator writes over the first bytes of what it gets
/// back.
fn forms(value: &str) -> Vec<(&'static str, Vec<u8>)> {
    let in_a_form: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
    // After a client's id, whose length is anything.
    let login_after = |id: &str| STANDARD_NO_PAD.encode(format!("{id}:{in_a_form}"));
    let logins = [login_after(""), login_after("i"), login_after("id")];
    let in_a_url = utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
    let all = [
        ("text", value.to_owned()),
        ("encoding in a URL", in_a_url),
        ("encoding in a form", in_a_form),
        ("base64", STANDARD_NO_PAD.encode(value)),
        ("URL-safe base64", URL_SAFE_NO_PAD.encode(value)),
    ];
    let logins = logins.map(|login| ("login over HTTP", login));
    let last_half = |(form, text): (_, String)| (form, text.as_bytes()[text.len() / 2..].to_vec());
    all.into_iter().chain(logins).map(last_half).collect()
}

/// Or nothing that is said of what isn't there would be worth anything.
#[cfg(target_os = "linux")]
#[test]
fn what_a_program_has_in_its_memory_is_found() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let said = r#"name=xtask-under-test; value=tell-n0body-$((40 + 2)); test -n "$value""#;
    let program = Program::xtask("/bin/sh").args(["-c", said]);
    let Some(tracer) = Tracer::writing_to(&folder.path().join("core"), &program)? else {
        return Ok(());
    };
    let (output, remains) = tracer.run(program)?;
    assert_eq!(output.code, Some(0), "{output:?}");
    assert!(remains.count(b"tell-n0body-42") > 0);
    assert_eq!(remains.count(b"tell-n0body-43"), 0);
    Ok(())
}
