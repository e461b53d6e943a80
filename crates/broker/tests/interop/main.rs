//! Other people's clients against the broker, over TCP, TLS and WebSocket: Mosquitto's `mosquitto_pub` and
//! `mosquitto_sub`, Paho for Python, mqtt.js, and rumqttc. They must be installed; these tests fail where they are not.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod rumqttc;
mod scripts;

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Output, Stdio};
use std::time::Duration;

use broker::shell::{Certificate, Tls, Transport};
use broker::{Broker, Config};
use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Long enough for a busy machine; nothing waits for it when all goes well.
const PATIENCE: Duration = Duration::from_mins(1);
const VERSIONS: [&str; 3] = ["mqttv31", "mqttv311", "mqttv5"];

async fn serve() -> (Broker, SocketAddr) {
    serve_over(Transport::PLAIN).await
}

async fn serve_over(transport: Transport) -> (Broker, SocketAddr) {
    serve_as(Config::default(), transport).await
}

async fn serve_as(config: Config, transport: Transport) -> (Broker, SocketAddr) {
    let broker = Broker::start(config).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    broker.listen(listener, transport);
    (broker, address)
}

/// TLS, and the file of the certificate by which clients trust it.
fn tls() -> (Tls, NamedTempFile) {
    let certificate = Certificate::self_signed(&["127.0.0.1"]).unwrap();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(certificate.as_pem().as_bytes()).unwrap();
    (Tls::new(certificate).unwrap(), file)
}

fn command(program: &str, address: SocketAddr, arguments: &[&str]) -> Command {
    // Line by line: what a client tells would else be held back until it ends.
    let mut command = Command::new("stdbuf");
    command
        .args(["-oL", program])
        .args(["-h", &address.ip().to_string()])
        .args(["-p", &address.port().to_string()])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

fn started(program: &str, child: std::io::Result<Child>) -> Child {
    child.unwrap_or_else(|error| {
        panic!(
            "{program} could not be started ({error}): install Debian's package mosquitto-clients"
        )
    })
}

async fn run(program: &str, address: SocketAddr, arguments: &[&str]) -> Output {
    let child = started(program, command(program, address, arguments).spawn());
    let output = timeout(PATIENCE, child.wait_with_output())
        .await
        .unwrap_or_else(|_| panic!("{program} {arguments:?} does not end"))
        .unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {output:?}"
    );
    output
}

async fn publish(address: SocketAddr, arguments: &[&str]) {
    run("mosquitto_pub", address, arguments).await;
}

async fn subscribe(address: SocketAddr, arguments: &[&str]) -> String {
    let output = run("mosquitto_sub", address, arguments).await;
    String::from_utf8(output.stdout).unwrap()
}

/// Starts a subscriber and waits until it is subscribed.
async fn subscribed(address: SocketAddr, arguments: &[&str]) -> Child {
    let mut child = started(
        "mosquitto_sub",
        command("mosquitto_sub", address, arguments)
            .arg("-d")
            .spawn(),
    );
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let ready = async {
        let mut line = String::new();
        while !line.starts_with("Subscribed") {
            line.clear();
            let length = output.read_line(&mut line).await.unwrap();
            assert_ne!(
                length, 0,
                "mosquitto_sub {arguments:?} ended before it was subscribed"
            );
        }
    };
    timeout(PATIENCE, ready)
        .await
        .expect("a subscription in time");
    child.stdout = Some(output.into_inner());
    child
}

