//! Verbs: whole handshakes, from the packet that begins one to the answer that ends it.

use std::rc::Rc;

use codec::draft::{Draft, Value};
use codec::{PacketType, ReasonCode};
use scenario::ast::{self, Fields, Name, Subject, Timing, Verb};
use scenario::{Span, Spanned};
use tokio::time::Instant;

use super::build::put;
use super::client::Client;
use super::connection::{Connection, acknowledgement};
use super::inbox::Arrival;
use super::reading::{Reading, What, unexpected_end};
use super::scope::{Datum, Moment, Scope};
use super::stage::{Bounds, Stage, shown};
use super::stop::{Outcome, Stop};
use super::value::{identifier, number};

/// How many handshakes of one `at once:` overlap at most.
const OVERLAP: usize = 20;

/// A handshake whose first packet is sent.
#[derive(Debug, Clone)]
pub(super) struct Begun {
    pub(super) client: Rc<Client>,
    pub(super) connection: Rc<Connection>,
    pub(super) verb: Verb,
    /// The packet that began it.
    pub(super) request: Draft,
    at: Instant,
    span: Span,
}

/// A handshake that another step will finish.
#[derive(Debug)]
pub(super) struct UnderWay {
    begun: Begun,
    gets: Fields,
    bounds: Bounds,
}

