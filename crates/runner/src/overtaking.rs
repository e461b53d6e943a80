//! [`Overtaking`]: a target that lets what comes later overtake what came before, so that a PINGRESP proves little.
//!
//! The barrier takes a PINGRESP for proof that all that went before has arrived. Nothing in the standard promises that
//! across topics, or between a PINGREQ and a PUBLISH that are on their way through the target, and hardly any broker
//! breaks it. Where one is seen to, the barrier waits for a quiet period as well.

use std::cell::Cell;
use std::time::Duration;

use codec::{
    Packet, Pingreq, Properties, Publish, QoS, Subscribe, SubscriptionOptions, SubscriptionsBuf,
    Text,
};
use tokio::time::{Instant, timeout};

use crate::client::{Client, Trouble};
use crate::target::Target;

/// So many topics: a target that spreads topics over threads is likely to have these on several.
const TOPICS: usize = 8;
/// How often each order is looked at.
const ROUNDS: usize = 3;
/// How long all of it may take: a target that delivers less than is asked for here is not judged by it.
const LONGEST: Duration = Duration::from_secs(2);
/// The shortest and the longest quiet period.
const QUIET: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));
/// How much later than what was seen the next one may be.
const MARGIN: u32 = 4;

/// What was seen to come too late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overtaking {
    /// What it was, and what it came behind.
    pub seen: &'static str,
    /// How much later it came.
    pub by: Duration,
}

/// Whether a target is known to let what comes later overtake what came before.
#[derive(Debug, Default)]
pub(crate) struct Order {
    worst: Cell<Option<Overtaking>>,
    told: Cell<bool>,
}

impl Order {
    /// What admission has seen.
    pub(crate) fn of(seen: Option<Overtaking>) -> Self {
        Self {
            worst: Cell::new(seen),
            told: Cell::new(false),
        }
    }

    /// Something came too late.
    pub(crate) fn broken(&self, by: Overtaking) {
        let worse = self.worst.get().is_none_or(|worst| worst.by < by.by);
        if worse {
            self.worst.set(Some(by));
        }
    }

    /// How long nothing must come before nothing more is waited for; none where PINGRESP is proof enough.
    pub(crate) fn quiet(&self) -> Option<Duration> {
        let worst = self.worst.get()?;
        Some((worst.by * MARGIN).clamp(QUIET.0, QUIET.1))
    }

    /// What people should know of it, once.
    pub(crate) fn news(&self) -> Option<String> {
        let (worst, quiet) = (self.worst.get()?, self.quiet()?);
        (!self.told.replace(true)).then(|| {
            format!(
                "the target reorders: {}, by {:.1} ms; that nothing arrives is therefore proven by PINGRESP, sentinels and {:.1} s of quiet, and what comes later still is missed",
                worst.seen,
                worst.by.as_secs_f64() * 1000.0,
                quiet.as_secs_f64()
            )
        })
    }
}

/// Looks whether messages keep their order, among each other and before a PINGRESP. `reader` may be asked for anything
/// afterwards only when this has said nothing.
pub(crate) async fn look_for(
    reader: &mut Client,
    target: &Target,
    token: &str,
    within: Duration,
) -> Option<Overtaking> {
    let looked = timeout(LONGEST, look(reader, target, token, within)).await;
    looked.ok()?.ok()?
}

async fn look(
    reader: &mut Client,
    target: &Target,
    token: &str,
    within: Duration,
) -> Result<Option<Overtaking>, Trouble> {
    let topics: Vec<_> = (0..TOPICS)
        .map(|topic| format!("{token}/{topic}"))
        .collect();
    if !subscribe(reader, &topics).await? {
        return Ok(None);
    }
    let mut worst = None;
    for _ in 0..ROUNDS {
        worst = worse(worst, before_pingresp(reader, &topics).await?);
    }
    let version = reader.version();
    let client_id = format!("{token}o");
    let (mut writer, ()) = Client::connect(target, version, &client_id, within, |_| ()).await?;
    for round in 0..ROUNDS {
        let qos = if round % 2 == 0 {
            QoS::AT_MOST_ONCE
        } else {
            QoS::AT_LEAST_ONCE
        };
        worst = worse(
            worst,
            among_each_other(reader, &mut writer, &topics, qos).await?,
        );
    }
    writer.disconnect().await;
    Ok(worst)
}

