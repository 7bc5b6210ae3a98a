//! What became of all cases.
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::Cases;
use super::case::{Case, Kind, Way};
use super::course::Outcome;
use crate::faults::random::say;

pub(super) struct Tally {
    began: Instant,
    counted: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    cases: usize,
    kinds: BTreeMap<Kind, Count>,
    steps: BTreeMap<String, u32>,
    failed: Vec<u32>,
}

#[derive(Default)]
struct Count {
    forward: u32,
    back: u32,
    not_begun: u32,
    at_end: u32,
    left_out: u32,
    failed: u32,
    took: Duration,
}

impl Tally {
    pub(super) fn new(cases: &Cases) -> Tally {
        let runs = cases.numbers.len();
        let again = cases.command(&format!("--runs {runs}"));
        say(&format!("{runs} cases; the same again: {again}"));
        Tally {
            began: Instant::now(),
            counted: Mutex::default(),
        }
    }

    pub(super) fn note(
        &self,
        cases: &Cases,
        number: u32,
        case: &Case,
        took: Duration,
        outcome: Result<Outcome>,
    ) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.cases += 1;
        if counted.cases.is_multiple_of(100) {
            let (cases, failed) = (counted.cases, counted.failed.len());
            let seconds = self.began.elapsed().as_secs();
            say(&format!("{cases} cases in {seconds} s, {failed} failed"));
        }
        let count = counted.kinds.entry(case.kind).or_default();
        count.took += took;
        match outcome {
            Ok(outcome) => {
                let which = match &outcome {
                    Outcome::WentOn(Way::Forward, _) => &mut count.forward,
                    Outcome::WentOn(Way::Back, _) => &mut count.back,
                    Outcome::NotBegun => &mut count.not_begun,
                    Outcome::AtItsEnd => &mut count.at_end,
                    Outcome::LeftOut => &mut count.left_out,
                };
                *which += 1;
                if let Outcome::WentOn(_, step) = outcome {
                    *counted.steps.entry(step).or_default() += 1;
                }
            }
            Err(error) => {
                count.failed += 1;
                counted.failed.push(number);
                let again = cases.command(&format!("--case {number}"));
                say(&format!(
                    "FAILED: case {number}, {case:?}; once more: {again}\n{error:#}"
                ));
            }
        }
    }

    /// Tells of all, and fails if one did.
    pub(super) fn finish(self, cases: &Cases) -> Result<()> {
        let counted = self.counted.into_inner();
        let counted = counted.unwrap_or_else(PoisonError::into_inner);
        let took = self.began.elapsed().as_secs_f64();
        say(&format!(
            "{:>5} {:>5} {:>5} {:>5} {:>5} {:>5} {:>7}",
            "on", "back", "start", "end", "out", "fail", "s"
        ));
        for (kind, count) in &counted.kinds {
            let Count {
                forward,
                back,
                not_begun,
                at_end,
                left_out,
                failed,
                took,
            } = count;
            let seconds = took.as_secs_f64();
            say(&format!(
                "{forward:>5} {back:>5} {not_begun:>5} {at_end:>5} {left_out:>5} {failed:>5} \
                 {seconds:>7.1}  {kind}"
            ));
        }
        for (step, cases) in &counted.steps {
            say(&format!("{cases:>5} stopped at {step}"));
        }
        let (seed, failed) = (cases.seed, counted.failed);
        say(&format!("in {took:.0} s; the seed is {seed}"));
        ensure!(failed.is_empty(), "seed {seed}: cases {failed:?} failed");
        let on_their_way: u32 = counted.steps.values().sum();
        let cases = cases.numbers.len();
        ensure!(
            cases < 20 || on_their_way as usize >= cases / 3,
            "hardly any was struck on its way: {on_their_way} of {cases}"
        );
        Ok(())
    }
}
