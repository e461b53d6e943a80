//! `nothing`: proven by the barrier, or passive for a time; and what becomes of packets that nobody read.

use std::rc::Rc;

use codec::Version;
use scenario::ast::{Expr, Subject, Timing};
use scenario::{Span, Spanned};
use tokio::time::Instant;

use super::client::Client;
use super::connection::{Connection, Ender};
use super::inbox::Arrival;
use super::reading::unexpected_end;
use super::scope::{Datum, Moment};
use super::stage::{Stage, shown};
use super::stop::{Outcome, Stop};

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
    pub(super) fn must_be_connected(&self, client: &Client, span: Span) -> Outcome<Rc<Connection>> {
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
        if let Some(connection) = client.connection() {
            connection.look(|state| state.inbox.tell());
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
        // Before 5.0 a server may repeat an unacknowledged PUBLISH, or PUBREC, whenever it likes: 4.4 says what must
        // be sent again, not what must not.
        let tolerated = |arrival: &Arrival| arrival.repeat && client.version != Version::V5_0;
        connection.look(|state| {
            state
                .inbox
                .untold()
                .filter(|arrival| !tolerated(arrival))
                .cloned()
                .collect()
        })
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