/// Whether the target grants it all.
async fn subscribe(reader: &mut Client, topics: &[String]) -> Result<bool, Trouble> {
    let mut filters = SubscriptionsBuf::new();
    for topic in topics {
        filters.push(
            topic.as_str(),
            SubscriptionOptions::with_qos(QoS::AT_MOST_ONCE),
        );
    }
    reader
        .send(&Packet::Subscribe(Subscribe {
            packet_id: 2,
            properties: Properties::EMPTY,
            filters: filters.as_subscriptions(),
        }))
        .await;
    reader
        .receive("SUBACK", |packet| match packet {
            Packet::Suback(suback) => Some(suback.codes.iter().all(|code| code.0 < 0x80)),
            _ => None,
        })
        .await
}

/// A client publishes to itself and sends PINGREQ behind it.
async fn before_pingresp(
    reader: &mut Client,
    topics: &[String],
) -> Result<Option<Overtaking>, Trouble> {
    let mut packets = publishes(topics, QoS::AT_MOST_ONCE);
    packets.push(Packet::Pingreq(Pingreq));
    reader.send_together(&packets).await;
    let mut answered = None;
    let mut latest = None;
    for _ in 0..packets.len() {
        let is_answer = reader
            .receive("PUBLISH or PINGRESP", |packet| match packet {
                Packet::Pingresp(_) => Some(true),
                Packet::Publish(_) => Some(false),
                _ => None,
            })
            .await?;
        if is_answer {
            answered = Some(Instant::now());
        } else if let Some(answered) = answered {
            latest = Some(Overtaking {
                seen: "a PINGRESP came before messages that the same client had published before it sent PINGREQ",
                by: answered.elapsed(),
            });
        }
    }
    Ok(latest)
}

/// Another client publishes to one topic after the other.
async fn among_each_other(
    reader: &mut Client,
    writer: &mut Client,
    topics: &[String],
    qos: QoS,
) -> Result<Option<Overtaking>, Trouble> {
    writer.send_together(&publishes(topics, qos)).await;
    let mut furthest: Option<(usize, Instant)> = None;
    let mut worst = None;
    for _ in topics {
        let topic = reader
            .receive("PUBLISH", |packet| match packet {
                Packet::Publish(publish) => {
                    let topic = publish.topic.as_bytes();
                    Some(topics.iter().position(|known| known.as_bytes() == topic))
                }
                _ => None,
            })
            .await?;
        let Some(topic) = topic else { continue };
        match furthest {
            Some((further, at)) if further > topic => {
                let overtaking = Overtaking {
                    seen: "a message came before others that the same client had published earlier, to other topics",
                    by: at.elapsed(),
                };
                worst = worse(worst, Some(overtaking));
            }
            _ => furthest = Some((topic, Instant::now())),
        }
    }
    if qos != QoS::AT_MOST_ONCE {
        for _ in topics {
            writer
                .receive("PUBACK", |packet| {
                    matches!(packet, Packet::Puback(_)).then_some(())
                })
                .await?;
        }
    }
    Ok(worst)
}

fn publishes(topics: &[String], qos: QoS) -> Vec<Packet<'_>> {
    let mut packets = Vec::new();
    for (topic, id) in topics.iter().zip(1..) {
        packets.push(Packet::Publish(Publish {
            dup: false,
            qos,
            retain: false,
            topic: Text::from(topic.as_str()),
            packet_id: (qos != QoS::AT_MOST_ONCE).then_some(id),
            properties: Properties::EMPTY,
            payload: b"order",
        }));
    }
    packets
}

fn worse(one: Option<Overtaking>, other: Option<Overtaking>) -> Option<Overtaking> {
    [one, other]
        .into_iter()
        .flatten()
        .max_by_key(|overtaking| overtaking.by)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn late(by: u64) -> Overtaking {
        Overtaking {
            seen: "one came before the other",
            by: Duration::from_millis(by),
        }
    }

    #[test]
    fn a_target_that_keeps_order_costs_no_quiet() {
        assert_eq!(Order::default().quiet(), None);
        assert_eq!(Order::default().news(), None);
    }

    #[test]
    fn the_worst_lateness_decides_and_is_told_once() {
        let order = Order::of(Some(late(1)));
        assert_eq!(order.quiet(), Some(QUIET.0));
        order.broken(late(150));
        order.broken(late(20));
        assert_eq!(order.quiet(), Some(Duration::from_millis(600)));
        let news = order.news().unwrap_or_default();
        assert!(
            news.contains("by 150.0 ms") && news.contains("0.6 s of quiet"),
            "{news}"
        );
        assert_eq!(order.news(), None);
        order.broken(late(60_000));
        assert_eq!(order.quiet(), Some(QUIET.1));
    }
}
