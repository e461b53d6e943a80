//! `decode`: bytes explained, or the rule that they break.

use crate::assay::{assay, assay_fed};

const CONNECT: &str = "10 10 00 04 4d 51 54 54 05 02 00 3c 00 00 03 61 62 63";

#[test]
fn a_valid_packet() {
    insta::assert_snapshot!(assay(&["decode", CONNECT]));
}

#[test]
fn several_packets_in_the_version_that_connect_announces() {
    let said = assay(&[
        "decode",
        &CONNECT
            .replace("54 05 02", "54 04 02")
            .replace("10 10", "10 0f")
            .replace("3c 00 00", "3c 00"),
        "c000",
        "0xe0,0x00",
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn a_broken_rule_with_its_clause_and_byte() {
    insta::assert_snapshot!(assay(&["decode", "80 09 00 01 00 00 03 61 2f 62 00"]));
}

#[test]
fn before_5_0_there_is_no_reason_code_for_a_broken_rule() {
    insta::assert_snapshot!(assay(&[
        "decode",
        "--version",
        "v3.1.1",
        "80 08 00 01 00 03 61 2f 62 00",
        "c0 ff ff ff ff 7f"
    ]));
}

#[test]
fn what_a_server_sends() {
    insta::assert_snapshot!(assay(&["decode", "--from", "server", "40 03 00 07 42"]));
}

#[test]
fn a_packet_that_is_cut_off() {
    insta::assert_snapshot!(assay(&["decode", "c0 00 30 0a 00 03"]));
}

#[test]
fn standard_input() {
    let said = assay_fed("c0\n00\n", &["decode", "-"]);
    assert_eq!(said.status, Some(0), "{said}");
}

#[test]
fn what_is_no_hex() {
    insta::assert_snapshot!(assay(&["decode", "c0 0g"]));
    insta::assert_snapshot!(assay(&["decode", "c00"]));
    insta::assert_snapshot!(assay(&["decode", ""]));
}

#[test]
fn strict_reading_ends_with_the_first_violation() {
    // QoS 3, a wildcard, and Packet Identifier 0.
    let publish = "36 07 00 02 61 2b 00 00 00";
    let all = assay(&["decode", publish]).to_string();
    let first = assay(&["decode", "--strict", publish]).to_string();
    assert_eq!(all.matches(" ^").count(), 3, "{all}");
    assert_eq!(first.matches(" ^").count(), 1, "{first}");
    assert!(first.contains("MQTT-3.3.1-4") && !first.contains("MQTT-3.3.2-2"));
}
