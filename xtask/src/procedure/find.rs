//! Which run is meant.

use rotation::Secret;
use runbook::History;

use crate::failure::Failure;
use crate::input::shown_run;
use crate::settings;

/// A run that is meant.
pub(crate) struct Found {
    /// Its name.
    pub(crate) name: String,
    /// What its journal tells.
    pub(crate) history: History,
    /// The secret that it rotates.
    pub(crate) secret: Secret,
}

/// The run that is named, or the only one that isn't finished.
///
/// # Errors
///
/// When there is none, or more than one.
pub(crate) fn find(
    settings: &settings::Procedure,
    name: Option<&str>,
    verb: &str,
) -> Result<Found, Failure> {
    settings.refuse_no_platform()?;
    let (name, history) = search(settings, name, verb)?;
    refuse_other_platform(settings, &name, &history)?;
    let rotation = history.rotation.as_str();
    let secret = Secret::named(rotation).ok_or_else(|| {
        Failure::check(format!(
            "`{rotation}`, which the run `{name}` rotates, is not known here"
        ))
        .nothing_changed()
        .hint("go on with the build that it began with")
    })?;
    Ok(Found {
        name,
        history,
        secret,
    })
}

/// What the run is about is nowhere else.
fn refuse_other_platform(
    settings: &settings::Procedure,
    name: &str,
    history: &History,
) -> Result<(), Failure> {
    let (its_own, here) = (history.platform.as_str(), settings.platform.to_string());
    if its_own == here {
        return Ok(());
    }
    Err(Failure::check(format!(
        "the run `{name}` was begun on the platform `{its_own}`, and this is `{here}`"
    ))
    .nothing_changed()
    .hint(format!(
        "`--platform {its_own}`, with the settings that the run was begun with"
    )))
}

fn search(
    settings: &settings::Procedure,
    name: Option<&str>,
    verb: &str,
) -> Result<(String, History), Failure> {
    let runs = settings
        .runs()
        .list()
        .map_err(|error| Failure::from_runs(&error))?;
    let mut unfinished = Vec::new();
    let mut damaged = None;
    for summary in runs {
        let is_named = name == Some(summary.name.as_str());
        match summary.history {
            Ok(history) if is_named => return Ok((summary.name, history)),
            Err(error) if is_named => return Err(Failure::from_journal(&error)),
            Ok(history) if history.is_unfinished() => unfinished.push((summary.name, history)),
            Ok(_) => {}
            Err(error) => damaged = Some(error),
        }
    }
    if let (None, Some(error)) = (name, damaged) {
        // It may be the one that is meant.
        return Err(Failure::from_journal(&error));
    }
    let refused = |message: &str, hint: &str| Err(refusal(settings, message, hint));
    match (name, unfinished.pop(), unfinished.is_empty()) {
        (None, Some(only), true) => Ok(only),
        (None, Some(_), false) => refused(
            "more than one run is unfinished",
            "which of them is meant has to be named",
        ),
        (None, None, _) => refused(
            &format!("there is nothing to {verb}: no run is unfinished"),
            "finished ones have to be named",
        ),
        (Some(name), _, _) => refused(
            &format!("there is no run {}", shown_run(name)),
            "names are case-sensitive",
        ),
    }
}

fn refusal(settings: &settings::Procedure, message: &str, hint: &str) -> Failure {
    let runs = settings.runs();
    let folder = runs.folder().display();
    Failure::check(format!("{message}, in `{folder}`"))
        .nothing_changed()
        .hint(format!("`cargo xtask status` lists the runs; {hint}"))
}
