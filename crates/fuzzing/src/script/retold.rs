//! Scripts out of scenarios: what the clients of each case send when it is played on the reference broker.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use codec::draft::{Draft, Record, Value};
use codec::{Direction, Frame, Version};
use runner::event::{CaseReport, Event, Happening};
use runner::{At, Options, Plan, Selection};

use super::{CLIENTS, Operation, STEPS, Script, Step, TOKEN};

/// What every token of a case begins with, and its length.
const MARK: &[u8] = b"assay";
const TOKEN_LENGTH: usize = 14;

/// Scripts with more bytes than this are no good seeds.
const LARGEST: usize = 1_500;

/// A script for each case that a script can say: one that has at most [`CLIENTS`] clients and [`STEPS`] steps, and that
/// is not the same as another's. The name is the case's.
pub fn from_scenarios(scenarios: &[Arc<scenario::Scenario>]) -> Vec<(String, Script)> {
    let plan = Plan::new(scenarios, &Selection::default());
    let mut found = BTreeMap::new();
    let played = runner::run(&plan, &At::Embedded, &Options::default(), &mut |event| {
        if let Event::CaseFinished(report) = event
            && let Some(script) = retold(&report)
        {
            found.insert(report.case.name.clone(), script);
        }
    });
    // The embedded broker is always there.
    debug_assert!(played.is_ok());
    let mut known = BTreeSet::new();
    found
        .into_iter()
        .filter(|(_, script)| {
            let bytes = script.to_bytes();
            Script::from_bytes(&bytes) == *script && bytes.len() <= LARGEST && known.insert(bytes)
        })
        .collect()
}

fn retold(report: &CaseReport) -> Option<Script> {
    let mut names: Vec<&str> = Vec::new();
    let mut versions = [Version::V5_0; CLIENTS];
    let mut script = Script::default();
    let mut now = Duration::ZERO;
    for entry in &report.trace {
        let known = names.iter().position(|name| *name == entry.client);
        let client = known.unwrap_or_else(|| {
            names.push(&entry.client);
            names.len() - 1
        });
        if client >= CLIENTS {
            return None;
        }
        let operation = match &entry.what {
            Happening::Opened => Operation::Open,
            Happening::Sent { bytes, .. } => {
                let version = &mut versions[client];
                if let Some(announced) = Frame::new(bytes).and_then(codec::announced_version) {
                    *version = announced;
                }
                Step::send(client, in_short(bytes, *version)).operation
            }
            Happening::Ended("closes") => Operation::Close,
            Happening::Ended("half-closes") => Operation::HalfClose,
            Happening::Ended(_) => Operation::Cut,
            _ => continue,
        };
        let pause = entry.at.saturating_sub(now);
        now = now.max(entry.at);
        if pause >= Duration::from_millis(1) {
            let milliseconds = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            let wait = Operation::Wait(Duration::from_millis(milliseconds));
            script.steps.push(Step::new(client, wait));
        }
        script.steps.push(Step::new(client, operation));
    }
    (2..=STEPS).contains(&script.steps.len()).then_some(script)
}

/// A sound packet with the token of scripts in place of the case's, any other as it is.
fn in_short(bytes: &[u8], version: Version) -> Vec<u8> {
    let packet =
        Frame::new(bytes).and_then(|frame| codec::decode(frame, version, Direction::ToServer).ok());
    let Some(packet) = packet else {
        return bytes.to_vec();
    };
    let draft = Draft::from_packet(&packet, version);
    let mut short = Draft::new(draft.packet_type(), version);
    for (spec, value) in draft.fields().iter() {
        let _ = short.set(spec.name, shortened(value));
    }
    short.encode().unwrap_or_else(|_| bytes.to_vec())
}

fn shortened(value: &Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(short(text)),
        Value::Binary(data) => Value::Binary(short(data)),
        Value::Texts(texts) => Value::Texts(texts.iter().map(|text| short(text)).collect()),
        Value::Filters(records) => Value::Filters(records.iter().map(record).collect()),
        Value::Record(fields) => Value::Record(record(fields)),
        other => other.clone(),
    }
}

fn record(fields: &Record) -> Record {
    let mut short = Record::new();
    for (spec, value) in fields.iter() {
        short.set(spec, shortened(value));
    }
    short
}

fn short(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let token = rest
            .get(..TOKEN_LENGTH)
            .filter(|token| token.starts_with(MARK) && token.iter().all(u8::is_ascii_alphanumeric));
        if token.is_some() {
            out.extend_from_slice(TOKEN);
            rest = &rest[TOKEN_LENGTH..];
        } else {
            out.push(*first);
            rest = after;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_becomes_a_script_that_holds() {
        let text = "\
title: A message comes
clauses: [v3.1.1/MQTT-3.3.5-1]
clients: [pub, sub]
steps:
  - sub subscribes: { filter: <t>/x, qos: 0 }
  - pub publishes: { topic: <t>/x, payload: one }
  - sub receives: { topic: <t>/x, payload: one }
  - wait: 2s
  - pub cuts
";
        let scenario = scenario::parse("try/one.yaml", text).map_err(|faults| faults.len());
        let scenarios = [Arc::new(scenario.expect("it parses"))];
        let scripts = from_scenarios(&scenarios);
        assert!(!scripts.is_empty());
        for (name, script) in scripts {
            let sends = |wanted: &[u8]| {
                script.steps.iter().any(|step| {
                    matches!(&step.operation, Operation::Send { bytes, .. }
                        if bytes.windows(wanted.len()).any(|part| part == wanted))
                })
            };
            assert!(sends(b"assay0/x"), "{name}: {script:#?}");
            assert!(
                script
                    .steps
                    .iter()
                    .any(|step| step.operation == Operation::Cut)
            );
            crate::session::holds(&script.to_bytes());
        }
    }
}
