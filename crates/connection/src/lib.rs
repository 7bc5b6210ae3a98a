#![doc = include_str!("../README.md")]

mod connector;
mod error;
mod message;
mod tls;

pub use connector::{Connector, ServerConnection, Tls};
pub use error::Error;
pub use message::DatabaseMessage;
