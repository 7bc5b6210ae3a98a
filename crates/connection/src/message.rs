//! What a database or its driver says, made safe to print.

use std::fmt;

/// A driver's message without its details, and without anything as long as a token.
///
/// Postgres puts whole rows into an error's details and may quote a value in its
/// message; so the details are dropped, and in the message every run of base64
/// characters longer than any word is withheld.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseMessage(String);

/// Longer than an identifier that a person chose, shorter than a token (100) or
/// a key (44).
const LONGEST_WORD: usize = 40;

impl DatabaseMessage {
    /// Takes a message, and withholds what may be secret in it.
    pub fn new(message: &str) -> DatabaseMessage {
        let mut scrubbed = String::with_capacity(message.len());
        let mut word = String::new();
        for character in message.chars() {
            if character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '+' | '/' | '=')
            {
                word.push(character);
            } else {
                push_word(&mut scrubbed, &mut word);
                scrubbed.push(if character.is_control() {
                    ' '
                } else {
                    character
                });
            }
        }
        push_word(&mut scrubbed, &mut word);
        DatabaseMessage(scrubbed)
    }
}

fn push_word(scrubbed: &mut String, word: &mut String) {
    if word.len() > LONGEST_WORD {
        scrubbed.push_str("[withheld]");
    } else {
        scrubbed.push_str(word);
    }
    word.clear();
}

impl fmt::Display for DatabaseMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for DatabaseMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::error::Error for DatabaseMessage {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_or_a_key_in_a_message_is_withheld() {
        let key = "EREREREREREREREREREREUtLS0tLS0tLS0tLS0tLS0s=";
        let message = DatabaseMessage::new(&format!("invalid value \"{key}\" in row 3"));
        assert_eq!(message.to_string(), "invalid value \"[withheld]\" in row 3");
        assert!(!format!("{message:?}").contains(key));
    }

    #[test]
    fn ordinary_messages_stay_as_they_are() {
        let text = "relation \"registration_access_token_encrypted_idx\" does not exist";
        assert_eq!(DatabaseMessage::new(text).to_string(), text);
    }

    #[test]
    fn control_characters_cannot_reach_a_terminal() {
        assert_eq!(
            DatabaseMessage::new("a\u{1b}[2Jb\nc").to_string(),
            "a [2Jb c"
        );
    }
}
