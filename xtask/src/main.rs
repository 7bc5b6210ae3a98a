//! `cargo xtask`: see `docs/cli.md`.
fn main() -> std::process::ExitCode {
    xtask::main_impl()
}
