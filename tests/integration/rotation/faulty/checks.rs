//! An issuer that may not answer.
use async_trait::async_trait;
use platform::{Error, OauthChecks, OauthClient, Verdict};
use secret::SecretValue;

use super::{Faulty, faulty};
use crate::rotation::laws::Laws;
use crate::rotation::moments::Moments;

/// The issuer behind what may be hit.
pub(in crate::rotation) fn wrapped_checks(
    checks: Box<dyn OauthChecks>,
    moments: &Moments,
    laws: &Laws,
) -> Box<dyn OauthChecks> {
    Box::new(faulty(checks, moments, laws))
}

#[async_trait(?Send)]
impl OauthChecks for Faulty<dyn OauthChecks> {
    async fn check(&self, client: &OauthClient, secret: &SecretValue) -> Result<Verdict, Error> {
        self.watch.looks("the issuer's check")?;
        self.inner.check(client, secret).await
    }
}