impl Stage<'_> {
    /// `a publishes`, `a, b subscribes`, … and `a | b receives`.
    pub(super) async fn perform(
        &self,
        verb: Verb,
        who: &Subject,
        fields: &Fields,
        gets: &Fields,
        timing: &Timing,
        span: Span,
    ) -> Outcome<Moment> {
        let at = Instant::now();
        let bounds = self.bounds(timing)?;
        if verb == Verb::Receives {
            return self.receives(who, fields, timing, bounds, span).await;
        }
        for client in self.actors(who)? {
            if self.overlapping.get() && verb == Verb::Publishes {
                self.make_room(&client).await?;
                let begun = self.begin(verb, &client, fields, span).await?;
                let gets = gets.clone();
                self.under_way.borrow_mut().push_back(UnderWay {
                    begun,
                    gets,
                    bounds,
                });
            } else {
                let begun = self.begin(verb, &client, fields, span).await?;
                self.finish(&begun, gets, bounds).await?;
            }
        }
        let moment = Moment::since(at);
        self.capture(timing, Datum::Moment(moment));
        Ok(moment)
    }

    /// Within `at once:`, waits until one more PUBLISH may be under way.
    async fn make_room(&self, client: &Client) -> Outcome {
        loop {
            let full = self.under_way.borrow().len() >= OVERLAP
                || client.open_connection().is_some_and(|connection| {
                    connection.look(|state| state.protocol.send_quota() == 0)
                });
            if !full || !self.finish_oldest().await? {
                return Ok(());
            }
        }
    }

    /// Finishes every handshake that is under way.
    pub(super) async fn finish_all(&self) -> Outcome {
        while self.finish_oldest().await? {}
        Ok(())
    }

    async fn finish_oldest(&self) -> Outcome<bool> {
        let Some(UnderWay {
            begun,
            gets,
            bounds,
        }) = self.under_way.borrow_mut().pop_front()
        else {
            return Ok(false);
        };
        self.finish(&begun, &gets, bounds.not_before(self.answer_deadline()))
            .await?;
        Ok(true)
    }

    /// Sends the packet that begins a handshake.
    pub(super) async fn begin(
        &self,
        verb: Verb,
        client: &Rc<Client>,
        fields: &Fields,
        span: Span,
    ) -> Outcome<Begun> {
        let at = Instant::now();
        let connection = self.connection_of_verb(verb, client, fields, span).await?;
        let packet_type = match verb {
            Verb::Connects => PacketType::Connect,
            Verb::Publishes | Verb::Receives => PacketType::Publish,
            Verb::Subscribes => PacketType::Subscribe,
            Verb::Unsubscribes => PacketType::Unsubscribe,
            Verb::Disconnects => PacketType::Disconnect,
            Verb::Pings => PacketType::Pingreq,
            Verb::Authenticates => PacketType::Auth,
        };
        let fields = match verb {
            Verb::Subscribes => in_filters(fields, SUBSCRIPTION, span),
            Verb::Unsubscribes => in_filters(fields, &["filter"], span),
            _ => fields.clone(),
        };
        let mut request = self.sound(client, Some(&connection), packet_type, &fields)?;
        if verb == Verb::Authenticates {
            self.authenticate(&mut request)?;
        }
        self.transmit(&connection, &request, span).await?;
        Ok(Begun {
            client: client.clone(),
            connection,
            verb,
            request,
            at,
            span,
        })
    }

    async fn connection_of_verb(
        &self,
        verb: Verb,
        client: &Rc<Client>,
        fields: &Fields,
        span: Span,
    ) -> Outcome<Rc<Connection>> {
        if verb == Verb::Connects {
            if let Some(link) = fields.get("link") {
                *client.link.borrow_mut() = super::links::options(self, link)?;
            }
            let fresh = client
                .open_connection()
                .filter(|connection| connection.look(|state| state.protocol.connect.is_none()));
            return match fresh {
                Some(connection) => Ok(connection),
                None => self.open(client).await,
            };
        }
        let connection = client.any_connection()?;
        match connection.end() {
            None => Ok(connection),
            Some(end) if end.by == super::connection::Ender::Scenario => {
                Err(self.cannot_at(span, format!("`{}` is not connected", client.name)))
            }
            Some(end) => Err(Stop::miss(span, unexpected_end(client, end))),
        }
    }

    /// Completes an AUTH that begins a re-authentication.
    fn authenticate(&self, request: &mut Draft) -> Outcome {
        let Some(authentication) = self.target.authentication() else {
            return Err(Stop::Skip(
                "the target's authentication method is not known".into(),
            ));
        };
        if request.get("reason").is_none() {
            put(
                request,
                "reason",
                Value::Number(ReasonCode::RE_AUTHENTICATE.0.into()),
            );
        }
        if request.get("authentication_method").is_none() {
            put(
                request,
                "authentication_method",
                Value::Text(authentication.method.clone().into_bytes()),
            );
        }
        if request.get("authentication_data").is_none() {
            put(
                request,
                "authentication_data",
                Value::Binary(authentication.first.clone()),
            );
        }
        Ok(())
    }

    /// Waits for the answer, and completes the handshake.
    pub(super) async fn finish(&self, begun: &Begun, gets: &Fields, bounds: Bounds) -> Outcome {
        let client = &begun.client;
        let connection = &begun.connection;
        match begun.verb {
            Verb::Pings => self.ping_answered(begun, bounds).await,
            Verb::Disconnects => self.leave(begun, bounds).await,
            Verb::Publishes if begun.qos() == 0 => {
                self.ping(client, connection, begun.span, false).await
            }
            _ => {
                let answer = self.answer(begun, bounds).await?;
                self.check_answer(begun, &answer, gets)?;
                if let Some(wrong) = bounds.judge(answer.at) {
                    let message = format!(
                        "`{}` received {} {wrong}",
                        client.name,
                        answer.packet.packet_type()
                    );
                    return Err(Stop::miss(begun.span, message).received(shown(&answer)));
                }
                let refused = number(&answer.packet, "reason").unwrap_or(0) >= 0x80;
                if answer.packet.packet_type() == PacketType::Pubrec && !refused {
                    let id = identifier(&answer.packet).unwrap_or(0);
                    let release = acknowledgement(PacketType::Pubrel, client.version, id);
                    self.transmit(connection, &release, begun.span).await?;
                    self.packet(
                        begun,
                        &[PacketType::Pubcomp],
                        Some(id),
                        self.answer_deadline(),
                    )
                    .await?;
                }
                Ok(())
            }
        }
    }

    /// The packet that answers a handshake's first, AUTH round trips done.
    async fn answer(&self, begun: &Begun, bounds: Bounds) -> Outcome<Rc<Arrival>> {
        let types = begun.answers();
        loop {
            let answer = self
                .packet(begun, types, begun.awaited_id(), bounds.late)
                .await?;
            let challenge = answer.packet.packet_type() == PacketType::Auth
                && number(&answer.packet, "reason")
                    == Some(ReasonCode::CONTINUE_AUTHENTICATION.0.into());
            if !challenge {
                self.check_order(&begun.client.name, &answer, begun.span)?;
                self.advance_order(&begun.client.name, answer.number);
                return Ok(answer);
            }
            let Some(authentication) = self.target.authentication() else {
                return Err(Stop::Skip(
                    "the target's authentication method is not known".into(),
                ));
            };
            let challenge = super::value::bytes(&answer.packet, "authentication_data");
            let mut reply = Draft::new(PacketType::Auth, begun.client.version);
            put(
                &mut reply,
                "reason",
                Value::Number(ReasonCode::CONTINUE_AUTHENTICATION.0.into()),
            );
            put(
                &mut reply,
                "authentication_method",
                Value::Text(authentication.method.clone().into_bytes()),
            );
            put(
                &mut reply,
                "authentication_data",
                Value::Binary((authentication.answer)(challenge)),
            );
            self.transmit(&begun.connection, &reply, begun.span).await?;
        }
    }

    /// Waits for a packet of one of these types that belongs to the handshake, and reads it.
    async fn packet(
        &self,
        begun: &Begun,
        types: &[PacketType],
        id: Option<u16>,
        late: Instant,
    ) -> Outcome<Rc<Arrival>> {
        let belongs = |packet: &Draft| {
            types.contains(&packet.packet_type()) && (id.is_none() || identifier(packet) == id)
        };
        let found = self
            .journal
            .until(late, || {
                begun.connection.look(|state| {
                    let answer = state.inbox.take_first(belongs);
                    (answer.is_some() || state.end.is_some()).then_some(answer)
                })
            })
            .await;
        if let Some(Some(answer)) = found {
            return Ok(answer);
        }
        let names: Vec<_> = types.iter().map(|packet_type| packet_type.name()).collect();
        let names = names.join(" or ");
        let message = match begun.connection.end() {
            Some(end) => unexpected_end(&begun.client, end),
            None => format!("`{}` received no {names} in time", begun.client.name),
        };
        let expected = match id {
            Some(id) => format!("{names}: {{ id: {id} }}"),
            None => names,
        };
        Err(Stop::miss(begun.span, message)
            .expected(expected)
            .received(super::reading::unread_text(&begun.client)))
    }

    /// Judges an answer, and keeps what it binds.
    fn check_answer(&self, begun: &Begun, answer: &Rc<Arrival>, gets: &Fields) -> Outcome {
        let mut scope = self.scope();
        let judged = self.judge_answer(&mut scope, begun, answer, gets);
        scope.commit();
        judged
    }

    /// Judges an answer by `gets:`, and by what every handshake wants where `gets:` does not say.
    pub(super) fn judge_answer(
        &self,
        scope: &mut Scope<'_>,
        begun: &Begun,
        answer: &Rc<Arrival>,
        gets: &Fields,
    ) -> Outcome {
        let client = &begun.client;
        let packet_type = answer.packet.packet_type();
        let (granted, gets) = without_granted(gets);
        scope.version = client.version;
        scope.now = answer.at;
        if let Err(mismatch) = scope.matches(&gets, &answer.packet)? {
            return Err(Stop::miss(
                mismatch.span,
                format!(
                    "`{}` received another {packet_type}: {}",
                    client.name, mismatch.message
                ),
            )
            .expected(scope.packet_notation(packet_type, &gets))
            .received(shown(answer)));
        }
        if let Some(granted) = &granted {
            let written = match &granted.value {
                ast::Value::List(_) => granted.clone(),
                _ => Spanned::new(ast::Value::List(vec![granted.clone()]), granted.span),
            };
            let codes = answer.packet.get("codes").cloned();
            if !scope.holds(&written, codes.as_ref(), codec::draft::Kind::ReasonCodes)? {
                return Err(Stop::miss(
                    granted.span,
                    format!("`{}` is granted something else", client.name),
                )
                .expected(format!("granted: {}", scope.notation(&written)))
                .received(shown(answer)));
            }
        }
        let refusal = |expected: &str| {
            Stop::miss(
                begun.span,
                format!("the target refuses what `{}` asks for", client.name),
            )
            .expected(expected)
            .received(shown(answer))
        };
        let says_reason = gets.get("reason").is_some() || gets.get("code").is_some();
        let reason = number(&answer.packet, "reason").unwrap_or(0);
        match packet_type {
            PacketType::Connack if !says_reason && reason != 0 => {
                Err(refusal("CONNACK: { reason: success }"))
            }
            PacketType::Auth if !says_reason && reason != 0 => {
                Err(refusal("AUTH: { reason: success }"))
            }
            PacketType::Puback | PacketType::Pubrec if !says_reason && reason >= 0x80 => Err(
                refusal(&format!("{packet_type}: {{ reason: {{ below: 0x80 }} }}")),
            ),
            PacketType::Suback | PacketType::Unsuback if gets.get("codes").is_none() => {
                self.check_grants(begun, answer, granted.is_some())
            }
            _ => Ok(()),
        }
    }

    /// A failure is one; a lower grant than asked for lets the case say nothing.
    fn check_grants(&self, begun: &Begun, answer: &Rc<Arrival>, grants_are_said: bool) -> Outcome {
        let codes = match answer.packet.get("codes") {
            Some(Value::Numbers(codes)) => codes.as_slice(),
            _ => &[],
        };
        if codes.iter().any(|code| *code >= 0x80) {
            let packet_type = answer.packet.packet_type();
            return Err(Stop::miss(
                begun.span,
                format!("the target refuses what `{}` asks for", begun.client.name),
            )
            .expected(format!("{packet_type}: {{ codes: all below 0x80 }}"))
            .received(shown(answer)));
        }
        if grants_are_said || begun.verb != Verb::Subscribes {
            return Ok(());
        }
        let Some(Value::Filters(filters)) = begun.request.get("filters") else {
            return Ok(());
        };
        for (filter, code) in filters.iter().zip(codes) {
            if let Some(Value::Number(asked)) = filter.get("qos")
                && code < asked
            {
                return Err(Stop::Skip(format!(
                    "the target grants QoS {code} where QoS {asked} was asked for"
                )));
            }
        }
        Ok(())
    }

    async fn ping_answered(&self, begun: &Begun, bounds: Bounds) -> Outcome {
        self.packet(begun, &[PacketType::Pingresp], None, bounds.late)
            .await
            .map(drop)
    }

    /// After DISCONNECT the client closes; it is done when the target has closed too, which only should happen.
    async fn leave(&self, begun: &Begun, bounds: Bounds) -> Outcome {
        let connection = &begun.connection;
        connection.look(|state| state.end_judged = true);
        connection.half_close();
        self.journal.until(bounds.late, || connection.end()).await;
        if connection.end().is_none() {
            self.remark(
                &begun.client.name,
                "the target did not close after DISCONNECT",
            );
        }
        connection.abandon();
        Ok(())
    }

    async fn receives(
        &self,
        who: &Subject,
        fields: &Fields,
        timing: &Timing,
        bounds: Bounds,
        span: Span,
    ) -> Outcome<Moment> {
        let what = What::Packet {
            packet_type: PacketType::Publish,
            fields,
            completes: true,
        };
        self.expect(who, what, timing, bounds, span).await
    }

    /// Reads what a step waits for, and completes the flow where the step says so.
    pub(super) async fn expect(
        &self,
        who: &Subject,
        what: What<'_>,
        timing: &Timing,
        bounds: Bounds,
        span: Span,
    ) -> Outcome<Moment> {
        let at = Instant::now();
        let mut moment = Moment::since(at);
        for reading in Reading::all(self, who, what, span)? {
            let (client, arrivals) = reading.read(self, bounds).await?;
            if let Some(arrival) = arrivals.last() {
                moment = Moment {
                    begun: arrival.at,
                    done: arrival.at,
                };
                self.complete(&reading, &client, arrival).await?;
            }
            let captured = match who {
                Subject::OneOf(_) => Datum::Client(client.name.clone()),
                Subject::Each(_) | Subject::Captured(_) => Datum::Moment(moment),
            };
            self.capture(timing, captured);
        }
        // What arrived while nobody looked is over since then; the step itself is over now.
        Ok(Moment {
            begun: moment.begun.max(at),
            done: Instant::now(),
        })
    }

    /// Sends the acknowledgements that `receives` stands for.
    pub(super) async fn complete(
        &self,
        reading: &Reading<'_>,
        client: &Rc<Client>,
        arrival: &Arrival,
    ) -> Outcome {
        let What::Packet {
            completes: true, ..
        } = reading.what
        else {
            return Ok(());
        };
        let (Some(id), Some(connection)) = (identifier(&arrival.packet), client.connection())
        else {
            return Ok(());
        };
        let begun = Begun {
            client: client.clone(),
            connection: connection.clone(),
            verb: Verb::Receives,
            request: arrival.packet.clone(),
            at: arrival.at,
            span: reading.span,
        };
        let answer = |packet_type| acknowledgement(packet_type, client.version, id);
        match number(&arrival.packet, "qos").unwrap_or(0) {
            0 => Ok(()),
            1 => {
                self.transmit(&connection, &answer(PacketType::Puback), reading.span)
                    .await
            }
            _ => {
                self.transmit(&connection, &answer(PacketType::Pubrec), reading.span)
                    .await?;
                self.packet(
                    &begun,
                    &[PacketType::Pubrel],
                    Some(id),
                    self.answer_deadline(),
                )
                .await?;
                self.transmit(&connection, &answer(PacketType::Pubcomp), reading.span)
                    .await
            }
        }
    }
}

