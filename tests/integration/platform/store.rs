//! The local store: modes, what a crash leaves, and several at once.
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::thread;

use anyhow::Result;
use platform::{Error, Reference, VersionState};
use secret::VersionNumber;

use super::lab::{Lab, NEW, OLD, SECRET, mode, value};

#[tokio::test]
async fn everything_in_it_is_private_and_in_no_repository() -> Result<()> {
    let lab = Lab::new()?;
    let (_, _, _) = lab.prepared().await?;
    let store = lab.store();
    for folder in [store.clone(), store.join(SECRET)] {
        assert_eq!(mode(&folder)?, 0o700, "{}", folder.display());
        for name in Lab::names_in(&folder)? {
            let path = folder.join(name);
            if path.is_file() {
                assert_eq!(mode(&path)?, 0o600, "{}", path.display());
            }
        }
    }
    assert_eq!(
        Lab::names_in(&store.join(SECRET))?,
        ["1.value", "2.value", "versions.json"]
    );
    assert_eq!(fs::read_to_string(store.join(".gitignore"))?, "*\n");
    Ok(())
}

#[tokio::test]
async fn to_look_at_a_store_makes_none() -> Result<()> {
    let lab = Lab::new()?;
    assert_eq!(lab.platform()?.store.versions(SECRET).await?, []);
    lab.describe().await?;
    assert!(!lab.store().exists());
    Ok(())
}

#[tokio::test]
async fn a_store_that_others_can_enter_is_refused() -> Result<()> {
    let lab = Lab::new()?;
    lab.platform_with_a_version().await?;
    for open in [0o750, 0o705, 0o701] {
        fs::set_permissions(lab.store(), fs::Permissions::from_mode(open))?;
        let refused = lab.platform().map(drop).expect_err("an open store");
        assert!(matches!(refused, Error::OpenToOthers { mode, .. } if mode == open));
        assert!(refused.hint().expect("a hint").starts_with("`chmod 700 "));
    }
    fs::set_permissions(lab.store(), fs::Permissions::from_mode(0o700))?;
    lab.platform()?;
    Ok(())
}

#[tokio::test]
async fn a_store_behind_a_link_is_refused() -> Result<()> {
    let lab = Lab::new()?;
    lab.platform_with_a_version().await?;
    fs::rename(lab.store(), lab.path("elsewhere"))?;
    symlink(lab.path("elsewhere"), lab.store())?;
    let refused = lab.platform().map(drop);
    assert!(matches!(refused, Err(Error::NotAFolder { .. })));
    Ok(())
}

#[tokio::test]
async fn no_name_leads_out_of_it() -> Result<()> {
    let lab = Lab::new()?;
    let store = lab.platform()?.store;
    let long = "a".repeat(256);
    let names = [
        "", ".", "..", "../x", "a/b", "/etc", "A", "a_b", "a.b", "backups", &long,
    ];
    for name in names {
        let added = store.add(name, &value(NEW)).await;
        assert!(matches!(added, Err(Error::SecretName)), "{name}");
        assert!(matches!(store.versions(name).await, Err(Error::SecretName)));
    }
    assert!(!lab.store().exists());
    Ok(())
}

/// Somebody has put back an older record, or lost it: the value may be all that opens a token.
#[tokio::test]
async fn a_value_without_an_entry_is_a_version_and_stays() -> Result<()> {
    let lab = Lab::new()?;
    let store = lab.platform_with_a_version().await?.store;
    let index = lab.store().join(SECRET).join("versions.json");
    let older = fs::read(&index)?;
    let second = store.add(SECRET, &value(NEW)).await?;
    store.add(SECRET, &value("hunter2-third")).await?;
    for is_lost in [false, true] {
        match is_lost {
            true => fs::remove_file(&index)?,
            false => fs::write(&index, &older)?,
        }
        let found = store.versions(SECRET).await?;
        let is_enabled = |one: &platform::Version| one.state == VersionState::Enabled;
        assert!(
            found.len() == 3 && found.iter().all(is_enabled),
            "{found:?}"
        );
        let read = store.access(SECRET, Reference::Number(second)).await?;
        assert!(read.value == value(NEW));
    }
    // No change takes it away, and none takes its number.
    store.disable(SECRET, second).await?;
    assert_eq!(store.add(SECRET, &value("hunter2-fourth")).await?.get(), 4);
    let read = store
        .access(
            SECRET,
            Reference::Number(VersionNumber::new(3).expect("a number")),
        )
        .await?;
    assert!(read.value == value("hunter2-third"));
    let states = store.versions(SECRET).await?;
    assert_eq!(states[2].state, VersionState::Disabled);
    Ok(())
}

