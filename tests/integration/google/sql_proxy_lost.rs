//! The proxy to Cloud SQL dies, stalls or is left in the middle of a rotation: the run ends and
//! says so, no proxy is left behind, and what `status` says to type finishes it.
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use integration_tests::google::Hold;
use integration_tests::{Output, Running, Signal, TestDatabase};
use rustix::process::{Pid, kill_process, test_kill_process};

use super::installation::{AGENT, HANDLER, Installation, Subject};
use super::rotation::KEY;
use crate::roles::lab::Lab;
use crate::subject::{OLD, Row, Subject as Table, clients, key};

const URL: Subject = Subject {
    secret: "database-url",
    variable: "DATABASE_URL",
    services: &[AGENT, HANDLER],
};
const SOCKET: &str = "/cloudsql/p1:us-central1:db1";
/// A connection has ten seconds, a statement of a role's forty; the rest is for a busy machine.
const LONGEST: Duration = Duration::from_secs(300);

/// Proxies of an installation's own, each of which writes down its process.
struct Proxies<'a> {
    installation: &'a Installation,
}

/// The URL of a database as the services have it on Cloud Run.
fn by_socket(database: &TestDatabase, url: &str) -> Result<String> {
    let server = database.server();
    let place = format!("@{}:{}/", server.host(), server.port());
    let (login, rest) = url.split_once(&place).context("a host")?;
    let name = rest.split('?').next().unwrap_or_default();
    Ok(format!("{login}@/{name}?host={SOCKET}"))
}

/// Has the installation start proxies that lead to the database.
fn with_proxy(installation: Installation, database: &TestDatabase) -> Result<Installation> {
    let folder = installation.folder();
    let program = folder.join("cloud-sql-proxy");
    let (stand_in, server) = (
        env!("CARGO_BIN_EXE_cloud-sql-proxy-stand-in"),
        database.server(),
    );
    let pids = folder.join("pids");
    let script = format!(
        "#!/bin/sh\necho $$ >> '{}'\nSTAND_IN_PROXY_TO='{}:{}' exec '{stand_in}' \"$@\"\n",
        pids.display(),
        server.host(),
        server.port()
    );
    fs::write(&program, script)?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700))?;
    let setting = format!(
        "[google_cloud]\ncloud_sql_proxy = \"{}\"\n",
        program.display()
    );
    installation.set(&setting)
}

