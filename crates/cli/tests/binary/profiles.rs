//! Profiles: what they say is used, what is secret is not told, and `probe` writes them.

use std::fs;
use std::path::Path;

use crate::assay::{Running, Said, assay_in, command};
use crate::broker::port;

const SECRET: &str = "hush-hush";
const SECRET_HEX: &str = "687573682d68757368";

const PUBLISHES: &str = "\
title: What nobody can know
clauses: [v5.0/MQTT-3.12.4-1]
clients: [a]
steps:
  - a publishes: { topic: <t>, payload: <target.password>, qos: 1 }
  - a <- PUBLISH: { payload: never sent } within 100ms
";

fn broker(folder: &Path) -> (Running, u16) {
    let user = format!("ann:{SECRET}");
    let arguments = ["broker", "--listen", "127.0.0.1:0", "--user", &user];
    let mut broker = Running::start(folder, &arguments);
    let port = port(&broker.line());
    (broker, port)
}

fn assay_knowing(folder: &Path, arguments: &[&str]) -> Said {
    let mut command = command(folder, arguments);
    command
        .env("ASSAY_PASSWORD", SECRET)
        .output()
        .unwrap()
        .into()
}

#[test]
fn a_secret_is_used_and_never_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::create_dir(folder.join("ping")).unwrap();
    fs::write(
        folder.join("ping/password.yaml"),
        PUBLISHES.replace(" within 100ms", ""),
    )
    .unwrap();
    let (_broker, port) = broker(folder);
    fs::write(
        folder.join("broker.yaml"),
        format!(
            "addresses: [mqtt://127.0.0.1:{port}]\ncredentials: {{ user: ann, password: '${{ASSAY_PASSWORD}}' }}\nfeatures: [auth]\n"
        ),
    )
    .unwrap();
    let arguments = [
        "run",
        "ping",
        "--profile",
        "broker.yaml",
        "--trace",
        "--versions",
        "v5.0",
        "--json",
        "run.json",
        "--junit",
        "run.xml",
        "--html",
        "run.html",
    ];
    let said = assay_knowing(folder, &arguments);
    assert_eq!(
        said.status,
        Some(1),
        "the trace of a failure is wanted: {said}"
    );
    assert!(said.stdout.contains("password: •••"), "{said}");
    let mut told = vec![said.to_string()];
    for file in ["run.json", "run.xml", "run.html"] {
        told.push(fs::read_to_string(folder.join(file)).unwrap());
    }
    for text in told {
        for form in [SECRET, SECRET_HEX, "68 75 73 68", "aHVzaC1odXNo"] {
            assert!(!text.contains(form), "{form} is told: {text}");
        }
    }

    // Without it nothing is played, and why is told.
    let said = assay_in(folder, &arguments);
    assert_eq!(said.status, Some(2), "{said}");
    assert!(
        said.stderr.contains(
            "error: the environment variable `ASSAY_PASSWORD` is not set\n --> broker.yaml:2:37\n"
        ),
        "{said}"
    );
}

#[test]
fn what_was_probed_can_be_played() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (_broker, port) = broker(folder);
    let target = format!("mqtt://ann:{SECRET}@127.0.0.1:{port}");
    let said = assay_in(
        folder,
        &["probe", "--target", &target, "--write", "broker.yaml"],
    );
    assert_eq!(said.status, Some(0), "{said}");
    let profile = fs::read_to_string(folder.join("broker.yaml")).unwrap();
    assert!(
        !profile.contains(SECRET) && !said.to_string().contains(SECRET),
        "{profile}"
    );
    let filters = vec![(r"127\.0\.0\.1:\d+", "127.0.0.1:[port]")];
    insta::with_settings!({ filters => filters }, {
        insta::assert_snapshot!("probed", said);
        insta::assert_snapshot!("profile", profile);
    });
    let said = assay_in(
        folder,
        &["probe", "--target", &target, "--write", "broker.yaml"],
    );
    assert!(said.stderr.contains("exists already"), "{said}");

    let arguments = [
        "run",
        "--profile",
        "broker.yaml",
        "--filter",
        "connect/bad-credentials",
    ];
    let said = assay_knowing(folder, &arguments);
    assert_eq!(said.status, Some(0), "{said}");
    assert!(
        said.stdout.contains("4 passed"),
        "the broker wants a password, which probing saw: {said}"
    );
}

/// Whom to trust is written down, so that what was probed over TLS can be played.
#[test]
fn what_was_probed_over_tls_can_be_played() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let listen = [
        "broker",
        "--listen",
        "mqtts://127.0.0.1:0",
        "--tls-self-signed",
        "own.pem",
    ];
    let mut broker = Running::start(folder, &listen);
    let port = port(&broker.line());
    let target = format!("mqtts://localhost:{port}");
    fs::create_dir(folder.join("ci")).unwrap();
    for (file, told) in [
        (
            "broker.yaml",
            "tls: { ca: 'own.pem', server_name: 'localhost' }".to_owned(),
        ),
        (
            "ci/broker.yaml",
            format!(
                "tls: {{ ca: '{}', server_name: 'localhost' }}",
                folder.join("own.pem").display()
            ),
        ),
    ] {
        let probe = [
            "probe",
            "--target",
            &target,
            "--tls-ca",
            "own.pem",
            "--tls-name",
            "localhost",
            "--write",
            file,
        ];
        let said = assay_in(folder, &probe);
        assert_eq!(said.status, Some(0), "{said}");
        let profile = fs::read_to_string(folder.join(file)).unwrap();
        assert!(profile.contains(&told), "{profile}");
        let run = ["run", "--profile", file, "--filter", "ping/"];
        let said = assay_in(folder, &run);
        assert_eq!(said.status, Some(0), "{said}");
    }
    let settings = format!("target: {target}\ntls: {{ ca: own.pem }}\n");
    fs::write(folder.join("mqtt-assay.yaml"), settings).unwrap();
    let said = assay_in(folder, &["run", "--filter", "ping/"]);
    assert_eq!(said.status, Some(0), "{said}");
    assert!(said.stdout.contains(&target), "{said}");

    // What would say nothing is refused.
    for aim in [&["--profile", "broker.yaml"][..], &[][..]] {
        let said = assay_in(folder, &[&["run", "--tls-ca", "own.pem"][..], aim].concat());
        assert_eq!(said.status, Some(2), "{said}");
        assert!(
            said.stderr.contains("`--tls-ca` goes with `--target`"),
            "{said}"
        );
    }
}
