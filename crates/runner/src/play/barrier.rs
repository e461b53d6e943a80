//! The barrier: what the target had to send to a client before has arrived.
//!
//! The barrier of a client is a PINGREQ and its PINGRESP. What another client published is behind that only when a
//! sentinel from the same publisher at the same QoS has arrived, on a topic that the scenario cannot see. Where no
//! sentinel can come (a full window, a publisher that is gone) PINGREQ has to do: a false pass, never a false failure.
//! Where the target is seen to reorder, a quiet period follows.

use std::rc::Rc;

use clauses::clause;
use codec::draft::{Draft, Kind, Record, Value, field};
use codec::{PacketType, Version};
use scenario::Span;
use tokio::time::Instant;

use super::build::put;
use super::client::Client;
use super::connection::{BARRIER, Connection};
use super::late::Proof;
use super::reading::unexpected_end;
use super::stage::Stage;
use super::stop::{Outcome, Stop};
use super::value::{identifier, number};

/// How many unacknowledged messages any target is taken to allow: servers of 3.1.1 have windows that they do not tell.
const MODEST_WINDOW: usize = 10;
/// How many arrivals a quiet period is begun anew for.
const LONGEST_UNREST: usize = 20;
/// More bytes than a sentinel has, on the wire.
const SENTINEL_SIZE: u64 = 80;

impl Stage<'_> {
    /// Proves that what the target had to send to a client before has arrived.
    pub(super) async fn barrier(&self, client: &Rc<Client>, span: Span) -> Outcome {
        let connection = self.must_be_connected(client, span)?;
        let begun = Instant::now();
        let mut sources = vec![connection.serial];
        for publisher in self.all_clients() {
            if publisher.name != client.name {
                self.settle_publisher(client, &connection, &publisher, span)
                    .await?;
                sources.extend(publisher.connection().map(|source| source.serial));
            }
        }
        self.ping(client, &connection, span, true).await?;
        connection.look(|state| {
            // A full window holds back what comes behind it.
            let is_proven = !state.unproven && state.protocol.in_flight.is_empty();
            state.proof = is_proven.then(|| Proof {
                begun,
                done: Instant::now(),
                sources,
            });
        });
        Ok(())
    }

    /// Remarks that there is no sentinel.
    fn pingreq_alone(&self, client: &Client, connection: &Connection, why: &str) {
        connection.look(|state| state.unproven = true);
        self.remark(&client.name, format!("{why}; PINGREQ alone"));
    }

    /// Waits until nothing has come to any client for a while, where the target is known to reorder.
    async fn fall_quiet(&self, client: &Client) {
        let Some(period) = self.target.order().quiet() else {
            return;
        };
        let period = period.mul_f64(self.settings.patience);
        self.remark(
            &client.name,
            format!(
                "the target reorders: a quiet period of {:.1} s besides",
                period.as_secs_f64()
            ),
        );
        // Something may come all the time, such as what another client is sent again and again.
        for _ in 0..LONGEST_UNREST {
            let known = self.journal.arrivals();
            let until = Instant::now() + period;
            let disturbed = self
                .journal
                .until(until, || (self.journal.arrivals() > known).then_some(()));
            if disturbed.await.is_none() {
                return;
            }
        }
    }

    /// PINGREQ and PINGRESP.
    pub(super) async fn ping(
        &self,
        client: &Client,
        connection: &Connection,
        span: Span,
        must_live: bool,
    ) -> Outcome {
        connection.send_unseen(&Draft::new(PacketType::Pingreq, client.version));
        let wanted = connection.look(|state| state.protocol.pings);
        let answered = self
            .journal
            .until(self.answer_deadline(), || {
                connection.look(|state| {
                    let ponged = state.protocol.pongs >= wanted;
                    if ponged {
                        state.inbox.take_last(PacketType::Pingresp);
                    }
                    (ponged || state.end.is_some()).then_some(())
                })
            })
            .await;
        if answered.is_some() && connection.end().is_none() {
            self.fall_quiet(client).await;
        }
        match (answered, connection.end()) {
            (_, Some(end)) if must_live => Err(Stop::miss(span, unexpected_end(client, end))),
            (None, None) => Err(no_pingresp(client, span)),
            _ => Ok(()),
        }
    }

    /// Sends a sentinel after everything that a publisher has published since the last one.
    async fn settle_publisher(
        &self,
        client: &Rc<Client>,
        connection: &Connection,
        publisher: &Rc<Client>,
        span: Span,
    ) -> Outcome {
        let Some(source) = publisher.connection() else {
            return Ok(());
        };
        for qos in 0..3 {
            let count = source.look(|state| state.protocol.published[qos]);
            if count == client.settled(&source, qos) {
                continue;
            }
            let why_not = no_sentinel(connection, &source, qos);
            match why_not {
                Some(reason) => {
                    let why = format!("no sentinel from `{}`: {reason}", publisher.name);
                    self.pingreq_alone(client, connection, &why);
                }
                None if self.watch_barrier(client, connection).await => {
                    self.send_sentinel(client, connection, publisher, &source, qos, span)
                        .await?;
                }
                None => {}
            }
            client.settle(&source, qos, count);
        }
        Ok(())
    }

    /// The topic of sentinels for a client.
    fn barrier_topic(&self, client: &Client) -> Vec<u8> {
        let mut topic = BARRIER.to_vec();
        topic.extend_from_slice(self.namespace.token.as_bytes());
        topic.push(b'/');
        topic.extend_from_slice(client.name.as_bytes());
        topic
    }

    /// Subscribes to the sentinels for a client, once a connection. Says whether they can come.
    async fn watch_barrier(&self, client: &Client, connection: &Connection) -> bool {
        if let Some(watches) = connection.look(|state| state.watches_barrier) {
            return watches;
        }
        let id = client.barrier_id(connection);
        let mut filter = Record::new();
        if let Some(field) = field(PacketType::Subscribe, "filters")
            && let Kind::Records(specs) = field.kind
        {
            for spec in specs {
                match spec.name {
                    "filter" => filter.set(spec, Value::Text(self.barrier_topic(client))),
                    "qos" => filter.set(spec, Value::Number(2)),
                    _ => {}
                }
            }
        }
        let mut subscribe = Draft::new(PacketType::Subscribe, client.version);
        put(&mut subscribe, "id", Value::Number(id.into()));
        put(&mut subscribe, "filters", Value::Filters(vec![filter]));
        connection.look(|state| state.protocol.watch(&self.barrier_topic(client)));
        connection.send_unseen(&subscribe);
        self.journal
            .until(self.answer_deadline(), || {
                (!connection.waits_unseen(id) || connection.end().is_some()).then_some(())
            })
            .await;
        let granted = connection.look(|state| {
            let answer = state.unseen_answers.pop();
            let codes = answer.as_ref().and_then(|answer| answer.get("codes"));
            matches!(codes, Some(Value::Numbers(codes)) if codes.iter().all(|code| *code < 0x80))
        });
        connection.look(|state| state.watches_barrier = Some(granted));
        if !granted {
            let why = "the target grants no subscription for sentinels";
            self.pingreq_alone(client, connection, why);
        }
        granted
    }

    async fn send_sentinel(
        &self,
        client: &Client,
        connection: &Connection,
        publisher: &Client,
        source: &Connection,
        qos: usize,
        span: Span,
    ) -> Outcome {
        let serial = self.sentinels.get() + 1;
        self.sentinels.set(serial);
        let payload = serial.to_string().into_bytes();
        let mut sentinel = Draft::new(PacketType::Publish, publisher.version);
        put(
            &mut sentinel,
            "topic",
            Value::Text(self.barrier_topic(client)),
        );
        put(&mut sentinel, "payload", Value::Binary(payload.clone()));
        put(&mut sentinel, "qos", Value::Number(qos as u64));
        let id = publisher.barrier_id(source);
        if qos > 0 {
            put(&mut sentinel, "id", Value::Number(id.into()));
        }
        source.send_unseen(&sentinel);
        let over = || source.end().is_some() || connection.end().is_some();
        let arrived = self
            .journal
            .until(self.answer_deadline(), || {
                let arrived = connection.look(|state| state.sentinels.contains(&payload));
                let finished = qos == 0 || !source.waits_unseen(id);
                (arrived && finished || over()).then_some(())
            })
            .await;
        if arrived.is_some() {
            // A PINGREQ behind its own PUBCOMP proves that the target is through with the sentinel, and will not come
            // back to it in the client's next connection.
            self.journal
                .until(self.answer_deadline(), || {
                    let finished =
                        connection.look(|state| state.protocol.session.borrow().unseen.is_empty());
                    (finished || over()).then_some(())
                })
                .await;
            return Ok(());
        }
        let refused = source.look(|state| {
            state.unseen_answers.iter().any(|answer| {
                identifier(answer) == Some(id) && number(answer, "reason").unwrap_or(0) >= 0x80
            })
        });
        if qos == 0 || refused {
            let why = format!("a sentinel from `{}` did not arrive", publisher.name);
            self.pingreq_alone(client, connection, &why);
            return Ok(());
        }
        Err(self.cannot_at(
            span,
            format!(
                "nothing is proven: a sentinel that `{}` published at QoS {qos} did not reach `{}`",
                publisher.name, client.name
            ),
        ))
    }
}

