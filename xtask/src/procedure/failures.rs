//! What a run's end is to whoever typed the command: a message, the state that
//! things are in, the next command, an exit code.

use runbook::{History, JournalError, RunsError, StepError as _, Stopped};

use crate::cli::quoted;
use crate::exit_code;
use crate::failure::{Failure, chain};

impl Failure {
    /// Of a run that stopped before its end.
    pub(super) fn from_stopped(stopped: &Stopped<rotation::Error>, history: &History) -> Failure {
        let run = history.run.as_str();
        let resume = format!("`cargo xtask resume {run}` goes on");
        let roll_back = format!("`cargo xtask rollback {run}` undoes the run");
        let (code, advice) = match stopped {
            Stopped::Failed {
                error,
                changed: true,
                ..
            } => (
                exit_code::CHANGE_FAILED,
                with(
                    error.hint(),
                    &format!("{resume} with this step; {roll_back}"),
                ),
            ),
            Stopped::Failed { error, .. } => (
                exit_code::CHECK_FAILED,
                with(
                    error.hint(),
                    "when that is put right, run the same command again",
                ),
            ),
            Stopped::Waits { .. } if rotation::waits_for_value(history) => (
                exit_code::STOPPED,
                format!(
                    "once you have the value, `cargo xtask resume {run}` asks for it at a hidden \
                     prompt, or reads it from the file after `--value-file` (`-` is standard input); \
                     {roll_back}"
                ),
            ),
            Stopped::Waits { until: None, .. } if rotation::waits_for_restart(history) => (
                exit_code::STOPPED,
                format!(
                    "when it is restarted, `cargo xtask resume {run} --done` goes on undoing the run"
                ),
            ),
            Stopped::Waits { until: None, .. } => (
                exit_code::STOPPED,
                format!("when it is done, `cargo xtask resume {run} --done` goes on; {roll_back}"),
            ),
            Stopped::Waits {
                until: Some(until), ..
            } => (
                exit_code::STOPPED,
                format!("{resume} from {until:.0} on; {roll_back}"),
            ),
            Stopped::Interrupted { .. } => (exit_code::STOPPED, format!("{resume}; {roll_back}")),
            Stopped::Disturbed { .. } => (
                exit_code::CHANGE_FAILED,
                format!(
                    "look who changed it; {roll_back}, or put it right and resume; if neither works, and \
                     the services do with what they have, `cargo xtask abandon {run}` ends it"
                ),
            ),
            Stopped::Stuck { error, .. } => (
                exit_code::STUCK,
                with(
                    error.hint(),
                    &format!(
                        "a person must look at this; then `cargo xtask rollback {run}` goes on; if it \
                         can't, and the services work with what they have, `cargo xtask abandon {run}` \
                         ends the run"
                    ),
                ),
            ),
            Stopped::CannotUndo { .. } => (exit_code::CHECK_FAILED, resume),
            Stopped::Journal(error) => (
                exit_code::CHANGE_FAILED,
                format!("{}; the run is {run}", error.hint()),
            ),
        };
        let title = match stopped {
            Stopped::Waits { .. } => "waiting",
            _ => "error",
        };
        Failure {
            exit_code: code,
            title,
            state: Some(rotation::state(history)),
            hint: Some(advice),
            ..Failure::check(chain(stopped))
        }
    }

    /// Of a look that changed nothing.
    pub(crate) fn from_check(error: &rotation::Error) -> Failure {
        let failure = if error.is_interruption() {
            Failure::stopped("interrupted")
        } else {
            Failure::check(chain(error)).nothing_changed()
        };
        failure.hint_if_any(error.hint())
    }

    /// Of a run that a command leaves as it is.
    pub(super) fn from_refusal(error: &rotation::Error, history: &History) -> Failure {
        let state = rotation::state(history);
        Failure {
            state: Some(format!(
                "nothing was changed by this command; of the run: {state}"
            )),
            ..Failure::from_check(error)
        }
    }

