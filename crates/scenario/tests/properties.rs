//! What must hold for any text: it is a scenario or it is told what is wrong with it, and nothing panics.

use std::sync::Arc;

use proptest::prelude::*;
use scenario::{Scenario, Source, Style, check, expand, fmt, parse, render, twin};

const SOUND: [&str; 3] = [
    r"title: A shared QoS 2 delivery cut off is finished with the same client
clauses: [v5.0/MQTT-4.8.2-4, v5.0/MQTT-4.8.2-5]
requires: [shared, qos 2]
each: { ends: [returns, gone] }
clients: [pub, s1: { session_expiry: 60 }, s2: { session_expiry: 60 }]
steps:
  - s1, s2 subscribes: { filter: $share/<g>/<t>, qos: 2 }
  - pub publishes: { topic: <t>, payload: { hex: 00 ff }, qos: 2 }
  - s1 | s2 <- PUBLISH as <chosen>: { id: <pid>, payload: x, qos: { any_of: [1, 2] } }
  - <chosen> -> PUBREC: { id: <pid> }
  - <chosen> cuts
  - if <ends> = returns:
      - <chosen> connects: { clean: false, session_expiry: 60, gets: { session_present: true } }
      - <chosen> <- PUBREL within <1.4 * s1.keep_alive>s: { id: <pid> }
  - s1, s2 <- nothing
",
    r#"title: A CONNECT that ends too early is never accepted   # said twice
clauses: [v3.1.1/MQTT-3.1.4-1, v5.0/MQTT-3.1.4-1]
each:
  - { how: cut, at: 1 }
  - { how: short, at: -1 }
steps:
  - if <how> = cut:                # the stream ends
      - a !> CONNECT: { client_id: <a.id>, but: { cut: <at> } }
      - a half-closes
  - if <how> = short:
      - b !> CONNECT: { client_id: "<b.id>", but: { short: <at> } }
  - any:
      told:
        - a | b <- closed within 10s: [malformed_packet, protocol_error]
"#,
    r#"title: Raw bytes
clauses: [v5.0/MQTT-3.12.4-1]
clients:
  - a: { will: { topic: <t>, payload: gone, user_properties: [[a, '1']] } }
control:
  - for <i> in 1..3: [a pings]
steps:
  - a -> bytes: c0 00 string(<t>) u16(7) "x"
  - in order:
      - a <- PINGRESP: {}
      - should: [a <- nothing for 1s]
  - a <- closed:
    why: >
      Because it
      is so.
"#,
];

/// A scenario as it is printed for developers, without any place in its file.
fn without_places(scenario: &Scenario) -> String {
    let mut scenario = scenario.clone();
    scenario.source = Arc::new(Source {
        name: String::new(),
        text: String::new(),
    });
    let shown = format!("{scenario:?}");
    let mut pieces = shown.split("Span { start: ");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        out.push_str(piece.split_once('}').map_or(piece, |(_, rest)| rest));
    }
    out
}

/// Formats a text, if it is YAML: the result is stable and means the same.
fn format_and_compare(text: &str) {
    let Ok(once) = fmt(text) else {
        return;
    };
    let twice = fmt(&once).unwrap_or_else(|faults| panic!("no longer YAML:\n{once}\n{faults:?}"));
    assert_eq!(once, twice, "not stable");
    assert_eq!(
        text.matches('#').count(),
        once.matches('#').count(),
        "comments or hashes lost:\n{once}"
    );
    match (parse("x", text), parse("x", &once)) {
        (Ok(before), Ok(after)) => assert_eq!(without_places(&before), without_places(&after)),
        (Err(before), Err(after)) => assert_eq!(before.len(), after.len(), "{before:?}\n{after:?}"),
        (before, after) => panic!("before: {before:?}\nafter: {after:?}"),
    }
}

