//! The folder of runs: locks, names, and what is no run.

use std::fs;
use std::path::PathBuf;

use runbook::{Run, Runs, RunsError};

use crate::driver::{Stage, Then, operator};
use crate::toy::{ABOUTS, ONE_WAY, plan, plan_of};
use crate::world::World;

pub(crate) fn stage() -> Stage {
    Stage::new(plan(), World::new())
}

pub(crate) fn journal_of(run: &Run) -> PathBuf {
    run.folder().join("journal.jsonl")
}

/// As a process leaves a journal that ends right before it.
pub(crate) fn cut_off_the_last_record(run: &Run) {
    let journal = fs::read_to_string(journal_of(run)).unwrap();
    let records: Vec<&str> = journal.lines().collect();
    let kept = records[..records.len() - 1].join("\n") + "\n";
    fs::write(journal_of(run), kept).unwrap();
}

pub(crate) fn begin(runs: &Runs) -> Result<Run, RunsError> {
    runs.begin(&plan(), "toy-box", operator("ann"))
}

pub(crate) fn open(runs: &Runs, name: &str) -> Result<Run, RunsError> {
    runs.open(name, &plan(), operator("ann"))
}

#[test]
fn two_runs_of_a_secret_at_once_are_refused_and_those_of_two_are_not() {
    let stage = stage();
    let run = stage.begin();
    let name = run.history().run.to_string();
    assert!(stage.runs().list().unwrap()[0].is_carried_on);
    let runs = stage.runs();
    let elsewhere = std::thread::spawn(move || (begin(&runs).err(), open(&runs, &name).err()));
    let (begun, opened) = elsewhere.join().unwrap();
    assert!(matches!(begun, Some(RunsError::Busy { .. })), "{begun:?}");
    assert!(matches!(opened, Some(RunsError::Busy { .. })), "{opened:?}");

    let other = plan_of("other", &ABOUTS);
    stage
        .runs()
        .begin(&other, "toy-box", operator("ann"))
        .unwrap();
    drop(run);
    assert!(
        !stage
            .runs()
            .list()
            .unwrap()
            .iter()
            .any(|run| run.is_carried_on)
    );
}

#[tokio::test]
async fn an_unfinished_run_refuses_a_second_until_it_is_at_an_end() {
    for then in crate::driver::THEN {
        let mut stage = stage();
        let run = stage.begin();
        let name = run.history().run.to_string();
        drop(run);
        let refused = begin(&stage.runs()).err();
        assert!(
            matches!(&refused, Some(RunsError::Unfinished { run, .. }) if *run == name),
            "{refused:?}"
        );
        let mut run = open(&stage.runs(), &name).unwrap();
        stage.bring_to_end(&mut run, then, "end").await;
        drop(run);
        begin(&stage.runs()).unwrap();
    }
}

#[tokio::test]
async fn runs_of_one_second_have_names_of_their_own_and_the_newest_is_first() {
    let mut stage = stage();
    let mut names = Vec::new();
    for _ in 0..5 {
        let mut run = stage.begin();
        stage.bring_to_end(&mut run, Then::Resume, "end").await;
        names.insert(0, run.history().run.to_string());
        stage.world = World::new();
    }
    let listed: Vec<_> = stage
        .runs()
        .list()
        .unwrap()
        .into_iter()
        .map(|run| run.name)
        .collect();
    assert_eq!(listed, names);
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 5);
}

#[tokio::test]
async fn a_run_beneath_a_later_one_is_not_opened() {
    let mut stage = stage();
    let mut first = stage.begin();
    stage.bring_to_end(&mut first, Then::Resume, "first").await;
    let first_name = first.history().run.to_string();
    drop(first);
    let second = stage.begin();
    let second_name = second.history().run.to_string();
    drop(second);
    let refused = open(&stage.runs(), &first_name).err();
    assert!(
        matches!(&refused, Some(RunsError::Followed { later, .. }) if *later == second_name),
        "{refused:?}"
    );

    let mut second = open(&stage.runs(), &second_name).unwrap();
    stage.back(&mut second).await.unwrap();
    drop(second);
    open(&stage.runs(), &first_name).unwrap();
}

