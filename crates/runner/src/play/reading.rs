//! [`Reading`]: one thing that a step waits for, and whether what has arrived is that.

use std::collections::BTreeSet;
use std::rc::Rc;

use codec::PacketType;
use scenario::ast::{Fields, Subject};
use scenario::bytes::Part;
use scenario::{Span, Spanned};

use super::client::Client;
use super::connection::{End, Ender, hex};
use super::inbox::Arrival;
use super::journal::Journal;
use super::scope::Scope;
use super::stage::{Bounds, Stage, shown};
use super::stop::{Outcome, Stop};

/// One thing that a step waits for, from any one of some clients.
pub(super) struct Reading<'s> {
    pub(super) clients: Vec<Rc<Client>>,
    pub(super) what: What<'s>,
    pub(super) span: Span,
}

/// What is waited for.
#[derive(Clone, Copy)]
pub(super) enum What<'s> {
    /// A packet of a type with these fields.
    Packet {
        packet_type: PacketType,
        fields: &'s Fields,
        /// Whether the flow is completed then (`receives`).
        completes: bool,
    },
    /// Exactly these bytes.
    Bytes(&'s Spanned<Vec<Part>>),
    /// The end of the connection.
    Closed,
}

/// Whether what is waited for is there.
pub(super) enum Attempt {
    /// It is: these arrivals, in their order.
    Match(Rc<Client>, Vec<Rc<Arrival>>),
    /// The connection has ended, as is wanted.
    Ended(Rc<Client>, End),
    /// Something else is there instead.
    Mismatch(Stop),
    /// Nothing is there yet.
    Pending,
}

/// The arrivals that steps before this one would have read.
pub(super) type Taken = BTreeSet<u64>;

impl<'s> Reading<'s> {
    /// The readings of a step: one for each of `a, b`, a single one for `a | b`.
    pub(super) fn all(
        stage: &Stage<'_>,
        who: &Subject,
        what: What<'s>,
        span: Span,
    ) -> Outcome<Vec<Self>> {
        let clients = stage.subjects(who)?;
        let groups = match who {
            Subject::OneOf(_) => vec![clients],
            Subject::Each(_) | Subject::Captured(_) => {
                clients.into_iter().map(|client| vec![client]).collect()
            }
        };
        Ok(groups
            .into_iter()
            .map(|clients| Self {
                clients,
                what,
                span,
            })
            .collect())
    }

    /// Whether what has arrived is what is waited for.
    pub(super) fn attempt(&self, scope: &mut Scope<'_>, taken: &Taken) -> Outcome<Attempt> {
        match self.what {
            What::Packet {
                packet_type,
                fields,
                ..
            } => match self.oldest(packet_type, taken) {
                Some((client, arrival)) => Ok(match compare(scope, &client, &arrival, fields)? {
                    Ok(()) => Attempt::Match(client, vec![arrival]),
                    Err(miss) => Attempt::Mismatch(miss),
                }),
                None => Ok(self.pending(|| scope.packet_notation(packet_type, fields))),
            },
            What::Bytes(parts) => self.attempt_bytes(scope, parts, taken),
            What::Closed => Ok(self.attempt_closed()),
        }
    }

    /// The oldest packet of the type that no step has read.
    fn oldest(&self, packet_type: PacketType, taken: &Taken) -> Option<(Rc<Client>, Rc<Arrival>)> {
        self.clients
            .iter()
            .filter_map(|client| {
                let connection = client.connection()?;
                let oldest = connection.look(|state| {
                    state
                        .inbox
                        .queue(packet_type)
                        .find(|arrival| !taken.contains(&arrival.number))
                        .cloned()
                });
                oldest.map(|arrival| (client.clone(), arrival))
            })
            .min_by_key(|(_, arrival)| arrival.number)
    }

    /// Nothing has arrived: can it still?
    fn pending(&self, expected: impl FnOnce() -> String) -> Attempt {
        let open = self
            .clients
            .iter()
            .any(|client| client.open_connection().is_some());
        if open {
            return Attempt::Pending;
        }
        let Some((client, end)) = self.ended() else {
            return Attempt::Mismatch(Stop::cannot(format!(
                "`{}` has no connection",
                self.names()
            )));
        };
        if end.by == Ender::Scenario {
            return Attempt::Mismatch(Stop::cannot(format!(
                "the connection of `{}` is over",
                client.name
            )));
        }
        Attempt::Mismatch(
            Stop::miss(self.span, unexpected_end(&client, end))
                .expected(expected())
                .received(unread_text(&client)),
        )
    }

