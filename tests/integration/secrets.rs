//! `rotate-secret` as a release engineer types it, for the secrets that aren't the DCR key:
//! with an issuer behind real TLS, and on a real Postgres.
//!
//! The program runs as a process of its own, in a folder with a `.env` and settings.

pub(crate) mod installation;
mod logins_lab;

pub(crate) mod clients;
mod clients_abandoned;
mod clients_at_a_terminal;
mod clients_in_json;
mod clients_leak;
mod clients_left;
mod clients_memory;
mod clients_refused;
mod clients_together;
mod logins;
mod logins_in_place;
mod logins_killed;
mod logins_leak;
mod logins_memory;
mod logins_refused;
mod under_load;
mod usage;
