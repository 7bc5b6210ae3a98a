//! What the store and the platform call the secrets and the services: by the service's own
//! variables, the file, or the names that they have everywhere.

use std::collections::BTreeMap;

use rotation::{Consumer, Role, Secret, Store};
use runbook::Name;

use super::file::File;
use super::{Procedure, Surroundings};
use crate::failure::Failure;

impl Procedure {
    /// The secret that somebody calls by one of its names, that in the store among them.
    ///
    /// # Errors
    ///
    /// When there is none. The name isn't quoted: somebody may have typed the secret itself.
    pub(crate) fn secret_called(&self, name: &str) -> Result<Secret, Failure> {
        let mut renamed = rotation::SECRETS.into_iter();
        let renamed = renamed.find(|secret| self.store_of(secret).name == name);
        renamed.or_else(|| Secret::named(name)).ok_or_else(|| {
            let known = rotation::SECRETS.map(|secret| self.store_of(&secret).name);
            Failure::usage("the service has no such secret")
                .nothing_changed()
                .hint(format!("its secrets are `{}`", known.join("`, `")))
        })
    }

    /// What the store and the services call a secret.
    pub(crate) fn store_of(&self, secret: &Secret) -> Store {
        let renamed = self.file.secrets.get(secret.name);
        Store {
            name: renamed
                .cloned()
                .unwrap_or_else(|| secret.store_name.to_owned()),
            variable: secret.variable.to_owned(),
            setting: secret
                .store_name_variable
                .unwrap_or("`secrets` in the settings"),
        }
    }

    /// The services that read a secret.
    pub(crate) fn consumers_of(&self, secret: &Secret) -> Vec<Consumer> {
        let consumer = |role: &Role| Consumer {
            role: *role,
            service: self.service(*role),
        };
        secret.readers.iter().map(consumer).collect()
    }

    pub(super) fn service(&self, role: Role) -> String {
        let named = match role {
            Role::Agent => &self.file.services.agent,
            Role::Handler => &self.file.services.handler,
        };
        named
            .clone()
            .unwrap_or_else(|| role.default_service().to_owned())
    }
}

/// The service's own variables go before the file.
pub(super) fn rename(file: &mut File, surroundings: &Surroundings<'_>) -> Result<(), Failure> {
    let roles = [
        (Role::Agent, &mut file.services.agent),
        (Role::Handler, &mut file.services.handler),
    ];
    for (role, name) in roles {
        if let Some(renamed) = surroundings.text(role.name_variable())? {
            *name = Some(renamed);
        }
    }
    for secret in rotation::SECRETS {
        let Some(variable) = secret.store_name_variable else {
            continue;
        };
        if let Some(renamed) = surroundings.text(variable)? {
            file.secrets.insert(secret.name.to_owned(), renamed);
        }
    }
    refuse_unknown_secrets(file)?;
    refuse_other_than_names(file)?;
    refuse_shared_names(file)
}

/// Of two secrets in one, each rotation would retire what the other one's services read.
fn refuse_shared_names(file: &File) -> Result<(), Failure> {
    let mut names = BTreeMap::new();
    for secret in rotation::SECRETS {
        let renamed = file.secrets.get(secret.name).map(String::as_str);
        let name = renamed.unwrap_or(secret.store_name);
        if let Some(other) = names.insert(name, secret.name) {
            return Err(Failure::check(format!(
                "the settings have one name in the store for `{other}` and `{}`",
                secret.name
            ))
            .nothing_changed()
            .hint("give each secret a name of its own under `secrets`, or by its variable"));
        }
    }
    Ok(())
}

/// What is renamed has to be there. It isn't quoted: whoever takes the table for one of values
/// may have put a secret there.
fn refuse_unknown_secrets(file: &File) -> Result<(), Failure> {
    let known = rotation::SECRETS.map(|secret| secret.name);
    if file.secrets.keys().all(|name| known.contains(&&**name)) {
        return Ok(());
    }
    Err(
        Failure::check("`secrets` in the settings renames a secret that the service doesn't have")
            .nothing_changed()
            .hint(format!("its secrets are `{}`", known.join("`, `"))),
    )
}

/// A journal takes names only: better to say so now than in the middle of a run.
fn refuse_other_than_names(file: &File) -> Result<(), Failure> {
    let services = [
        ("service", "agent", &file.services.agent),
        ("service", "handler", &file.services.handler),
    ];
    let services = services
        .into_iter()
        .filter_map(|(kind, of, name)| Some((kind, of, name.as_ref()?)));
    let secrets = file.secrets.iter();
    let secrets = secrets.map(|(of, name)| ("secret", of.as_str(), name));
    for (kind, of, name) in services.chain(secrets) {
        if Name::new(name).is_err() {
            // It isn't quoted: somebody may have put the secret itself there.
            return Err(Failure::check(format!(
                "what the settings have for the {kind} `{of}` can't be its name"
            ))
            .nothing_changed()
            .hint("names have letters, digits and `.`, `_`, `-`, `/`, `:`"));
        }
    }
    Ok(())
}