impl Begun {
    fn qos(&self) -> u64 {
        number(&self.request, "qos").unwrap_or(0)
    }

    /// The packet types that can answer.
    pub(super) fn answers(&self) -> &'static [PacketType] {
        match self.verb {
            Verb::Connects => &[PacketType::Connack, PacketType::Auth],
            Verb::Authenticates => &[PacketType::Auth],
            Verb::Publishes if self.qos() == 1 => &[PacketType::Puback],
            Verb::Publishes => &[PacketType::Pubrec],
            Verb::Subscribes => &[PacketType::Suback],
            Verb::Unsubscribes => &[PacketType::Unsuback],
            Verb::Pings => &[PacketType::Pingresp],
            Verb::Receives | Verb::Disconnects => &[],
        }
    }

    /// The Packet Identifier that the answer must have.
    pub(super) fn awaited_id(&self) -> Option<u16> {
        identifier(&self.request)
    }

    /// Whether a packet is its answer.
    pub(super) fn is_answered_by(&self, packet: &Draft) -> bool {
        let id = self.awaited_id();
        self.answers().contains(&packet.packet_type()) && (id.is_none() || identifier(packet) == id)
    }

    /// When its first packet was sent.
    pub(super) fn at(&self) -> Instant {
        self.at
    }
}

