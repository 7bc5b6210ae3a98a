//! The contract of [`platform::Services`]. Each wants a service that is up and reads the
//! latest version of the binding's secret, the only one there is.
use anyhow::{Context as _, Result};
use platform::{Binding, Bound, Error, Platform, Reference, Revision, Service, VersionState};
use secret::{SecretValue, VersionNumber};

/// A service and what it reads.
pub struct Subject<'a> {
    /// The platform.
    pub platform: &'a Platform,
    /// The service.
    pub service: &'a str,
    /// What it reads.
    pub binding: Binding,
}

impl Subject<'_> {
    async fn describe(&self) -> Result<Service> {
        let services = &self.platform.services;
        Ok(services.describe(self.service, &self.binding).await?)
    }

    async fn prepare(&self, to: Bound) -> Result<String, Error> {
        let services = &self.platform.services;
        services.prepare(self.service, &self.binding, to).await
    }

    async fn cut_over(&self, revision: &str) -> Result<(), Error> {
        let services = &self.platform.services;
        services.cut_over(self.service, revision).await
    }

    async fn discard(&self, revision: &str) -> Result<(), Error> {
        let services = &self.platform.services;
        let kept = services.discard(self.service, revision).await?;
        assert_eq!(kept, None);
        Ok(())
    }

    async fn first(&self) -> Result<VersionNumber> {
        let versions = self.platform.store.versions(&self.binding.secret).await?;
        Ok(versions.last().context("no version")?.number)
    }

    async fn add(&self, text: &str) -> Result<VersionNumber> {
        let (store, value) = (&self.platform.store, SecretValue::from(text.as_bytes()));
        Ok(store.add(&self.binding.secret, &value).await?)
    }

    async fn send_to(&self, to: Bound) -> Result<String> {
        let revision = self.prepare(to).await?;
        self.cut_over(&revision).await?;
        Ok(revision)
    }
}

fn bound_of(service: &Service, revision: &str) -> Option<Bound> {
    let mut found = service.revisions.iter().filter(|one| one.name == revision);
    let bound = found.next().map(|one| one.bound);
    assert!(found.next().is_none(), "`{revision}` is there twice");
    bound
}

pub async fn a_service_is_described(subject: &Subject<'_>) -> Result<()> {
    let service = subject.describe().await?;
    assert_eq!((service.bound, service.ready), (Bound::Latest, true));
    assert_eq!(bound_of(&service, &service.serving), Some(Bound::Latest));
    // To look changes nothing, and a service at rest is not waited for.
    assert_eq!(subject.describe().await?, service);
    let services = &subject.platform.services;
    let at_rest = services.describe_at_rest(subject.service, &subject.binding);
    assert_eq!(at_rest.await?, service);
    Ok(())
}

pub async fn an_unknown_service_is_an_error(subject: &Subject<'_>) -> Result<()> {
    let unknown = Subject {
        service: "no-such-service",
        binding: subject.binding.clone(),
        ..*subject
    };
    let services = &subject.platform.services;
    let described = services.describe(unknown.service, &unknown.binding).await;
    let errors = [
        described.map(drop),
        unknown.prepare(Bound::Latest).await.map(drop),
        unknown.cut_over("revision").await,
        unknown.discard("revision").await,
        services
            .describe_at_rest(unknown.service, &unknown.binding)
            .await
            .map(drop),
        services.discard_others(unknown.service).await.map(drop),
    ];
    for error in errors {
        assert!(
            matches!(error, Err(Error::NoSuchService { .. })),
            "{error:?}"
        );
    }
    Ok(())
}

pub async fn preparing_disturbs_nobody(subject: &Subject<'_>) -> Result<()> {
    let before = subject.describe().await?;
    let number = subject.add("two").await?;
    let revision = subject.prepare(Bound::Pinned(number)).await?;
    let after = subject.describe().await?;
    assert_eq!(after.serving, before.serving);
    assert!(after.ready);
    assert_ne!(revision, before.serving);
    assert_eq!(bound_of(&after, &revision), Some(Bound::Pinned(number)));
    Ok(())
}

pub async fn preparing_again_gives_the_same_revision(subject: &Subject<'_>) -> Result<()> {
    let pinned = Bound::Pinned(subject.add("two").await?);
    let revision = subject.prepare(pinned).await?;
    assert_eq!(subject.prepare(pinned).await?, revision);
    subject.cut_over(&revision).await?;
    let known = subject.describe().await?.revisions.len();
    let again = subject.prepare(pinned).await?;
    subject.cut_over(&again).await?;
    assert_eq!(subject.describe().await?.bound, pinned);
    assert_eq!(subject.describe().await?.revisions.len(), known);
    Ok(())
}

pub async fn a_cutover_sends_the_traffic_and_can_be_repeated(subject: &Subject<'_>) -> Result<()> {
    let pinned = Bound::Pinned(subject.add("two").await?);
    let revision = subject.prepare(pinned).await?;
    for _ in 0..2 {
        subject.cut_over(&revision).await?;
        let service = subject.describe().await?;
        assert_eq!((service.bound, service.ready), (pinned, true));
        assert_eq!(service.serving, revision);
        assert_eq!(bound_of(&service, &revision), Some(pinned));
    }
    Ok(())
}

pub async fn a_pin_survives_a_newer_version(subject: &Subject<'_>) -> Result<()> {
    let first = Bound::Pinned(subject.first().await?);
    let revision = subject.send_to(first).await?;
    subject.add("two").await?;
    let service = subject.describe().await?;
    assert_eq!((service.bound, service.ready), (first, true));
    assert_eq!(service.serving, revision);
    Ok(())
}

