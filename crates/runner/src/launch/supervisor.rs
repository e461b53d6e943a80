//! [`supervise`]: the process between the runner and a broker that it started.
//!
//! It starts the broker in a process group of its own, and ends the whole group when its standard input closes: the
//! system closes it when the runner is gone, even by SIGKILL. It is told what to do line by line (`start`, `stop`, `kill`)
//! and tells what happens (`started ID`, `ended HOW`, `failed WHY`). At its own end it removes the instance's folder.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

/// The name of the log in the instance's folder.
pub(crate) const LOG: &str = "log";
/// How long what ignores a SIGKILL is waited for.
const LAST_WAIT: Duration = Duration::from_secs(5);

/// What is supervised.
#[derive(Debug, Clone)]
pub struct Charge {
    /// The instance's folder; the log goes there, and the folder is removed at the end.
    pub folder: PathBuf,
    /// How long the broker may take to stop before it is killed.
    pub grace: Duration,
    /// The program and its arguments.
    pub command: Vec<OsString>,
}

enum News {
    Command(String),
    /// The runner is gone.
    Alone,
    /// A signal asks this process to end.
    Asked,
    /// The broker is not running any more; which start of it that was.
    Ended(usize),
}

/// Starts, stops and kills a broker as standard input says, until that closes.
///
/// # Errors
/// Nobody listens any more.
pub fn supervise(charge: &Charge) -> io::Result<()> {
    let (tell, news) = channel();
    let reader = tell.clone();
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if reader.send(News::Command(line)).is_err() {
                return;
            }
        }
        let _ = reader.send(News::Alone);
    });
    platform::adopt_orphans();
    platform::tell_of_signals(&tell)?;
    let mut supervisor = Supervisor {
        charge,
        tell,
        news,
        starts: 0,
        child: None,
        over: false,
    };
    let outcome = supervisor.obey();
    if supervisor.child.is_some() {
        supervisor.stop();
    }
    platform::end_orphans();
    let _ = fs::remove_dir_all(&charge.folder);
    outcome
}

struct Supervisor<'a> {
    charge: &'a Charge,
    tell: Sender<News>,
    news: Receiver<News>,
    starts: usize,
    child: Option<Child>,
    /// Whether this process is to end.
    over: bool,
}

