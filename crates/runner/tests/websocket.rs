//! Targets at `ws://`: every scenario is played over WebSocket there, and what is no such listener is told apart.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::net::SocketAddr;
use std::thread;

use broker::rules::ClauseSet;
use broker::shell::Transport;
use broker::{Broker, Config};
use clauses::clause;
use runner::event::Verdict;
use runner::{AdmissionError, At};
use support::{brisk, plan, play};
use tokio::net::TcpListener;

const PINGS: &str = "title: The server answers a PINGREQ
clauses: [v5.0/MQTT-3.12.4-1]
clients: [a]
steps:
  - a pings
";

const CHOOSES: &str = "title: The server chooses mqtt
clauses: [v5.0/MQTT-6.0.0-4]
requires: [websocket]
clients: []
steps:
  - a opens: { transport: ws, frames: 3, offer: [other, mqtt], gets: { subprotocol: mqtt } }
  - a connects
  - a pings
";

const TEXT: &str = "title: A text frame closes the connection
clauses: [v5.0/MQTT-6.0.0-1]
requires: [websocket]
clients: []
steps:
  - a opens: { transport: ws }
  - a connects
  - a !> PUBLISH: { topic: <t>, payload: text, qos: 0, but: { frame: text } }
  - a <- closed
";

/// A broker that disobeys these clauses and listens twice, once for WebSocket; it ends with the test's process.
fn listen(disobeyed: ClauseSet) -> (SocketAddr, SocketAddr) {
    let (tell, hear) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let broker = Broker::start(Config {
                broken: disobeyed,
                ..Config::default()
            })
            .unwrap();
            let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let web = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send((tcp.local_addr().unwrap(), web.local_addr().unwrap()))
                .unwrap();
            broker.listen(tcp, Transport::PLAIN);
            broker.listen(web, Transport::WEBSOCKET);
            std::future::pending::<()>().await;
        });
    });
    hear.recv().unwrap()
}

fn at(scheme: &str, address: SocketAddr) -> At {
    At::Address(format!("{scheme}://{address}/mqtt").parse().unwrap())
}

#[test]
fn a_target_is_played_over_the_transport_of_its_address() {
    let plan = plan(&[("ping/answered", PINGS), ("websocket/chooses", CHOOSES)]);
    let (tcp, web) = listen(ClauseSet::EMPTY);
    let (outcome, told) = play(&plan, &at("ws", web), &brisk());
    assert_eq!(outcome.unwrap().exit_status(), 0, "{told:?}");
    assert_eq!(told.verdict("ping/answered@v5.0/ws"), &Verdict::Pass);
    assert_eq!(told.verdict("websocket/chooses@v5.0/ws"), &Verdict::Pass);

    let tcp = At::Address(format!("mqtt://{tcp}").parse().unwrap());
    let (_, told) = play(&plan, &tcp, &brisk());
    let Verdict::Skip { reason } = told.verdict("websocket/chooses@v5.0/tcp") else {
        panic!("{told:?}")
    };
    assert_eq!(
        reason,
        "requires `websocket`: no address at ws:// or wss:// is known of it"
    );
}

#[test]
fn who_breaks_the_rules_of_section_6_is_found_out() {
    let plan = plan(&[("websocket/chooses", CHOOSES), ("websocket/text", TEXT)]);
    for (clause, fails, passes) in [
        (clause!("v5.0/MQTT-6.0.0-4"), "chooses", "text"),
        (clause!("v5.0/MQTT-6.0.0-1"), "text", "chooses"),
    ] {
        let (_, web) = listen([clause].into_iter().collect());
        let (_, told) = play(&plan, &at("ws", web), &brisk());
        let verdict = |name| told.verdict(&format!("websocket/{name}"));
        assert_eq!(verdict(fails), &Verdict::Fail, "{told:?}");
        assert_eq!(verdict(passes), &Verdict::Pass, "{told:?}");
    }
}

#[test]
fn a_listener_for_tcp_opens_no_websocket() {
    let (tcp, _) = listen(ClauseSet::EMPTY);
    let (outcome, _) = play(&plan(&[("ping/answered", PINGS)]), &at("ws", tcp), &brisk());
    let error = outcome.unwrap_err();
    assert!(
        matches!(error, AdmissionError::NoWebSocket { .. }),
        "{error}"
    );
}
