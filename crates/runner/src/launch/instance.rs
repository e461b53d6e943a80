//! [`Instance`]: one process of a broker, started for the run, in a folder of its own.

use std::future::Future;
use std::io;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use codec::Version;
use tempfile::TempDir;
use tokio::time::{Instant, sleep, timeout};

use super::supervised::{self, State, Supervised};
use super::supervisor::LOG;
use super::values::{Ports, SOCKET, values};
use super::{Launch, LaunchError, certificate, tail};
use crate::client::{Client, Trouble};
use crate::link::Transport;
use crate::recipe::{Configuration, Recipe};
use crate::target::{Address, Endpoints, Facts, Restarts, Target};

/// Where launched brokers listen.
const HOST: &str = "127.0.0.1";
/// How often ports are chosen anew, when another program takes one before the broker does.
const ATTEMPTS: usize = 3;
/// How much later than its sockets close the end of a process is known at most: a core dump takes a while.
const END_IS_KNOWN: Duration = Duration::from_secs(2);
/// How long a port that refuses a connection is left alone before it is tried again.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// One process of a broker, in a folder of its own. When it is dropped, the process ends and the folder goes.
pub struct Instance {
    supervised: Supervised,
    endpoints: Endpoints,
    ready_within: Duration,
    folder: PathBuf,
}

/// Why an instance does not serve.
enum NotReady {
    Ended(String),
    TooLate(Trouble),
}

impl Instance {
    /// Starts the broker in this configuration of its recipe, and waits until it answers CONNECT. Needs a tokio runtime.
    ///
    /// # Errors
    /// It cannot be prepared, or ends or does not answer in time.
    pub async fn start(launch: &Launch, index: usize) -> Result<Self, LaunchError> {
        let recipe = launch.recipe();
        let Some(configuration) = recipe.configurations.get(index) else {
            return Err(LaunchError::preparing(&launch.name, "?", "there is none"));
        };
        let mut attempt = 1;
        loop {
            let instance = Self::prepare(launch, recipe, configuration)
                .await
                .map_err(|what| LaunchError::preparing(&launch.name, &configuration.name, what))?;
            let why = match instance.serve().await {
                Ok(()) => return Ok(instance),
                Err(why) => why,
            };
            let log = instance.log_tail();
            let taken = matches!(why, NotReady::Ended(_)) && instance.is_taken();
            instance.stop().await;
            if taken && attempt < ATTEMPTS {
                attempt += 1;
                continue;
            }
            return Err(LaunchError::NotReady {
                broker: launch.name.clone(),
                configuration: configuration.name.clone(),
                what: match why {
                    NotReady::Ended(how) => format!("ended {how} before it served anybody"),
                    NotReady::TooLate(trouble) => format!(
                        "does not answer CONNECT within {} s: {trouble}",
                        recipe.ready_within.as_secs_f32()
                    ),
                },
                log,
            });
        }
    }

    /// Writes what the broker reads when it starts, and starts its supervisor.
    async fn prepare(
        launch: &Launch,
        recipe: &Recipe,
        configuration: &Configuration,
    ) -> Result<Self, String> {
        let ports = free_ports(&configuration.transports).map_err(|error| error.to_string())?;
        let folder = TempDir::with_prefix("mqtt-assay-")
            .map_err(|error| format!("no folder can be made for it: {error}"))?;
        let path = folder.path();
        let credentials = configuration.declared.credentials.as_ref();
        let mut values = values(
            &launch.itself,
            &launch.program.path,
            path,
            &ports,
            credentials,
        );
        for (name, value) in &configuration.declared.values {
            values.set(name, value.clone());
        }
        for (name, value) in &configuration.set {
            values.set(name, value.clone());
        }
        let fill = |text: &String| values.fill(text).map_err(|error| error.to_string());

        let mut endpoints = endpoints(path, &ports, configuration)?;
        if ports.iter().any(|(transport, _)| transport.is_encrypted()) {
            let tls = certificate::make(path)
                .map_err(|error| format!("no certificate can be made for it: {error}"))?;
            endpoints = endpoints.with_tls(tls);
        }
        for (name, text) in &configuration.files {
            let place = path.join(name);
            std::fs::write(&place, fill(text)?)
                .map_err(|error| format!("cannot write {}: {error}", place.display()))?;
        }
        let mut environment = Vec::new();
        for (name, value) in &configuration.environment {
            environment.push((name.clone(), fill(value)?));
        }
        for command in &configuration.prepare {
            let command = command.iter().map(fill).collect::<Result<Vec<_>, _>>()?;
            run(&command, path, &environment).await?;
        }
        let arguments = recipe.run.iter().chain(&configuration.arguments);
        let arguments = arguments.map(fill).collect::<Result<Vec<_>, _>>()?;
        let mut command = supervised::command(
            launch.itself.as_os_str(),
            path.as_os_str(),
            recipe.grace,
            launch.program.path.as_os_str(),
            &arguments,
        );
        command.envs(environment);
        let supervised = Supervised::new(&mut command)
            .map_err(|error| format!("its supervisor cannot be started: {error}"))?;
        Ok(Self {
            supervised,
            endpoints,
            ready_within: recipe.ready_within,
            // From here on the supervisor removes it, whatever becomes of this process.
            folder: folder.keep(),
        })
    }

