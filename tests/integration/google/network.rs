//! The network between `gcloud` and Google: each trouble by itself, and what is made of
//! it.
use std::io::{Error, ErrorKind};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use integration_tests::google::{Effect, Fault};
use integration_tests::{Reached, Trouble};
use secret::python_base64;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use super::lab::{INSTALLED, Lab, SECRET, value};

const PLACES: [Reached; 4] = [
    Reached::Nothing,
    Reached::Server,
    Reached::Headers,
    Reached::Body,
];

fn arrange(lab: &Lab, trouble: Effect) -> Result<()> {
    let mut world = lab.google.world();
    let versions = world.secrets.secrets.get_mut(SECRET);
    versions.context("a secret")?[0].state = "ENABLED";
    world.faults = vec![Fault::once("POST", ":disable", trouble)];
    Ok(())
}

/// Has the one version disabled, by hand; what comes back in a moment, and how it ends.
async fn disable(lab: &Lab, trouble: Effect) -> Result<(String, Option<ErrorKind>)> {
    arrange(lab, trouble)?;
    let request = format!(
        "POST http://secretmanager.test/v1/projects/p1/secrets/{SECRET}/versions/1:disable HTTP/1.1\r\n\
         host: secretmanager.test\r\nauthorization: Bearer a-token\r\ncontent-length: 2\r\n\r\n{{}}"
    );
    let mut stream = TcpStream::connect(("127.0.0.1", lab.google.port())).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    // For all bytes, one by one, on a busy machine.
    let patience = match trouble {
        Effect::Network(Trouble::InBytes(_)) => Duration::from_secs(20),
        _ => Duration::from_millis(300),
    };
    let ended = tokio::time::timeout(patience, stream.read_to_end(&mut answer)).await;
    let ended = ended.unwrap_or_else(|_| Err(Error::from(ErrorKind::TimedOut)));
    let answer = String::from_utf8(answer)?;
    Ok((answer, ended.err().map(|error| error.kind())))
}

fn is_disabled(lab: &Lab) -> bool {
    lab.google.world().secrets.states(SECRET) == ["DISABLED"]
}

/// How far an answer came.
fn came(answer: &str) -> &str {
    match answer.split_once("\r\n\r\n") {
        Some((_, body)) if body.ends_with('}') => "whole",
        Some(_) => "body",
        None if answer.starts_with("HTTP/1.1 200") => "headers",
        None => answer,
    }
}

