//! `mqtt-assay broker`: serves the reference broker until Ctrl-C.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use broker::shell::Transport;
use broker::{Broker, Config};
use clap::Args;
use clauses::ClauseId;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::task::LocalSet;

use crate::failure::Failure;
use crate::signal;

/// Serve the reference broker until Ctrl-C.
///
/// It obeys MQTT 3.1, 3.1.1 and 5.0 to the letter, except for the clauses that it is told to break.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// An address and port to listen on, with ws:// before it for WebSocket; port 0 lets the system choose, and the
    /// choice is printed.
    #[arg(long, short, value_name = "ADDRESS", default_value = "127.0.0.1:1883")]
    listen: Vec<String>,

    /// Disobey this clause, such as `v5.0/MQTT-3.3.1-9`: what does a client do then?
    #[arg(long = "break", value_name = "CLAUSE")]
    broken: Vec<String>,

    /// The largest packet taken from a client, in bytes.
    #[arg(long, value_name = "BYTES")]
    maximum_packet_size: Option<u32>,

    /// How many QoS 2 messages one client may have in flight.
    #[arg(long, value_name = "N")]
    receive_maximum: Option<u16>,

    /// The highest QoS that clients may publish with: 0, 1 or 2.
    #[arg(long, value_name = "QOS", value_parser = clap::value_parser!(u8).range(0..=2))]
    maximum_qos: Option<u8>,

    /// The Keep Alive, in seconds, that clients of 5.0 are given in place of their own.
    #[arg(long, value_name = "SECONDS")]
    server_keep_alive: Option<u16>,

    /// Offer no retained messages.
    #[arg(long)]
    no_retain: bool,

    /// Refuse clients without this user name and password; given once per user.
    #[arg(long, value_name = "NAME:PASSWORD")]
    user: Vec<String>,
}

impl Serve {
    pub(crate) fn execute(&self) -> Result<u8, Failure> {
        let config = self.config()?;
        let places = self.places()?;
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
        LocalSet::new().block_on(&runtime, serve(config, &places))?;
        Ok(0)
    }

    fn config(&self) -> Result<Config, Failure> {
        let mut broken = Vec::new();
        for text in &self.broken {
            broken.push(ClauseId::parse(text).map_err(|error| Failure::of(&error))?);
        }
        let mut config = Config::breaking(broken);
        if let Some(bytes) = self.maximum_packet_size {
            config.limits.maximum_packet_size = bytes;
        }
        if let Some(messages) = self.receive_maximum {
            config.limits.receive_maximum = messages;
        }
        if let Some(qos) = self.maximum_qos {
            config.features.maximum_qos = codec::QoS::from_bits(qos);
        }
        config.limits.server_keep_alive = self.server_keep_alive;
        config.features.retain = !self.no_retain;
        for user in &self.user {
            let (name, password) = user.split_once(':').ok_or_else(|| {
                Failure::new(format!(
                    "`{user}` is no user: there is no `:` between name and password"
                ))
            })?;
            config.access.passwords.insert(name.into(), password.into());
            config.access.anonymous = false;
        }
        config.check().map_err(|error| Failure::of(&error))?;
        Ok(config)
    }

    fn places(&self) -> Result<Vec<Place>, Failure> {
        let mut places = Vec::new();
        for text in &self.listen {
            let (scheme, authority) = match text.split_once("://") {
                Some(("ws", authority)) => (Scheme::WebSocket, authority),
                Some(("mqtt", authority)) => (Scheme::Mqtt, authority),
                _ => (Scheme::Mqtt, text.as_str()),
            };
            let found = authority.to_socket_addrs().map_err(|error| {
                Failure::new(format!("`{text}` is no address to listen on: {error}"))
                    .help("write it as HOST:PORT, such as 127.0.0.1:1883 or [::1]:1883, or as ws://HOST:PORT")
            })?;
            places.extend(found.map(|address| Place { scheme, address }));
        }
        Ok(places)
    }
}

/// Where to listen, and for what.
#[derive(Clone, Copy)]
struct Place {
    scheme: Scheme,
    address: SocketAddr,
}

#[derive(Clone, Copy)]
enum Scheme {
    Mqtt,
    WebSocket,
}

async fn serve(config: Config, places: &[Place]) -> Result<(), Failure> {
    let disobeyed: Vec<&str> = config.broken.iter().map(ClauseId::name).collect();
    let broker = Broker::start(config).map_err(|error| Failure::of(&error))?;
    for Place { scheme, address } in places {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| taken(*address, &error))?;
        let address = listener.local_addr().unwrap_or(*address);
        match scheme {
            Scheme::Mqtt => {
                anstream::println!("The reference broker listens on mqtt://{address}");
                broker.listen(listener, Transport::PLAIN);
            }
            Scheme::WebSocket => {
                anstream::println!("The reference broker listens on ws://{address}");
                broker.listen(listener, Transport::WEBSOCKET);
            }
        }
    }
    for clause in disobeyed {
        anstream::println!("It disobeys {clause}");
    }
    anstream::println!("Press Ctrl-C to end it");
    let waited = signal::ctrl_c().await;
    broker.stop().await;
    waited.map_err(|error| Failure::new(format!("cannot listen for Ctrl-C: {error}")))
}

fn taken(address: SocketAddr, error: &io::Error) -> Failure {
    let failure = Failure::new(format!("cannot listen on {address}: {error}"));
    match error.kind() {
        io::ErrorKind::AddrInUse => failure
            .note("another program listens there, perhaps another broker")
            .help("choose another port with `--listen`; `--listen 127.0.0.1:0` takes a free one"),
        io::ErrorKind::PermissionDenied => {
            failure.help("ports below 1024 belong to the administrator; choose a higher one")
        }
        io::ErrorKind::AddrNotAvailable => {
            failure.help("listen on an address of this machine, such as 127.0.0.1 or 0.0.0.0")
        }
        _ => failure,
    }
}
