//! Roles of a Postgres server that take turns.
mod alternate;
mod cut_off;
mod every_statement;
mod in_place;
pub(crate) mod lab;
mod logins;
mod not_carried;
mod over_tls;
mod refusals;
mod under_load;
mod undo;
