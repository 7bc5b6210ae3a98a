//! A connection that is lost at each statement of a re-encryption: the table is wholly
//! old or wholly new, the program knows which, and the next run finishes.
//!
//! One case of some is gone through as a rule; `TEST_CASES=all` goes through all of them.
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use integration_tests::{Loss, Output, Proxy, Side, TestDatabase};

use super::random::say;
use super::rotation::{assert_said, rotation};
use super::table::{Store as _, on_postgres};
use super::tokens::{Counted, Keys};
use crate::part::Part;

const CLIENTS: u64 = 20;
/// Of so many cases, one is gone through as a rule.
const ONE_OF: usize = 23;
/// As [`super::stalled`] has it.
const LONGEST: Duration = Duration::from_secs(90);

struct Bench {
    keys: Keys,
    database: TestDatabase,
    proxy: Proxy,
}

impl Bench {
    async fn new() -> Result<Bench> {
        let keys = Keys::generate();
        let database = on_postgres(CLIENTS, &keys).await?;
        let proxy = Proxy::start(database.server());
        Ok(Bench {
            keys,
            database,
            proxy,
        })
    }

    fn rotate(&self) -> Output {
        let url = self.database.url_through(self.proxy.port());
        let limits = ["--statement-timeout", "1s"];
        rotation(&url, &self.keys).args(limits).run()
    }

    /// Whether all is under the new key; it is under one of them.
    async fn is_new(&self) -> Result<bool> {
        let counted = self.database.count(&self.keys).await?;
        let is_new = counted == Counted::all_new(CLIENTS);
        ensure!(
            is_new || counted == Counted::all_old(CLIENTS),
            "{counted:?}"
        );
        Ok(is_new)
    }
}

async fn lose(number: usize, side: Side, loss: Loss) -> Result<Option<i32>> {
    let bench = Bench::new().await?;
    bench.proxy.lose_at(number, side, loss);
    let began = Instant::now();
    let output = bench.rotate();
    let took = began.elapsed();
    ensure!(took < LONGEST, "it took {took:?}");
    // The server would notice by itself, later.
    bench.proxy.cut_all();
    let said = |text: &str| output.stderr.contains(text);
    let expected = match output.code {
        Some(0) => true,
        Some(1) if said("nothing was changed") || said("nothing was written") => false,
        Some(2) if said("state: rolled back") => false,
        _ => anyhow::bail!("{output:#?}"),
    };
    ensure!(bench.is_new().await? == expected, "{output:#?}");
    assert_said(&bench.rotate(), 0, &[]);
    ensure!(bench.is_new().await?, "the next run did not finish");
    Ok(output.code)
}

#[tokio::test]
async fn the_outcome_is_known_wherever_the_connection_is_lost() -> Result<()> {
    let wanted = Part::wanted();
    let mut count = wanted.unwrap_or(Part::first_of(ONE_OF)).count();
    let losses: &[Loss] = match wanted.is_some() {
        true => &[Loss::Reset, Loss::Closed, Loss::Silent],
        false => &[Loss::Reset, Loss::Closed],
    };
    let undisturbed = Bench::new().await?;
    assert_said(&undisturbed.rotate(), 0, &[]);
    let statements = undisturbed.proxy.statements();
    ensure!(
        statements.iter().any(|one| one == "COMMIT"),
        "{statements:?}"
    );
    let mut codes = std::collections::BTreeMap::<_, usize>::new();
    for (at, statement) in statements.iter().enumerate() {
        for side in [Side::Before, Side::After] {
            for loss in losses {
                if count.is_next_chosen() {
                    let code = lose(at, side, *loss).await;
                    let case = || format!("{side:?} {loss:?} at {at}: {statement}");
                    *codes.entry(code.with_context(case)?).or_default() += 1;
                }
            }
        }
    }
    ensure!(count.chosen > 0, "no case in this part");
    say(&format!(
        "{} of {} cases, by their exit codes: {codes:?}",
        count.chosen, count.all
    ));
    Ok(())
}

#[tokio::test]
async fn it_rotates_however_its_bytes_come() -> Result<()> {
    for (length, pause) in [(1, Duration::ZERO), (usize::MAX, Duration::from_millis(10))] {
        let bench = Bench::new().await?;
        bench.proxy.in_pieces(length, pause);
        assert_said(&bench.rotate(), 0, &["Re-encrypted"]);
        ensure!(bench.is_new().await?, "all is old");
    }
    Ok(())
}
