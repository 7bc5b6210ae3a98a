//! A connection that is lost at each statement of each operation: a repetition finishes
//! the work.
//!
//! One case of some is gone through as a rule; `TEST_CASES=all` goes through all of them.
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use integration_tests::{Loss, Proxy, Side};
use platform::database_roles::DatabaseRoles as _;
use secret::DatabaseUrl;

use super::lab::{Lab, use_tables};
use crate::faults::random::say;
use crate::part::Part;

/// Of so many cases, one is gone through as a rule.
const ONE_OF: usize = 31;
/// A statement has half a minute, and the server a little more.
const LONGEST: Duration = Duration::from_secs(90);

#[derive(Clone, Copy, Debug)]
enum Operation {
    /// The second role is made.
    Make,
    /// It is there, and gets another password.
    Repassword,
    /// The first role is locked out, and its sessions are ended.
    LockOut,
    /// The second role is dropped.
    Drop,
}

/// A lab in which the operation can begin, behind a proxy.
struct Bench {
    lab: Lab,
    proxy: Proxy,
    in_use: DatabaseUrl,
    candidate: DatabaseUrl,
}

impl Bench {
    async fn new(operation: Operation) -> Result<Bench> {
        let lab = Lab::new().await?;
        let proxy = Proxy::start(lab.database.server());
        let plain = lab.in_use()?;
        let by_proxy = DatabaseUrl::parse(&lab.database.url_through(proxy.port()))?;
        let in_use = by_proxy.with_login(plain.user()?, &plain.password()?)?;
        let candidate = lab.candidate(&in_use)?;
        match operation {
            Operation::Make => {}
            Operation::Repassword => {
                lab.prepare(&in_use, &lab.candidate(&in_use)?).await?;
            }
            Operation::LockOut | Operation::Drop => {
                lab.prepare(&in_use, &candidate).await?;
            }
        }
        Ok(Bench {
            lab,
            proxy,
            in_use,
            candidate,
        })
    }

    async fn run(&self, operation: Operation) -> Result<()> {
        let (roles, in_use) = (&self.lab.roles, &self.in_use);
        match operation {
            Operation::Make | Operation::Repassword => {
                roles.prepare_second(in_use, &self.candidate).await?;
            }
            Operation::LockOut => {
                let idle = self.candidate.for_idle(in_use.user()?)?;
                roles.set_password(in_use, &idle.password()?).await?;
                roles.end_sessions(&idle).await?;
            }
            Operation::Drop => roles.drop_second(in_use, self.candidate.user()?).await?,
        }
        Ok(())
    }

    async fn expect_done(&self, operation: Operation) -> Result<()> {
        let (lab, in_use) = (&self.lab, &self.in_use);
        match operation {
            Operation::Make | Operation::Repassword => {
                use_tables(in_use).await?;
                use_tables(&self.candidate).await
            }
            Operation::LockOut => {
                ensure!(!lab.is_accepted(in_use).await?, "the first role logs in");
                use_tables(&self.candidate).await
            }
            Operation::Drop => {
                let found = lab.roles.role(in_use, self.candidate.user()?).await?;
                ensure!(found.is_none(), "the second role is there");
                use_tables(in_use).await
            }
        }
    }
}

/// How many statements the operation runs when nothing goes wrong.
async fn statements(operation: Operation) -> Result<std::ops::Range<usize>> {
    let bench = Bench::new(operation).await?;
    let first = bench.proxy.statements().len();
    bench.run(operation).await?;
    let end = bench.proxy.statements().len();
    bench.expect_done(operation).await?;
    ensure!(end > first, "no statement of {operation:?}");
    Ok(0..end - first)
}

async fn lose(operation: Operation, number: usize, side: Side, loss: Loss) -> Result<()> {
    let bench = Bench::new(operation).await?;
    let at = bench.proxy.statements().len() + number;
    bench.proxy.lose_at(at, side, loss);
    let began = Instant::now();
    let ended = bench.run(operation).await;
    let (took, is_lost) = (began.elapsed(), bench.proxy.cuts() == 1);
    ensure!(took < LONGEST, "it took {took:?}");
    ensure!(is_lost && ended.is_err(), "it went on: {ended:?}");
    // The server would notice by itself, later.
    bench.proxy.cut_all();
    bench.run(operation).await?;
    bench.expect_done(operation).await
}

#[tokio::test]
async fn an_operation_is_finished_by_a_repetition_wherever_its_connection_is_lost() -> Result<()> {
    let wanted = Part::wanted();
    let mut count = wanted.unwrap_or(Part::first_of(ONE_OF)).count();
    let losses: &[Loss] = match wanted.is_some() {
        true => &[Loss::Reset, Loss::Closed, Loss::Silent],
        // It takes forty seconds until nothing is waited for any more.
        false => &[Loss::Reset, Loss::Closed],
    };
    for operation in [
        Operation::Make,
        Operation::Repassword,
        Operation::LockOut,
        Operation::Drop,
    ] {
        for statement in statements(operation).await? {
            for side in [Side::Before, Side::After] {
                for loss in losses {
                    if count.is_next_chosen() {
                        let case =
                            format!("{operation:?}, statement {statement}, {side:?} {loss:?}");
                        let lost = lose(operation, statement, side, *loss).await;
                        lost.with_context(|| case)?;
                    }
                }
            }
        }
    }
    ensure!(count.chosen > 0, "no case in this part");
    say(&format!(
        "{} of {} cases of a connection lost at a statement",
        count.chosen, count.all
    ));
    Ok(())
}

/// Every byte alone, and every answer late.
#[tokio::test]
async fn an_operation_is_carried_out_however_its_bytes_come() -> Result<()> {
    for (length, pause) in [(1, Duration::ZERO), (usize::MAX, Duration::from_millis(10))] {
        for operation in [Operation::Make, Operation::LockOut, Operation::Drop] {
            let bench = Bench::new(operation).await?;
            bench.proxy.in_pieces(length, pause);
            bench.run(operation).await?;
            bench.expect_done(operation).await?;
        }
    }
    Ok(())
}
