//! No value in a record, an error or a child's environment.
use std::fs;

use anyhow::Result;
use platform::{Bound, Error};

use super::lab::{Lab, SECRET, SERVICE, binding, value};

const PIECE: &str = "hunter2";

fn told(error: &Error) -> String {
    let mut told = format!("{error} {error:?} {:?} {}", error.hint(), error.what());
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        told += &format!(" {error} {error:?}");
        cause = error.source();
    }
    told
}

#[tokio::test]
async fn the_records_hold_names_and_numbers_only() -> Result<()> {
    let lab = Lab::new()?;
    let (platform, number, revision) = lab.prepared().await?;
    platform.services.cut_over(SERVICE, &revision).await?;
    let records = [
        lab.store().join("services.json"),
        lab.store().join(SECRET).join("versions.json"),
    ];
    for record in records {
        let text = fs::read_to_string(&record)?;
        assert!(!text.contains(PIECE), "{text}");
    }
    let described = lab.describe().await?;
    let versions = platform.store.versions(SECRET).await?;
    let reference = platform::Reference::Number(number);
    let read = platform.store.access(SECRET, reference).await?;
    let printed = format!("{described:?} {versions:?} {read:?}");
    assert!(!printed.contains(PIECE), "{printed}");
    Ok(())
}

#[tokio::test]
async fn errors_tell_no_value() -> Result<()> {
    let lab = Lab::new()?;
    let (platform, number, revision) = lab.prepared().await?;
    let services = &platform.services;
    let mut errors = Vec::new();
    for unwritable in ["hunter2\u{1}", "hunter2${x}", "hunter2$'\\"] {
        let number = platform.store.add(SECRET, &value(unwritable)).await?;
        let to = Bound::Pinned(number);
        let prepared = services.prepare(SERVICE, &binding(), to).await;
        let error = prepared.expect_err("a value that some reader reads otherwise");
        assert!(matches!(error, Error::Unwritable { .. }), "{error:?}");
        errors.push(error);
    }
    fs::write(lab.path("fails"), "")?;
    errors.extend(services.cut_over(SERVICE, &revision).await.err());
    platform.store.destroy(SECRET, number).await?;
    errors.extend(services.cut_over(SERVICE, &revision).await.err());
    lab.write_env("A='hunter2\n")?;
    errors.extend(services.describe(SERVICE, &binding()).await.err());
    let index = lab.store().join(SECRET).join("versions.json");
    fs::write(index, r#"{"format": "hunter2"}"#)?;
    errors.extend(platform.store.versions(SECRET).await.err());
    assert_eq!(errors.len(), 7, "{errors:?}");
    for error in &errors {
        let told = told(error);
        assert!(!told.contains(PIECE), "{told}");
    }
    Ok(())
}

#[tokio::test]
async fn the_restart_gets_no_standard_input() -> Result<()> {
    let lab = Lab::new()?;
    let (_, _, revision) = lab.prepared().await?;
    let mut settings = lab.settings();
    let service = settings.services.get_mut(SERVICE).expect("the service");
    let script = format!("cat > '{}'", lab.path("stdin").display());
    service.restart = Some(vec!["sh".to_owned(), "-c".to_owned(), script]);
    let platform = platform::local::platform(settings)?;
    platform.services.cut_over(SERVICE, &revision).await?;
    assert_eq!(lab.read("stdin")?, "");
    Ok(())
}
