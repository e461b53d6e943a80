//! Stateful fuzzing of any live broker, over the network.
//!
//! [`run`] performs scripts against a target: many at once on one thread, each with up to four clients that share
//! topics, Client Identifiers, Packet Identifiers and aliases, over links that split, stall and cut. Beside them a
//! witness takes part in nothing and must be served all the time. What is told, is told as [`Event`]s.
//!
//! - `source` says which script comes next: one of the seed, or a changed one that brought news (`novelty`, `corpus`).
//! - `perform` plays it over its `wire`s; the [oracle](crate::oracle) judges what comes; `traces` takes back what it
//!   left on the target.
//! - `hall` is the loop, `schedule` its time. A finding goes to `inquiry`: it must show again, is made small, becomes a scenario, and is
//!   played by the runner (`replay`). A target that died goes to `harm`: what came last is performed again.
//! - `vitals` and `growth` watch the process of a target that may be watched, and `leak` finds out what makes it grow.
//!
//! Everything is bounded: the corpus, what is remembered, the classes of findings and how often each is looked into.

mod corpus;
mod credentials;
mod event;
mod folder;
mod growth;
mod hall;
mod harm;
mod inquiry;
mod keeper;
mod leak;
mod ledger;
mod meet;
mod novelty;
mod options;
mod outgoing;
mod perform;
mod recent;
pub mod record;
mod replay;
mod schedule;
mod source;
mod start;
mod sweep;
mod tally;
mod text;
mod traces;
mod vitals;
mod wake;
mod wire;
mod witnesses;

pub use event::{Discovery, Event, Outcome, Proof};
pub use folder::Folder;
pub use options::Options;
pub use source::Played;
pub use start::{Broker, StartError, Subject, run};
pub use tally::Tally;
