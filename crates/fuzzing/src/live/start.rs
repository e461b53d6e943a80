//! [`run`]: from a target's address to a campaign.

use std::net::{IpAddr, ToSocketAddrs};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use codec::Version;
use runner::launch::{Instance, Launch, LaunchError};
use runner::link::Transport;
use runner::target::{Address, Configuration, Profile, Target};
use runner::{AdmissionError, At, Namespace, admit};
use tokio::runtime;
use tokio::task::LocalSet;

use super::event::{Event, Outcome};
use super::hall::Hall;
use super::keeper::Keeper;
use super::options::Options;
use super::perform::{Pace, Stage};
use super::witnesses::Witnesses;

/// The target of a campaign.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Which broker.
    pub broker: Broker,
    /// Which of its configurations; the first that has the transports where none is named.
    pub configuration: Option<String>,
    /// The process of a broker that somebody else started, if it may be watched.
    pub pid: Option<u32>,
    /// Whether the user says that the target is theirs to be fuzzed.
    pub owned: bool,
}

/// The broker of a campaign.
#[derive(Debug, Clone)]
pub enum Broker {
    /// It is running somewhere.
    At(Box<Profile>),
    /// It is started as a recipe says, watched, started again when it dies, and stopped.
    Launch(Arc<Launch>),
}

/// Why a campaign cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The target is somebody's, perhaps.
    #[error(
        "{0} is not on this machine: fuzzing can crash a broker and fill its store; if it is yours, say --i-own-this-target"
    )]
    NotOurs(String),
    /// The target is not reached, or is no broker.
    #[error(transparent)]
    Admission(#[from] AdmissionError),
    /// The broker cannot be started.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The target has no address for a transport.
    #[error("{0} is not reached over {1}; leave --transport away, or give an address for it")]
    NoTransport(String, Transport),
    /// The target is not described in such a configuration.
    #[error("{broker} has no configuration `{name}`; it has: {names}")]
    NoConfiguration {
        /// The target.
        broker: String,
        /// What it has not.
        name: String,
        /// What it has.
        names: String,
    },
    /// The target speaks none of the versions.
    #[error("{0} speaks none of the versions that were asked for; leave --versions away")]
    NoVersion(String),
}

