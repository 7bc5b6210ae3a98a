//! The tags by which this tool finds its revisions again.

use super::answers::ServiceAnswer;

/// `rot-1a2b3c4d`: what makes a revision reachable that has no traffic, and what is
/// to be put back once the last of them is gone.
///
/// `l` after `rot` says that traffic followed the latest revision before, `m` that
/// the template kept no instances up. It stands in the world, not in a journal, so
/// that any run finds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) followed_latest: bool,
    pub(super) set_min_instances: bool,
    digest: String,
}

impl Tag {
    /// The tag of something that doesn't exist yet, by what it is to be.
    pub(super) fn for_preparing(answer: &ServiceAnswer, subject: &str) -> Tag {
        let others = Tag::all(answer);
        let has = |mark: fn(&Tag) -> bool| others.iter().any(|(tag, _)| mark(tag));
        Tag {
            followed_latest: answer.follows_latest() || has(|tag| tag.followed_latest),
            set_min_instances: !answer.has_min_instances() || has(|tag| tag.set_min_instances),
            digest: digest(subject),
        }
    }

    /// The tag of a revision that traffic is taken from, with the marks of the one
    /// that it goes to.
    pub(super) fn for_keeping(answer: &ServiceAnswer, revision: &str) -> Tag {
        let others = Tag::all(answer);
        let has = |mark: fn(&Tag) -> bool| others.iter().any(|(tag, _)| mark(tag));
        Tag {
            followed_latest: answer.follows_latest() || has(|tag| tag.followed_latest),
            set_min_instances: has(|tag| tag.set_min_instances),
            digest: digest(revision),
        }
    }

    /// All of this tool's tags, each with its revision.
    pub(super) fn all(answer: &ServiceAnswer) -> Vec<(Tag, &str)> {
        let targets = answer.spec.traffic.iter();
        targets
            .filter_map(|target| {
                let tag = Tag::parse(target.tag.as_deref()?)?;
                Some((tag, target.revision_name.as_deref()?))
            })
            .collect()
    }

    /// The revision that was prepared as this, but for those.
    pub(super) fn find<'a>(
        answer: &'a ServiceAnswer,
        subject: &str,
        but: &[String],
    ) -> Option<&'a str> {
        let digest = digest(subject);
        let mut all = Tag::all(answer).into_iter();
        let found =
            all.find(|(tag, name)| tag.digest == digest && !but.iter().any(|one| one == name));
        found.map(|(_, name)| name)
    }

    pub(super) fn parse(text: &str) -> Option<Tag> {
        let (marks, digest) = text.strip_prefix("rot")?.split_once('-')?;
        let is_known = matches!(marks, "" | "l" | "m" | "lm");
        let is_digest = digest.len() == 8 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_known && is_digest).then(|| Tag {
            followed_latest: marks.contains('l'),
            set_min_instances: marks.contains('m'),
            digest: digest.to_owned(),
        })
    }

    pub(super) fn text(&self) -> String {
        let latest = if self.followed_latest { "l" } else { "" };
        let instances = if self.set_min_instances { "m" } else { "" };
        format!("rot{latest}{instances}-{}", self.digest)
    }
}

/// FNV-1a, 32 bits: the same in every version of this tool.
pub(super) fn digest(subject: &str) -> String {
    let digest = subject.bytes().fold(0x811c_9dc5_u32, |digest, byte| {
        (digest ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    format!("{digest:08x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_read_as_it_is_written() {
        for text in [
            "rot-811c9dc5",
            "rotl-811c9dc5",
            "rotm-00000000",
            "rotlm-1a2b3c4d",
        ] {
            assert_eq!(
                Tag::parse(text).map(|tag| tag.text()).as_deref(),
                Some(text)
            );
        }
        for text in [
            "rot4",
            "green",
            "rotx-811c9dc5",
            "rot-811c9dc",
            "rot-811c9dcg",
        ] {
            assert_eq!(Tag::parse(text), None, "{text}");
        }
        assert_eq!(digest(""), "811c9dc5");
        assert_eq!(digest("a"), "e40c292c");
    }
}
