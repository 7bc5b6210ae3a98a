//! From when to when somebody was without service, by what the journal tells.
//!
//! Where two things have to change over together, such as a table and the services that
//! read it, the outage is the time in which one of them has changed and the other hasn't.
//! What the journal doesn't tell to the moment is taken to have lasted longer, not shorter.

use jiff::Timestamp;
use runbook::{Activity, History, RunStatus, SpanEnd, StepHistory};
use serde::Serialize;

use super::milliseconds;
use crate::client_secret::REVOKE_FIRST;
use crate::database_login::{END_SESSIONS, LOCK_OUT_FIRST, SET_PASSWORD};
use crate::dcr_encryption_key::RE_ENCRYPT;
use crate::facts;
use crate::steps::{CLOSE, CUT_OVER, OPEN, RESTART_BY_HAND};

/// A time in which somebody was without service.
#[derive(Clone, Debug, Serialize)]
pub struct Outage {
    /// What could not be done.
    pub what: &'static str,
    /// From when.
    pub began_at: Timestamp,
    /// Until when; none where it goes on.
    pub ended_at: Option<Timestamp>,
    /// How long it was; until the run was heard of last, where it goes on.
    pub duration_ms: u64,
    /// Whether it may have been shorter: both ends are the moments of records then.
    pub is_at_most: bool,
}

/// What takes service away, and what gives it back.
struct Cause {
    /// The step that takes it away.
    taken_by: &'static str,
    /// When that was, to the moment.
    exactly: Option<&'static str>,
    /// The steps after all of which it is there again.
    given_back_by: &'static [&'static str],
    what: &'static str,
}

const SERVED: &[&str] = &[CUT_OVER, RESTART_BY_HAND];

const CAUSES: [Cause; 6] = [
    Cause {
        taken_by: RE_ENCRYPT,
        exactly: Some(facts::COMMITTED_AT),
        given_back_by: SERVED,
        what: "known orders could not be answered: the table was under one key, the service had the other",
    },
    Cause {
        taken_by: SET_PASSWORD,
        exactly: None,
        given_back_by: SERVED,
        what: "services could not open new connections to the database: they had another password",
    },
    Cause {
        taken_by: LOCK_OUT_FIRST,
        exactly: None,
        given_back_by: SERVED,
        what: "the services were without the database: the login that they had was locked out",
    },
    Cause {
        taken_by: END_SESSIONS,
        exactly: None,
        given_back_by: SERVED,
        what: "the services were without the database: their sessions were ended",
    },
    Cause {
        taken_by: REVOKE_FIRST,
        exactly: None,
        given_back_by: SERVED,
        what: "the services could not use the client: its secret was revoked",
    },
    Cause {
        taken_by: CLOSE,
        exactly: None,
        given_back_by: &[OPEN],
        what: "nobody could call the services: they were closed",
    },
];

/// From when to when something was the case; none where it goes on.
type Times = Vec<(Timestamp, Option<Timestamp>)>;

pub(super) fn of(history: &History) -> Vec<Outage> {
    let mut outages: Vec<Outage> = CAUSES
        .iter()
        .flat_map(|cause| caused(cause, history))
        .collect();
    outages.sort_by_key(|outage| outage.began_at);
    outages
}

/// For how long there was any of them.
pub(super) fn total(outages: &[Outage], heard_of: Timestamp) -> u64 {
    let mut sum = 0;
    let mut counted_to = Timestamp::MIN;
    // In the order in which they began.
    for outage in outages {
        let ended_at = outage.ended_at.unwrap_or(heard_of);
        sum += milliseconds(outage.began_at.max(counted_to), ended_at);
        counted_to = counted_to.max(ended_at);
    }
    sum
}

fn caused(cause: &Cause, history: &History) -> Vec<Outage> {
    let Some(step) = history.step(cause.taken_by) else {
        return Vec::new();
    };
    let exactly = cause.exactly.and_then(|fact| history.facts.time(fact).ok());
    let taken = longest(step, exactly);
    let given_back = given_back(cause, history);
    // Services that do their work were seen before a run is abandoned, if not when it was over.
    let abandoned_at = history.ended_at;
    let abandoned_at = abandoned_at.filter(|_| history.status == RunStatus::Abandoned);
    let outage = |(began_at, ended_at): (Timestamp, Option<Timestamp>)| Outage {
        what: cause.what,
        began_at,
        ended_at: ended_at.or(abandoned_at),
        duration_ms: milliseconds(began_at, ended_at.unwrap_or(history.last_at)),
        is_at_most: ended_at.is_none() && abandoned_at.is_some()
            || Some(began_at) != exactly
            || ended_at != history.facts.time(facts::CUT_OVER_AT).ok(),
    };
    without(&taken, &given_back)
        .into_iter()
        .map(outage)
        .collect()
}

