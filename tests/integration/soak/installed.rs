//! What a secret is rotated in, before anything has happened.
use anyhow::Result;
use integration_tests::issuer::TestIssuer;
use integration_tests::{PostgresServer, TestDatabase};
use rotation::{Role, Secret, gma_client_secret, red_hat_sso_client_secret};

use super::beside::Beside;
use super::case::{On, Rotated};
use super::place::Place;
use crate::google::installation as google;
use crate::roles::lab::Lab;
use crate::secrets::installation::{self as local, BOTH};
use crate::subject::{Backend, OLD, Subject, clients, key};

/// Enough for a run to be struck while it re-encrypts.
const CLIENTS: u64 = 2_000;
const FEW_CLIENTS: u64 = 50;

const CLIENT: &str = "client-of-soak";
/// What the issuer has issued, the value in use first.
pub(super) const VALUES: [&str; 3] = [
    "hunter2-in-use-before",
    "hunter2-issued-today",
    "hunter2-issued-tomorrow",
];

/// A place, and what depends on the secret there; nothing where `gcloud` needn't be.
pub(super) async fn installed(
    rotated: Rotated,
    on: On,
    server: &'static PostgresServer,
) -> Result<Option<(Place, Beside)>> {
    let secret = rotated.secret();
    let mut beside = beside(rotated, on, server).await?;
    let value = match &beside {
        Beside::Login(lab) => lab.database.url_as(lab.first.name(), lab.first.password()),
        Beside::Client(_) => VALUES[0].to_owned(),
        _ => key(OLD)?.to_text().to_string(),
    };
    let place = match on {
        On::Local => Some(Place::Local(on_this_machine(secret, &value, &mut beside)?)),
        On::GoogleCloud => on_google(secret, &value, &beside).await?.map(Place::Google),
    };
    Ok(place.map(|place| (place, beside)))
}

async fn beside(rotated: Rotated, on: On, server: &'static PostgresServer) -> Result<Beside> {
    Ok(match rotated {
        Rotated::KeyInSqlite | Rotated::KeyOnPostgres => {
            let count = match on {
                On::Local => CLIENTS,
                On::GoogleCloud => FEW_CLIENTS,
            };
            Beside::TokensOf(tokens(rotated, count, server).await?)
        }
        Rotated::Database | Rotated::Sessions => {
            let database = TestDatabase::create_on(server).await;
            Beside::Login(Box::new(Lab::of(database, "createrole").await))
        }
        Rotated::Sso | Rotated::Gma => {
            let issuer = TestIssuer::start().await;
            for value in VALUES {
                issuer.accept(CLIENT, value);
            }
            Beside::Client(issuer)
        }
    })
}

async fn tokens(rotated: Rotated, count: u64, server: &'static PostgresServer) -> Result<Subject> {
    if rotated == Rotated::KeyInSqlite {
        return Subject::with_clients(Backend::Sqlite, count).await;
    }
    let subject = Subject::Postgres(TestDatabase::create_on(server).await);
    subject.insert(&clients(count)?).await?;
    Ok(subject)
}

/// A folder in which both services are restarted by a script.
fn on_this_machine(
    secret: Secret,
    value: &str,
    beside: &mut Beside,
) -> Result<local::Installation> {
    let variables = match &*beside {
        Beside::TokensOf(Subject::Postgres(database)) => {
            format!("DATABASE_URL={}\n", database.url())
        }
        Beside::Client(_) => format!("{}={CLIENT}\n", id(secret).1),
        Beside::Login(_) => String::new(),
        _ => "DATABASE_URL=sqlite+aiosqlite:///clients.sqlite\n".to_owned(),
    };
    let variables = format!("{variables}{}={value}\n", secret.variable);
    let mut installation = match &*beside {
        Beside::Client(issuer) => local::Installation::of_issuer(issuer, &variables, BOTH)?,
        _ => local::Installation::new(&variables, BOTH)?,
    };
    installation.keeps_secret(value);
    if let Beside::Login(lab) = &*beside {
        // As the server knows it; the URL has it percent-encoded.
        installation.keeps_secret(lab.first.password());
    }
    if let Beside::TokensOf(Subject::Sqlite(file)) = &*beside {
        // Beside the `.env`, so that one disk has all.
        let folder = installation.sandbox.folder();
        std::fs::copy(file.path(), folder.join("clients.sqlite"))?;
        *beside = Beside::TokensIn(folder);
    }
    Ok(installation)
}

async fn on_google(
    secret: Secret,
    value: &str,
    beside: &Beside,
) -> Result<Option<google::Installation>> {
    let services = match secret.readers {
        [Role::Agent] => &[google::AGENT][..],
        [Role::Handler] => &[google::HANDLER],
        _ => &[google::AGENT, google::HANDLER],
    };
    let subject = google::Subject {
        secret: secret.store_name,
        variable: secret.variable,
        services,
    };
    let Some(installation) = google::Installation::new(subject, value).await? else {
        return Ok(None);
    };
    Ok(Some(match beside {
        Beside::Client(issuer) => {
            let mut world = installation.google.world();
            world.secrets.add(id(secret).0, CLIENT.as_bytes());
            drop(world);
            let url = issuer.url();
            let issuers = format!("[issuers]\nred_hat_sso = \"{url}\"\ngma = \"{url}\"\n");
            let authority = issuer.authority_pem();
            installation
                .set(&issuers)?
                .variable("SSL_CERT_FILE", &authority.to_string_lossy())
                // The issuer is no server of Google's.
                .variable("no_proxy", "localhost")
                .variable("NO_PROXY", "localhost")
        }
        Beside::TokensOf(tokens) => installation.variable("DATABASE_URL", &tokens.url()),
        _ => installation,
    }))
}

/// What the client's id is called, in the store and for the services.
fn id(secret: Secret) -> (&'static str, &'static str) {
    let id = match secret == rotation::GMA_CLIENT_SECRET {
        true => gma_client_secret::CLIENT_ID,
        false => red_hat_sso_client_secret::CLIENT_ID,
    };
    (id.store_name, id.variable)
}
