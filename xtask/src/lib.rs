#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod cli;
mod settings;

mod commands;
mod procedure;

mod input;
mod output;

mod evidence;
mod report;
pub mod tidy;

mod exit_code;
mod failure;

mod hardening;
mod interrupt;
mod workspace;

#[cfg(any(test, fuzzing))]
pub use settings::properties;

use std::ffi::OsString;
use std::process::ExitCode;

use secret::WipingAllocator;

use crate::output::Printer;

/// Libraries copy what they are given, and wipe nothing.
#[global_allocator]
static ALLOCATOR: WipingAllocator = WipingAllocator;

/// The whole program, from its arguments to its exit code.
pub fn main_impl() -> ExitCode {
    hardening::harden(&Printer::default());
    let exit_code = match cli::parse(std::env::args_os()) {
        Ok(cli::Parsed::Command(command)) => hardening::survive_panic(|| commands::run(command)),
        Ok(cli::Parsed::Help(text)) => {
            Printer::default().data(text.trim_end());
            commands::printed(exit_code::DONE)
        }
        Err(usage_error) => {
            Printer::default().failure(&usage_error);
            usage_error.exit_code
        }
    };
    ExitCode::from(exit_code)
}

/// Whether arguments, without the program's name before them, are ones that can be typed:
/// for what is written about the program.
///
/// # Errors
///
/// What is wrong with them.
pub fn understands(arguments: impl IntoIterator<Item = OsString>) -> Result<(), String> {
    let typed = std::iter::once(OsString::from("cargo xtask")).chain(arguments);
    cli::parse(typed)
        .map(|_| ())
        .map_err(|failure| failure.message)
}