/// The clock was a thousand years ahead when the first one ran: it is the first one still.
#[tokio::test]
async fn a_clock_that_was_wrong_does_not_change_the_order_of_runs() {
    let mut stage = stage();
    let mut first = stage.begin();
    stage.bring_to_end(&mut first, Then::Resume, "first").await;
    let first_name = first.history().run.to_string();
    let path = journal_of(&first);
    drop(first);
    let ahead = fs::read_to_string(&path).unwrap();
    let (year, next) = ("{\"at\":\"2", "{\"at\":\"3");
    fs::write(&path, ahead.replace(year, next)).unwrap();

    let mut names = vec![first_name.clone()];
    for _ in 0..2 {
        stage.world = World::new();
        let mut later = stage.begin();
        stage.bring_to_end(&mut later, Then::Resume, "later").await;
        names.insert(0, later.history().run.to_string());
    }
    let listed = stage.runs().list().unwrap().into_iter();
    assert_eq!(listed.map(|run| run.name).collect::<Vec<_>>(), names);
    for name in &names[1..] {
        let refused = open(&stage.runs(), name).err();
        assert!(
            matches!(&refused, Some(RunsError::Followed { .. })),
            "{name}: {refused:?}"
        );
    }
    open(&stage.runs(), &names[0]).unwrap();
}

/// What can't be read may stand on what the earlier run did. Whatever rotates something else,
/// or was before, doesn't.
#[tokio::test]
async fn a_run_beneath_one_that_cannot_be_read_is_not_opened() {
    let mut stage = stage();
    let mut run = stage.begin();
    stage.bring_to_end(&mut run, Then::Resume, "end").await;
    let name = run.history().run.to_string();
    drop(run);
    let unreadable = |name: &str| {
        let folder = stage.folder.path().join("runs").join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("journal.jsonl"), "no record\n").unwrap();
    };
    unreadable("toy-19991231-235959");
    unreadable("zoo-99991231-235959");
    open(&stage.runs(), &name).unwrap();

    unreadable("toy-99991231-235959");
    let refused = open(&stage.runs(), &name).err();
    assert!(
        matches!(&refused, Some(RunsError::Followed { later, .. }) if later == "toy-99991231-235959"),
        "{refused:?}"
    );
}

#[test]
fn a_run_is_opened_with_its_own_plan_only() {
    let stage = stage();
    let run = stage.begin();
    let name = run.history().run.to_string();
    let path = journal_of(&run);
    drop(run);
    let half = fs::read_to_string(&path).unwrap() + "half a line of another process";
    fs::write(&path, &half).unwrap();
    let runs = stage.runs();
    let error = runs
        .open(&name, &plan_of("toy", &ONE_WAY), operator("ann"))
        .err();
    assert!(
        matches!(error, Some(RunsError::OtherSteps { .. })),
        "{error:?}"
    );
    let error = runs
        .open(&name, &plan_of("other", &ABOUTS), operator("ann"))
        .err();
    assert!(
        matches!(error, Some(RunsError::OtherRotation { .. })),
        "{error:?}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), half, "not touched");
    // Journals in places where no run ever put one.
    for folder in ["odd", "runs/.hidden", "runs/deep/down", "runs/a b"] {
        let folder = stage.folder.path().join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::copy(&path, folder.join("journal.jsonl")).unwrap();
    }
    for name in [
        "",
        ".",
        "..",
        "toy",
        "../runs",
        "/etc",
        "../odd",
        ".hidden",
        "deep/down",
        "a b",
    ] {
        let error = open(&runs, name).err();
        assert!(
            matches!(error, Some(RunsError::NoSuchRun { .. })),
            "{name}: {error:?}"
        );
    }
}

#[test]
fn what_is_no_run_is_not_listed() {
    let stage = stage();
    assert!(stage.runs().list().unwrap().is_empty());
    drop(stage.begin());
    let runs = stage.folder.path().join("runs");
    fs::create_dir(runs.join("ended-before-its-journal")).unwrap();
    fs::create_dir(runs.join("ended-in-its-first-record")).unwrap();
    fs::write(
        runs.join("ended-in-its-first-record/journal.jsonl"),
        "{\"at\":",
    )
    .unwrap();
    fs::write(runs.join(".DS_Store"), "").unwrap();
    assert_eq!(stage.runs().list().unwrap().len(), 1);
}

/// What nobody can read may be a run all the same.
#[test]
fn a_journal_that_cannot_be_read_is_listed_with_the_error() {
    let stage = stage();
    fs::create_dir_all(stage.folder.path().join("runs/odd/journal.jsonl")).unwrap();
    let listed = stage.runs().list().unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].history.is_err());
    assert!(begin(&stage.runs()).is_err());
}

