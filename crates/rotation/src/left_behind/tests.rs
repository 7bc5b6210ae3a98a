//! By made-up journals.

use jiff::Timestamp;
use runbook::{Fact, FixedText, Name, Record, Written};

use super::*;
use crate::secrets::{GMA_CLIENT_SECRET, RED_HAT_SSO_CLIENT_SECRET};

const STEPS: [&str; 4] = ["check", "pin", "stage", "cut-over"];

/// A run that writes its journal.
struct Told {
    history: History,
    /// What the next record is written at.
    second: i64,
    /// The steps that have begun.
    begun: Vec<&'static str>,
}

impl Told {
    /// Of this secret, begun in this second.
    fn of(secret: Secret, second: i64) -> Told {
        let first = Record::RunBegan {
            format: 1,
            program: Name::unknown(),
            run: Name::new(format!("run-{second}")).unwrap(),
            rotation: secret.name.into(),
            platform: "google-cloud".into(),
            operator: Name::unknown(),
            follows: None,
            steps: STEPS.map(FixedText::from).to_vec(),
        };
        let at = Timestamp::from_second(second).unwrap();
        let first = Written { at, record: first };
        let history = History::begin(&first).unwrap();
        Told {
            history,
            second,
            begun: Vec::new(),
        }
    }

    fn write(&mut self, record: Record) {
        self.second += 1;
        let at = Timestamp::from_second(self.second).unwrap();
        self.history.follow(&Written { at, record }).unwrap();
    }

    fn begins(mut self, step: &'static str, found: Vec<(&'static str, Fact)>) -> Told {
        self.write(Record::StepBegan { step: step.into() });
        for (name, fact) in found {
            let (step, name) = (step.into(), name.into());
            self.write(Record::FactFound { step, name, fact });
        }
        self.begun.push(step);
        self
    }

    fn does(self, step: &'static str, found: Vec<(&'static str, Fact)>) -> Told {
        let mut told = self.begins(step, found);
        let (step, found) = (step.into(), false);
        told.write(Record::StepDone { step, found });
        told
    }

    /// Version 1 is in use, and the services read what is told of each.
    fn pinned(self, bound_before: &Fact) -> Told {
        let secret = Secret::named(self.history.rotation.as_str()).unwrap();
        let services = secret.readers.iter().flat_map(|role| {
            let names = facts::of_consumer(*role);
            [
                (names.service, name(role.default_service())),
                (names.bound_before, bound_before.clone()),
            ]
        });
        let mut found = vec![(facts::SECRET, name(secret.store_name))];
        found.push((facts::OLD_VERSION, Fact::Version(1)));
        found.extend(services);
        self.does("check", Vec::new()).does("pin", found)
    }

    fn staged(self) -> Told {
        self.does("stage", vec![(facts::NEW_VERSION, Fact::Version(2))])
    }

    fn done(self) -> Told {
        let mut told = self.staged().does("cut-over", Vec::new());
        told.write(Record::RunDone);
        told
    }

    fn abandoned(mut self) -> Told {
        let operator = Name::unknown();
        self.write(Record::RunAbandoned { operator });
        self
    }

    /// `again`: as which version the old value was stored once more.
    fn rolled_back(mut self, again: Option<u64>) -> Told {
        let operator = Name::unknown();
        self.write(Record::RollbackBegan { operator });
        for step in self.begun.clone().into_iter().rev() {
            self.write(Record::UndoBegan { step: step.into() });
            if let Some(again) = again.filter(|_| step == "stage") {
                self.write(Record::FactFound {
                    step: step.into(),
                    name: facts::REPUBLISHED_VERSION.into(),
                    fact: Fact::Version(again),
                });
            }
            self.write(Record::StepUndone { step: step.into() });
        }
        self.write(Record::RunRolledBack);
        self
    }
}

fn name(text: &str) -> Fact {
    Fact::Name(Name::new(text).unwrap())
}

fn to_latest() -> Fact {
    name(LATEST)
}

fn run(second: i64) -> Told {
    Told::of(RED_HAT_SSO_CLIENT_SECRET, second)
}

/// A run with what its services are to read, the same for all of them: which versions, whether as
/// the latest one, and whether it is settled.
type Expectation = (String, usize, Vec<u64>, bool, bool);

