#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod about;
mod fact;
mod log;
mod name;
mod plan;
mod step;

mod engine;
mod event;
mod forecast;
mod rollback;
mod stopped;

mod history;
mod journal;
mod run;
mod runs;
mod status;

mod document;

#[cfg(any(test, fuzzing))]
pub mod properties;

pub use about::{About, Kind, Undo};
pub use document::{plan_lines, plan_summary, runbook_section};
pub use engine::run_forward;
pub use event::{Conductor, Event};
pub use fact::{Fact, Facts, MissingFact};
pub use forecast::{Forecast, Foreseen, Intended, foresee};
pub use history::{Activity, Deed, Hand, History, Impossible, Span, SpanEnd, StepHistory};
pub use journal::{FixedText, Journal, JournalError, LineSink, Record, Written};
pub use log::Log;
pub use name::{Fingerprint, Name, NotAName};
pub use plan::Plan;
pub use rollback::roll_back;
pub use run::Run;
pub use runs::{RunSummary, Runs, RunsError};
pub use status::{RunEvent, RunStatus, StepEvent, StepStatus};
pub use step::{Applied, Observed, Step, StepError};
pub use stopped::Stopped;
