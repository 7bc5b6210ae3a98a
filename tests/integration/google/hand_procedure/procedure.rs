//! What the hand procedure left out, and what its script told.
use anyhow::Result;
use integration_tests::Program;
use rotation::{Plan, Role, SECRETS, SESSION_DATABASE_URL};

use crate::subject::{Backend, NEW, OLD, Subject};

fn plans() -> [Plan; 5] {
    let (of_client, of_login) = (Default::default(), Default::default());
    [
        rotation::red_hat_sso_client_secret::plan(of_client),
        rotation::gma_client_secret::plan(of_client),
        rotation::database_url::plan(of_login),
        rotation::session_database_url::plan(of_login),
        rotation::dcr_encryption_key::plan(Default::default()),
    ]
}

/// In two places the hand procedure said "verify", and not how.
#[test]
fn no_verification_is_left_blank() {
    for plan in plans() {
        for about in plan.abouts() {
            let step = (plan.rotation(), about.name);
            assert!(!about.verified.trim().is_empty(), "{step:?}");
        }
        let names: Vec<_> = plan.abouts().map(|about| about.name).collect();
        assert!(names.contains(&"verify"), "{names:?}");
    }
}

/// The agent's other database was in no tier. Its plan is tried against Google Cloud in
/// `google::database_urls::the_session_database_is_the_agents_alone`.
#[test]
fn the_session_database_is_not_forgotten() {
    assert!(SECRETS.contains(&SESSION_DATABASE_URL));
    assert_eq!(SESSION_DATABASE_URL.readers, [Role::Agent]);
    let names = plans().map(|plan| plan.rotation().to_owned());
    for secret in SECRETS {
        assert!(names.contains(&secret.name.to_owned()), "{}", secret.name);
    }
}

/// Whoever called the hand procedure's script couldn't tell whether it had begun to
/// write. All codes are in `command_line::exit_codes`.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_migration_does_not_exit_as_a_failed_check() -> Result<()> {
    let database = Subject::fixture(Backend::Sqlite, "unreadable").await?;
    for (arguments, code) in [(&["--dry-run"][..], 1), (&[][..], 2)] {
        let ended = Program::xtask(env!("CARGO_BIN_EXE_xtask-under-test"))
            .arg("rotate-dcr")
            .args(arguments)
            .env("DATABASE_URL", database.url())
            .env("DCR_OLD_KEY", OLD)
            .env("DCR_NEW_KEY", NEW)
            .run();
        assert_eq!(ended.code, Some(code), "{ended:?}");
    }
    Ok(())
}
