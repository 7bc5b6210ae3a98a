//! A handler that answers registrations during the whole rotation of its key on Google
//! Cloud: as the service does, with the one key that each instance has read at its start.
#![expect(clippy::print_stderr, reason = "what was measured is said")]

use std::panic::resume_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use integration_tests::google::Google;
use reencrypt::sample::{self, StandIn};
use secret::FernetKey;

use super::installation::{HANDLER, Installation};
use super::rotation::KEY;
use crate::subject::{OLD, SqliteFile, key, open};

const CLIENTS: u64 = 1000;
const BETWEEN_ANSWERS: Duration = Duration::from_millis(2);
const BETWEEN_REGISTRATIONS: Duration = Duration::from_millis(40);
/// How long an instance still gets requests after the traffic has moved.
const LINGERS: Duration = Duration::from_millis(300);
const NEW_ORDER: &[u8] = b"made-up-secret-of-a-new-order";

/// An instance of a revision.
struct Instance {
    revision: String,
    version: usize,
    service: StandIn,
    had_traffic: Instant,
}

/// What the instances have done.
#[derive(Default)]
struct Served {
    answers: u32,
    /// When known orders were not answered.
    failures: Vec<Instant>,
    /// When the new key's instance came first.
    moved: Option<Instant>,
    orders: Vec<String>,
}

/// The revisions that traffic goes to, each with the version that an instance reads.
fn with_traffic(google: &Google) -> Result<Vec<(String, usize)>> {
    let mut world = google.world();
    world.run.settle();
    let latest = world.secrets.secrets[KEY.secret].len();
    let service = &world.run.services[HANDLER];
    let targets = service.traffic.as_array().context("traffic")?;
    let targets = targets
        .iter()
        .filter(|target| target["percent"].as_u64() > Some(0));
    let revision = |target: &serde_json::Value| {
        let name = target["revisionName"].as_str().context("a revision")?;
        let key = service.key(name, KEY.variable).context("a version")?;
        let version = if key == "latest" {
            latest
        } else {
            key.parse()?
        };
        Ok((name.to_owned(), version))
    };
    targets.map(revision).collect()
}

/// Starts with a version, which has to be enabled.
fn start(google: &Google, database: &Path, version: usize) -> Result<StandIn> {
    let stored = google.world().secrets.secrets[KEY.secret][version - 1].clone();
    assert_eq!(stored.state, "ENABLED", "version {version}");
    let key = FernetKey::parse(&stored.value)?.key;
    Ok(StandIn::start(database, &key)?)
}

/// Answers known orders and registers new ones until it is stopped.
fn serve(google: &Google, database: &Path, stop: &AtomicBool) -> Result<Served> {
    let mut served = Served::default();
    let mut instances: Vec<Instance> = Vec::new();
    let mut registered = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        for (revision, version) in with_traffic(google)? {
            if let Some(known) = instances.iter_mut().find(|one| one.revision == revision) {
                known.had_traffic = Instant::now();
                continue;
            }
            if version == 2 {
                served.moved.get_or_insert_with(Instant::now);
            }
            instances.push(Instance {
                service: start(google, database, version)?,
                had_traffic: Instant::now(),
                revision,
                version,
            });
        }
        instances.retain(|one| one.had_traffic.elapsed() < LINGERS);
        let is_due = registered.elapsed() > BETWEEN_REGISTRATIONS;
        for instance in &mut instances {
            served.answers += 1;
            if !instance.service.answers_known_order()? {
                // Only the old key can fail, and only once the table is under the new one.
                assert_eq!(instance.version, 1, "{}", instance.revision);
                let mut new = start(google, database, 2)?;
                assert!(new.answers_known_order()?, "before the commit");
                served.failures.push(Instant::now());
            }
            if is_due {
                let order = format!("new-order-{:05}", served.orders.len());
                instance.service.register(&order)?;
                served.orders.push(order);
                registered = Instant::now();
            }
        }
        sleep(BETWEEN_ANSWERS);
    }
    Ok(served)
}

/// Stops the instances when it is dropped, be it by a panic.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Every order, known or new, is there with its secret, under this key.
fn expect_nothing_lost(database: &SqliteFile, orders: &[String], key: &str) -> Result<()> {
    let rows = database.rows()?;
    let known = (0..CLIENTS).map(|number| {
        let order = format!("order-{number:07}");
        (order, sample::client_secret(number).into_bytes())
    });
    let new = orders
        .iter()
        .map(|order| (order.clone(), NEW_ORDER.to_vec()));
    let mut expected: Vec<_> = known.chain(new).collect();
    expected.sort();
    let opened = rows.iter().map(|row| {
        let opened = open(&row.client_secret, key).with_context(|| row.order_id.clone())?;
        Ok((row.order_id.clone(), opened.plaintext))
    });
    let mut opened = opened.collect::<Result<Vec<_>>>()?;
    opened.sort();
    assert_eq!(opened.len(), expected.len());
    assert!(opened == expected, "another secret");
    let registrations = rows
        .iter()
        .filter_map(|row| row.registration_access_token.as_ref());
    for token in registrations {
        assert!(
            open(token, key).is_some(),
            "a registration is under another key"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_s_rotation_loses_no_order() -> Result<()> {
    let old = key(OLD)?;
    let Some(installation) = Installation::new(KEY, &old.to_text()).await? else {
        return Ok(());
    };
    let database = SqliteFile::missing()?;
    sample::create_sqlite(&database.path(), CLIENTS, &old).await?;
    let installation = installation.variable("DATABASE_URL", &database.url());
    let stop = AtomicBool::new(false);
    let (google, path) = (&installation.google, database.path());
    let served = thread::scope(|scope| {
        let serving = scope.spawn(|| serve(google, &path, &stop));
        let stopped = Stop(&stop);
        let rotated = installation.run(&["rotate-dcr"])?;
        // It goes on with the new key.
        sleep(LINGERS);
        drop(stopped);
        let served = serving.join().unwrap_or_else(|panic| resume_unwind(panic));
        assert_eq!(rotated.code, Some(0), "{rotated:?}");
        served
    })?;
    let (Some(first), Some(last)) = (served.failures.first(), served.failures.last()) else {
        anyhow::bail!("no known order failed: nothing was asked between commit and traffic");
    };
    let moved = served
        .moved
        .context("the new key's instance was never asked")?;
    eprintln!(
        "a key's rotation on Google Cloud: known orders failed for {} ms, {} of {} answers: {} ms from the \
         commit to the traffic, and then the old instance's last requests; none of {} new orders was lost",
        (*last - *first).as_millis(),
        served.failures.len(),
        served.answers,
        moved.saturating_duration_since(*first).as_millis(),
        served.orders.len()
    );
    assert!(
        *last < moved + LINGERS + BETWEEN_REGISTRATIONS * 10,
        "long after the traffic"
    );
    assert!(served.orders.len() > 20, "hardly any order was registered");
    assert_eq!(installation.states(), ["DISABLED", "ENABLED"]);
    expect_nothing_lost(&database, &served.orders, &installation.values()[1])
}