/// Nothing can be made there, now or later.
#[test]
fn a_folder_that_takes_no_run_is_an_error() {
    let stage = stage();
    std::os::unix::fs::symlink("/proc/self", stage.folder.path().join("runs")).unwrap();
    let refused = begin(&stage.runs()).err();
    assert!(matches!(refused, Some(RunsError::Io { .. })), "{refused:?}");
}

/// What the folder that others share says of the last run has to be read.
#[test]
fn a_claim_that_cannot_be_read_is_an_error() {
    let stage = stage();
    let shared = stage.folder.path().join("shared");
    fs::create_dir_all(shared.join("toy.json")).unwrap();
    let refused = begin(&stage.runs().shared_in(shared)).err();
    assert!(
        matches!(
            refused,
            Some(RunsError::Io {
                operation: "read",
                ..
            })
        ),
        "{refused:?}"
    );
}

/// `status` takes the lock for a moment, to see whether somebody has it.
#[test]
fn somebody_who_only_looks_keeps_nobody_from_beginning() {
    let stage = stage();
    let locks = stage.folder.path().join("locks");
    fs::create_dir(&locks).unwrap();
    let looking = fs::File::create(locks.join("toy.lock")).unwrap();
    looking.lock_shared().unwrap();
    let looks = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(30));
        drop(looking);
    });
    begin(&stage.runs()).unwrap();
    looks.join().unwrap();
}

/// Each may find that another was quicker, which is a matter of chance.
#[test]
fn runs_that_are_begun_at_once_make_their_folders_together() {
    const ROTATIONS: [&str; 4] = ["toy", "one", "other", "third"];
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let at_once = std::sync::Barrier::new(ROTATIONS.len());
        std::thread::scope(|scope| {
            for rotation in ROTATIONS {
                let (folder, at_once) = (folder.path(), &at_once);
                scope.spawn(move || {
                    let runs = Runs::in_folder(folder.join("deep/down"));
                    let plan = plan_of(rotation, &ABOUTS);
                    at_once.wait();
                    runs.begin(&plan, "toy-box", operator("ann")).unwrap();
                });
            }
        });
    }
}

#[test]
fn nobody_else_may_read_a_run() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = stage();
    let run = stage.begin();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(journal_of(&run)), 0o600);
    assert_eq!(mode(run.folder().to_owned()), 0o700);
    assert_eq!(mode(stage.folder.path().join("runs")), 0o700);
    assert_eq!(mode(stage.folder.path().join("locks/toy.lock")), 0o600);
}

/// The child is this test again, told by its environment to hold the lock.
#[test]
fn a_killed_process_holds_no_lock() {
    const FOLDER: &str = "RUNBOOK_TEST_HOLDS_LOCK_IN";
    if let Some(folder) = std::env::var_os(FOLDER) {
        let _run = begin(&Runs::in_folder(folder)).unwrap();
        std::thread::sleep(std::time::Duration::from_secs(60));
        return;
    }
    let stage = stage();
    let mut child = child(FOLDER, stage.folder.path());
    let name = loop {
        if let Some(run) = stage
            .runs()
            .list()
            .unwrap()
            .into_iter()
            .find(|run| run.is_carried_on)
        {
            break run.name;
        }
        assert!(
            child.try_wait().unwrap().is_none(),
            "the child ended by itself"
        );
        std::thread::sleep(std::time::Duration::from_millis(10));
    };
    assert!(matches!(
        open(&stage.runs(), &name),
        Err(RunsError::Busy { .. })
    ));
    child.kill().unwrap();
    child.wait().unwrap();
    open(&stage.runs(), &name).unwrap();
}

fn child(variable: &str, folder: &std::path::Path) -> std::process::Child {
    #[expect(
        clippy::disallowed_methods,
        reason = "this test's own program, to be killed"
    )]
    std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "folder::a_killed_process_holds_no_lock"])
        .env(variable, folder)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap()
}
