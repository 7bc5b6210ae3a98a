//! What people are asked for and hand over: a yes, keys, the value that somebody issued.

mod candidate;
mod confirm;
pub(crate) mod keys;
mod secret_text;
mod terminal;
mod typed_secret;

pub(crate) use self::candidate::candidate;
pub(crate) use self::confirm::{Confirmed, confirm, is_yes};
pub(crate) use self::secret_text::is_standard_input;
pub(crate) use self::terminal::{Answer, Terminal};
pub(crate) use self::typed_secret::{shown_path, shown_run};
