//! A database on a real server as the service has it, and an installation whose `.env` leads
//! to it. The role owns the tables, may make roles, and is no superuser.
use anyhow::{Context as _, Result, ensure};
use integration_tests::{TestDatabase, TestRole};
use platform::database_roles::other_role;
use tokio_postgres::{Client, Config, Error, NoTls};

use super::installation::{BOTH, Installation};

/// One of the two secrets.
#[derive(Clone, Copy)]
pub(super) struct Url {
    pub(super) name: &'static str,
    pub(super) variable: &'static str,
}

pub(super) const SERVICES: Url = Url {
    name: "database-url",
    variable: "DATABASE_URL",
};

pub(super) const SESSIONS: Url = Url {
    name: "session-database-url",
    variable: "SESSION_DATABASE_URL",
};

/// The database, its two roles, and the installation.
pub(super) struct Lab {
    pub(super) installation: Installation,
    pub(super) url: Url,
    pub(super) database: TestDatabase,
    pub(super) first: TestRole,
    /// Dropped at the end, if a rotation has made it.
    _second: TestRole,
}

impl Lab {
    pub(super) async fn new(url: Url) -> Result<Lab> {
        Lab::with(url, "createrole", BOTH).await
    }

    /// With other options of the role, or other tables in the settings.
    pub(super) async fn with(url: Url, options: &str, tables: &str) -> Result<Lab> {
        let database = TestDatabase::create().await;
        let first = database.server().create_role(options).await;
        database.give_to(first.name()).await;
        let second = TestRole::expected(database.server(), other_role(first.name()));
        let value = database.url_as(first.name(), first.password());
        let variables = format!("{}={value}\n", url.variable);
        let mut installation = Installation::new(&variables, tables)?;
        // As the server knows it; the URL has it percent-encoded.
        installation.keeps_secret(first.password());
        Ok(Lab {
            installation,
            url,
            database,
            first,
            _second: second,
        })
    }

    /// `rotate-secret` with more arguments.
    pub(super) fn rotate<'a>(&self, more: &[&'a str]) -> Vec<&'a str> {
        [&["rotate-secret", self.url.name], more].concat()
    }

    /// The URL in the `.env`.
    pub(super) fn in_env(&self) -> Result<String> {
        self.installation.variable(self.url.variable)
    }

    /// The role that the `.env` names.
    pub(super) fn role_in_env(&self) -> Result<String> {
        role_of(&self.in_env()?)
    }

    /// The roles that take turns, the first one first.
    pub(super) fn roles(&self) -> [String; 2] {
        let first = self.first.name().to_owned();
        [first.clone(), other_role(&first)]
    }

    /// The service that was restarted can do its work, with what it has; what the `.env` has
    /// is the same, and an enabled version; and no version that isn't lets anybody in.
    pub(super) async fn expect_sound(&self) -> Result<()> {
        let url = self.in_env()?;
        if self.installation.sandbox.path("running").exists() {
            let served = self.installation.served(self.url.variable)?;
            ensure!(served == url, "the service runs with another URL");
        }
        use_tables(&url).await?;
        let stored = self.installation.stored(self.url.name)?;
        for version in &stored {
            let (number, state) = (version.number, version.state.as_str());
            let is_in_use = version.value == url;
            ensure!(
                is_in_use == (state == "enabled"),
                "version {number} is {state}"
            );
            ensure!(
                is_in_use || is_refused(&version.value).await?,
                "version {number} lets in"
            );
        }
        // A run that was undone before it stored anything leaves no store.
        let is_stored = stored.iter().any(|version| version.value == url);
        ensure!(
            is_stored || stored.is_empty(),
            "the URL is not in the store"
        );
        self.installation.expect_nothing_unfinished()
    }
}

/// A session of a service.
pub(super) async fn log_in(url: &str) -> Result<Client, Error> {
    let config: Config = url.replacen("+asyncpg", "", 1).parse()?;
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Whether the server refuses the login, for its password or its role.
pub(super) async fn is_refused(url: &str) -> Result<bool> {
    match log_in(url).await {
        Ok(_) => Ok(false),
        Err(error) => {
            let code = error.code().context("no answer of the server")?.code();
            ensure!(code.starts_with("28"), "another error: {code}");
            Ok(true)
        }
    }
}

/// What the service does with its tables.
pub(super) async fn use_tables(url: &str) -> Result<()> {
    let client = log_in(url).await.context("no login")?;
    let statements = "
        insert into usage_records (order_id, input_tokens, output_tokens, request_count,
            tool_calls, period_start, period_end, reported)
            values ('o', 1, 1, 1, 1, now(), now(), true);
        update usage_records set input_tokens = input_tokens + 1;
        select * from dcr_clients; select * from marketplace_entitlements;
        delete from usage_records";
    let used = client.batch_execute(statements).await;
    used.context("the service's statements")
}

/// The role of a URL; names in tests need no encoding.
pub(super) fn role_of(url: &str) -> Result<String> {
    let login = url.split_once("://").context("a URL")?.1;
    Ok(login
        .split_once(':')
        .context("a password")?
        .0
        .replace("%5F", "_"))
}
