//! `--target`, `--profile` and `--launch`: which broker is meant.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use runner::At;
use runner::launch::Launch;
use runner::recipe::{ProgramError, Recipe};
use runner::target::{Address, Endpoints, Profile};

use crate::failure::{Failure, NO_TARGET};
use crate::trust::Trust;

/// Which broker is meant; without any, the reference broker that is part of this program.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Aim {
    /// The broker, such as `mqtt://localhost:1883`, `mqtts://…`, `ws://localhost:8080/mqtt`, `wss://…` or `unix:/path`;
    /// `mqtt://user:password@host` where it wants to know who comes. Given again, another address of the same broker,
    /// for another transport.
    #[arg(long, short, value_name = "URL", conflicts_with_all = ["profile", "launch"])]
    pub(crate) target: Vec<Address>,

    /// A file about the broker: addresses, credentials, features, limits; `mqtt-assay probe --write` makes one.
    #[arg(long, value_name = "FILE", conflicts_with = "launch")]
    pub(crate) profile: Option<PathBuf>,

    /// Start a known broker in each configuration that cases require, and stop it afterwards: `mosquitto`, `aedes`,
    /// `amqtt`, `reference`, or a recipe of your own such as `./my-broker.yaml`.
    #[arg(long, value_name = "RECIPE")]
    pub(crate) launch: Option<String>,

    #[command(flatten)]
    pub(crate) trust: Trust,
}

impl Aim {
    /// Whether a broker is named.
    pub(crate) fn is_some(&self) -> bool {
        !self.target.is_empty() || self.profile.is_some() || self.launch.is_some()
    }

    /// The broker.
    ///
    /// # Errors
    ///
    /// The profile or the recipe cannot be used, or the broker of the recipe is not installed.
    pub(crate) fn at(&self) -> Result<At, Failure> {
        if self.target.is_empty() {
            self.trust.must_be_absent()?;
        }
        if let Some((first, others)) = self.target.split_first() {
            let mut endpoints = Endpoints::new(first.clone());
            for address in others {
                endpoints = endpoints
                    .and(address.clone())
                    .map_err(|error| Failure::of(&error).note("nothing was played"))?;
            }
            return Ok(At::Address(self.trust.of(endpoints)?));
        }
        if let Some(path) = &self.profile {
            let profile = Profile::load(path).map_err(|error| Failure::in_document(&error))?;
            return Ok(At::Profile(Box::new(profile)));
        }
        if let Some(recipe) = &self.launch {
            return Ok(At::Launch(launch(recipe)?));
        }
        Ok(At::Embedded)
    }

    /// As it stands on the command line, without secrets; none for the embedded broker.
    pub(crate) fn words(&self) -> Vec<String> {
        let targets = self.target.iter().map(|at| format!("--target {at}"));
        let profile = self.profile.as_ref();
        let profile = profile.map(|file| format!("--profile {}", file.display()));
        let launch = self.launch.as_ref().map(|name| format!("--launch {name}"));
        let words = targets.chain(profile).chain(launch);
        words.chain(self.trust.words()).collect()
    }
}

/// The recipe of this name or path, whose broker is on this machine.
pub(crate) fn launch(recipe: &str) -> Result<Arc<Launch>, Failure> {
    let recipe = Recipe::load(recipe).map_err(|error| Failure::in_document(&error))?;
    let itself = env::current_exe()
        .map_err(|error| Failure::new(format!("this program does not find itself: {error}")))?;
    let launch = Launch::new(recipe, &itself).map_err(|error| not_there(&error))?;
    Ok(Arc::new(launch))
}

fn not_there(error: &ProgramError) -> Failure {
    Failure::of(error).status(NO_TARGET)
}
