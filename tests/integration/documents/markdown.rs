//! What a Markdown file has that can be wrong: links, headings to link to, and code.
use anyhow::Result;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::repository;

/// A file, read.
#[derive(Default)]
pub(super) struct Markdown {
    /// Its path from the root of the repository.
    pub(super) path: String,
    /// Where its links and pictures lead.
    pub(super) links: Vec<String>,
    /// What a link to a place in this file may have after `#`.
    pub(super) anchors: Vec<String>,
    /// Its blocks of code.
    pub(super) blocks: Vec<Block>,
    /// Code within a line of text.
    pub(super) words: Vec<String>,
    reading: Reading,
    /// The last heading so far.
    heading: String,
}

/// A block of code.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// The heading that it stands under.
    pub(super) heading: String,
    /// What follows the fence, empty where there is none.
    pub(super) info: String,
    pub(super) text: String,
}

/// What the next text belongs to.
#[derive(Default)]
enum Reading {
    #[default]
    Prose,
    Heading(String),
    Block,
}

impl Markdown {
    pub(super) fn read(path: &str) -> Result<Markdown> {
        let text = repository::read(path)?;
        let mut markdown = Markdown {
            path: path.to_owned(),
            ..Markdown::default()
        };
        for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
            markdown.add(event);
        }
        Ok(markdown)
    }

    fn add(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.begin(tag),
            Event::End(TagEnd::Heading(_)) => self.end_heading(),
            Event::End(TagEnd::CodeBlock) => self.reading = Reading::Prose,
            Event::Text(text) => self.add_text(&text),
            Event::Code(code) => {
                self.add_text(&code);
                // A heading has a command's name alone.
                if let Reading::Prose = self.reading {
                    self.words.push(code.into_string());
                }
            }
            // A line of several with a picture in it is written in HTML.
            Event::Html(html) | Event::InlineHtml(html) => {
                for attribute in [" href=\"", " src=\"", " srcset=\""] {
                    let values = html.split(attribute).skip(1);
                    let links = values.filter_map(|rest| rest.split('"').next());
                    self.links.extend(links.map(str::to_owned));
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { .. } => self.reading = Reading::Heading(String::new()),
            Tag::CodeBlock(kind) => {
                let info = match kind {
                    CodeBlockKind::Fenced(info) => info.into_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.blocks.push(Block {
                    heading: self.heading.clone(),
                    info,
                    text: String::new(),
                });
                self.reading = Reading::Block;
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.links.push(dest_url.into_string());
            }
            _ => {}
        }
    }

    fn add_text(&mut self, text: &str) {
        match (&mut self.reading, self.blocks.last_mut()) {
            (Reading::Heading(heading), _) => heading.push_str(text),
            (Reading::Block, Some(block)) => block.text.push_str(text),
            _ => {}
        }
    }

    /// Its anchor is made as GitHub makes it.
    fn end_heading(&mut self) {
        let Reading::Heading(heading) = std::mem::take(&mut self.reading) else {
            return;
        };
        let kept = heading.chars().filter_map(|character| match character {
            ' ' => Some('-'),
            '-' | '_' => Some(character),
            letter => letter.is_alphanumeric().then_some(letter),
        });
        let anchor: String = kept.flat_map(char::to_lowercase).collect();
        let numbered = |number: usize| match number {
            0 => anchor.clone(),
            number => format!("{anchor}-{number}"),
        };
        let mut free = (0..).map(numbered);
        let anchor = free.find(|anchor| !self.anchors.contains(anchor));
        self.anchors.extend(anchor);
        self.heading = heading;
    }
}

#[test]
fn headings_have_the_anchors_that_github_gives_them() {
    let mut markdown = Markdown::default();
    let text = "# Exit codes\n## `status`: what's next, at 2 a.m.\n# Exit codes\n";
    Parser::new(text).for_each(|event| markdown.add(event));
    let anchors = ["exit-codes", "status-whats-next-at-2-am", "exit-codes-1"];
    assert_eq!(markdown.anchors, anchors);
}