/// Runs a campaign and returns when the last event has been told.
///
/// # Errors
/// Nothing was performed: the target may not be fuzzed, is not reached, or is no MQTT broker.
pub fn run(
    subject: &Subject,
    options: &Options,
    listener: &mut dyn FnMut(Event<'_>),
) -> Result<Outcome, StartError> {
    if let Broker::At(profile) = &subject.broker
        && !subject.owned
    {
        let mut configurations = profile.configurations.iter();
        let foreign = configurations.find_map(|configuration| {
            let mut addresses = configuration.endpoints.all();
            addresses.find(|address| !is_on_loopback(address))
        });
        if let Some(foreign) = foreign {
            return Err(StartError::NotOurs(foreign.to_string()));
        }
    }
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(AdmissionError::Runtime)?;
    runtime.block_on(LocalSet::new().run_until(async {
        let token = Namespace::new(nonce(), 0).token;
        let (profile, launched) = subject.set_up(&options.transports).await?;
        let Configuration {
            endpoints,
            declared,
            ..
        } = &profile.configurations[0];
        let wanted = [
            &options.versions,
            &declared.versions,
            &Version::ALL.to_vec(),
        ];
        let wanted = wanted.into_iter().find(|versions| !versions.is_empty());
        let wanted = wanted.cloned().unwrap_or_default();
        let address = endpoints.first();
        for transport in &options.transports {
            if endpoints.of(*transport).is_none() {
                return Err(StartError::NoTransport(address.to_string(), *transport));
            }
        }
        let facts = admit(endpoints, declared, &wanted, &token, options.patience).await?;
        let spoken: Vec<_> = wanted
            .into_iter()
            .filter(|version| {
                facts
                    .unspoken
                    .iter()
                    .all(|(unspoken, _)| unspoken != version)
            })
            .collect();
        let Some(version) = spoken.last().copied() else {
            return Err(StartError::NoVersion(address.to_string()));
        };
        let options = &Options {
            versions: spoken,
            ..options.clone()
        };
        let target = Target::at(endpoints, Arc::new(facts));
        let target = match &launched {
            Some(instance) => target.of_its_own(Rc::clone(instance)),
            None => target,
        };
        let mut witnesses = Witnesses::new(target.clone(), version, token, options.patience);
        let witness =
            witnesses
                .call()
                .await
                .map_err(|trouble| AdmissionError::DeliversNothing {
                    address: address.to_string(),
                    seen: trouble.to_string(),
                })?;
        listener(Event::Begun {
            target: target.name(),
            versions: &options.versions,
        });
        let keeper = Keeper::new(target.clone(), subject.pid, launched.clone());
        let stage = Stage {
            target,
            pace: Pace::new(),
            transports: options.transports.clone(),
            patience: options.patience,
        };
        let at = At::Profile(Box::new(profile.clone()));
        let hall = Hall::new(options, &at, stage, keeper, (witnesses, witness), listener);
        let outcome = hall.campaign().await;
        if let Some(instance) = launched {
            instance.stop().await;
        }
        Ok(outcome)
    }))
}

impl Subject {
    /// The broker as it is fuzzed: in one configuration; and its process, where it was started for that.
    async fn set_up(
        &self,
        transports: &[Transport],
    ) -> Result<(Profile, Option<Rc<Instance>>), StartError> {
        match &self.broker {
            Broker::At(profile) => {
                let offered = profile.configurations.iter();
                let offered = offered.map(|configuration| {
                    let all = configuration.endpoints.all();
                    let transports = all.map(|address| address.transport).collect();
                    (configuration.name.as_str(), transports)
                });
                let at = self.choose(&profile.name, &offered.collect::<Vec<_>>(), transports)?;
                let configurations = profile.configurations.get(at).cloned();
                let one = Profile {
                    configurations: configurations.into_iter().collect(),
                    ..(**profile).clone()
                };
                Ok((one, None))
            }
            Broker::Launch(launch) => {
                let offered = launch.recipe().configurations.iter();
                let offered: Vec<_> = offered
                    .map(|each| (each.name.as_str(), each.transports.clone()))
                    .collect();
                let at = self.choose(launch.name(), &offered, transports)?;
                let instance = Rc::new(Instance::start(launch, at).await?);
                let mut profile = Profile::from(instance.endpoints().clone());
                profile.configurations[0].declared =
                    launch.recipe().configurations[at].declared.clone();
                Ok((profile, Some(instance)))
            }
        }
    }

    /// Which of the configurations is meant.
    fn choose(
        &self,
        broker: &str,
        offered: &[(&str, Vec<Transport>)],
        transports: &[Transport],
    ) -> Result<usize, StartError> {
        let Some(name) = &self.configuration else {
            let has_all = |(_, offered): &(&str, Vec<Transport>)| {
                transports.iter().all(|wanted| offered.contains(wanted))
            };
            return Ok(offered.iter().position(has_all).unwrap_or(0));
        };
        let found = offered.iter().position(|(offered, _)| offered == name);
        found.ok_or_else(|| {
            let names: Vec<_> = offered.iter().map(|(name, _)| *name).collect();
            StartError::NoConfiguration {
                broker: broker.to_owned(),
                name: name.clone(),
                names: names.join(", "),
            }
        })
    }
}

/// Whether all that an address can mean is this machine.
fn is_on_loopback(address: &Address) -> bool {
    if address.transport == Transport::Unix {
        return true;
    }
    if let Ok(ip) = address.host.parse::<IpAddr>() {
        return ip.is_loopback();
    }
    match (address.host.as_str(), address.port).to_socket_addrs() {
        Ok(mut places) => places.all(|place| place.ip().is_loopback()),
        // Who cannot be found cannot be harmed; admission says what is wrong.
        Err(_) => true,
    }
}

/// What tells this campaign's witness from that of an earlier one.
fn nonce() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::from(now.subsec_nanos()) ^ now.as_secs() << 30 ^ u64::from(std::process::id()) << 40
}

#[cfg(test)]
mod tests {
    use runner::target::Endpoints;

    use super::*;

    #[test]
    fn only_this_machine_is_fuzzed_unasked() {
        let loopback = |url: &str| is_on_loopback(&url.parse().unwrap());
        assert!(loopback("mqtt://127.0.0.1:1883"));
        assert!(loopback("mqtt://127.8.9.1"));
        assert!(loopback("mqtt://[::1]:1883"));
        assert!(loopback("mqtt://localhost"));
        assert!(loopback("unix:/run/broker.sock"));
        assert!(!loopback("mqtt://192.0.2.1"));
        assert!(!loopback("ws://0.0.0.0/mqtt"));
        let endpoints = Endpoints::from("mqtt://192.0.2.1".parse::<Address>().unwrap());
        let subject = Subject {
            broker: Broker::At(Box::new(endpoints.into())),
            configuration: None,
            pid: None,
            owned: false,
        };
        let refused = run(&subject, &Options::default(), &mut |_| ()).unwrap_err();
        assert!(refused.to_string().contains("--i-own-this-target"));
    }
}