/// What `subscribes` takes for its only filter.
const SUBSCRIPTION: &[&str] = &[
    "filter",
    "qos",
    "no_local",
    "retain_as_published",
    "retain_handling",
    "reserved",
];

/// Puts `filter: x` and the options beside it into the list that the packet has.
fn in_filters(fields: &Fields, of_filter: &[&str], span: Span) -> Fields {
    if fields.get("filters").is_some() {
        return fields.clone();
    }
    let (inside, mut outside): (Vec<_>, Vec<_>) = fields
        .0
        .iter()
        .cloned()
        .partition(|(name, _)| of_filter.contains(&name.value.as_str()));
    let item = match (of_filter, inside.as_slice()) {
        (["filter"], [(_, filter)]) => filter.clone(),
        _ => Spanned::new(ast::Value::Record(Fields(inside)), span),
    };
    let filters = Spanned::new(ast::Value::List(vec![item]), span);
    outside.push((Name::new("filters".to_owned(), span), filters));
    Fields(outside)
}

/// Takes `granted` out of `gets`: it stands for `codes`.
fn without_granted(gets: &Fields) -> (Option<Spanned<ast::Value>>, Fields) {
    let granted = gets.get("granted").cloned();
    let rest = gets
        .0
        .iter()
        .filter(|(name, _)| name.value != "granted")
        .cloned()
        .collect();
    (granted, Fields(rest))
}