#[tokio::test]
async fn a_connection_ends_where_it_is_told_to() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let kinds = [
        (Trouble::Closed as fn(Reached) -> Trouble, None),
        (Trouble::Reset, Some(ErrorKind::ConnectionReset)),
        (Trouble::Silent, Some(ErrorKind::TimedOut)),
    ];
    for reached in PLACES {
        for (trouble, kind) in kinds {
            let trouble = trouble(reached);
            let (answer, ended) = disable(&lab, Effect::Network(trouble)).await?;
            assert_eq!(ended, kind, "{trouble:?}");
            assert_eq!(is_disabled(&lab), reached != Reached::Nothing);
            let expected = match reached {
                Reached::Nothing | Reached::Server => "",
                Reached::Headers => "headers",
                Reached::Body => "body",
            };
            assert_eq!(came(&answer), expected, "{trouble:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_is_shortened_or_comes_in_bytes() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let (answer, ended) = disable(&lab, Effect::Network(Trouble::Shortened)).await?;
    assert_eq!((came(&answer), ended), ("body", None));
    assert!(!answer.contains("content-length"), "{answer}");
    let began = Instant::now();
    let in_bytes = Trouble::InBytes(Duration::from_micros(100));
    let (answer, ended) = disable(&lab, Effect::Network(in_bytes)).await?;
    assert_eq!((came(&answer), ended), ("whole", None));
    assert!(began.elapsed() >= Duration::from_micros(100) * 200);
    Ok(())
}

#[tokio::test]
async fn a_request_that_strays_comes_later() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let (answer, ended) = disable(&lab, Effect::Strays).await?;
    assert_eq!((&*answer, ended), ("", None));
    assert!(!is_disabled(&lab));
    assert_eq!(lab.google.deliver(), (1, 0));
    assert!(is_disabled(&lab));
    Ok(())
}

/// Those after which nobody knows what became of a request.
const UNKNOWN: [Trouble; 6] = [
    Trouble::Closed(Reached::Nothing),
    Trouble::Closed(Reached::Server),
    Trouble::Closed(Reached::Headers),
    Trouble::Silent(Reached::Nothing),
    Trouble::Silent(Reached::Server),
    Trouble::Shortened,
];

/// `gcloud` sends it again by itself after some of them.
#[tokio::test]
async fn an_addition_leaves_one_version_enabled_whatever_became_of_it() -> Result<()> {
    let local = LocalSet::new();
    // Side by side: most of the time nothing comes.
    let cases: Vec<_> = UNKNOWN
        .into_iter()
        .map(|trouble| local.spawn_local(add_despite(trouble)))
        .collect();
    let all = async {
        for case in cases {
            case.await??;
        }
        Ok(())
    };
    local.run_until(all).await
}

async fn add_despite(trouble: Trouble) -> Result<()> {
    let limit = Duration::from_secs(10);
    let Some(lab) = Lab::with(|settings| settings.timeouts.call = limit).await? else {
        return Ok(());
    };
    let fault = Fault::once("POST", ":addVersion", Effect::Network(trouble));
    lab.google.fault(fault);
    let added = lab.platform.store.add(SECRET, &value("two")).await;
    let is_lost = trouble == Trouble::Silent(Reached::Nothing);
    let states = lab.google.world().secrets.states(SECRET);
    let enabled = states.iter().skip(1).filter(|state| **state == "ENABLED");
    let expected = usize::from(!is_lost);
    assert_eq!(
        enabled.count(),
        expected,
        "{trouble:?}: {states:?} {added:?}"
    );
    match added {
        Ok(number) => assert_eq!(number.get(), u64::try_from(states.len())?, "{trouble:?}"),
        Err(error) => assert!(is_lost, "{trouble:?}: {error:?}"),
    }
    Ok(())
}

/// `gcloud` quotes an answer that it can't read.
#[tokio::test]
async fn a_value_whose_answer_is_shortened_is_not_told() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let value = "hunter2-and-so-on ".repeat(50);
    let shortened = Effect::Network(Trouble::Shortened);
    lab.add(&value)?;
    lab.google
        .fault(Fault::for_ever("GET", ":access", shortened));
    let reference = platform::Reference::Latest;
    let read = lab.platform.store.access(SECRET, reference).await;
    let error = format!("{:?}", read.err().context("an answer that is half")?);
    // Its first letters, as they are sent.
    let sent = python_base64::encode(&value.as_bytes()[..18]).to_string();
    assert!(!error.contains(&sent), "the value is in the error");
    Ok(())
}

/// `gcloud` takes it for an answer without a body.
#[tokio::test]
async fn an_answer_that_is_cut_off_in_its_headers_is_no_empty_one() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let cut = |method, piece: &'static str| {
        let cut = Effect::Network(Trouble::Closed(Reached::Headers));
        lab.google.fault(Fault::once(method, piece, cut));
    };
    cut("GET", "/versions?");
    assert_eq!(lab.platform.store.versions(SECRET).await?.len(), 1);
    cut("GET", "/services/");
    lab.describe().await?;

    let callers = lab.platform.callers.as_deref().context("callers")?;
    cut("GET", ":getIamPolicy");
    assert_eq!(callers.callers(INSTALLED).await?, ["allUsers"]);
    cut("GET", ":getIamPolicy");
    callers.refuse(INSTALLED, "allUsers").await?;
    assert_eq!(callers.callers(INSTALLED).await?, Vec::<String>::new());

    let backups = lab.platform.backups.as_deref().context("backups")?;
    cut("POST", "/backupRuns");
    backups.take().await?;
    assert_eq!(lab.google.world().sql.backups.len(), 1);
    let struck = lab.google.world().strikes;
    assert_eq!(struck, 5);
    Ok(())
}

/// Also where all answers are.
#[tokio::test]
async fn a_list_of_versions_that_is_always_cut_off_is_an_error() -> Result<()> {
    let Some(lab) = Lab::new().await? else {
        return Ok(());
    };
    let cut = Effect::Network(Trouble::Closed(Reached::Headers));
    lab.google.fault(Fault::for_ever("GET", SECRET, cut));
    let listed = lab.platform.store.versions(SECRET).await;
    let error = listed.err().context("a list")?.to_string();
    assert!(
        error.contains("none is listed, and there is one"),
        "{error}"
    );
    Ok(())
}
