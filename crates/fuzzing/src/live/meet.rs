//! From a [`Subject`] to a target that serves a witness.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use codec::Version;
use runner::launch::Instance;
use runner::link::Transport;
use runner::target::{Configuration, Profile, Target};
use runner::{AdmissionError, Namespace, Witness, admit};

use super::options::Options;
use super::start::{Broker, StartError, Subject};
use super::witnesses::Witnesses;

/// A target that may be fuzzed now.
pub(super) struct Met {
    pub(super) profile: Profile,
    /// Its process, where it was started for the campaign.
    pub(super) launched: Option<Rc<Instance>>,
    pub(super) target: Target,
    /// The versions that it speaks, of those that were asked for.
    pub(super) versions: Vec<Version>,
    pub(super) witnesses: Witnesses,
    pub(super) witness: Witness,
}

impl Subject {
    /// Starts the target if it is to be started, admits it, and has it serve a witness.
    pub(super) async fn meet(&self, options: &Options) -> Result<Met, StartError> {
        let token = Namespace::new(nonce(), 0).token;
        let (profile, launched) = self.set_up(&options.transports).await?;
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
        Ok(Met {
            profile,
            launched,
            target,
            versions: spoken,
            witnesses,
            witness,
        })
    }

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

/// What tells this campaign's witness from that of an earlier one.
fn nonce() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::from(now.subsec_nanos()) ^ now.as_secs() << 30 ^ u64::from(std::process::id()) << 40
}
