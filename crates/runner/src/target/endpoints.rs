//! [`Endpoints`]: all the addresses of one target.

use std::str::FromStr;

use super::{Address, AddressError};
use crate::link::{Tls, Transport};

/// Where one target listens: at one address, and perhaps at another for each further transport.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    first: Address,
    others: Vec<Address>,
    tls: Option<Tls>,
}

/// Two addresses with one transport.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{first} and {second} are both played over {transport}: give one address for each transport"
)]
pub struct SameTransport {
    first: String,
    second: String,
    transport: Transport,
}

impl Endpoints {
    /// A target with this address, which names it and is played unless another transport is asked for.
    pub fn new(first: Address) -> Self {
        Self {
            first,
            others: Vec::new(),
            tls: None,
        }
    }

    /// The same target, which listens at this address as well.
    ///
    /// # Errors
    /// There is an address with this transport already.
    pub fn and(mut self, address: Address) -> Result<Self, SameTransport> {
        if let Some(first) = self.of(address.transport) {
            return Err(SameTransport {
                first: first.to_string(),
                second: address.to_string(),
                transport: address.transport,
            });
        }
        self.others.push(address);
        Ok(self)
    }

    /// The same target, whose encrypted links are made like this.
    #[must_use]
    pub fn with_tls(self, tls: Tls) -> Self {
        Self {
            tls: Some(tls),
            ..self
        }
    }

    /// The address that names the target.
    pub fn first(&self) -> &Address {
        &self.first
    }

    /// All of them, the first first.
    pub fn all(&self) -> impl Iterator<Item = &Address> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The address for a transport.
    pub fn of(&self, transport: Transport) -> Option<&Address> {
        self.all().find(|address| address.transport == transport)
    }

    /// Whether some links to it are encrypted.
    pub fn are_encrypted(&self) -> bool {
        self.all().any(|address| address.transport.is_encrypted())
    }

    /// How encrypted links are made.
    pub fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }
}

impl FromStr for Endpoints {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        text.parse().map(Self::new)
    }
}

impl From<Address> for Endpoints {
    fn from(first: Address) -> Self {
        Self::new(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_transport_has_one_address() {
        let address = |text: &str| text.parse::<Address>().unwrap();
        let endpoints = Endpoints::new(address("mqtt://h"))
            .and(address("ws://h:8080"))
            .unwrap();
        assert_eq!(endpoints.of(Transport::WebSocket).unwrap().port, 8080);
        assert_eq!(endpoints.of(Transport::Tls), None);
        let twice = endpoints.and(address("ws://h:9090")).unwrap_err();
        assert_eq!(
            twice.to_string(),
            "ws://h:8080 and ws://h:9090 are both played over ws: give one address for each transport"
        );
    }
}
