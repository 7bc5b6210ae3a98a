//! Who is on the services' lists of callers, and who was: in a file beside the journal.

use std::io::{Error as IoError, ErrorKind};
use std::path::PathBuf;

use super::close::callers;
use crate::context::Context;
use crate::error::Error;

/// Who is on the services' lists: each a service and a caller.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CallerList(Vec<(String, String)>);

const TITLE: &str = "service,caller";

impl CallerList {
    /// As the platform tells.
    pub(super) async fn ask(context: &Context) -> Result<CallerList, Error> {
        let mut all = Vec::new();
        for consumer in &context.consumers {
            let service = &consumer.service;
            let found = callers(context)?.callers(service).await?;
            all.extend(found.into_iter().map(|caller| (service.clone(), caller)));
        }
        Ok(CallerList(all))
    }

    /// As it was written down; nothing where it wasn't.
    pub(super) fn read(context: &Context) -> Result<Option<CallerList>, Error> {
        let path = path(context);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::CallerList { path, source }),
        };
        match CallerList::parse(&text) {
            Ok(list) => Ok(Some(list)),
            Err(source) => Err(Error::CallerList { path, source }),
        }
    }

    /// People may have written it anew: what can't be understood is no caller to be forgotten.
    fn parse(text: &str) -> Result<CallerList, IoError> {
        let lines = text.lines().enumerate();
        let pairs = lines.filter(|(_, line)| !line.trim().is_empty() && !is_title(line));
        let pair = |(index, line): (usize, &str)| match line.split_once(',') {
            Some((service, caller)) => Ok((service.trim().to_owned(), caller.trim().to_owned())),
            None => Err(IoError::other(format!(
                "line {} has no comma between a service and a caller",
                index + 1
            ))),
        };
        Ok(CallerList(pairs.map(pair).collect::<Result<_, _>>()?))
    }

    /// On the disk when this returns.
    pub(super) fn write(self, context: &Context) -> Result<CallerList, Error> {
        platform::local::write_whole_file(&path(context), self.text().as_bytes())?;
        Ok(self)
    }

    fn text(&self) -> String {
        let lines = self
            .all()
            .map(|(service, caller)| format!("{service},{caller}\n"));
        format!("{TITLE}\n{}", lines.collect::<String>())
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

/// As it is written here, or as a spreadsheet or a person writes it.
fn is_title(line: &str) -> bool {
    let line = line.trim_start_matches('\u{feff}');
    let words = line.split(',').map(|word| word.trim().to_lowercase());
    words.eq(TITLE.split(',').map(str::to_owned))
}

fn path(context: &Context) -> PathBuf {
    context.run_folder.join("callers.csv")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> CallerList {
        let pair = |service: &str, caller: &str| (service.to_owned(), caller.to_owned());
        CallerList(vec![
            pair("agent", "allUsers"),
            pair("handler", "user:ada@example.com"),
        ])
    }

    #[test]
    fn what_was_written_is_read_back() {
        assert_eq!(CallerList::parse(&list().text()).unwrap(), list());
    }

    /// Without the title, the first caller is one as well.
    #[test]
    fn what_people_wrote_is_read_with_every_caller() {
        for text in [
            "agent,allUsers\nhandler,user:ada@example.com",
            "\u{feff}service,caller\nagent,allUsers\nhandler,user:ada@example.com",
            "Service, Caller\nagent,allUsers\nhandler,user:ada@example.com",
            "service,caller\r\nagent, allUsers\r\n\r\nhandler,user:ada@example.com\r\n",
        ] {
            assert_eq!(CallerList::parse(text).unwrap(), list(), "{text}");
        }
    }

    #[test]
    fn a_line_that_names_no_caller_is_not_passed_over() {
        let error = CallerList::parse("service,caller\nagent;allUsers\n").unwrap_err();
        assert!(error.to_string().starts_with("line 2 "), "{error}");
    }
}
