//! The baseline that a run is held against, read from its file.

use std::path::Path;

use runner::{Baseline, BaselineError};
use scenario::Style;

use crate::failure::{BAD_INPUT, Failure};
use crate::suite::count;

/// So many faults of one file are told.
const TOLD: usize = 10;

/// Reads a baseline; tells each fault with its place.
///
/// # Errors
///
/// It cannot be used.
pub(crate) fn load(path: &Path) -> Result<Baseline, Failure> {
    Baseline::load(path).map_err(|error| {
        let BaselineError::Faulty { file, faults } = &error else {
            return Failure::of(&error).note("nothing was played");
        };
        for fault in faults.iter().take(TOLD) {
            anstream::eprintln!("{}\n", scenario::render(fault, file, Style::Styled));
        }
        Failure::new(format!(
            "{} in the baseline; nothing was played",
            count(faults.len(), "error")
        ))
        .status(BAD_INPUT)
    })
}

/// What is to be said of entries that nobody has read yet.
pub(crate) fn unread(baseline: &Baseline) -> Option<String> {
    let begin = Baseline::UNREAD;
    match baseline.unread() {
        0 => None,
        1 => Some(format!(
            "1 entry of the baseline still says `{begin}`: hold its exchange against the standard, and say why it is accepted"
        )),
        several => Some(format!(
            "{several} entries of the baseline still say `{begin}`: hold each exchange against the standard, and say why it is accepted"
        )),
    }
}
