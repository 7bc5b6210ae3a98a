//! `cargo xtask rotate-secret`: any of the service's secrets.

use rotation::database_login::Mode;
use rotation::{DATABASE_URL, SESSION_DATABASE_URL};
use tokio_util::sync::CancellationToken;

use super::printer;
use super::rotate_on_platform::{self, Wanted};
use crate::cli;
use crate::failure::Failure;
use crate::procedure::{Ended, Ways};

/// Runs the command and gives its exit code.
pub(super) async fn run(typed: &cli::RotateSecret, interrupt: &CancellationToken) -> u8 {
    let is_url = [DATABASE_URL, SESSION_DATABASE_URL].contains(&typed.secret);
    if typed.in_place && !is_url {
        let failure = Failure::usage("only a database URL can be rotated in place");
        return Ended::not_begun(failure.nothing_changed())
            .print(typed.output.format, &printer(typed.output));
    }
    let wanted = Wanted {
        secret: typed.secret,
        ways: Ways {
            mode: if typed.in_place {
                Mode::InPlace
            } else {
                Mode::Alternate
            },
            emergency: typed.emergency,
        },
        place: &typed.place,
        timeouts: &typed.timeouts,
        output: typed.output,
        going: typed.going,
        dry_run: typed.dry_run,
        value_file: typed.value_file.as_deref(),
    };
    rotate_on_platform::run(&wanted, interrupt).await
}
