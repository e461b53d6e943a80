//! The end of a case: nobody has unread packets, clients leave, and the target forgets what it was told. Only the
//! first is judged.

use std::rc::Rc;
use std::time::Duration;

use codec::draft::{Draft, Value};
use codec::{PacketType, Version};
use scenario::Span;
use scenario::ast::{Fields, Verb};
use tokio::time::Instant;

use super::build::put;
use super::client::Client;
use super::connection::Ender;
use super::reading::unexpected_end;
use super::stage::Stage;
use super::stop::{Outcome, Stop};

/// How long a target has to let clients go.
const FAREWELL: Duration = Duration::from_secs(1);

impl Stage<'_> {
    /// The implied `nothing` for every client that is connected; in a control twin they only have to be alive.
    pub(super) async fn judge_end(&self) -> Outcome {
        let span = self.journal.step();
        for client in self.all_clients() {
            let Some(connection) = client.connection() else {
                continue;
            };
            let (accepted, excused) = connection.look(|state| {
                (
                    state.protocol.accepted(),
                    state.end_judged || state.leaving || state.protocol.obscure,
                )
            });
            match connection.end() {
                None if accepted && !self.judges_unread => {
                    self.ping(&client, &connection, span, true).await?;
                }
                None if accepted => self
                    .nothing_left(&client, span)
                    .await
                    .map_err(Stop::at_the_end)?,
                Some(end) if end.by != Ender::Scenario && accepted && !excused => {
                    return Err(Stop::miss(span, unexpected_end(&client, end)).at_the_end());
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Every client that is still connected leaves.
    pub(super) async fn leave_all(&self) {
        let clients = self.all_clients();
        for client in &clients {
            if let Some(connection) = client.open_connection() {
                if connection.look(|state| state.protocol.accepted()) {
                    connection.send_unseen(&Draft::new(PacketType::Disconnect, client.version));
                }
                connection.half_close();
            }
        }
        let deadline = Instant::now() + FAREWELL;
        let gone = |client: &Rc<Client>| client.open_connection().is_none();
        self.journal
            .until(deadline, || clients.iter().all(gone).then_some(()))
            .await;
    }

    /// Ends the sessions and clears the retained messages that the case has left behind.
    pub(super) async fn clear(&self) {
        let sessions = self.leftovers.kept_sessions();
        let topics = self.leftovers.retained_topics();
        if sessions.is_empty() && topics.is_empty() {
            return;
        }
        let work = async {
            for (at, (client_id, version)) in sessions.iter().enumerate() {
                let client = self.sweeper(&format!("sweeper{at}"), Some(client_id), *version);
                self.enter_and_leave(&client, &[]).await?;
            }
            if !topics.is_empty() {
                let client = self.sweeper("sweeper", None, self.version());
                self.enter_and_leave(&client, &topics).await?;
            }
            Outcome::Ok(())
        };
        // Best effort: what is left behind carries the case's own token and disturbs no other case.
        let _ = tokio::time::timeout(FAREWELL, work).await;
    }

    fn sweeper(&self, name: &str, client_id: Option<&[u8]>, version: Version) -> Rc<Client> {
        let id = match client_id {
            Some(id) => String::from_utf8_lossy(id).into_owned(),
            None => format!("{}sweep", self.namespace.token),
        };
        Rc::new(Client::new(
            name,
            id,
            version,
            crate::link::LinkOptions::default(),
        ))
    }

    async fn enter_and_leave(&self, client: &Rc<Client>, topics: &[Vec<u8>]) -> Outcome {
        let handshake = self
            .begin(Verb::Connects, client, &Fields::default(), Span::default())
            .await?;
        let bounds = self.bounds(&scenario::ast::Timing::default())?;
        self.finish(&handshake, &Fields::default(), bounds).await?;
        for topic in topics {
            let mut clear = Draft::new(PacketType::Publish, client.version);
            put(&mut clear, "topic", Value::Text(topic.clone()));
            put(&mut clear, "retain", Value::Flag(true));
            self.transmit(&handshake.connection, &clear, Span::default())
                .await?;
        }
        let leave = self
            .begin(
                Verb::Disconnects,
                client,
                &Fields::default(),
                Span::default(),
            )
            .await?;
        self.finish(
            &leave,
            &Fields::default(),
            self.bounds(&scenario::ast::Timing::default())?,
        )
        .await
    }
}
