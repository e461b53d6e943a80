//! Admission: before the first case, finds out whether the target is an MQTT broker at all, and what it has.

use std::io;
use std::time::Duration;

use codec::{
    Packet, Properties, Publish, QoS, Subscribe, SubscriptionOptions, SubscriptionsBuf, Text,
    Version,
};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::client::{Client, Trouble, code_text};
use crate::launch::LaunchError;
use crate::link::{HandshakeError, Transport};
use crate::overtaking;
use crate::target::{Address, Credentials, Declared, Endpoints, Facts, Target, probe};

/// Why a target cannot be played at all.
#[derive(Debug, thiserror::Error)]
pub enum AdmissionError {
    /// The host name means nothing.
    #[error("{address}: the host name cannot be resolved: {source}; check its spelling")]
    Unresolved {
        /// The target.
        address: String,
        /// What the resolver says.
        source: io::Error,
    },
    /// Nobody listens.
    #[error(
        "{address}: nobody listens there, the connection was refused; start the broker, or check the port (MQTT's own is 1883)"
    )]
    Refused {
        /// The target.
        address: String,
    },
    /// The connection cannot be opened, for another reason.
    #[error("{address}: the connection cannot be opened: {source}; check host, port and firewall")]
    Unreachable {
        /// The target.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// Something listens and opens no WebSocket.
    #[error(
        "{address}: no WebSocket is opened there: {source}; check the port and the path (many brokers want /mqtt)"
    )]
    NoWebSocket {
        /// The target.
        address: String,
        /// What the server did instead.
        source: io::Error,
    },
    /// Something listens and does not speak MQTT.
    #[error(
        "{address}: this is no MQTT broker: {seen}; check the port (TLS and WebSocket listeners are others)"
    )]
    NotMqtt {
        /// The target.
        address: String,
        /// What it answered to CONNECT.
        seen: String,
    },
    /// Something listens and does not answer.
    #[error(
        "{address}: it accepts connections and does not answer CONNECT within {} s; see whether MQTT is spoken there at all, whether the broker hangs, or whether this is its TLS port",
        within.as_secs()
    )]
    NoAnswer {
        /// The target.
        address: String,
        /// How long an answer was waited for.
        within: Duration,
    },
    /// Connections end before CONNACK.
    #[error(
        "{address}: it accepts connections and ends them without a CONNACK ({seen}); see the broker's log for the reason"
    )]
    Closes {
        /// The target.
        address: String,
        /// How the connection ended.
        seen: String,
    },
    /// It is a broker and lets nobody in.
    #[error(
        "{address}: CONNACK refuses a sound CONNECT with {}; {}",
        code_text(*code, *version),
        what_to_say_who_comes(user.as_deref())
    )]
    LetsNobodyIn {
        /// The target.
        address: String,
        /// CONNACK's code.
        code: u8,
        /// The version that tells what the code means.
        version: Version,
        /// Who came; nobody in particular where no credentials are known.
        user: Option<String>,
    },
    /// It is a broker and cannot deliver a message.
    #[error(
        "{address}: it cannot deliver a single QoS 0 message to the client that subscribed: {seen}; nothing could be judged, see whether clients may publish and subscribe"
    )]
    DeliversNothing {
        /// The target.
        address: String,
        /// What was seen.
        seen: String,
    },
    /// No TLS with whoever listens there.
    #[error(
        "{address}: {source}; check the port; --tls-ca FILE names the CA that its certificate is to be trusted by, --tls-cert FILE the certificate that it may want to see"
    )]
    NoTls {
        /// The target.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// A transport is asked for, and no address of the target has it.
    #[error("{address}: no address over {transport} is given; add one with another --target")]
    NoAddress {
        /// The target.
        address: String,
        /// The transport.
        transport: Transport,
    },
    /// It cannot be started.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The runner itself cannot start.
    #[error("the runner cannot start: {0}")]
    Runtime(io::Error),
}

/// Why a feature is absent that an address tells nothing of.
pub(crate) const NOT_CONFIGURED: &str =
    "the target is played as it is, and it is not known to be configured for this";

/// Who asks, and for what.
pub(crate) struct Admission<'a> {
    /// The versions that cases want to be played in.
    pub(crate) versions: &'a [Version],
    /// A topic and the beginning of Client Identifiers that nobody else uses.
    pub(crate) token: &'a str,
    /// How long each answer is waited for.
    pub(crate) within: Duration,
    /// Why a feature is absent that nothing is known of.
    pub(crate) why_absent: &'static str,
}

