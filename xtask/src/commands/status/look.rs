//! The look at the platform: each service and each secret once, all of them side by side.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::{join, join_all};
use platform::{Binding, Error, Platform, Service, Version};

use super::ages::Unseen;
use crate::commands::let_children_end;

/// Who asks how things stand doesn't wait for servers that are away.
const LIMIT: Duration = Duration::from_secs(45);

type Described = Result<Vec<Result<Service, Error>>, Error>;

/// What was seen.
#[derive(Default)]
pub(super) struct Looked {
    versions: BTreeMap<String, Result<Vec<Version>, Error>>,
    services: BTreeMap<String, (Vec<Binding>, Described)>,
}

/// What is to be looked at.
#[derive(Default)]
pub(super) struct Wanted {
    secrets: Vec<String>,
    services: BTreeMap<String, Vec<Binding>>,
}

impl Wanted {
    pub(super) fn secret(&mut self, secret: &str) {
        if !self.secrets.iter().any(|one| one == secret) {
            self.secrets.push(secret.to_owned());
        }
    }

    pub(super) fn service(&mut self, service: &str, binding: &Binding) {
        let bindings = self.services.entry(service.to_owned()).or_default();
        if !bindings.contains(binding) {
            bindings.push(binding.clone());
        }
    }

    /// Looks. What isn't answered in time is not known.
    pub(super) async fn look(self, platform: &Platform) -> Looked {
        match tokio::time::timeout(LIMIT, self.ask(platform)).await {
            Ok(looked) => looked,
            Err(_) => {
                let_children_end().await;
                Looked::default()
            }
        }
    }

    async fn ask(self, platform: &Platform) -> Looked {
        let versions = self.secrets.into_iter().map(async |secret| {
            let versions = platform.store.versions(&secret).await;
            (secret, versions)
        });
        let services = self.services.into_iter().map(async |(service, bindings)| {
            let described = platform.services.describe_each(&service, &bindings).await;
            (service, (bindings, described))
        });
        let (services, versions) = join(join_all(services), join_all(versions)).await;
        Looked {
            versions: versions.into_iter().collect(),
            services: services.into_iter().collect(),
        }
    }
}

impl Looked {
    /// The versions of a secret.
    pub(super) fn versions(&self, secret: &str) -> Result<&[Version], Unseen<'_>> {
        match self.versions.get(secret) {
            Some(Ok(versions)) => Ok(versions),
            Some(Err(error)) => Err(Unseen::Error(error)),
            None => Err(Unseen::Late),
        }
    }

    /// A service, as far as a binding of it goes.
    pub(super) fn service(&self, service: &str, binding: &Binding) -> Result<&Service, Unseen<'_>> {
        let (bindings, described) = self.services.get(service).ok_or(Unseen::Late)?;
        let described = described.as_ref().map_err(Unseen::Error)?;
        let mut found = bindings.iter().zip(described);
        let (_, described) = found.find(|(one, _)| *one == binding).ok_or(Unseen::Late)?;
        described.as_ref().map_err(Unseen::Error)
    }
}