#[tokio::test]
async fn an_addition_that_was_cut_off_before_its_entry_is_gone() -> Result<()> {
    let lab = Lab::new()?;
    let store = lab.platform_with_a_version().await?.store;
    let folder = lab.store().join(SECRET);
    fs::write(folder.join("2.value.unfinished"), "hunter2-piece")?;
    fs::write(folder.join("versions.json.unfinished"), "{")?;
    assert_eq!(store.versions(SECRET).await?.len(), 1);
    let read = store.access(SECRET, Reference::Latest).await?;
    assert!(read.value == value(OLD));
    assert_eq!(store.add(SECRET, &value(NEW)).await?.get(), 2);
    let read = store.access(SECRET, Reference::Latest).await?;
    assert!(read.value == value(NEW));
    let names = ["1.value", "2.value", "versions.json"];
    assert_eq!(Lab::names_in(&folder)?, names);
    Ok(())
}

/// Its value is whole by then, and lacks nothing but its last name.
#[tokio::test]
async fn an_addition_that_was_cut_off_after_its_entry_is_finished() -> Result<()> {
    let lab = Lab::new()?;
    let store = lab.platform_with_a_version().await?.store;
    let second = store.add(SECRET, &value(NEW)).await?;
    let folder = lab.store().join(SECRET);
    fs::rename(folder.join("2.value"), folder.join("2.value.unfinished"))?;
    let read = store.access(SECRET, Reference::Number(second)).await?;
    assert!(read.value == value(NEW));
    store
        .disable(SECRET, VersionNumber::new(1).expect("a number"))
        .await?;
    let names = ["1.value", "2.value", "versions.json"];
    assert_eq!(Lab::names_in(&folder)?, names);
    let read = store.access(SECRET, Reference::Number(second)).await?;
    assert!(read.value == value(NEW));
    Ok(())
}

#[tokio::test]
async fn a_destruction_that_was_cut_off_is_finished() -> Result<()> {
    let lab = Lab::new()?;
    let store = lab.platform_with_a_version().await?.store;
    let path = lab.store().join(SECRET).join("1.value");
    let first = VersionNumber::new(1).expect("a number");
    store.destroy(SECRET, first).await?;
    assert!(!path.exists());
    fs::write(&path, OLD)?;
    let read = store.access(SECRET, Reference::Number(first)).await;
    let state = VersionState::Destroyed;
    assert!(matches!(read, Err(Error::VersionState { state: found, .. }) if found == state));
    store.destroy(SECRET, first).await?;
    assert!(!path.exists());
    Ok(())
}

#[tokio::test]
async fn what_is_not_the_stores_own_is_left_alone() -> Result<()> {
    let lab = Lab::new()?;
    let store = lab.platform_with_a_version().await?.store;
    let note = lab.store().join(SECRET).join("note.txt");
    fs::write(&note, "by a person")?;
    // By its name a value, and no file.
    let folders = ["7.value", "8.value.unfinished"].map(|name| lab.store().join(SECRET).join(name));
    folders.iter().try_for_each(fs::create_dir)?;
    assert_eq!(store.add(SECRET, &value(NEW)).await?.get(), 2);
    assert!(note.exists() && folders.iter().all(|folder| folder.is_dir()));
    Ok(())
}

#[tokio::test]
async fn a_damaged_index_and_a_newer_one_are_told_apart() -> Result<()> {
    let lab = Lab::new()?;
    let store = lab.platform_with_a_version().await?.store;
    let path = lab.store().join(SECRET).join("versions.json");
    for text in [
        "",
        "{",
        "[]",
        r#"{"format": 1}"#,
        r#"{"format": 1, "versions": [{"number": 0, "state": "enabled", "created_at": "2026-01-01T00:00:00Z"}]}"#,
        r#"{"format": 1, "versions": [{"number": 1, "state": "hunter2", "created_at": "2026-01-01T00:00:00Z"}]}"#,
        // The next one would take its place.
        r#"{"format": 1, "versions": [{"number": 18446744073709551615, "state": "enabled", "created_at": "2026-01-01T00:00:00Z"}]}"#,
    ] {
        fs::write(&path, text)?;
        let error = store.versions(SECRET).await.expect_err("a damaged index");
        assert!(matches!(error, Error::Damaged { .. }), "{text}");
        let told = format!("{error} {error:?}");
        assert!(told.contains("versions.json") && !told.contains("hunter2"));
        assert!(store.add(SECRET, &value(NEW)).await.is_err());
    }
    fs::write(&path, r#"{"format": 2, "versions": {}}"#)?;
    let error = store.versions(SECRET).await.expect_err("a newer index");
    assert!(matches!(error, Error::NewerFormat { found: 2, .. }));
    Ok(())
}

#[test]
fn many_add_at_once_and_each_gets_a_number() -> Result<()> {
    const EACH: usize = 10;
    let lab = Lab::new()?;
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread();
                let runtime = { runtime }.enable_all().build().expect("a runtime");
                let store = lab.platform().expect("a platform").store;
                let value = value(NEW);
                for _ in 0..EACH {
                    let added = store.add(SECRET, &value);
                    runtime.block_on(added).expect("a version");
                }
            });
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let versions = runtime.block_on(lab.platform()?.store.versions(SECRET))?;
    let numbers: Vec<u64> = versions.iter().rev().map(|one| one.number.get()).collect();
    assert_eq!(numbers, (1..=4 * EACH as u64).collect::<Vec<_>>());
    Ok(())
}
