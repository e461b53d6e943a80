//! An exchange as a script for bash, in raw bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use runner::event::{CaseReport, Happening};

use crate::terminal_line;
use crate::trace::seconds;

/// A pause that is shorter than this is no part of the exchange.
const PAUSE: Duration = Duration::from_millis(50);

/// How many seconds beyond its time are given to what must come.
const PATIENCE: Duration = Duration::from_secs(5);

/// Ends the direction to the broker (FIN). A shell has no word for it.
const HALF: &str =
    "half() { perl -MSocket -e 'open S, \"+<&=\", shift and shutdown S, 1 or die $!' \"$1\"; }\n";

/// Lets the close that follows be a reset (RST): a socket that lingers for no time is not closed in peace.
const RESET: &str = "reset() { perl -MSocket -e 'open S, \"+<&=\", shift and setsockopt S, SOL_SOCKET, SO_LINGER, pack \"ii\", 1, 0 or die $!' \"$1\"; }\n";

/// The first file descriptor that a script may use as it likes.
const FIRST: usize = 3;

/// The exchange of a case as a script for bash that writes the same bytes and shows what comes back, each packet beside
/// what came when the case was played. The broker's address stands in its first line.
pub fn replay_in_shell(report: &CaseReport, host: &str, port: u16) -> String {
    let ends_so = |wanted: &str| {
        let mut all = report.trace.iter().map(|entry| &entry.what);
        all.any(|what| matches!(what, Happening::Ended(how) if *how == wanted))
    };
    let (half_closes, cuts) = (ends_so("half-closes"), ends_so("cuts"));
    let needs = if half_closes || cuts {
        "bash, od, timeout and perl"
    } else {
        "bash, od and timeout"
    };
    let mut text = format!(
        "HOST={} PORT={port}  # {}; needs {needs}\n",
        quoted(host),
        terminal_line(&report.case.name)
    );
    text.push_str("show() { timeout \"$1\" head -c \"$2\" <&\"$3\" | od -An -v -tx1 -w512; }\n");
    if half_closes {
        text.push_str(HALF);
    }
    if cuts {
        text.push_str(RESET);
    }
    let mut links: BTreeMap<&str, usize> = BTreeMap::new();
    let mut last = Duration::ZERO;
    for entry in &report.trace {
        let gap = entry.at.saturating_sub(last);
        last = entry.at;
        let client = entry.client.as_str();
        let next = FIRST + links.len();
        let fd = *links.entry(client).or_insert(next);
        let client = terminal_line(client);
        let mut line = |code: String, note: String| {
            let _ = writeln!(text, "{code}  # {note}");
        };
        if gap >= PAUSE && !is_from_target(&entry.what) {
            line(format!("sleep {}", seconds(gap)), seconds(entry.at));
        }
        let limit = seconds(gap + PATIENCE);
        match &entry.what {
            Happening::Opened => line(
                format!("exec {fd}<>\"/dev/tcp/$HOST/$PORT\""),
                format!("{client} opens"),
            ),
            Happening::Sent {
                notation,
                bytes,
                forbidden,
            } => {
                let arrow = if *forbidden { "!>" } else { "->" };
                line(
                    format!("printf '{}' >&{fd}", escaped(bytes)),
                    format!("{client} {arrow} {}", terminal_line(notation)),
                );
            }
            Happening::Received { notation, bytes } => line(
                format!("show {limit} {} {fd}", bytes.len()),
                format!("{client} <- {}", terminal_line(notation)),
            ),
            Happening::Garbled { violation, bytes } => line(
                format!("show {limit} {} {fd}", bytes.len()),
                format!(
                    "{client} <- what is no sound packet: {}",
                    terminal_line(violation)
                ),
            ),
            Happening::TargetEnded(how) => line(
                format!(
                    "timeout {limit} cat <&{fd} >/dev/null && echo {} closed",
                    quoted(&client)
                ),
                format!("{client} <- closed ({how})"),
            ),
            Happening::Ended("half-closes") => {
                line(format!("half {fd}"), format!("{client} half-closes"));
            }
            Happening::Ended("cuts") => {
                line(
                    format!("reset {fd}; exec {fd}>&-"),
                    format!("{client} cuts"),
                );
            }
            Happening::Ended(how) => line(format!("exec {fd}>&-"), format!("{client} {how}")),
            Happening::Remark(_) => {}
        }
    }
    if let [(client, bytes)] = &sent(report)[..] {
        let _ = writeln!(
            text,
            "# All that {} sends, at once: printf '{}' | nc -w 5 \"$HOST\" \"$PORT\" | od -An -v -tx1",
            terminal_line(client),
            escaped(bytes)
        );
    }
    text
}

const fn is_from_target(what: &Happening) -> bool {
    matches!(
        what,
        Happening::Received { .. } | Happening::Garbled { .. } | Happening::TargetEnded(_)
    )
}

/// What each client sends in all.
fn sent(report: &CaseReport) -> Vec<(&str, Vec<u8>)> {
    let mut sent: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for entry in &report.trace {
        if let Happening::Sent { bytes, .. } = &entry.what {
            sent.entry(&entry.client).or_default().extend(bytes);
        }
    }
    sent.into_iter().collect()
}

/// Text as one word of a shell.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// Bytes as `printf` takes them.
fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 4);
    for byte in bytes {
        let _ = write!(text, "\\x{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn an_exchange_reads_as_a_script() {
        insta::assert_snapshot!(replay_in_shell(&fixture::replayed(), "localhost", 1883));
    }
}
