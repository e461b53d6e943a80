//! `mqtt-assay fuzz`: looks for what breaks a live broker.

mod files;
mod self_test;
mod show;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args};
use codec::Version;
use fuzzing::live::{self, Broker, Options, StartError, Subject};
use runner::Interrupt;
use runner::link::Transport;
use runner::target::{Address, Endpoints, Profile};

use crate::failure::{Failure, INTERRUPTED, NO_TARGET};
use crate::signal;
use crate::target::launch;
use crate::trust::Trust;
use files::Files;
use show::Show;

/// How many scripts are performed at once.
const JOBS: usize = 32;

/// Fuzz a broker: let several clients at once send it what is unusual and what is forbidden, and judge what it does.
///
/// A finding is performed again by itself, made as small as it gets, and written as a scenario that `mqtt-assay run`
/// plays. Exit status 0 when nothing was found, 1 with findings, 3 when the target crashed or is not reached.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("fuzzed").required(true).args(["target", "launch", "profile", "self_test"])))]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(crate) struct Fuzz {
    /// The broker, such as `mqtt://localhost:1883`, `mqtts://…`, `ws://localhost:8080/mqtt`, `wss://…` or
    /// `unix:/path`; given several times, the same broker over several transports.
    #[arg(long, short, value_name = "URL")]
    target: Vec<Address>,

    #[command(flatten)]
    trust: Trust,

    /// Start a known broker, watch its process, start it again when it dies, and stop it: `mosquitto`, `aedes`, `amqtt`,
    /// `reference`, or a recipe of your own such as `./my-broker.yaml`.
    #[arg(long, value_name = "RECIPE", conflicts_with_all = ["target", "profile", "pid"])]
    launch: Option<String>,

    /// A file about the broker: addresses, credentials, features, limits; `mqtt-assay probe --write` makes one.
    #[arg(long, value_name = "FILE", conflicts_with = "target")]
    profile: Option<PathBuf>,

    /// The configuration of the recipe or the profile; the first that has the transports where none is named.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["target", "self_test"])]
    configuration: Option<String>,

    /// Hunt faults that are known, in the reference broker: what it takes to find a panic, a leak, a lost message, and
    /// every rule that can be broken. Exit status 1 when fewer than nine out of ten are found.
    #[arg(long, conflicts_with_all = ["target", "launch", "profile"])]
    self_test: bool,

    /// Fuzz a target that is not on this machine. It may crash, and keep what it is sent.
    #[arg(long)]
    i_own_this_target: bool,

    /// The process of a target on this machine: its memory, open files and CPU are watched.
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,

    /// What all scripts come from; any number where it is not given.
    #[arg(long, value_name = "N", value_parser = number)]
    seed: Option<u64>,

    /// How long, such as `90s`, `10m` or `24h`; a minute where it is not given. Findings take at most half of it; those
    /// that are left at its end take, all together, at most as long again as `--minimise` says, and a target that died
    /// what it needs to start. With `--self-test` how long each fault is hunted at most; 10 seconds where it is not given.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    time: Option<Duration>,

    /// How many scripts are performed at most.
    #[arg(long, value_name = "N", value_parser = number)]
    scripts: Option<u64>,

    /// The versions that clients speak; all that the target speaks where none is given.
    #[arg(long, value_name = "VERSION", value_delimiter = ',')]
    versions: Vec<Version>,

    /// The transports that the clients of a script take, in turn: `tcp`, `tls`, `ws`, `wss`, `unix`. The target's first
    /// where none is given.
    #[arg(long, value_name = "TRANSPORT", value_delimiter = ',')]
    transport: Vec<Transport>,

    /// How many scripts are performed at once, each with up to four clients; 32 where it is not given.
    #[arg(long, short, value_name = "N", value_parser = super::jobs)]
    jobs: Option<NonZeroUsize>,

    /// Let the seed alone decide what is sent, not what the target answers: the same seed sends the same again.
    #[arg(long)]
    no_feedback: bool,

    /// How long the target may leave a client unanswered that did nothing wrong.
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    patience: Duration,

    /// How long a finding may take until it is small; and all that are left when `--time` is over.
    #[arg(long, value_name = "DURATION", default_value = "40s", value_parser = duration)]
    minimise: Duration,

    /// How often the target is left alone, to see what memory and files its process holds while nobody is connected; a
    /// thirtieth of `--time`, but from 2 s to 10 s, where it is not given. Twenty times are needed for a judgement.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    watch: Option<Duration>,

    /// Write each script down as it was performed.
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    record: Option<PathBuf>,

    /// Perform the scripts that an earlier campaign has recorded, in its order.
    #[arg(long, value_name = "FILE", help_heading = "Files", conflicts_with_all = ["no_feedback", "seed"])]
    replay: Option<PathBuf>,

    /// Where findings are written, each into a folder of its own: what happened, the scenario, the bytes.
    #[arg(
        long,
        value_name = "DIR",
        help_heading = "Files",
        default_value = "fuzz-findings"
    )]
    out: PathBuf,

    /// Write a JUnit report, for CI systems.
    #[arg(long, value_name = "FILE", help_heading = "Files")]
    junit: Option<PathBuf>,

    /// Nothing but findings and the summary.
    #[arg(long, short)]
    quiet: bool,
}

