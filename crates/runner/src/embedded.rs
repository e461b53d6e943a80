//! The embedded reference broker, configured for what each case requires.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;

use broker::config::Permission;
use broker::rules::ClauseSet;
use broker::shell::{self, Kept};
use broker::{Breach, Breakable, Broker, Config, Password};
use codec::QoS;

use crate::identity::Identity;
use crate::link::{Tls, Transport};
use crate::target::{Answer, Authentication, Credentials, Facts, Features, Host, Target};

const NAME: &str = "the embedded reference broker";
const REFUSED_TOPIC: &str = "forbidden/to/everybody";
const EXPLANATION: &str =
    "long enough to make any answer too large for a client that takes small packets only";
const REFUSED_CLIENT_ID: &str = "refused";
const MAXIMUM_PACKET_SIZE: u32 = 1024;
const RECEIVE_MAXIMUM: u16 = 3;
const SERVER_KEEP_ALIVE: u16 = 5;

/// What the embedded broker has without any configuration.
const OFFERED: [&str; 11] = [
    "qos 1",
    "qos 2",
    "retain",
    "wildcard",
    "shared",
    "subscription_ids",
    "topic_alias",
    "enhanced_auth",
    "restart",
    "persistence",
    "websocket",
];

/// The broker that a case with these requirements is played on. Must be called within the case's runtime.
pub(crate) fn furnish(requires: &[&str]) -> Target {
    furnish_breaking(None, requires)
}

/// The same, on a broker that disobeys this.
pub(crate) fn furnish_breaking(broken: Option<&Breakable>, requires: &[&str]) -> Target {
    let mut config = Config::default();
    if let Some(rule) = broken {
        config.disobey(rule.clone());
    }
    let mut facts = Facts {
        features: Features::none("the embedded broker does not offer it"),
        authentication: Some(Authentication {
            method: broker::core::ECHO.to_owned(),
            first: b"first".to_vec(),
            answer: Answer::Echo,
        }),
        ..Facts::default()
    };
    facts.takes_any(Credentials::of_anybody());
    for feature in OFFERED {
        facts.features.add(feature);
    }
    for feature in requires {
        if configure(feature, &mut config, &mut facts) {
            facts.features.add(feature);
        }
    }
    Target::in_memory(NAME, facts, Rc::new(Reference::start(config)))
}

/// Makes a broker that has the feature; false when that takes no configuration, or none helps.
fn configure(feature: &str, config: &mut Config, facts: &mut Facts) -> bool {
    let mut tell = |name, value: String| {
        facts.values.insert(name, value);
    };
    match feature {
        "limited_qos" => {
            config.features.maximum_qos = QoS::AT_LEAST_ONCE;
            facts
                .features
                .lack("qos 2", "the case requires `limited_qos` as well");
        }
        "no_retain" => config.features.retain = false,
        "no_wildcard" => config.features.wildcards = false,
        "no_shared" => config.features.shared_subscriptions = false,
        "no_topic_alias" => {
            config.limits.topic_alias_maximum = 0;
            facts
                .features
                .lack("topic_alias", "the case requires `no_topic_alias` as well");
        }
        "no_subscription_ids" => config.features.subscription_identifiers = false,
        "maximum_packet_size" => {
            config.limits.maximum_packet_size = MAXIMUM_PACKET_SIZE;
            tell("maximum_packet_size", MAXIMUM_PACKET_SIZE.to_string());
        }
        "receive_maximum" => {
            config.limits.receive_maximum = RECEIVE_MAXIMUM;
            tell("receive_maximum", RECEIVE_MAXIMUM.to_string());
        }
        "server_keep_alive" => {
            config.limits.server_keep_alive = Some(SERVER_KEEP_ALIVE);
            tell("server_keep_alive", SERVER_KEEP_ALIVE.to_string());
        }
        "auth" => {
            config.access.anonymous = false;
            let credentials = Credentials::of_anybody();
            let password = credentials.password.clone().unwrap_or_default();
            config
                .access
                .passwords
                .insert(credentials.user.clone(), Password::text(password));
            facts.credentials = Some(credentials);
        }
        "authz" => {
            config.access.permissions.push(Permission {
                user: None,
                filter: REFUSED_TOPIC.to_owned(),
                publish: false,
                subscribe: false,
            });
            tell("refused_topic", REFUSED_TOPIC.to_owned());
            // Who forbids also explains; what a client with a small Maximum Packet Size is spared can only be seen there.
            config
                .answers
                .user_properties
                .push(("assay".to_owned(), EXPLANATION.to_owned()));
        }
        "client_id_policy" => {
            config
                .access
                .refused_client_ids
                .push(REFUSED_CLIENT_ID.to_owned());
            tell("refused_client_id", REFUSED_CLIENT_ID.to_owned());
        }
        _ => return false,
    }
    true
}

