#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod connector;
mod error;
mod message;
mod tls;

pub use connector::{Connector, ServerConnection, Tls};
pub use error::Error;
pub use message::DatabaseMessage;
