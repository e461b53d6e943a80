//! [`Witnesses`]: where the clients come from that take part in no script and must be served all the time.

use std::time::Duration;

use codec::Version;
use runner::target::Target;
use runner::{Trouble, Witness};

/// Calls witnesses, each under a Client Identifier of its own.
pub(super) struct Witnesses {
    target: Target,
    version: Version,
    token: String,
    within: Duration,
    called: u64,
}

impl Witnesses {
    pub(super) fn new(target: Target, version: Version, token: String, within: Duration) -> Self {
        Self {
            target,
            version,
            token,
            within,
            called: 0,
        }
    }

    /// Connects the next one.
    pub(super) async fn call(&mut self) -> Result<Witness, Trouble> {
        self.called += 1;
        let client_id = format!("{}w{}", self.token, self.called);
        Witness::call(self.target.clone(), self.version, client_id, self.within).await
    }
}
