//! A whole rotation as a release engineer carries it out: `rotate-dcr --platform local`,
//! `status`, `resume`, `rollback`, in a folder with a `.env`, a database and settings.
//!
//! The program runs as a process of its own. What it leaves is read by other code than its
//! own: tokens with the `fernet` crate, the store and the journal as files.

mod hidden;
pub(crate) mod lab;
pub(crate) mod sandbox;
#[cfg(target_os = "linux")]
pub(crate) mod seated;
pub(crate) mod tree;

mod abandoned;
mod advice;
mod changed;
mod checks;
mod doctor;
mod emergency;
mod examples;
mod failing;
mod journals;
mod leaks;
mod left;
#[cfg(target_os = "linux")]
mod memory;
mod newcomers;
mod on_postgres;
mod report;
mod restored;
mod same_place;
mod screen;
mod settings;
mod several;
mod signalled;
mod stuck;
mod surveyed;
mod terminal;
#[cfg(target_os = "linux")]
mod unwritable;
mod versions;
mod whole;
