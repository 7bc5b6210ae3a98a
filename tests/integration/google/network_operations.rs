//! The network between `gcloud` and Google in every trouble, at every request of each
//! change that a rotation makes: it is made once, or is made by a repetition.
//!
//! A whole rotation under the same troubles is in `rotation::network`. One case of some
//! is gone through as a rule; `TEST_CASES=all` goes through all of them.
use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use integration_tests::google::{Effect, Fault};
use integration_tests::{Reached, Trouble};
use platform::Bound;
use secret::VersionNumber;
use serde_json::Value;

use super::lab::{INSTALLED, Lab, SECRET, value};
use crate::faults::random::say;
use crate::part::Part;

/// Of so many cases, one is gone through as a rule.
const ONE_OF: usize = 13;
/// Far more than a call takes that nothing disturbs.
const SHORT: Duration = Duration::from_secs(8);
/// A call has its limit, and no question is asked more than three times.
const LONGEST: Duration = Duration::from_secs(120);

const CALLER: &str = "allUsers";

/// What a rotation has done with one service and one secret.
#[derive(Clone, Copy, Debug)]
enum Change {
    Add,
    Disable,
    Enable,
    Prepare,
    CutOver,
    /// The one that had the traffic before, and what was kept up meanwhile.
    DiscardOthers,
    /// The one that was prepared.
    Discard,
    Refuse,
    Admit,
    BackUp,
}

const CHANGES: [Change; 10] = [
    Change::Add,
    Change::Disable,
    Change::Enable,
    Change::Prepare,
    Change::CutOver,
    Change::DiscardOthers,
    Change::Discard,
    Change::Refuse,
    Change::Admit,
    Change::BackUp,
];

/// Those that some cases are of as a rule.
const AS_A_RULE: [Change; 2] = [Change::Add, Change::Refuse];

/// What befalls a request, and how often.
const TROUBLES: [(Effect, u32); 14] = [
    (Effect::Network(Trouble::Closed(Reached::Nothing)), 1),
    (Effect::Network(Trouble::Closed(Reached::Server)), 1),
    (Effect::Network(Trouble::Closed(Reached::Headers)), 1),
    (Effect::Network(Trouble::Closed(Reached::Body)), 1),
    (Effect::Network(Trouble::Reset(Reached::Nothing)), 1),
    (Effect::Network(Trouble::Reset(Reached::Server)), 1),
    (Effect::Network(Trouble::Reset(Reached::Body)), 1),
    (Effect::Network(Trouble::Silent(Reached::Nothing)), 1),
    (Effect::Network(Trouble::Silent(Reached::Server)), 1),
    (
        Effect::Network(Trouble::InBytes(Duration::from_millis(1))),
        1,
    ),
    (Effect::Network(Trouble::Shortened), 1),
    (Effect::Late(Duration::from_secs(2)), 1),
    // Also when `gcloud` sends it again.
    (Effect::Network(Trouble::Closed(Reached::Server)), 5),
    (Effect::Away, 1),
];

/// A lab in which the change can be made.
struct Bench {
    lab: Lab,
    change: Change,
    candidate: Bound,
    /// The revision that reads it, where there is one by now.
    prepared: String,
}

impl Bench {
    async fn new(change: Change, limit: Duration) -> Result<Option<Bench>> {
        let lab = Lab::with(|settings| {
            settings.timeouts.call = limit;
            settings.timeouts.ready = limit;
            settings.timeouts.traffic = limit;
            settings.timeouts.backup = limit;
        });
        let Some(lab) = lab.await? else {
            return Ok(None);
        };
        lab.google.world().run.pace = Duration::ZERO;
        lab.google.world().sql.pace = Duration::ZERO;
        let candidate = match change {
            Change::Add => lab.first(),
            _ => lab.add("two")?,
        };
        let mut bench = Bench {
            lab,
            change,
            candidate,
            prepared: String::new(),
        };
        bench.arrange().await?;
        bench.lab.google.world().requests.clear();
        Ok(Some(bench))
    }