/// Proves that the target is an MQTT broker that delivers, and learns what it has beside what is said of it.
///
/// Beside 3.1.1 and 5.0 it tries the versions in `also`. What it publishes has `token` for its topic, and each of its
/// answers is waited for `within` this long.
///
/// # Errors
/// The target is not reached, speaks no MQTT, or delivers nothing to a client without privileges.
pub async fn admit(
    endpoints: &Endpoints,
    declared: &Declared,
    also: &[Version],
    token: &str,
    within: Duration,
) -> Result<Facts, AdmissionError> {
    let admission = Admission {
        versions: also,
        token,
        within,
        why_absent: NOT_CONFIGURED,
    };
    admit_as_declared(endpoints, declared, &admission).await
}

/// The same, of a target that something is said of.
pub(crate) async fn admit_as_declared(
    endpoints: &Endpoints,
    declared: &Declared,
    admission: &Admission<'_>,
) -> Result<Facts, AdmissionError> {
    let Admission {
        versions: also,
        token,
        within,
        why_absent,
    } = *admission;
    let address = endpoints.first();
    for address in endpoints.all() {
        reach(address, within).await?;
    }
    let name = address.to_string();
    let credentials = declared.credentials.as_ref();
    let target = Target::at(
        endpoints,
        probe::learn(None, credentials.cloned(), why_absent).into(),
    );
    let mut learnt = None;
    let mut spoken = None;
    let mut unspoken = Vec::new();
    let try_out = async |version: Version| {
        let look = |connack: &codec::Connack<'_>| {
            let connack = version.has_properties().then_some(connack);
            probe::learn(connack, credentials.cloned(), why_absent)
        };
        // With one Client Identifier for all, each would take the session of another over.
        let client_id = format!("{token}{}", version.level());
        let tried = Client::connect(&target, version, &client_id, within, look).await;
        Some((version, tried))
    };
    let oldest = async {
        if also.contains(&Version::V3_1) {
            try_out(Version::V3_1).await
        } else {
            None
        }
    };
    // At once, so that whoever answers to none is not waited for three times.
    let (newest, middle, oldest) =
        tokio::join!(try_out(Version::V5_0), try_out(Version::V3_1_1), oldest);
    for (version, tried) in [newest, middle, oldest].into_iter().flatten() {
        match tried {
            Ok((client, facts)) => {
                learnt.get_or_insert(facts);
                match spoken {
                    None => spoken = Some(client),
                    Some(_) => client.disconnect().await,
                }
            }
            Err(trouble) => unspoken.push((version, trouble)),
        }
    }
    let (Some(client), Some(mut facts)) = (spoken, learnt) else {
        return Err(unspoken
            .into_iter()
            .map(|(_, trouble)| trouble)
            // Of equals the last is taken: the one of the newest version.
            .rev()
            .max_by_key(weight)
            .map_or_else(
                || AdmissionError::NotMqtt {
                    address: name.clone(),
                    seen: "it speaks no version".into(),
                },
                |trouble| refuse(&name, credentials, trouble),
            ));
    };
    tell_of_websocket(endpoints, &mut facts);
    for other in endpoints.all().skip(1) {
        let target = target.by(other.transport);
        let client_id = format!("{token}{}", other.transport);
        let greeted = Client::connect(&target, client.version(), &client_id, within, |_| ()).await;
        let (client, ()) =
            greeted.map_err(|trouble| refuse(&other.to_string(), credentials, trouble))?;
        client.disconnect().await;
    }
    facts.unspoken = unspoken
        .into_iter()
        .map(|(version, trouble)| {
            (
                version,
                format!("the target does not speak {}: {trouble}", version.name()),
            )
        })
        .collect();
    if credentials.is_none() {
        offer_credentials(endpoints, client.version(), token, within, &mut facts).await;
    } else {
        withhold_credentials(endpoints, client.version(), token, within, &mut facts).await;
    }
    declared.apply(&mut facts);
    let mut client = client;
    deliver(&mut client, token)
        .await
        .map_err(|trouble| AdmissionError::DeliversNothing {
            address: name,
            seen: trouble.to_string(),
        })?;
    let admitted = Target::at(endpoints, facts.clone().into());
    facts.overtaking = overtaking::look_for(&mut client, &admitted, token, within).await;
    client.disconnect().await;
    Ok(facts)
}

fn tell_of_websocket(endpoints: &Endpoints, facts: &mut Facts) {
    if endpoints
        .all()
        .any(|address| address.transport.is_websocket())
    {
        facts.features.add("websocket");
    } else {
        let why = "no address at ws:// or wss:// is known of it";
        facts.features.lack("websocket", why);
    }
}

