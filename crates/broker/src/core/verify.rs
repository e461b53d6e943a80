//! Passwords whose check takes a while, so that somebody else does it (section 3.1.4).
//!
//! The core says what is to be verified and goes on; what the client sends behind its CONNECT waits for the answer.

use std::fmt;

use codec::{Connect, Frame, ReasonCode};

use super::connection::Stage;
use super::{Action, ConnectionId, Core, Refusal};
use crate::Password;
use crate::rules::{Rules, rule};

/// A client's Password, and the hash that it has to fit.
#[derive(Clone, PartialEq, Eq)]
pub struct Claim {
    password: Box<[u8]>,
    expected: Password,
}

impl Claim {
    pub(super) fn new(password: &[u8], expected: &Password) -> Self {
        Self {
            password: password.into(),
            expected: expected.clone(),
        }
    }

    /// Whether the Password fits. It takes as long as the rounds of the hash do: milliseconds, or seconds.
    pub fn holds(&self) -> bool {
        self.expected.is(&self.password)
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claim(…)")
    }
}

impl Core {
    /// Lets the Password of a CONNECT be verified; the rest of the connection waits.
    pub(super) fn let_verify(&mut self, id: ConnectionId, claim: Claim, frame: Frame<'_>) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.stage = Stage::Verifying {
                connect: frame.as_bytes().into(),
            };
            self.actions.push(Action::Verify {
                connection: id,
                claim,
            });
        }
    }

    /// It is known whether the Password of a CONNECT is right.
    pub(super) fn verified(&mut self, id: ConnectionId, holds: bool) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let rules = connection.rules.clone();
        let Stage::Verifying { connect } = &mut connection.stage else {
            return;
        };
        let connect = std::mem::take(connect);
        // It was read before; a broken rule may have let it through.
        let frame = Frame::new(&connect);
        let read = frame.and_then(|frame| codec::decode_connect_leniently(frame, &mut Vec::new()));
        let Some((_, connect)) = read else {
            return;
        };
        if let Err(refusal) = self.admit_verified(id, &rules, &connect, holds) {
            self.refuse(id, refusal);
        }
        // What has come behind the CONNECT meanwhile.
        self.received(id, &[]);
    }

    fn admit_verified(
        &mut self,
        id: ConnectionId,
        rules: &Rules,
        connect: &Connect<'_>,
        holds: bool,
    ) -> Result<(), Refusal> {
        refuse_credentials_if(!holds, rules, connect)?;
        self.accept(id, rules, connect)
    }
}

/// Refuses a client whose User Name and Password let nobody in.
pub(super) fn refuse_credentials_if(
    wrong: bool,
    rules: &Rules,
    connect: &Connect<'_>,
) -> Result<(), Refusal> {
    let reason = if connect.user_name.is_none() {
        ReasonCode::NOT_AUTHORIZED
    } else {
        ReasonCode::BAD_USER_NAME_OR_PASSWORD
    };
    rules
        .refuse_if(
            wrong,
            rule!("v3.1.1/U311-3.1.4-2", "v5.0/MQTT-3.1.4-2"),
            reason,
        )
        .map_err(|refusal| refusal.because("the User Name and Password let nobody in"))
}
