//! The real `gcloud`, pointed at the stand-in.
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use super::loaded::LoadedGcloud;
use super::{Google, PROJECT};
use crate::{command, runtime};

/// The token of a [`GcloudConfig`], with which requests come.
pub(super) const TOKEN: &str = "a-token";

/// A person's login, with which `gcloud` asks for a token at each of its runs.
const LOGIN: &str = r#"{"type": "authorized_user", "client_id": "gcloud", "client_secret": "gcloud",
    "refresh_token": "a-refresh-token"}"#;

/// A configuration of a test's own: no account, no log, and every server the stand-in.
#[derive(Debug)]
pub struct GcloudConfig {
    folder: TempDir,
    port: u16,
    is_cold: bool,
    is_logged_in: bool,
}

impl GcloudConfig {
    /// One for this stand-in.
    ///
    /// # Panics
    ///
    /// If there is no room for its folder.
    pub fn new(google: &Google) -> GcloudConfig {
        GcloudConfig {
            folder: TempDir::new().expect("a folder for gcloud"),
            port: google.port(),
            is_cold: false,
            is_logged_in: false,
        }
    }

    /// With a `gcloud` that is started as a person starts it, and takes as long.
    #[must_use]
    pub fn cold(mut self) -> GcloudConfig {
        self.is_cold = true;
        self
    }

    /// With a login in place of a token: each run of `gcloud` asks the stand-in for a token.
    ///
    /// # Panics
    ///
    /// If there is no room for it.
    #[must_use]
    pub fn logged_in(mut self) -> GcloudConfig {
        std::fs::write(self.folder.path().join("login.json"), LOGIN).expect("a login");
        self.is_logged_in = true;
        self
    }

    /// Where `gcloud` keeps what it keeps.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A `gcloud` to be given arguments.
    pub fn command(&self) -> Command {
        let mut command = command::command("gcloud");
        // Which is looked for where the `PATH` among these leads.
        command.envs(self.environment());
        command
    }

    /// The variables that a `gcloud` is to be started with.
    pub fn environment(&self) -> Vec<(String, String)> {
        let proxy = format!("http://127.0.0.1:{}", self.port);
        let folder = self.folder.path().to_string_lossy().into_owned();
        let credentials = match self.is_logged_in {
            true => [
                ("CREDENTIAL_FILE_OVERRIDE", format!("{folder}/login.json")),
                ("TOKEN_HOST", "http://oauth2.test/token".to_owned()),
            ]
            .to_vec(),
            false => vec![("ACCESS_TOKEN", TOKEN.to_owned())],
        };
        let credentials = credentials.into_iter();
        let credentials = credentials.map(|(name, value)| (format!("CLOUDSDK_AUTH_{name}"), value));
        let mut variables = vec![
            ("CLOUDSDK_CONFIG".to_owned(), folder),
            ("CLOUDSDK_CORE_PROJECT".to_owned(), format!("not-{PROJECT}")),
            (
                "CLOUDSDK_CORE_CHECK_GCE_METADATA".to_owned(),
                "0".to_owned(),
            ),
            ("http_proxy".to_owned(), proxy.clone()),
            ("https_proxy".to_owned(), proxy),
            ("no_proxy".to_owned(), String::new()),
            ("NO_PROXY".to_owned(), String::new()),
        ];
        variables.extend(credentials);
        for service in ["SECRETMANAGER", "RUN", "SQL", "IAM", "CLOUDRESOURCEMANAGER"] {
            let name = format!("CLOUDSDK_API_ENDPOINT_OVERRIDES_{service}");
            let host = format!("http://{}.test/", service.to_lowercase());
            variables.push((name, host));
        }
        if let (Some(loaded), false) = (loaded(), self.is_cold) {
            variables.extend(loaded.environment());
        }
        variables
    }
}

/// Whether there is a `gcloud`; not where `TEST_WITHOUT_GCLOUD=1` leaves its tests out.
/// `client` is this package's `gcloud-loaded`.
///
/// # Panics
///
/// If there is none, and nobody has said that there needn't be.
pub fn require_gcloud(client: &Path) -> bool {
    FOUND.get_or_init(|| find(client)).is_some()
}

static FOUND: OnceLock<Option<Found>> = OnceLock::new();

/// A `gcloud` that there is.
struct Found {
    loaded: Option<LoadedGcloud>,
}

fn loaded() -> Option<&'static LoadedGcloud> {
    FOUND.get()?.as_ref()?.loaded.as_ref()
}

fn is(variable: &str, wanted: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| value == wanted)
}

fn find(client: &Path) -> Option<Found> {
    if is("TEST_WITHOUT_GCLOUD", "1") {
        runtime::say("TEST_WITHOUT_GCLOUD=1: the tests of Google Cloud are left out");
        return None;
    }
    let version = command::run(command::command("gcloud").arg("--version"));
    let said = version.unwrap_or_else(|error| {
        panic!(
            "no gcloud ({error}): install the Google Cloud CLI, or leave its tests out with TEST_WITHOUT_GCLOUD=1"
        )
    });
    let version = said.lines().next().unwrap_or_default();
    if is("TEST_GCLOUD", "cold") {
        runtime::say(&format!("gcloud: {version}, started anew for every call"));
        return Some(Found { loaded: None });
    }
    let loaded = LoadedGcloud::start(client).unwrap_or_else(|error| {
        panic!("gcloud can't be loaded once for all ({error:#}); TEST_GCLOUD=cold does without")
    });
    runtime::say(&format!("gcloud: {version}, loaded once for all calls"));
    Some(Found {
        loaded: Some(loaded),
    })
}
