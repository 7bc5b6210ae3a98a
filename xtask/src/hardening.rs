//! Keeps the process's memory, and with it the keys, out of files and messages.

use std::panic::{self, AssertUnwindSafe};

use anyhow::Context as _;
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::exit_code;
use crate::failure::Failure;
use crate::output::Printer;

/// Turns core dumps off and quietens panics. To be called before anything else;
/// where the system refuses, that is a warning.
pub(crate) fn harden(printer: &Printer) {
    if let Err(error) = turn_core_dumps_off() {
        printer.warning(&format!(
            "a crash could leave keys in a core file: {error:#}"
        ));
    }
    panic::set_hook(Box::new(|panicked| {
        // The payload stays out: it may quote the value that nobody expected.
        let place = panicked.location().map(ToString::to_string);
        let place = place.unwrap_or_else(|| "an unknown place".to_owned());
        Printer::default().line(&format!("the tool itself failed, at {place}"));
    }));
}

/// Runs `work` and gives its exit code. A panic ends like any failure whose
/// outcome isn't known.
pub(crate) fn survive_panic(work: impl FnOnce() -> u8) -> u8 {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Printer::default().failure(&Failure {
            exit_code: exit_code::CHANGE_FAILED,
            message: "this is a mistake in the tool".to_owned(),
            state: Some("a database rolls back by itself what was not committed".to_owned()),
            hint: Some(
                "`cargo xtask status` names a run that was cut off, with the next command; \
                 `cargo xtask survey-dcr` shows which key the table is under"
                    .to_owned(),
            ),
            ..Failure::default()
        });
        exit_code::CHANGE_FAILED
    })
}

fn turn_core_dumps_off() -> anyhow::Result<()> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none).context("setting the limit of core files failed")?;
    refuse_dumps_and_debuggers()
}

/// A core file can also be piped into a program, where the limit doesn't count.
#[cfg(target_os = "linux")]
fn refuse_dumps_and_debuggers() -> anyhow::Result<()> {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .context("marking the process as not dumpable failed")
}

#[cfg(not(target_os = "linux"))]
fn refuse_dumps_and_debuggers() -> anyhow::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_as_a_failure_whose_outcome_is_not_known() {
        assert_eq!(survive_panic(|| exit_code::DONE), exit_code::DONE);
        assert_eq!(
            survive_panic(|| panic!("out of order")),
            exit_code::CHANGE_FAILED
        );
    }

    /// What a process finds in its environment that is to panic over a value.
    const PANICS: &str = "HARDENING_PANICS";
    const VALUE: &str = "tell-n0body-but-a-panic";

    /// In another process, whose output and hook are its own.
    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "what a panic prints, another process alone can see"
    )]
    fn a_panic_over_a_value_in_any_thread_prints_its_place_and_no_value() {
        let this = std::env::current_exe().unwrap();
        let test = "hardening::tests::panic_over_a_value";
        for thread in ["main", "task", "blocking"] {
            let mut child = std::process::Command::new(&this);
            child.args([test, "--exact", "--nocapture", "--test-threads=1"]);
            child.env(PANICS, thread).env("RUST_BACKTRACE", "full");
            let output = child.output().unwrap();
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said).into_owned();
            assert!(
                !said.contains(VALUE),
                "{thread}: {}",
                said.replace(VALUE, "VALUE")
            );
            let place = format!("the tool itself failed, at {}", file!());
            assert!(said.contains(&place), "{thread}: {said}");
            assert!(
                said.contains("this is a mistake in the tool"),
                "{thread}: {said}"
            );
            assert!(!said.contains("stack backtrace"), "{thread}: {said}");
        }
    }

    /// As in the middle of a step: the payload is an error that quotes what it was given.
    #[test]
    fn panic_over_a_value() {
        let Some(thread) = std::env::var_os(PANICS) else {
            return;
        };
        let refused = || -> Result<u8, String> { Err(format!("refused: {VALUE}")) };
        let panics = move || refused().unwrap();
        harden(&Printer::default());
        let code = survive_panic(|| {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let joined = match thread.to_str() {
                    Some("task") => tokio::spawn(async move { panics() }).await,
                    Some("blocking") => tokio::task::spawn_blocking(panics).await,
                    _ => Ok(panics()),
                };
                joined.unwrap_or_else(|error| panic::resume_unwind(error.into_panic()))
            })
        });
        assert_eq!(code, exit_code::CHANGE_FAILED);
    }

    #[test]
    fn core_dumps_are_off() {
        turn_core_dumps_off().unwrap();
        assert_eq!(rustix::process::getrlimit(Resource::Core).current, Some(0));
    }
}
