//! Whether what this is built from may be built into it.

use anyhow::Context as _;
use spdx::{Expression, Licensee, ParseMode};

use super::deny;
use crate::tidy::metadata::Metadata;

/// Every package under a licence that isn't among the `allowed` ones.
pub(super) fn refused(metadata: &Metadata, allowed: &[String]) -> anyhow::Result<Vec<String>> {
    let allowed = parsed(allowed)?;
    let is_refused = |licence: &Option<String>| {
        !licence
            .as_deref()
            .is_some_and(|expression| is_allowed(expression, &allowed))
    };
    let refused = metadata
        .packages
        .iter()
        .filter(|package| is_refused(&package.license));
    Ok(refused
        .map(|package| {
            let licence = package.license.as_deref().unwrap_or("no licence");
            format!(
                "{package} is under `{licence}`, which `{}` doesn't allow",
                deny::FILE
            )
        })
        .collect())
}

fn parsed(licences: &[String]) -> anyhow::Result<Vec<Licensee>> {
    let parse = |licence: &String| {
        Licensee::parse(licence)
            .with_context(|| format!("`{}` allows `{licence}`, which is none", deny::FILE))
    };
    licences.iter().map(parse).collect()
}

/// What can't be read is refused. `/` in place of `OR` is what older packages have.
fn is_allowed(expression: &str, allowed: &[Licensee]) -> bool {
    Expression::parse_mode(expression, ParseMode::LAX).is_ok_and(|expression| {
        expression.evaluate(|licence| allowed.iter().any(|allowed| allowed.satisfies(licence)))
    })
}

#[cfg(test)]
mod tests {
    use super::{is_allowed, parsed};

    #[test]
    fn one_allowed_alternative_is_enough_and_all_of_what_holds_together_is_needed() {
        let allowed = ["Apache-2.0", "BSD-3-Clause", "MIT", "Unicode-3.0"];
        let allowed = parsed(&allowed.map(str::to_owned)).unwrap();
        for (expression, is_expected) in [
            ("MIT OR Apache-2.0", true),
            ("MIT/Apache-2.0", true),
            ("MIT OR LGPL-2.1-or-later", true),
            ("MIT AND BSD-3-Clause", true),
            ("(MIT OR GPL-3.0) AND Unicode-3.0", true),
            ("MIT AND (BSD-3-Clause OR GPL-3.0)", true),
            ("GPL-3.0", false),
            ("MIT AND GPL-3.0", false),
            ("(MIT OR Apache-2.0) AND GPL-3.0", false),
            ("GPL-3.0 AND (MIT OR Apache-2.0)", false),
            // An exception grants more, and is not what was allowed.
            ("Apache-2.0 WITH LLVM-exception", false),
            ("Apache-2.0 WITH LLVM-exception OR MIT", true),
            ("as you please", false),
            ("", false),
        ] {
            assert_eq!(
                is_allowed(expression, &allowed),
                is_expected,
                "{expression:?}"
            );
        }
    }
}
