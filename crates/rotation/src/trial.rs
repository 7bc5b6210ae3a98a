//! Everything but the changes: what `--dry-run` does.

use platform::Verdict;

use crate::client_secret;
use crate::context::Context;
use crate::database_login;
use crate::dcr_encryption_key;
use crate::error::Error;
use crate::material::Material;

/// What a trial found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    /// So many tokens would be re-encrypted.
    Tokens(u64),
    /// Everything that was looked at is as it has to be.
    Sound,
    /// The same, but the issuer refuses the value in use: it may be why it is rotated.
    RefusedInUse,
}

/// Does all that a rotation does before it changes anything. Reads only.
///
/// # Errors
///
/// What would have stopped the rotation.
pub async fn trial(context: &mut Context) -> Result<Trial, Error> {
    match context.material {
        Material::Key(_) => Ok(Trial::Tokens(dcr_encryption_key::trial(context).await?)),
        Material::ClientSecret(_) => {
            let verdict = client_secret::trial(context).await?;
            Ok(match verdict {
                Verdict::Accepted => Trial::Sound,
                Verdict::Refused => Trial::RefusedInUse,
            })
        }
        Material::Login(_) => {
            database_login::trial(context).await?;
            Ok(Trial::Sound)
        }
    }
}
