//! `--launch`: a broker is started, played, brought back when it dies, and never left behind.
#![cfg(unix)]

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::assay::{Running, Said, assay_in, command};
use crate::relay::{recipe, relay};

/// A test's folder: scenarios and recipes in it, and a place for the temporary folders of instances.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("tmp")).unwrap();
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(self.path(), arguments);
        command.env("TMPDIR", self.path().join("tmp"));
        command
    }

    fn assay(&self, arguments: &[&str]) -> Said {
        self.command(arguments).output().unwrap().into()
    }

    /// The folders of instances that are there. A supervisor removes its own when the broker has ended.
    fn instances(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path().join("tmp")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

/// Waits for what another process is about to do.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !holds() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

const PINGS: &str = "\
title: A PINGREQ is answered
clauses: [v5.0/MQTT-3.12.4-1]
clients: [a]
steps:
  - a pings
";

const WANTS_A_PASSWORD: &str = "\
title: A wrong password is refused
clauses: [v5.0/MQTT-3.1.4-2]
requires: [auth]
clients: []
steps:
  - a !> CONNECT:
      client_id: <a.id>
      clean: true
      user_name: <target.user>
      password: <target.password>
      but: { password: not the right one }
  - a <- closed: [bad_user_name_or_password, not_authorized]
";

#[test]
fn the_reference_broker_is_launched_and_stopped() {
    let bench = Bench::new();
    bench.write("ping/pings.yaml", PINGS);
    bench.write("connect/password.yaml", WANTS_A_PASSWORD);
    let said = bench.assay(&[
        "run",
        "ping",
        "connect",
        "--launch",
        "reference",
        "--json",
        "run.json",
    ]);
    assert_eq!(said.status, Some(0), "{said}");
    assert!(said.stdout.contains("The reference broker"), "{said}");
    assert_eq!(bench.instances(), Vec::<PathBuf>::new());
    let json = fs::read_to_string(bench.path().join("run.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        json["totals"]["pass"], 2,
        "the password was asked for: {said}"
    );
}

#[test]
fn what_is_launched_ends_with_a_run_that_is_killed() {
    let bench = Bench::new();
    bench.write(
        "ping/long.yaml",
        &PINGS.replace("steps:\n", "steps:\n  - wait: 10m\n"),
    );
    let mut command = bench.command(&["run", "ping", "--launch", "reference"]);
    let mut run = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let port = || {
        let log = fs::read_to_string(bench.instances().first()?.join("log")).ok()?;
        let (_, rest) = log.split_once("mqtt://127.0.0.1:")?;
        rest.lines().next()?.parse::<u16>().ok()
    };
    until("it listens", || port().is_some());
    let port = port().unwrap();
    TcpStream::connect(("127.0.0.1", port)).unwrap();
    // SIGKILL: nothing in the run can do anything about it.
    run.kill().unwrap();
    run.wait().unwrap();
    until("its folder is removed", || bench.instances().is_empty());
    TcpStream::connect(("127.0.0.1", port)).unwrap_err();
}

#[test]
fn ctrl_c_stops_what_was_launched() {
    let bench = Bench::new();
    bench.write(
        "ping/long.yaml",
        &PINGS.replace("steps:\n", "steps:\n  - wait: 10m\n"),
    );
    let mut command = bench.command(&["run", "ping", "--launch", "reference"]);
    let mut running = Running::of(&mut command);
    assert!(running.line().starts_with("Playing 1 case"));
    running.interrupt();
    let said = running.end();
    assert_eq!(said.status, Some(130), "{said}");
    assert_eq!(bench.instances(), Vec::<PathBuf>::new());
}

/// A recipe of [`a_broker_that_can_be_poisoned`].
fn poisonable() -> String {
    recipe("launch::a_broker_that_can_be_poisoned", "")
}

/// Passes everything on to a reference broker, until somebody publishes poison.
#[test]
#[ignore = "it is no test but a broker, which another test launches"]
fn a_broker_that_can_be_poisoned() {
    relay(|bytes| {
        if bytes.windows(6).any(|window| window == b"poison") {
            eprintln!("somebody published poison");
            std::process::abort();
        }
    });
}

#[test]
fn a_broker_that_dies_is_brought_back_and_the_culprit_named() {
    let bench = Bench::new();
    bench.write("poisonable.yaml", &poisonable());
    for name in ["a", "b", "d", "e"] {
        bench.write(&format!("ping/{name}.yaml"), PINGS);
    }
    bench.write(
        "ping/culprit.yaml",
        &PINGS.replace(
            "a pings",
            "a publishes: { topic: <t>, payload: poison, qos: 1 }",
        ),
    );
    let arguments = [
        "run",
        "ping",
        "--launch",
        "./poisonable.yaml",
        "--versions",
        "v5.0",
        "--json",
        "run.json",
    ];
    let said = bench.assay(&arguments);
    assert_eq!(said.status, Some(3), "{said}");
    assert!(
        said.stdout.contains("somebody published poison"),
        "the log's tail: {said}"
    );
    assert!(said.stdout.contains("SIGABRT"), "{said}");
    assert!(said.stdout.contains("PUBLISH"), "the last packets: {said}");

    let json = fs::read_to_string(bench.path().join("run.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let totals = &json["totals"];
    assert_eq!(
        (&totals["pass"], &totals["crashed"]),
        (&4.into(), &1.into()),
        "{said}"
    );
    // When it died first, others were in play; the culprit is known since each was played again alone.
    let crashes = json["crashes"].as_array().unwrap();
    assert_eq!(crashes.last().unwrap()["case"], "ping/culprit@v5.0/tcp");
    assert_eq!(bench.instances(), Vec::<PathBuf>::new());
}

#[test]
fn what_cannot_be_launched_is_told() {
    let bench = Bench::new();
    let told = |name: &str, recipe: &str| {
        if !recipe.is_empty() {
            bench.write("recipe.yaml", recipe);
        }
        let launch = if recipe.is_empty() {
            name
        } else {
            "./recipe.yaml"
        };
        let said = bench.assay(&["run", "--launch", launch, "--filter", "ping/"]);
        let filters = vec![
            (r"`/[^`]*/mqtt-assay(\.exe)?", "`[itself]"),
            (r"/[^ ]*/tmp/mqtt-assay-\w+", "[folder]"),
            (r"127\.0\.0\.1:\d+", "127.0.0.1:[port]"),
            (r"\(os error \d+\)", "(os error)"),
        ];
        insta::with_settings!({ filters => filters }, { insta::assert_snapshot!(name, said); });
        assert_eq!(bench.instances(), Vec::<PathBuf>::new());
    };
    told("mosqitto", "");
    told(
        "not_installed",
        "name: Nobody\nprogram: [no-such-broker]\ninstall: get it somewhere\nrun: []\nconfigurations: { plain: {} }\n",
    );
    told(
        "ends_at_once",
        "name: Hasty\nprogram: [sh]\ninstall: get a shell\nrun: [-c, 'echo no such option: -z >&2; exit 7']\nconfigurations: { plain: {} }\n",
    );
    told(
        "never_answers",
        "name: Mute\nprogram: [sh]\ninstall: get a shell\nready_within: 200ms\nrun: [-c, 'sleep 60']\nconfigurations: { plain: {} }\n",
    );
    told(
        "unknown_key",
        "name: Ours\nprogramm: [sh]\ninstall: get a shell\nrun: []\nconfigurations: { plain: {} }\n",
    );
}

#[test]
fn a_recipe_stands_in_the_project_file() {
    let bench = Bench::new();
    bench.write("ping/pings.yaml", PINGS);
    bench.write(
        "mqtt-assay.yaml",
        "launch: reference\nscenarios: [ping]\nversions: [v5.0]\nreports: { json: run.json }\n",
    );
    bench.write("below/it/note", "");
    let said = assay_in(&bench.path().join("below/it"), &["run"]);
    assert_eq!(said.status, Some(0), "{said}");
    assert!(said.stdout.contains("../../mqtt-assay.yaml"), "{said}");
    let json = fs::read_to_string(bench.path().join("run.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["totals"]["pass"], 1, "{said}");
    // The command line wins, and the file can be left alone.
    let below = bench.path().join("below/it");
    let said = assay_in(&below, &["run", "--json", "here.json"]);
    assert!(below.join("here.json").exists(), "{said}");
    let said = assay_in(&below, &["run", "../../ping", "--no-config"]);
    assert_eq!(said.status, Some(0), "{said}");
    assert!(said.stdout.contains("embedded"), "{said}");
}

#[test]
fn every_transport_is_served_by_a_launched_broker() {
    let bench = Bench::new();
    bench.write("ping/pings.yaml", PINGS);
    let arguments = [
        "run",
        "ping",
        "--launch",
        "reference",
        "--transports",
        "tcp,tls,ws,wss,unix",
    ];
    let said = bench.assay(&arguments);
    assert_eq!(said.status, Some(0), "{said}");
    assert!(said.stdout.contains("5 passed"), "{said}");
    assert_eq!(bench.instances(), Vec::<PathBuf>::new());
}
