//! [`run`]: from a target's address to a campaign.

use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;

use runner::launch::{Launch, LaunchError};
use runner::link::Transport;
use runner::target::{Address, Profile};
use runner::{AdmissionError, At};
use tokio::runtime;
use tokio::task::LocalSet;

use super::event::{Event, Outcome};
use super::hall::Hall;
use super::keeper::Keeper;
use super::meet::Met;
use super::options::Options;
use super::perform::{Pace, Stage};
use super::vitals::Vitals;

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
    /// The process that is to be watched is none, or may not be looked at.
    #[error(
        "the process {0} cannot be watched: {1}; --pid wants the process of the broker, on this machine"
    )]
    NoProcess(u32, std::io::Error),
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
    /// The user wanted no more before anything was performed.
    #[error("interrupted before anything was performed")]
    Interrupted,
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
    if let Some(pid) = subject.pid {
        Vitals::of(pid).map_err(|error| StartError::NoProcess(pid, error))?;
    }
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(AdmissionError::Runtime)?;
    runtime.block_on(LocalSet::new().run_until(async {
        let met = tokio::select! {
            met = subject.meet(options) => met?,
            () = options.interrupt.raised() => return Err(StartError::Interrupted),
        };
        let options = &Options {
            versions: met.versions,
            ..options.clone()
        };
        let Met {
            profile,
            launched,
            target,
            witnesses,
            witness,
            ..
        } = met;
        listener(Event::Begun {
            target: target.name(),
            versions: &options.versions,
        });
        let keeper = Keeper::new(
            target.clone(),
            subject.pid,
            launched.clone(),
            options.patience,
        );
        let stage = Stage {
            target,
            pace: Pace::new(),
            transports: options.transports.clone(),
            patience: options.patience,
        };
        let at = At::Profile(Box::new(profile));
        let hall = Hall::new(options, &at, stage, keeper, (witnesses, witness), listener);
        let outcome = hall.campaign().await;
        if let Some(instance) = launched {
            instance.stop().await;
        }
        Ok(outcome)
    }))
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
