//! Rotations, whole, on the local platform and on Google Cloud: every step hit at every
//! moment, and what other people do meanwhile. The same helpers for each sort of secret.
//!
//! A *moment* is a place where the run can be hit: before and after each of a step's
//! methods, each change of the platform, each record of the journal, and at what the
//! database tells. There the call fails, or the process dies: whatever it would have done
//! next, a record included, does not happen. The state of the world is read from its
//! files by the tests' own code.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "what arranges or reads back a test's world has to fail that test; the cases are counted aloud"
)]

mod faulty;
mod folder;
mod keys;
mod laws;
mod moments;
mod process;
mod project;
mod scene;
mod seen;
mod watched;
mod world;

mod abandoned;
mod candidates;
mod clients;
mod closed;
mod each_repeated;
mod every_moment;
mod hands_at_files;
mod hands_at_logins;
mod hands_at_services;
mod journal_cut;
mod journal_lost;
mod late;
mod lockstep;
mod logged_out;
mod logins;
mod network;
mod on_google;
mod other_people;
mod overtaken;
mod sequences;
mod taken_back;
mod two_of_a_service;
mod way_back;
mod writers;
