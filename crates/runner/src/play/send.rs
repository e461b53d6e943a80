//! Sending: `->`, `!>`, `together`, `bytes`, and the acts on a link.

use std::rc::Rc;
use std::time::Duration;

use codec::PacketType;
use codec::draft::Draft;
use scenario::ast::{self, LinkAct, Packet, Subject};
use scenario::bytes::Part;
use scenario::{Span, Spanned};
use tokio::time::Instant;

use super::build::observe;
use super::client::Client;
use super::connection::{Connection, hex};
use super::links;
use super::scope::{Datum, Moment};
use super::stage::Stage;
use super::stop::{Outcome, Stop};
use crate::link::{LinkOptions, UpgradeError};

impl Stage<'_> {
    /// Opens a link for a client; what it had before is let go.
    pub(super) async fn open(&self, client: &Client) -> Outcome<Rc<Connection>> {
        if let Some(old) = client.open_connection() {
            old.abandon();
        }
        let options = LinkOptions {
            earlier: self.count_opening(),
            ..client.link.borrow().clone()
        };
        self.traffic.joins(options.conditions);
        let opened =
            tokio::time::timeout_at(self.answer_deadline(), self.target.open(&options)).await;
        let link = match opened {
            Ok(Ok(link)) => link,
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::Unsupported => {
                return Err(Stop::Skip(error.to_string()));
            }
            Ok(Err(error)) if UpgradeError::is_in(&error) => {
                return Err(Stop::miss(
                    self.journal.step(),
                    format!("the target opens no WebSocket: {error}"),
                ));
            }
            Ok(Err(error)) => {
                return Err(Stop::Untested(format!(
                    "the target cannot be reached: {error}"
                )));
            }
            Err(_) => {
                return Err(Stop::Untested(
                    "the target cannot be reached: it does not accept in time".into(),
                ));
            }
        };
        let connection = Connection::start(&client.name, client.version, link, self);
        client.attach(connection.clone());
        Ok(connection)
    }

    /// The connection that a packet goes out on; CONNECT, and the first packet of all, open one.
    async fn connection_for(
        &self,
        client: &Client,
        packet_type: Option<PacketType>,
    ) -> Outcome<Rc<Connection>> {
        match client.connection() {
            None => self.open(client).await,
            Some(old) if old.end().is_some() && packet_type == Some(PacketType::Connect) => {
                self.open(client).await
            }
            Some(connection) => Ok(connection),
        }
    }

    /// Sends one packet as it is and waits until it is written.
    pub(super) async fn transmit(
        &self,
        connection: &Connection,
        packet: &Draft,
        span: Span,
    ) -> Outcome {
        let encoded = packet
            .encode()
            .map_err(|error| self.cannot_at(span, error))?;
        connection.send(packet, encoded, false);
        self.flushed(connection, span).await
    }

    async fn flushed(&self, connection: &Connection, span: Span) -> Outcome {
        if connection.flush(|| self.answer_deadline()).await {
            Ok(())
        } else {
            Err(Stop::miss(
                span,
                "the target does not read what is sent to it",
            ))
        }
    }

    /// `a -> PACKET` and `a !> PACKET`.
    pub(super) async fn send(
        &self,
        who: &Subject,
        packet: &Packet,
        forbidden: bool,
        span: Span,
    ) -> Outcome<Moment> {
        let begun = Instant::now();
        for client in self.actors(who)? {
            let connection = self
                .connection_for(&client, Some(packet.packet_type.value))
                .await?;
            let (draft, encoded) = self.written(&client, &connection, packet)?;
            if !goes_as_text(packet) {
                connection.send(&draft, encoded, forbidden);
            } else if connection.upgraded.is_some() {
                connection.send_as_text(&draft, encoded, forbidden);
            } else {
                return Err(Stop::Skip(
                    "the link is a plain stream and has no frames".into(),
                ));
            }
            self.flushed(&connection, span).await?;
        }
        Ok(Moment::since(begun))
    }

    /// A packet as it is sent, with its bytes.
    fn written(
        &self,
        client: &Client,
        connection: &Connection,
        packet: &Packet,
    ) -> Outcome<(Draft, Vec<u8>)> {
        let mut draft = self.sound(
            client,
            Some(connection),
            packet.packet_type.value,
            &packet.fields,
        )?;
        if let Some(but) = &packet.but {
            self.spoil(client, &mut draft, &but.value)?;
        }
        let encoded = draft
            .encode()
            .map_err(|error| self.cannot_at(packet.packet_type.span, error))?;
        Ok((draft, encoded))
    }

    /// `a -> together: [PACKETs]`: one write.
    pub(super) async fn send_together(
        &self,
        who: &Subject,
        packets: &[Packet],
        forbidden: bool,
        span: Span,
    ) -> Outcome<Moment> {
        let begun = Instant::now();
        for client in self.actors(who)? {
            let first = packets.first().map(|packet| packet.packet_type.value);
            let connection = self.connection_for(&client, first).await?;
            let mut bytes = Vec::new();
            let mut notation = Vec::new();
            for packet in packets {
                if goes_as_text(packet) {
                    return Err(self.cannot_at(
                        packet.packet_type.span,
                        "a text frame holds one packet: send it by itself",
                    ));
                }
                let (draft, encoded) = self.written(&client, &connection, packet)?;
                notation.push(draft.to_string());
                connection.note(&draft, forbidden);
                bytes.extend(encoded);
            }
            connection.write(
                bytes,
                format!("together: [{}]", notation.join(", ")),
                forbidden,
            );
            self.flushed(&connection, span).await?;
        }
        Ok(Moment::since(begun))
    }

    /// `a -> bytes: …`.
    pub(super) async fn send_bytes(
        &self,
        who: &Subject,
        parts: &Spanned<Vec<Part>>,
        forbidden: bool,
    ) -> Outcome<Moment> {
        let begun = Instant::now();
        for client in self.actors(who)? {
            let connection = self.connection_for(&client, None).await?;
            let bytes = self.raw(&parts.value)?;
            let connects = opens_with_connect(&connection, &bytes);
            observe(&connection, &bytes);
            if connects
                && !forbidden
                && self.target.credentials().is_some()
                && !names_a_user(&connection)
            {
                return Err(Stop::Skip(
                    "the target wants credentials, and this CONNECT is written byte by byte without any"
                        .into(),
                ));
            }
            connection.look(|state| state.protocol.obscure |= forbidden);
            let notation = format!("bytes: {}", hex(&bytes));
            connection.write(bytes, notation, forbidden);
            self.flushed(&connection, parts.span).await?;
        }
        Ok(Moment::since(begun))
    }

    /// `a opens / closes / half-closes / cuts / stalls`.
    pub(super) async fn act_on_link(&self, who: &Subject, act: &LinkAct) -> Outcome<Moment> {
        let begun = Instant::now();
        for client in self.actors(who)? {
            match act {
                LinkAct::Opens(fields) => {
                    if !fields.0.is_empty() {
                        *client.link.borrow_mut() = links::options_of(self, fields)?;
                    }
                    let connection = self.open(&client).await?;
                    links::judge_opening(self, &connection, fields)?;
                }
                LinkAct::Closes => self.end_link(&client, Connection::close).await?,
                LinkAct::HalfCloses => self.end_link(&client, Connection::half_close).await?,
                LinkAct::Cuts => self.end_link(&client, Connection::cut).await?,
                LinkAct::Stalls(period) => {
                    let period = self.duration(&period.value)?;
                    client.any_connection()?.stall(period);
                }
            }
        }
        Ok(Moment::since(begun))
    }

    /// Ends a link in some way, and waits until the target can see it.
    async fn end_link(&self, client: &Client, end: impl FnOnce(&Connection)) -> Outcome {
        let connection = client.any_connection()?;
        end(&connection);
        connection.settle(self.answer_deadline()).await;
        Ok(())
    }

    /// `target restarts` and `target dies`: every connection ends, and nothing is read from them any more.
    pub(super) async fn restart(&self, cleanly: bool) -> Outcome<Moment> {
        let begun = Instant::now();
        for client in self.all_clients() {
            if let Some(connection) = client.open_connection() {
                connection.disown();
            }
        }
        let restarted = if cleanly {
            self.target.restart().await
        } else {
            self.target.kill().await
        };
        for client in self.all_clients() {
            if let Some(connection) = client.connection() {
                connection.abandon();
            }
        }
        match restarted {
            Ok(()) => Ok(Moment::since(begun)),
            Err(error) if error.kind() == std::io::ErrorKind::Unsupported => {
                Err(Stop::Skip(error.to_string()))
            }
            Err(error) => Err(Stop::Untested(format!(
                "the target does not come back: {error}"
            ))),
        }
    }

    /// `wait: D`.
    pub(super) async fn wait(&self, period: &Spanned<ast::Expr>) -> Outcome<Moment> {
        let begun = Instant::now();
        let period: Duration = self.duration(&period.value)?;
        tokio::time::sleep_until(begun + period).await;
        Ok(Moment::since(begun))
    }

    /// Keeps what `as <x>` names.
    pub(super) fn capture_moment(&self, capture: Option<&ast::Name>, moment: Moment) {
        if let Some(name) = capture {
            self.bind(name.value.clone(), Datum::Moment(moment));
        }
    }
}

/// Whether raw bytes begin with the first CONNECT of a connection.
fn opens_with_connect(connection: &Connection, bytes: &[u8]) -> bool {
    let first = bytes
        .first()
        .is_some_and(|byte| byte >> 4 == PacketType::Connect as u8);
    first && connection.look(|state| state.protocol.connect.is_none())
}

/// Whether the CONNECT of a connection has a User Name.
fn names_a_user(connection: &Connection) -> bool {
    connection.look(|state| {
        let connect = state.protocol.connect.as_ref();
        connect.is_some_and(|connect| connect.get("user_name").is_some())
    })
}

/// Whether `but:` sends the packet in a text frame.
fn goes_as_text(packet: &Packet) -> bool {
    let lies = packet.but.iter().flat_map(|but| &but.value.lies);
    lies.into_iter().any(|(name, _)| name.value == "frame")
}
