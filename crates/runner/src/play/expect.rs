//! Expecting: `<-` and `receives`, which also acknowledges.

use std::rc::Rc;

use codec::PacketType;
use scenario::Span;
use scenario::ast::{Subject, Timing, Verb};
use tokio::time::Instant;

use super::client::Client;
use super::connection::acknowledgement;
use super::inbox::Arrival;
use super::reading::{Reading, What};
use super::scope::{Datum, Moment};
use super::stage::{Bounds, Stage};
use super::stop::Outcome;
use super::value::{identifier, number};
use super::verbs::Handshake;

impl Stage<'_> {
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
        let handshake = Handshake {
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
                    &handshake,
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
