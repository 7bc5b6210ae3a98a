//! `xtask` by another name: see this package's `Cargo.toml`.
fn main() -> std::process::ExitCode {
    xtask::main_impl()
}