    async fn arrange(&mut self) -> Result<()> {
        let lab = &self.lab;
        match self.change {
            Change::CutOver | Change::Discard => {
                self.prepared = lab.prepare(self.candidate).await?;
            }
            Change::DiscardOthers => {
                self.prepared = lab.prepare(self.candidate).await?;
                lab.cut_over(&self.prepared).await?;
            }
            Change::Enable => {
                lab.platform.store.disable(SECRET, self.number()?).await?;
            }
            Change::Admit => self.admit(false).await?,
            _ => {}
        }
        Ok(())
    }

    fn number(&self) -> Result<VersionNumber> {
        match self.candidate {
            Bound::Pinned(number) => Ok(number),
            _ => anyhow::bail!("no number"),
        }
    }

    async fn admit(&self, is_admitted: bool) -> Result<()> {
        let callers = self.lab.platform.callers.as_deref().context("callers")?;
        match is_admitted {
            true => callers.admit(INSTALLED, CALLER).await?,
            false => callers.refuse(INSTALLED, CALLER).await?,
        }
        Ok(())
    }

    async fn make(&self) -> Result<()> {
        let (lab, platform) = (&self.lab, &self.lab.platform);
        match self.change {
            Change::Add => drop(platform.store.add(SECRET, &value("two")).await?),
            Change::Disable => platform.store.disable(SECRET, self.number()?).await?,
            Change::Enable => platform.store.enable(SECRET, self.number()?).await?,
            Change::Prepare => drop(lab.prepare(self.candidate).await?),
            Change::CutOver => lab.cut_over(&self.prepared).await?,
            Change::DiscardOthers => {
                let services = &platform.services;
                services.discard_others(INSTALLED).await?;
            }
            Change::Discard => {
                platform.services.discard(INSTALLED, &self.prepared).await?;
            }
            Change::Refuse => self.admit(false).await?,
            Change::Admit => self.admit(true).await?,
            Change::BackUp => {
                let backups = platform.backups.as_deref().context("backups")?;
                backups.take().await?;
            }
        }
        Ok(())
    }

    /// What there is now, without the names of revisions. Of a value that was added, one
    /// version counts: the one that is enabled.
    fn seen(&self) -> Value {
        let mut world = self.lab.google.world();
        world.run.settle();
        let service = &world.run.services[INSTALLED];
        let mut told = service.told();
        for target in told["traffic"].as_array_mut().into_iter().flatten() {
            target["revisionName"] = Value::Null;
            if target["tag"].is_string() {
                target["tag"] = Value::from("ours");
            }
        }
        let mut states = world.secrets.states(SECRET);
        if let Change::Add = self.change {
            states.retain(|state| *state == "ENABLED");
        }
        let serving = service.serving().unwrap_or_default();
        serde_json::json!({
            "told": told, "states": states, "callers": service.policy.bindings,
            "serves": service.key(serving, "DCR_ENCRYPTION_KEY"),
            "reachable": service.reachable().len(), "is_ready": service.is_ready(),
            "has_backup": !world.sql.backups.is_empty(),
        })
    }
}