/// The reference broker of one case.
struct Reference {
    config: Config,
    /// What the brokers before the running one consulted.
    consulted: Cell<ClauseSet>,
    /// Where packets broke a clause on them.
    breaches: RefCell<BTreeSet<Breach>>,
    /// None while it restarts.
    broker: RefCell<Option<Broker>>,
}

impl Reference {
    /// Every configuration that [`configure`] makes can be served; without a broker, links end at once.
    fn start(config: Config) -> Self {
        Self {
            broker: RefCell::new(Broker::start(config.clone()).ok()),
            consulted: Cell::default(),
            breaches: RefCell::default(),
            config,
        }
    }

    /// Takes the running broker away, and keeps the record of what it consulted.
    fn take(&self) -> Option<Broker> {
        self.consulted.set(self.consulted());
        self.breaches.replace(self.breaches());
        self.broker.take()
    }

    /// Starts a broker with what the one before has kept.
    fn start_again(&self, kept: Option<Kept>) {
        let broker = kept.and_then(|kept| Broker::start_again(self.config.clone(), kept).ok());
        self.broker.replace(broker);
    }
}

impl Host for Reference {
    fn consulted(&self) -> ClauseSet {
        let now = self.broker.borrow().as_ref().map(Broker::consulted);
        self.consulted.get().union(now.unwrap_or_default())
    }

    fn breaches(&self) -> BTreeSet<Breach> {
        let mut all = self.breaches.borrow().clone();
        if let Some(broker) = &*self.broker.borrow() {
            all.extend(broker.breaches());
        }
        all
    }

    fn attach(&self, end: broker::pipe::End) {
        if let Some(broker) = &*self.broker.borrow() {
            broker.attach(end);
        }
    }

    fn attach_by(&self, transport: Transport, end: broker::pipe::End) -> io::Result<Option<Tls>> {
        let (mut layers, mut trust) = (shell::Transport::PLAIN, None);
        if transport.is_websocket() {
            layers = shell::Transport::WEBSOCKET;
        }
        if transport.is_encrypted() {
            let identity = Identity::of_this_process()?;
            layers = layers.over(identity.tls);
            trust = Some(identity.trust);
        }
        if let Some(broker) = &*self.broker.borrow() {
            broker.attach_over(end, &layers);
        }
        Ok(trust)
    }

    fn restart(&self) -> Pin<Box<dyn Future<Output = io::Result<()>> + '_>> {
        Box::pin(async {
            let mut kept = None;
            if let Some(broker) = self.take() {
                broker.stop().await;
                kept = Some(broker.kept());
            }
            self.start_again(kept);
            Ok(())
        })
    }

    fn kill(&self) -> Pin<Box<dyn Future<Output = io::Result<()>> + '_>> {
        Box::pin(async {
            let kept = self.take().map(|broker| broker.kept());
            // The dead broker's tasks learn of it when they run next; until then they could still answer.
            tokio::task::yield_now().await;
            self.start_again(kept);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use codec::Version;

    use super::*;
    use crate::client::Client;

    /// What CONNACK says on a broker for these requirements: (Maximum QoS, Retain Available, Maximum Packet Size).
    async fn greeting(requires: &[&str]) -> (Option<u8>, Option<u8>, Option<u32>) {
        let target = furnish(requires);
        let within = Duration::from_secs(5);
        let (_, seen) = Client::connect(&target, Version::V5_0, "c", within, |connack| {
            let properties = connack.properties;
            (
                properties.maximum_qos(),
                properties.retain_available(),
                properties.maximum_packet_size(),
            )
        })
        .await
        .unwrap();
        seen
    }

    #[tokio::test(start_paused = true)]
    async fn a_case_gets_the_broker_that_it_requires() {
        assert_eq!(greeting(&["limited_qos"]).await.0, Some(1));
        assert_eq!(greeting(&["no_retain"]).await.1, Some(0));
        let limited = greeting(&["maximum_packet_size", "auth"]).await;
        assert_eq!(limited.2, Some(MAXIMUM_PACKET_SIZE));
    }

    #[tokio::test(start_paused = true)]
    async fn a_contradiction_in_what_is_required_is_told() {
        let requires = ["limited_qos", "qos 2"];
        let reason = furnish(&requires).features().missing(&requires).unwrap();
        assert_eq!(
            reason,
            "requires `qos 2`: the case requires `limited_qos` as well"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_restarted_broker_ends_its_connections_and_serves_again() {
        let target = furnish(&[]);
        let within = Duration::from_secs(5);
        let (mut client, ()) = Client::connect(&target, Version::V3_1_1, "c", within, |_| ())
            .await
            .unwrap();
        client.ping().await.unwrap();
        target.restart().await.unwrap();
        client.ping().await.unwrap_err();
        Client::connect(&target, Version::V3_1_1, "c", within, |_| ())
            .await
            .unwrap();
    }
}