impl Supervisor<'_> {
    fn obey(&mut self) -> io::Result<()> {
        while !self.over
            && let Ok(news) = self.news.recv()
        {
            match news {
                News::Alone | News::Asked => self.over = true,
                News::Ended(start) if start == self.starts => self.bury()?,
                News::Ended(_) => {}
                News::Command(command) => match (command.as_str(), &self.child) {
                    ("start", None) => self.start()?,
                    ("stop", Some(_)) => {
                        self.stop();
                        report("ended by request")?;
                    }
                    ("kill", Some(_)) => {
                        self.kill();
                        report("ended by request")?;
                    }
                    ("stop" | "kill", None) => report("ended before")?,
                    (other, _) => report(&format!("failed {other}: this cannot be done now"))?,
                },
            }
        }
        Ok(())
    }

    fn start(&mut self) -> io::Result<()> {
        match self.spawn() {
            Ok(child) => {
                self.starts += 1;
                platform::watch(&child, self.starts, self.tell.clone());
                let started = report(&format!("started {}", child.id()));
                self.child = Some(child);
                started
            }
            Err(error) => report(&format!("failed {error}")),
        }
    }

    fn spawn(&self) -> io::Result<Child> {
        let [program, arguments @ ..] = self.charge.command.as_slice() else {
            return Err(io::Error::other("there is no program"));
        };
        let log = open_log(&self.charge.folder)?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&self.charge.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        platform::in_a_group_of_its_own(&mut command);
        command.spawn()
    }

    /// The broker has ended by itself.
    fn bury(&mut self) -> io::Result<()> {
        let Some(child) = self.child.take() else {
            return Ok(());
        };
        report(&match end_group(child) {
            Ok(status) => format!("ended {}", told(status)),
            Err(error) => format!("ended in an unknown way ({error})"),
        })
    }

    /// Asks the broker to stop, and kills it when it takes too long.
    fn stop(&mut self) {
        if let Some(child) = &self.child {
            platform::terminate(child);
            self.wait_for_the_end(self.charge.grace);
        }
        self.kill();
    }

    fn kill(&mut self) {
        if let Some(child) = self.child.take() {
            let _ = end_group(child);
        }
    }

    fn wait_for_the_end(&mut self, within: Duration) {
        let deadline = std::time::Instant::now() + within;
        loop {
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            match self.news.recv_timeout(left) {
                Ok(News::Ended(start)) if start == self.starts => return,
                Ok(News::Alone | News::Asked) => self.over = true,
                // The runner waits for the answer to its last command before it gives another.
                Ok(News::Ended(_) | News::Command(_)) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}

/// Kills whatever is left of the broker's process group, and takes its status.
fn end_group(mut child: Child) -> io::Result<ExitStatus> {
    platform::kill(&mut child);
    let deadline = std::time::Instant::now() + LAST_WAIT;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if std::time::Instant::now() > deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn open_log(folder: &Path) -> io::Result<File> {
    File::options()
        .create(true)
        .append(true)
        .open(folder.join(LOG))
}

fn report(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()
}

/// How a process ended, in words.
fn told(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return match signal_name(signal) {
            Some(name) => format!("by the signal {name}"),
            None => format!("by signal {signal}"),
        };
    }
    match status.code() {
        Some(code) => format!("with status {code}"),
        None => "in an unknown way".to_owned(),
    }
}

/// The signals that programs die of.
#[cfg(unix)]
fn signal_name(signal: i32) -> Option<&'static str> {
    use rustix::process::Signal;

    [
        (Signal::ABORT, "SIGABRT"),
        (Signal::BUS, "SIGBUS"),
        (Signal::FPE, "SIGFPE"),
        (Signal::ILL, "SIGILL"),
        (Signal::KILL, "SIGKILL"),
        (Signal::PIPE, "SIGPIPE"),
        (Signal::SEGV, "SIGSEGV"),
        (Signal::TERM, "SIGTERM"),
        (Signal::TRAP, "SIGTRAP"),
    ]
    .into_iter()
    .find_map(|(known, name)| (known.as_raw() == signal).then_some(name))
}

#[cfg(unix)]
mod platform {
    use std::io;
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command};
    use std::sync::mpsc::Sender;
    use std::thread;

    use rustix::process::{
        Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid,
    };
    use tokio::runtime;
    use tokio::signal::unix::{SignalKind, signal};

    use super::News;

    pub(super) fn in_a_group_of_its_own(command: &mut Command) {
        command.process_group(0);
    }

    /// Tells when the process has ended, and leaves it a zombie, so that nobody else gets its number before its group
    /// has been ended.
    pub(super) fn watch(child: &Child, start: usize, tell: Sender<News>) {
        let id = Pid::from_child(child);
        thread::spawn(move || {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(id), options) {}
            let _ = tell.send(News::Ended(start));
        });
    }

    pub(super) fn terminate(child: &Child) {
        let _ = kill_process_group(Pid::from_child(child), Signal::TERM);
    }

    pub(super) fn kill(child: &mut Child) {
        let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    }

    /// What asks this process to end ends the broker first.
    pub(super) fn tell_of_signals(tell: &Sender<News>) -> io::Result<()> {
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        let tell = tell.clone();
        let (mut interrupt, mut terminate, mut hangup) = {
            let _guard = runtime.enter();
            (
                signal(SignalKind::interrupt())?,
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
            )
        };
        thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hangup.recv() => {}
                }
            });
            let _ = tell.send(News::Asked);
        });
        Ok(())
    }

    /// A broker that puts itself into the background leaves its group; its processes then become ours.
    #[cfg(target_os = "linux")]
    pub(super) fn adopt_orphans() {
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn adopt_orphans() {}

    /// Kills the processes that were adopted, until there are none.
    #[cfg(target_os = "linux")]
    pub(super) fn end_orphans() {
        use rustix::process::{WaitOptions, wait};

        loop {
            let ids: String = std::fs::read_dir("/proc/self/task")
                .into_iter()
                .flatten()
                .flatten()
                .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok())
                .collect();
            let ids = ids
                .split_whitespace()
                .filter_map(|id| Pid::from_raw(id.parse().ok()?));
            let mut any = false;
            for id in ids {
                any = true;
                let _ = kill_process(id, Signal::KILL);
            }
            if !any || wait(WaitOptions::empty()).is_err() {
                return;
            }
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn end_orphans() {
        let _ = kill_process;
    }
}

/// Without process groups only the broker itself can be ended, and at once.
#[cfg(not(unix))]
mod platform {
    use std::io;
    use std::process::{Child, Command};
    use std::sync::mpsc::Sender;

    use super::News;

    pub(super) fn in_a_group_of_its_own(_: &mut Command) {}

    pub(super) fn watch(_: &Child, _: usize, _: Sender<News>) {}

    pub(super) fn terminate(_: &Child) {}

    pub(super) fn kill(child: &mut Child) {
        let _ = child.kill();
    }

    pub(super) fn tell_of_signals(_: &Sender<News>) -> io::Result<()> {
        Ok(())
    }

    pub(super) fn adopt_orphans() {}

    pub(super) fn end_orphans() {}
}
