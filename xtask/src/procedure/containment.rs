//! Which means contain an emergency, and which of those that were chosen don't.

use platform::Platform;
use rotation::{Containment, Means, Secret};

use crate::cli::Contain;
use crate::failure::Failure;

/// What would contain a leak of the secret here.
pub(super) fn means(secret: &Secret, platform: &Platform) -> impl Iterator<Item = Means> {
    let fits = |means: &Means| means.fits(secret, platform);
    Means::ALL.into_iter().filter(fits)
}

/// Refuses a means that would contain nothing: whoever chose it would rely on it.
pub(super) fn refuse_what_does_not_fit(
    chosen: Containment,
    secret: &Secret,
    platform: &Platform,
) -> Result<(), Failure> {
    let mut all = Means::ALL.into_iter();
    let unfit = all.find(|means| chosen.has(*means) && !means.fits(secret, platform));
    let Some(means) = unfit else { return Ok(()) };
    let (word, platform) = (Contain::word(means), platform.name);
    Err(Failure::usage(format!(
        "`--contain {word}` contains no leak of `{}` on the platform `{platform}`",
        secret.name
    ))
    .nothing_changed()
    .hint("with `--emergency --dry-run`, the plan shows the means that there are"))
}
