//! What state a world is in, read from its files by the tests' own code.
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use platform::{Bound, Service};
use rotation::{DCR_ENCRYPTION_KEY, Secret};
use serde_json::Value;

pub(super) use table::{Cell, Table};

use super::project::Told;

/// What the store calls the key.
pub(super) const SECRET: &str = DCR_ENCRYPTION_KEY.store_name;

/// The state of a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    secret: Secret,
    /// The table that is under the key.
    pub(super) table: Table,
    /// What else depends on the value.
    pub(super) beside: Beside,
    pub(super) env: String,
    /// The state and the value of every version.
    pub(super) versions: BTreeMap<u64, (String, String)>,
    /// Who may call the services.
    pub(super) callers: String,
    /// The services that read the secret.
    pub(super) services: Vec<Service>,
    /// What the services of a project are told.
    told: Vec<Value>,
}

/// What depends on the value beside the services and the table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Beside {
    /// The values that prove themselves to the issuer or log in to the server; none for
    /// a key.
    pub(super) accepted: BTreeSet<String>,
    /// Whether a value that isn't in use any more is to be of no use.
    pub(super) is_exclusive: bool,
    /// The roles of the server.
    pub(super) roles: Vec<String>,
}

impl Seen {
    pub(super) fn of(folder: &Path, secret: Secret, services: Vec<Service>) -> Result<Seen> {
        let told = Told {
            env: fs::read_to_string(folder.join(".env"))?,
            versions: versions(&folder.join("store").join(secret.store_name))?,
            callers: fs::read_to_string(folder.join("callers"))?,
            described: services,
            services: Vec::new(),
        };
        Seen::of_project(folder, secret, told)
    }

    /// The same, of which all but the table is in a project.
    pub(super) fn of_project(folder: &Path, secret: Secret, told: Told) -> Result<Seen> {
        let mut seen = Seen {
            secret,
            table: Table::default(),
            beside: Beside::default(),
            env: told.env,
            versions: told.versions,
            callers: told.callers,
            services: told.described,
            told: told.services,
        };
        if secret == DCR_ENCRYPTION_KEY {
            let keys = seen.values().into_iter();
            seen.table = Table::of(&folder.join("service.db"), keys)?;
        }
        Ok(seen)
    }

    /// Every value that there is.
    pub(super) fn values(&self) -> BTreeSet<String> {
        let stored = self.versions.values().map(|(_, value)| value.clone());
        stored.chain([self.value_in_use().to_owned()]).collect()
    }

    /// The value that the services read; the first one, while they differ.
    pub(super) fn value_in_use(&self) -> &str {
        self.values_in_use().next().unwrap_or_default()
    }

    /// What each service reads, or the one file that all of them do.
    pub(super) fn values_in_use(&self) -> impl Iterator<Item = &str> {
        let lines = self.env.lines();
        lines.filter_map(|line| line.strip_prefix(self.secret.variable)?.strip_prefix('='))
    }

    pub(super) fn latest(&self) -> Option<(u64, &str, &str)> {
        let (number, (state, value)) = self.versions.last_key_value()?;
        Some((*number, state, value))
    }

    /// The numbers of the versions with their states.
    pub(super) fn states(&self) -> Vec<(u64, &str)> {
        let states = self.versions.iter();
        states
            .map(|(number, (state, _))| (*number, state.as_str()))
            .collect()
    }

    pub(super) fn is_enabled(&self, value: &str) -> bool {
        let mut versions = self.versions.values();
        versions.any(|(state, held)| state == "enabled" && held == value)
    }

    pub(super) fn cells_under(&self, value: &str) -> usize {
        let under = |cell: &&Cell| cell.key.as_deref() == Some(value);
        self.table.cells.iter().filter(under).count()
    }

    /// The tokens without the keys that they are under.
    pub(super) fn plaintexts(&self) -> Vec<(&str, &str, &[u8], u64)> {
        let of = |cell: &'_ Cell| (cell.column, cell.issued_at);
        let cells = self.table.cells.iter();
        cells
            .map(|cell| {
                let (column, issued_at) = of(cell);
                (&*cell.order_id, column, &*cell.plaintext, issued_at)
            })
            .collect()
    }

