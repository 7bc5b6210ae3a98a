//! Keeps the process's memory, and with it the keys, out of files and messages.

use std::panic::{self, AssertUnwindSafe};

use anyhow::Context as _;
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::exit_code;
use crate::failure::Failure;
use crate::printer::Printer;

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
            hint: Some("`cargo xtask survey-dcr` shows which key the table is under".to_owned()),
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

    #[test]
    fn core_dumps_are_off() {
        turn_core_dumps_off().unwrap();
        assert_eq!(rustix::process::getrlimit(Resource::Core).current, Some(0));
    }
}
