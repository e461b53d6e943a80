//! [`Declared`]: what a profile or a recipe says of one configuration of a target.

use std::collections::BTreeMap;

use codec::Version;
use serde::Deserialize;
use serde_yaml::Spanned;

use super::{Answer, Authentication, Credentials, Facts};
use crate::document::{Document, DocumentError, Entries, unknown};

/// What a profile or a recipe says of one configuration of a target, beyond what the target tells itself.
#[derive(Debug, Clone, Default)]
pub struct Declared {
    /// What every CONNECT must carry.
    pub credentials: Option<Credentials>,
    /// How enhanced authentication goes.
    pub authentication: Option<Authentication>,
    /// The features that it has.
    pub features: Vec<String>,
    /// The features that it has not, each with the reason.
    pub lacks: Vec<(String, String)>,
    /// The versions it speaks; those that it answers to where none is named.
    pub versions: Vec<Version>,
    /// What `<target.NAME>` stands for.
    pub values: BTreeMap<&'static str, String>,
}

/// The keys of a file that say so.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) credentials: Option<WrittenCredentials>,
    pub(crate) authentication: Option<WrittenAuthentication>,
    pub(crate) features: Vec<Spanned<String>>,
    pub(crate) lacks: Entries<String>,
    pub(crate) versions: Vec<Spanned<String>>,
    pub(crate) limits: Limits,
    pub(crate) refused_topic: Option<String>,
    pub(crate) refused_client_id: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenCredentials {
    pub(crate) user: Spanned<String>,
    pub(crate) password: Option<Spanned<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenAuthentication {
    pub(crate) method: String,
    pub(crate) first: Option<Spanned<String>>,
    pub(crate) answer: Spanned<String>,
}

/// The limits that a server can tell in CONNACK of 5.0 (section 3.2.2.3), for targets that do not.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    maximum_packet_size: Option<u32>,
    receive_maximum: Option<u16>,
    server_keep_alive: Option<u16>,
}