/// When the effect of a step may have been there. Of a step that failed, or is at work still, only
/// a commit that the journal has tells that.
fn longest(step: &StepHistory, exactly: Option<Timestamp>) -> Times {
    let mut times = Vec::new();
    let mut since = None;
    let mut is_there = false;
    let mut was_done = false;
    for span in step.spans() {
        match (span.activity, span.end) {
            (Activity::Doing, end) => {
                let is_within = |at: &Timestamp| {
                    *at >= span.began_at && end.is_none_or(|(ended_at, _)| *at <= ended_at)
                };
                let exactly = exactly.filter(is_within);
                match exactly {
                    // Then nothing was there before it, but what was done and lost since.
                    Some(at) if !was_done => since = Some(at),
                    _ => since = since.or(Some(span.began_at)),
                }
                is_there |=
                    exactly.is_some() || matches!(end, Some((_, SpanEnd::Done | SpanEnd::Left)));
                was_done |= matches!(end, Some((_, SpanEnd::Done)));
            }
            (Activity::Undoing, Some((ended_at, SpanEnd::Undone))) => {
                let began_at = since.take().filter(|_| is_there);
                times.extend(began_at.map(|began_at| (began_at, Some(ended_at))));
                is_there = false;
            }
            (Activity::Waiting | Activity::Undoing, _) => {}
        }
    }
    let goes_on = since.filter(|_| is_there);
    times.extend(goes_on.map(|began_at| (began_at, None)));
    times
}

/// When service was there again for sure: after the last of the steps, before the undo of
/// the first of them.
fn given_back(cause: &Cause, history: &History) -> Times {
    let steps = cause.given_back_by.iter();
    let of_each: Vec<Times> = steps
        .filter_map(|name| history.step(name))
        .map(|step| shortest(step, history))
        .collect();
    let mut all = of_each.into_iter();
    let first = all.next().unwrap_or_default();
    all.fold(first, |both, other| common(&both, &other))
}

/// When the effect of a step was there for sure.
fn shortest(step: &StepHistory, history: &History) -> Times {
    let exactly = history.facts.time(facts::CUT_OVER_AT).ok();
    let exactly = exactly.filter(|_| step.name.as_str() == CUT_OVER);
    let mut times = Vec::new();
    let mut since = None;
    for span in step.spans() {
        if span.activity == Activity::Doing {
            // What is done once more was lost, and nobody knows when.
            since = None;
        }
        match (span.activity, span.end) {
            (Activity::Doing | Activity::Waiting, Some((ended_at, SpanEnd::Done))) => {
                let is_within = |at: &Timestamp| (span.began_at..=ended_at).contains(at);
                since.get_or_insert(exactly.filter(is_within).unwrap_or(ended_at));
            }
            (Activity::Undoing, _) => {
                times.extend(since.take().map(|since| (since, Some(span.began_at))));
            }
            (Activity::Doing | Activity::Waiting, _) => {}
        }
    }
    times.extend(since.map(|since| (since, None)));
    times
}

