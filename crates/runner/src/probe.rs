//! [`probe()`]: finds out what a target has, by asking and by trying.

use std::sync::Arc;
use std::time::Duration;

use codec::{
    Packet, PacketType, Properties, PropertiesBuf, Publish, QoS, ReasonCode, Subscribe,
    SubscriptionOptions, SubscriptionsBuf, Text, Version,
};
use tokio::runtime;
use tokio::task::LocalSet;

use crate::admission::AdmissionError;
use crate::client::{Client, Trouble};
use crate::network::{Asker, Site, Source, Station};
use crate::run::At;
use crate::target::{Credentials, Endpoints, Target};

/// What a target has in one of its configurations.
#[derive(Debug)]
pub struct Found {
    /// The configuration, `plain` where there is no other.
    pub configuration: String,
    /// Where it listens.
    pub endpoints: Endpoints,
    /// As whom it was spoken to.
    pub credentials: Option<Credentials>,
    /// The versions, newest first, and why the target is not played in one.
    pub versions: Vec<(Version, Result<(), String>)>,
    /// The features that can be seen, and how it is known that one is absent.
    pub features: Vec<(&'static str, Result<(), String>)>,
    /// The limits that CONNACK of 5.0 announces, and their values.
    pub limits: Vec<(&'static str, String)>,
    /// Where trying showed something else than CONNACK says.
    pub contradictions: Vec<String>,
}

/// The features that are seen by looking and trying; the others are configurations that nobody can guess.
const SEEN: [&str; 9] = [
    "qos 1",
    "qos 2",
    "retain",
    "wildcard",
    "shared",
    "subscription_ids",
    "topic_alias",
    "websocket",
    "auth",
];
/// The limits of which CONNACK tells.
const LIMITS: [&str; 3] = [
    "maximum_packet_size",
    "receive_maximum",
    "server_keep_alive",
];

/// Looks at each configuration of a target; an answer is waited for `within` this long.
///
/// # Errors
/// The target is not reached, or is no MQTT broker.
pub fn probe(at: &At, within: Duration) -> Result<Vec<Found>, AdmissionError> {
    let site = Site::of(at).unwrap_or_default();
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(AdmissionError::Runtime)?;
    runtime.block_on(LocalSet::new().run_until(async {
        let asker = Arc::new(Asker::of_all_versions(within));
        let mut found = Vec::new();
        for source in &site.sources {
            found.push(look_at(&site, source, &asker, within).await?);
        }
        Ok(found)
    }))
}

async fn look_at(
    site: &Site,
    source: &Source,
    asker: &Asker,
    within: Duration,
) -> Result<Found, AdmissionError> {
    let station = Station::open(site, source, asker).await?;
    let target = station.target.clone();
    let endpoints = station.endpoints.clone();
    let facts = target.facts();
    let spoken = |version: Version| {
        let unspoken = facts.unspoken.iter().find(|(other, _)| *other == version);
        unspoken.map_or(Ok(()), |(_, why)| Err(why.clone()))
    };
    let versions = [Version::V5_0, Version::V3_1_1, Version::V3_1];
    let newest = versions
        .into_iter()
        .find(|version| spoken(*version).is_ok());
    let trial = Trial {
        target: &target,
        version: newest.unwrap_or(Version::V3_1_1),
        token: asker.token(2),
        within,
    };
    let mut features = Vec::new();
    let mut contradictions = Vec::new();
    for feature in SEEN {
        let said = facts.features.missing(&[feature]).map_or(Ok(()), Err);
        // Before 5.0 a server does not say what it has; what it says in 5.0 stands, and is held against it.
        match (trial.of(feature).await, said) {
            (Some(tried), _) if !trial.version.has_properties() => features.push((feature, tried)),
            (Some(Err(seen)), Ok(())) => {
                contradictions.push(format!("`{feature}`: CONNACK does not deny it, but {seen}"));
                features.push((feature, Ok(())));
            }
            (_, said) => features.push((feature, said.map_err(|why| without_name(&why)))),
        }
    }
    let limits = LIMITS
        .into_iter()
        .filter_map(|name| Some((name, target.value(name)?)));
    let found = Found {
        configuration: source.name.clone(),
        endpoints,
        credentials: facts.credentials.clone(),
        versions: versions
            .into_iter()
            .map(|version| (version, spoken(version)))
            .collect(),
        features,
        limits: limits.collect(),
        contradictions,
    };
    station.close().await;
    Ok(found)
}

/// The reason alone, of "requires `feature`: reason".
fn without_name(why: &str) -> String {
    let reason = why.split_once(": ").map_or(why, |(_, reason)| reason);
    reason.to_owned()
}

/// A feature is tried out by clients of their own.
struct Trial<'a> {
    target: &'a Target,
    version: Version,
    token: String,
    within: Duration,
}

impl Trial<'_> {
    /// Tries a feature out: whether it works, or what was seen instead. None where there is nothing to try.
    async fn of(&self, feature: &str) -> Option<Result<(), String>> {
        let is_newest = self.version.has_properties();
        let tried = match feature {
            "qos 1" => self.delivers(QoS::AT_LEAST_ONCE).await,
            "qos 2" => self.delivers(QoS::EXACTLY_ONCE).await,
            "retain" => self.retains().await,
            "wildcard" => self.grants(&format!("{}/#", self.token), None).await,
            "shared" if is_newest => {
                let filter = format!("$share/{0}/{0}", self.token);
                self.grants(&filter, None).await
            }
            "subscription_ids" if is_newest => self.grants(&self.token, Some(1)).await,
            _ => return None,
        };
        Some(tried.map_err(|trouble| trouble.to_string()))
    }

