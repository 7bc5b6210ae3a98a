//! Where on a line a moment of a run stands. Times in which nothing was at work are
//! cut short: a run that waited for days has its steps side by side all the same.

use jiff::Timestamp;
use rotation::Evidence;
use rotation::evidence::EvidenceSpan;

use super::words::between;

/// What a cut takes of the line, and all cuts together at most.
const CUT: f64 = 0.05;
const ALL_CUTS: f64 = 0.4;

/// A time is cut when it is longer than this part of all work, and than a second.
const LONG: f64 = 0.2;
const SHORTEST_CUT_MS: u64 = 1000;

/// A line from 0 to 1 on which the moments of a run have their places.
pub(super) struct Timeline {
    pieces: Vec<Piece>,
}

/// A part of the line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// From when to when.
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// Whether it is a cut.
    pub(super) is_cut: bool,
    /// Where it begins and how long it is.
    pub(super) place: f64,
    pub(super) length: f64,
}

/// What a step was at, as every form of the evidence draws it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activity {
    Doing,
    Waiting,
    Undoing,
    Failed,
}

impl Activity {
    pub(super) fn of(span: &EvidenceSpan) -> Activity {
        match (span.activity, span.end) {
            (_, Some("failed" | "undo_failed")) => Activity::Failed,
            ("waiting", _) => Activity::Waiting,
            ("undoing", _) => Activity::Undoing,
            _ => Activity::Doing,
        }
    }
}

impl Timeline {
    pub(super) fn of(evidence: &Evidence) -> Timeline {
        let mut pieces = cut(&at_work(evidence), evidence);
        place(&mut pieces);
        Timeline { pieces }
    }

    /// The times that are cut short.
    pub(super) fn cuts(&self) -> impl Iterator<Item = &Piece> {
        self.pieces.iter().filter(|piece| piece.is_cut)
    }

    /// Where a moment is, from 0 to 1.
    pub(super) fn place(&self, at: Timestamp) -> f64 {
        let piece = self.pieces.iter().find(|piece| at <= piece.to);
        let Some(piece) = piece.or(self.pieces.last()) else {
            return 0.0;
        };
        let whole = between(piece.from, piece.to);
        if whole == 0 {
            return piece.place;
        }
        let part = milliseconds(between(piece.from, at)) / milliseconds(whole);
        piece.place + piece.length * part.clamp(0.0, 1.0)
    }
}

/// From when to when something was at work, in order and without overlaps.
fn at_work(evidence: &Evidence) -> Vec<(Timestamp, Timestamp)> {
    let spans = evidence.steps.iter().flat_map(|step| &step.spans);
    let mut times: Vec<_> = spans
        .filter(|span| span.activity != "waiting")
        .map(|span| (span.began_at, span.ended_at))
        .collect();
    times.sort_unstable();
    let mut united: Vec<(Timestamp, Timestamp)> = Vec::new();
    for (from, to) in times {
        match united.last_mut() {
            Some((_, end)) if from <= *end => *end = to.max(*end),
            _ => united.push((from, to)),
        }
    }
    united
}

/// The whole run in pieces: a cut where nothing was at work for long.
fn cut(at_work: &[(Timestamp, Timestamp)], evidence: &Evidence) -> Vec<Piece> {
    let work: u64 = at_work.iter().map(|(from, to)| between(*from, *to)).sum();
    let is_long = |gap: u64| gap > SHORTEST_CUT_MS && milliseconds(gap) > LONG * milliseconds(work);
    let mut pieces = Vec::new();
    let mut from = evidence.began_at;
    let mut heard_of = evidence.began_at;
    for (begun, ended) in at_work {
        if is_long(between(heard_of, *begun)) {
            pieces.push(piece(from, heard_of, false));
            pieces.push(piece(heard_of, *begun, true));
            from = *begun;
        }
        heard_of = heard_of.max(*ended);
    }
    let end = evidence.last_record_at;
    if is_long(between(heard_of, end)) {
        pieces.push(piece(from, heard_of, false));
        pieces.push(piece(heard_of, end, true));
    } else {
        pieces.push(piece(from, end.max(heard_of), false));
    }
    pieces
}

fn piece(from: Timestamp, to: Timestamp, is_cut: bool) -> Piece {
    Piece {
        from,
        to,
        is_cut,
        place: 0.0,
        length: 0.0,
    }
}

fn milliseconds(count: u64) -> f64 {
    count as f64
}

fn place(pieces: &mut [Piece]) {
    let shown: u64 = pieces
        .iter()
        .filter(|piece| !piece.is_cut)
        .map(|piece| between(piece.from, piece.to))
        .sum();
    let cuts = pieces.iter().filter(|piece| piece.is_cut).count();
    let cuts = u32::try_from(cuts).map_or(f64::MAX, f64::from).max(1.0);
    let of_cut = CUT.min(ALL_CUTS / cuts);
    let has_cuts = pieces.iter().any(|piece| piece.is_cut);
    let rest = if has_cuts { 1.0 - of_cut * cuts } else { 1.0 };
    let mut at = 0.0;
    for piece in pieces {
        piece.place = at;
        piece.length = match (piece.is_cut, shown) {
            (true, _) => of_cut,
            (false, 0) => 0.0,
            (false, _) => rest * milliseconds(between(piece.from, piece.to)) / milliseconds(shown),
        };
        at += piece.length;
    }
}