fn left(runs: &[&Told]) -> Vec<Expectation> {
    let histories = runs.iter().map(|told| &told.history);
    let of = |left: LeftBehind| {
        let first = left.services.first().unwrap().clone();
        for service in &left.services {
            let alike = Expected {
                service: first.service.clone(),
                ..service.clone()
            };
            assert_eq!(alike, first);
        }
        let versions = first.versions.iter().map(|version| version.get());
        let versions = versions.collect();
        let (latest, settled) = (first.follows_latest, first.is_settled);
        (left.run, left.services.len(), versions, latest, settled)
    };
    left_behind(histories).into_iter().map(of).collect()
}

fn expected(second: i64, versions: &[u64], latest: bool, settled: bool) -> Expectation {
    let services = RED_HAT_SSO_CLIENT_SECRET.readers.len();
    let run = format!("run-{second}");
    (run, services, versions.to_vec(), latest, settled)
}

#[test]
fn until_the_services_are_pinned_they_may_read_anything() {
    assert_eq!(left(&[&run(0)]), []);
    let checked = run(0).does("check", Vec::new());
    assert_eq!(left(&[&checked]), []);
    let found = vec![(facts::OLD_VERSION, Fact::Version(1))];
    assert_eq!(left(&[&checked.begins("pin", found)]), []);
}

#[test]
fn they_read_the_old_version_then_either_then_the_new_one() {
    let pinned = || run(0).pinned(&to_latest());
    let of = |told: &Told| left(&[told]);
    assert_eq!(of(&pinned()), [expected(0, &[1], false, false)]);
    assert_eq!(of(&pinned().staged()), [expected(0, &[1], false, false)]);
    let moving = pinned().staged().begins("cut-over", Vec::new());
    assert_eq!(of(&moving), [expected(0, &[1, 2], false, false)]);
    let moved = pinned().staged().does("cut-over", Vec::new());
    assert_eq!(of(&moved), [expected(0, &[2], false, false)]);
    assert_eq!(of(&pinned().done()), [expected(0, &[2], false, true)]);
}

#[test]
fn a_rollback_leaves_the_latest_version_to_those_who_read_it_before() {
    let pinned = || run(0).pinned(&to_latest());
    let back = pinned().rolled_back(None);
    assert_eq!(left(&[&back]), [expected(0, &[1], true, true)]);
    let stored_again = pinned().staged().rolled_back(Some(3));
    assert_eq!(left(&[&stored_again]), [expected(0, &[3], true, true)]);
    // By which number the old value was stored again, no journal tells.
    assert_eq!(left(&[&pinned().staged().rolled_back(None)]), []);
    let by_number = run(0).pinned(&Fact::Version(1)).rolled_back(None);
    assert_eq!(left(&[&by_number]), []);
}

#[test]
fn the_newest_run_that_bound_them_has_the_last_word() {
    let first = run(0).pinned(&to_latest()).done();
    let second = run(100).pinned(&Fact::Version(1)).done();
    let newest = [expected(100, &[2], false, true)];
    assert_eq!(left(&[&first, &second]), newest);
    assert_eq!(left(&[&second, &first]), newest);
    let other = Told::of(GMA_CLIENT_SECRET, 50);
    let other = other.pinned(&to_latest()).done();
    let both: Vec<String> = left(&[&first, &second, &other])
        .into_iter()
        .map(|left| left.0)
        .collect();
    assert_eq!(both, ["run-100", "run-50"]);
}

#[test]
fn a_run_that_was_rolled_back_leaves_things_to_those_before_it() {
    let done = run(0).pinned(&to_latest()).done();
    // It failed before it knew anything.
    let refused = run(100).does("check", Vec::new()).rolled_back(None);
    assert_eq!(left(&[&done, &refused]), [expected(0, &[2], false, true)]);
    let earlier = run(200).pinned(&to_latest()).rolled_back(None);
    let later = run(300).pinned(&to_latest()).rolled_back(None);
    assert_eq!(
        left(&[&done, &earlier, &later, &refused]),
        [
            expected(300, &[1], true, true),
            expected(0, &[2], false, true)
        ]
    );
}

/// What services had then was right; of a run that had not come so far, that says nothing.
#[test]
fn of_a_run_that_was_abandoned_nothing_is_expected() {
    let done = run(0).pinned(&to_latest()).done();
    let begun = run(100).does("check", Vec::new()).abandoned();
    assert_eq!(left(&[&done, &begun]), [expected(0, &[2], false, true)]);
    let moved = run(200).pinned(&to_latest()).staged();
    let moved = moved.does("cut-over", Vec::new()).abandoned();
    assert_eq!(left(&[&done, &moved]), []);
}
