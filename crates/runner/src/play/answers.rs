//! Answers: what ends a handshake, and whether it is what the step wants.

use std::rc::Rc;

use codec::draft::{Draft, Kind, Value};
use codec::{PacketType, ReasonCode};
use scenario::Spanned;
use scenario::ast::{self, Fields, Verb};
use tokio::time::Instant;

use super::build::put;
use super::connection::acknowledgement;
use super::inbox::Arrival;
use super::reading::{unexpected_end, unread_text};
use super::scope::Scope;
use super::stage::{Bounds, Stage, shown};
use super::stop::{Outcome, Stop};
use super::value::{bytes, identifier, number};
use super::verbs::Handshake;

impl Stage<'_> {
    /// Waits for the answer, and completes the handshake.
    pub(super) async fn finish(
        &self,
        handshake: &Handshake,
        gets: &Fields,
        bounds: Bounds,
    ) -> Outcome {
        let client = &handshake.client;
        let connection = &handshake.connection;
        match handshake.verb {
            Verb::Pings => self.ping_answered(handshake, bounds).await,
            Verb::Disconnects => self.leave(handshake, bounds).await,
            Verb::Publishes if handshake.qos() == 0 => {
                self.ping(client, connection, handshake.span, false).await
            }
            _ => {
                let answer = self.answer(handshake, bounds).await?;
                self.check_answer(handshake, &answer, gets)?;
                if let Some(wrong) = bounds.judge(answer.at) {
                    let message = format!(
                        "`{}` received {} {wrong}",
                        client.name,
                        answer.packet.packet_type()
                    );
                    return Err(Stop::miss(handshake.span, message).received(shown(&answer)));
                }
                let refused = number(&answer.packet, "reason").unwrap_or(0) >= 0x80;
                if answer.packet.packet_type() == PacketType::Pubrec && !refused {
                    let id = identifier(&answer.packet).unwrap_or(0);
                    let release = acknowledgement(PacketType::Pubrel, client.version, id);
                    self.transmit(connection, &release, handshake.span).await?;
                    self.packet(
                        handshake,
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
    async fn answer(&self, handshake: &Handshake, bounds: Bounds) -> Outcome<Rc<Arrival>> {
        let types = handshake.answers();
        loop {
            let answer = self
                .packet(handshake, types, handshake.awaited_id(), bounds.late)
                .await?;
            let challenge = answer.packet.packet_type() == PacketType::Auth
                && number(&answer.packet, "reason")
                    == Some(ReasonCode::CONTINUE_AUTHENTICATION.0.into());
            if !challenge {
                self.check_order(&handshake.client.name, &answer, handshake.span)?;
                self.advance_order(&handshake.client.name, answer.number);
                return Ok(answer);
            }
            let Some(authentication) = self.target.authentication() else {
                return Err(Stop::Skip(
                    "the target's authentication method is not known".into(),
                ));
            };
            let challenge = bytes(&answer.packet, "authentication_data");
            let mut reply = Draft::new(PacketType::Auth, handshake.client.version);
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
                Value::Binary(authentication.answer.to(challenge)),
            );
            self.transmit(&handshake.connection, &reply, handshake.span)
                .await?;
        }
    }

    /// Waits for a packet of one of these types that belongs to the handshake, and reads it.
    pub(super) async fn packet(
        &self,
        handshake: &Handshake,
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
                handshake.connection.look(|state| {
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
        let message = match handshake.connection.end() {
            Some(end) => unexpected_end(&handshake.client, end),
            None => format!("`{}` received no {names} in time", handshake.client.name),
        };
        let expected = match id {
            Some(id) => format!("{names}: {{ id: {id} }}"),
            None => names,
        };
        Err(Stop::miss(handshake.span, message)
            .expected(expected)
            .received(unread_text(&handshake.client)))
    }

    /// Judges an answer, and keeps what it binds.
    fn check_answer(&self, handshake: &Handshake, answer: &Rc<Arrival>, gets: &Fields) -> Outcome {
        let mut scope = self.scope();
        let judged = judge_answer(&mut scope, handshake, answer, gets);
        scope.commit();
        judged
    }

    async fn ping_answered(&self, handshake: &Handshake, bounds: Bounds) -> Outcome {
        self.packet(handshake, &[PacketType::Pingresp], None, bounds.late)
            .await
            .map(drop)
    }

    /// After DISCONNECT the client closes; it is done when the target has closed too, which only should happen.
    async fn leave(&self, handshake: &Handshake, bounds: Bounds) -> Outcome {
        let connection = &handshake.connection;
        connection.look(|state| state.end_judged = true);
        connection.half_close();
        self.journal.until(bounds.late, || connection.end()).await;
        if connection.end().is_none() {
            self.remark(
                &handshake.client.name,
                "the target did not close after DISCONNECT",
            );
        }
        connection.abandon();
        Ok(())
    }
}

/// Judges an answer by `gets:`, and by what every handshake wants where `gets:` does not say.
pub(super) fn judge_answer(
    scope: &mut Scope<'_>,
    handshake: &Handshake,
    answer: &Rc<Arrival>,
    gets: &Fields,
) -> Outcome {
    let client = &handshake.client;
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
        if !scope.holds(&written, codes.as_ref(), Kind::ReasonCodes)? {
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
            handshake.span,
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
        PacketType::Puback | PacketType::Pubrec if !says_reason && reason >= 0x80 => Err(refusal(
            &format!("{packet_type}: {{ reason: {{ below: 0x80 }} }}"),
        )),
        PacketType::Suback | PacketType::Unsuback if gets.get("codes").is_none() => {
            check_grants(handshake, answer, granted.is_some())
        }
        _ => Ok(()),
    }
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

/// A failure is one; a lower grant than asked for lets the case say nothing.
fn check_grants(handshake: &Handshake, answer: &Rc<Arrival>, grants_are_said: bool) -> Outcome {
    let codes = match answer.packet.get("codes") {
        Some(Value::Numbers(codes)) => codes.as_slice(),
        _ => &[],
    };
    if codes.iter().any(|code| *code >= 0x80) {
        let packet_type = answer.packet.packet_type();
        return Err(Stop::miss(
            handshake.span,
            format!(
                "the target refuses what `{}` asks for",
                handshake.client.name
            ),
        )
        .expected(format!("{packet_type}: {{ codes: all below 0x80 }}"))
        .received(shown(answer)));
    }
    if grants_are_said || handshake.verb != Verb::Subscribes {
        return Ok(());
    }
    let Some(Value::Filters(filters)) = handshake.request.get("filters") else {
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
