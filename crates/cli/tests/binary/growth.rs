//! `mqtt-assay fuzz --launch` on brokers whose process grows without bound, and on one whose does not.
#![cfg(target_os = "linux")]

use std::env;
use std::fs::{self, File};
use std::path::Path;
use std::sync::{Mutex, Once};
use std::thread;

use crate::assay::Running;
use crate::relay::{recipe, relay};

/// It keeps something of each UNSUBSCRIBE.
#[test]
#[ignore = "it is no test but a broker, which other tests launch"]
fn a_broker_that_leaks() {
    let leak = env::var("LEAK").unwrap();
    let (memory, files) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let spinning = Once::new();
    relay(move |bytes| {
        // UNSUBSCRIBE.
        if bytes[0] >> 4 != 10 {
            return;
        }
        match leak.as_str() {
            "memory" => memory.lock().unwrap().push(vec![1_u8; 1 << 19]),
            "files" => {
                let file = File::open("/dev/null").unwrap();
                files.lock().unwrap().push(file);
            }
            // More than one, so that it shows on a machine that has other work.
            "cpu" => spinning.call_once(|| {
                for _ in 0..3 {
                    thread::spawn(|| {
                        loop {
                            std::hint::spin_loop();
                        }
                    });
                }
            }),
            _ => {}
        }
    });
}

/// A campaign against the target with this leak.
fn campaign(folder: &Path, leak: &str, time: &str) -> Running {
    let recipe = recipe("growth::a_broker_that_leaks", &format!(", LEAK: '{leak}'"));
    fs::write(folder.join("leaking.yaml"), recipe).unwrap();
    Running::start(
        folder,
        &[
            "fuzz",
            "--launch",
            "./leaking.yaml",
            "--seed",
            "1",
            "--time",
            time,
            "--watch",
            "150ms",
            "--out",
            "findings",
            "--junit",
            "junit.xml",
        ],
    )
}

/// The folder of the finding of this rule holds the script that does it, and CI is told.
fn is_told(leak: &str, rule: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut running = campaign(folder.path(), leak, "2m");
    assert!(running.line().starts_with("Fuzzing "));
    assert_eq!(running.line(), format!("finding: {rule}"));
    running.interrupt();
    running.end();
    let finding = folder.path().join("findings").join(rule);
    let text = fs::read_to_string(finding.join("finding.txt")).unwrap();
    assert!(text.contains("Confirmed"), "{text}");
    let scenario = fs::read_to_string(finding.join("scenario.yaml")).unwrap();
    assert!(
        scenario.contains(" UNSUBSCRIBE") || scenario.contains(" bytes: a"),
        "{scenario}"
    );
    let xml = fs::read_to_string(folder.path().join("junit.xml")).unwrap();
    assert!(xml.contains(&format!("name=\"fuzz/{rule}\"")), "{xml}");
}

#[test]
fn memory_that_is_never_given_back_is_told() {
    is_told("memory", "memory-grows");
}

#[test]
fn files_that_are_never_closed_are_told() {
    is_told("files", "open-files-grow");
}

#[test]
fn a_thread_that_never_rests_is_told() {
    is_told("cpu", "computes-for-nobody");
}

#[test]
fn a_target_that_keeps_nothing_is_not_accused() {
    let folder = tempfile::tempdir().unwrap();
    let said = campaign(folder.path(), "nothing", "15s").end();
    assert_eq!(said.status, Some(0), "{said}");
}