#[tokio::test]
async fn mosquitto_receives_what_waited_for_it() {
    let (broker, address) = serve().await;
    for version in VERSIONS {
        let session = ["-V", version, "-i", version, "-c", "-q", "2", "-t", "t/+"];
        let keep = if version == "mqttv5" {
            ["-x", "600"].as_slice()
        } else {
            &[]
        };
        let leave = [session.as_slice(), keep, &["-E"]].concat();
        subscribe(address, &leave).await;
        for qos in ["1", "2"] {
            for sender in VERSIONS {
                let message = format!("{sender} {qos}");
                publish(
                    address,
                    &["-V", sender, "-q", qos, "-t", "t/x", "-m", &message],
                )
                .await;
            }
        }
        let again = [session.as_slice(), keep, &["-C", "6", "-F", "%t %q %p"]].concat();
        assert_eq!(
            subscribe(address, &again).await,
            "t/x 1 mqttv31 1\nt/x 1 mqttv311 1\nt/x 1 mqttv5 1\nt/x 2 mqttv31 2\nt/x 2 mqttv311 2\nt/x 2 mqttv5 2\n",
            "{version}"
        );
        // The session has nothing left, and goes.
        subscribe(address, &["-V", version, "-i", version, "-t", "t", "-E"]).await;
    }
    broker.stop().await;
}

#[tokio::test]
async fn mosquitto_receives_messages_as_they_come() {
    let (broker, address) = serve().await;
    for version in VERSIONS {
        for qos in ["0", "1", "2"] {
            let arguments = ["-V", version, "-q", qos, "-t", "live/#", "-C", "1", "-N"];
            let mut child = subscribed(address, &arguments).await;
            publish(
                address,
                &["-V", version, "-q", qos, "-t", "live/x", "-m", "hello"],
            )
            .await;
            let mut output = String::new();
            let mut stdout = child.stdout.take().unwrap();
            timeout(PATIENCE, stdout.read_to_string(&mut output))
                .await
                .unwrap()
                .unwrap();
            assert!(output.contains("hello"), "{version} {qos}: {output}");
            assert!(child.wait().await.unwrap().success());
        }
    }
    broker.stop().await;
}

#[tokio::test]
async fn mosquitto_receives_retained_messages() {
    let (broker, address) = serve().await;
    for version in VERSIONS {
        publish(
            address,
            &["-V", version, "-r", "-q", "1", "-t", "kept", "-m", version],
        )
        .await;
        let format = ["-C", "1", "-F", "%r %p"];
        let arguments = [["-V", version, "-t", "kept"].as_slice(), &format].concat();
        assert_eq!(
            subscribe(address, &arguments).await,
            format!("1 {version}\n")
        );
        publish(address, &["-V", version, "-r", "-t", "kept", "-n"]).await;
    }
    broker.stop().await;
}

#[tokio::test]
async fn mosquitto_receives_the_will_of_a_client_that_dies() {
    let (broker, address) = serve().await;
    for version in VERSIONS {
        let witness = subscribed(
            address,
            &["-V", version, "-t", "gone", "-q", "1", "-C", "1"],
        )
        .await;
        let will = [
            "--will-topic",
            "gone",
            "--will-payload",
            version,
            "--will-qos",
            "1",
        ];
        let arguments = [["-V", version, "-t", "nothing"].as_slice(), &will].concat();
        let mut dying = subscribed(address, &arguments).await;
        dying.kill().await.unwrap();
        let output = timeout(PATIENCE, witness.wait_with_output())
            .await
            .unwrap()
            .unwrap();
        assert!(
            String::from_utf8_lossy(&output.stdout).contains(version),
            "{output:?}"
        );
    }
    broker.stop().await;
}

#[tokio::test]
async fn mosquitto_talks_over_tls() {
    let (tls, certificate) = tls();
    let (broker, address) = serve_over(Transport::PLAIN.over(tls)).await;
    let trust = [
        "--cafile",
        certificate.path().to_str().unwrap(),
        "--tls-alpn",
        "mqtt",
    ];
    for version in VERSIONS {
        for qos in ["0", "1", "2"] {
            let kept = ["-V", version, "-r", "-q", qos, "-t", "kept", "-m", qos];
            publish(address, &[&trust[..], &kept].concat()).await;
            let format = [
                "-V", version, "-q", "2", "-t", "kept", "-C", "1", "-F", "%q %r %p",
            ];
            let got = subscribe(address, &[&trust[..], &format].concat()).await;
            assert_eq!(got, format!("{qos} 1 {qos}\n"));
        }
    }
    broker.stop().await;
}
