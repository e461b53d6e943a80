//! `mqtt-assay broker`: serves the reference broker until Ctrl-C.

mod configuration;
mod data;
mod listen;
mod log;
mod passwords;
mod tls;
mod trace;

use std::path::PathBuf;

use broker::shell::Transport;
use clap::Args;
use tokio::runtime;
use tokio::task::LocalSet;

use crate::failure::Failure;
use crate::signal;
use configuration::Configuration;
use listen::{Bound, Scheme, SocketFiles};

/// As many files as may be open at most: connections, and some room.
const FILES: u64 = 1 << 20;

/// Serve the reference broker until Ctrl-C.
///
/// It obeys MQTT 3.1, 3.1.1 and 5.0 to the letter, except for the clauses that it is told to break. What can be
/// given here can also stand in a file (`--config`), with more; an option outweighs the file.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Read the configuration from this YAML file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Keep Sessions, their Wills and retained messages in this directory, so that they survive a restart; without
    /// it they are kept in memory.
    ///
    /// The directory is made where there is none, and belongs to one broker at a time. Whatever the broker
    /// acknowledges was written before, and handed to the disk (fsync): when the process is killed at any moment,
    /// nothing acknowledged is lost and nothing of QoS 2 is doubled. The same holds when the power fails, if the file
    /// system and the disk keep what they report as written; a store that did not survive is refused at the start.
    #[arg(long, value_name = "DIRECTORY")]
    data: Option<PathBuf>,

    /// Print a configuration file with all there is to say, each with its default, and end.
    #[arg(long, exclusive = true)]
    example: bool,

    /// Say whether the configuration could be served, and where, and end.
    #[arg(long)]
    check: bool,

    /// Print every packet that comes and goes, as a scenario would write it; passwords too.
    #[arg(long)]
    trace: bool,

    /// What to log to standard error, such as `warn`, `debug` or `off`.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log: String,

    #[command(flatten)]
    where_to: WhereTo,

    #[command(flatten)]
    what: What,

    #[command(flatten)]
    who: Who,
}

/// Where to listen.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where to listen")]
struct WhereTo {
    /// Listen here: mqtt://HOST:PORT, mqtts://…, ws://…, wss://… or unix:PATH; given once per place. Port 0 lets the
    /// system choose, and the choice is printed. By default it is `mqtt://127.0.0.1:1883`.
    #[arg(long, short, value_name = "URL")]
    listen: Vec<String>,

    /// The certificate for TLS, in PEM, with those that vouch for it behind it.
    #[arg(long, value_name = "FILE", conflicts_with = "tls_self_signed")]
    tls_cert: Option<PathBuf>,

    /// The certificate's private key, in PEM.
    #[arg(long, value_name = "FILE", conflicts_with = "tls_self_signed")]
    tls_key: Option<PathBuf>,

    /// Demand certificates of clients that one of these authorities (in PEM) vouches for.
    #[arg(long, value_name = "FILE")]
    tls_client_ca: Option<PathBuf>,

    /// Make a certificate for this run, for the hosts listened on, and write it to this file: clients trust it by that.
    #[arg(long, value_name = "FILE")]
    tls_self_signed: Option<PathBuf>,
}

/// What is served.
#[derive(Debug, Args)]
#[command(next_help_heading = "What to serve")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own"
)]
struct What {
    /// Disobey this clause, such as `v5.0/MQTT-3.3.1-9`, or only what it says of one field that clients send, such as
    /// `v5.0/MQTT-1.5.4-1/PUBLISH.topic`: what does a client do then?
    #[arg(long = "break", value_name = "CLAUSE")]
    broken: Vec<String>,

    /// The highest QoS that clients may publish with: 0, 1 or 2.
    #[arg(long, value_name = "QOS", value_parser = clap::value_parser!(u8).range(0..=2))]
    maximum_qos: Option<u8>,

    /// Offer no retained messages.
    #[arg(long)]
    no_retain: bool,

    /// Offer no wildcards in Topic Filters.
    #[arg(long)]
    no_wildcards: bool,

    /// Offer no Shared Subscriptions.
    #[arg(long)]
    no_shared_subscriptions: bool,

    /// Offer no Subscription Identifiers.
    #[arg(long)]
    no_subscription_identifiers: bool,

    /// The largest packet taken from a client, in bytes.
    #[arg(long, value_name = "BYTES")]
    maximum_packet_size: Option<u32>,

    /// How many QoS 2 messages one client may have in flight.
    #[arg(long, value_name = "N")]
    receive_maximum: Option<u16>,

    /// How many Topic Aliases one client may use; 0 for none.
    #[arg(long, value_name = "N")]
    topic_alias_maximum: Option<u16>,

