//! What holds whatever `rotation.toml` holds: for the fuzz target of `tests/fuzz`, and for
//! the test that gives the same properties the files that fuzzing found.

#[cfg(test)]
#[path = "../../../tests/fuzz/replay.rs"]
mod replay;

use std::path::Path;
use std::time::Duration;

use runbook::Name;
use tokio_util::sync::CancellationToken;
use toml::Value;

use super::file::{self, File};
use super::procedure::merged;
use super::{PlatformName, Procedure, Surroundings};
use crate::cli;
use crate::exit_code;
use crate::failure::Failure;
use crate::output::Printer;

/// What stands for a secret that came to be in the file: no message may quote a value.
const SECRET: &str = "hunter2";

const FOLDER: &str = "/installation";

/// What stands in the file of settings.
pub fn settings(text: &[u8]) {
    let Ok(text) = str::from_utf8(text) else {
        return;
    };
    match file::parse(Path::new("rotation.toml"), text) {
        Ok(file) => is_in_limits(text, file),
        Err(failure) => is_refused_with_its_line(text, &failure),
    }
}

fn is_refused_with_its_line(text: &str, failure: &Failure) {
    changed_nothing(failure);
    let line = failure.message.strip_prefix("line ");
    let line = line.and_then(|rest| rest.split_once(" of `rotation.toml`"));
    let line = line.and_then(|(line, _)| line.parse::<usize>().ok());
    let lines = text.matches('\n').count() + 1;
    assert!(
        line.is_some_and(|line| (1..=lines).contains(&line)),
        "no such line"
    );
    quotes_no_value(text, failure);
}

fn quotes_no_value(text: &str, failure: &Failure) {
    let said = format!("{} {:?}", failure.message, failure.hint);
    assert!(
        has_key_like_secret(text) || !said.contains(SECRET),
        "a message quotes a value"
    );
}

/// Whether a name is as the secret is: names are told.
fn has_key_like_secret(text: &str) -> bool {
    fn in_table(table: &toml::Table) -> bool {
        table
            .iter()
            .any(|(name, value)| name.contains(SECRET) || in_value(value))
    }
    fn in_value(value: &Value) -> bool {
        match value {
            Value::Table(table) => in_table(table),
            Value::Array(values) => values.iter().any(in_value),
            _ => false,
        }
    }
    toml::from_str(text).is_ok_and(|table: toml::Table| in_table(&table))
}

fn changed_nothing(failure: &Failure) {
    let codes = [exit_code::CHECK_FAILED, exit_code::USAGE];
    assert!(codes.contains(&failure.exit_code), "another exit code");
    assert!(
        failure.state.as_deref() == Some("nothing was changed"),
        "another state"
    );
}

fn is_in_limits(text: &str, mut file: File) {
    file.resolve_paths(Path::new(FOLDER));
    let paths = [&file.state_dir, &file.local.env_file, &file.local.store];
    for path in paths.into_iter().flatten() {
        assert!(
            path.is_absolute(),
            "a path that depends on the folder of the caller"
        );
    }
    let day = Duration::from_secs(24 * 60 * 60);
    for wait in [file.lock_timeout, file.statement_timeout]
        .into_iter()
        .flatten()
    {
        assert!(
            (Duration::from_millis(1)..=day).contains(&wait),
            "no time to wait"
        );
    }
    for service in [&file.local.agent, &file.local.handler] {
        for words in [&service.restart, &service.ready].into_iter().flatten() {
            assert!(!words.is_empty(), "a command without a program");
        }
    }
    let interrupt = CancellationToken::new();
    let surroundings = Surroundings {
        environment: &|_| None,
        terminal: None,
        printer: Printer::default(),
        interrupt: &interrupt,
    };
    let place = cli::Place {
        // The default one is made of this machine's environment.
        state_dir: Some("/state".into()),
        ..cli::Place::default()
    };
    match merged(file, &place, &surroundings) {
        Ok(procedure) => can_be_used(&procedure),
        Err(failure) => {
            changed_nothing(&failure);
            quotes_no_value(text, &failure);
        }
    }
}

fn can_be_used(procedure: &Procedure) {
    let is_name = |text: &str| Name::new(text).is_ok();
    for secret in rotation::SECRETS {
        assert!(
            is_name(&procedure.store_of(&secret).name),
            "no name for a journal"
        );
        let consumers = procedure.consumers_of(&secret);
        assert!(!consumers.is_empty(), "nobody reads a secret");
        for consumer in consumers {
            assert!(is_name(&consumer.service), "no name for a journal");
        }
    }
    assert!(procedure.missing_contacts().is_empty() || procedure.announce);
    assert!(procedure.refuse_no_platform().is_ok() == (procedure.platform != PlatformName::None));
    if procedure.platform == PlatformName::GoogleCloud
        && let Err(failure) = procedure.platform(None)
    {
        changed_nothing(&failure);
    }
    let issuers = procedure.issuers();
    for issuer in [&issuers.red_hat_sso, &issuers.gma].into_iter().flatten() {
        if let Err(error) = issuer.parse::<platform::Issuer>() {
            let said = format!("{error} {:?}", error.hint());
            assert!(!said.contains(SECRET), "a message quotes an address");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::replay;

    #[test]
    fn the_properties_of_settings_hold_for_the_corpus() {
        replay::replay("settings", super::settings);
    }
}
