//! The whole rotation of the DCR key on Google Cloud; the table is in an SQLite file
//! here.
use std::ops::Deref;

use anyhow::Result;
use integration_tests::google::Fate;
use serde_json::json;

use super::foretold::Recorder;
use super::installation::{self, HANDLER};
use super::lab::SECRET;
use crate::subject::{Backend, OLD, Row, Subject, key};

const INVOKER: &str = "roles/run.invoker";
const EVERYBODY: &str = "allUsers";

pub(super) const KEY: installation::Subject = installation::Subject {
    secret: SECRET,
    variable: "DCR_ENCRYPTION_KEY",
    services: &[HANDLER],
};

/// An installation with a few clients.
struct Installation {
    installation: installation::Installation,
    database: Subject,
}

impl Deref for Installation {
    type Target = installation::Installation;

    fn deref(&self) -> &Self::Target {
        &self.installation
    }
}

impl Installation {
    async fn new() -> Result<Option<Installation>> {
        let old = key(OLD)?.to_text();
        let Some(installation) = installation::Installation::new(KEY, &old).await? else {
            return Ok(None);
        };
        let database = Subject::with_clients(Backend::Sqlite, 10).await?;
        Ok(Some(Installation {
            installation: installation.variable("DATABASE_URL", &database.url()),
            database,
        }))
    }

    /// Sets a variable for the program.
    fn variable(self, name: &str, value: &str) -> Installation {
        Installation {
            installation: self.installation.variable(name, value),
            ..self
        }
    }

    /// Who may call the handler.
    fn callers(&self) -> Vec<String> {
        let world = self.google.world();
        world.run.services[HANDLER].policy.members(INVOKER)
    }

    async fn opened(&self, key: &str) -> Result<usize> {
        let of_row = |row: &Row| row.opened(key).iter().flatten().count();
        Ok(self.database.rows().await?.iter().map(of_row).sum())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_rotates_and_is_rolled_back() -> Result<()> {
    let Some(installation) = Installation::new().await? else {
        return Ok(());
    };
    let told = installation.told();
    let tokens = installation.opened(OLD).await?;
    let recorder = Recorder::before(&installation.config)?;
    let installation = installation.variable("PATH", &recorder.path());
    let tried = installation.run(&["rotate-dcr", "--dry-run", "--format=json"])?;
    assert_eq!(tried.code, Some(0), "{tried:?}");
    assert_eq!(installation.google.changes(), Vec::<String>::new());
    let rotated = installation.run(&["rotate-dcr", "--verbose"])?;
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    recorder.expect(&tried)?;
    let new = installation.values()[1].clone();
    assert_eq!(installation.states(), ["DISABLED", "ENABLED"]);
    assert_eq!(installation.bound()?, ["2"]);
    assert_eq!(installation.opened(&new).await?, tokens);

    let back = installation.run(&["rollback", &installation.run_name()?])?;
    assert_eq!(back.code, Some(0), "{back:?}");
    // The old value is the latest version again, and the service reads the latest.
    assert_eq!(installation.states(), ["ENABLED", "DISABLED", "ENABLED"]);
    let values = installation.values();
    assert!(values[2] == values[0], "another value is the latest");
    assert_eq!(installation.told(), told);
    assert_eq!(installation.opened(OLD).await?, tokens);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revision_that_fails_is_undone() -> Result<()> {
    let Some(installation) = Installation::new().await? else {
        return Ok(());
    };
    let tokens = installation.opened(OLD).await?;
    let pusher = "serviceAccount:pusher@p1.iam.gserviceaccount.com";
    let invoker = json!({"role": INVOKER, "members": [EVERYBODY, pusher]});
    if let Some(service) = installation.google.world().run.services.get_mut(HANDLER) {
        service.policy.bindings = vec![invoker];
    }
    let recorder = Recorder::before(&installation.config)?;
    let installation = installation.variable("PATH", &recorder.path());
    installation.google.world().run.fate = Fate::Failed("it does not start".to_owned());
    let emergency = ["rotate-secret", SECRET, "--emergency", "--contain=close"];
    let failed = installation.run(&[&emergency[..], &["--rollback-on-failure"]].concat())?;
    assert!(
        failed.stderr.contains("--contain close (used)"),
        "{failed:?}"
    );
    assert!(failed.stderr.contains(HANDLER), "{failed:?}");
    assert!(matches!(failed.code, Some(4 | 5)), "{failed:?}");
    if failed.code == Some(5) {
        // What undoes it needs a revision, too.
        installation.google.world().run.fate = Fate::Ready;
        let back = installation.run(&["rollback"])?;
        assert_eq!(back.code, Some(0), "{back:?}");
    }
    assert_eq!(installation.bound()?, ["latest"]);
    assert_eq!(installation.opened(OLD).await?, tokens);
    assert_eq!(installation.callers(), [EVERYBODY, pusher]);

    // Somebody mends it; and what the second run does is what it was told to do.
    installation.google.world().run.fate = Fate::Ready;
    let tried = installation.run(&[&emergency[..], &["--dry-run", "--format=json"]].concat())?;
    assert_eq!(tried.code, Some(0), "{tried:?}");
    recorder.forget()?;
    let refused = installation.google.count("POST", ":setIamPolicy");
    let rotated = installation.run(&emergency)?;
    assert_eq!(rotated.code, Some(0), "{rotated:?}");
    let old = key(OLD)?.to_text();
    assert!(!rotated.stderr.contains(&*old), "the old key is printed");
    recorder.expect(&tried)?;
    assert!(installation.google.count("POST", ":setIamPolicy") >= refused + 4);
    assert_eq!(installation.callers(), [EVERYBODY, pusher]);
    assert_eq!(installation.states().last(), Some(&"ENABLED"));
    Ok(())
}
