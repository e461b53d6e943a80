//! The configuration of the broker: a file, and the options that outweigh it.

use std::path::{Path, PathBuf};

use broker::config::{Answers, Features, Limits, Permission, RedirectedWhen, Redirection};
use broker::{Breakable, Config, Password};
use runner::document::Document;
use serde::Deserialize;
use serde_yaml::Spanned;

use super::listen::Place;
use super::{Serve, Who, passwords, tls};
use crate::failure::Failure;

/// A file that says what holds where nothing is said.
pub(super) const EXAMPLE: &str = include_str!("example.yaml");

/// Where the broker listens when it is not told.
const LISTEN: &str = "mqtt://127.0.0.1:1883";

/// All that has to be known to serve.
pub(super) struct Configuration {
    pub(super) config: Config,
    pub(super) places: Vec<Place>,
    pub(super) tls: tls::Files,
    /// The directory of the store; none to keep everything in memory.
    pub(super) data: Option<PathBuf>,
}

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    listen: Vec<Spanned<String>>,
    tls: tls::Files,
    data: Option<PathBuf>,
    features: Features,
    limits: Limits,
    access: Access,
    answers: Answers,
    redirection: Option<Redirection>,
    #[serde(rename = "break")]
    broken: Vec<Breakable>,
}

/// Who may connect, and who may do what.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Access {
    /// Whether clients are served without a user name; if nothing is said, they are where there are no passwords.
    anonymous: Option<bool>,
    password_file: Option<PathBuf>,
    refused_client_ids: Vec<String>,
    permissions: Vec<Permission>,
}

impl Configuration {
    /// The file, if there is one, and the options.
    pub(super) fn gather(options: &Serve) -> Result<Self, Failure> {
        let mut configuration = match &options.config {
            Some(path) => Self::read(path)?,
            None => Self {
                config: Config::default(),
                places: Vec::new(),
                tls: tls::Files::default(),
                data: None,
            },
        };
        configuration.outweigh(options)?;
        configuration.data = options.data.clone().or(configuration.data);
        if configuration.places.is_empty() {
            configuration
                .places
                .push(Place::parse(LISTEN).map_err(|error| Failure::of(&error))?);
        }
        Ok(configuration)
    }

    fn read(path: &Path) -> Result<Self, Failure> {
        let document = Document::read(path).map_err(|error| Failure::in_document(&error))?;
        let file: Option<File> = document
            .parse()
            .map_err(|error| Failure::in_document(&error))?;
        let file = file.unwrap_or_default();
        // What a file names stands beside it, wherever the program is started.
        let beside = |named: PathBuf| {
            path.parent()
                .map_or(named.clone(), |folder| folder.join(named))
        };
        let mut places = Vec::new();
        for written in &file.listen {
            let place = Place::parse(&written.value).map_err(|error| {
                Failure::in_document(&document.wrong(written, error.to_string()))
            })?;
            places.push(place);
        }
        let mut config = Config {
            features: file.features,
            limits: file.limits,
            answers: file.answers,
            redirection: file.redirection,
            ..Config::default()
        };
        for rule in file.broken {
            config.disobey(rule);
        }
        config.access.refused_client_ids = file.access.refused_client_ids;
        config.access.permissions = file.access.permissions;
        if let Some(passwords) = file.access.password_file {
            config.access.passwords = passwords::read(&beside(passwords))?;
        }
        config.access.anonymous = file
            .access
            .anonymous
            .unwrap_or(config.access.passwords.is_empty());
        let mut tls = file.tls;
        for named in [
            &mut tls.certificate,
            &mut tls.key,
            &mut tls.client_authorities,
            &mut tls.self_signed,
        ] {
            *named = named.take().map(beside);
        }
        Ok(Self {
            config,
            places,
            tls,
            data: file.data.map(beside),
        })
    }

