//! `cargo xtask rotate-secret`: any of the service's secrets.

use rotation::database_login::Mode;
use rotation::{
    Containment, DATABASE_URL, GMA_CLIENT_SECRET, RED_HAT_SSO_CLIENT_SECRET, SESSION_DATABASE_URL,
};
use tokio_util::sync::CancellationToken;

use super::printer;
use super::rotate_on_platform::{self, Wanted};
use crate::cli;
use crate::failure::Failure;
use crate::procedure::{Ended, Options};

/// Runs the command and gives its exit code.
pub(super) async fn run(typed: &cli::RotateSecret, interrupt: &CancellationToken) -> u8 {
    if let Err(failure) = refuse_flags_of_others(typed) {
        return Ended::not_begun(failure.nothing_changed())
            .print(typed.output.format, &printer(typed.output));
    }
    let wanted = Wanted {
        secret: typed.secret,
        options: Options {
            mode: if typed.in_place {
                Mode::InPlace
            } else {
                Mode::Alternate
            },
            emergency: typed.emergency,
            containment: containment(typed),
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

fn containment(typed: &cli::RotateSecret) -> Containment {
    let chosen = typed.contain.iter().map(|means| means.means());
    chosen.fold(Containment::default(), Containment::and)
}

/// Each flag is for some of the secrets.
fn refuse_flags_of_others(typed: &cli::RotateSecret) -> Result<(), Failure> {
    let is_url = [DATABASE_URL, SESSION_DATABASE_URL].contains(&typed.secret);
    if typed.in_place && !is_url {
        return Err(Failure::usage(
            "only a database URL can be rotated in place",
        ));
    }
    let is_issued = [RED_HAT_SSO_CLIENT_SECRET, GMA_CLIENT_SECRET].contains(&typed.secret);
    if typed.value_file.is_some() && !is_issued {
        return Err(
            Failure::usage(format!("the value of `{}` isn't given", typed.secret.name))
                .hint("leave `--value-file` out: the new value is generated and stored"),
        );
    }
    Ok(())
}
