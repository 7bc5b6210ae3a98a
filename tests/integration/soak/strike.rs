//! Striking a run at a moment.
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use integration_tests::{Output, Program, Running, TestDatabase};

use super::case::{Moment, On, Victim};
use super::disk::{Asked, Disk, on_its_own};
use super::place::Place;
use super::scene::Scene;

const POLL: Duration = Duration::from_millis(2);
/// How long the tool is watched for a session.
const PATIENCE: Duration = Duration::from_secs(5);
/// On Google Cloud it has none for most of the time, and then for some milliseconds.
const PATIENCE_ON_GOOGLE: Duration = Duration::from_secs(300);

/// How long things take that nothing disturbs.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    pub(super) run: Duration,
    pub(super) long_step: Duration,
}

impl Pace {
    pub(super) fn of(on: On, run: Duration) -> Pace {
        let long_step = match on {
            On::Local => Duration::from_millis(40),
            On::GoogleCloud => Duration::from_millis(600),
        };
        Pace { run, long_step }
    }
}

/// What became of a program that was struck.
pub(super) struct Struck {
    pub(super) output: Output,
    /// Whether it was running then.
    pub(super) is_hit: bool,
}

/// Runs a program and strikes it; nothing where a machine has no means to.
pub(super) async fn struck(
    scene: &Scene,
    program: Program,
    victim: Victim,
    moment: Moment,
    pace: Pace,
) -> Result<Option<Struck>> {
    let folder = scene.place.folder();
    let (program, disk) = match on_its_own(program, &folder, victim)? {
        (_, Asked::Impossible) => return Ok(None),
        (program, Asked::Nothing) => (program, None),
        (program, Asked::Disk(disk)) => (program, Some(disk)),
    };
    let mut running = program.spawn();
    if let Some(disk) = &disk {
        disk.wait_until_ready(&mut running)?;
    }
    wait_for(&mut running, moment, pace);
    let is_hit = running.is_running();
    strike(scene, &mut running, victim, disk.as_ref()).await?;
    let output = running.wait();
    if victim == Victim::Power && matches!(scene.place, Place::Local(_)) {
        Disk::start_services(&folder)?;
    }
    scene.place.refuse_values(&output)?;
    Ok(Some(Struck { output, is_hit }))
}

/// Until the moment, or its end.
fn wait_for(running: &mut Running, moment: Moment, pace: Pace) {
    match moment {
        Moment::Time(part) => sleep(pace.run.mul_f64(part)),
        Moment::Step(part, rest) => {
            while running.is_running() && !has_begun(part, &running.said_on_stderr()) {
                sleep(POLL);
            }
            sleep(pace.long_step.mul_f64(rest));
        }
    }
}

/// Whether this part of the steps has begun, by the lines that tell of them: `  7/15  Pin`.
fn has_begun(part: f64, said: &str) -> bool {
    let step = |line: &str| {
        let (number, rest) = line.trim_start().split_once('/')?;
        number.parse::<u32>().ok()?;
        rest.split_once(' ')?.0.parse::<u32>().ok()
    };
    let begun: Vec<u32> = said.lines().filter_map(step).collect();
    let of = begun.first().copied().unwrap_or_default();
    of > 0 && begun.len() as f64 > part * f64::from(of)
}

async fn strike(
    scene: &Scene,
    running: &mut Running,
    victim: Victim,
    disk: Option<&Disk>,
) -> Result<()> {
    match victim {
        Victim::Tool => running.kill(),
        Victim::ToolAndChildren => running.kill_with_children(),
        Victim::JournalsDisk | Victim::Disk | Victim::Power => {
            disk.context("a disk")?.strike(running)?;
        }
        Victim::Sessions | Victim::Backend | Victim::Server => {
            let database = scene.beside.database().context("no database")?;
            let patience = match scene.place {
                Place::Local(_) => PATIENCE,
                Place::Google(_) => PATIENCE_ON_GOOGLE,
            };
            strike_server(database, running, victim, patience).await?;
        }
    }
    Ok(())
}

/// While the tool is at work there, unless it ends before.
async fn strike_server(
    database: &TestDatabase,
    running: &mut Running,
    victim: Victim,
    patience: Duration,
) -> Result<()> {
    let server = database.server();
    let client = database.connect().await;
    let theirs = "from pg_stat_activity where datname = current_database()
        and backend_type = 'client backend' and pid <> pg_backend_pid()";
    let one = format!("select pid {theirs} limit 1");
    let end_all = format!("select pg_terminate_backend(pid) {theirs}");
    let give_up = Instant::now() + patience;
    while running.is_running() && Instant::now() < give_up {
        let Some(found) = client.query_opt(&one, &[]).await? else {
            sleep(POLL);
            continue;
        };
        let is_struck = match victim {
            Victim::Backend => server.kill_process(found.get(0)).await,
            Victim::Server => {
                server.kill().await;
                true
            }
            _ => !client.query(&end_all, &[]).await?.is_empty(),
        };
        if is_struck {
            break;
        }
    }
    server.wait_until_it_answers().await;
    Ok(())
}