    /// Has the broker started, and waits until it answers.
    async fn serve(&self) -> Result<(), NotReady> {
        let started = self.supervised.start().await;
        started.map_err(|error| NotReady::Ended(format!("({error})")))?;
        let target = Target::at(&self.endpoints, Arc::new(Facts::default()));
        let deadline = Instant::now() + self.ready_within;
        for address in self.endpoints.all() {
            let target = target.by(address.transport);
            self.answers(&target, deadline).await?;
        }
        Ok(())
    }

    /// Waits until it answers CONNECT over the transport of this target.
    async fn answers(&self, target: &Target, deadline: Instant) -> Result<(), NotReady> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let asking = Client::connect(target, Version::V3_1_1, "assayready", left, |_| ());
            let trouble = tokio::select! {
                connected = asking => match connected {
                    Ok((client, ())) => {
                        client.disconnect().await;
                        return Ok(());
                    }
                    // Whoever refuses a client serves: with a password, or in another version.
                    Err(Trouble::Refused { .. } | Trouble::Ended { .. }) => return Ok(()),
                    Err(trouble) => trouble,
                },
                () = self.supervised.ended() => {
                    return Err(match self.supervised.state() {
                        State::Ended(how) => NotReady::Ended(how),
                        other => NotReady::Ended(format!("({other:?})")),
                    });
                }
            };
            if Instant::now() >= deadline {
                return Err(NotReady::TooLate(trouble));
            }
            sleep(BETWEEN_LOOKS).await;
        }
    }

    /// Whether another program listens on one of the ports.
    fn is_taken(&self) -> bool {
        self.endpoints
            .all()
            .filter(|address| address.transport != Transport::Unix)
            .any(|address| TcpListener::bind((address.host.as_str(), address.port)).is_err())
    }

    /// Where it listens.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// How the process has ended, if it has by itself.
    pub fn ended(&self) -> Option<String> {
        match self.supervised.state() {
            State::Ended(how) => Some(how),
            State::Unattended => Some("together with its supervisor".to_owned()),
            State::Idle | State::Running(_) | State::Failed(_) => None,
        }
    }

    /// How the process has ended, where nobody is served any more. `None` if it runs all the same.
    pub async fn end_behind_its_sockets(&self) -> Option<String> {
        let _ = timeout(END_IS_KNOWN, self.supervised.ended()).await;
        self.ended()
    }

    /// The process, while it runs; another one after a restart.
    pub fn pid(&self) -> Option<u32> {
        match self.supervised.state() {
            State::Running(pid) => Some(pid),
            _ => None,
        }
    }

    /// The last lines of its log.
    pub fn log_tail(&self) -> String {
        tail(&self.folder.join(LOG)).unwrap_or_default()
    }

    /// Stops it for good.
    pub async fn stop(&self) {
        self.supervised.dismiss().await;
    }

    /// Kills it for good.
    pub async fn end_at_once(&self) {
        let _ = self.supervised.end("kill").await;
        self.supervised.dismiss().await;
    }

    /// Ends the process, and starts another one with what it has kept.
    async fn again(&self, order: &'static str) -> io::Result<()> {
        self.supervised.end(order).await?;
        self.serve().await.map_err(|why| {
            io::Error::other(match why {
                NotReady::Ended(how) => format!("its process ended {how}"),
                NotReady::TooLate(trouble) => trouble.to_string(),
            })
        })
    }
}

impl Restarts for Instance {
    fn restart(&self) -> Pin<Box<dyn Future<Output = io::Result<()>> + '_>> {
        Box::pin(self.again("stop"))
    }

    fn kill(&self) -> Pin<Box<dyn Future<Output = io::Result<()>> + '_>> {
        Box::pin(self.again("kill"))
    }
}

/// Ports that nobody listens on, all held until each is found, so that they differ.
fn free_ports(transports: &[Transport]) -> io::Result<Ports> {
    let mut listeners = Vec::new();
    let mut ports = Vec::new();
    for &transport in transports {
        if transport == Transport::Unix {
            ports.push((transport, 0));
            continue;
        }
        let listener = TcpListener::bind((HOST, 0))?;
        ports.push((transport, listener.local_addr()?.port()));
        listeners.push(listener);
    }
    Ok(ports)
}

fn endpoints(
    folder: &Path,
    ports: &Ports,
    configuration: &Configuration,
) -> Result<Endpoints, String> {
    let mut addresses = ports.iter().map(|&(transport, port)| Address {
        host: if transport == Transport::Unix {
            "localhost".to_owned()
        } else {
            HOST.to_owned()
        },
        port,
        transport,
        path: match transport {
            Transport::Unix => folder.join(SOCKET).to_string_lossy().into_owned(),
            _ if transport.is_websocket() => configuration.websocket_path.clone(),
            _ => "/".to_owned(),
        },
        credentials: None,
    });
    let first = addresses.next().ok_or("it listens nowhere")?;
    let mut endpoints = Endpoints::new(first);
    for address in addresses {
        endpoints = endpoints.and(address).map_err(|error| error.to_string())?;
    }
    Ok(endpoints)
}

/// Runs a command to its end.
async fn run(
    command: &[String],
    folder: &Path,
    environment: &[(String, String)],
) -> Result<(), String> {
    /// No preparation takes nearly as long.
    const WITHIN: Duration = Duration::from_secs(30);

    let [program, arguments @ ..] = command else {
        return Ok(());
    };
    let running = tokio::process::Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .envs(environment.iter().cloned())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = match timeout(WITHIN, running).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(format!("`{program}` cannot be run: {error}")),
        Err(_) => return Err(format!("`{program}` does not end")),
    };
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!(
        "`{program}` fails ({}): {}",
        output.status,
        String::from_utf8_lossy(&said).trim()
    ))
}
