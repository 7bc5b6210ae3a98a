//! What differs from run to run, hidden for snapshots; each is looked at before it is hidden.
use anyhow::{Context as _, Result, ensure};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use secret::FernetKey;
use serde_json::Value;

use super::sandbox::Sandbox;

impl Sandbox {
    /// The text without times, places, names of runs, fingerprints and the user's name.
    pub(crate) fn hidden(&self, text: &str) -> Result<String> {
        let text = text.replace(&self.folder().display().to_string(), "[folder]");
        let mut hidden = String::new();
        let mut word = String::new();
        for character in text.chars() {
            if character.is_ascii_alphanumeric() || "-.:".contains(character) {
                word.push(character);
                continue;
            }
            hidden.push_str(&self.word_hidden(&word)?);
            word.clear();
            hidden.push(character);
        }
        hidden.push_str(&self.word_hidden(&word)?);
        self.operator_hidden(&hidden)
    }

    fn word_hidden(&self, word: &str) -> Result<String> {
        let (word, end) = match word.strip_suffix(['.', ':']) {
            Some(shorter) => (shorter, &word[shorter.len()..]),
            None => (word, ""),
        };
        let hidden = if let (true, Ok(time)) = (word.ends_with('Z'), word.parse::<Timestamp>()) {
            time_hidden(time)?
        } else if word.len() == 10 && word.parse::<Date>().is_ok() {
            "[date]"
        } else if is_like_a_run(word) {
            ensure!(self.runs()?.iter().any(|run| run == word), "no run {word}");
            "[run]"
        } else if word.ends_with("Z.sqlite") {
            let folders = std::fs::read_dir(self.path(".rotation/backups"))?;
            let is_there = folders
                .flatten()
                .any(|folder| folder.path().join(word).is_file());
            ensure!(is_there, "no backup {word}");
            "[backup]"
        } else if word.len() == 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            for (fact, shown) in [
                ("database", "the database"),
                ("file of variables", "`.env`"),
            ] {
                if self.is_place(fact, word)? {
                    return Ok(format!("[place of {shown}]{end}"));
                }
            }
            return Ok(format!("[key of version {}]{end}", self.version_of(word)?));
        } else {
            word
        };
        Ok(format!("{hidden}{end}"))
    }

    /// Whether the newest journal says so.
    fn is_place(&self, fact: &str, fingerprint: &str) -> Result<bool> {
        let Some(run) = self.runs()?.pop() else {
            return Ok(false);
        };
        let journal = self.read(&format!("state/runs/{run}/journal.jsonl"))?;
        let fact = format!("\"name\":\"{fact}\",\"fact\":{{\"fingerprint\":\"{fingerprint}\"}}");
        Ok(journal.contains(&fact))
    }

    /// The version whose key has this fingerprint.
    fn version_of(&self, fingerprint: &str) -> Result<u64> {
        for version in self.stored()? {
            let key = FernetKey::parse(version.value.as_bytes())?.key;
            if key.fingerprint().to_string() == fingerprint {
                return Ok(version.number);
            }
        }
        anyhow::bail!("`{fingerprint}` is of nothing in the store")
    }

    fn operator_hidden(&self, text: &str) -> Result<String> {
        let Some(run) = self.runs()?.pop() else {
            return Ok(text.to_owned());
        };
        let journal = self.read(&format!("state/runs/{run}/journal.jsonl"))?;
        let first: Value = serde_json::from_str(journal.lines().next().context("a line")?)?;
        let operator = first["operator"].as_str().context("an operator")?;
        ensure!(!operator.is_empty());
        let mut text = text.to_owned();
        for (before, after) in [
            ("by: ", "\n"),
            ("\"operator\":\"", "\""),
            ("\"operator\": \"", "\""),
        ] {
            let [shown, hidden] =
                [operator, "[operator]"].map(|name| format!("{before}{name}{after}"));
            text = text.replace(&shown, &hidden);
        }
        Ok(text)
    }
}

/// A secret's name and a time after it.
fn is_like_a_run(word: &str) -> bool {
    let secrets = rotation::SECRETS.iter();
    let mut times = secrets.filter_map(|secret| word.strip_prefix(secret.name));
    times.any(|time| time.starts_with("-2"))
}

/// A moment of this test, or one a year after it.
fn time_hidden(time: Timestamp) -> Result<&'static str> {
    let ago = Timestamp::now().duration_since(time);
    let a_while = SignedDuration::from_mins(10);
    let a_year = SignedDuration::from_hours(24 * 365);
    if (-a_while..a_while).contains(&ago) {
        return Ok("[now]");
    }
    ensure!(
        (-a_while..a_while).contains(&(ago + a_year)),
        "{time} is not now"
    );
    Ok("[in a year]")
}