/// A request: its method, its path as far as it is the same each time, and how many like
/// it came before.
type Asked = (&'static str, String, u32);

fn asked(bench: &Bench) -> Result<Vec<Asked>> {
    let world = bench.lab.google.world();
    let mut counts: HashMap<(&str, String), u32> = HashMap::new();
    let mut asked = Vec::new();
    for one in &world.requests {
        let mut methods = ["GET", "POST", "PUT"].into_iter();
        let method = methods.find(|method| *method == one.method);
        let method = method.context("a method")?;
        let mut path = one.target.split('?').next().unwrap_or_default().to_owned();
        match path.rsplit_once('-') {
            Some((start, _)) if path.contains("/revisions/") => path = format!("{start}-"),
            _ => path.push('?'),
        }
        let count = counts.entry((method, path.clone())).or_default();
        asked.push((method, path, *count));
        *count += 1;
    }
    Ok(asked)
}

async fn disturb(
    change: Change,
    asked: &Asked,
    trouble: (Effect, u32),
    expected: &Value,
) -> Result<&'static str> {
    let (effect, times) = trouble;
    let is_short =
        times > 1 || matches!(effect, Effect::Away | Effect::Network(Trouble::Silent(_)));
    let limit = if is_short { SHORT } else { LONGEST };
    let bench = Bench::new(change, limit).await?.context("a lab")?;
    let (method, piece, after) = asked.clone();
    bench.lab.google.fault(Fault {
        method,
        piece: piece.into(),
        after,
        effect,
        times,
    });
    let began = Instant::now();
    let made = bench.make().await;
    ensure!(began.elapsed() < LONGEST, "it took {:?}", began.elapsed());
    bench.lab.google.world().faults.clear();
    let said = match &made {
        Ok(()) => "made",
        Err(_) => "failed, and made by a repetition",
    };
    if let Err(error) = made {
        let repeated = match change {
            // A step looks for what came to be there before it adds again.
            Change::Add if bench.seen() == *expected => Ok(()),
            _ => bench.make().await,
        };
        repeated.with_context(|| format!("after: {error:#}"))?;
    }
    let seen = bench.seen();
    ensure!(
        seen == *expected,
        "{said}: {seen:#} in place of {expected:#}"
    );
    Ok(said)
}

#[tokio::test]
async fn each_change_is_made_once_whatever_becomes_of_its_requests() -> Result<()> {
    let wanted = Part::wanted();
    let mut count = wanted.unwrap_or(Part::first_of(ONE_OF)).count();
    let mut failed = Vec::new();
    let mut ways = std::collections::BTreeMap::<_, usize>::new();
    let changes = match wanted.is_some() {
        true => &CHANGES[..],
        false => &AS_A_RULE[..],
    };
    for change in changes.iter().copied() {
        let Some(bench) = Bench::new(change, LONGEST).await? else {
            return Ok(());
        };
        bench.make().await?;
        let expected = bench.seen();
        for (at, asked) in asked(&bench)?.iter().enumerate() {
            let troubles = match asked.0 {
                "GET" => std::slice::from_ref(&TROUBLES[at % TROUBLES.len()]),
                _ => &TROUBLES[..],
            };
            for trouble in troubles {
                if !count.is_next_chosen() {
                    continue;
                }
                let case = format!("{change:?}, {asked:?}, {trouble:?}");
                match disturb(change, asked, *trouble, &expected).await {
                    Ok(way) => {
                        *ways.entry(way).or_default() += 1;
                        say(&format!("{case}: {way}"));
                    }
                    Err(error) => failed.push(format!("{case}: {error:#}")),
                }
            }
        }
    }
    say(&format!(
        "{} of {} cases: {ways:?}",
        count.chosen, count.all
    ));
    ensure!(count.chosen > 0, "no case in this part");
    ensure!(failed.is_empty(), "{failed:#?}");
    Ok(())
}

/// A request that never came leaves the service ready, as it was: that isn't put back.
#[tokio::test]
async fn a_template_is_put_back_though_a_request_for_it_is_lost() -> Result<()> {
    let change = Change::Discard;
    let Some(bench) = Bench::new(change, LONGEST).await? else {
        return Ok(());
    };
    bench.make().await?;
    let (expected, asked) = (bench.seen(), asked(&bench)?);
    let first = |method: &str, after: u32| {
        let mut found = asked.iter().filter(|one| one.1.contains("/services/"));
        found.find(|one| one.0 == method && one.2 == after)
    };
    let lost = [
        (first("GET", 1), Trouble::Closed(Reached::Headers)),
        (first("PUT", 0), Trouble::Silent(Reached::Nothing)),
    ];
    for (asked, trouble) in lost {
        let asked = asked.context("a request")?;
        disturb(change, asked, (Effect::Network(trouble), 1), &expected).await?;
    }
    Ok(())
}
