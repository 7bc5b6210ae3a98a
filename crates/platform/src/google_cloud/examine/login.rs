//! Who `gcloud` is logged in as, and how it reaches Google.

use std::collections::BTreeMap;

use secret::SecretValue;
use serde::Deserialize;

use crate::examination::{Finding, Installation};
use crate::google_cloud::failure::Failure;
use crate::google_cloud::gcloud::{Call, Gcloud};

const TOPIC: &str = "gcloud";

/// What `gcloud` was in the middle of 2024: older ones weren't tried.
const OLDEST_KNOWN: u32 = 480;

/// A login, and the settings of `gcloud` that other clients have to heed.
pub(super) struct Login {
    pub(super) token: SecretValue,
    /// Whom to give a role, in the words of IAM.
    pub(super) member: String,
    config: Config,
}

#[derive(Deserialize)]
struct InfoAnswer {
    basic: Basic,
    config: Config,
}

#[derive(Deserialize)]
struct Basic {
    version: String,
}

#[derive(Deserialize)]
struct Config {
    account: Option<String>,
    #[serde(default)]
    universe_domain: Option<String>,
    #[serde(default)]
    properties: Properties,
}

/// The settings that are set, by the user or by the environment.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Properties {
    api_endpoint_overrides: BTreeMap<String, Property>,
    auth: BTreeMap<String, Property>,
    core: BTreeMap<String, Property>,
}

#[derive(Deserialize)]
struct Property {
    value: Option<String>,
}

#[derive(Deserialize)]
struct TokenAnswer<'a> {
    token: &'a str,
}

/// Looks whether there is a `gcloud` and whether it is logged in.
pub(super) async fn look(
    gcloud: &Gcloud,
    installation: &Installation,
) -> (Option<Login>, Vec<Finding>) {
    let info = Call::new("look at its settings".to_owned(), &["info"]);
    let words = ["auth", "print-access-token"];
    let token = Call::new("get an access token".to_owned(), &words);
    let (info, token) = tokio::join!(gcloud.ask(&info), gcloud.ask(&token));
    let stopped = |failure: Failure| {
        let error = failure.into_error(&gcloud.settings.gcloud);
        Finding::of_error(TOPIC, &error, installation.all())
    };
    let info = match info.and_then(|answer| answer.json::<InfoAnswer>()) {
        Ok(info) => info,
        Err(failure) => return (None, vec![stopped(failure)]),
    };
    let mut findings = vec![of_version(&info.basic.version)];
    let token = token.and_then(|answer| {
        let answer = answer.json::<TokenAnswer<'_>>()?;
        Ok(SecretValue::from(answer.token.as_bytes()))
    });
    let token = match token {
        Ok(token) => token,
        Err(failure) => {
            findings.push(stopped(failure));
            return (None, findings);
        }
    };
    let account = info.config.acts_as();
    let text = match &account {
        Some(account) => format!("logged in as `{account}`"),
        None => "logged in by an access token, which names no account".to_owned(),
    };
    findings.push(Finding::fine(TOPIC, text));
    let login = Login {
        token,
        member: member(account.as_deref()),
        config: info.config,
    };
    (Some(login), findings)
}

impl Login {
    /// Where a service of Google's is: `https://run.googleapis.com/`, or where the
    /// settings of `gcloud` say.
    pub(super) fn endpoint(&self, service: &str) -> String {
        let overrides = &self.config.properties.api_endpoint_overrides;
        if let Some(address) = value(overrides, service) {
            return address.to_owned();
        }
        let domain = self.config.universe_domain.as_deref();
        format!("https://{service}.{}/", domain.unwrap_or("googleapis.com"))
    }

    /// The file with further certificate authorities, where there is one.
    pub(super) fn authorities(&self) -> Option<&str> {
        value(&self.config.properties.core, "custom_ca_certs_file")
    }
}

impl Config {
    /// The account that requests are made as.
    fn acts_as(&self) -> Option<String> {
        let impersonated = value(&self.properties.auth, "impersonate_service_account");
        let acting = impersonated.or(self.account.as_deref());
        acting.map(str::to_owned)
    }
}

fn value<'a>(properties: &'a BTreeMap<String, Property>, name: &str) -> Option<&'a str> {
    let value = properties.get(name)?.value.as_deref()?;
    (!value.is_empty()).then_some(value)
}

fn member(account: Option<&str>) -> String {
    match account {
        None => "user:ACCOUNT".to_owned(),
        Some(account) if account.contains("://") => account.to_owned(),
        Some(account) if account.ends_with(".gserviceaccount.com") => {
            format!("serviceAccount:{account}")
        }
        Some(account) => format!("user:{account}"),
    }
}

fn of_version(version: &str) -> Finding {
    let text = format!("gcloud {version}");
    let major = version.split('.').next().unwrap_or_default();
    match major.parse::<u32>() {
        Ok(major) if major < OLDEST_KNOWN => {
            Finding::warning(TOPIC, format!("{text}: older than any that was tried"))
                .mended_by("gcloud components update")
        }
        _ => Finding::fine(TOPIC, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examination::Level;

    #[test]
    fn an_old_gcloud_is_a_warning() {
        for (version, level) in [
            ("479.0.0", Level::Warning),
            ("528.0.0", Level::Fine),
            ("HEAD", Level::Fine),
        ] {
            assert_eq!(of_version(version).level, level, "{version}");
        }
    }

    #[test]
    fn a_member_is_named_by_its_kind() {
        let robot = "robot@p1.iam.gserviceaccount.com";
        for (account, named) in [
            (Some("alice@example.com"), "user:alice@example.com"),
            (
                Some(robot),
                "serviceAccount:robot@p1.iam.gserviceaccount.com",
            ),
            (
                Some("principal://iam.googleapis.com/x"),
                "principal://iam.googleapis.com/x",
            ),
            (None, "user:ACCOUNT"),
        ] {
            assert_eq!(member(account), named);
        }
    }

    #[test]
    fn an_endpoint_is_where_gcloud_finds_it() {
        let info = r#"{"basic": {"version": "528.0.0"}, "config": {
            "account": "alice@example.com", "universe_domain": "cloud.example",
            "properties": {"api_endpoint_overrides": {"run": {"value": "http://run.test/"}},
                "auth": {"impersonate_service_account": {"value": "robot@p1.iam.gserviceaccount.com"}}}}}"#;
        let info: InfoAnswer = serde_json::from_str(info).unwrap();
        assert_eq!(
            info.config.acts_as().as_deref(),
            Some("robot@p1.iam.gserviceaccount.com")
        );
        let login = Login {
            token: SecretValue::from(b"hunter2".as_slice()),
            member: member(None),
            config: info.config,
        };
        assert_eq!(login.endpoint("run"), "http://run.test/");
        assert_eq!(login.endpoint("iam"), "https://iam.cloud.example/");
        assert_eq!(login.authorities(), None);
    }
}
