//! Verbs: whole handshakes. This is how they begin; [`answers`](super::answers) is how they end.

use std::rc::Rc;

use codec::draft::{Draft, Value};
use codec::{PacketType, ReasonCode};
use scenario::ast::{self, Fields, Name, Subject, Timing, Verb};
use scenario::{Span, Spanned};
use tokio::time::Instant;

use super::build::put;
use super::client::Client;
use super::connection::{Connection, Ender};
use super::links;
use super::reading::{What, unexpected_end};
use super::scope::{Datum, Moment};
use super::stage::{Bounds, Stage};
use super::stop::{Outcome, Stop};
use super::value::{identifier, number};

/// How many handshakes of one `at once:` overlap at most.
const OVERLAP: usize = 20;

/// A handshake whose first packet is sent.
#[derive(Debug, Clone)]
pub(super) struct Handshake {
    pub(super) client: Rc<Client>,
    pub(super) connection: Rc<Connection>,
    pub(super) verb: Verb,
    /// The packet that began it.
    pub(super) request: Draft,
    pub(super) at: Instant,
    pub(super) span: Span,
}

/// A handshake that another step will finish.
#[derive(Debug)]
pub(super) struct UnderWay {
    handshake: Handshake,
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
            let what = What::Packet {
                packet_type: PacketType::Publish,
                fields,
                completes: true,
            };
            return self.expect(who, what, timing, bounds, span).await;
        }
        if verb == Verb::Connects {
            self.admit_new(who, fields)?;
        }
        for client in self.actors(who)? {
            if self.overlapping.get() && verb == Verb::Publishes {
                self.make_room(&client).await?;
                let handshake = self.begin(verb, &client, fields, span).await?;
                let gets = gets.clone();
                self.under_way.borrow_mut().push_back(UnderWay {
                    handshake,
                    gets,
                    bounds,
                });
            } else {
                let handshake = self.begin(verb, &client, fields, span).await?;
                let bounds = bounds.unless_given(self.answer_deadline());
                self.finish(&handshake, gets, bounds).await?;
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
            handshake,
            gets,
            bounds,
        }) = self.under_way.borrow_mut().pop_front()
        else {
            return Ok(false);
        };
        self.finish(&handshake, &gets, bounds.not_before(self.answer_deadline()))
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
    ) -> Outcome<Handshake> {
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
        Ok(Handshake {
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
                *client.link.borrow_mut() = links::options(self, link)?;
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
            Some(end) if end.by == Ender::Scenario => {
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
}

impl Handshake {
    pub(super) fn qos(&self) -> u64 {
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
