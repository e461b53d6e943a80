//! Ctrl-C: the first one stops a run with its results so far, the second one ends the program at once.

use std::sync::mpsc;
use std::{io, process, thread};

use runner::Interrupt;
use tokio::runtime;

use crate::failure::INTERRUPTED;

/// Raises the interrupt at the first Ctrl-C (or SIGTERM) and ends the program at the second.
///
/// # Errors
///
/// The operating system lets nobody listen.
pub(crate) fn interrupt_on_ctrl_c(interrupt: Interrupt) -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (ready, listening) = mpsc::channel();
    thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            runtime.block_on(async move {
                let mut signals = match Signals::listen() {
                    Ok(signals) => signals,
                    Err(error) => {
                        let _ = ready.send(Err(error));
                        return;
                    }
                };
                let _ = ready.send(Ok(()));
                signals.next().await;
                interrupt.raise();
                anstream::eprintln!(
                    "\nStopping: the results so far follow. Press Ctrl-C again to end at once."
                );
                signals.next().await;
                process::exit(INTERRUPTED.into());
            });
        })?;
    listening.recv().unwrap_or(Ok(()))
}

/// Waits for one Ctrl-C or SIGTERM.
///
/// # Errors
///
/// The operating system lets nobody listen.
pub(crate) async fn ctrl_c() -> io::Result<()> {
    Signals::listen()?.next().await;
    Ok(())
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn listen() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