async fn reach(address: &Address, within: Duration) -> Result<(), AdmissionError> {
    let name = address.to_string();
    if address.transport == Transport::Unix {
        // A socket's file is there or not: opening a link tells as much.
        return Ok(());
    }
    let places = lookup_host((address.host.as_str(), address.port))
        .await
        .map_err(|source| AdmissionError::Unresolved {
            address: name.clone(),
            source,
        })?;
    let places: Vec<_> = places.collect();
    let connected = timeout(within, async {
        let mut outcome = Err(io::ErrorKind::AddrNotAvailable.into());
        for place in places {
            outcome = TcpStream::connect(place).await.map(drop);
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    })
    .await
    .unwrap_or_else(|_| {
        let text = format!("no answer within {} s", within.as_secs());
        Err(io::Error::new(io::ErrorKind::TimedOut, text))
    });
    connected.map_err(|source| match source.kind() {
        io::ErrorKind::ConnectionRefused => AdmissionError::Refused { address: name },
        _ => AdmissionError::Unreachable {
            address: name,
            source,
        },
    })
}

/// How much a trouble tells: a code more than bytes, an end more than silence.
fn weight(trouble: &Trouble) -> u8 {
    match trouble {
        Trouble::Refused { .. } => 4,
        Trouble::Garbled { .. } | Trouble::Unexpected { .. } => 3,
        Trouble::Ended { .. } => 2,
        Trouble::Silent { .. } => 1,
        Trouble::Unreachable(_) => 0,
    }
}

fn what_to_say_who_comes(user: Option<&str>) -> String {
    match user {
        Some(user) => {
            format!("see whether the user name `{user}` and its password are right")
        }
        None => "if it demands a password, write mqtt://USER:PASSWORD@HOST:PORT".to_owned(),
    }
}

fn refuse(address: &str, credentials: Option<&Credentials>, trouble: Trouble) -> AdmissionError {
    let address = address.to_owned();
    match trouble {
        Trouble::Unreachable(source) if source.kind() == io::ErrorKind::InvalidData => {
            AdmissionError::NoWebSocket { address, source }
        }
        Trouble::Unreachable(source) if HandshakeError::is_in(&source) => {
            AdmissionError::NoTls { address, source }
        }
        Trouble::Unreachable(source) => AdmissionError::Unreachable { address, source },
        Trouble::Silent { within, .. } => AdmissionError::NoAnswer { address, within },
        Trouble::Refused { code, version } => AdmissionError::LetsNobodyIn {
            address,
            code,
            version,
            user: credentials.map(|credentials| credentials.user.clone()),
        },
        Trouble::Ended { .. } => AdmissionError::Closes {
            address,
            seen: trouble.to_string(),
        },
        Trouble::Garbled { .. } | Trouble::Unexpected { .. } => AdmissionError::NotMqtt {
            address,
            seen: trouble.to_string(),
        },
    }
}

/// Finds out whether a target that demands no credentials takes any.
async fn offer_credentials(
    endpoints: &Endpoints,
    version: Version,
    token: &str,
    within: Duration,
    facts: &mut Facts,
) {
    let offered = Facts {
        credentials: Some(Credentials::of_anybody()),
        ..Facts::default()
    };
    let target = Target::at(endpoints, offered.into());
    let client_id = format!("{token}a");
    if let Ok((client, ())) = Client::connect(&target, version, &client_id, within, |_| ()).await {
        client.disconnect().await;
        facts.takes_any(Credentials::of_anybody());
    }
}

/// Finds out whether a target that is given credentials demands them.
async fn withhold_credentials(
    endpoints: &Endpoints,
    version: Version,
    token: &str,
    within: Duration,
    facts: &mut Facts,
) {
    let target = Target::at(endpoints, Facts::default().into());
    let client_id = format!("{token}a");
    match Client::connect(&target, version, &client_id, within, |_| ()).await {
        Ok((client, ())) => {
            client.disconnect().await;
            let why = "it lets a client in that names no user";
            facts.features.lack("auth", why);
        }
        Err(Trouble::Refused { .. } | Trouble::Ended { .. }) => facts.features.add("auth"),
        Err(_) => {}
    }
}

/// One message of lowest QoS, from the client to itself.
async fn deliver(client: &mut Client, token: &str) -> Result<(), Trouble> {
    let mut filters = SubscriptionsBuf::new();
    filters.push(token, SubscriptionOptions::with_qos(QoS::AT_MOST_ONCE));
    client
        .send(&Packet::Subscribe(Subscribe {
            packet_id: 1,
            properties: Properties::EMPTY,
            filters: filters.as_subscriptions(),
        }))
        .await;
    client
        .receive("SUBACK", |packet| {
            matches!(packet, Packet::Suback(_)).then_some(())
        })
        .await?;
    client
        .send(&Packet::Publish(Publish {
            dup: false,
            qos: QoS::AT_MOST_ONCE,
            retain: false,
            topic: Text::from(token),
            packet_id: None,
            properties: Properties::EMPTY,
            payload: b"admission",
        }))
        .await;
    client
        .receive("PUBLISH", |packet| {
            matches!(packet, Packet::Publish(_)).then_some(())
        })
        .await
}
