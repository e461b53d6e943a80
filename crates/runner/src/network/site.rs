//! [`Site`]: what there is to play on.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::admission::{AdmissionError, NOT_CONFIGURED};
use crate::launch::Launch;
use crate::link::Transport;
use crate::run::At;
use crate::secrets::Secrets;
use crate::target::{Declared, Endpoints, Profile};

/// Why a feature is absent that no configuration of a profile or a recipe has.
const NOT_AMONG_THEM: &str = "none of the target's configurations is set up for this";

/// What there is to play on: configurations of one broker.
#[derive(Debug, Clone, Default)]
pub(crate) struct Site {
    /// The broker as people know it.
    pub(crate) name: String,
    /// The plain one first; never empty.
    pub(crate) sources: Vec<Source>,
    /// How many cases the broker stands at once, if that is known.
    pub(crate) jobs: Option<usize>,
    /// What no report may show.
    pub(crate) secrets: Secrets,
}

/// Where one configuration comes from.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) declared: Declared,
    pub(crate) origin: Origin,
    /// Why a feature is absent that nothing is known of.
    pub(crate) why_absent: &'static str,
}

#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// It runs somewhere.
    Running(Endpoints),
    /// The runner starts it: which configuration of the recipe.
    Launched(Arc<Launch>, usize),
}

impl Site {
    /// The site of a target that does not run in this process.
    pub(crate) fn of(at: &At) -> Option<Self> {
        match at {
            At::Embedded | At::Stub(_) => None,
            At::Address(endpoints) => Some(Self::of_profile(&endpoints.clone().into())),
            At::Profile(profile) => Some(Self::of_profile(profile)),
            At::Launch(launch) => Some(Self::of_launch(launch)),
        }
    }

    fn of_profile(profile: &Profile) -> Self {
        let alone = profile.configurations.len() == 1;
        let sources = profile.configurations.iter().map(|configuration| Source {
            name: configuration.name.clone(),
            declared: configuration.declared.clone(),
            origin: Origin::Running(configuration.endpoints.clone()),
            why_absent: if alone {
                NOT_CONFIGURED
            } else {
                NOT_AMONG_THEM
            },
        });
        Self {
            name: profile.name.clone(),
            sources: sources.collect(),
            jobs: None,
            secrets: profile.secrets.clone(),
        }
    }

    fn of_launch(launch: &Arc<Launch>) -> Self {
        let configurations = launch.recipe().configurations.iter().enumerate();
        let sources = configurations.map(|(index, configuration)| Source {
            name: configuration.name.clone(),
            declared: configuration.declared.clone(),
            origin: Origin::Launched(Arc::clone(launch), index),
            why_absent: NOT_AMONG_THEM,
        });
        Self {
            name: launch.name().to_owned(),
            sources: sources.collect(),
            jobs: launch.recipe().jobs,
            secrets: Secrets::default(),
        }
    }

    /// Makes sure that some configuration is reached by each of these transports.
    ///
    /// # Errors
    /// None is: every case would be skipped.
    pub(crate) fn must_have(&self, transports: &BTreeSet<Transport>) -> Result<(), AdmissionError> {
        let missing = transports.iter().find(|transport| {
            let mut sources = self.sources.iter();
            !sources.any(|source| source.is_reached_over(**transport))
        });
        match missing {
            None => Ok(()),
            Some(transport) => Err(AdmissionError::NoAddress {
                address: self.name.clone(),
                transport: *transport,
            }),
        }
    }

    /// The transport of cases that ask for none.
    pub(crate) fn transport(&self) -> Transport {
        match self.sources.first().map(|source| &source.origin) {
            Some(Origin::Running(endpoints)) => endpoints.first().transport,
            Some(Origin::Launched(launch, index)) => launch
                .recipe()
                .configurations
                .get(*index)
                .and_then(|configuration| configuration.transports.first().copied())
                .unwrap_or(Transport::Tcp),
            None => Transport::Tcp,
        }
    }
}

impl Source {
    /// Whether it listens for this transport.
    pub(crate) fn is_reached_over(&self, transport: Transport) -> bool {
        match &self.origin {
            Origin::Running(endpoints) => endpoints.of(transport).is_some(),
            Origin::Launched(launch, index) => {
                let configuration = launch.recipe().configurations.get(*index);
                configuration.is_some_and(|one| one.transports.contains(&transport))
            }
        }
    }

    /// Whether the runner starts it, and so can start it again.
    pub(crate) fn is_launched(&self) -> bool {
        matches!(self.origin, Origin::Launched(..))
    }
}
