//! The engine against a toy world: every step with every fault, and a crash at every record.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper of a test fails by panicking"
)]

mod crashes;
mod disturbances;
mod driver;
mod faults;
mod folder;
mod journals;
mod people_and_time;
mod preparations;
mod sinks;
mod texts;
mod toy;
mod world;
