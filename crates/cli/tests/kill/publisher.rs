//! A publisher that goes on with its Session whenever the broker is there again.

use std::collections::VecDeque;
use std::io;

use codec::{Packet, QoS};

use crate::client::{Client, unexpected};
use crate::trial::Trial;

/// How many messages are under way at a time.
const WINDOW: usize = 10;

/// What was published.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Published {
    pub(crate) publisher: usize,
    pub(crate) number: usize,
    pub(crate) qos: u8,
}

impl Published {
    pub(crate) fn of_payload(payload: &str) -> Option<Self> {
        let mut numbers = payload.split(' ').map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Self {
            publisher: next()?,
            number: next()?,
            qos: u8::try_from(next()?).ok()?,
        })
    }

    fn payload(self) -> String {
        format!("{} {} {}", self.publisher, self.number, self.qos)
    }

    /// Every third message is retained too; all of those are of QoS 1.
    fn is_retained(self) -> bool {
        self.number.is_multiple_of(3)
    }

    fn topic(self) -> String {
        let folder = if self.is_retained() { "r" } else { "t" };
        format!("{folder}/{}", self.publisher)
    }
}

struct UnderWay {
    message: Published,
    packet_id: u16,
    /// The broker has acknowledged it with PUBREC.
    released: bool,
}

struct Publisher<'t> {
    trial: &'t Trial,
    number: usize,
    published: usize,
    under_way: VecDeque<UnderWay>,
    acknowledged: Vec<Published>,
}

/// Publishes until the trial finishes; what was acknowledged.
pub(crate) fn publish(trial: &Trial, number: usize) -> Vec<Published> {
    let mut publisher = Publisher {
        trial,
        number,
        published: 0,
        under_way: VecDeque::new(),
        acknowledged: Vec::new(),
    };
    let name = format!("publisher {number}");
    let mut met = 0;
    while let Some(address) = trial.next_broker(&mut met) {
        let connected = Client::connect(address, &format!("p{number}"), true);
        let played = connected.and_then(|(client, present)| {
            if met > 1 && !present {
                trial.fault(format!("{name}: its Session is lost"));
            }
            publisher.go_on(client)
        });
        match played {
            Ok(()) => break,
            Err(error) => trial.judge(&name, &error),
        }
    }
    publisher.acknowledged
}

impl Publisher<'_> {
    fn go_on(&mut self, mut client: Client) -> io::Result<()> {
        for sent in &self.under_way {
            if sent.released {
                client.pubrel(sent.packet_id)?;
            } else {
                send(&mut client, sent, true)?;
            }
        }
        loop {
            while self.under_way.len() < WINDOW && !self.trial.is_finishing() {
                self.begin(&mut client)?;
            }
            if self.under_way.is_empty() {
                return Ok(());
            }
            self.take_answer(&mut client)?;
        }
    }

    fn begin(&mut self, client: &mut Client) -> io::Result<()> {
        self.published += 1;
        let number = self.published;
        let qos = if number.is_multiple_of(3) || number.is_multiple_of(2) {
            1
        } else {
            2
        };
        let used = |id: u16| self.under_way.iter().any(|sent| sent.packet_id == id);
        let packet_id = (1..=u16::MAX).find(|&id| !used(id)).unwrap();
        let sent = UnderWay {
            message: Published {
                publisher: self.number,
                number,
                qos,
            },
            packet_id,
            released: false,
        };
        self.under_way.push_back(sent);
        send(client, &self.under_way[self.under_way.len() - 1], false)
    }

    fn take_answer(&mut self, client: &mut Client) -> io::Result<()> {
        let (packet_id, received) = client.receive(|packet| match packet {
            Packet::Puback(puback) if !puback.reason_code.is_error() => {
                Ok((puback.packet_id, false))
            }
            // Not found: it was completed before the broker ended.
            Packet::Pubcomp(pubcomp) => Ok((pubcomp.packet_id, false)),
            Packet::Pubrec(pubrec) if !pubrec.reason_code.is_error() => {
                Ok((pubrec.packet_id, true))
            }
            other => Err(unexpected(&other)),
        })?;
        let known = |sent: &UnderWay| sent.packet_id == packet_id;
        let at = self.under_way.iter().position(known);
        let at = at.ok_or_else(|| io::Error::other("an answer to nothing"))?;
        let sent = &mut self.under_way[at];
        let message = sent.message;
        if received {
            sent.released = true;
            client.pubrel(packet_id)?;
        }
        if received || message.qos == 1 {
            self.acknowledged.push(message);
            let retained = message
                .is_retained()
                .then_some((self.number, message.number));
            self.trial.acknowledged(retained);
        }
        if !received {
            self.under_way.remove(at);
        }
        Ok(())
    }
}

fn send(client: &mut Client, sent: &UnderWay, dup: bool) -> io::Result<()> {
    let message = sent.message;
    let qos = QoS::from_bits(message.qos);
    let id = (sent.packet_id, dup);
    client.publish(
        &message.topic(),
        &message.payload(),
        qos,
        message.is_retained(),
        id,
    )
}
