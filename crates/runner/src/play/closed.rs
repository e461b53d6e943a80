//! `closed`: the target ends the connection, in 5.0 perhaps after saying why.

use std::rc::Rc;

use clauses::clause;
use codec::{PacketType, ReasonCode, Version};
use scenario::ast::{Subject, Timing};
use scenario::{Span, Spanned};
use tokio::time::Instant;

use super::client::Client;
use super::connection::{Connection, Ender};
use super::inbox::Arrival;
use super::reading::{Reading, What};
use super::scope::{Datum, Moment};
use super::stage::{Stage, shown};
use super::stop::{Outcome, Stop};
use super::value::number;

impl Stage<'_> {
    /// `a <- closed: [reasons]`.
    pub(super) async fn closed(
        &self,
        who: &Subject,
        reasons: &[Spanned<ReasonCode>],
        timing: &Timing,
        span: Span,
    ) -> Outcome<Moment> {
        let bounds = self.bounds(timing)?;
        let begun = Instant::now();
        let mut moment = Moment::since(begun);
        for reading in Reading::all(self, who, What::Closed, span)? {
            let (client, _) = reading.read(self, bounds).await?;
            let connection = client.any_connection()?;
            let Some(end) = connection.end() else {
                continue;
            };
            moment = Moment {
                begun: end.at,
                done: end.at,
            };
            if let Some(wrong) = bounds.judge(end.at) {
                return Err(Stop::miss(
                    span,
                    format!("the connection of `{}` ended {wrong}", client.name),
                ));
            }
            connection.look(|state| state.end_judged = true);
            self.judge_farewell(&client, &connection, reasons, span)?;
            self.capture(timing, Datum::Moment(moment));
        }
        Ok(moment)
    }

    /// What the target said before it closed.
    fn judge_farewell(
        &self,
        client: &Rc<Client>,
        connection: &Rc<Connection>,
        reasons: &[Spanned<ReasonCode>],
        span: Span,
    ) -> Outcome {
        let farewells: Vec<Rc<Arrival>> = self
            .unread(client)
            .into_iter()
            .filter(|arrival| is_farewell(arrival, client.version))
            .collect();
        for arrival in &farewells {
            connection.look(|state| state.inbox.take(arrival.number));
        }
        self.nothing_unread(client, span)?;
        if client.version != Version::V5_0 || reasons.is_empty() || !self.judges_unread {
            return Ok(());
        }
        let wanted: Vec<u64> = reasons.iter().map(|reason| reason.value.0.into()).collect();
        match farewells.last() {
            Some(arrival) => {
                let code = number(&arrival.packet, "reason").unwrap_or(0);
                if !wanted.contains(&code) {
                    let message = format!(
                        "{} gives a Reason Code that does not say what was wrong",
                        arrival.packet.packet_type()
                    );
                    self.warn(span, Vec::new(), message, Some(shown(arrival)));
                }
            }
            None => self.judge_silence(client, connection, &wanted, span),
        }
        Ok(())
    }

    /// No reason was given. To an accepted client it should have been, unless the reset took it away.
    fn judge_silence(&self, client: &Client, connection: &Connection, wanted: &[u64], span: Span) {
        let wants = |code: ReasonCode| wanted.contains(&code.0.into());
        let clause = if wants(ReasonCode::SESSION_TAKEN_OVER) {
            clause!("v5.0/MQTT-3.1.4-3")
        } else if wants(ReasonCode::KEEP_ALIVE_TIMEOUT) {
            // The server acts as if the network had failed (5.0 section 3.1.2.10): nobody asks it for a word.
            return;
        } else {
            clause!("v5.0/U50-4.13.1-2")
        };
        let accepted = connection.look(|state| state.protocol.accepted());
        let told = connection.look(|state| state.protocol.target_disconnected);
        let lost = connection.end().is_some_and(|end| end.by == Ender::Reset);
        if accepted && !told && !lost {
            let message = format!(
                "the target closed the connection of `{}` without a DISCONNECT that says why",
                client.name
            );
            self.warn(span, vec![clause], message, None);
        }
    }
}

/// In 5.0 a refusal or a DISCONNECT may come before the end.
pub(super) fn is_farewell(arrival: &Arrival, version: Version) -> bool {
    version == Version::V5_0
        && match arrival.packet.packet_type() {
            PacketType::Connack => number(&arrival.packet, "reason").unwrap_or(0) >= 0x80,
            PacketType::Disconnect => true,
            _ => false,
        }
}