    /// The Keep Alive, in seconds, that clients of 5.0 are given in place of their own.
    #[arg(long, value_name = "SECONDS")]
    server_keep_alive: Option<u16>,

    /// Serve nobody, and send clients to this server, such as other.example:1883.
    #[arg(long, value_name = "SERVER")]
    redirect: Option<String>,

    /// Serve, and send clients to this server when the broker stops.
    #[arg(long, value_name = "SERVER", conflicts_with = "redirect")]
    redirect_on_stop: Option<String>,
}

/// Who is served.
#[derive(Debug, Args)]
#[command(next_help_heading = "Whom to serve")]
struct Who {
    /// Refuse clients without this user name and password; given once per user.
    #[arg(long, value_name = "NAME:PASSWORD")]
    user: Vec<String>,

    /// Refuse clients whose user name and password do not stand in this file, one `NAME:PASSWORD` a line, where the
    /// password may be hashed (see --hash-password).
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// Serve clients without a user name too, where there are passwords for those with one.
    #[arg(long)]
    anonymous: bool,

    /// What a user, or without one everybody, may do in the topics of a filter, as in the file: `{ user: ann, filter:
    /// "private/#", publish: true, subscribe: false }`. Given once per permission; the first that fits decides, before
    /// those of the file, and what none fits is permitted.
    #[arg(long, value_name = "PERMISSION")]
    permission: Vec<String>,

    /// Read a password from standard input, print the line of a password file for this user, and end.
    #[arg(long, value_name = "NAME", exclusive = true)]
    hash_password: Option<String>,

    /// Refuse this Client Identifier.
    #[arg(long, value_name = "ID")]
    refuse_client_id: Vec<String>,
}

impl Serve {
    pub(crate) fn execute(&self) -> Result<u8, Failure> {
        if self.example {
            anstream::print!("{}", configuration::EXAMPLE);
            return Ok(0);
        }
        if let Some(user) = &self.who.hash_password {
            passwords::print_hashed(user)?;
            return Ok(0);
        }
        let configuration = Configuration::gather(self)?;
        log::begin(&self.log)?;
        // A connection is a file. Where the system gives no more, the broker serves as many as it can.
        let _ = rlimit::increase_nofile_limit(FILES);
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
        LocalSet::new().block_on(&runtime, self.serve(configuration))?;
        Ok(0)
    }

    async fn serve(&self, configuration: Configuration) -> Result<(), Failure> {
        let Configuration {
            config,
            places,
            tls,
            data,
        } = configuration;
        config.check().map_err(|error| Failure::of(&error))?;
        let certificate = tls.certificate(&places)?;
        // Whoever only asks makes no directory.
        let data = data.filter(|directory| !self.check || directory.exists());
        let store = data.as_deref().map(data::open).transpose()?;
        // All of it, before the first client is served: a broker that listens somewhere listens everywhere.
        let mut bound = Vec::new();
        for place in &places {
            bound.extend(place.bind().await?);
        }
        let _socket_files = SocketFiles::of(&bound);
        if self.check {
            for Bound { url, .. } in &bound {
                anstream::println!("The reference broker could listen on {url}");
            }
            return Ok(());
        }
        let disobeyed: Vec<_> = config.disobeyed().collect();
        if let Some(served) = &certificate {
            served.write_own()?;
        }
        let broker = data::start(config, store)?;
        if self.trace {
            broker.trace(trace::print);
        }
        for Bound {
            listener,
            url,
            scheme,
            ..
        } in bound
        {
            anstream::println!("The reference broker listens on {url}");
            broker.listen(listener, transport(scheme, certificate.as_ref()));
        }
        if let Some(own) = certificate.as_ref().and_then(|served| served.own.as_ref()) {
            let fingerprint = &own.fingerprint;
            anstream::println!("Its certificate has the SHA-256 fingerprint {fingerprint}");
        }
        for rule in disobeyed {
            anstream::println!("It disobeys {rule}");
        }
        anstream::println!("Press Ctrl-C to end it");
        let waited = tokio::select! {
            waited = signal::ctrl_c() => waited,
            error = broker.failure() => return Err(data::failed(&error)),
        };
        broker.stop().await;
        waited.map_err(|error| Failure::new(format!("cannot listen for Ctrl-C: {error}")))
    }
}

fn transport(scheme: Scheme, tls: Option<&tls::Served>) -> Transport {
    Transport {
        tls: tls
            .filter(|_| scheme.is_secure())
            .map(|served| served.tls.clone()),
        websocket: scheme.is_websocket(),
    }
}
