//! What Python's `cryptography` reads is read here, and what it refuses is refused.
//!
//! Its verdicts on 100,000 texts are on record in `fixtures/read_by_python.txt`: a line
//! that says who gave them, then hexadecimal digits of four verdicts each. Where there is a
//! Python with `cryptography`, it is asked again; `TEST_RECORD_PYTHON=1` puts its verdicts
//! on record.
mod mutations;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use self::mutations::{mutation, tokens};
use super::run::survey;
use crate::subject::{Backend, OLD, Row, Subject};

const TEXTS: u64 = 100_000;
const READ: &str = include_str!("like_python/read.py");

fn record() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/read_by_python.txt")
}

fn texts() -> Result<Vec<String>> {
    let tokens = tokens()?;
    (0..TEXTS).map(|number| mutation(&tokens, number)).collect()
}

/// Who was asked, and whether each text was read.
type Verdicts = (String, Vec<bool>);

fn recorded() -> Result<Verdicts> {
    let text = fs::read_to_string(record())?;
    let (who, digits) = text.split_once('\n').context("two lines")?;
    let mut verdicts = Vec::new();
    for digit in digits
        .chars()
        .filter(|character| !character.is_whitespace())
    {
        let four = digit.to_digit(16).context("a digit")?;
        verdicts.extend([8, 4, 2, 1].map(|bit| four & bit != 0));
    }
    Ok((who.to_owned(), verdicts))
}

fn put_on_record((who, verdicts): &Verdicts) -> Result<()> {
    let mut text = format!("{who}\n");
    for (number, four) in verdicts.chunks(4).enumerate() {
        let bits = four
            .iter()
            .fold(0_u8, |bits, read| bits << 1 | u8::from(*read));
        text += &format!("{bits:x}");
        if number % 100 == 99 {
            text.push('\n');
        }
    }
    Ok(fs::write(record(), text)?)
}

/// Asks the Python of this machine; nothing where there is none with `cryptography`.
#[expect(clippy::disallowed_methods, reason = "Python's own reader is asked")]
fn asked(texts: &[String]) -> Result<Option<Verdicts>> {
    let has_it = Command::new("python3")
        .args(["-c", "import cryptography.fernet"])
        .stderr(Stdio::null())
        .status();
    if !has_it.is_ok_and(|status| status.success()) {
        return Ok(None);
    }
    let mut python = Command::new("python3")
        .args(["-c", READ, OLD])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = String::new();
    for text in texts {
        lines += &serde_json::to_string(text)?;
        lines.push('\n');
    }
    // It answers only when it has read everything.
    python
        .stdin
        .take()
        .context("its input")?
        .write_all(lines.as_bytes())?;
    let output = python.wait_with_output()?;
    ensure!(
        output.status.success(),
        "Python ended with {}",
        output.status
    );
    let answer = String::from_utf8(output.stdout)?;
    let (who, digits) = answer.trim().split_once('\n').context("two lines")?;
    Ok(Some((
        who.to_owned(),
        digits.chars().map(|digit| digit == '1').collect(),
    )))
}

#[test]
fn the_record_is_what_python_says() -> Result<()> {
    let texts = texts()?;
    let Some(asked) = asked(&texts)? else {
        crate::faults::random::say("no Python with cryptography: its verdicts on record are taken");
        return Ok(());
    };
    if std::env::var_os("TEST_RECORD_PYTHON").is_some() {
        put_on_record(&asked)?;
    }
    let recorded = recorded()?;
    for (text, (now, then)) in texts.iter().zip(asked.1.iter().zip(&recorded.1)) {
        assert_eq!(
            now, then,
            "{} reads {text:?}; on record: {}",
            asked.0, recorded.0
        );
    }
    assert_eq!(asked.1.len(), recorded.1.len());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_reads_is_read_and_what_it_refuses_is_refused() -> Result<()> {
    let (who, recorded) = recorded()?;
    let texts = texts()?;
    assert_eq!(recorded.len(), texts.len());
    let read = recorded.iter().filter(|read| **read).count();
    assert!((20_000..80_000).contains(&read), "{read} of them are read");
    let subject = Subject::create(Backend::Sqlite).await?;
    let rows = texts.iter().enumerate();
    let rows: Vec<_> = rows
        .map(|(number, text)| Row::new(format!("{number:06}"), text))
        .collect();
    subject.insert(&rows).await?;
    let (survey, unreadable) = survey(&subject.url(), &[OLD], None).await?;
    assert_eq!(survey.clients, TEXTS);
    let mut refused = vec![false; texts.len()];
    for (order_id, _) in unreadable.keys() {
        refused[order_id.parse::<usize>()?] = true;
    }
    for (text, (read, refused)) in texts.iter().zip(recorded.iter().zip(&refused)) {
        assert_eq!(*read, !refused, "{text:?}, as {who} reads it");
    }
    Ok(())
}
