//! Who was on the services' lists of callers, in a file beside the journal.

use std::io::ErrorKind;
use std::path::PathBuf;

use super::close::callers;
use crate::context::Context;
use crate::error::Error;

/// Who is on the services' lists: each a service and a caller.
pub(super) struct Admitted(Vec<(String, String)>);

const TITLE: &str = "service,caller";

impl Admitted {
    /// As the platform tells.
    pub(super) async fn ask(context: &Context) -> Result<Admitted, Error> {
        let mut all = Vec::new();
        for consumer in &context.consumers {
            let service = &consumer.service;
            let found = callers(context)?.callers(service).await?;
            all.extend(found.into_iter().map(|caller| (service.clone(), caller)));
        }
        Ok(Admitted(all))
    }

    /// As it was written down; nothing where it wasn't.
    pub(super) fn read(context: &Context) -> Result<Option<Admitted>, Error> {
        let path = path(context);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::CallerList { path, source }),
        };
        let lines = text.lines().skip(1);
        let pairs = lines.filter_map(|line| line.split_once(','));
        let owned = pairs.map(|(service, caller)| (service.to_owned(), caller.to_owned()));
        Ok(Some(Admitted(owned.collect())))
    }

    /// On the disk when this returns.
    pub(super) fn write(self, context: &Context) -> Result<Admitted, Error> {
        let mut text = format!("{TITLE}\n");
        for (service, caller) in &self.0 {
            text.push_str(&format!("{service},{caller}\n"));
        }
        platform::local::write_whole_file(&path(context), text.as_bytes())?;
        Ok(self)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.0.iter();
        all.map(|(service, caller)| (service.as_str(), caller.as_str()))
    }

    pub(super) fn owned(self) -> Vec<(String, String)> {
        self.0
    }

    pub(super) fn has(&self, service: &str, caller: &str) -> bool {
        self.all().any(|one| one == (service, caller))
    }
}

fn path(context: &Context) -> PathBuf {
    context.run_folder.join("callers.csv")
}
