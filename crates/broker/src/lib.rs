//! The reference broker: the specification, running.
//!
//! - [`core`] is the broker itself: a pure state machine that reads like the specification. Events and the time
//!   go in, actions come out; it knows no sockets, no clock and no randomness.
//! - [`rules`] is the device by which each obligation is stated where it is met, and can be broken by name.
//! - [`shell`] puts a core to work on tokio: listeners, links, time.
//! - [`store`] keeps on disk what a broker goes on with after a restart.
//! - [`pipe`] is an in-memory link for clients in the same process.
//!
//! Where MQTT leaves a choice, the broker takes the one that shows most of the standard; the choice is told where
//! it is made.

#![cfg_attr(
    not(feature = "shell"),
    allow(dead_code, reason = "some of the core serves the shell alone")
)]

mod breach;
pub mod config;
pub mod core;
mod password;
#[cfg(feature = "shell")]
pub mod pipe;
pub mod rules;
#[cfg(feature = "shell")]
mod scram;
#[cfg(feature = "shell")]
pub mod shell;
mod sites;
#[cfg(feature = "shell")]
pub mod store;
mod unstated;

pub use self::breach::{Breach, Breakable, UnknownBreach};
pub use self::config::Config;
pub use self::password::{Password, PasswordError};
#[cfg(feature = "shell")]
pub use self::scram::{SCRAM_SHA_256, ScramSha256};
#[cfg(feature = "shell")]
pub use self::shell::Broker;
pub use self::sites::sites;
#[cfg(feature = "shell")]
pub use self::store::Store;
pub use self::unstated::unstated;