    fn outweigh(&mut self, options: &Serve) -> Result<(), Failure> {
        let Serve {
            where_to,
            what,
            who,
            ..
        } = options;
        if !where_to.listen.is_empty() {
            self.places = where_to
                .listen
                .iter()
                .map(|written| Place::parse(written).map_err(|error| Failure::of(&error)))
                .collect::<Result<_, _>>()?;
        }
        let tls = &mut self.tls;
        let elsewhere = !where_to.listen.is_empty();
        if elsewhere && !self.places.iter().any(|place| place.scheme.is_secure()) {
            // What the file says of TLS is about other places.
            *tls = tls::Files::default();
        }
        if where_to.tls_cert.is_some() || where_to.tls_key.is_some() {
            (tls.certificate, tls.key) = (where_to.tls_cert.clone(), where_to.tls_key.clone());
            tls.self_signed = None;
        }
        if where_to.tls_self_signed.is_some() {
            (tls.certificate, tls.key) = (None, None);
            tls.self_signed.clone_from(&where_to.tls_self_signed);
        }
        if where_to.tls_client_ca.is_some() {
            tls.client_authorities.clone_from(&where_to.tls_client_ca);
        }

        for text in &what.broken {
            let rule = text.parse().map_err(|error| Failure::of(&error))?;
            self.config.disobey(rule);
        }
        let Config {
            features, limits, ..
        } = &mut self.config;
        if let Some(qos) = what.maximum_qos {
            features.maximum_qos = codec::QoS::from_bits(qos);
        }
        features.retain &= !what.no_retain;
        features.wildcards &= !what.no_wildcards;
        features.shared_subscriptions &= !what.no_shared_subscriptions;
        features.subscription_identifiers &= !what.no_subscription_identifiers;
        set(&mut limits.maximum_packet_size, what.maximum_packet_size);
        set(&mut limits.receive_maximum, what.receive_maximum);
        set(&mut limits.topic_alias_maximum, what.topic_alias_maximum);
        if what.server_keep_alive.is_some() {
            limits.server_keep_alive = what.server_keep_alive;
        }
        for (server, when) in [
            (&what.redirect, RedirectedWhen::Connecting),
            (&what.redirect_on_stop, RedirectedWhen::Stopping),
        ] {
            if let Some(server) = server {
                self.config.redirection = Some(Redirection {
                    server_reference: server.clone(),
                    permanent: false,
                    when,
                });
            }
        }
        self.admit(who)
    }

    fn admit(&mut self, who: &Who) -> Result<(), Failure> {
        let access = &mut self.config.access;
        if let Some(file) = &who.password_file {
            access.passwords = passwords::read(file)?;
            access.anonymous = false;
        }
        for user in &who.user {
            let (name, password) = user.split_once(':').ok_or_else(|| {
                Failure::new(format!(
                    "`{user}` is no user: there is no `:` between name and password"
                ))
            })?;
            access
                .passwords
                .insert(name.into(), Password::text(password));
            access.anonymous = false;
        }
        access
            .refused_client_ids
            .extend(who.refuse_client_id.iter().cloned());
        access.anonymous |= who.anonymous;
        let permissions = who.permission.iter().map(|written| permission(written));
        let permissions: Vec<_> = permissions.collect::<Result<_, _>>()?;
        access.permissions.splice(..0, permissions);
        Ok(())
    }
}

/// A permission as the file would have it.
fn permission(written: &str) -> Result<Permission, Failure> {
    Document::of("--permission", written)
        .parse()
        .map_err(|error| Failure::in_document(&error))
}

fn set<T: Copy>(value: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *value = given;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_says_what_holds_anyway() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("broker.yaml");
        std::fs::write(&path, EXAMPLE).unwrap();
        let Ok(read) = Configuration::read(&path) else {
            panic!("the example cannot be read");
        };
        assert_eq!(read.config, Config::default());
        let places: Vec<&str> = read.places.iter().map(|place| &*place.written).collect();
        assert_eq!(places, [LISTEN]);
        // Nothing is left out: each field of the configuration stands there.
        let told = format!("{:#?}", read.config);
        let fields = told.lines().filter_map(|line| line.trim().split_once(": "));
        for (field, _) in fields.filter(|(field, _)| {
            !["passwords", "broken", "broken_at", "unasked", "persistent"].contains(field)
        }) {
            assert!(EXAMPLE.contains(&format!("{field}:")), "{field} is missing");
        }
    }
}
