//! `cargo xtask rotate-secret`: any of the service's secrets.

use tokio_util::sync::CancellationToken;

use super::rotate_on_platform::{self, Wanted};
use crate::cli;

/// Runs the command and gives its exit code.
pub(super) async fn run(typed: &cli::RotateSecret, interrupt: &CancellationToken) -> u8 {
    let wanted = Wanted {
        secret: typed.secret,
        place: &typed.place,
        timeouts: &typed.timeouts,
        output: typed.output,
        going: typed.going,
        dry_run: typed.dry_run,
        value_file: typed.value_file.as_deref(),
    };
    rotate_on_platform::run(&wanted, interrupt).await
}
