//! What a plan would do, found out without doing it.

use crate::about::{About, Kind};
use crate::fact::{Fact, Facts};
use crate::plan::Plan;

/// What the steps would do, gathered while each of them is asked.
#[derive(Debug, Default)]
pub struct Forecast {
    facts: Facts,
    intended: Vec<Intended>,
}

/// One thing that a step would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intended {
    /// The command, word by word; none where no command does it.
    pub command: Vec<String>,
    /// What is expected of the command; without one, what is done.
    pub text: String,
}

/// What one step would do.
#[derive(Clone, Debug)]
pub struct Foreseen {
    /// Counted from 1.
    pub number: usize,
    /// The step.
    pub about: &'static About,
    /// In this order.
    pub intended: Vec<Intended>,
}

impl Forecast {
    /// What would be known so far.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// A fact that the step would record, for later steps to go by. What can't be known
    /// before, such as the number of a version that isn't stored yet, is left out.
    pub fn record(&mut self, name: &'static str, fact: Fact) {
        self.facts.insert(name.to_owned(), fact);
    }

    /// The step would run this command.
    pub fn command(&mut self, command: Vec<String>, expects: impl Into<String>) {
        self.intended.push(Intended {
            command,
            text: expects.into(),
        });
    }

    /// The step would do this without a command.
    pub fn deed(&mut self, text: impl Into<String>) {
        self.command(Vec::new(), text);
    }

    /// What can be said of a step by its texts alone.
    pub fn by_texts(&mut self, about: &About) {
        match about.kind {
            Kind::Check if about.touches.starts_with("nothing") => {
                self.deed("looks, and changes nothing");
            }
            Kind::Check => self.deed(format!("looks; touches {}", about.touches)),
            Kind::InMemory => self.deed(about.touches),
            Kind::Change | Kind::Preparation => {
                self.deed(format!("done by the tool itself: {}", about.touches));
            }
            Kind::People => self.deed("done by people; the run waits until they say so"),
            Kind::Soak => self.deed("time passes"),
        }
    }
}

/// Asks every step what it would do, in order. Nothing is changed.
///
/// # Errors
///
/// That of the first step that can't tell.
pub async fn foresee<C, E>(plan: &Plan<C, E>, context: &mut C) -> Result<Vec<Foreseen>, E> {
    let mut forecast = Forecast::default();
    let mut foreseen = Vec::new();
    for (position, step) in plan.positions() {
        step.foresee(context, &mut forecast).await?;
        foreseen.push(Foreseen {
            number: position.number,
            about: position.about,
            intended: std::mem::take(&mut forecast.intended),
        });
    }
    Ok(foreseen)
}
