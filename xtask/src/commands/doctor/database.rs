//! The database, reached as a run reaches it, and the key in use.

use platform::{Finding, Platform};
use rotation::{Examined, Tokens, dcr_encryption_key};
use runbook::StepError as _;
use secret::{DatabaseTarget, DatabaseUrl, Host};

use crate::cli;
use crate::failure::{Failure, chain};
use crate::output::grouped;
use crate::settings::{self, Database, Surroundings};

const TOPIC: &str = "database";

/// Where Cloud Run has the sockets of Cloud SQL; here a proxy makes them.
const CLOUD_SQL_SOCKETS: &str = "/cloudsql";

/// The database, and the platform beside it.
pub(super) async fn reach(
    settings: &settings::Procedure,
    surroundings: &Surroundings<'_>,
) -> Result<(Database, Platform), Failure> {
    settings
        .reach(&cli::Timeouts::default(), surroundings)
        .await
}

/// Connects, and opens every token with the key in use.
pub(super) async fn examine(
    settings: &settings::Procedure,
    reached: Result<(Database, Platform), Failure>,
    surroundings: &Surroundings<'_>,
) -> Vec<Finding> {
    let (database, platform) = match reached {
        Ok(reached) => reached,
        Err(failure) => return vec![of_failure(&failure)],
    };
    let secret = dcr_encryption_key::SECRET;
    let consumers = settings.consumers_of(&secret);
    let Some(reader) = consumers.first() else {
        return Vec::new();
    };
    let _proxy = database.proxy;
    let mut database = rotation::Database {
        url: database.url,
        tls: database.tls,
        timeouts: database.timeouts,
        excluded_columns: settings.excluded_columns.clone(),
        observer: Box::new(|_| {}),
        interrupt: surroundings.interrupt.clone(),
    };
    let store = settings.store_of(&secret);
    let examined = rotation::examine(&platform, &store, &reader.service, &mut database).await;
    // On a laptop the service's own URL leads nowhere: a proxy has another address.
    let source = match surroundings.variable("DATABASE_URL") {
        Some(_) => ", by this shell's DATABASE_URL",
        None => "",
    };
    findings(examined, &database.url, source)
}

fn findings(examined: Examined, url: &DatabaseUrl, source: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    match examined.table {
        Ok(plan) => {
            let clients = grouped(plan.clients);
            let text = format!("`{url}` answers{source}; dcr_clients has {clients} clients");
            findings.push(Finding::fine(TOPIC, text));
            for table in plan.unsearched_tables {
                let text = format!(
                    "the role may not read the table `{table}`, which may have encrypted columns too"
                );
                findings.push(Finding::warning(TOPIC, text));
            }
        }
        Err(error) => {
            let text = format!("{}: `{url}`{source}", chain(&error));
            let mut finding = Finding::fault(TOPIC, text, stopped());
            finding.mend.extend(proxy(url));
            finding.mend.extend(error.hint());
            findings.push(finding);
        }
    }
    match examined.tokens {
        None => {}
        Some(Ok(tokens)) => findings.push(of_tokens(tokens)),
        Some(Err(error)) => {
            let mut finding = Finding::fault("key", chain(&error), of_key());
            finding.mend.extend(error.hint());
            findings.push(finding);
        }
    }
    findings
}

fn of_tokens(tokens: Tokens) -> Finding {
    let (opened, unreadable) = (tokens.under_old(), tokens.unreadable());
    if unreadable == 0 {
        let text = format!("the key in use opens all {} tokens", grouped(opened));
        return Finding::fine("key", text);
    }
    let text = format!(
        "the key in use does not open {} of {} tokens",
        grouped(unreadable),
        grouped(opened + unreadable)
    );
    // It asks for the keys, and lists the cells.
    Finding::fault("key", text, of_key()).mended_by("cargo xtask survey-dcr")
}

fn of_failure(failure: &Failure) -> Finding {
    let finding = Finding::fault(TOPIC, failure.message.clone(), stopped());
    Finding {
        mend: failure.hint.clone().into_iter().collect(),
        ..finding
    }
}

/// What makes the socket that the URL names, where it isn't there.
fn proxy(url: &DatabaseUrl) -> Vec<String> {
    let DatabaseTarget::Postgres(target) = url.target() else {
        return Vec::new();
    };
    let Host::UnixSocket(folder) = &target.host else {
        return Vec::new();
    };
    match folder.strip_prefix(CLOUD_SQL_SOCKETS) {
        Ok(instance) if !folder.exists() => vec![
            format!("sudo install -d -o \"$USER\" {CLOUD_SQL_SOCKETS}"),
            // Its login is not the one of `gcloud`.
            "gcloud auth application-default login".to_owned(),
            format!(
                "cloud-sql-proxy --unix-socket {CLOUD_SQL_SOCKETS} {}",
                instance.display()
            ),
        ],
        _ => Vec::new(),
    }
}

fn stopped() -> Vec<String> {
    let secrets = [rotation::DATABASE_URL, dcr_encryption_key::SECRET];
    secrets.map(|secret| secret.name.to_owned()).into()
}

fn of_key() -> Vec<String> {
    vec![dcr_encryption_key::SECRET.name.to_owned()]
}
