//! Listeners that write what a run tells.
//!
//! The runner's only output is a stream of [`Event`]s. Each report listens to it and knows nothing of the others:
//! [`Console`] tells people, [`Html`] tells them later, [`Junit`] tells a CI system, [`Json`] tells programs,
//! [`DraftBaseline`] makes a first baseline. A [`Report`] goes to a [`Destination`], which is tried before the run and
//! written at once after it, so that a reader never sees half a report and nobody waits for a run whose report has nowhere
//! to go. [`Recorder`] keeps the stream itself as it comes, for a [`Recording`] to be reported later; [`Rounds`] tells a run
//! in several rounds as one.

mod baseline;
mod console;
mod destination;
mod html;
mod json;
mod junit;
mod record;
mod replay;
mod rounds;
mod tally;
mod text;
mod trace;

use runner::event::Event;

pub use baseline::{DraftBaseline, UNREAD};
pub use console::{Console, Detail, Options};
pub use destination::{Destination, Unwritable};
pub use html::Html;
pub use json::{FORMAT, Json};
pub use junit::Junit;
pub use record::{Recorder, Recording, Unreadable, merge};
pub use replay::{replay_as_scenario, replay_in_shell};
pub use rounds::Rounds;
pub use tally::{Kind, Tally};
pub use text::{terminal_line, terminal_text, xml_text};

/// The program and its version, as reports name it.
pub(crate) const TOOL: &str = concat!("mqtt-assay ", env!("CARGO_PKG_VERSION"));

/// Something that is told what happens in a run.
pub trait Listener {
    /// Takes in one event. Events of one case come in order; cases overlap.
    fn on(&mut self, event: &Event);
}

/// A listener that gathers a run and writes a file when it is over.
pub trait Report: Listener {
    /// Takes in that the run could not begin.
    fn not_played(&mut self, why: &str);

    /// Writes what was gathered.
    ///
    /// # Errors
    ///
    /// [`Unwritable`] when the destination does not take it.
    fn write(&self, destination: &Destination) -> Result<(), Unwritable>;
}

#[cfg(test)]
mod fixture;