    async fn client(&self, name: &str) -> Result<Client, Trouble> {
        let client_id = format!("{}{name}", self.token);
        let connecting =
            Client::connect(self.target, self.version, &client_id, self.within, |_| ());
        Ok(connecting.await?.0)
    }

    /// Whether a subscription is granted at this QoS, and a PUBLISH at it acknowledged.
    async fn delivers(&self, qos: QoS) -> Result<(), Seen> {
        let mut client = self.client("q").await?;
        let code = subscribe(&mut client, &self.token, qos, None).await?;
        if code != qos.value() {
            return Err(Seen::Code("SUBACK", code));
        }
        publish(&mut client, &self.token, qos, false, b"probe").await;
        let wanted = match qos {
            QoS::AT_LEAST_ONCE => PacketType::Puback,
            _ => PacketType::Pubrec,
        };
        // The message itself may come first.
        for _ in 0..2 {
            let answer = client
                .receive(wanted.name(), |packet| Some(packet.packet_type()))
                .await?;
            if answer == wanted {
                client.disconnect().await;
                return Ok(());
            }
        }
        Err(Seen::Missing(wanted.name()))
    }

    /// Whether a retained message reaches a later subscriber. It is cleared afterwards.
    async fn retains(&self) -> Result<(), Seen> {
        let topic = format!("{}/retained", self.token);
        let mut publisher = self.client("r").await?;
        publish(&mut publisher, &topic, QoS::AT_MOST_ONCE, true, b"probe").await;
        publisher.ping().await?;
        let mut subscriber = self.client("s").await?;
        subscribe(&mut subscriber, &topic, QoS::AT_MOST_ONCE, None).await?;
        let retained = subscriber
            .receive("the retained PUBLISH", |packet| match packet {
                Packet::Publish(publish) => Some(publish.retain),
                _ => None,
            })
            .await;
        publish(&mut publisher, &topic, QoS::AT_MOST_ONCE, true, b"").await;
        publisher.ping().await?;
        publisher.disconnect().await;
        subscriber.disconnect().await;
        if retained? {
            Ok(())
        } else {
            Err(Seen::Missing("RETAIN 1 in the PUBLISH to a new subscriber"))
        }
    }

    /// Whether a subscription is granted.
    async fn grants(&self, filter: &str, identifier: Option<u32>) -> Result<(), Seen> {
        let mut client = self.client("g").await?;
        let code = subscribe(&mut client, filter, QoS::AT_MOST_ONCE, identifier).await?;
        if code < ReasonCode::UNSPECIFIED_ERROR.0 {
            client.disconnect().await;
            Ok(())
        } else {
            Err(Seen::Code("SUBACK", code))
        }
    }
}

/// What was seen of a feature that does not work.
#[derive(Debug, thiserror::Error)]
enum Seen {
    #[error("{0}")]
    Trouble(#[from] Trouble),
    #[error("{0} answers 0x{1:02x}")]
    Code(&'static str, u8),
    #[error("{0} does not come")]
    Missing(&'static str),
}

async fn subscribe(
    client: &mut Client,
    filter: &str,
    qos: QoS,
    identifier: Option<u32>,
) -> Result<u8, Seen> {
    let mut filters = SubscriptionsBuf::new();
    filters.push(filter, SubscriptionOptions::with_qos(qos));
    let mut properties = PropertiesBuf::new();
    if let Some(identifier) = identifier {
        properties.subscription_identifier(identifier);
    }
    client
        .send(&Packet::Subscribe(Subscribe {
            packet_id: 1,
            properties: properties.as_properties(),
            filters: filters.as_subscriptions(),
        }))
        .await;
    let code = client
        .receive("SUBACK", |packet| match packet {
            Packet::Suback(suback) => suback.codes.iter().next().map(|code| code.0),
            _ => None,
        })
        .await?;
    Ok(code)
}

async fn publish(client: &mut Client, topic: &str, qos: QoS, retain: bool, payload: &[u8]) {
    client
        .send(&Packet::Publish(Publish {
            dup: false,
            qos,
            retain,
            topic: Text::from(topic),
            packet_id: (qos != QoS::AT_MOST_ONCE).then_some(2),
            properties: Properties::EMPTY,
            payload,
        }))
        .await;
}
