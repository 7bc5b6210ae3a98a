//! The contract of [`SecretStore`]. Each wants a secret without a version.
use anyhow::{Result, ensure};
use platform::{Error, Reference, SecretStore, Version, VersionState};
use secret::{SecretValue, VersionNumber};

/// A value that an error must not tell.
const VALUE: &str = "hunter2-of-the-contract";

/// A store, and a secret in it.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// The store.
    pub store: &'a dyn SecretStore,
    /// The secret's name.
    pub secret: &'a str,
}

fn value(text: &str) -> SecretValue {
    SecretValue::from(text.as_bytes())
}

async fn add(store: &dyn SecretStore, secret: &str, text: &str) -> Result<VersionNumber> {
    Ok(store.add(secret, &value(text)).await?)
}

async fn only(store: &dyn SecretStore, secret: &str) -> Result<Version> {
    let mut versions = store.versions(secret).await?;
    ensure!(versions.len() == 1, "{versions:?}");
    Ok(versions.remove(0))
}

async fn state_of(store: &dyn SecretStore, secret: &str, number: VersionNumber) -> VersionState {
    let versions = store.versions(secret).await.expect("the versions");
    let found = versions.iter().find(|version| version.number == number);
    found.expect("the version").state
}

fn is_in_state<T>(result: &Result<T, Error>, expected: VersionState) -> bool {
    matches!(result, Err(Error::VersionState { state, .. }) if *state == expected)
}

pub async fn an_unknown_secret_has_no_versions(subject: &Subject<'_>) -> Result<()> {
    let Subject { store, secret } = *subject;
    assert_eq!(store.versions(secret).await?, []);
    let latest = store.access(secret, Reference::Latest).await;
    assert!(matches!(latest, Err(Error::NoSuchVersion { .. })));
    Ok(())
}

pub async fn every_byte_is_read_back(subject: &Subject<'_>) -> Result<()> {
    let Subject { store, secret } = *subject;
    let all: Vec<u8> = (0..=255).collect();
    let texts: [&[u8]; 6] = [b"x", b"x\n", b"\r\nx\r\n", b" x ", b"\xef\xbb\xbfx\0", &all];
    for bytes in texts {
        let added = SecretValue::from(bytes);
        let number = store.add(secret, &added).await?;
        for reference in [Reference::Latest, Reference::Number(number)] {
            let read = store.access(secret, reference).await?;
            assert!(read.value == added && read.version == number, "{bytes:?}");
        }
    }
    Ok(())
}

pub async fn a_value_of_64_kib_is_kept(subject: &Subject<'_>) -> Result<()> {
    let Subject { store, secret } = *subject;
    let large = SecretValue::from(vec![b'x'; 64 * 1024].as_slice());
    let number = store.add(secret, &large).await?;
    let read = store.access(secret, Reference::Number(number)).await?;
    assert!(read.value == large);
    Ok(())
}

pub async fn numbers_begin_at_one_and_grow(subject: &Subject<'_>) -> Result<()> {
    let Subject { store, secret } = *subject;
    let first = add(store, secret, "one").await?;
    assert_eq!(first.get(), 1);
    let second = add(store, secret, "two").await?;
    // The same value is another version.
    let third = add(store, secret, "two").await?;
    assert!(first < second && second < third);
    Ok(())
}

pub async fn versions_are_told_newest_first(subject: &Subject<'_>) -> Result<()> {
    let Subject { store, secret } = *subject;
    let first = add(store, secret, "one").await?;
    let second = add(store, secret, "two").await?;
    store.disable(secret, first).await?;
    let versions = store.versions(secret).await?;
    let told: Vec<_> = versions.iter().map(|one| (one.number, one.state)).collect();
    let expected = [
        (second, VersionState::Enabled),
        (first, VersionState::Disabled),
    ];
    assert_eq!(told, expected);
    assert!(versions[0].created_at >= versions[1].created_at);
    Ok(())
}

pub async fn a_time_of_creation_stays(subject: &Subject<'_>) -> Result<()> {
    let Subject { store, secret } = *subject;
    let number = add(store, secret, "one").await?;
    let created_at = only(store, secret).await?.created_at;
    store.disable(secret, number).await?;
    store.destroy(secret, number).await?;
    assert_eq!(only(store, secret).await?.created_at, created_at);
    Ok(())
}

