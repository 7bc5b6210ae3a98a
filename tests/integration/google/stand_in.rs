//! The stand-in itself: it refuses what Google refuses. What it makes of the hand
//! procedure is in `hand_procedure`.
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::lab::{INSTALLED, Lab, OTHER, SECRET};

#[tokio::test]
async fn traffic_to_an_unknown_revision_is_refused() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let to = "--to-revisions=no-such-revision=100";
    let (done, printed) = lab
        .gcloud(&["run", "services", "update-traffic", INSTALLED, to])
        .await?;
    assert!(
        !done && printed.contains("no-such-revision not found"),
        "{printed}"
    );
    Ok(())
}

/// Asks for permissions as no `gcloud` can; gives the status and the body.
async fn permissions(lab: &Lab, address: &str, asked: Value) -> Result<(u16, Value)> {
    let body = json!({ "permissions": asked }).to_string();
    let request = format!(
        "POST {address} HTTP/1.1\r\nhost: google.test\r\nauthorization: Bearer a-token\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(("127.0.0.1", lab.google.port())).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").context("an answer")?;
    let status = head.split(' ').nth(1).context("a status")?;
    Ok((status.parse()?, serde_json::from_str(body)?))
}

#[tokio::test]
async fn permissions_are_those_of_the_thing_itself() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let (add, get) = ("secretmanager.versions.add", "secretmanager.versions.get");
    lab.google.world().denied_on.push((SECRET, add));
    let of = |secret: &str| {
        format!("http://secretmanager.test/v1/projects/p1/secrets/{secret}:testIamPermissions")
    };
    for (secret, granted) in [
        (SECRET, json!({"permissions": [get]})),
        (OTHER, json!({"permissions": [add, get]})),
        // What isn't there grants nothing, and isn't said to be missing.
        ("no-such-secret", json!({})),
    ] {
        let answer = permissions(&lab, &of(secret), json!([add, get])).await?;
        assert_eq!(answer, (200, granted), "{secret}");
    }
    let (status, _) = permissions(&lab, &of(SECRET), json!([get, "run.services.get"])).await?;
    assert_eq!(status, 400, "a permission of another kind");
    Ok(())
}

#[tokio::test]
async fn nobody_is_answered_without_a_token() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let mut command = tokio::process::Command::from(lab.config.command());
    command.env("CLOUDSDK_AUTH_ACCESS_TOKEN", "another");
    command.args(["secrets", "versions", "list", SECRET, "--project=p1"]);
    let output = command.output().await?;
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && printed.contains("UNAUTHENTICATED"),
        "{printed}"
    );
    Ok(())
}
