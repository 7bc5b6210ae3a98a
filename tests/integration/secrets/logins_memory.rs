//! What the rotation of a database's URL leaves in the memory of its process when it is over:
//! no password, and nothing that logs in without one.
#![cfg(target_os = "linux")]
use anyhow::{Context as _, Result};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secret::{DatabaseUrl, python_base64};
use sha2::Sha256;

use super::logins_lab::{Lab, SERVICES};
use crate::procedure::sandbox::assert_said;
use crate::remains::{Remains, Tracer};

fn hmac(key: &[u8], text: &[u8]) -> Result<[u8; 32]> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key)?;
    hmac.update(text);
    Ok(hmac.finalize().into_bytes().into())
}

/// What SCRAM makes of a password and a verifier's salt.
fn salted(password: &str, verifier: &str) -> Result<[u8; 32]> {
    let salt = verifier.split([':', '$']).nth(2).context("a salt")?;
    let mut salt = python_base64::decode(salt.as_bytes())?.to_vec();
    salt.extend([0, 0, 0, 1]);
    let mut round = hmac(password.as_bytes(), &salt)?;
    let mut salted = round;
    for _ in 1..4096 {
        round = hmac(password.as_bytes(), &round)?;
        for (sum, byte) in salted.iter_mut().zip(round) {
            *sum ^= byte;
        }
    }
    Ok(salted)
}

/// A password that lets in now, with what the server keeps of it.
struct Login {
    password: String,
    verifier: String,
}

impl Login {
    /// That of the URL in the `.env`.
    #[expect(clippy::disallowed_methods, reason = "a test's own password")]
    async fn in_use(lab: &Lab) -> Result<Login> {
        use secrecy::ExposeSecret as _;
        let url = DatabaseUrl::parse(&lab.in_env()?)?;
        let query = "select rolpassword from pg_authid where rolname = $1";
        let admin = lab.database.connect().await;
        Ok(Login {
            password: url.password()?.expose_secret().to_owned(),
            verifier: admin.query_one(query, &[&url.user()?]).await?.get(0),
        })
    }

    /// What logs in without the password, for as long as the server keeps this verifier; and
    /// what the server knows itself by.
    fn expect_nothing_in(&self, remains: &Remains, case: &str) -> Result<()> {
        let salted = salted(&self.password, &self.verifier)?;
        let client_key = hmac(&salted, b"Client Key")?;
        let keys = self.verifier.split([':', '$']).skip(3);
        let mut all = vec![
            ("salted password", salted.to_vec()),
            ("client key", client_key.to_vec()),
        ];
        for text in keys {
            all.push(("verifier", text.as_bytes().to_vec()));
            let bytes = python_base64::decode(text.as_bytes())?.to_vec();
            all.push(("verifier's bytes", bytes));
        }
        assert_eq!(all.len(), 6, "a stored key and a server's key");
        for (form, bytes) in all {
            let copies = remains.count(&bytes[bytes.len() / 2..]);
            assert_eq!(copies, 0, "{case}: the {form}");
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_left_nowhere_in_it_nor_is_what_scram_makes_of_it() -> Result<()> {
    for mode in [&[][..], &["--in-place"]] {
        let lab = Lab::new(SERVICES).await?;
        let installation = &lab.installation;
        let core = installation.sandbox.home().join("core");
        let Some(tracer) = Tracer::writing_to(&core, &installation.program(&["--version"]))? else {
            return Ok(());
        };
        let mut logins = vec![Login::in_use(&lab).await?];
        let rotate = lab.rotate(mode);
        for (arguments, says) in [(&rotate[..], "Rotated"), (&["rollback"], "Rolled back")] {
            let case = format!("{arguments:?}");
            let mut arguments = arguments.to_vec();
            let runs = installation.sandbox.runs()?;
            arguments.extend(runs.last().map(String::as_str));
            let (output, remains) = tracer.run(installation.program(&arguments))?;
            assert_said(&output, 0, &[says]);
            logins.push(Login::in_use(&lab).await?);
            remains.expect_none_of(&installation.secrets()?, &case);
            for login in &logins {
                login.expect_nothing_in(&remains, &case)?;
            }
        }
    }
    Ok(())
}
