//! What people see of a command while it runs: standard output and standard error, and the
//! bar that is drawn there.

mod printer;
mod progress;
pub(crate) mod screen;
mod text;

pub(crate) use self::printer::{Printer, is_data_lost};
pub(crate) use self::progress::Progress;
pub(crate) use self::text::{grouped, hanging, plain, wrapped};
