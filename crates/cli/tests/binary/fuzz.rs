//! `mqtt-assay fuzz`, as security engineers and CI systems meet it.

use std::fs;
use std::path::Path;

use crate::assay::{Running, assay_in};
use crate::broker::port;

/// The reference broker, and its address.
fn broker() -> (Running, String) {
    let mut broker = Running::start(Path::new("."), &["broker", "--listen", "127.0.0.1:0"]);
    let target = format!("mqtt://127.0.0.1:{}", port(&broker.line()));
    (broker, target)
}

#[test]
fn a_campaign_is_summed_up_recorded_and_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let (_broker, target) = broker();
    let arguments = [
        "fuzz",
        "--target",
        &target,
        "--seed",
        "5",
        "--scripts",
        "20",
        "--record",
        "record.txt",
        "--junit",
        "junit.xml",
    ];
    let said = assay_in(folder.path(), &arguments);
    assert_eq!(said.status, Some(0), "{said}");
    for part in [
        &format!("Fuzzing {target} in MQTT v3.1, v3.1.1, v5.0 for 60 s with seed 5."),
        "20 scripts in ",
        " kinds of answer told apart",
        "0 findings, seen 0 more times; 0 not seen again\n",
    ] {
        assert!(said.stdout.contains(part), "{part:?}: {said}");
    }
    assert!(
        !folder.path().join("fuzz-findings").exists(),
        "nothing was found, so nothing is written"
    );
    let xml = fs::read_to_string(folder.path().join("junit.xml")).unwrap();
    assert!(roxmltree::Document::parse(&xml).is_ok(), "{xml}");
    let record = fs::read_to_string(folder.path().join("record.txt")).unwrap();
    assert_eq!(record.lines().count(), 21, "a head and the scripts");

    let arguments = ["fuzz", "--target", &target, "--replay", "record.txt"];
    let said = assay_in(folder.path(), &arguments);
    assert_eq!(said.status, Some(0), "{said}");
    assert!(said.stdout.contains("with the recorded scripts."), "{said}");
    assert!(said.stdout.contains("20 scripts in "), "{said}");
}

#[test]
fn ctrl_c_ends_a_campaign_with_its_summary() {
    let folder = tempfile::tempdir().unwrap();
    let (_broker, target) = broker();
    let arguments = ["fuzz", "--target", &target, "--time", "24h"];
    let mut running = Running::start(folder.path(), &arguments);
    assert!(running.line().contains("for 86400 s"));
    running.interrupt();
    let said = running.end();
    assert_eq!(said.status, Some(130), "{said}");
    assert!(said.stdout.contains(" new sessions\n"), "{said}");
}

#[test]
fn somebody_else_s_broker_is_not_fuzzed() {
    let said = assay_in(
        Path::new("."),
        &["fuzz", "--target", "mqtt://192.0.2.1", "--time", "1s"],
    );
    assert_eq!(said.status, Some(2), "{said}");
    assert!(said.stderr.contains("--i-own-this-target"), "{said}");
}

#[test]
fn what_cannot_begin_is_told_before_anything_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("other.txt"), "title: no recording\n").unwrap();
    let (_broker, target) = broker();
    let of = |arguments: &[&str]| {
        let said = assay_in(folder.path(), arguments);
        (said.status, said.stderr.clone())
    };
    // Port 1 is nobody's.
    let nobody = ["fuzz", "--target", "mqtt://127.0.0.1:1", "--junit", "j.xml"];
    let (status, said) = of(&nobody);
    assert_eq!(status, Some(3), "{said}");
    assert!(said.contains("nobody listens there"), "{said}");
    let xml = fs::read_to_string(folder.path().join("j.xml")).unwrap();
    assert!(xml.contains("not played"), "{xml}");

    let (status, said) = of(&["fuzz"]);
    assert_eq!(status, Some(2), "{said}");
    assert!(
        said.contains("<--target <URL>|--launch <RECIPE>|--profile <FILE>|--self-test>"),
        "{said}"
    );

    for (arguments, why) in [
        (&["--replay", "other.txt"][..], "it is no recording"),
        (&["--replay", "missing.txt"], "cannot replay `missing.txt`"),
        (&["--record", "no/such/folder"], "nothing was performed"),
        (&["--junit", "no/such/folder"], "nothing was performed"),
        (&["--time", "soon"], "write it as 500ms"),
        (&["--jobs", "0"], "from 1 on"),
        (&["--seed", "any"], "write a number from 0"),
        (
            &["--out", "other.txt"],
            "cannot write findings to `other.txt`",
        ),
        (
            &["--pid", "4294967295"],
            "the process 4294967295 cannot be watched",
        ),
    ] {
        let arguments = [&["fuzz", "--target", &target], arguments].concat();
        let (status, said) = of(&arguments);
        assert_eq!(status, Some(2), "{arguments:?}: {said}");
        assert!(said.contains(why), "{arguments:?}: {said}");
    }
}
