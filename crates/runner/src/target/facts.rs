//! [`Facts`]: what is known of a target before the first case.

use std::collections::BTreeMap;
use std::fmt;

use codec::Version;

use super::Features;
use crate::overtaking::Overtaking;

/// A User Name and a Password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The User Name.
    pub user: String,
    /// The Password, if there is one.
    pub password: Option<String>,
}

impl Credentials {
    /// What a target is offered that demands none.
    pub(crate) fn of_anybody() -> Self {
        Self {
            user: "assay".to_owned(),
            password: Some("touchstone".to_owned()),
        }
    }
}

/// How enhanced authentication goes on a target (5.0 section 4.12).
#[derive(Debug, Clone)]
pub struct Authentication {
    /// The Authentication Method.
    pub method: String,
    /// The Authentication Data of CONNECT and of the AUTH that begins a re-authentication.
    pub first: Vec<u8>,
    /// The Authentication Data that answers the server's.
    pub answer: Answer,
}

/// The Authentication Data that answers the server's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// What the server sent.
    Echo,
    /// Always the same.
    Fixed(Vec<u8>),
}

impl Answer {
    /// What answers the server's Authentication Data.
    pub fn to(&self, challenge: &[u8]) -> Vec<u8> {
        match self {
            Self::Echo => challenge.to_vec(),
            Self::Fixed(answer) => answer.clone(),
        }
    }
}

/// What is known of a target before the first case.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// What it has, and why it has not got the rest.
    pub features: Features,
    /// The versions it does not speak, each with how that is known.
    pub unspoken: Vec<(Version, String)>,
    /// What every CONNECT must carry.
    pub credentials: Option<Credentials>,
    /// How enhanced authentication goes.
    pub authentication: Option<Authentication>,
    /// What `<target.NAME>` stands for, beyond the credentials.
    pub values: BTreeMap<&'static str, String>,
    /// What was seen to come before what should have come first.
    pub overtaking: Option<Overtaking>,
}

impl Facts {
    /// What `<target.NAME>` stands for.
    pub fn value(&self, name: &str) -> Option<String> {
        match (name, &self.credentials) {
            ("user", Some(credentials)) => Some(credentials.user.clone()),
            ("password", Some(credentials)) => credentials.password.clone(),
            ("auth.method", _) => self
                .authentication
                .as_ref()
                .map(|authentication| authentication.method.clone()),
            _ => self.values.get(name).cloned(),
        }
    }

    /// Says that the target lets a client in under any User Name, so that `<target.user>` may be this one.
    pub(crate) fn takes_any(&mut self, credentials: Credentials) {
        self.values.insert("user", credentials.user);
        self.values
            .extend(credentials.password.map(|password| ("password", password)));
    }

    /// Why a case cannot be played; none when it can.
    pub fn reason_to_skip(&self, version: Version, requires: &[&str]) -> Option<String> {
        self.unspoken
            .iter()
            .find(|(unspoken, _)| *unspoken == version)
            .map(|(_, why)| why.clone())
            .or_else(|| self.features.missing(requires))
    }
}

/// The Password stays out of logs.
impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}
