//! How often each sort of cases comes among a hundred.
use super::case::On::{GoogleCloud, Local};
use super::case::Rotated::{Database, Gma, KeyInSqlite, KeyOnPostgres, Sessions, Sso};
use super::case::Victim::{
    Backend, Disk, JournalsDisk, Power, Server, Sessions as Ended, Tool, ToolAndChildren,
};
use super::case::{On, Rotated, Victim};

/// What is rotated where, and so many cases of it, each with one of the victims.
#[derive(Debug, PartialEq)]
pub(super) struct Share {
    pub(super) on: On,
    pub(super) rotated: Rotated,
    pub(super) victims: &'static [Victim],
    pub(super) cases: usize,
}

const OF_SERVER: &[Victim] = &[Tool, ToolAndChildren, Ended, Backend, Server, JournalsDisk];
const OF_NO_SERVER: &[Victim] = &[Tool, ToolAndChildren, JournalsDisk];

/// A whole rotation on Google Cloud takes as long as ten on one machine.
pub(super) const SHARES: &[Share] = &[
    of(Local, KeyInSqlite, &[Tool], 26),
    of(Local, KeyInSqlite, &[ToolAndChildren], 4),
    of(Local, KeyInSqlite, &[JournalsDisk], 3),
    of(Local, KeyInSqlite, &[Disk], 5),
    of(Local, KeyOnPostgres, &[Tool, ToolAndChildren], 4),
    of(Local, KeyOnPostgres, &[Ended], 4),
    of(Local, KeyOnPostgres, &[Backend], 3),
    of(Local, KeyOnPostgres, &[Server], 4),
    of(Local, Database, &[Tool, ToolAndChildren], 5),
    of(Local, Database, &[Ended], 3),
    of(Local, Database, &[Backend, Server], 3),
    of(Local, Database, &[JournalsDisk, Disk], 2),
    of(Local, Sessions, &[Tool, ToolAndChildren], 3),
    of(Local, Sessions, &[Ended, Backend, Server], 3),
    of(Local, Sessions, &[JournalsDisk, Disk], 1),
    of(Local, Sso, &[Tool, ToolAndChildren], 8),
    of(Local, Sso, &[JournalsDisk, Disk], 3),
    of(Local, Gma, &[Tool, ToolAndChildren], 6),
    of(Local, Gma, &[JournalsDisk, Disk], 2),
    of(GoogleCloud, KeyInSqlite, OF_NO_SERVER, 1),
    of(GoogleCloud, KeyOnPostgres, OF_SERVER, 1),
    of(GoogleCloud, Database, OF_SERVER, 2),
    of(GoogleCloud, Sessions, OF_SERVER, 1),
    of(GoogleCloud, Sso, OF_NO_SERVER, 2),
    of(GoogleCloud, Gma, OF_NO_SERVER, 1),
];

/// The same of power cuts. A server has no disk here, nor has what is on Google Cloud, which
/// goes on without the journal's last records.
pub(super) const POWER_CUTS: &[Share] = &[
    of(Local, KeyInSqlite, &[Power], 10),
    of(Local, Database, &[Power], 4),
    of(Local, Sessions, &[Power], 2),
    of(Local, Sso, &[Power], 1),
    of(Local, Gma, &[Power], 1),
    of(GoogleCloud, Database, &[Power], 1),
    of(GoogleCloud, Sso, &[Power], 1),
];

const fn of(on: On, rotated: Rotated, victims: &'static [Victim], cases: usize) -> Share {
    Share {
        on,
        rotated,
        victims,
        cases,
    }
}

#[test]
fn the_table_is_of_a_hundred() {
    let cases = SHARES.iter().map(|share| share.cases);
    assert_eq!(cases.sum::<usize>(), 100);
}
