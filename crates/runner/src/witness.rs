//! [`Witness`]: a client of the runner's own that tells whether the target still serves.

use std::time::Duration;

use codec::Version;

use crate::client::{Client, Trouble};
use crate::target::Target;

/// A client that takes part in no case and must be served all the time.
pub struct Witness {
    target: Target,
    version: Version,
    client_id: String,
    within: Duration,
    client: Client,
}

/// How the target serves the witness.
#[derive(Debug, PartialEq, Eq)]
pub enum Sign {
    /// As it should.
    Served,
    /// It ended the witness's connection, and serves a new one.
    Replaced(String),
    /// It sent the witness what nobody asked for; the witness is served, or goes on as it was.
    Unasked(String),
    /// Not any more: it accepts no connection, or says nothing.
    Dead(String),
}

impl Witness {
    /// Connects it, under a Client Identifier that nobody else uses; each answer is waited for `within` this long.
    ///
    /// # Errors
    /// The target does not serve it.
    pub async fn call(
        target: Target,
        version: Version,
        client_id: String,
        within: Duration,
    ) -> Result<Self, Trouble> {
        let client = connect(&target, version, &client_id, within).await?;
        Ok(Self {
            target,
            version,
            client_id,
            within,
            client,
        })
    }

    /// Asks the target for a PINGRESP; if none comes, for a new connection.
    pub async fn look(&mut self) -> Sign {
        let Err(trouble) = self.client.ping().await else {
            return Sign::Served;
        };
        match connect(&self.target, self.version, &self.client_id, self.within).await {
            Ok(client) if trouble.is_unasked() => {
                self.client = client;
                Sign::Unasked(format!(
                    "a client that takes part in no case got what it did not ask for: {trouble}"
                ))
            }
            // Who sends something is not dead.
            Err(again) if again.is_unasked() => Sign::Unasked(format!(
                "a client that takes part in no case got what it did not ask for: {trouble}; then {again}"
            )),
            Ok(client) => {
                self.client = client;
                Sign::Replaced(format!(
                    "the target did not serve a client that takes part in no case ({trouble}), but accepts it anew: it may have been restarted"
                ))
            }
            Err(again) => Sign::Dead(format!("{trouble}; then {again}")),
        }
    }

    /// Takes leave.
    pub async fn leave(self) {
        self.client.disconnect().await;
    }
}

async fn connect(
    target: &Target,
    version: Version,
    client_id: &str,
    within: Duration,
) -> Result<Client, Trouble> {
    let (mut client, ()) = Client::connect(target, version, client_id, within, |_| ()).await?;
    client.ping().await?;
    Ok(client)
}

#[cfg(test)]
mod tests {
    use tokio::task::LocalSet;

    use super::*;
    use crate::embedded;
    use crate::stub::Stub;

    async fn witness(target: &Target) -> Result<Witness, Trouble> {
        let within = Duration::from_secs(5);
        Witness::call(target.clone(), Version::V5_0, "witness".to_owned(), within).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_target_that_serves_is_told_from_one_that_was_restarted() {
        let target = embedded::furnish(&[]);
        let mut witness = witness(&target).await.unwrap();
        assert_eq!(witness.look().await, Sign::Served);
        target.restart().await.unwrap();
        let Sign::Replaced(notice) = witness.look().await else {
            panic!("the restart was not noticed");
        };
        assert!(notice.contains("may have been restarted"), "{notice}");
        assert_eq!(
            witness.look().await,
            Sign::Served,
            "the new connection is as good"
        );
        witness.leave().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_target_that_does_not_answer_any_more_is_dead() {
        let dies = async {
            let target = embedded::furnish(&[]);
            let mut witness = witness(&target).await.unwrap();
            // In its place comes what accepts connections and never says a word.
            witness.target = Stub::Mute.furnish();
            target.kill().await.unwrap();
            witness.look().await
        };
        let Sign::Dead(seen) = LocalSet::new().run_until(dies).await else {
            panic!("a dead target was taken for a living one");
        };
        assert!(
            seen.contains("PINGRESP") && seen.contains("no CONNACK within 5 s"),
            "{seen}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_can_be_called_where_nobody_answers() {
        let calls = async { witness(&Stub::Mute.furnish()).await.err() };
        let trouble = LocalSet::new().run_until(calls).await;
        assert!(matches!(trouble, Some(Trouble::Silent { .. })));
    }
}
