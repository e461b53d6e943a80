//! An exchange as a scenario that plays.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use codec::{Direction, MAXIMUM_PACKET_SIZE, Split, Version, announced_version};
use runner::event::{CaseReport, Entry, Happening};

use crate::terminal_line;
use crate::text::hex;
use crate::trace::seconds;

/// A pause that is shorter than this is no part of the exchange.
const PAUSE: Duration = Duration::from_millis(50);

/// What takes longer than this to come is waited for explicitly.
const LATE: Duration = Duration::from_secs(1);

/// The exchange of a case as a scenario; `requires` and `alone` are those of the case.
pub fn replay_as_scenario(report: &CaseReport, requires: &[String], alone: bool) -> String {
    let case = &report.case;
    let mut text = format!("# What happened in {}", terminal_line(&case.name));
    text.push_str(": what was sent is sent again, what came is expected.\n");
    for finding in &report.findings {
        let expected = finding.expected.as_deref().unwrap_or("something else");
        let _ = writeln!(text, "# Deviates: {}", terminal_line(&finding.message));
        let _ = writeln!(text, "# The scenario expects {}", terminal_line(expected));
    }
    let title = format!("The exchange of {}", terminal_line(&case.name));
    let _ = writeln!(text, "title: '{}'", title.replace('\'', "''"));
    let names: Vec<&str> = case.clauses.iter().map(|id| id.name()).collect();
    let _ = writeln!(text, "clauses: [{}]", names.join(", "));
    if !requires.is_empty() {
        let _ = writeln!(text, "requires: [{}]", requires.join(", "));
    }
    if alone {
        text.push_str("alone: true\n");
    }
    let guests = guests(report);
    if !guests.is_empty() {
        let guests = guests
            .iter()
            .map(|(client, version)| format!("{client}: {{ version: {} }}", version.name()));
        let _ = writeln!(text, "clients: [{}]", guests.collect::<Vec<_>>().join(", "));
    }
    if wants_control(report) {
        text.push_str("control:\n  - probe connects\n  - probe pings\n");
    }
    text.push_str("steps:\n");
    let mut last = Duration::ZERO;
    let mut handshakes: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &report.trace {
        // The handshake of a listed client is not written.
        if guests.contains_key(entry.client.as_str()) {
            let done = handshakes.entry(&entry.client).or_default();
            *done += 1;
            if *done <= 3 {
                last = entry.at;
                continue;
            }
        }
        step(&mut text, entry, entry.at.saturating_sub(last));
        last = entry.at;
    }
    text
}

/// Clients that connect in another version than the case's: only a list can say so.
fn guests(report: &CaseReport) -> BTreeMap<&str, Version> {
    let mut guests = BTreeMap::new();
    for entry in &report.trace {
        if let Happening::Sent { bytes, .. } = &entry.what
            && let Some(version) = announced(bytes)
            && version != report.case.version
        {
            guests.entry(entry.client.as_str()).or_insert(version);
        }
    }
    guests
}

/// The version that a CONNECT announces.
fn announced(bytes: &[u8]) -> Option<Version> {
    match codec::split(
        bytes,
        Version::V5_0,
        Direction::ToServer,
        MAXIMUM_PACKET_SIZE,
    ) {
        Ok(Split::Complete { frame, .. }) => announced_version(frame),
        _ => None,
    }
}

/// Whether a close needs a reason that the steps do not show, such as a client's silence.
fn wants_control(report: &CaseReport) -> bool {
    let closed = |entry: &Entry| matches!(entry.what, Happening::TargetEnded(_));
    let forbidden = |entry: &Entry| {
        matches!(
            entry.what,
            Happening::Sent {
                forbidden: true,
                ..
            }
        )
    };
    report.trace.iter().any(closed) && !report.trace.iter().any(forbidden)
}

fn step(text: &mut String, entry: &Entry, gap: Duration) {
    let client = &entry.client;
    let mut line = |step: String| {
        let _ = writeln!(text, "  {step}");
    };
    let received = matches!(
        entry.what,
        Happening::Received { .. } | Happening::Garbled { .. } | Happening::TargetEnded(_)
    );
    let is_remark = matches!(entry.what, Happening::Remark(_));
    if gap >= PAUSE && !received && !is_remark {
        line(format!(
            "- wait: {}s  # {}",
            seconds(gap),
            seconds(entry.at)
        ));
    }
    let within = if received && gap >= LATE {
        format!(" within {}s", seconds(gap * 3 / 2))
    } else {
        String::new()
    };
    match &entry.what {
        Happening::Sent {
            notation,
            forbidden,
            ..
        } => {
            let arrow = if *forbidden { "!>" } else { "->" };
            line(format!("- {client} {arrow} {}", language(notation)));
        }
        Happening::Received { notation, .. } => {
            let notation = language(notation);
            let (name, fields) = notation.split_at(notation.find(':').unwrap_or(notation.len()));
            line(format!("- {client} <- {name}{within}{fields}"));
        }
        Happening::Garbled { violation, bytes } => {
            line(format!("# {}", terminal_line(violation)));
            line(format!("- {client} <- bytes{within}: {}", hex(bytes)));
        }
        Happening::Opened => line(format!("- {client} opens")),
        Happening::Ended(how) => line(format!("- {client} {how}")),
        Happening::TargetEnded(how) => line(format!("- {client} <- closed{within}  # {how}")),
        Happening::Remark(remark) => line(format!("# {}", terminal_line(remark))),
    }
}

/// A packet in the notation of traces, on one line. The runner's own messages are renamed, since the scenario's must not be
/// taken for them.
fn language(notation: &str) -> String {
    notation
        .replace('\n', "\\n")
        .replace("assay-barrier/", "barrier/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn an_exchange_reads_as_a_scenario() {
        let report = fixture::replayed();
        let text = replay_as_scenario(&report, &["retain".into()], true);
        insta::assert_snapshot!(text);
        scenario::parse("replayed.yaml", &text).unwrap();
    }
}
