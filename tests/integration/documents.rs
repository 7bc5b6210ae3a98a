//! The documents: their links lead somewhere, their commands work, their picture is current.
mod commands;
mod decisions;
mod links;
mod markdown;
mod not_run;
mod picture;
mod repository;
mod session;
mod settings;
mod stage;
mod understood;
mod workflows;
