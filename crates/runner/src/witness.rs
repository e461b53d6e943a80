//! [`Witness`]: a client of the runner's own that tells whether the target still serves.

use std::time::Duration;

use codec::Version;

use crate::client::{Client, Trouble};
use crate::target::Target;

/// A client that takes part in no case and must be served all the time.
pub(crate) struct Witness {
    target: Target,
    version: Version,
    client_id: String,
    within: Duration,
    client: Client,
}

/// How the target serves the witness.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// As it should.
    Served,
    /// It ended the witness's connection, and serves a new one.
    Replaced(String),
    /// Not any more.
    Dead(String),
}

impl Witness {
    pub(crate) async fn call(
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
    pub(crate) async fn look(&mut self) -> Sign {
        let Err(trouble) = self.client.ping().await else {
            return Sign::Served;
        };
        match connect(&self.target, self.version, &self.client_id, self.within).await {
            Ok(client) => {
                self.client = client;
                Sign::Replaced(format!(
                    "the target did not serve a client that takes part in no case ({trouble}), but accepts it anew: it may have been restarted"
                ))
            }
            Err(again) => Sign::Dead(format!("{trouble}; then {again}")),
        }
    }

    pub(crate) async fn leave(self) {
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