pub async fn latest_is_the_newest_whatever_its_state(subject: &Subject<'_>) -> Result<()> {
    let Subject { store, secret } = *subject;
    let first = add(store, secret, "one").await?;
    let second = add(store, secret, "two").await?;
    store.disable(secret, second).await?;
    let latest = store.access(secret, Reference::Latest).await;
    assert!(is_in_state(&latest, VersionState::Disabled));
    store.destroy(secret, second).await?;
    let latest = store.access(secret, Reference::Latest).await;
    assert!(is_in_state(&latest, VersionState::Destroyed));
    let read = store.access(secret, Reference::Number(first)).await?;
    assert!(read.value == value("one"));
    Ok(())
}

pub async fn disabling_is_undone_by_enabling(subject: &Subject<'_>) -> Result<()> {
    let Subject { store, secret } = *subject;
    let number = add(store, secret, "one").await?;
    for _ in 0..2 {
        store.disable(secret, number).await?;
        let read = store.access(secret, Reference::Number(number)).await;
        assert!(is_in_state(&read, VersionState::Disabled));
    }
    for _ in 0..2 {
        store.enable(secret, number).await?;
        let read = store.access(secret, Reference::Number(number)).await?;
        assert!(read.value == value("one"));
    }
    Ok(())
}

pub async fn a_destroyed_version_is_gone_for_ever(subject: &Subject<'_>) -> Result<()> {
    let Subject { store, secret } = *subject;
    let number = add(store, secret, "one").await?;
    store.disable(secret, number).await?;
    for _ in 0..2 {
        store.destroy(secret, number).await?;
        assert_eq!(
            state_of(store, secret, number).await,
            VersionState::Destroyed
        );
    }
    let gone = VersionState::Destroyed;
    let read = store.access(secret, Reference::Number(number)).await;
    assert!(is_in_state(&read, gone));
    assert!(is_in_state(&store.enable(secret, number).await, gone));
    assert!(is_in_state(&store.disable(secret, number).await, gone));
    Ok(())
}

pub async fn a_number_is_never_used_twice(subject: &Subject<'_>) -> Result<()> {
    let Subject { store, secret } = *subject;
    let first = add(store, secret, "one").await?;
    let second = add(store, secret, "two").await?;
    store.destroy(secret, second).await?;
    store.destroy(secret, first).await?;
    assert!(add(store, secret, "three").await? > second);
    assert_eq!(store.versions(secret).await?.len(), 3);
    Ok(())
}

pub async fn an_empty_value_is_refused(subject: &Subject<'_>) -> Result<()> {
    let Subject { store, secret } = *subject;
    let added = store.add(secret, &value("")).await;
    assert!(matches!(added, Err(Error::EmptyValue { .. })));
    assert_eq!(store.versions(secret).await?, []);
    Ok(())
}

pub async fn an_unknown_version_is_an_error(subject: &Subject<'_>) -> Result<()> {
    let Subject { store, secret } = *subject;
    add(store, secret, "one").await?;
    let unknown = VersionNumber::new(99).expect("a number");
    let read = store.access(secret, Reference::Number(unknown)).await;
    let errors = [
        read.map(drop),
        store.disable(secret, unknown).await,
        store.enable(secret, unknown).await,
        store.destroy(secret, unknown).await,
    ];
    for error in errors {
        assert!(matches!(error, Err(Error::NoSuchVersion { .. })));
    }
    Ok(())
}

pub async fn secrets_do_not_mix(subject: &Subject<'_>) -> Result<()> {
    let Subject { store, secret } = *subject;
    let other = format!("{secret}-other");
    let number = add(store, secret, "one").await?;
    assert_eq!(store.versions(&other).await?, []);
    assert_eq!(add(store, &other, "another").await?, number);
    store.destroy(&other, number).await?;
    let read = store.access(secret, Reference::Number(number)).await?;
    assert!(read.value == value("one"));
    Ok(())
}

pub async fn no_error_tells_a_value(subject: &Subject<'_>) -> Result<()> {
    let Subject { store, secret } = *subject;
    let number = add(store, secret, VALUE).await?;
    store.disable(secret, number).await?;
    let disabled = store.access(secret, Reference::Latest).await;
    store.destroy(secret, number).await?;
    let destroyed = store.access(secret, Reference::Number(number)).await;
    let refused = store.enable(secret, number).await;
    for error in [disabled.map(drop), destroyed.map(drop), refused] {
        let error = error.expect_err("a state that forbids it");
        let told = format!("{error} {error:?} {:?} {}", error.hint(), error.what());
        assert!(told.contains(secret) && !told.contains(VALUE), "{told}");
    }
    Ok(())
}
