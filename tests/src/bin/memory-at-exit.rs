//! Writes what a program leaves in its memory: see `src/memory.rs`. Linux alone tells.
#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    integration_tests::memory::write_at_exit()
}

#[cfg(not(target_os = "linux"))]
fn main() {}
