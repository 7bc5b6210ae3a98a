//! What the hand procedure did to the store.
use anyhow::Result;
use integration_tests::Program;
use platform::Reference;

use crate::google::lab::{INSTALLED, Lab, OLD as OLD_VALUE, SECRET, value};
use crate::subject::{Backend, NEW, OLD, Row, Subject, token};

/// What the hand procedure rolled back with.
#[tokio::test]
async fn disabling_the_newest_version_does_not_fall_back_to_the_one_before() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    lab.add("two")?;
    let secret = format!("--secret={SECRET}");
    let disable = ["secrets", "versions", "disable", "2", &secret];
    assert!(lab.gcloud(&disable).await?.0, "it is not disabled");
    let (done, printed) = lab
        .gcloud(&["secrets", "versions", "access", "latest", &secret])
        .await?;
    let refusal = "is in DISABLED state";
    assert!(!done && printed.contains(refusal), "{printed}");
    // Nor does a new revision of a service start with it, whichever secret it is for.
    let update = "--update-secrets=GMA_CLIENT_SECRET=gma-client-secret:1";
    let (done, printed) = lab
        .gcloud(&["run", "services", "update", INSTALLED, update])
        .await?;
    assert!(!done && printed.contains(refusal), "{printed}");
    assert_eq!(lab.revisions(), 1);
    // Ours: the old value is stored once more. `google::rotation` rolls a whole one back.
    let store = &lab.platform.store;
    store.add(SECRET, &value(OLD_VALUE)).await?;
    let latest = store.access(SECRET, Reference::Latest).await?;
    assert!(latest.value == value(OLD_VALUE), "another value");
    Ok(())
}

/// The re-encryption alone, as the hand procedure's script was run.
fn reencrypt(database: &Subject) {
    let ended = Program::xtask(env!("CARGO_BIN_EXE_xtask-under-test"))
        .arg("rotate-dcr")
        .env("DATABASE_URL", database.url())
        .env("DCR_OLD_KEY", OLD)
        .env("DCR_NEW_KEY", NEW)
        .run();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

async fn opened(database: &Subject, key: &str) -> Result<usize> {
    let of_row = |row: &Row| row.opened(key).iter().flatten().count();
    Ok(database.rows().await?.iter().map(of_row).sum())
}

/// Its script ended with the commit; the new key was in a shell's variable, and was to
/// be stored next.
#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_committed_before_the_key_is_stored() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let database = Subject::with_clients(Backend::Sqlite, 3).await?;
    reencrypt(&database);
    let denied = "secretmanager.versions.add".to_owned();
    lab.google.world().denied.push(denied);
    let add = [
        "secrets",
        "versions",
        "add",
        SECRET,
        "--data-file=/dev/null",
    ];
    assert!(!lab.gcloud(&add).await?.0, "it is stored");
    // No key that anybody could fetch opens the table.
    assert_eq!(lab.google.world().secrets.states(SECRET), ["ENABLED"]);
    assert_eq!(opened(&database, OLD).await?, 0);
    // Ours: in this order. `rotation::laws` looks after every change that what the
    // table is under is in the store.
    let plan = rotation::dcr_encryption_key::plan(Default::default());
    let names: Vec<_> = plan.abouts().map(|about| about.name).collect();
    let place = |name: &str| names.iter().position(|one| *one == name);
    assert!(place("stage") < place("re-encrypt"), "{names:?}");
    assert!(place("stage").is_some());
    Ok(())
}

/// While the old revision serves, it goes on writing under the old key.
#[tokio::test(flavor = "multi_thread")]
async fn rows_written_during_the_window_stay_under_the_old_key() -> Result<()> {
    let database = Subject::with_clients(Backend::Sqlite, 3).await?;
    reencrypt(&database);
    let late = Row::new("late", token("a client secret", 1_715_000_000, OLD)?);
    database.insert(&[late]).await?;
    assert_eq!(opened(&database, OLD).await?, 1);
    // Ours: it is repeated until nothing is left, which takes up such rows. A whole
    // rotation does that by itself: `rotation::writers`.
    reencrypt(&database);
    assert_eq!(opened(&database, OLD).await?, 0);
    Ok(())
}
