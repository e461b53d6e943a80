//! [`Supervised`]: the runner's end of a supervisor.

use std::ffi::OsStr;
use std::io;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{Mutex, watch};

/// A supervisor of one instance. When it is dropped, the instance ends.
pub(crate) struct Supervised {
    /// Whoever gives orders holds it until they are obeyed.
    orders: Mutex<Orders>,
    state: watch::Receiver<State>,
}

struct Orders {
    process: Child,
    /// None once the supervisor has been told to end.
    stdin: Option<ChildStdin>,
}

/// What the supervised broker does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// It does not run, because nobody wants it to.
    Idle,
    /// It runs, as this process.
    Running(u32),
    /// It has ended, and how.
    Ended(String),
    /// It could not be started.
    Failed(String),
    /// The supervisor itself is gone.
    Unattended,
}

impl Supervised {
    /// Starts a supervisor.
    pub(crate) fn new(command: &mut Command) -> io::Result<Self> {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        // Ctrl-C is for the runner: the supervisor ends when the runner has.
        #[cfg(unix)]
        command.process_group(0);
        let mut process = command.spawn()?;
        let stdin = process.stdin.take();
        let stdout = process
            .stdout
            .take()
            .ok_or_else(|| io::Error::other("the supervisor cannot be listened to"))?;
        let (tell, state) = watch::channel(State::Idle);
        tokio::spawn(async move {
            let mut lines = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                tell.send_replace(State::of(&line));
            }
            tell.send_replace(State::Unattended);
        });
        Ok(Self {
            orders: Mutex::new(Orders { process, stdin }),
            state,
        })
    }

    /// What the broker does now.
    pub(crate) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Waits until the broker does not run any more. Cancel-safe.
    pub(crate) async fn ended(&self) {
        let mut state = self.state.clone();
        let _ = state
            .wait_for(|state| !matches!(state, State::Running(_)))
            .await;
    }

    /// Has the broker started.
    pub(crate) async fn start(&self) -> io::Result<()> {
        match self.order("start", |state| *state != State::Idle).await? {
            // It may have ended before anybody looked.
            State::Running(_) | State::Ended(_) => Ok(()),
            State::Failed(why) => Err(io::Error::other(why)),
            other => Err(io::Error::other(format!("the supervisor says {other:?}"))),
        }
    }

    /// Has the broker stopped, by `stop` or `kill`.
    pub(crate) async fn end(&self, order: &'static str) -> io::Result<()> {
        self.order(order, |state| *state == State::Idle).await?;
        Ok(())
    }

    /// Ends the broker and the supervisor, and waits until both are gone.
    pub(crate) async fn dismiss(&self) {
        let mut orders = self.orders.lock().await;
        orders.stdin = None;
        let _ = orders.process.wait().await;
    }

    async fn order(&self, order: &str, is_obeyed: impl FnMut(&State) -> bool) -> io::Result<State> {
        let mut orders = self.orders.lock().await;
        let gone = || io::Error::other("the supervisor is gone");
        let mut state = self.state.clone();
        let stdin = orders.stdin.as_mut().ok_or_else(gone)?;
        stdin.write_all(format!("{order}\n").as_bytes()).await?;
        stdin.flush().await?;
        let mut is_obeyed = is_obeyed;
        let state = state
            .wait_for(|state| *state == State::Unattended || is_obeyed(state))
            .await
            .map_err(|_| gone())?
            .clone();
        Ok(state)
    }
}

impl State {
    /// What a line of the supervisor says.
    fn of(line: &str) -> Self {
        match line.split_once(' ') {
            Some(("ended", "by request" | "before")) => Self::Idle,
            Some(("ended", how)) => Self::Ended(how.to_owned()),
            Some(("failed", why)) => Self::Failed(why.to_owned()),
            Some(("started", id)) => Self::Running(id.parse().unwrap_or_default()),
            _ => Self::Failed(format!("the supervisor says `{line}`")),
        }
    }
}

/// The supervisor of a program: what the binary is called with.
pub(crate) fn command(
    itself: &OsStr,
    folder: &OsStr,
    grace: std::time::Duration,
    program: &OsStr,
    arguments: &[String],
) -> Command {
    let mut command = Command::new(itself);
    command
        .arg(super::SUPERVISE)
        .arg("--folder")
        .arg(folder)
        .arg("--grace-ms")
        .arg(grace.as_millis().to_string())
        .arg("--")
        .arg(program)
        .args(arguments);
    command
}
