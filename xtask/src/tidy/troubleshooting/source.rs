//! A source file, read for what it says to people: messages, what they mean, hints.

mod failures;
mod hints;
mod text;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use syn::visit::Visit as _;

use self::failures::Calls;
use self::hints::{Arms, Functions, Hints};
use self::text::{documentation, message, shown};

/// A message, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) message: String,
    pub(super) meaning: String,
    pub(super) next: Vec<String>,
}

/// A file of this workspace.
pub(super) struct Source {
    path: String,
    file: syn::File,
}

/// The Rust files in a folder, below `root`, without tests.
pub(super) fn files(root: &Path, folder: &str) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    let read = |path: &Path| -> anyhow::Result<Vec<fs::DirEntry>> {
        let context = || format!("can't read `{}`", path.display());
        let entries: Result<Vec<_>, _> = fs::read_dir(path).with_context(context)?.collect();
        entries.with_context(context)
    };
    for entry in read(&root.join(folder))? {
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() && !["tests", "target"].contains(&name_of(&path)) {
            files.extend(self::files(root, &path)?);
        } else if path.ends_with(".rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

impl Source {
    pub(super) fn read(root: &Path, path: &str) -> anyhow::Result<Source> {
        let text = fs::read_to_string(root.join(path));
        Source::parse(path, &text.with_context(|| format!("can't read `{path}`"))?)
    }

    fn parse(path: &str, text: &str) -> anyhow::Result<Source> {
        let file = syn::parse_file(text).with_context(|| format!("can't understand `{path}`"))?;
        let path = path.to_owned();
        Ok(Source { path, file })
    }

    /// The enums that are errors.
    pub(super) fn error_types(&self) -> Vec<String> {
        let enums = self.enums().filter(|item| is_error(&item.attrs));
        enums.map(|item| item.ident.to_string()).collect()
    }

    fn enums(&self) -> impl Iterator<Item = &syn::ItemEnum> {
        self.file.items.iter().filter_map(|item| match item {
            syn::Item::Enum(item) => Some(item),
            _ => None,
        })
    }

    /// Each message of an error type that is its own, and not that of its cause.
    pub(super) fn entries(&self, name: &str, hints: &Hints) -> anyhow::Result<Vec<Entry>> {
        let mut enums = self.enums();
        let found = enums.find(|item| item.ident == name);
        let item = found.with_context(|| format!("`{}` has no `{name}`", self.path))?;
        let mut entries = Vec::new();
        for variant in &item.variants {
            let variant_name = variant.ident.to_string();
            let next = hints.get(&variant_name).with_context(|| {
                format!(
                    "the hints of `{name}` in `{}` lack `{variant_name}`",
                    self.path
                )
            })?;
            if let Some(message) = message(&variant.attrs) {
                entries.push(Entry {
                    message: shown(&message, &BTreeMap::new()),
                    meaning: documentation(&variant.attrs),
                    next: next.clone(),
                });
            }
        }
        Ok(entries)
    }

    /// The hints of a function that goes through every variant of an error type.
    pub(super) fn hints(&self, function: &str, of: &str) -> anyhow::Result<Hints> {
        let mut search = Functions::default();
        search.visit_file(&self.file);
        let Some(block) = search.found.get(function) else {
            bail!("`{}` has no function `{function}`", self.path);
        };
        let mut arms = Arms {
            of,
            functions: &search.found,
            locals: BTreeMap::new(),
            hints: Hints::new(),
            leaves_out: false,
        };
        arms.visit_block(block);
        ensure!(
            !arms.leaves_out,
            "`{function}` in `{}` has a `_` for `{of}`: a new variant would have no hint",
            self.path
        );
        Ok(arms.hints)
    }

    /// What `Failure::check` and the like are called with, and the hint that follows.
    pub(super) fn failures(&self) -> Vec<Entry> {
        let mut calls = Calls::default();
        calls.visit_file(&self.file);
        calls.entries
    }
}

fn is_error(attributes: &[syn::Attribute]) -> bool {
    let derives = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("derive"));
    derives.into_iter().any(|derive| {
        let mut found = false;
        // What isn't understood is no list of names, and so no error type's.
        let _ = derive.parse_nested_meta(|meta| {
            found |= meta
                .path
                .segments
                .last()
                .is_some_and(|last| last.ident == "Error");
            Ok(())
        });
        found
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: &str = r#"
        /// Why.
        #[derive(Debug, thiserror::Error)]
        enum Broken {
            /// The door
            /// is shut.
            #[error("the door `{door}` is {}", shut(.door))]
            Shut { door: String },
            /// The way there.
            #[error(transparent)]
            Way(Other),
            /// Nobody knows.
            #[error("no idea")]
            Unknown,
        }
        enum Whole { Yes }
    "#;

    fn hints(arms: &str) -> anyhow::Result<Hints> {
        let text =
            format!("fn hint(error: &Broken) -> Option<String> {{ match error {{ {arms} }} }}");
        Source::parse("hints.rs", &text)
            .unwrap()
            .hints("hint", "Broken")
    }

    #[test]
    fn a_message_has_its_meaning_and_its_hints() {
        let hints = hints(
            r#"Broken::Shut { door } if door == "front" => Some(format!("open {door}")),
               Broken::Shut { .. } => Some("wait {a while}".to_owned()),
               Broken::Way(other) => other.hint(),
               Broken::Unknown => None,"#,
        );
        let source = Source::parse("type.rs", TYPE).unwrap();
        assert_eq!(source.error_types(), ["Broken"]);
        let entries = source.entries("Broken", &hints.unwrap()).unwrap();
        let shut = Entry {
            message: "the door `DOOR` is …".to_owned(),
            meaning: "The door is shut.".to_owned(),
            next: vec!["open DOOR".to_owned(), "wait {a while}".to_owned()],
        };
        let unknown = Entry {
            message: "no idea".to_owned(),
            meaning: "Nobody knows.".to_owned(),
            next: Vec::new(),
        };
        assert_eq!(entries, [shut, unknown]);
    }

    #[test]
    fn a_variant_that_is_left_out_is_noticed() {
        let rest = "Broken::Shut { .. } => None, Broken::Way(_) => None, _ => None";
        assert!(hints(rest).is_err(), "a `_` stands for what is to come");
        let lacking = hints("Broken::Shut { .. } => None, Broken::Way(_) => None").unwrap();
        let source = Source::parse("type.rs", TYPE).unwrap();
        let error = source.entries("Broken", &lacking).unwrap_err().to_string();
        assert!(error.contains("`Unknown`"), "{error}");
    }

    #[test]
    fn a_failure_has_the_hint_that_follows_it() {
        let text = r#"fn f() -> Failure {
            Failure::check(format!("there is no {role}")).nothing_changed().hint("make one")
        }"#;
        let source = Source::parse("f.rs", text).unwrap();
        let [entry] = source.failures().try_into().unwrap();
        assert_eq!(
            (entry.message.as_str(), entry.next),
            ("there is no ROLE", vec!["make one".to_owned()])
        );
    }
}