/// When both were the case.
fn common(one: &Times, other: &Times) -> Times {
    let mut times = Vec::new();
    for (began_at, ended_at) in one {
        for (from, to) in other {
            let from = *began_at.max(from);
            let to = earlier(*ended_at, *to);
            if to.is_none_or(|to| to > from) {
                times.push((from, to));
            }
        }
    }
    times
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// When the first was the case, and the second wasn't.
fn without(taken: &Times, given_back: &Times) -> Times {
    let mut times = Vec::new();
    for (began_at, ended_at) in taken {
        let mut from = Some(*began_at);
        for (back_at, gone_at) in given_back {
            let Some(since) = from else { break };
            let is_over = ended_at.is_some_and(|ended_at| ended_at <= *back_at);
            if is_over || gone_at.is_some_and(|gone_at| gone_at <= since) {
                continue;
            }
            if *back_at > since {
                times.push((since, Some(*back_at)));
            }
            from = *gone_at;
        }
        if let Some(since) = from
            && ended_at.is_none_or(|ended_at| ended_at > since)
        {
            times.push((since, *ended_at));
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use runbook::{Fact, Name, Record, Written};

    use super::*;

    const TABLE: &str = "re-encrypt";
    const TRAFFIC: &str = "cut-over";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_715_000_000 + second).unwrap()
    }

    fn began(step: &'static str) -> Record {
        Record::StepBegan { step: step.into() }
    }

    fn done(step: &'static str) -> Record {
        Record::StepDone {
            step: step.into(),
            found: false,
        }
    }

    fn failed(step: &'static str) -> Record {
        Record::StepFailed {
            step: step.into(),
            reason: "the database failed".into(),
        }
    }

    fn lost(step: &'static str) -> Record {
        Record::StepLost { step: step.into() }
    }

    fn moment(step: &'static str, name: &'static str, second: i64) -> Record {
        Record::FactFound {
            step: step.into(),
            name: name.into(),
            fact: Fact::Time(at(second)),
        }
    }

    fn committed(second: i64) -> Record {
        moment(TABLE, facts::COMMITTED_AT, second)
    }

    fn moved(second: i64) -> Record {
        moment(TRAFFIC, facts::CUT_OVER_AT, second)
    }

    fn resumed() -> Record {
        Record::RunResumed {
            operator: Name::unknown(),
        }
    }

    /// From when to when, and whether it may have been shorter.
    fn told(records: Vec<(i64, Record)>) -> Vec<(i64, Option<i64>, bool)> {
        let first = Record::RunBegan {
            format: 1,
            program: Name::unknown(),
            run: Name::unknown(),
            rotation: "dcr-encryption-key".into(),
            platform: "local".into(),
            operator: Name::unknown(),
            follows: None,
            steps: vec![TABLE.into(), TRAFFIC.into()],
        };
        let first = Written {
            at: at(0),
            record: first,
        };
        let mut history = History::begin(&first).unwrap();
        for (second, record) in records {
            let at = at(second);
            history.follow(&Written { at, record }).unwrap();
        }
        let seconds = |at: Timestamp| at.as_second() - 1_715_000_000;
        let outage = |outage: Outage| {
            let ended_at = outage.ended_at.map(seconds);
            (seconds(outage.began_at), ended_at, outage.is_at_most)
        };
        of(&history).into_iter().map(outage).collect()
    }

    fn cut_over() -> [(i64, Record); 3] {
        [
            (106, began(TRAFFIC)),
            (110, moved(109)),
            (111, done(TRAFFIC)),
        ]
    }

    /// What was written under the old key meanwhile was committed as well, but the outage
    /// began with the first commit, of which no journal tells.
    #[test]
    fn a_commit_that_came_again_after_a_crash_is_not_where_the_outage_began() {
        let mut records = vec![
            (10, began(TABLE)),
            (100, resumed()),
            (101, began(TABLE)),
            (105, done(TABLE)),
        ];
        records.extend(cut_over());
        assert_eq!(told(records), [(10, Some(109), true)]);
    }

    #[test]
    fn a_commit_that_was_written_down_before_a_crash_is_where_the_outage_began() {
        let mut records = vec![
            (10, began(TABLE)),
            (13, committed(12)),
            (100, resumed()),
            (101, began(TABLE)),
            (105, done(TABLE)),
        ];
        records.extend(cut_over());
        assert_eq!(told(records), [(12, Some(109), false)]);
    }

    #[test]
    fn a_commit_whose_step_goes_on_or_failed_is_where_the_outage_began() {
        assert_eq!(told(vec![(10, began(TABLE))]), []);
        assert_eq!(told(vec![(10, began(TABLE)), (14, failed(TABLE))]), []);
        let mut records = vec![(10, began(TABLE)), (13, committed(12))];
        assert_eq!(told(records.clone()), [(12, None, false)]);
        records.push((14, failed(TABLE)));
        assert_eq!(told(records), [(12, None, false)]);
    }

    #[test]
    fn times_are_cut_to_those_that_they_have_in_common() {
        let times = |times: &[(i64, Option<i64>)]| -> Times {
            let time = |(from, to): &(i64, Option<i64>)| (at(*from), to.map(at));
            times.iter().map(time).collect()
        };
        let some = times(&[(1, Some(5)), (7, None)]);
        for (other, both, first_alone) in [
            (&[(5, Some(7))][..], &[][..], &[(1, Some(5)), (7, None)][..]),
            (&[(3, None)], &[(3, Some(5)), (7, None)], &[(1, Some(3))]),
            (
                &[(0, Some(1)), (2, Some(5))],
                &[(2, Some(5))],
                &[(1, Some(2)), (7, None)],
            ),
            (&[(1, Some(8))], &[(1, Some(5)), (7, Some(8))], &[(8, None)]),
        ] {
            let other = times(other);
            assert_eq!(common(&some, &other), times(both), "{other:?}");
            assert_eq!(without(&some, &other), times(first_alone), "{other:?}");
        }
    }

    /// Somebody brought a backup back: nobody knows when, nor whether all were served then.
    #[test]
    fn what_was_lost_and_done_again_was_away_from_its_first_time_on() {
        let once = [
            (10, began(TABLE)),
            (13, committed(12)),
            (14, done(TABLE)),
            (100, resumed()),
            (101, lost(TABLE)),
            (102, began(TABLE)),
            (104, committed(103)),
            (105, done(TABLE)),
        ];
        let before_traffic = once.into_iter().chain(cut_over()).collect();
        assert_eq!(told(before_traffic), [(10, Some(109), true)]);
        let with_traffic = [
            (10, began(TABLE)),
            (13, committed(12)),
            (14, done(TABLE)),
            (15, began(TRAFFIC)),
            (18, moved(17)),
            (19, done(TRAFFIC)),
            (100, resumed()),
            (101, lost(TRAFFIC)),
            (101, lost(TABLE)),
            (102, began(TABLE)),
            (104, committed(103)),
            (105, done(TABLE)),
        ];
        let with_traffic = with_traffic.into_iter().chain(cut_over()).collect();
        assert_eq!(told(with_traffic), [(10, Some(109), true)]);
    }
}
