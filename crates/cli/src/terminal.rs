//! What there is to write to: how wide, and whether a person looks at it.

use std::io::{self, IsTerminal};

/// The width that text is laid out for where nobody says how wide it is.
const WIDTH: u16 = 80;

/// The columns of standard output, between 60 and 120: wider lines are hard to read.
pub(crate) fn width() -> usize {
    let width =
        terminal_size::terminal_size().map_or(WIDTH, |(terminal_size::Width(width), _)| width);
    usize::from(width.clamp(60, 120))
}

/// Whether a bar on standard error would be seen as one: a person looks, and no CI system records.
pub(crate) fn shows_progress() -> bool {
    io::stderr().is_terminal() && std::env::var_os("CI").is_none()
}
