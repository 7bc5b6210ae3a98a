//! The moments at which a run can be hit, and hitting it at one of them.
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

/// What a run is hit with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blow {
    /// The call fails; what is asked next is answered again.
    Fails,
    /// The process ends there.
    Dies,
}

pub(super) const BLOWS: [Blow; 2] = [Blow::Fails, Blow::Dies];

/// The moments of one process, which shares them with everything that it calls.
#[derive(Clone)]
pub(super) struct Moments(Arc<Mutex<Inner>>);

struct Inner {
    /// What has passed, in order.
    passed: Vec<String>,
    step: String,
    hit_at: Option<(At, Blow)>,
    /// What somebody does at the first moment of a name.
    meanwhile: Option<(String, Box<dyn FnOnce() + Send>)>,
    is_dead: bool,
    is_journal_broken: bool,
    /// Whether a mere look is a moment, too.
    are_looks_counted: bool,
}

/// One moment: by its number, counted from 0, or the first of its name.
enum At {
    Number(usize),
    Name(String),
}

impl Inner {
    fn blow_at(&mut self, number: usize, name: &str) -> Option<Blow> {
        let hit = self.hit_at.take_if(|(at, _)| match at {
            At::Number(at) => *at == number,
            At::Name(at) => at == name,
        });
        hit.map(|(_, blow)| blow)
    }
}

impl Moments {
    /// Of a run that nothing hits.
    pub(super) fn undisturbed() -> Moments {
        Moments::new(None, false)
    }

    /// Of a run that is hit at the moment of this number, counted from 0.
    pub(super) fn hit_at(number: usize, blow: Blow) -> Moments {
        Moments::new(Some((At::Number(number), blow)), false)
    }

    /// Of a run whose process dies at the first moment of this name.
    pub(super) fn dying_at(name: &str) -> Moments {
        Moments::new(Some((At::Name(name.to_owned()), Blow::Dies)), false)
    }

    /// Of a run that nothing hits, while somebody does something at a moment.
    pub(super) fn meanwhile(name: &str, does: impl FnOnce() + Send + 'static) -> Moments {
        let moments = Moments::undisturbed();
        moments.inner().meanwhile = Some((name.to_owned(), Box::new(does)));
        moments
    }

    /// The same, where mere looks count as well.
    pub(super) fn with_looks(hit_at: Option<usize>) -> Moments {
        Moments::new(hit_at.map(|number| (At::Number(number), Blow::Fails)), true)
    }

    fn new(hit_at: Option<(At, Blow)>, are_looks_counted: bool) -> Moments {
        Moments(Arc::new(Mutex::new(Inner {
            passed: Vec::new(),
            step: "begin".to_owned(),
            hit_at,
            meanwhile: None,
            is_dead: false,
            is_journal_broken: false,
            are_looks_counted,
        })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no panic while it was held")
    }

    /// What comes now belongs to this step.
    pub(super) fn enter(&self, step: &str) {
        self.inner().step = step.to_owned();
    }

    /// What has passed, each with its step.
    pub(super) fn passed(&self) -> Vec<String> {
        self.inner().passed.clone()
    }

    pub(super) fn is_dead(&self) -> bool {
        self.inner().is_dead
    }

    /// A moment passes.
    ///
    /// # Errors
    ///
    /// When the run is hit, and ever after its process died.
    pub(super) fn pass(&self, what: &str) -> io::Result<()> {
        let mut inner = self.inner();
        if inner.is_dead {
            return Err(io::Error::other("the process is dead"));
        }
        let number = inner.passed.len();
        let name = format!("{}: {what}", inner.step);
        let blow = inner.blow_at(number, &name);
        let does = inner.meanwhile.take_if(|(at, _)| *at == name);
        inner.passed.push(name);
        inner.is_dead = blow == Some(Blow::Dies);
        drop(inner);
        if let Some((_, does)) = does {
            does();
        }
        match blow {
            Some(_) => Err(io::Error::other("hit by the test")),
            None => Ok(()),
        }
    }

    /// Whether what somebody was to do meanwhile is still to be done.
    pub(super) fn is_still_to_come(&self) -> bool {
        self.inner().meanwhile.is_some()
    }

    /// The moment of a mere look.
    pub(super) fn pass_look(&self, what: &str) -> io::Result<()> {
        let are_looks_counted = self.inner().are_looks_counted;
        if are_looks_counted || self.is_dead() {
            return self.pass(what);
        }
        Ok(())
    }

    /// The moment before or after a record.
    pub(super) fn pass_record(&self, what: &str) -> io::Result<()> {
        let passed = self.pass(what);
        if passed.is_err() {
            self.inner().is_journal_broken = true;
        }
        passed
    }

    /// Nothing may be changed when the journal could not be written.
    ///
    /// # Panics
    ///
    /// If it is.
    pub(super) fn expect_a_journal(&self, change: &str) {
        let inner = self.inner();
        assert!(
            !inner.is_journal_broken || inner.is_dead,
            "`{change}` without a journal"
        );
    }
}
