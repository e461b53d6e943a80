//! The methods of enhanced authentication (5.0 section 4.12), as the core drives them: bytes in, bytes out.

use std::fmt;

use super::ConnectionId;

/// A way for a client and the server to convince each other.
///
/// Whatever a method draws lots for, it brings along: the core knows no chance.
pub trait Method: fmt::Debug + Send {
    /// Its name, the Authentication Method.
    fn name(&self) -> &str;

    /// Begins an authentication: the `round`th on the connection, counted from 1.
    fn begin(&self, connection: ConnectionId, round: u32) -> Box<dyn Exchange>;
}

/// One authentication under way.
pub trait Exchange: fmt::Debug + Send {
    /// Takes the client's Authentication Data, if it sent some, and says how to go on. It is not asked again once it
    /// has said that the exchange is over.
    fn step(&mut self, data: Option<&[u8]>) -> Step;
}

/// How an authentication goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The client is sent this Authentication Data, and answers.
    Continue(Vec<u8>),
    /// The client has shown who it is.
    Done {
        /// Authentication Data that goes with the success.
        data: Option<Vec<u8>>,
        /// The user that it has shown to be; none where the method does not ask.
        user: Option<String>,
    },
    /// The client is not let in.
    Failed,
}

/// The method [`ECHO`](super::ECHO).
#[derive(Debug)]
pub(super) struct Echo;

/// The challenge that has to come back; none yet.
#[derive(Debug)]
struct EchoExchange {
    challenge: Vec<u8>,
    sent: bool,
}

impl Method for Echo {
    fn name(&self) -> &str {
        super::ECHO
    }

    /// The challenge is the number of the connection and of the round: the same exchange, the same bytes.
    fn begin(&self, connection: ConnectionId, round: u32) -> Box<dyn Exchange> {
        Box::new(EchoExchange {
            challenge: format!("challenge {}.{round}", connection.0).into_bytes(),
            sent: false,
        })
    }
}

impl Exchange for EchoExchange {
    fn step(&mut self, data: Option<&[u8]>) -> Step {
        if !self.sent {
            self.sent = true;
            return Step::Continue(self.challenge.clone());
        }
        if data == Some(&*self.challenge) {
            Step::Done {
                data: None,
                user: None,
            }
        } else {
            Step::Failed
        }
    }
}
