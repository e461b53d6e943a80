//! Listeners that write what a run tells: console, HTML, JUnit, JSON.
//!
//! The runner's only output is a stream of [`Event`]s. Each report listens to it and knows nothing of the others:
//! [`Console`] tells people, [`Html`] tells them later, [`Junit`] tells a CI system, [`Json`] tells programs. A report that goes to a file has a
//! [`Destination`], which is tried before the run and written at once after it, so that a reader never sees half a
//! report and nobody waits for a run whose report has nowhere to go.

mod console;
mod destination;
mod html;
mod json;
mod junit;
mod tally;
mod text;
mod trace;

use runner::event::Event;

pub use console::{Console, Detail, Options};
pub use destination::{Destination, Unwritable};
pub use html::Html;
pub use json::{FORMAT, Json};
pub use junit::Junit;
pub use tally::{Kind, Tally};
pub use text::{terminal_line, terminal_text, xml_text};

/// Something that is told what happens in a run.
pub trait Listener {
    /// Takes in one event. Events of one case come in order; cases overlap.
    fn on(&mut self, event: &Event);
}

#[cfg(test)]
mod fixture;
