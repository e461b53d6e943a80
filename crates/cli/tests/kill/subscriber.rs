//! A subscriber that goes on with its Session whenever the broker is there again.

use std::collections::BTreeSet;
use std::io;

use codec::{Packet, QoS};

use crate::client::{Client, unexpected};
use crate::publisher::Published;
use crate::trial::Trial;

/// The payload of the last message of a trial.
pub(crate) const END: &str = "end";

struct Subscriber<'t> {
    trial: &'t Trial,
    subscribed: bool,
    /// Packet Identifiers of QoS 2 messages that the broker has not released.
    received_ids: BTreeSet<u16>,
    received: Vec<Published>,
}

/// Subscribes to everything, unless its Session has, and receives until the end of the trial; what came, in its order.
pub(crate) fn receive(trial: &Trial, number: usize, has_subscribed: bool) -> Vec<Published> {
    let mut subscriber = Subscriber {
        trial,
        subscribed: has_subscribed,
        received_ids: BTreeSet::new(),
        received: Vec::new(),
    };
    let name = format!("subscriber {number}");
    let mut met = 0;
    while let Some(address) = trial.next_broker(&mut met) {
        let connected = Client::connect(address, &format!("s{number}"), true);
        let played = connected.and_then(|(client, present)| {
            if subscriber.subscribed && !present {
                trial.fault(format!("{name}: its Session is lost"));
                return Ok(());
            }
            subscriber.go_on(client)
        });
        match played {
            Ok(()) => break,
            Err(error) => trial.judge(&name, &error),
        }
    }
    subscriber.received
}

/// Makes a Session that subscribes to everything, and leaves.
pub(crate) fn leave_session(address: std::net::SocketAddr, number: usize) -> io::Result<()> {
    let (mut client, _) = Client::connect(address, &format!("s{number}"), true)?;
    client.subscribe("#", QoS::EXACTLY_ONCE)
}

enum Came {
    Publish(u16, String),
    Pubrel(u16),
}

impl Subscriber<'_> {
    fn go_on(&mut self, mut client: Client) -> io::Result<()> {
        if !self.subscribed {
            client.subscribe("#", QoS::EXACTLY_ONCE)?;
            self.subscribed = true;
            self.trial.subscribed();
        }
        loop {
            let came = client.receive(|packet| match packet {
                Packet::Publish(publish) => {
                    let payload = String::from_utf8_lossy(publish.payload).into_owned();
                    let packet_id = publish.packet_id.unwrap_or_default();
                    Ok(Came::Publish(packet_id, payload))
                }
                Packet::Pubrel(pubrel) => Ok(Came::Pubrel(pubrel.packet_id)),
                other => Err(unexpected(&other)),
            })?;
            match came {
                Came::Pubrel(packet_id) => {
                    self.received_ids.remove(&packet_id);
                    client.pubcomp(packet_id)?;
                }
                Came::Publish(packet_id, payload) if payload == END => {
                    return client.puback(packet_id);
                }
                Came::Publish(packet_id, payload) => {
                    let message = Published::of_payload(&payload).unwrap();
                    if message.qos == 1 {
                        self.received.push(message);
                        client.puback(packet_id)?;
                    } else {
                        if self.received_ids.insert(packet_id) {
                            self.received.push(message);
                        }
                        client.pubrec(packet_id)?;
                    }
                }
            }
        }
    }
}