/// Reads a text, and does all that can be done with a scenario.
fn exercise(text: &str) {
    format_and_compare(text);
    match parse("chapter/file.yaml", text) {
        Ok(scenario) => {
            let scenario = Arc::new(scenario);
            for warning in check(&scenario) {
                render(&warning, &scenario.source, Style::Plain);
            }
            for case in expand(&scenario).iter().take(20) {
                twin(case);
            }
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            let source = Source {
                name: "x".to_owned(),
                text: text.to_owned(),
            };
            for fault in faults {
                let span = fault.span();
                assert!(
                    span.start <= span.end && span.end <= text.len(),
                    "{fault:?}"
                );
                render(&fault, &source, Style::Styled);
            }
        }
    }
}

#[test]
fn the_sound_ones_are_sound() {
    for text in SOUND {
        parse("x", text).unwrap();
    }
}

/// A sound scenario with a few pieces cut out, doubled or replaced.
fn mutated() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(String::new()),
        "[<>{}\\[\\]:,#*&!|'\"\\\\ -]{1,3}",
        "[a-z]{1,5}",
        "[0-9.x]{1,4}",
        "\\PC{1,2}",
        Just("\n".to_owned()),
        Just("\n  - ".to_owned()),
        Just("\t".to_owned()),
    ];
    let edits = proptest::collection::vec((any::<prop::sample::Index>(), 0_usize..6, piece), 1..4);
    (prop::sample::select(&SOUND[..]), edits).prop_map(|(text, edits)| {
        let mut letters: Vec<char> = text.chars().collect();
        for (place, length, piece) in edits {
            let at = place.index(letters.len() + 1);
            let end = (at + length).min(letters.len());
            letters.splice(at..end, piece.chars());
        }
        letters.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        exercise(&text);
    }

    #[test]
    fn no_yaml_like_text_makes_it_panic(text in "([a-z]{1,4}|[<>{}\\[\\]:,#*&!|'\"> -]|\n|\n  |- |: |<t>|\\.\\.| -> | <- |PUBLISH){0,60}") {
        exercise(&text);
    }

    #[test]
    fn no_mutated_scenario_makes_it_panic(text in mutated()) {
        exercise(&text);
    }
}

#[test]
fn a_text_that_grows_while_it_is_read_is_refused() {
    let mut bomb = String::from("a: &a [x, x]\n");
    let lines: Vec<String> = ('a'..='y')
        .zip('b'..='z')
        .map(|(letter, next)| format!("{next}: &{next} [*{letter}, *{letter}, *{letter}]\n"))
        .collect();
    bomb.push_str(&lines.concat());
    assert!(parse("bomb.yaml", &bomb).is_err());
    for brackets in ["[", "{a: ", "- ", "? "] {
        assert!(parse("deep.yaml", &brackets.repeat(100_000)).is_err());
    }
    for (long, told) in [
        ("a".repeat(1 << 19), "the file is too large for a scenario"),
        (
            "- a\n".repeat(20_000),
            "the file holds too many values for a scenario",
        ),
    ] {
        let faults = parse("long.yaml", &long).expect_err("it is too much");
        assert_eq!(faults[0].message, told);
    }
    let top = "title: x\nclauses: [v5.0/MQTT-3.12.4-1]\n";
    for many in [
        format!(
            "title: x\nclauses: [{}]\nsteps: [a pings]\n",
            "v5.0/MQTT-9.9.9-9, ".repeat(9_000)
        ),
        format!(
            "{top}steps:\n{}",
            "  - a -> PUBLISH: { topc: x }\n".repeat(2_000)
        ),
        numbered(20_000, &|key| format!("k{key}: 1\n")),
        format!(
            "{top}each: [{}]\nsteps: [a pings]\n",
            "{ a: 1 }, ".repeat(3_000)
        ),
    ] {
        let faults = parse("many.yaml", &many).expect_err("it is not sound");
        assert!(faults.len() <= 100);
    }
    let rows = numbered(200, &|row| format!("  - {{ n: {row} }}\n"));
    let steps = "  - if <n> = 1: [a publishes: { topic: <t>, payload: <n>, qos: 0 }]\n".repeat(700);
    let many = format!("{top}each:\n{rows}clients: [a]\nsteps:\n{steps}");
    assert!(parse("sound.yaml", &many).is_ok());
}

fn numbered(many: usize, line: &dyn Fn(usize) -> String) -> String {
    (0..many).map(line).collect::<Vec<_>>().concat()
}