    /// Of a rollback that does not begin, as it could not come to its end.
    pub(super) fn from_refused_rollback(error: &rotation::Error, history: &History) -> Failure {
        let failure = Failure::from_refusal(error, history);
        if !history.is_unfinished() {
            return failure;
        }
        let run = &history.run;
        let others = format!(
            "`cargo xtask resume {run}` goes on; if that doesn't work either, and the services do with \
             what they have, `cargo xtask abandon {run}` ends the run"
        );
        let hint = with(failure.hint.clone(), &others);
        failure.hint(hint)
    }

    /// Of a run that isn't left, as something depends on it.
    pub(super) fn from_refused_abandonment(error: &rotation::Error, history: &History) -> Failure {
        let run = &history.run;
        // What waits for people goes on when they say that it is done.
        let (done, resume) = match error {
            rotation::Error::NotRestarted { .. } | rotation::Error::RevocationAsked => (
                format!(": `cargo xtask abandon {run} --done`"),
                format!("`cargo xtask resume {run} --done`, if what it waits for is done"),
            ),
            _ => (String::new(), format!("`cargo xtask resume {run}`")),
        };
        let others = format!(
            "first try whether the run can go on: {resume}; or back: `cargo xtask rollback {run}`"
        );
        let failure = Failure::from_refusal(error, history);
        let hint = match &failure.hint {
            Some(hint) => format!("{others}; {hint}{done}"),
            None => others,
        };
        failure.hint(hint)
    }

    /// Of a failure after which everything was undone. Where nothing had been
    /// changed, it is a check that failed.
    pub(super) fn undone(self, changed: bool) -> Failure {
        if !changed {
            return Failure {
                exit_code: exit_code::CHECK_FAILED,
                ..self.nothing_changed()
            };
        }
        Failure {
            exit_code: exit_code::UNDONE,
            state: Some("undone: everything is as it was before the run".to_owned()),
            hint: Some("when the cause is put right, begin a new run".to_owned()),
            ..self
        }
    }

    /// Of a run that can't be begun, opened or found; nothing was changed.
    pub(crate) fn from_runs(error: &RunsError) -> Failure {
        let hint = match error {
            RunsError::Busy { .. } => {
                "wait for it, or look for its process; `cargo xtask status` shows how far it is"
                    .to_owned()
            }
            RunsError::Unfinished { run, .. } => format!(
                "`cargo xtask resume {run}` goes on with it; `cargo xtask rollback {run}` undoes it"
            ),
            RunsError::OtherSteps { .. } => {
                "go on with the build and the settings that it began with".to_owned()
            }
            RunsError::UnfinishedElsewhere { run, folder, .. } => {
                let folder = quoted(&folder.display().to_string());
                format!(
                    "whoever began it goes on with `cargo xtask resume {run} --state-dir {folder}`, or rolls it back"
                )
            }
            RunsError::Followed { later, .. } => {
                format!("`cargo xtask rollback {later}` first")
            }
            RunsError::OtherRotation { .. } | RunsError::NoSuchRun { .. } => {
                "`cargo xtask status` lists the runs".to_owned()
            }
            RunsError::Journal(error) => return Failure::from_journal(error),
            RunsError::Io { .. } => {
                "make room there, or mend its permissions; `--state-dir` names another \
                 folder for runs, but not for what tells of them in the store"
                    .to_owned()
            }
        };
        Failure::check(chain(error)).nothing_changed().hint(hint)
    }

    /// Of a journal that can't be read.
    pub(crate) fn from_journal(error: &JournalError) -> Failure {
        Failure::check(chain(error))
            .nothing_changed()
            .hint(error.hint())
    }
}

fn with(hint: Option<String>, then: &str) -> String {
    match hint {
        Some(hint) => format!("{hint}; {then}"),
        None => then.to_owned(),
    }
}
