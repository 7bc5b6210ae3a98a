//! That a dry run has told every command that then changes something.
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use integration_tests::Output;
use integration_tests::google::GcloudConfig;
use serde_json::Value;
use tempfile::TempDir;

/// A command without the program, word by word.
type Words = Vec<String>;

/// A `gcloud` that writes down what it is told, and then is the real one.
pub(super) struct Recorder {
    folder: TempDir,
    /// Where the real one is found.
    path: String,
}

impl Recorder {
    /// In front of the one that a configuration leads to.
    pub(super) fn before(config: &GcloudConfig) -> Result<Recorder> {
        let mut variables = config.environment().into_iter();
        let path = variables.find_map(|(name, value)| (name == "PATH").then_some(value));
        let recorder = Recorder {
            folder: tempfile::tempdir()?,
            path: path.map_or_else(|| std::env::var("PATH"), Ok)?,
        };
        // In one piece: others write at the same time.
        let script = format!(
            "#!/bin/sh\nwords=$(printf '%s\\037' \"$@\")\nprintf '%s\\n' \"$words\" >> '{}'\nPATH='{}'\nexec gcloud \"$@\"\n",
            recorder.log().display(),
            recorder.path
        );
        let program = recorder.folder.path().join("gcloud");
        fs::write(&program, script)?;
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
        Ok(recorder)
    }

    /// The search path by which it is found.
    pub(super) fn path(&self) -> String {
        format!("{}:{}", self.folder.path().display(), self.path)
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// The commands that were run and that change something.
    fn changes(&self) -> Result<Vec<Words>> {
        let log = fs::read_to_string(self.log())?;
        let words = |line: &str| line.split_terminator('\u{1f}').map(str::to_owned).collect();
        let all = log.lines().map(words);
        Ok(all.filter(changes_something).collect())
    }

    /// What was run so far isn't looked at.
    pub(super) fn forget(&self) -> Result<()> {
        Ok(fs::write(self.log(), "")?)
    }

    /// Sees that the commands since are those that the dry run has told.
    pub(super) fn expect(&self, dry_run: &Output) -> Result<()> {
        let told = by_subject(&told(dry_run)?)?;
        let ran = by_subject(&self.changes()?)?;
        assert!(!told.is_empty(), "nothing was told");
        let subjects = |all: &BTreeMap<String, Vec<Words>>| all.keys().cloned().collect::<Vec<_>>();
        assert_eq!(subjects(&told), subjects(&ran), "{told:#?} but {ran:#?}");
        let mut known = HashMap::new();
        for (subject, told) in &told {
            let ran = &ran[subject];
            let is_as_told = told.len() == ran.len()
                && told
                    .iter()
                    .zip(ran)
                    .all(|(told, ran)| is_command(told, ran, &mut known));
            assert!(is_as_told, "{subject}: told {told:#?}, and ran {ran:#?}");
        }
        Ok(())
    }
}

fn changes_something(words: &Words) -> bool {
    const CHANGES: [&[&str]; 8] = [
        &["secrets", "versions", "add"],
        &["secrets", "versions", "disable"],
        &["secrets", "versions", "enable"],
        &["secrets", "versions", "destroy"],
        &["run", "services", "update"],
        &["run", "services", "update-traffic"],
        &["run", "services", "set-iam-policy"],
        &["sql", "backups", "create"],
    ];
    CHANGES
        .iter()
        .any(|change| words.iter().zip(*change).filter(|(a, b)| a == b).count() == 3)
}

/// The commands of the object that a dry run prints.
fn told(dry_run: &Output) -> Result<Vec<Words>> {
    let printed: Value = serde_json::from_str(&dry_run.stdout)?;
    let steps = printed["planned"].as_array().context("no steps")?;
    let changes = steps.iter().filter_map(|step| step["changes"].as_array());
    let mut commands = Vec::new();
    for change in changes.flatten() {
        assert!(change["text"].as_str().is_some_and(|text| !text.is_empty()));
        if let Some(command) = change["command"].as_array() {
            let words = command.iter().filter_map(Value::as_str).map(str::to_owned);
            commands.push(words.skip(1).collect());
        }
    }
    Ok(commands)
}

/// Services are changed side by side: the order holds for each of them.
fn by_subject(commands: &[Words]) -> Result<BTreeMap<String, Vec<Words>>> {
    let mut subjects: BTreeMap<String, Vec<Words>> = BTreeMap::new();
    for words in commands {
        let is_service = words.first().is_some_and(|word| word == "run");
        let subject = words
            .get(if is_service { 3 } else { 0 })
            .context("a subject")?;
        subjects
            .entry(subject.clone())
            .or_default()
            .push(words.clone());
    }
    Ok(subjects)
}

fn is_command(told: &Words, ran: &Words, known: &mut HashMap<String, String>) -> bool {
    let are_words = |(told, ran): (&String, &String)| is_word(told, ran, known);
    told.len() == ran.len() && told.iter().zip(ran).all(are_words)
}

/// What stands between `<` and `>` may be anything, and the same everywhere.
fn is_word(told: &str, ran: &str, known: &mut HashMap<String, String>) -> bool {
    let Some((before, rest)) = told.split_once('<') else {
        return told == ran;
    };
    let (Some((unknown, after)), Some(ran)) = (rest.split_once('>'), ran.strip_prefix(before))
    else {
        return false;
    };
    let next = after.split('<').next().unwrap_or_default();
    let length = match next {
        "" => ran.len(),
        next => match ran.find(next) {
            Some(length) => length,
            None => return false,
        },
    };
    let (found, left) = ran.split_at(length);
    let kept = known.entry(unknown.to_owned()).or_insert(found.to_owned());
    !found.is_empty() && kept == found && is_word(after, left, known)
}