/// Why no sentinel can come from a publisher to a client.
fn no_sentinel(connection: &Connection, source: &Connection, qos: usize) -> Option<&'static str> {
    let publisher_gone = source.end().is_some() || source.look(|state| !state.protocol.accepted());
    if publisher_gone {
        return Some("it is gone");
    }
    let cramped = connection.look(|state| {
        let protocol = &state.protocol;
        let maximum = protocol.announced("receive_maximum", 65_535);
        let window = usize::try_from(maximum)
            .unwrap_or(usize::MAX)
            .min(MODEST_WINDOW);
        protocol.in_flight.len() >= window
    });
    if cramped {
        return Some("the window is full");
    }
    if connection.look(|state| state.protocol.announced("maximum_packet_size", u64::MAX))
        < SENTINEL_SIZE
    {
        return Some("it would be too large");
    }
    let spent = source.look(|state| {
        state.protocol.send_quota() == 0
            || state.protocol.session.borrow().outstanding.len() >= MODEST_WINDOW
    });
    (qos > 0 && spent).then_some("its own window is full")
}

fn no_pingresp(client: &Client, span: Span) -> Stop {
    let miss = Stop::miss(
        span,
        format!("the target does not answer a PINGREQ of `{}`", client.name),
    )
    .expected("PINGRESP");
    match client.version {
        Version::V5_0 => miss.of_case(&[clause!("v5.0/MQTT-3.12.4-1")], None),
        Version::V3_1_1 => miss.of_case(&[clause!("v3.1.1/MQTT-3.12.4-1")], None),
        Version::V3_1 => miss,
    }
}
