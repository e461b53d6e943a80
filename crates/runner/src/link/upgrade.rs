//! [`Upgrade`]: the HTTP request that turns a stream into a WebSocket, and what the server answers (RFC 6455 section 4).

use std::error::Error;

use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// More header fields than any server sends.
const HEADERS: usize = 64;
/// More bytes than any server's answer has.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Why no WebSocket was opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpgradeError {
    /// The server does not want to.
    #[error("it answers the upgrade with HTTP status {0}")]
    Status(u16),
    /// What it answers is no HTTP.
    #[error("its answer to the upgrade is no HTTP")]
    NoHttp,
    /// The answer says 101, but the client must fail the connection.
    #[error("its answer to the upgrade has no sound `{0}`")]
    Header(&'static str),
    /// The connection ended before the answer was whole.
    #[error("it ends the connection before it has answered the upgrade")]
    Ended,
}

impl UpgradeError {
    /// Whether an error of I/O has such a one inside.
    pub(crate) fn is_in(error: &std::io::Error) -> bool {
        error
            .get_ref()
            .is_some_and(<dyn Error + Send + Sync>::is::<Self>)
    }
}

/// What the server's answer said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upgraded {
    /// The subprotocol that it chose, if any.
    pub subprotocol: Option<String>,
}

/// A request to open a WebSocket.
#[derive(Debug)]
pub(super) struct Upgrade {
    pub(super) request: Vec<u8>,
    key: String,
}

impl Upgrade {
    /// A request for `path` at `host`, with the subprotocols that it offers.
    pub(super) fn new(host: &str, path: &str, offer: &[String]) -> Self {
        let key = generate_key();
        let mut request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        );
        if !offer.is_empty() {
            request.push_str("Sec-WebSocket-Protocol: ");
            request.push_str(&offer.join(", "));
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        Self {
            request: request.into_bytes(),
            key,
        }
    }

    /// Reads the server's answer; none as long as it is not whole. The number is its length.
    pub(super) fn read(&self, answer: &[u8]) -> Result<Option<(Upgraded, usize)>, UpgradeError> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let length = match response.parse(answer) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) if answer.len() < LONGEST_ANSWER => return Ok(None),
            Ok(httparse::Status::Partial) | Err(_) => return Err(UpgradeError::NoHttp),
        };
        match response.code {
            Some(101) => {}
            Some(status) => return Err(UpgradeError::Status(status)),
            None => return Err(UpgradeError::NoHttp),
        }
        let value = |name: &str| {
            let header = response
                .headers
                .iter()
                .find(|header| header.name.eq_ignore_ascii_case(name))?;
            std::str::from_utf8(header.value).ok().map(str::trim)
        };
        let lists = |name, token: &str| {
            let values = value(name).unwrap_or_default();
            values
                .split(',')
                .any(|value| value.trim().eq_ignore_ascii_case(token))
        };
        if !lists("Upgrade", "websocket") {
            return Err(UpgradeError::Header("Upgrade"));
        }
        if !lists("Connection", "upgrade") {
            return Err(UpgradeError::Header("Connection"));
        }
        if value("Sec-WebSocket-Accept") != Some(&derive_accept_key(self.key.as_bytes())) {
            return Err(UpgradeError::Header("Sec-WebSocket-Accept"));
        }
        let subprotocol = value("Sec-WebSocket-Protocol").map(str::to_owned);
        Ok(Some((Upgraded { subprotocol }, length)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upgrade() -> Upgrade {
        Upgrade {
            request: Vec::new(),
            // The example of RFC 6455 section 1.3, with its answer below.
            key: "dGhlIHNhbXBsZSBub25jZQ==".to_owned(),
        }
    }

    const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\n\
        Connection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
        Sec-WebSocket-Protocol: mqtt\r\n\r\n";

    #[test]
    fn a_sound_answer_tells_the_subprotocol_and_where_it_ends() {
        let with_a_frame = format!("{ANSWER}frame");
        let (upgraded, length) = upgrade().read(with_a_frame.as_bytes()).unwrap().unwrap();
        assert_eq!(upgraded.subprotocol.as_deref(), Some("mqtt"));
        assert_eq!(length, ANSWER.len());
        assert_eq!(upgrade().read(&ANSWER.as_bytes()[..60]), Ok(None));
    }

    #[test]
    fn an_answer_that_opens_nothing_says_why() {
        let refused = |from, to| {
            let answer = ANSWER.replace(from, to);
            upgrade().read(answer.as_bytes()).unwrap_err()
        };
        assert_eq!(
            refused("101 Switching Protocols", "404 Not Found"),
            UpgradeError::Status(404)
        );
        assert_eq!(refused("WebSocket", "h2c"), UpgradeError::Header("Upgrade"));
        assert_eq!(
            refused("s3pP", "xxxx"),
            UpgradeError::Header("Sec-WebSocket-Accept")
        );
        assert_eq!(refused("HTTP/1.1", "\x20\x02"), UpgradeError::NoHttp);
    }

    #[test]
    fn the_request_offers_what_it_is_told_to() {
        let offer = ["a".to_owned(), "mqtt".to_owned()];
        let request = String::from_utf8(Upgrade::new("h:1", "/p", &offer).request).unwrap();
        assert!(request.starts_with("GET /p HTTP/1.1\r\nHost: h:1\r\n"));
        assert!(request.contains("\r\nSec-WebSocket-Protocol: a, mqtt\r\n"));
        let request = String::from_utf8(Upgrade::new("h", "/", &[]).request).unwrap();
        assert!(!request.contains("Sec-WebSocket-Protocol"));
    }
}