    /// Sees that everything is as it was at the start.
    ///
    /// The value in use may be stored now. Versions that came since hold the value that
    /// was the latest, or are disabled.
    pub(super) fn expect_to_be(&self, start: &Seen, case: &str) {
        assert_eq!(self.table.cells, start.table.cells, "{case}: the table");
        assert_eq!(
            self.table.others, start.table.others,
            "{case}: the table's other columns"
        );
        assert_eq!(self.env, start.env, "{case}: .env");
        assert_eq!(self.told, start.told, "{case}: what services are told");
        assert_eq!(self.callers, start.callers, "{case}: callers");
        for (service, was) in self.services.iter().zip(&start.services) {
            let bound = match (was.bound, service.bound) {
                (Bound::Inline, Bound::Latest) => Bound::Inline,
                (_, now) => now,
            };
            assert_eq!(bound, was.bound, "{case}: the binding");
            assert_eq!(service.ready, was.ready, "{case}: readiness");
        }
        assert!(self.is_in_use_accepted(), "{case}: refused");
        if self.beside.is_exclusive {
            assert!(
                self.beside == start.beside,
                "{case}: {:?}",
                self.beside.roles
            );
        }
        let old = start.value_in_use();
        for (number, (state, value)) in &self.versions {
            match start.versions.get(number) {
                Some((was, _)) => assert_eq!(state, was, "{case}: version {number}"),
                None => assert!(
                    value == old || state == "disabled",
                    "{case}: version {number} is {state}"
                ),
            }
        }
        assert!(self.versions.len() >= start.versions.len(), "{case}");
        if let Some((_, state, value)) = self.latest() {
            let was = start.latest().map_or(old, |(_, _, value)| value);
            assert!(state == "enabled" && value == was, "{case}: latest");
        }
    }

    /// Sees that everything is as it is to be after a rotation.
    pub(super) fn expect_rotated_from(&self, start: &Seen, case: &str) {
        let (number, state, new) = self.latest().expect("a version");
        assert_eq!(state, "enabled", "{case}");
        assert_ne!(new, start.value_in_use(), "{case}");
        assert_eq!(self.plaintexts(), start.plaintexts(), "{case}: plaintexts");
        assert_eq!(
            self.table.others, start.table.others,
            "{case}: the table's other columns"
        );
        self.expect_all_under(new, case);
        let env = start.env.replace(start.value_in_use(), new);
        assert_eq!(self.env, env, "{case}: .env");
        assert_eq!(self.callers, start.callers, "{case}: callers");
        let bound = Bound::Pinned(secret::VersionNumber::new(number).expect("from 1 on"));
        for service in &self.services {
            assert_eq!(service.bound, bound, "{case}: the binding");
            assert!(service.ready, "{case}: readiness");
            assert_eq!(service.revisions.len(), 1, "{case}: other revisions");
        }
        assert!(self.is_in_use_accepted(), "{case}: refused");
        if self.beside.is_exclusive {
            assert_eq!(self.beside.accepted.len(), 1, "{case}: other logins");
        }
        assert!(!self.is_enabled(start.value_in_use()), "{case}: retired");
    }

    /// Sees that a run that met with trouble left what one without did: it enabled as many
    /// versions, and the services are told the same.
    pub(super) fn expect_alike(&self, other: &Seen, case: &str) {
        let states = self.states();
        assert_eq!(self.enabled(), other.enabled(), "{case}: {states:?}");
        assert_eq!(self.told_of_latest(), other.told_of_latest(), "{case}");
    }

    /// How many versions are enabled.
    pub(super) fn enabled(&self) -> usize {
        let versions = self.versions.values();
        versions.filter(|(state, _)| state == "enabled").count()
    }

    /// What services are told, without the names of revisions, and with the number of the
    /// latest version in words.
    fn told_of_latest(&self) -> Vec<Value> {
        let latest = self.latest().map(|(number, ..)| number.to_string());
        let told = self.told.iter().cloned();
        told.map(|mut spec| {
            for target in spec["traffic"].as_array_mut().into_iter().flatten() {
                target["revisionName"] = Value::Null;
            }
            let container = &mut spec["template"]["spec"]["containers"][0];
            for variable in container["env"].as_array_mut().into_iter().flatten() {
                let key = variable.pointer_mut("/valueFrom/secretKeyRef/key");
                if let Some(key) = key
                    && key.as_str() == latest.as_deref()
                {
                    *key = Value::from("the latest number");
                }
            }
            spec
        })
        .collect()
    }

    pub(super) fn expect_all_under(&self, value: &str, case: &str) {
        assert_eq!(
            self.cells_under(value),
            self.table.cells.len(),
            "{case}: tokens"
        );
    }

    fn is_in_use_accepted(&self) -> bool {
        let is_key = self.secret == DCR_ENCRYPTION_KEY;
        is_key || self.beside.accepted.contains(self.value_in_use())
    }
}

/// The state and the value of each version, as the store's files tell.
fn versions(folder: &Path) -> Result<BTreeMap<u64, (String, String)>> {
    let Ok(index) = fs::read(folder.join("versions.json")) else {
        return Ok(BTreeMap::new());
    };
    let index: Value = serde_json::from_slice(&index)?;
    let entries = index["versions"].as_array().context("no versions")?;
    let version = |entry: &Value| {
        let number = entry["number"].as_u64().context("no number")?;
        let state = entry["state"].as_str().context("no state")?.to_owned();
        let value = match state.as_str() {
            "destroyed" => String::new(),
            _ => fs::read_to_string(folder.join(format!("{number}.value")))?,
        };
        Ok((number, (state, value)))
    };
    entries.iter().map(version).collect()
}
