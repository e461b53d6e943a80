//! Plays scenarios against a target and judges what comes back.
//!
//! [`run()`] takes a [`Plan`] (which cases) and an [`At`] (which target) and tells a listener what happens, as
//! [`event::Event`]s; every report is made from those. Where things are:
//!
//! - [`play`] plays and judges one case; it knows a [`target::Target`] and the [`link::Link`]s to it, nothing else.
//! - `memory` plays the cases on a broker in this process, each on its own and in virtual time. `network` plays them on
//!   an address, hundreds at once: after `admission`, and beside a `witness` that tells when the target dies.
//! - [`Baseline`] knows the deviations that are accepted. [`stub`] has brokers that are wrong on purpose, and [`prove()`]
//!   breaks the reference broker's rules one at a time: what passes then proves nothing.

mod admission;
mod baseline;
mod client;
pub mod document;
mod embedded;
pub mod event;
mod identity;
mod interrupt;
pub mod launch;
mod ledger;
pub mod link;
mod memory;
mod network;
mod outcome;
mod overtaking;
mod partition;
mod place;
mod plan;
pub mod play;
mod post_mortem;
pub mod probe;
mod prove;
pub mod recipe;
mod repeat;
mod run;
mod secrets;
mod settings;
pub mod stub;
pub mod target;
mod unplayed;
mod vacuous;
mod waiting;
mod witness;
mod written;

pub use admission::{AdmissionError, admit};
pub use baseline::{Baseline, BaselineError};
pub use client::Trouble;
pub use interrupt::Interrupt;
pub use outcome::{Outcome, Totals};
pub use overtaking::Overtaking;
pub use partition::{NoPart, Part};
pub use place::{NoPlace, Place};
pub use plan::{Filter, Plan, Selection};
pub use prove::{Proof, Proofs, prove};
pub use repeat::{Repetition, repeat};
pub use run::{At, Options, run};
pub use secrets::Secrets;
pub use settings::{Namespace, Settings, Whose};
pub use vacuous::PassOnStub;
pub use witness::{Sign, Witness};
