//! The `.env` file: nothing else in it changes, nor does what it is.
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};

use anyhow::Result;
use platform::Bound;

use super::lab::{Lab, NEW, OLD, SECRET, SERVICE, VARIABLE, binding, mode, value};
use crate::faults::random::say;

/// The file before and after, with the value's place marked.
const FILES: [&str; 8] = [
    "DCR_ENCRYPTION_KEY=@",
    "# DCR_ENCRYPTION_KEY=commented\n\n  export DCR_ENCRYPTION_KEY = @ # why\nZ=1",
    "A=1\r\nDCR_ENCRYPTION_KEY=@\r\nB=2\r\n",
    "A='\nDCR_ENCRYPTION_KEY=inside\n'\nDCR_ENCRYPTION_KEY=\"@\"\n",
    "A=\"x\\\"\nDCR_ENCRYPTION_KEY=inside\"\nDCR_ENCRYPTION_KEY='@'   \n\n\n",
    "DCR_ENCRYPTION_KEY_OLD=x\nXDCR_ENCRYPTION_KEY=y\nDCR_ENCRYPTION_KEY=@\n",
    "no assignment at all\n=\n'\u{e9}'=\u{fc}\nDCR_ENCRYPTION_KEY=@\n\tB = \"#\" # c",
    "\n\n\nA=\n'DCR_ENCRYPTION_KEY'=@\nB",
];

#[tokio::test]
async fn all_else_stays_byte_for_byte_there_and_back() -> Result<()> {
    for file in FILES {
        let lab = Lab::new()?;
        lab.write_env(&file.replace('@', OLD))?;
        let (platform, _, new) = lab.prepared().await?;
        let services = &platform.services;
        let first = Bound::Pinned(platform.store.versions(SECRET).await?[1].number);
        let old = services.prepare(SERVICE, &binding(), first).await?;
        services.cut_over(SERVICE, &new).await?;
        assert_eq!(lab.read(".env")?, file.replace('@', NEW));
        services.cut_over(SERVICE, &old).await?;
        assert_eq!(lab.read(".env")?, file.replace('@', OLD));
    }
    Ok(())
}

#[tokio::test]
async fn a_value_that_needs_quotes_gets_them_and_is_read_back() -> Result<()> {
    for (text, written) in [
        ("a b", "'a b'"),
        ("a'b", "'a\\'b'"),
        ("a#b", "'a#b'"),
        ("p$x", "'p$x'"),
        ("key=\n", "'key=\n'"),
        ("a\\b", "'a\\b'"),
        ("a\\\\b", "\"a\\\\\\\\b\""),
        ("a\r\nb", "\"a\\r\nb\""),
    ] {
        let lab = Lab::new()?;
        let platform = lab.platform_with_a_version().await?;
        let number = platform.store.add(SECRET, &value(text)).await?;
        let services = &platform.services;
        let to = Bound::Pinned(number);
        let revision = services.prepare(SERVICE, &binding(), to).await?;
        services.cut_over(SERVICE, &revision).await?;
        let file = format!("A=1\n{VARIABLE}={written}\nB=2\n");
        assert_eq!(lab.read(".env")?, file);
        let service = lab.describe().await?;
        assert_eq!(
            (service.bound, service.ready),
            (Bound::Pinned(number), true)
        );
    }
    Ok(())
}

#[tokio::test]
async fn its_mode_is_kept_and_a_link_stays_a_link() -> Result<()> {
    for kept in [0o600, 0o640, 0o644, 0o400] {
        let lab = Lab::new()?;
        fs::rename(lab.env(), lab.path("target"))?;
        symlink("target", lab.env())?;
        fs::set_permissions(lab.path("target"), fs::Permissions::from_mode(kept))?;
        let owner = fs::metadata(lab.env())?;
        let (platform, _, revision) = lab.prepared().await?;
        platform.services.cut_over(SERVICE, &revision).await?;
        assert!(lab.env().is_symlink());
        assert!(lab.read("target")?.contains(NEW));
        assert_eq!(mode(&lab.path("target"))?, kept);
        let now = fs::metadata(lab.path("target"))?;
        assert_eq!((now.uid(), now.gid()), (owner.uid(), owner.gid()));
        let names = Lab::names_in(lab.env().parent().expect("a folder"))?;
        assert!(names.iter().all(|name| !name.contains("unfinished")));
    }
    Ok(())
}

/// Root may give a file to anybody: the service of another user reads it by its group.
#[tokio::test]
async fn its_owner_and_its_group_are_kept() -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        say("left out, because these tests are not root's: a file that keeps its owner");
        return Ok(());
    }
    let lab = Lab::new()?;
    chown(lab.env(), Some(12_345), Some(54_321))?;
    fs::set_permissions(lab.env(), fs::Permissions::from_mode(0o640))?;
    let (platform, _, revision) = lab.prepared().await?;
    platform.services.cut_over(SERVICE, &revision).await?;
    assert!(lab.read(".env")?.contains(NEW));
    let now = fs::metadata(lab.env())?;
    assert_eq!((now.uid(), now.gid()), (12_345, 54_321));
    assert_eq!(mode(&lab.env())?, 0o640);
    Ok(())
}
