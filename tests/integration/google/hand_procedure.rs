//! The known faults of the hand procedure, each by its name: the old way fails, or
//! does the wrong thing and says nothing, and what is done in its place works.
//!
//! The old way is its own command, by the real `gcloud` where it is one of `gcloud`'s.
//! Where a whole rotation is what mends it, the test that has one is named.

mod database;
mod procedure;
mod services;
mod store;
