//! Where a run takes place: it must go on where it began.

use std::path::{Path, PathBuf};

use runbook::{Fact, Facts, History, Log, Name, StepStatus};
use secret::{DatabaseTarget, DatabaseUrl, Fingerprint, Host};

use crate::context::{Context, old_version};
use crate::dcr_encryption_key::RE_ENCRYPT;
use crate::error::Error;
use crate::facts;
use crate::material::Material;
use crate::steps::CUT_OVER;

/// What it is called where it is another one.
pub(crate) const STORE: &str = "store";

/// Writes down where the run takes place. A later look compares.
pub(crate) fn record(context: &Context, log: &mut Log<'_>) -> Result<(), Error> {
    for (name, fact, _) in place(context)? {
        log.record(name, fact)?;
    }
    Ok(())
}

/// Refuses to go on in another place than the run began: with another database,
/// store, secret or service. What isn't written down yet, nothing depends on.
///
/// # Errors
///
/// [`Error::OtherPlace`], with the setting that tells the place.
pub async fn refuse_other_place(context: &Context, facts: &Facts) -> Result<(), Error> {
    refuse_others(&place(context)?, facts)?;
    refuse_other_store(context, facts).await
}

/// The same, wherever the store has gone, and the database unless a table of it has gone over
/// and the services have not: it is about the same services.
pub(crate) fn refuse_other_services(context: &Context, history: &History) -> Result<(), Error> {
    let is_between = history.step_status(RE_ENCRYPT).may_have_effect()
        && history.step_status(CUT_OVER) != StepStatus::Done;
    let mut place = place(context)?;
    place.retain(|(name, ..)| is_between || *name != facts::DATABASE);
    refuse_others(&place, &history.facts)
}

fn refuse_others(place: &[(&'static str, Fact, &'static str)], facts: &Facts) -> Result<(), Error> {
    for (name, fact, setting) in place {
        if facts.get(name).is_some_and(|began| began != fact) {
            return Err(Error::OtherPlace {
                what: name,
                setting,
            });
        }
    }
    Ok(())
}

/// A store is known by what is in it, wherever its folder has gone: its old version
/// must have the key that it had. Where that can't be read, there is nothing to compare.
async fn refuse_other_store(context: &Context, facts: &Facts) -> Result<(), Error> {
    let (Ok(version), Ok(began)) = (old_version(facts), facts.fingerprint(facts::OLD_KEY)) else {
        return Ok(());
    };
    let is_other = match context.value(version).await {
        Ok(value) => context
            .material
            .fingerprint(&value)
            .is_some_and(|now| now.to_string() != began.as_str()),
        Err(Error::Platform(platform::Error::NoSuchVersion { .. })) => true,
        Err(_) => false,
    };
    if is_other {
        return Err(Error::OtherPlace {
            what: STORE,
            setting: "`store` in the settings",
        });
    }
    Ok(())
}

/// What tells the place, its fact's name, and the setting that it comes from.
fn place(context: &Context) -> Result<Vec<(&'static str, Fact, &'static str)>, Error> {
    let mut place = vec![(
        facts::SECRET,
        Fact::Name(Name::new(&context.store.name)?),
        context.store.setting,
    )];
    place.push(match &context.platform.configuration {
        Some(file) => {
            let file = fingerprint(&relative_to_store(file, context))?;
            (facts::CONFIGURATION, file, "`env_file` in the settings")
        }
        None => {
            let place = Name::new(&context.platform.place)?;
            let setting = "the platform's table in the settings";
            (facts::PLACE, Fact::Name(place), setting)
        }
    });
    match &context.material {
        Material::Key(at) => {
            let database = fingerprint(&database(&at.url, context))?;
            place.push((facts::DATABASE, database, "DATABASE_URL"));
        }
        Material::ClientSecret(_) | Material::Login(_) => {}
    }
    for consumer in &context.consumers {
        place.push((
            facts::of_consumer(consumer.role).service,
            Fact::Name(Name::new(&consumer.service)?),
            consumer.role.name_variable(),
        ));
    }
    Ok(place)
}

fn fingerprint(place: &str) -> Result<Fact, Error> {
    let place = Fingerprint::of_place(place).to_string();
    Ok(Fact::Fingerprint(runbook::Fingerprint::new(place)?))
}

/// A file as seen from the folder of the store, wherever both are moved to.
fn relative_to_store(file: &Path, context: &Context) -> String {
    let (file, store) = (absolute(file), absolute(Path::new(&context.platform.place)));
    let (mut there, mut here) = (file.components().peekable(), store.components().peekable());
    while there.peek().is_some() && there.peek() == here.peek() {
        there.next();
        here.next();
    }
    let mut path: PathBuf = here.map(|_| "..").collect();
    path.extend(there);
    path.display().to_string()
}

/// A file as seen from the store, so that both may move together.
fn seen_from_store(file: &Path, context: &Context) -> String {
    let file = absolute(file);
    let store = absolute(Path::new(&context.platform.place));
    let beside = store
        .parent()
        .and_then(|beside| file.strip_prefix(beside).ok());
    beside.unwrap_or(&file).display().to_string()
}

/// Without who logs in: a role may be another tomorrow.
fn database(url: &DatabaseUrl, context: &Context) -> String {
    match url.target() {
        DatabaseTarget::Sqlite(target) => seen_from_store(&target.path, context),
        DatabaseTarget::Postgres(target) => {
            let host = match &target.host {
                Host::Tcp(host) => host.clone(),
                Host::UnixSocket(folder) => folder.display().to_string(),
            };
            format!("{host}:{}/{}", target.port, target.database)
        }
    }
}

/// With its links followed, as far as it is there.
fn absolute(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = absolute
        .parent()
        .and_then(|folder| folder.canonicalize().ok());
    match (folder, absolute.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => absolute,
    }
}