    fn ended(&self) -> Option<(Rc<Client>, End)> {
        self.clients
            .iter()
            .find_map(|client| Some((client.clone(), client.connection()?.end()?)))
    }

    fn attempt_closed(&self) -> Attempt {
        match self.ended() {
            Some((client, end)) if matches!(end.by, Ender::Garbled | Ender::Flooded) => {
                Attempt::Mismatch(Stop::miss(self.span, unexpected_end(&client, end)))
            }
            Some((
                client,
                End {
                    by: Ender::Scenario,
                    ..
                },
            )) => Attempt::Mismatch(Stop::cannot(format!(
                "the scenario itself ended the connection of `{}`",
                client.name
            ))),
            Some((client, end)) => Attempt::Ended(client, end),
            None if self
                .clients
                .iter()
                .any(|client| client.connection().is_some()) =>
            {
                Attempt::Pending
            }
            None => Attempt::Mismatch(Stop::cannot(format!(
                "`{}` was never connected",
                self.names()
            ))),
        }
    }

    fn attempt_bytes(
        &self,
        scope: &Scope<'_>,
        parts: &Spanned<Vec<Part>>,
        taken: &Taken,
    ) -> Outcome<Attempt> {
        let wanted = scope.stage.raw(&parts.value)?;
        for client in &self.clients {
            let Some(connection) = client.connection() else {
                continue;
            };
            let mut arrivals = Vec::new();
            let mut bytes = Vec::new();
            for arrival in connection.look(|state| state.inbox.unread().to_vec()) {
                if bytes.len() < wanted.len() && !taken.contains(&arrival.number) {
                    bytes.extend_from_slice(&arrival.bytes);
                    arrivals.push(arrival);
                }
            }
            if bytes == wanted {
                return Ok(Attempt::Match(client.clone(), arrivals));
            }
            if bytes.len() >= wanted.len() || !wanted.starts_with(&bytes) {
                return Ok(Attempt::Mismatch(
                    Stop::miss(self.span, format!("`{}` received other bytes", client.name))
                        .expected(format!("bytes: {}", hex(&wanted)))
                        .received(Some(format!("bytes: {}", hex(&bytes)))),
                ));
            }
        }
        Ok(self.pending(|| format!("bytes: {}", hex(&wanted))))
    }

    /// The clients by name.
    pub(super) fn names(&self) -> String {
        self.clients
            .iter()
            .map(|client| client.name.as_str())
            .collect::<Vec<_>>()
            .join(" | ")
    }

    /// What is waited for, in the notation.
    pub(super) fn expected(&self, scope: &Scope<'_>) -> String {
        match self.what {
            What::Packet {
                packet_type,
                fields,
                ..
            } => scope.packet_notation(packet_type, fields),
            What::Bytes(parts) => scope
                .stage
                .raw(&parts.value)
                .map_or("bytes".to_owned(), |bytes| {
                    format!("bytes: {}", hex(&bytes))
                }),
            What::Closed => "closed".to_owned(),
        }
    }

    /// Nothing came in time.
    pub(super) fn timeout(&self, scope: &Scope<'_>) -> Stop {
        let message = match self.what {
            What::Packet { packet_type, .. } => {
                format!("`{}` received no {packet_type} in time", self.names())
            }
            What::Bytes(_) => format!("`{}` received too few bytes in time", self.names()),
            What::Closed => format!("the target kept the connection of `{}`", self.names()),
        };
        let unread = self.clients.iter().find_map(|client| unread_text(client));
        Stop::miss(self.span, message)
            .expected(self.expected(scope))
            .received(unread)
    }

