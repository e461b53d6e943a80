//! The register of normative statements of MQTT 3.1, 3.1.1, 5.0 and MQTT-SN 1.2.
//!
//! A *clause* is one normative statement. It is named with its standard, `v3.1.1/MQTT-3.1.0-2` or
//! `v5.0/MQTT-3.1.0-2`, because the same number means different things in different standards.
//! In Rust an id is written with [`clause!`], so that an unknown one does not compile; text from
//! outside is read with [`ClauseId::parse`], which suggests what may have been meant.
//!
//! The register knows nothing of packets, brokers or scenarios. Its source is `register/*.yaml`;
//! `src/table.rs` is rendered from it, and a test keeps the two equal.
#![no_std]

extern crate alloc;

mod id;
mod site;
mod statement;
mod suggest;
mod table;

pub use id::{ClauseId, UnknownClause};
pub use site::{Site, sites_in};
pub use statement::{Actor, Clause, Keyword, Standard, Testable};

/// All clauses of the register, sorted by their full name.
pub fn all() -> impl ExactSizeIterator<Item = ClauseId> + Clone {
    (0..table::CLAUSES.len()).map(ClauseId::at)
}
