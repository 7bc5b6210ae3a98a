//! How many cases of a long test are gone through: a few as a rule, and what `TEST_CASES`
//! says where it is set: `all`, or a part of them such as `2/4`.
#![expect(
    clippy::panic,
    reason = "a part that can't be read has to fail the test"
)]

/// Of each `one_of` cases one, from the case of number `first` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    first: usize,
    one_of: usize,
}

impl Part {
    /// The rule of a test: the first of each `one_of` cases.
    pub(crate) fn first_of(one_of: usize) -> Part {
        Part { first: 0, one_of }
    }

    /// What `TEST_CASES` asks for.
    ///
    /// # Panics
    ///
    /// If it can't be read.
    pub(crate) fn wanted() -> Option<Part> {
        let text = std::env::var_os("TEST_CASES")?;
        let part = text.to_str().and_then(Part::parse);
        Some(part.unwrap_or_else(|| panic!("TEST_CASES is `all`, or a part such as `2/4`")))
    }

    fn parse(text: &str) -> Option<Part> {
        if text == "all" {
            return Some(Part::first_of(1));
        }
        let (which, one_of) = text.split_once('/')?;
        let (which, one_of) = (which.parse::<usize>().ok()?, one_of.parse().ok()?);
        let first = which.checked_sub(1)?;
        (first < one_of).then_some(Part { first, one_of })
    }

    /// The same share, begun with another case.
    pub(crate) fn begun_with(self, first: usize) -> Part {
        Part {
            first: first % self.one_of,
            ..self
        }
    }

    /// Whether a case is in it; `number` counts them from 0. Of a product of lists it is the
    /// sum of what each counts: so a part has all that is in each list, in turn.
    pub(crate) fn has(self, number: usize) -> bool {
        number % self.one_of == self.first
    }

    /// For cases that are made one after the other.
    pub(crate) fn count(self) -> Count {
        Count {
            part: self,
            all: 0,
            chosen: 0,
        }
    }
}

/// Counts cases as they come.
#[derive(Debug)]
pub(crate) struct Count {
    part: Part,
    pub(crate) all: usize,
    pub(crate) chosen: usize,
}

impl Count {
    /// Whether the next case is in the part.
    pub(crate) fn is_next_chosen(&mut self) -> bool {
        let is_chosen = self.part.has(self.all);
        self.all += 1;
        self.chosen += usize::from(is_chosen);
        is_chosen
    }
}

#[test]
fn the_parts_of_a_whole_have_each_case_once() {
    let parts = ["1/3", "2/3", "3/3"].map(|text| Part::parse(text).expect("a part"));
    for number in 0..10 {
        assert_eq!(parts.iter().filter(|part| part.has(number)).count(), 1);
        assert!(Part::parse("all").expect("a part").has(number));
    }
}

#[test]
fn what_is_no_part_is_refused() {
    for text in ["", "0/4", "5/4", "1/0", "1", "1/", "all/2", "-1/2"] {
        assert_eq!(Part::parse(text), None, "{text}");
    }
}
