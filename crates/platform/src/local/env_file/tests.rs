//! Many files and values, made up in the same way each time.

use std::path::PathBuf;

use secrecy::ExposeSecret;

use super::*;

/// What values are made of: all that means something to some reader.
const PIECES: [&str; 22] = [
    "a", "B9", "=", "-", "_", " ", "#", " #", "'", "\"", "\\", "\n", "\r", "\t", "$", "${", "}",
    "\\n", "é", "KEY=", "export ", "\u{1}",
];

/// What may stand before and after the assignment.
const SURROUNDINGS: [(&str, &str); 7] = [
    ("", ""),
    ("A=1\n", "\nB=2\n"),
    ("# KEY=no\r\n", "\r\nB='2'\r\n"),
    ("A='\nKEY=no\n'\n  export ", "   # a comment\n\n"),
    ("not an assignment\n", "\n\tB = \"x\\\"y\nKEY=no\"\nC"),
    ("KEYS=1\nXKEY=2\n", "\n\n\nB=#"),
    ("B=don't\n", "\nC='it''s'\nD=\n"),
];

struct Dice(u64);

impl Dice {
    /// A linear congruential generator: the same rolls in each run.
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005) + 1;
        (self.0 >> 33) as usize % below
    }

    fn value(&mut self) -> String {
        let length = self.roll(8);
        (0..length)
            .map(|_| PIECES[self.roll(PIECES.len())])
            .collect()
    }
}

fn file(text: &str) -> EnvFile {
    EnvFile {
        path: PathBuf::from(".env"),
        text: Zeroizing::new(text.as_bytes().to_vec()),
    }
}

#[expect(clippy::disallowed_methods, reason = "a test looks at a test value")]
fn read(file: &EnvFile) -> String {
    let value = file.value("KEY").unwrap();
    String::from_utf8(value.expose_secret().to_vec()).unwrap()
}

#[test]
fn a_value_is_read_back_or_refused_and_nothing_else_changes() {
    let mut dice = Dice(1);
    let mut written = 0;
    for _ in 0..20_000 {
        let (before, after) = SURROUNDINGS[dice.roll(SURROUNDINGS.len())];
        let old = ["old", "'old one'", "\"old\none\"", "''"][dice.roll(4)];
        let original = file(&format!("{before}KEY={old}{after}"));
        let value = dice.value();
        let Ok(edited) = original.with("KEY", &SecretValue::from(value.as_bytes())) else {
            continue;
        };
        written += 1;
        assert_eq!(read(&edited), value);
        let text = str::from_utf8(&edited.text).unwrap();
        assert!(text.starts_with(&format!("{before}KEY=")), "{text:?}");
        assert!(text.ends_with(after), "{text:?}");
    }
    assert!(written > 10_000, "only {written} were written");
}

#[test]
fn putting_the_old_value_back_gives_the_old_file() {
    for old in ["old", "'old one'", "'old'", "\"old\"", "\"old\none\""] {
        for new in ["new", "new one", "n'e\"w", "n\\e\\\\w", "n$ew"] {
            let original = file(&format!("A=1\r\nexport KEY={old} # why\n"));
            let old = original.value("KEY").unwrap();
            let new = SecretValue::from(new.as_bytes());
            let there = original.with("KEY", &new);
            let back = there.and_then(|there| there.with("KEY", &old)).unwrap();
            assert_eq!(read(&back), read(&original));
        }
        let original = file(&format!("KEY={old}"));
        let new = SecretValue::from(b"bmV3LWtleQ==".as_slice());
        let old = original.value("KEY").unwrap();
        let back = original
            .with("KEY", &new)
            .unwrap()
            .with("KEY", &old)
            .unwrap();
        assert_eq!(*back.text, *original.text);
    }
}

/// What python-dotenv 1.2 answers; it was asked.
#[test]
fn reads_as_python_dotenv_does() {
    for (text, expected) in [
        ("KEY=a b", "a b"),
        ("KEY= a  # b", "a"),
        ("KEY=a#b", "a#b"),
        ("KEY=# b", "# b"),
        ("KEY=", ""),
        ("KEY=1\nKEY=2", "2"),
        ("KEY='a\\'b\\\\c\\n'", "a'b\\c\\n"),
        ("KEY=\"a\\\"b\\\\c\\n\"", "a\"b\\c\n"),
        ("KEY='a\r\nb'", "a\nb"),
        ("export\tKEY\t=\t'a'#b", "a"),
        ("'KEY'=a", "a"),
        ("KEY='a'b\nKEY=c", "c"),
        ("KEY\nKEY=c", "c"),
        ("A=\"\nKEY=no\"\nKEY=yes", "yes"),
    ] {
        assert_eq!(read(&file(text)), expected, "{text:?}");
    }
}

#[test]
fn tells_the_lines_of_what_it_refuses() {
    let value = SecretValue::from(b"new".as_slice());
    let refused = |text| file(text).with("KEY", &value).map(drop).unwrap_err();
    assert!(matches!(
        refused("KEY=1\nA='\n'\nKEY=2\n\nexport KEY=3"),
        Error::RepeatedVariable { lines, .. } if lines == [1, 4, 6]
    ));
    assert!(matches!(
        refused("\n\nA='\nKEY=1"),
        Error::OpenQuote { line: 3, .. }
    ));
    let made = file("A=1\nKEY='a${A}'").value("KEY").map(drop);
    assert!(matches!(made, Err(Error::Interpolated { line: 2, .. })));
    assert_eq!(read(&file("KEY=a${A")), "a${A");
    assert!(matches!(
        refused("# KEY=1\nKEYS=1\nKEY"),
        Error::NoVariable { .. }
    ));
}
