//! Faults: whatever breaks in the middle, the table is wholly old or wholly new, and the
//! program says which.
//!
//! Tables are read back with the `fernet` crate, not with the program's own code. Random
//! moments come from a seed that each test prints; `FAULTS_SEED` repeats it.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what arranges or reads back a test's table has to fail that test"
)]

mod lab;
mod nothing_lost;
pub(crate) mod random;
mod rotation;
mod table;
mod tokens;

mod busy;
pub(crate) mod disk_full;
mod every_statement;
mod journal_modes;
mod killed;
mod locked;
mod lost;
mod signalled;
mod stalled;
