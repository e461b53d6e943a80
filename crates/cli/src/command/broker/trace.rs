//! `--trace`: every packet, as a scenario would write it.

use broker::shell::Traced;
use report::terminal_line;

/// Prints what was seen: `c7 -> PUBLISH: { topic: t, payload: x }`, with the seconds since the broker's start.
pub(super) fn print(traced: &Traced) {
    let text = traced.to_string();
    let seconds = traced.at.as_secs_f64();
    anstream::println!("{:<66}  # {seconds:.3}", terminal_line(&text));
}