    /// Waits for it and reads it.
    pub(super) async fn read(
        &self,
        stage: &Stage<'_>,
        bounds: Bounds,
    ) -> Outcome<(Rc<Client>, Vec<Rc<Arrival>>)> {
        let found = self
            .watch(&stage.journal, bounds, || {
                let mut scope = stage.scope();
                match self.attempt(&mut scope, &Taken::new()) {
                    Ok(Attempt::Pending) => None,
                    attempt => Some((scope, attempt)),
                }
            })
            .await;
        let Some((scope, attempt)) = found else {
            let late = self.timeout(&stage.scope());
            self.tell();
            return Err(late);
        };
        match attempt? {
            Attempt::Match(client, arrivals) => {
                scope.commit();
                for arrival in &arrivals {
                    self.accept(stage, &client, arrival, bounds)?;
                    if matches!(self.what, What::Bytes(_)) {
                        stage.journal.pardon(arrival.number);
                    }
                }
                for arrival in &arrivals {
                    stage.advance_order(&client.name, arrival.number);
                }
                Ok((client, arrivals))
            }
            Attempt::Ended(client, _) => Ok((client, Vec::new())),
            Attempt::Mismatch(stop) => {
                self.tell();
                Err(stop)
            }
            Attempt::Pending => Err(self.timeout(&stage.scope())),
        }
    }

    /// A finding shows what is unread.
    fn tell(&self) {
        for connection in self.clients.iter().filter_map(|client| client.connection()) {
            connection.look(|state| state.inbox.tell());
        }
    }

    async fn watch<T>(
        &self,
        journal: &Journal,
        bounds: Bounds,
        look: impl FnMut() -> Option<T>,
    ) -> Option<T> {
        journal.until(bounds.late, look).await
    }

    /// Reads an arrival: its time and its order are judged, and it is unread no more.
    pub(super) fn accept(
        &self,
        stage: &Stage<'_>,
        client: &Client,
        arrival: &Arrival,
        bounds: Bounds,
    ) -> Outcome {
        if let Some(wrong) = bounds.judge(arrival.at) {
            let message = format!(
                "`{}` received {} {wrong}",
                client.name,
                arrival.packet.packet_type()
            );
            return Err(Stop::miss(self.span, message).received(shown(arrival)));
        }
        stage.check_order(&client.name, arrival, self.span)?;
        if let Some(connection) = client.connection() {
            connection.look(|state| state.inbox.take(arrival.number));
        }
        Ok(())
    }
}

/// Whether an arrival has the expected fields.
pub(super) fn compare(
    scope: &mut Scope<'_>,
    client: &Client,
    arrival: &Rc<Arrival>,
    fields: &Fields,
) -> Outcome<Result<(), Stop>> {
    scope.now = arrival.at;
    scope.version = client.version;
    let mark = scope.mark();
    Ok(match scope.matches(fields, &arrival.packet)? {
        Ok(()) => Ok(()),
        Err(mismatch) => {
            let packet_type = arrival.packet.packet_type();
            scope.forget(mark);
            Err(Stop::miss(
                mismatch.span,
                format!(
                    "`{}` received another {packet_type}: {}",
                    client.name, mismatch.message
                ),
            )
            .expected(scope.packet_notation(packet_type, fields))
            .received(shown(arrival)))
        }
    })
}

/// One sentence about a connection that should not have ended.
pub(super) fn unexpected_end(client: &Client, end: End) -> String {
    match end.by {
        Ender::Closed => format!("the target closed the connection of `{}`", client.name),
        Ender::Reset => format!("the target reset the connection of `{}`", client.name),
        Ender::Garbled => format!("the target sent `{}` what is no packet", client.name),
        Ender::Flooded => format!(
            "the target floods `{}` with packets that nothing asked for",
            client.name
        ),
        Ender::Scenario => format!("the scenario ended the connection of `{}`", client.name),
    }
}

/// The packets of a client that no step has read, in the notation.
pub(super) fn unread_text(client: &Client) -> Option<String> {
    let unread = client
        .connection()?
        .look(|state| state.inbox.unread().to_vec());
    if unread.is_empty() {
        return None;
    }
    let shown: Vec<_> = unread
        .iter()
        .take(5)
        .map(|arrival| arrival.packet.to_string())
        .collect();
    let more = unread.len() - shown.len();
    let tail = if more > 0 {
        format!("; {more} more")
    } else {
        String::new()
    };
    Some(format!("{}{tail}", shown.join("; ")))
}
