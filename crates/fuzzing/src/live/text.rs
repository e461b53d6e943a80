//! A finding as people read it: what is wrong, and the exchange packet by packet, field by field.

use std::fmt::Write as _;

use codec::annotate::{Reading, annotate};
use codec::draft::Draft;
use codec::{Direction, Frame, MAXIMUM_PACKET_SIZE, Split, Version};

use super::event::{Discovery, Proof};
use crate::observe::{End, Transcript, What};
use crate::script::CLIENTS;

/// What stands in the place of a client: `a`, `b`, `c`, `d`.
pub(super) fn client_name(client: usize) -> char {
    char::from(b'a' + u8::try_from(client % CLIENTS).unwrap_or_default())
}

/// The whole finding.
pub(super) fn finding(discovery: &Discovery) -> String {
    let mut text = format!("{}\n\n", discovery.class);
    let _ = writeln!(text, "{}", discovery.finding.message);
    if let Some(client) = discovery.finding.client {
        let _ = writeln!(text, "Seen by client `{}`.", client_name(client));
    }
    if let Some(clause) = discovery.clause() {
        let statement = clause.clause();
        let _ = writeln!(
            text,
            "{clause} ({}, section {}): {}",
            statement.keyword.name(),
            statement.section,
            statement.summary
        );
    }
    let _ = match discovery.proof {
        Proof::Confirmed { shown, tried } => writeln!(
            text,
            "Confirmed: it showed in {shown} of {tried} performances of the script by itself."
        ),
        Proof::Seen => writeln!(
            text,
            "Not confirmed: no script that was performed before brings it about by itself."
        ),
        Proof::Fleeting { tried: 0 } => writeln!(
            text,
            "Not confirmed: there was no time to perform the script once more."
        ),
        Proof::Fleeting { tried } => writeln!(
            text,
            "Not confirmed: it did not show again in {tried} performances of the script by itself. The exchange is that of the one performance that showed it, beside others."
        ),
    };
    let took = discovery.took.as_secs_f64();
    let is_fleeting = matches!(discovery.proof, Proof::Fleeting { .. });
    let _ = if discovery.script.is_none() || is_fleeting {
        Ok(())
    } else if discovery.minimal {
        writeln!(
            text,
            "From the first sight to the smallest script: {took:.1} s."
        )
    } else {
        writeln!(
            text,
            "It may be made smaller still: after {took:.1} s there was no more time."
        )
    };
    if discovery.fair == Some(false) {
        text.push_str(
            "The reference broker fails the scenario as well: it asks for more than what is wrong. Trust the recording.\n",
        );
    }
    if !discovery.transcript.entries.is_empty() {
        text.push_str("\nThe exchange, with seconds since it began:\n");
        exchange(&discovery.transcript, &mut text);
    }
    text
}

/// The exchange: each packet in the notation of scenarios, with its fields below it.
fn exchange(transcript: &Transcript, text: &mut String) {
    let mut versions = [Version::V5_0; CLIENTS];
    for entry in &transcript.entries {
        let client = entry.client % CLIENTS;
        let name = client_name(client);
        let at = entry.at.as_secs_f64();
        let _ = match &entry.what {
            What::Opened => writeln!(text, "\n{at:.3}  {name} opens"),
            What::Sent(bytes) => {
                if let Some(version) = Frame::new(bytes).and_then(codec::announced_version) {
                    versions[client] = version;
                }
                let _ = writeln!(text, "\n{at:.3}  {name} sends {} bytes", bytes.len());
                packets(bytes, versions[client], Direction::ToServer, text);
                Ok(())
            }
            What::Received(bytes) => {
                let _ = writeln!(text, "\n{at:.3}  {name} receives {} bytes", bytes.len());
                packets(bytes, versions[client], Direction::ToClient, text);
                Ok(())
            }
            What::Ended(end) => writeln!(text, "\n{at:.3}  {}", ending(name, *end)),
            What::Settled => Ok(()),
            What::Restarted => writeln!(text, "\n{at:.3}  the target starts again"),
        };
    }
}

fn ending(name: char, end: End) -> String {
    match end {
        End::Closed => format!("{name} closes"),
        End::HalfClosed => format!("{name} half-closes"),
        End::Cut => format!("{name} cuts"),
        End::ByTarget => format!("the target closes the connection of {name}"),
        End::Reset => format!("the target resets the connection of {name}"),
    }
}

fn packets(bytes: &[u8], version: Version, direction: Direction, text: &mut String) {
    let mut rest = bytes;
    while let Ok(Split::Complete { frame, rest: after }) =
        codec::split(rest, version, direction, MAXIMUM_PACKET_SIZE)
    {
        if let Ok(packet) = codec::decode(frame, version, direction) {
            let _ = writeln!(text, "    {}", Draft::from_packet(&packet, version));
        }
        let dump = annotate(frame, version, direction, Reading::Lenient);
        for line in dump.to_string().lines() {
            let _ = writeln!(text, "      {line}");
        }
        rest = after;
    }
    if !rest.is_empty() {
        let _ = write!(text, "    no whole packet:");
        for byte in rest.iter().take(64) {
            let _ = write!(text, " {byte:02x}");
        }
        text.push_str(if rest.len() > 64 { " …\n" } else { "\n" });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clauses::clause;

    use super::*;
    use crate::observe::Observer;
    use crate::oracle::Finding;

    #[test]
    fn a_finding_reads_from_the_top() {
        let mut transcript = Transcript::default();
        let at = Duration::from_millis(1500);
        transcript.opened(1, at);
        transcript.sent(1, &[0xC1, 0], at);
        transcript.received(1, &[0xD0, 0, 0x40], at);
        transcript.ended(1, End::Reset, at);
        let discovery = Discovery {
            class: "made-up (v5.0/MQTT-3.12.4-1)".to_owned(),
            finding: Finding {
                rule: "made-up",
                clause: Some(clause!("v5.0/MQTT-3.12.4-1")),
                client: Some(1),
                message: "nothing came of it".to_owned(),
            },
            proof: Proof::Confirmed { shown: 1, tried: 2 },
            script: None,
            minimal: true,
            original: None,
            before: Vec::new(),
            transcript,
            scenario: None,
            replay: None,
            fair: None,
            log_tail: None,
            took: Duration::from_secs(2),
        };
        let text = finding(&discovery);
        for part in [
            "made-up (v5.0/MQTT-3.12.4-1)\n\nnothing came of it\n",
            "Seen by client `b`.",
            "(MUST, section 3.12.4)",
            "in 1 of 2 performances",
            "1.500  b opens",
            "PINGREQ, v5.0, ",
            "    PINGRESP: {}\n",
            "no whole packet: 40\n",
            "the target resets the connection of b",
        ] {
            assert!(text.contains(part), "{part:?} is not in:\n{text}");
        }
    }
}
