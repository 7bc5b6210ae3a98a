//! The Postgres server of the test process, wherever it comes from.
mod container;
mod external;
mod image;
mod launch;
mod leftovers;
mod local;
mod template;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use rustls::ClientConfig;
use tokio::sync::{Mutex, OnceCell};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Error, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::runtime;
use crate::test_role::TestRole;
pub(crate) use launch::{Launched, ServerOptions, launch};

/// How the names of everything the harness makes in a server begin.
const NAME_PREFIX: &str = "harness";

/// A running Postgres server and a role that may do all that tests need.
pub struct PostgresServer {
    login: Launched,
    tls: Option<Arc<ClientConfig>>,
    major_version: u32,
    admin: Mutex<Option<Arc<Client>>>,
    template: OnceCell<String>,
}

impl PostgresServer {
    /// The server that every test of this process shares, started at first use.
    ///
    /// # Panics
    ///
    /// If none of the ways described in this crate's documentation gives one.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<PostgresServer, String>> = OnceLock::new();
        // A failure is kept, or every test would try all the ways anew.
        let server = SHARED.get_or_init(|| {
            runtime::block_on(async {
                let login = match external::from_environment()? {
                    Some(login) => login,
                    None => launch(ServerOptions::default()).await?,
                };
                let is_external = login.is_external;
                let server = Self::connect_to(login, None).await?;
                if is_external {
                    external::drop_leftovers(&server).await;
                }
                Ok(server)
            })
        });
        server.as_ref().unwrap_or_else(|error| panic!("{error}"))
    }

    /// A server that tests may kill, started at first use. It comes back on the same port,
    /// and is never the one of `TEST_DATABASE_URL`. One test at a time may use it.
    ///
    /// # Panics
    ///
    /// If neither Docker nor local binaries give one.
    pub fn to_be_killed() -> &'static Self {
        static TO_BE_KILLED: OnceLock<Result<PostgresServer, String>> = OnceLock::new();
        let server = TO_BE_KILLED.get_or_init(|| {
            runtime::block_on(async {
                let options = ServerOptions {
                    is_restarted: true,
                    ..ServerOptions::default()
                };
                Self::connect_to(launch(options).await?, None).await
            })
        });
        server.as_ref().unwrap_or_else(|error| panic!("{error}"))
    }

    /// Kills the server with all its processes, as the end of its machine would.
    ///
    /// # Panics
    ///
    /// If it refuses to be asked.
    pub async fn kill(&self) {
        let processes = "select string_agg(pid::text, ' ') from (
            select split_part(pg_read_file('postmaster.pid'), chr(10), 1) as pid
            union all select pid::text from pg_stat_activity where pid <> pg_backend_pid()
        ) as processes";
        let client = self.connect(&self.login.database).await;
        let found = client.query_one(processes, &[]).await;
        let processes: String = found.expect("its processes").get(0);
        // Some may have ended by themselves.
        let is_killed = end_by(&client, &format!("kill -9 {processes} || true")).await;
        assert!(is_killed, "the server was not killed");
    }

    /// Kills one of its processes, unless that has ended: the server ends all the others
    /// then, and recovers. Says whether it was there.
    ///
    /// # Panics
    ///
    /// If it refuses to be asked.
    pub async fn kill_process(&self, pid: i32) -> bool {
        let client = self.connect(&self.login.database).await;
        end_by(&client, &format!("kill -9 {pid}")).await
    }

    /// Waits until it answers, after it was killed.
    ///
    /// # Panics
    ///
    /// If that takes a minute.
    pub async fn wait_until_it_answers(&self) {
        let give_up = Instant::now() + Duration::from_secs(60);
        while !self.execute_apart("select").await {
            assert!(Instant::now() < give_up, "the server does not come back");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until a server that was just started answers.
    pub(crate) async fn connect_to(
        login: Launched,
        tls: Option<Arc<ClientConfig>>,
    ) -> Result<Self, String> {
        let mut server = Self {
            login,
            tls,
            major_version: 0,
            admin: Mutex::default(),
            template: OnceCell::new(),
        };
        let give_up = Instant::now() + Duration::from_secs(15);
        let client = loop {
            match server.try_connect(&server.login.database).await {
                Ok(client) => break client,
                Err(error) if is_final(&error) || Instant::now() > give_up => {
                    let (host, port) = (server.host(), server.port());
                    return Err(format!("no login at {host}:{port}: {error:?}"));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        };
        let version = "select current_setting('server_version_num')::integer / 10000";
        let row = client.query_one(version, &[]).await;
        let major = row.map_err(|error| format!("no server version: {error}"))?;
        server.major_version = major.get::<_, i32>(0).unsigned_abs();
        server.admin = Mutex::new(Some(Arc::new(client)));
        Ok(server)
    }

    /// The host to connect to: a name or an address.
    pub fn host(&self) -> &str {
        &self.login.host
    }

    /// The TCP port to connect to.
    pub fn port(&self) -> u16 {
        self.login.port
    }

    /// The role that owns what tests make: a superuser, unless the server was there before.
    pub fn role(&self) -> &str {
        &self.login.role
    }

    /// The password of [`role`](Self::role), full of what a URL must encode.
    pub fn password(&self) -> &str {
        &self.login.password
    }

    /// The server's major version, such as 15.
    pub fn major_version(&self) -> u32 {
        self.major_version
    }

    /// A connection of the server's own role to a database, for arranging and asserting.
    ///
    /// # Panics
    ///
    /// If the login fails.
    pub async fn connect(&self, database: &str) -> Client {
        self.try_connect(database).await.expect("a login")
    }

    /// Makes a login role of a unique name, with more options such as `CREATEROLE`.
    /// It is dropped with the returned value.
    ///
    /// # Panics
    ///
    /// If the server refuses.
    pub async fn create_role(&'static self, options: &str) -> TestRole {
        TestRole::create(self, options).await
    }

    /// Runs a statement in the maintenance database.
    pub(crate) async fn execute(&self, statement: &str) -> Result<(), Error> {
        let client = {
            let mut admin = self.admin.lock().await;
            match &*admin {
                Some(client) if !client.is_closed() => Arc::clone(client),
                _ => {
                    let client = Arc::new(self.try_connect(&self.login.database).await?);
                    *admin = Some(Arc::clone(&client));
                    client
                }
            }
        };
        client.batch_execute(statement).await
    }

    /// Runs a statement on a connection of its own, which nobody waits behind, and
    /// says whether it succeeded.
    pub(crate) async fn execute_apart(&self, statement: &str) -> bool {
        match self.try_connect(&self.login.database).await {
            Ok(client) => client.batch_execute(statement).await.is_ok(),
            Err(_) => false,
        }
    }

    /// The maintenance database, in which no test works.
    pub(crate) fn maintenance_database(&self) -> &str {
        &self.login.database
    }

    /// Whether the server outlives this process, so that what is left in it stays there.
    pub(crate) fn is_external(&self) -> bool {
        self.login.is_external
    }

    /// A name nothing in the server has, which says when it was made.
    pub(crate) fn unique_name(&self) -> String {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let made_at = seconds_since_epoch();
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        format!("{NAME_PREFIX}_{made_at}_{}_{count}", std::process::id())
    }

    /// The database with the service's tables, from which those of the tests are copied.
    pub(crate) async fn template(&self) -> &str {
        self.template
            .get_or_init(|| async { template::make(self).await.expect("a template database") })
            .await
    }

    async fn try_connect(&self, database: &str) -> Result<Client, Error> {
        let mut config = Config::new();
        config.host(self.host()).port(self.port());
        config.user(self.role()).password(self.password());
        config.dbname(database);
        config.connect_timeout(Duration::from_secs(10));
        let tls = self.tls.clone();
        runtime::run(async move {
            let Some(tls) = tls else {
                let (client, connection) = config.connect(NoTls).await?;
                runtime::spawn(connection);
                return Ok(client);
            };
            let tls = MakeRustlsConnect::new(Arc::unwrap_or_clone(tls));
            let (client, connection) = config.connect(tls).await?;
            runtime::spawn(connection);
            Ok(client)
        })
        .await
    }
}

/// Has a shell run a line where the server's processes are, be that a container, and waits
/// until that has ended this session too; not where the line fails, or comes too late: a
/// process that has just ended can still be killed, and nothing happens.
async fn end_by(client: &Client, line: &str) -> bool {
    let run = format!("copy (select) to program '{line}'");
    // The answer may not come any more.
    let ran = client.batch_execute(&run).await;
    let code = ran.as_ref().err().and_then(Error::code);
    if code == Some(&SqlState::EXTERNAL_ROUTINE_EXCEPTION) {
        return false;
    }
    let give_up = Instant::now() + Duration::from_secs(3);
    while !client.is_closed() && Instant::now() < give_up {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    client.is_closed()
}

/// Whether waiting for the server to come up can't help: the login itself is wrong.
fn is_final(error: &Error) -> bool {
    let code = error.code().map(SqlState::code).unwrap_or_default();
    code.starts_with("28") || code.starts_with("3D")
}

fn seconds_since_epoch() -> u64 {
    SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(0, |since| since.as_secs())
}
