//! `mosquitto_pub` and `mosquitto_sub`, in every version, over TCP and TLS: QoS 0 to 2, retained messages and Wills.

use std::net::SocketAddr;
use std::process::{Output, Stdio};

use broker::Broker;
use broker::shell::Transport;
use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::{PATIENCE, serve_over, tls};

const VERSIONS: [&str; 3] = ["mqttv31", "mqttv311", "mqttv5"];

/// A broker, and how Mosquitto's clients find and trust it.
struct Served {
    broker: Broker,
    address: SocketAddr,
    certificate: Option<NamedTempFile>,
}

impl Served {
    async fn over_tcp() -> Self {
        let (broker, address) = serve_over(Transport::PLAIN).await;
        Self {
            broker,
            address,
            certificate: None,
        }
    }

    async fn over_tls() -> Self {
        let (tls, certificate) = tls();
        let (broker, address) = serve_over(Transport::PLAIN.over(tls)).await;
        Self {
            broker,
            address,
            certificate: Some(certificate),
        }
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        // Line by line: what a client tells would else be held back until it ends.
        let mut command = Command::new("stdbuf");
        command
            .args(["-oL", program])
            .args(["-h", &self.address.ip().to_string()])
            .args(["-p", &self.address.port().to_string()])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if let Some(certificate) = &self.certificate {
            command.arg("--cafile").arg(certificate.path());
            command.args(["--tls-alpn", "mqtt"]);
        }
        command
    }

    async fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let child = started(program, self.command(program, arguments).spawn());
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

    async fn publish(&self, arguments: &[&str]) {
        self.run("mosquitto_pub", arguments).await;
    }

    async fn subscribe(&self, arguments: &[&str]) -> String {
        let output = self.run("mosquitto_sub", arguments).await;
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts a subscriber and waits until it is subscribed.
    async fn subscribed(&self, arguments: &[&str]) -> Child {
        let mut command = self.command("mosquitto_sub", arguments);
        let mut child = started("mosquitto_sub", command.arg("-d").spawn());
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
}

fn started(program: &str, child: std::io::Result<Child>) -> Child {
    child.unwrap_or_else(|error| {
        panic!(
            "{program} could not be started ({error}): install Debian's package mosquitto-clients"
        )
    })
}

async fn receives_what_waited_for_it(served: Served) {
    for version in VERSIONS {
        let session = ["-V", version, "-i", version, "-c", "-q", "2", "-t", "t/+"];
        let keep = if version == "mqttv5" {
            ["-x", "600"].as_slice()
        } else {
            &[]
        };
        let leave = [session.as_slice(), keep, &["-E"]].concat();
        served.subscribe(&leave).await;
        for qos in ["1", "2"] {
            for sender in VERSIONS {
                let message = format!("{sender} {qos}");
                served
                    .publish(&["-V", sender, "-q", qos, "-t", "t/x", "-m", &message])
                    .await;
            }
        }
        let again = [session.as_slice(), keep, &["-C", "6", "-F", "%t %q %p"]].concat();
        assert_eq!(
            served.subscribe(&again).await,
            "t/x 1 mqttv31 1\nt/x 1 mqttv311 1\nt/x 1 mqttv5 1\nt/x 2 mqttv31 2\nt/x 2 mqttv311 2\nt/x 2 mqttv5 2\n",
            "{version}"
        );
        // The session has nothing left, and goes.
        served
            .subscribe(&["-V", version, "-i", version, "-t", "t", "-E"])
            .await;
    }
    served.broker.stop().await;
}

async fn receives_messages_as_they_come(served: Served) {
    for version in VERSIONS {
        for qos in ["0", "1", "2"] {
            let arguments = ["-V", version, "-q", qos, "-t", "live/#", "-C", "1", "-N"];
            let mut child = served.subscribed(&arguments).await;
            served
                .publish(&["-V", version, "-q", qos, "-t", "live/x", "-m", "hello"])
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
    served.broker.stop().await;
}

async fn receives_retained_messages(served: Served) {
    for version in VERSIONS {
        served
            .publish(&["-V", version, "-r", "-q", "1", "-t", "kept", "-m", version])
            .await;
        let format = ["-C", "1", "-F", "%r %p"];
        let arguments = [["-V", version, "-t", "kept"].as_slice(), &format].concat();
        assert_eq!(served.subscribe(&arguments).await, format!("1 {version}\n"));
        served
            .publish(&["-V", version, "-r", "-t", "kept", "-n"])
            .await;
    }
    served.broker.stop().await;
}

async fn receives_the_will_of_a_client_that_dies(served: Served) {
    for version in VERSIONS {
        let witness = served
            .subscribed(&["-V", version, "-t", "gone", "-q", "1", "-C", "1"])
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
        let mut dying = served.subscribed(&arguments).await;
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
    served.broker.stop().await;
}

#[tokio::test]
async fn over_tcp() {
    receives_what_waited_for_it(Served::over_tcp().await).await;
    receives_messages_as_they_come(Served::over_tcp().await).await;
    receives_retained_messages(Served::over_tcp().await).await;
    receives_the_will_of_a_client_that_dies(Served::over_tcp().await).await;
}

#[tokio::test]
async fn over_tls() {
    receives_what_waited_for_it(Served::over_tls().await).await;
    receives_messages_as_they_come(Served::over_tls().await).await;
    receives_retained_messages(Served::over_tls().await).await;
    receives_the_will_of_a_client_that_dies(Served::over_tls().await).await;
}