impl Proxies<'_> {
    fn started(&self) -> Result<Vec<Pid>> {
        let pids = fs::read_to_string(self.installation.folder().join("pids"))?;
        let pid = |line: &str| Pid::from_raw(line.parse()?).context("a process");
        pids.lines().map(pid).collect()
    }

    fn signal_last(&self, signal: Signal) -> Result<()> {
        let last = self.started()?.into_iter().next_back();
        Ok(kill_process(last.context("a proxy")?, signal)?)
    }

    /// The program, until a request of its `gcloud` is held and something has happened.
    async fn struck(
        &self,
        mut running: Running,
        hold: &Hold,
        strike: impl FnOnce(&mut Running) -> Result<()>,
    ) -> Result<Output> {
        tokio::select! {
            () = hold.held() => {}
            () = tokio::time::sleep(LONGEST) => anyhow::bail!("it never came so far"),
        }
        strike(&mut running)?;
        hold.release();
        let began = Instant::now();
        let output = running.wait();
        ensure!(
            began.elapsed() < LONGEST,
            "{:?}: {output:?}",
            began.elapsed()
        );
        self.installation.refuse_values(&output)?;
        self.expect_none_left()?;
        Ok(output)
    }

    fn expect_none_left(&self) -> Result<()> {
        let give_up = Instant::now() + Duration::from_secs(5);
        for pid in self.started()? {
            while test_kill_process(pid).is_ok() {
                ensure!(Instant::now() < give_up, "{pid:?} still runs");
                sleep(Duration::from_millis(10));
            }
        }
        Ok(())
    }

    fn hold(&self, command: &'static str, piece: &'static str) -> Hold {
        let hold = Hold::first(command, "POST", piece);
        self.installation.google.world().holds = vec![hold.clone()];
        hold
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_urls_rotation_is_gone_on_with() -> Result<()> {
    let lab = Lab::new().await?;
    let url = lab.database.url_as(lab.first.name(), lab.first.password());
    let url = by_socket(&lab.database, &url)?;
    let Some(installation) = Installation::new(URL, &url).await? else {
        return Ok(());
    };
    let installation = with_proxy(installation, &lab.database)?;
    let proxies = Proxies {
        installation: &installation,
    };
    let begin = installation.program(&["rotate-secret", URL.secret]);
    let resume = installation.program(&["resume"]);

    let hold = proxies.hold("gcloud.secrets.versions.add", ":addVersion");
    let kill = |_: &mut Running| proxies.signal_last(Signal::KILL);
    let died = proxies.struck(begin.spawn(), &hold, kill).await?;
    assert_eq!(died.code, Some(2), "{died:?}");
    assert!(died.stderr.contains("cannot connect to"), "{died:?}");
    assert_eq!(installation.states(), ["ENABLED", "ENABLED"], "{died:?}");

    // Retired, and looked at again: what can't be seen to be over is not.
    let hold = proxies.hold("gcloud.secrets.versions.disable", ":disable");
    let stall = |_: &mut Running| proxies.signal_last(Signal::STOP);
    let stalled = proxies.struck(resume.spawn(), &hold, stall).await?;
    assert_eq!(stalled.code, Some(2), "{stalled:?}");
    assert!(stalled.stderr.contains("does not answer"), "{stalled:?}");
    assert_eq!(installation.states(), ["ENABLED", "ENABLED"], "{stalled:?}");

    let hold = proxies.hold("gcloud.secrets.versions.disable", ":disable");
    let leave = |running: &mut Running| {
        running.signal(Signal::INT);
        running.wait_for("a second Ctrl-C leaves at once");
        sleep(Duration::from_millis(500));
        running.signal(Signal::INT);
        running.wait_for("leaving:");
        Ok(())
    };
    let left = proxies.struck(resume.spawn(), &hold, leave).await?;
    assert_eq!(left.code, Some(3), "{left:?}");

    let rotated = installation.run(&["resume"])?;
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    assert_eq!(installation.states(), ["DISABLED", "ENABLED"]);
    assert_eq!(installation.bound()?, ["2", "2"]);
    proxies.expect_none_left()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_re_encryption_is_rolled_back_and_gone_on_with() -> Result<()> {
    let database = TestDatabase::create().await;
    let url = by_socket(&database, &database.url())?;
    let Some(installation) = Installation::new(KEY, &key(OLD)?.to_text()).await? else {
        return Ok(());
    };
    installation
        .google
        .world()
        .secrets
        .add(URL.secret, url.as_bytes());
    let installation = with_proxy(installation, &database)?;
    let proxies = Proxies {
        installation: &installation,
    };
    let client = database.connect().await;
    let table = Table::Postgres(database);
    table.insert(&clients(10)?).await?;
    let tokens = opened(&table, OLD).await?;
    let pause = "create function pause() returns trigger language plpgsql as
            $$ begin perform pg_sleep(2); return new; end $$;
        create trigger pause before update on dcr_clients for each statement
            execute function pause()";
    client.batch_execute(pause).await?;

    let running = installation.program(&["rotate-dcr"]).spawn();
    wait_until_pausing(&client).await?;
    proxies.signal_last(Signal::KILL)?;
    let began = Instant::now();
    let died = running.wait();
    assert_eq!(died.code, Some(2), "{died:?}");
    assert!(began.elapsed() < LONGEST, "{:?}", began.elapsed());
    installation.refuse_values(&died)?;
    proxies.expect_none_left()?;
    assert_eq!(opened(&table, OLD).await?, tokens);

    client
        .batch_execute("drop trigger pause on dcr_clients")
        .await?;
    let rotated = installation.run(&["resume"])?;
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    assert_eq!(opened(&table, &installation.values()[1]).await?, tokens);
    proxies.expect_none_left()
}

async fn wait_until_pausing(client: &tokio_postgres::Client) -> Result<()> {
    let pausing = "select count(*) from pg_stat_activity
        where datname = current_database() and wait_event = 'PgSleep'";
    let give_up = Instant::now() + LONGEST;
    while client.query_one(pausing, &[]).await?.get::<_, i64>(0) == 0 {
        ensure!(Instant::now() < give_up, "it never wrote");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

async fn opened(table: &Table, key: &str) -> Result<usize> {
    let of_row = |row: &Row| row.opened(key).iter().flatten().count();
    Ok(table.rows().await?.iter().map(of_row).sum())
}
