//! `nothing`: proven by a barrier, or passive for a time; and what becomes of packets that nobody read.
//!
//! The barrier of a client is a PINGREQ and its PINGRESP. What another client published is behind that only when a
//! sentinel from the same publisher at the same QoS has arrived, on a topic that the scenario cannot see. Where no
//! sentinel can come (a full window, a publisher that is gone) PINGREQ has to do: a false pass, never a false failure.

use std::rc::Rc;

use clauses::clause;
use codec::draft::{Draft, Record, Value, field};
use codec::{PacketType, Version};
use scenario::Span;
use scenario::Spanned;
use scenario::ast::{Expr, Subject, Timing};
use tokio::time::Instant;

use super::build::put;
use super::client::Client;
use super::connection::{BARRIER, Connection, Ender};
use super::inbox::Arrival;
use super::reading::unexpected_end;
use super::scope::{Datum, Moment};
use super::stage::{Stage, shown};
use super::stop::{Outcome, Stop};
use super::value::number;

/// How many unacknowledged messages any target is taken to allow: servers of 3.1.1 have windows that they do not tell.
const MODEST_WINDOW: usize = 10;
/// More bytes than a sentinel has, on the wire.
const SENTINEL_SIZE: u64 = 80;

impl Stage<'_> {
    /// `a <- nothing` and `a <- nothing for D`.
    pub(super) async fn nothing(
        &self,
        who: &Subject,
        period: Option<&Spanned<Expr>>,
        timing: &Timing,
        span: Span,
    ) -> Outcome<Moment> {
        let begun = self.quiet_since.take().unwrap_or_else(Instant::now);
        let clients = self.subjects(who)?;
        for client in &clients {
            self.must_be_connected(client, span)?;
        }
        match period {
            Some(period) => {
                let from = match &timing.since {
                    Some(name) => match self.lookup(&name.value) {
                        Some(Datum::Moment(moment)) => moment.done,
                        _ => return Err(self.cannot_at(name.span, "this names no instant")),
                    },
                    None => begun,
                };
                let until = from + self.duration(&period.value)?;
                self.stays_quiet(&clients, until, span).await?;
            }
            None => {
                for client in &clients {
                    self.nothing_left(client, span).await?;
                }
            }
        }
        Ok(Moment::since(begun))
    }

    /// Nothing is unread, and a barrier brings nothing.
    pub(super) async fn nothing_left(&self, client: &Rc<Client>, span: Span) -> Outcome {
        self.nothing_unread(client, span)?;
        self.barrier(client, span).await?;
        self.nothing_unread(client, span)
    }

    /// An absent client proves nothing.
    fn must_be_connected(&self, client: &Client, span: Span) -> Outcome<Rc<Connection>> {
        let connection = client.any_connection()?;
        match connection.end() {
            None => Ok(connection),
            Some(end) if end.by == Ender::Scenario => Err(self.cannot_at(
                span,
                format!(
                    "`{}` is not connected, and an absent client proves nothing",
                    client.name
                ),
            )),
            Some(end) => Err(Stop::miss(span, unexpected_end(client, end)).expected("nothing")),
        }
    }

    async fn stays_quiet(&self, clients: &[Rc<Client>], until: Instant, span: Span) -> Outcome {
        let disturbed = self
            .journal
            .until(until, || {
                clients.iter().find_map(|client| {
                    let connection = client.connection()?;
                    let early = |at: Instant| at <= until;
                    if connection.end().is_some_and(|end| early(end.at)) {
                        return self.must_be_connected(client, span).err();
                    }
                    self.unread(client)
                        .into_iter()
                        .find(|arrival| early(arrival.at))
                        .map(|arrival| unasked(client, &arrival, span))
                })
            })
            .await;
        disturbed.map_or(Ok(()), Err)
    }

    /// Fails when a packet waits that no step has read.
    pub(super) fn nothing_unread(&self, client: &Client, span: Span) -> Outcome {
        let unread = self.unread(client);
        let Some(first) = unread.first() else {
            return Ok(());
        };
        // What was told once is read by that: within `should:` the case goes on.
        if let Some(connection) = client.connection() {
            for arrival in &unread {
                connection.look(|state| state.inbox.take(arrival.number));
            }
        }
        Err(unasked(client, first, span))
    }

    /// The packets that no step has read and that should not be there.
    pub(super) fn unread(&self, client: &Client) -> Vec<Rc<Arrival>> {
        let Some(connection) = client.connection() else {
            return Vec::new();
        };
        if !self.judges_unread {
            return Vec::new();
        }
        // Before 5.0 a server may repeat an unacknowledged PUBLISH whenever it likes.
        let tolerated = |arrival: &Arrival| arrival.repeat && client.version != Version::V5_0;
        connection.look(|state| {
            state
                .inbox
                .unread()
                .iter()
                .filter(|arrival| !tolerated(arrival))
                .cloned()
                .collect()
        })
    }

    /// Proves that what the target had to send to a client before has arrived.
    pub(super) async fn barrier(&self, client: &Rc<Client>, span: Span) -> Outcome {
        let connection = self.must_be_connected(client, span)?;
        for publisher in self.all_clients() {
            if publisher.name != client.name {
                self.settle_publisher(client, &connection, &publisher, span)
                    .await?;
            }
        }
        self.ping(client, &connection, span, true).await
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
        match (answered, connection.end()) {
            (Some(()), None) => Ok(()),
            (_, Some(end)) if must_live => Err(Stop::miss(span, unexpected_end(client, end))),
            (_, Some(_)) => Ok(()),
            (None, None) => Err(self.no_pingresp(client, span)),
        }
    }

    fn no_pingresp(&self, client: &Client, span: Span) -> Stop {
        let clause = match client.version {
            Version::V5_0 => clause!("v5.0/MQTT-3.12.4-1"),
            Version::V3_1 | Version::V3_1_1 => clause!("v3.1.1/MQTT-3.12.4-1"),
        };
        Stop::miss(
            span,
            format!("the target does not answer a PINGREQ of `{}`", client.name),
        )
        .expected("PINGRESP")
        .of_case(&[clause], None)
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
            let published = source.look(|state| state.protocol.published[qos]);
            if published == client.settled(&source, qos) {
                continue;
            }
            let why_not = self.no_sentinel(connection, &source, qos);
            match why_not {
                Some(reason) => {
                    self.remark(
                        &client.name,
                        format!(
                            "no sentinel from `{}`: {reason}; PINGREQ alone",
                            publisher.name
                        ),
                    );
                }
                None if self.watch_barrier(client, connection).await => {
                    self.send_sentinel(client, connection, publisher, &source, qos, span)
                        .await?;
                }
                None => {}
            }
            client.settle(&source, qos, published);
        }
        Ok(())
    }

    /// Why no sentinel can come from a publisher to a client.
    fn no_sentinel(
        &self,
        connection: &Connection,
        source: &Connection,
        qos: usize,
    ) -> Option<&'static str> {
        let publisher_gone =
            source.end().is_some() || source.look(|state| !state.protocol.accepted());
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
            && let codec::draft::Kind::Records(specs) = field.kind
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
            self.remark(
                &client.name,
                "the target grants no subscription for sentinels; PINGREQ alone",
            );
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
            return Ok(());
        }
        let refused = source.look(|state| {
            state.unseen_answers.iter().any(|answer| {
                super::value::identifier(answer) == Some(id)
                    && number(answer, "reason").unwrap_or(0) >= 0x80
            })
        });
        if qos == 0 || refused {
            self.remark(
                &client.name,
                format!(
                    "a sentinel from `{}` did not arrive; PINGREQ alone",
                    publisher.name
                ),
            );
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

fn unasked(client: &Client, arrival: &Arrival, span: Span) -> Stop {
    let packet_type = arrival.packet.packet_type();
    Stop::miss(
        span,
        format!(
            "`{}` received a {packet_type} that nothing asked for",
            client.name
        ),
    )
    .expected("nothing")
    .received(shown(arrival))
}
