//! The brokers, as processes of their own.

use std::fmt;
use std::fs;
use std::future::pending;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use broker::shell::Transport;
use broker::{Broker, Config};
use tempfile::TempDir;
use tokio::runtime::Builder;

/// The argument by which this program serves the reference broker, rather than measure one.
pub(crate) const SERVE: &str = "--serve";

/// Serves the reference broker as the command line does, and prints where.
pub(crate) fn serve() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        let broker = Broker::start(Config::default()).unwrap();
        broker.listen(listener, Transport::PLAIN);
        pending::<()>().await;
    });
}

/// Which broker.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Assay,
    Mosquitto,
}

impl Kind {
    pub(crate) const BOTH: [Self; 2] = [Self::Assay, Self::Mosquitto];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Assay => "mqtt-assay",
            Self::Mosquitto => "mosquitto",
        })
    }
}

/// A broker that runs; killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    _folder: TempDir,
}

impl Process {
    /// Starts it and waits until it listens.
    pub(crate) fn start(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        match kind {
            Kind::Assay => {
                let mut child = Command::new(std::env::current_exe().unwrap())
                    .arg(SERVE)
                    .stdout(Stdio::piped())
                    .spawn()
                    .unwrap();
                let mut line = String::new();
                let stdout = child.stdout.as_mut().unwrap();
                BufReader::new(stdout).read_line(&mut line).unwrap();
                Self {
                    address: line.trim_end().parse().unwrap(),
                    child,
                    _folder: folder,
                }
            }
            Kind::Mosquitto => {
                // It cannot choose a port itself; this one was free a moment ago.
                let address = TcpListener::bind("127.0.0.1:0")
                    .unwrap()
                    .local_addr()
                    .unwrap();
                let file = folder.path().join("mosquitto.conf");
                let text = format!(
                    "listener {} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_connections -1\n",
                    address.port()
                );
                fs::write(&file, text).unwrap();
                let child = Command::new("mosquitto")
                    .arg("-c")
                    .arg(file)
                    .stderr(Stdio::null())
                    .spawn()
                    .expect("the program `mosquitto`");
                while TcpStream::connect(address).is_err() {
                    thread::sleep(Duration::from_millis(10));
                }
                Self {
                    address,
                    child,
                    _folder: folder,
                }
            }
        }
    }

    /// Its resident memory in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .unwrap();
        let kibibytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kibibytes * 1024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
