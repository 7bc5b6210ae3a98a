//! Who may call the services: lists in a file, and the same behind what may be hit.
use std::fs;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use platform::{Callers, Error};

use super::{Faulty, hit};

/// A file with a service and a caller on each line, sorted.
pub(in crate::rotation) struct CallerFile(pub(in crate::rotation) PathBuf);

impl CallerFile {
    fn lines(&self) -> Result<Vec<String>, Error> {
        let text = fs::read_to_string(&self.0).map_err(hit)?;
        Ok(text.lines().map(str::to_owned).collect())
    }

    fn write(&self, mut lines: Vec<String>) -> Result<(), Error> {
        lines.sort();
        lines.dedup();
        write(&self.0, &lines)
    }
}

/// Writes the lists.
pub(in crate::rotation) fn write(path: &Path, lines: &[String]) -> Result<(), Error> {
    fs::write(path, lines.join("\n")).map_err(hit)
}

#[async_trait(?Send)]
impl Callers for CallerFile {
    async fn callers(&self, service: &str) -> Result<Vec<String>, Error> {
        let lines = self.lines()?.into_iter();
        let of_service = lines.filter_map(|line| {
            let (name, caller) = line.split_once(' ')?;
            (name == service).then(|| caller.to_owned())
        });
        Ok(of_service.collect())
    }

    async fn refuse(&self, service: &str, caller: &str) -> Result<(), Error> {
        let mut lines = self.lines()?;
        lines.retain(|line| *line != format!("{service} {caller}"));
        self.write(lines)
    }

    async fn admit(&self, service: &str, caller: &str) -> Result<(), Error> {
        let mut lines = self.lines()?;
        lines.push(format!("{service} {caller}"));
        self.write(lines)
    }
}

#[async_trait(?Send)]
impl Callers for Faulty<dyn Callers> {
    async fn callers(&self, service: &str) -> Result<Vec<String>, Error> {
        self.watch.looks("callers")?;
        self.inner.callers(service).await
    }

    async fn refuse(&self, service: &str, caller: &str) -> Result<(), Error> {
        let refused = self.inner.refuse(service, caller);
        self.watch.change("refuse a caller", refused).await
    }

    async fn admit(&self, service: &str, caller: &str) -> Result<(), Error> {
        let admitted = self.inner.admit(service, caller);
        self.watch.change("admit a caller", admitted).await
    }
}
