//! Random moments that can be repeated.
use std::env;
use std::hash::{BuildHasher as _, RandomState};

/// Numbers that follow from a seed.
pub(crate) struct Random(u64);

impl Random {
    /// From `FAULTS_SEED`, else from a seed of its own; says which.
    pub(crate) fn new() -> Random {
        let seed = match env::var("FAULTS_SEED") {
            Ok(seed) => seed.parse().expect("FAULTS_SEED must be a number"),
            Err(_) => RandomState::new().hash_one(0),
        };
        say(&format!(
            "the moments of this run again: FAULTS_SEED={seed}"
        ));
        Random(seed)
    }

    /// From this seed.
    pub(crate) fn of(seed: u64) -> Random {
        Random(seed)
    }

    /// One point in each of so many equal parts between zero and one, in their order.
    pub(crate) fn spread(&mut self, parts: u32) -> Vec<f64> {
        (0..parts)
            .map(|part| (f64::from(part) + self.fraction()) / f64::from(parts))
            .collect()
    }

    /// At least zero, less than one.
    pub(crate) fn fraction(&mut self) -> f64 {
        // 32 bits fit a float exactly.
        f64::from((self.number() >> 32) as u32) / 4_294_967_296.0
    }

    /// Any number.
    pub(crate) fn number(&mut self) -> u64 {
        // SplitMix64, by Sebastiano Vigna.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Shown when the test fails, and with `--nocapture`.
#[expect(
    clippy::print_stdout,
    reason = "the test runner holds back what is printed, and shows it with a failure"
)]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
