//! The value that other people issued, as somebody gives it.

use std::path::Path;

use secret::{ClientSecret, SecretValue};
use zeroize::Zeroizing;

use super::secret_text::{self, Source, Wanted};
use crate::failure::Failure;
use crate::settings::Surroundings;

const FLAG: &str = "--value-file";

/// Reads the value of the file, or asks for it. Nothing where nobody can be asked, or
/// nothing is answered: it may come later.
///
/// # Errors
///
/// A file that can't be read, and a value that can't be one, without showing it.
pub(crate) fn candidate(
    secret: &str,
    file: Option<&Path>,
    surroundings: &Surroundings<'_>,
) -> Result<Option<SecretValue>, Failure> {
    let what = &format!("new value of `{secret}`");
    let wanted = Wanted { what, flag: FLAG };
    let (source, text) = match (file, &surroundings.terminal) {
        (Some(file), _) => secret_text::from_file(&wanted, file, surroundings)?,
        (None, Some(terminal)) => {
            let later = " (nothing, if it isn't there yet)";
            let text = secret_text::from_prompt(&wanted, later, terminal, surroundings)?;
            (Source::Prompt, text)
        }
        (None, None) => return Ok(None),
    };
    if matches!(source, Source::Prompt) && text.is_empty() {
        return Ok(None);
    }
    parse(what, &source, &text, surroundings).map(Some)
}

fn parse(
    what: &str,
    source: &Source<'_>,
    text: &Zeroizing<Vec<u8>>,
    surroundings: &Surroundings<'_>,
) -> Result<SecretValue, Failure> {
    let parsed = ClientSecret::parse(text).map_err(|error| {
        Failure::check(format!("the {what} from {source} can't be used: {error}"))
            .nothing_changed()
            .hint(error.hint())
    })?;
    for warning in &parsed.warnings {
        surroundings
            .printer
            .detail(&format!("the {what} from {source}: {warning}"));
    }
    Ok(parsed.secret.into())
}
