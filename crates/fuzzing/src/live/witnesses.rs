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
    /// What tells these from others: two of one name would take each other's place.
    kind: char,
    called: u64,
}

impl Witnesses {
    pub(super) fn new(target: Target, version: Version, token: String, within: Duration) -> Self {
        Self {
            target,
            version,
            token,
            within,
            kind: 'w',
            called: 0,
        }
    }

    /// More, under names that none of these has.
    pub(super) fn others(&self) -> Self {
        Self {
            target: self.target.clone(),
            token: self.token.clone(),
            kind: 'o',
            called: 0,
            ..*self
        }
    }

    /// The version that they speak.
    pub(super) fn version(&self) -> Version {
        self.version
    }

    /// Connects the next one.
    pub(super) async fn call(&mut self) -> Result<Witness, Trouble> {
        self.called += 1;
        let client_id = format!("{}{}{}", self.token, self.kind, self.called);
        Witness::call(self.target.clone(), self.version, client_id, self.within).await
    }
}
