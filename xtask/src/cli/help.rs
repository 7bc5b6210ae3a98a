//! What can be typed to have the help at hand elsewhere: in a shell, and as manual pages.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use clap_complete::Shell;

use super::values;

/// Print a script that lets a shell complete `cargo xtask`
///
/// Commands, flags and the values that are known beforehand are completed, and files and folders where
/// one is expected; names of runs aren't, nor are the secrets' in fish. `cargo`'s own commands are
/// completed as before.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
    # bash
    cargo xtask completions bash > ~/.cargo-xtask.bash
    echo 'source ~/.cargo-xtask.bash' >> ~/.bashrc

    # zsh, with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc; Cargo's own asks for this one
    cargo xtask completions zsh > ~/.zfunc/_cargo-xtask
    rustup completions zsh cargo > ~/.zfunc/_cargo

    # fish
    cargo xtask completions fish > ~/.config/fish/conf.d/cargo-xtask.fish

    # elvish
    cargo xtask completions elvish >> ~/.config/elvish/rc.elv

    # PowerShell
    cargo xtask completions powershell >> $PROFILE

A new shell completes it then. Where `xtask` is an alias of yours for `cargo xtask`, bash completes
that as well. Print it anew after an update.")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub(crate) shell: Shell,
}

/// Write a manual page for each command
///
/// They are the same texts as `--help`, for a machine where `man` is how people look things up.
#[derive(Args, Debug)]
#[command(after_long_help = "Examples:
    # for a look
    cargo xtask man
    man -M target/man cargo-xtask-rotate-dcr

    # where `man` looks by itself
    cargo xtask man ~/.local/share/man
    man cargo-xtask-rotate-dcr")]
pub(crate) struct Man {
    /// The folder that is to have them, in its subfolder man1 [default: target/man]
    #[arg(value_name = "DIR", value_parser = values::path(), value_hint = ValueHint::DirPath)]
    pub(crate) dir: Option<PathBuf>,
}
