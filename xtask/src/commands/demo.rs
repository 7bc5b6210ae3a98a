//! `cargo xtask demo`: a rotation to look at, on a made-up database.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use reencrypt::{Keyring, Outcome, Timeouts, Tls};
use secret::{DatabaseUrl, FernetKey};
use tokio_util::sync::CancellationToken;

use super::{rotate_dcr, survey_dcr};
use crate::cli::{self, Format};
use crate::exit_code;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::report::{self, Listing, Subject};
use crate::settings;
use crate::workspace;

const CLIENTS: u64 = 1000;

/// Says that a folder is a demonstration's, so that the next may replace it.
const MARKER: &str = "made-by-cargo-xtask-demo";
/// What a demonstration, or SQLite for it, puts into its folder.
const FILES: [&str; 7] = [
    "clients.sqlite",
    "clients.sqlite-journal",
    "clients.sqlite-wal",
    "clients.sqlite-shm",
    "clients.sqlite.rotation-lock",
    "old.key",
    "new.key",
];

/// A folder with a database and two keys.
struct Demo {
    folder: PathBuf,
    old: FernetKey,
    new: FernetKey,
}

/// Runs the command and gives its exit code.
pub(super) async fn run(typed: &cli::Demo, interrupt: &CancellationToken) -> u8 {
    let printer = Printer::default();
    let made = match make(typed).await {
        Ok(demo) => demo,
        Err(error) => {
            let failure = Failure::check(format!("{error:#}"));
            printer.failure(&failure);
            return failure.exit_code;
        }
    };
    match show(&made, &printer, interrupt).await {
        Ok(exit_code) => exit_code,
        Err(failure) => {
            printer.failure(&failure);
            failure.exit_code
        }
    }
}

async fn make(typed: &cli::Demo) -> anyhow::Result<Demo> {
    let folder = match &typed.dir {
        Some(folder) => folder.clone(),
        None => shortest(&workspace::root()?.join("target/rotation-demo")),
    };
    let url = Demo::url_of(&folder);
    DatabaseUrl::parse(&url)
        .with_context(|| format!("`{url}` is no database URL: choose another folder"))?;

    clear(&folder).with_context(|| format!("can't make `{}`", folder.display()))?;
    let demo = Demo {
        old: FernetKey::generate(),
        new: FernetKey::generate(),
        folder,
    };
    for (name, key) in [("old.key", &demo.old), ("new.key", &demo.new)] {
        let path = demo.folder.join(name);
        write_key(&path, key).with_context(|| format!("can't write `{}`", path.display()))?;
    }
    let file = demo.folder.join("clients.sqlite");
    reencrypt::sample::create_sqlite(&file, CLIENTS, &demo.old)
        .await
        .with_context(|| format!("can't make `{}`", file.display()))?;
    Ok(demo)
}

/// Survey, rotation, survey: the same functions that the commands run. Ends with
/// the first that fails.
async fn show(
    demo: &Demo,
    printer: &Printer,
    interrupt: &CancellationToken,
) -> Result<u8, Failure> {
    printer.data(&format!(
        "Made {CLIENTS} clients and two keys in `{}`.\n\n1. A survey before:",
        demo.folder.display()
    ));
    let mut exit_code = demo.survey(printer, interrupt).await?;
    if exit_code == exit_code::DONE {
        printer.data("\n2. The rotation:");
        exit_code = demo.rotate(printer, interrupt).await?;
    }
    if exit_code == exit_code::DONE {
        printer.data("\n3. A survey after:");
        exit_code = demo.survey(printer, interrupt).await?;
    }
    if exit_code == exit_code::DONE {
        printer.data(&demo.what_next());
    }
    Ok(exit_code)
}

impl Demo {
    async fn survey(
        &self,
        printer: &Printer,
        interrupt: &CancellationToken,
    ) -> Result<u8, Failure> {
        let settings = settings::Survey {
            database: self.database()?,
            keyring: self.keyring()?,
        };
        let listing = Listing::of_all(Format::Human);
        let report = survey_dcr::survey(&settings, listing, printer, interrupt).await;
        report.print(Format::Human, printer);
        Ok(report.exit_code())
    }

    async fn rotate(
        &self,
        printer: &Printer,
        interrupt: &CancellationToken,
    ) -> Result<u8, Failure> {
        let settings = settings::Rotation {
            database: self.database()?,
            keyring: self.keyring()?,
            excluded_columns: Vec::new(),
            dry_run: false,
            ask_on: None,
        };
        let mut report = report::Rotation {
            subject: Subject::default(),
            clients: None,
            columns: None,
            unreadable: Listing::of_first(Format::Human),
            duration: Duration::ZERO,
            result: Ok(Outcome::NothingToDo),
        };
        report.result = rotate_dcr::rotate(&settings, printer, interrupt, &mut report).await;
        report.print(Format::Human, printer);
        Ok(report.exit_code())
    }

    fn database(&self) -> Result<settings::Database, Failure> {
        let url = DatabaseUrl::parse(&Demo::url_of(&self.folder))
            .map_err(|error| Failure::check(error.to_string()))?;
        Ok(settings::Database {
            url,
            tls: Tls::AsUrlSays,
            timeouts: Timeouts::default(),
        })
    }

    fn keyring(&self) -> Result<Arc<Keyring>, Failure> {
        Keyring::for_rotation(std::slice::from_ref(&self.old), &self.new)
            .map(Arc::new)
            .map_err(|error| Failure::check(error.to_string()))
    }

    /// Three slashes before a relative path; an absolute one brings the fourth.
    fn url_of(folder: &Path) -> String {
        format!("sqlite:///{}", folder.join("clients.sqlite").display())
    }

    fn what_next(&self) -> String {
        let folder = self.folder.display();
        let url = quoted(&Demo::url_of(&self.folder));
        let [old_key, new_key] =
            ["old.key", "new.key"].map(|file| quoted(&format!("{folder}/{file}")));
        format!(
            "\nIt is yours to look at:\n  \
             {folder}/clients.sqlite  the database, now under the new key\n  \
             {folder}/old.key         the old key\n  \
             {folder}/new.key         the new key\n\n\
             Survey it:\n  \
             DATABASE_URL={url} cargo xtask survey-dcr --old-key-file {old_key} --new-key-file {new_key}\n\
             Rotate it back:\n  \
             DATABASE_URL={url} cargo xtask rotate-dcr --old-key-file {new_key} --new-key-file {old_key}"
        )
    }
}

/// For a shell: in single quotes, which it can't hold itself.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Makes the folder, or empties it if a demonstration made it. Files that no
/// demonstration makes are never touched.
fn clear(folder: &Path) -> anyhow::Result<()> {
    let marker = folder.join(MARKER);
    if !marker.is_file() && folder.exists() && fs::read_dir(folder)?.next().is_some() {
        bail!("there are files in it that no demonstration made; choose another with `--dir`");
    }
    fs::create_dir_all(folder)?;
    fs::write(
        &marker,
        "The next `cargo xtask demo` in this folder replaces its files.\n",
    )?;
    for name in FILES {
        match fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("can't remove `{name}`"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn write_key(path: &Path, key: &FernetKey) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(key.to_text().as_bytes())
}

/// Relative to the current folder, where it lies below it: shorter to type.
fn shortest(path: &Path) -> PathBuf {
    std::env::current_dir()
        .ok()
        .and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned))
        .unwrap_or_else(|| path.to_owned())
}