pub async fn traffic_can_be_sent_back(subject: &Subject<'_>) -> Result<()> {
    let first = Bound::Pinned(subject.first().await?);
    let old = subject.send_to(first).await?;
    let second = Bound::Pinned(subject.add("two").await?);
    subject.send_to(second).await?;
    for _ in 0..2 {
        subject.cut_over(&old).await?;
        let service = subject.describe().await?;
        assert_eq!((service.bound, service.ready), (first, true));
        assert_eq!(service.serving, old);
    }
    Ok(())
}

pub async fn a_revision_of_latest_reads_the_newest(subject: &Subject<'_>) -> Result<()> {
    let first = Bound::Pinned(subject.first().await?);
    subject.send_to(first).await?;
    subject.add("two").await?;
    subject.send_to(Bound::Latest).await?;
    let service = subject.describe().await?;
    assert_eq!((service.bound, service.ready), (Bound::Latest, true));
    Ok(())
}

pub async fn a_version_that_cannot_be_read_gets_no_revision(subject: &Subject<'_>) -> Result<()> {
    let before = subject.describe().await?;
    let store = &subject.platform.store;
    let unknown = VersionNumber::new(99).context("a number")?;
    let prepared = subject.prepare(Bound::Pinned(unknown)).await;
    assert!(matches!(prepared, Err(Error::NoSuchVersion { .. })));
    let second = subject.add("two").await?;
    store.disable(&subject.binding.secret, second).await?;
    for to in [Bound::Pinned(second), Bound::Latest] {
        let prepared = subject.prepare(to).await;
        let state = VersionState::Disabled;
        assert!(
            matches!(prepared, Err(Error::VersionState { state: found, .. }) if found == state)
        );
    }
    assert_eq!(subject.describe().await?.serving, before.serving);
    Ok(())
}

pub async fn a_discarded_revision_is_gone(subject: &Subject<'_>) -> Result<()> {
    let number = subject.add("two").await?;
    let revision = subject.prepare(Bound::Pinned(number)).await?;
    for _ in 0..2 {
        subject.discard(&revision).await?;
        let service = subject.describe().await?;
        assert_eq!(bound_of(&service, &revision), None);
        let readers = names(service.readers_of(number, Some(number)));
        assert!(!readers.contains(&revision));
    }
    let gone = subject.cut_over(&revision).await;
    assert!(matches!(gone, Err(Error::NoSuchRevision { .. })));
    // A name is not used for something else.
    let next = subject.prepare(Bound::Pinned(number)).await?;
    assert_ne!(next, revision);
    Ok(())
}

pub async fn the_serving_revision_is_not_discarded(subject: &Subject<'_>) -> Result<()> {
    let first = Bound::Pinned(subject.first().await?);
    let revision = subject.send_to(first).await?;
    let refused = subject.discard(&revision).await;
    assert!(matches!(refused, Err(Error::RevisionServes { .. })));
    assert_eq!(subject.describe().await?.serving, revision);
    Ok(())
}

pub async fn the_others_are_discarded_together(subject: &Subject<'_>) -> Result<()> {
    let first = subject.first().await?;
    subject.send_to(Bound::Pinned(first)).await?;
    let second = subject.add("two").await?;
    subject.send_to(Bound::Pinned(second)).await?;
    let services = &subject.platform.services;
    for _ in 0..2 {
        services.discard_others(subject.service).await?;
        let service = subject.describe().await?;
        assert_eq!(
            (service.bound, service.ready),
            (Bound::Pinned(second), true)
        );
        let others = service.revisions.iter();
        let others: Vec<_> = others.filter(|one| one.name != service.serving).collect();
        assert!(others.is_empty(), "{others:?}");
    }
    Ok(())
}

pub async fn each_binding_is_described_as_it_is_alone(subject: &Subject<'_>) -> Result<()> {
    let services = &subject.platform.services;
    let bindings = [subject.binding.clone(), subject.binding.clone()];
    let described = services.describe_each(subject.service, &bindings).await?;
    let alone = subject.describe().await?;
    assert_eq!(described.len(), bindings.len());
    for one in described {
        assert_eq!(one?, alone);
    }
    Ok(())
}

pub async fn readers_are_told_until_they_are_discarded(subject: &Subject<'_>) -> Result<()> {
    let first = subject.first().await?;
    let old = subject.send_to(Bound::Pinned(first)).await?;
    let second = subject.add("two").await?;
    let new = subject.send_to(Bound::Pinned(second)).await?;
    let service = subject.describe().await?;
    let of_first = names(service.readers_of(first, Some(second)));
    assert!(of_first.contains(&old) && !of_first.contains(&new));
    subject.discard(&old).await?;
    let service = subject.describe().await?;
    assert_eq!(names(service.readers_of(first, Some(second))), [""; 0]);
    let of_second = names(service.readers_of(second, Some(second)));
    assert!(of_second.contains(&new));
    Ok(())
}

pub async fn the_value_of_the_configuration_is_that_of_the_version(
    subject: &Subject<'_>,
) -> Result<()> {
    let services = &subject.platform.services;
    let variable = &subject.binding.variable;
    let inline = services.inline_value(subject.service, variable).await;
    // A platform may have no value there, where the variable comes from the store.
    if let Ok(inline) = inline {
        let store = &subject.platform.store;
        let read = store.access(&subject.binding.secret, Reference::Latest);
        assert!(read.await?.value == inline);
    }
    Ok(())
}

fn names<'a>(revisions: impl Iterator<Item = &'a Revision>) -> Vec<String> {
    revisions.map(|revision| revision.name.clone()).collect()
}
