//! Secret Manager: duplicates, lost answers, states.
use std::collections::BTreeSet;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;
use integration_tests::google::{Effect, Fault};
use platform::google_cloud::CloudError;
use platform::{Error, Reference};

use super::lab::{EMPTY, Lab, SECRET, value};

#[tokio::test]
async fn a_duplicate_of_gclouds_own_retry_is_disabled() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let (store, google) = (&lab.platform.store, &lab.google);
    google.fault(Fault::once("POST", ":addVersion", Effect::AnswerLost));
    let number = store.add(SECRET, &value("two")).await?;
    assert_eq!(google.count("POST", ":addVersion"), 2);
    assert_eq!(number.get(), 3);
    let states = google.world().secrets.states(SECRET);
    assert_eq!(states, ["ENABLED", "DISABLED", "ENABLED"]);
    let latest = store.access(SECRET, Reference::Latest).await?;
    assert!(latest.version == number && latest.value == value("two"));
    Ok(())
}

#[tokio::test]
async fn an_addition_whose_answers_are_all_lost_is_found() -> Result<()> {
    let Some(lab) = Lab::with(|settings| settings.timeouts.call = Duration::from_secs(12)).await?
    else {
        return Ok(());
    };
    let (store, google) = (&lab.platform.store, &lab.google);
    google.fault(Fault::for_ever("POST", ":addVersion", Effect::AnswerLost));
    let number = store.add(EMPTY, &value("one")).await?;
    let mut states = google.world().secrets.states(EMPTY);
    assert_eq!(states.len(), usize::try_from(number.get())?);
    assert_eq!(states.pop(), Some("ENABLED"));
    assert!(
        states.iter().all(|state| *state == "DISABLED"),
        "{states:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_sum_that_is_not_confirmed_is_settled_by_reading() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let (store, google) = (&lab.platform.store, &lab.google);
    google.fault(Fault::once("POST", ":addVersion", Effect::Unconfirmed));
    let number = store.add(EMPTY, &value("one")).await?;
    assert_eq!(number.get(), 1);
    assert_eq!(google.world().secrets.states(EMPTY), ["ENABLED"]);
    Ok(())
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_settled_by_looking() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let (store, google) = (&lab.platform.store, &lab.google);
    let number = store.versions(SECRET).await?[0].number;
    // Its repetition is refused, as the version is destroyed by then.
    google.fault(Fault::once("POST", ":destroy", Effect::AnswerLost));
    store.destroy(SECRET, number).await?;
    assert_eq!(google.world().secrets.states(SECRET), ["DESTROYED"]);
    Ok(())
}

#[tokio::test]
async fn what_is_missing_is_named() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let store = &lab.platform.store;
    let unknown = store.add("no-such-secret", &value("hunter2")).await;
    assert!(
        matches!(&unknown, Err(Error::Cloud(CloudError::NoSuchSecret { secret })) if secret == "no-such-secret"),
        "{unknown:?}"
    );
    let permission = "secretmanager.versions.add";
    lab.google.world().denied.push(permission.to_owned());
    let denied = store
        .add(SECRET, &value("hunter2"))
        .await
        .expect_err("a refusal");
    assert_eq!(
        denied.to_string(),
        "cannot add a version to the secret `dcr-encryption-key`: the permission `secretmanager.versions.add` is missing"
    );
    assert_eq!(
        denied.hint().as_deref(),
        Some(
            "is the name right? Otherwise ask for the role `roles/secretmanager.secretVersionAdder` on it"
        )
    );
    // A name that is a value by mistake, or a flag, goes nowhere.
    for name in ["--impersonate-service-account=x", "a b", "", "x,y=z"] {
        let refused = store.access(name, Reference::Latest).await;
        assert!(matches!(
            refused,
            Err(Error::Cloud(CloudError::Name { .. }))
        ));
    }
    Ok(())
}

#[tokio::test]
async fn no_value_stands_in_an_address_a_process_or_gclouds_folder() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let store = &lab.platform.store;
    let watch = Watch::start();
    let number = store.add(SECRET, &value("hunter2-leak")).await?;
    store.access(SECRET, Reference::Number(number)).await?;
    watch.end("hunter2-leak");
    let encoded = "aHVudGVyMi1sZWFr";
    let sent = lab
        .google
        .world()
        .requests
        .iter()
        .any(|one| one.body.to_string().contains(encoded));
    assert!(sent, "the value was not sent as it should be");
    let targets = lab.targets();
    assert!(
        !targets.contains("hunter2") && !targets.contains(encoded),
        "{targets}"
    );
    let mut folders = vec![lab.config.folder().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                assert!(!path.ends_with("logs"), "a log is kept");
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path)?;
                let text = String::from_utf8_lossy(&bytes);
                assert!(
                    !text.contains("hunter2") && !text.contains(encoded),
                    "{path:?}"
                );
            }
        }
    }
    Ok(())
}

/// Everything that any process was started with, as `ps` would show it.
struct Watch {
    is_over: Arc<AtomicBool>,
    watcher: JoinHandle<BTreeSet<Vec<u8>>>,
}

impl Watch {
    fn start() -> Watch {
        let is_over = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_over);
        let watcher = std::thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !flag.load(Ordering::Relaxed) {
                seen.extend(started_with());
                std::thread::sleep(Duration::from_millis(10));
            }
            seen
        });
        Watch { is_over, watcher }
    }

    fn end(self, value: &str) {
        self.is_over.store(true, Ordering::Relaxed);
        let seen = self.watcher.join();
        let seen = seen.unwrap_or_else(|panic| resume_unwind(panic));
        let holds = |bytes: &[u8], piece: &str| {
            bytes
                .windows(piece.len())
                .any(|window| window == piece.as_bytes())
        };
        if cfg!(target_os = "linux") {
            let has_gcloud = seen.iter().any(|bytes| holds(bytes, "--data-file=-"));
            assert!(has_gcloud, "no gcloud was seen");
        }
        assert!(
            !seen.iter().any(|bytes| holds(bytes, value)),
            "a value was seen"
        );
    }
}

/// The arguments and environments of all processes; nothing where there is no `/proc`.
fn started_with() -> Vec<Vec<u8>> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let files = processes.flat_map(|one| ["cmdline", "environ"].map(|name| one.path().join(name)));
    files.filter_map(|path| std::fs::read(path).ok()).collect()
}
