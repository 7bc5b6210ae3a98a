//! The connection to the database, for the commands on the table alone.

use reencrypt::Database;
use secret::DatabaseTarget;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::output::{Printer, Progress};
use crate::settings;

/// Connects, and with `--verbose` tells how.
pub(super) async fn connect(
    settings: &settings::Database,
    progress: &mut Progress,
    interrupt: &CancellationToken,
) -> Result<Database, Failure> {
    progress.above(|printer| tell_details(settings, printer));
    progress.begin(format!("connecting to {}", settings.url));
    let connect = Database::connect(&settings.url, settings.tls, settings.timeouts);
    let connected = interrupt.run_until_cancelled(connect).await;
    progress.end();
    connected
        .unwrap_or(Err(reencrypt::Error::Interrupted))
        .map_err(|error| Failure::before_changing(&error))
}

fn tell_details(settings: &settings::Database, printer: &Printer) {
    let lock = humantime::format_duration(settings.timeouts.lock);
    let ignored = match settings.url.target() {
        DatabaseTarget::Sqlite(target) => {
            printer.detail(&format!(
                "SQLite file `{}`, lock timeout {lock}",
                target.path.display()
            ));
            &target.ignored_parameters
        }
        DatabaseTarget::Postgres(target) => {
            let statement = humantime::format_duration(settings.timeouts.statement);
            printer.detail(&format!(
                "Postgres database `{}` as `{}`, lock timeout {lock}, statement timeout {statement}",
                target.database, target.user
            ));
            let mode = target.ssl_mode.map_or_else(
                || "no sslmode".to_owned(),
                |mode| format!("sslmode {mode:?}"),
            );
            let demanded = match settings.tls {
                reencrypt::Tls::Required => "demands TLS over TCP",
                reencrypt::Tls::AsUrlSays => "leaves TLS to the URL",
            };
            printer.detail(&format!(
                "the URL has {mode}, DATABASE_REQUIRE_SSL {demanded}"
            ));
            &target.ignored_parameters
        }
    };
    for parameter in ignored {
        printer.detail(&format!(
            "the URL's parameter `{parameter}` is for other drivers, and ignored"
        ));
    }
}