impl Fuzz {
    pub(crate) fn execute(&self) -> Result<u8, Failure> {
        if self.self_test {
            return self.self_test();
        }
        let replay = self.replay.as_deref().map(files::read).transpose()?;
        let mut files = Files::try_out(self)?;
        let interrupt = Interrupt::new();
        signal::interrupt_on_ctrl_c(interrupt.clone())
            .map_err(|error| Failure::new(format!("cannot listen for Ctrl-C: {error}")))?;
        let options = Options {
            seed: self.seed(),
            time: self.time.unwrap_or(Duration::from_mins(1)),
            scripts: self.scripts,
            versions: self.versions.clone(),
            transports: self.transports(),
            jobs: self.jobs.map_or(JOBS, NonZeroUsize::get),
            feedback: !self.no_feedback && replay.is_none(),
            replay,
            patience: self.patience,
            inquiry: self.minimise,
            watch: self.watch,
            interrupt,
        };
        let subject = Subject {
            broker: self.broker()?,
            configuration: self.configuration.clone(),
            pid: self.pid,
            owned: self.i_own_this_target,
        };
        let mut show = Show::new(self, &options);
        let mut unwritable = None;
        let outcome = live::run(&subject, &options, &mut |event| {
            show.on(&event);
            if let Err(failure) = files.on(&event, &mut show)
                && unwritable.is_none()
            {
                // Without a place for what is found, there is nothing to look for.
                options.interrupt.raise();
                unwritable = Some(failure);
            }
        });
        match outcome {
            Ok(outcome) => {
                files.write()?;
                match unwritable {
                    Some(failure) => Err(failure),
                    None => Ok(outcome.exit_status()),
                }
            }
            Err(error) => {
                files.not_played(&error.to_string());
                files.write()?;
                let failure = Failure::of(&error);
                Err(match error {
                    StartError::Admission(_) | StartError::Launch(_) => failure.status(NO_TARGET),
                    StartError::Interrupted => failure.status(INTERRUPTED),
                    _ => failure,
                })
            }
        }
    }
}

impl Fuzz {
    fn self_test(&self) -> Result<u8, Failure> {
        let interrupt = Interrupt::new();
        signal::interrupt_on_ctrl_c(interrupt.clone())
            .map_err(|error| Failure::new(format!("cannot listen for Ctrl-C: {error}")))?;
        let time = self.time.unwrap_or(Duration::from_secs(10));
        let bar = show::bar(self.quiet);
        self_test::run(self.seed(), time, self.jobs, &interrupt, &bar)
    }

    fn seed(&self) -> u64 {
        self.seed.unwrap_or_else(|| fastrand::u64(..1 << 32))
    }

    fn broker(&self) -> Result<Broker, Failure> {
        if let Some(recipe) = &self.launch {
            return Ok(Broker::Launch(launch(recipe)?));
        }
        if let Some(path) = &self.profile {
            let profile = Profile::load(path).map_err(|error| Failure::of(&error))?;
            return Ok(Broker::At(Box::new(profile)));
        }
        let [first, others @ ..] = self.target.as_slice() else {
            return Err(Failure::new("no broker is named").help("write --target URL"));
        };
        let mut endpoints = Endpoints::new(first.clone());
        for address in others {
            let together = endpoints.and(address.clone());
            endpoints = together.map_err(|error| Failure::of(&error))?;
        }
        Ok(Broker::At(Box::new(self.trust.of(endpoints)?.into())))
    }

    /// Whoever gives several addresses means all of them.
    fn transports(&self) -> Vec<Transport> {
        if self.transport.is_empty() && self.target.len() > 1 {
            return self
                .target
                .iter()
                .map(|address| address.transport)
                .collect();
        }
        self.transport.clone()
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("write a number from 0 to {}", u64::MAX))
}

/// A duration as people write it; `24h` besides what scenarios take.
fn duration(text: &str) -> Result<Duration, String> {
    let parsed = match text.strip_suffix('h').map(str::parse::<u32>) {
        Some(Ok(hours)) => Some(Duration::from_hours(hours.into())),
        Some(Err(_)) => None,
        None => scenario::duration(text),
    };
    match parsed {
        Some(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("write it as 500ms, 90s, 10m or 24h".into()),
    }
}