/// A structure of a file with the keys of [`Written`] besides its own.
macro_rules! with_declarations {
    (
        $(#[$meta:meta])*
        $visibility:vis struct $name:ident {
            $($(#[$field_meta:meta])* $field_visibility:vis $field:ident: $type:ty,)*
        }
    ) => {
        $(#[$meta])*
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        $visibility struct $name {
            $($(#[$field_meta])* $field_visibility $field: $type,)*
            credentials: Option<$crate::target::declared::WrittenCredentials>,
            authentication: Option<$crate::target::declared::WrittenAuthentication>,
            #[serde(default)]
            features: Vec<serde_yaml::Spanned<String>>,
            #[serde(default)]
            lacks: $crate::document::Entries<String>,
            #[serde(default)]
            versions: Vec<serde_yaml::Spanned<String>>,
            #[serde(default)]
            limits: $crate::target::declared::Limits,
            refused_topic: Option<String>,
            refused_client_id: Option<String>,
        }

        impl $name {
            /// What is said of the target.
            fn take_declarations(&mut self) -> $crate::target::declared::Written {
                $crate::target::declared::Written {
                    credentials: self.credentials.take(),
                    authentication: self.authentication.take(),
                    features: std::mem::take(&mut self.features),
                    lacks: std::mem::take(&mut self.lacks),
                    versions: std::mem::take(&mut self.versions),
                    limits: std::mem::take(&mut self.limits),
                    refused_topic: self.refused_topic.take(),
                    refused_client_id: self.refused_client_id.take(),
                }
            }
        }
    };
}
pub(crate) use with_declarations;

impl Declared {
    /// Reads the declarations of a file; `text_of` tells what a text stands for.
    pub(crate) fn read(
        document: &Document,
        written: Written,
        text_of: &mut dyn FnMut(&Spanned<String>) -> Result<String, DocumentError>,
    ) -> Result<Self, DocumentError> {
        let known = |feature: &Spanned<String>| {
            scenario::feature::feature(&feature.value)
                .map(|feature| feature.name.to_owned())
                .ok_or_else(|| {
                    let names = scenario::feature::FEATURES.iter();
                    let names = names.map(|feature| feature.name);
                    document.wrong(feature, unknown("feature", &feature.value, names))
                })
        };
        let features = written.features.iter().map(known);
        let lacks = written
            .lacks
            .0
            .iter()
            .map(|(feature, why)| Ok((known(feature)?, why.clone())));
        let versions = written.versions.iter().map(|version| {
            version
                .value
                .parse()
                .map_err(|error| document.wrong(version, format!("{error}")))
        });
        let credentials = match written.credentials {
            Some(credentials) => Some(Credentials {
                user: text_of(&credentials.user)?,
                password: credentials
                    .password
                    .as_ref()
                    .map(&mut *text_of)
                    .transpose()?,
            }),
            None => None,
        };
        let authentication = match written.authentication {
            Some(authentication) => {
                let first = authentication.first.as_ref();
                Some(Authentication {
                    method: authentication.method,
                    first: first
                        .map(&mut *text_of)
                        .transpose()?
                        .unwrap_or_default()
                        .into_bytes(),
                    answer: match authentication.answer.value.as_str() {
                        "<echo>" => Answer::Echo,
                        _ => Answer::Fixed(text_of(&authentication.answer)?.into_bytes()),
                    },
                })
            }
            None => None,
        };
        let limits = written.limits;
        let values = [
            (
                "maximum_packet_size",
                limits.maximum_packet_size.map(|limit| limit.to_string()),
            ),
            (
                "receive_maximum",
                limits.receive_maximum.map(|limit| limit.to_string()),
            ),
            (
                "server_keep_alive",
                limits.server_keep_alive.map(|limit| limit.to_string()),
            ),
            ("refused_topic", written.refused_topic),
            ("refused_client_id", written.refused_client_id),
        ];
        Ok(Self {
            credentials,
            authentication,
            features: features.collect::<Result<_, _>>()?,
            lacks: lacks.collect::<Result<_, _>>()?,
            versions: versions.collect::<Result<_, _>>()?,
            values: values
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?)))
                .collect(),
        })
    }

    /// Whether it is said of the feature that the configuration has it.
    pub(crate) fn offers(&self, feature: &str) -> bool {
        self.features.iter().any(|offered| offered == feature)
            || match feature {
                "enhanced_auth" => self.authentication.is_some(),
                "authz" => self.values.contains_key("refused_topic"),
                "client_id_policy" => self.values.contains_key("refused_client_id"),
                limit @ ("maximum_packet_size" | "receive_maximum" | "server_keep_alive") => {
                    self.values.contains_key(limit)
                }
                _ => false,
            }
    }

    /// Adds to what the target has told: it is believed where it speaks for itself, except for what is said to be
    /// lacking.
    pub(crate) fn apply(&self, facts: &mut Facts) {
        let Facts {
            features, values, ..
        } = facts;
        for feature in scenario::feature::FEATURES {
            if self.offers(feature.name) && !features.speaks_of(feature.name) {
                features.add(feature.name);
            }
        }
        for (feature, why) in &self.lacks {
            features.lack(feature, why.clone());
        }
        for (name, value) in &self.values {
            values.entry(name).or_insert_with(|| value.clone());
        }
        if self.authentication.is_some() {
            facts.authentication.clone_from(&self.authentication);
        }
        if !self.versions.is_empty() {
            for version in [Version::V3_1, Version::V3_1_1, Version::V5_0] {
                let told = facts.unspoken.iter().any(|(other, _)| *other == version);
                if !self.versions.contains(&version) && !told {
                    let why = format!(
                        "{} is not among the versions of its profile",
                        version.name()
                    );
                    facts.unspoken.push((version, why));
                }
            }
        }
    }
}
