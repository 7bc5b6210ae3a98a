//! A command that failed: what to say and how to exit.

use std::error::Error;

use reencrypt::TableState;
use serde_json::{Value, json};

use crate::cli::Place;
use crate::exit_code;

/// What went wrong, what state things are in, and what to do next.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// One of [`exit_code`]'s.
    pub(crate) exit_code: u8,
    /// What the message is: an error, unless a run only waits.
    pub(crate) title: &'static str,
    /// The error with its causes, in one line.
    pub(crate) message: String,
    /// The state that things are in, where that needs saying.
    pub(crate) state: Option<String>,
    /// The next command, or what to look at.
    pub(crate) hint: Option<String>,
    /// The state of the table, for scripts.
    pub(crate) table: TableState,
}

impl Default for Failure {
    fn default() -> Self {
        Failure {
            exit_code: exit_code::CHECK_FAILED,
            title: "error",
            message: String::new(),
            state: None,
            hint: None,
            table: TableState::Untouched,
        }
    }
}

impl Failure {
    /// A check that failed before anything was changed.
    pub(crate) fn check(message: impl Into<String>) -> Failure {
        Failure {
            message: message.into(),
            ..Failure::default()
        }
    }

    /// Something was typed that can't be meant so.
    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure {
            exit_code: exit_code::USAGE,
            ..Failure::check(message)
        }
    }

    /// Somebody asked to stop before anything was begun.
    pub(crate) fn stopped(message: impl Into<String>) -> Failure {
        Failure {
            exit_code: exit_code::STOPPED,
            ..Failure::check(message).nothing_changed()
        }
    }

    /// The failure of a connection, a check or a survey: of what changes nothing.
    pub(crate) fn before_changing(error: &reencrypt::Error) -> Failure {
        Failure {
            exit_code: match error {
                reencrypt::Error::Interrupted => exit_code::STOPPED,
                _ => exit_code::CHECK_FAILED,
            },
            hint: Some(advice(error, TableState::Untouched)),
            ..Failure::check(chain(error)).nothing_changed()
        }
    }

    /// The failure of a re-encryption.
    pub(crate) fn while_rotating(failed: &reencrypt::Failed, dry_run: bool) -> Failure {
        let state = match failed.table {
            TableState::Untouched => "nothing was written: the table is as it was before",
            TableState::RolledBack => "rolled back: the table is as it was before",
            TableState::Unknown => {
                "unknown: the table is either wholly as before or wholly under the new key"
            }
        };
        let exit_code = match (&failed.error, failed.table) {
            (reencrypt::Error::Interrupted, _) => exit_code::STOPPED,
            (_, TableState::Untouched) => exit_code::CHECK_FAILED,
            (_, TableState::RolledBack) if dry_run => exit_code::CHECK_FAILED,
            _ => exit_code::CHANGE_FAILED,
        };
        Failure {
            exit_code,
            message: chain(&failed.error),
            state: Some(state.to_owned()),
            hint: Some(advice(&failed.error, failed.table)),
            table: failed.table,
            ..Failure::default()
        }
    }

    /// Of a platform that can't be used; nothing was changed.
    pub(crate) fn from_platform(error: &platform::Error) -> Failure {
        Failure::check(chain(error))
            .nothing_changed()
            .hint_if_any(error.hint())
    }

    /// Of the demonstration or the repository: what touches no secret and no table.
    pub(crate) fn from_anyhow(error: &anyhow::Error) -> Failure {
        Failure::check(format!("{error:#}"))
    }

    /// For a script: what people are told, in an object.
    pub(crate) fn json(&self) -> Value {
        json!({"message": self.message, "state": self.state, "hint": self.hint})
    }

    /// With the flags that were typed in the commands of its advice.
    pub(crate) fn at(self, place: &Place) -> Failure {
        Failure {
            hint: self.hint.map(|hint| place.complete(&hint)),
            ..self
        }
    }

    /// With advice.
    pub(crate) fn hint(self, hint: impl Into<String>) -> Failure {
        Failure {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// With advice, where there is any.
    pub(crate) fn hint_if_any(self, hint: Option<impl Into<String>>) -> Failure {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// Says that nothing was changed.
    pub(crate) fn nothing_changed(self) -> Failure {
        Failure {
            state: Some("nothing was changed".to_owned()),
            ..self
        }
    }
}

/// The error's own hint, or what follows from the state of the table.
fn advice(error: &reencrypt::Error, table: TableState) -> String {
    let general = match (error, table) {
        (_, TableState::Unknown) => {
            "`cargo xtask survey-dcr` shows which key the table is under; the same command again is \
             safe either way"
        }
        (reencrypt::Error::Interrupted, _) => {
            "run the same command again: it begins anew and loses nothing"
        }
        _ => "when that is put right, run the same command again: it begins anew and loses nothing",
    };
    error.hint().unwrap_or_else(|| general.to_owned())
}

/// An error and all its causes, each once, in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut message = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        // Some libraries repeat the cause in the error's own text.
        if !message.ends_with(&cause_text) {
            message = format!("{message}: {cause_text}");
        }
        next = cause.source();
    }
    message
}

#[cfg(test)]
mod tests {
    use reencrypt::{Error, Failed};

    use super::*;

    #[test]
    fn the_exit_code_follows_the_table_unless_somebody_interrupted() {
        let exit_code = |error: Error, table, dry_run| {
            let failed = Failed {
                error,
                table,
                clients: None,
                columns: None,
            };
            Failure::while_rotating(&failed, dry_run).exit_code
        };
        for (table, dry_run, code) in [
            (TableState::Untouched, false, 1),
            (TableState::RolledBack, true, 1),
            (TableState::RolledBack, false, 2),
            (TableState::Unknown, false, 2),
        ] {
            assert_eq!(
                exit_code(Error::ReadOnly, table, dry_run),
                code,
                "{table:?}"
            );
            assert_eq!(
                exit_code(Error::Interrupted, table, dry_run),
                3,
                "{table:?}"
            );
        }
    }

    #[test]
    fn a_cause_is_told_once() {
        let source = std::io::Error::other("no such host");
        let error = anyhow::Error::new(source)
            .context("cannot connect: no such host")
            .context("failed");
        assert_eq!(
            chain(error.as_ref()),
            "failed: cannot connect: no such host"
        );
    }
}
