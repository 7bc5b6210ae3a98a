//! A platform that can be hit before and after each of its changes, and sees that the
//! laws hold then.
mod callers;
mod checks;
mod roles;

use std::io;

use async_trait::async_trait;
use platform::{
    Backup, Backups, Binding, Bound, Callers, Error, Kept, Platform, Reference, SecretStore,
    Service, Services, Version,
};
use secret::{SecretValue, VersionNumber, Versioned};

pub(super) use callers::{CallerFile, write as write_callers};
pub(super) use checks::wrapped_checks;
pub(super) use roles::wrapped_roles;

use super::laws::Laws;
use super::moments::Moments;

struct Faulty<T: ?Sized> {
    inner: Box<T>,
    watch: Watch,
}

#[derive(Clone)]
struct Watch {
    moments: Moments,
    laws: Laws,
}

/// Something behind what may be hit.
fn faulty<T: ?Sized>(inner: Box<T>, moments: &Moments, laws: &Laws) -> Faulty<T> {
    let watch = Watch {
        moments: moments.clone(),
        laws: laws.clone(),
    };
    Faulty { inner, watch }
}

/// The platform behind what may be hit.
pub(super) fn wrapped(platform: Platform, moments: &Moments, laws: &Laws) -> Platform {
    Platform {
        place: platform.place,
        configuration: platform.configuration,
        name: platform.name,
        store: Box::new(faulty(platform.store, moments, laws)),
        services: Box::new(faulty(platform.services, moments, laws)),
        backups: platform
            .backups
            .map(|inner| Box::new(faulty(inner, moments, laws)) as Box<dyn Backups>),
        callers: platform
            .callers
            .map(|inner| Box::new(faulty(inner, moments, laws)) as Box<dyn Callers>),
        rehearsal: platform.rehearsal,
    }
}

fn hit(source: io::Error) -> Error {
    Error::File {
        action: "reach",
        path: "the platform".into(),
        source,
    }
}

impl Watch {
    fn looks(&self, what: &str) -> Result<(), Error> {
        self.moments
            .pass_look(&format!("before {what}"))
            .map_err(hit)
    }

    async fn change<T>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        self.moments.expect_a_journal(what);
        self.moments.pass(&format!("before {what}")).map_err(hit)?;
        self.laws.hold(what).await;
        let done = work.await?;
        self.laws.hold(what).await;
        self.moments.pass(&format!("after {what}")).map_err(hit)?;
        Ok(done)
    }
}

#[async_trait(?Send)]
impl SecretStore for Faulty<dyn SecretStore> {
    async fn versions(&self, secret: &str) -> Result<Vec<Version>, Error> {
        self.watch.looks("versions")?;
        self.inner.versions(secret).await
    }

    async fn access(
        &self,
        secret: &str,
        reference: Reference,
    ) -> Result<Versioned<SecretValue>, Error> {
        self.watch.looks("access")?;
        self.inner.access(secret, reference).await
    }

    async fn add(&self, secret: &str, value: &SecretValue) -> Result<VersionNumber, Error> {
        self.watch
            .change("add", self.inner.add(secret, value))
            .await
    }

    async fn disable(&self, secret: &str, version: VersionNumber) -> Result<(), Error> {
        let disabled = async {
            self.watch.laws.may_be_disabled(version).await;
            self.inner.disable(secret, version).await
        };
        self.watch.change("disable", disabled).await
    }

    async fn enable(&self, secret: &str, version: VersionNumber) -> Result<(), Error> {
        let watch = &self.watch;
        watch.moments.expect_a_journal("enable");
        watch.moments.pass("before enable").map_err(hit)?;
        // Somebody may have just made it necessary.
        self.inner.enable(secret, version).await?;
        watch.laws.hold("enable").await;
        watch.moments.pass("after enable").map_err(hit)
    }

    async fn destroy(&self, _: &str, version: VersionNumber) -> Result<(), Error> {
        panic!("no rotation destroys: version {version}")
    }
}

#[async_trait(?Send)]
impl Services for Faulty<dyn Services> {
    async fn describe(&self, service: &str, binding: &Binding) -> Result<Service, Error> {
        self.watch.looks("describe")?;
        self.inner.describe(service, binding).await
    }

    async fn describe_at_rest(&self, service: &str, binding: &Binding) -> Result<Service, Error> {
        self.watch.looks("describe")?;
        self.inner.describe_at_rest(service, binding).await
    }

    async fn inline_value(&self, service: &str, variable: &str) -> Result<SecretValue, Error> {
        self.watch.looks("inline value")?;
        self.inner.inline_value(service, variable).await
    }

    async fn prepare(&self, service: &str, binding: &Binding, to: Bound) -> Result<String, Error> {
        let prepared = self.inner.prepare(service, binding, to);
        self.watch.change("prepare", prepared).await
    }

    async fn cut_over(&self, service: &str, revision: &str) -> Result<(), Error> {
        let cut_over = async {
            self.watch.laws.may_serve(revision).await;
            self.inner.cut_over(service, revision).await
        };
        self.watch.change("cut over", cut_over).await
    }

    async fn discard(&self, service: &str, revision: &str) -> Result<Option<Kept>, Error> {
        let discarded = self.inner.discard(service, revision);
        self.watch.change("discard", discarded).await
    }

    async fn discard_others(&self, service: &str) -> Result<Option<Kept>, Error> {
        let discarded = self.inner.discard_others(service);
        self.watch.change("discard the others", discarded).await
    }
}

#[async_trait(?Send)]
impl Backups for Faulty<dyn Backups> {
    async fn newest(&self) -> Result<Option<Backup>, Error> {
        self.watch.looks("newest backup")?;
        self.inner.newest().await
    }

    async fn take(&self) -> Result<Backup, Error> {
        self.watch.change("take a backup", self.inner.take()).await
    }
}
