//! The documents: their links lead somewhere, and their commands work.
mod commands;
mod decisions;
mod links;
mod markdown;
mod not_run;
mod repository;
mod session;
mod settings;
mod stage;
mod understood;
mod workflows;
