//! What a dry run would have done, for people and for scripts.

use runbook::{Foreseen, Intended};
use serde_json::{Value, json};

use crate::cli::quoted;

/// For people: each step with its commands and the outage; nothing where no step is known.
pub(super) fn lines(foreseen: &[Foreseen]) -> Vec<String> {
    if foreseen.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![
        "What would be done, in this order. Questions that change nothing are asked in between, and \
         what isn't known yet stands between < and >."
            .to_owned(),
    ];
    for step in foreseen {
        lines.push(format!("{:>3}. {}", step.number, step.about.title));
        if step.intended.is_empty() {
            lines.push("     nothing: it is so already".to_owned());
        }
        for intended in &step.intended {
            if intended.command.is_empty() {
                lines.push(format!("     {}", intended.text));
            } else {
                lines.push(format!("     $ {}", command_line(intended)));
                lines.push(format!("       expects: {}", intended.text));
            }
        }
        if let Some(outage) = step.about.outage {
            lines.push(format!("     outage: {outage}"));
        }
    }
    lines
}

/// For scripts; null where no step is known.
pub(super) fn json(foreseen: &[Foreseen]) -> Value {
    if foreseen.is_empty() {
        return Value::Null;
    }
    let step = |step: &Foreseen| {
        let changes: Vec<Value> = step.intended.iter().map(change).collect();
        json!({
            "name": step.about.name,
            "title": step.about.title,
            "changes": changes,
            "outage": step.about.outage,
        })
    };
    Value::Array(foreseen.iter().map(step).collect())
}

fn change(intended: &Intended) -> Value {
    let command = (!intended.command.is_empty()).then_some(&intended.command);
    json!({"command": command, "text": intended.text})
}

fn command_line(intended: &Intended) -> String {
    let words = intended.command.iter().map(|word| shell_word(word));
    words.collect::<Vec<_>>().join(" ")
}

/// As it would be typed, in quotes where a shell would read it otherwise.
fn shell_word(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,@%+".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        word.to_owned()
    } else {
        quoted(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_yet_cannot_redirect_a_shell() {
        let intended = Intended {
            command: vec!["gcloud".to_owned(), "--tag=x=<new version>".to_owned()],
            text: String::new(),
        };
        assert_eq!(command_line(&intended), "gcloud '--tag=x=<new version>'");
    }
}
