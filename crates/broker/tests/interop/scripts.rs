//! Clients of other languages: a script of each does everything, over every transport.

use std::ffi::OsStr;
use std::process::Stdio;

use broker::shell::Transport;
use broker::{Config, Password};
use tokio::process::Command;
use tokio::time::timeout;

use crate::{PATIENCE, serve_as, serve_over, tls};

const PAHO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/with_paho.py");
const MQTTJS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/with_mqttjs.cjs");

/// Runs a script to its end, which must be good.
async fn run<A: AsRef<OsStr>>(program: &str, needs: &str, arguments: &[A]) {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| {
            panic!("{program} could not be started ({error}): install {needs}")
        });
    let output = timeout(PATIENCE, child.wait_with_output())
        .await
        .unwrap_or_else(|_| panic!("{program} does not end"))
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

async fn paho(websocket: bool, secure: bool) {
    let (tls, certificate) = tls();
    let (broker, address) = serve_over(Transport {
        tls: secure.then_some(tls),
        websocket,
    })
    .await;
    let port = address.port().to_string();
    let transport = if websocket { "websockets" } else { "tcp" };
    let mut arguments = vec![OsStr::new(PAHO), OsStr::new(&port), OsStr::new(transport)];
    if secure {
        arguments.push(certificate.path().as_os_str());
    }
    run("python3", "python3 with the package paho-mqtt", &arguments).await;
    broker.stop().await;
}

async fn mqttjs(websocket: bool, secure: bool) {
    let (tls, certificate) = tls();
    let transport = Transport {
        tls: secure.then_some(tls),
        websocket,
    };
    let mut config = Config::default();
    let password = Password::hash("touchstone", [1; 16]).unwrap();
    config.access.passwords.insert("ann".into(), password);
    let (broker, address) = serve_as(config, transport).await;
    let scheme = match (websocket, secure) {
        (false, false) => "mqtt",
        (false, true) => "mqtts",
        (true, false) => "ws",
        (true, true) => "wss",
    };
    let url = format!("{scheme}://{address}/mqtt");
    let mut arguments = vec![OsStr::new(MQTTJS), OsStr::new(&url)];
    if secure {
        arguments.push(certificate.path().as_os_str());
    }
    run(
        "node",
        "node, with the package mqtt in NODE_PATH",
        &arguments,
    )
    .await;
    broker.stop().await;
}

#[tokio::test]
async fn paho_over_tcp() {
    paho(false, false).await;
}

#[tokio::test]
async fn paho_over_tls() {
    paho(false, true).await;
}

#[tokio::test]
async fn paho_over_websocket() {
    paho(true, false).await;
}

#[tokio::test]
async fn paho_over_secure_websocket() {
    paho(true, true).await;
}

#[tokio::test]
async fn mqttjs_over_tcp() {
    mqttjs(false, false).await;
}

#[tokio::test]
async fn mqttjs_over_tls() {
    mqttjs(false, true).await;
}

#[tokio::test]
async fn mqttjs_over_websocket() {
    mqttjs(true, false).await;
}

#[tokio::test]
async fn mqttjs_over_secure_websocket() {
    mqttjs(true, true).await;
}
