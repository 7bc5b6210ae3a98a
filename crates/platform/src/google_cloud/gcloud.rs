//! The one door to `gcloud`: words in, a typed answer out.

use std::time::Duration;

use secret::SecretValue;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::Settings;
use super::failure::{Failure, Kind};
use super::process::{Ended, Output, Run};

/// How often a question is asked, and how often a change that somebody else's came
/// in between is tried, each time after a new look.
pub(super) const ATTEMPTS: u32 = 3;

/// `gcloud`, with the project and region that it is told at every call.
#[derive(Debug)]
pub(super) struct Gcloud {
    pub(super) settings: Settings,
}

/// A call to be made.
#[derive(Clone)]
pub(super) struct Call<'a> {
    /// What it tries, for people: `list the versions of …`.
    pub(super) action: String,
    /// The command and its arguments, without project, region and format.
    pub(super) words: Vec<String>,
    /// Whether it takes a region.
    pub(super) is_regional: bool,
    /// What it reads on standard input.
    pub(super) input: Option<&'a SecretValue>,
    /// How long it may take, where that is longer than any call may.
    pub(super) limit: Option<Duration>,
}

impl<'a> Call<'a> {
    pub(super) fn new(action: String, words: &[&str]) -> Call<'a> {
        Call {
            action,
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            is_regional: words.first() == Some(&"run"),
            input: None,
            limit: None,
        }
    }

    pub(super) fn with(mut self, word: String) -> Call<'a> {
        self.words.push(word);
        self
    }

    pub(super) fn reading(mut self, input: &'a SecretValue) -> Call<'a> {
        self.input = Some(input);
        self
    }

    pub(super) fn within(mut self, limit: Duration) -> Call<'a> {
        self.limit = Some(limit);
        self
    }

    fn failed(&self, kind: Kind, message: &str) -> Failure {
        Failure {
            kind,
            message: message.to_owned(),
            action: self.action.clone(),
        }
    }
}

/// What a call printed: JSON that may hold a value.
pub(super) struct Answer {
    action: String,
    stdout: Zeroizing<Vec<u8>>,
}

impl Answer {
    /// An answer that nobody gave.
    #[cfg(any(test, fuzzing))]
    pub(super) fn of(action: &str, stdout: &[u8]) -> Answer {
        Answer {
            action: action.to_owned(),
            stdout: Zeroizing::new(stdout.to_vec()),
        }
    }

    /// Reads it as something that this platform knows. A parser's own words would
    /// quote it: they are left out.
    pub(super) fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Failure> {
        serde_json::from_slice(&self.stdout).map_err(|error| Failure {
            kind: Kind::Unreadable,
            message: format!("line {} of its answer", error.line()),
            action: self.action.clone(),
        })
    }
}

impl Gcloud {
    pub(super) fn new(settings: Settings) -> Gcloud {
        Gcloud { settings }
    }

    /// Asks; once more where the way there or the server is at fault.
    pub(super) async fn ask(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        let mut attempt = 1;
        loop {
            match self.call(call).await {
                Err(failure) if failure.is_passing() && attempt < ATTEMPTS => attempt += 1,
                other => return other,
            }
            self.pause().await;
        }
    }

    /// Asks for something of a form; once more also where the answer has none of it: of
    /// one that is cut off in its headers, `gcloud` makes an empty one.
    pub(super) async fn ask_for<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, Failure> {
        let mut attempt = 1;
        loop {
            match self.ask(call).await?.json() {
                Err(_) if attempt < ATTEMPTS => attempt += 1,
                read => return read,
            }
            self.pause().await;
        }
    }

    /// Calls once. A change whose outcome is unknown is for the caller to look into.
    pub(super) async fn call(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        let limit = call.limit.unwrap_or(self.settings.timeouts.call);
        let run = Run {
            words: self.words(call),
            input: call.input.map(copied),
            limit,
        };
        match run.run(&self.settings).await {
            Ok(Ended::Exited(output)) => answer(call, output),
            Ok(Ended::Killed) => Err(call.failed(Kind::TimedOut(limit), "killed")),
            Err(error) => Err(call.failed(Kind::NotStarted(error), "not started")),
        }
    }

    /// All arguments of a call, as they are sent.
    pub(super) fn words(&self, call: &Call<'_>) -> Vec<String> {
        let mut words = call.words.clone();
        words.push(self.settings.in_project());
        if call.is_regional {
            words.push(format!("--region={}", self.settings.region));
        }
        words.push("--format=json".to_owned());
        words
    }

    /// Waits before the next look.
    pub(super) async fn pause(&self) {
        tokio::time::sleep(self.settings.timeouts.poll.max(Duration::from_millis(1))).await;
    }
}

fn answer(call: &Call<'_>, output: Output) -> Result<Answer, Failure> {
    if !output.status.success() {
        return Err(Failure::read(&call.action, &output.stderr));
    }
    Ok(Answer {
        action: call.action.clone(),
        stdout: output.stdout,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a copy for the thread that writes it to the child, wiped there"
)]
fn copied(value: &SecretValue) -> SecretValue {
    use secrecy::ExposeSecret as _;
    SecretValue::from(value.expose_secret())
}
