//! Runs the binary and keeps what it said.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

/// What the binary said, and how it ended. Displays as the whole of it, for snapshots.
pub(crate) struct Said {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The binary with these arguments, not yet started, in this folder.
pub(crate) fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mqtt-assay"));
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null());
    // What the tests see does not depend on who runs them.
    command
        .env_remove("CI")
        .env_remove("COLUMNS")
        .env_remove("CLICOLOR_FORCE");
    command
}

/// Runs the binary to its end.
pub(crate) fn assay(arguments: &[&str]) -> Said {
    assay_in(Path::new(env!("CARGO_MANIFEST_DIR")), arguments)
}

/// Runs the binary to its end, in this folder.
pub(crate) fn assay_in(folder: &Path, arguments: &[&str]) -> Said {
    command(folder, arguments).output().unwrap().into()
}

/// Runs the binary to its end, with this on its standard input.
pub(crate) fn assay_fed(input: &str, arguments: &[&str]) -> Said {
    let mut command = command(Path::new("."), arguments);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap().into()
}

/// The binary while it runs; killed when the test ends.
pub(crate) struct Running {
    pub(crate) child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    pub(crate) fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::of(&mut command(folder, arguments))
    }

    pub(crate) fn of(command: &mut Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    /// The next line of its standard output, without the line break.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Presses Ctrl-C.
    #[cfg(unix)]
    pub(crate) fn interrupt(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    }

    /// Waits for its end; what it said on standard output since the last line that was read.
    pub(crate) fn end(mut self) -> Said {
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).unwrap();
        let mut stderr = String::new();
        if let Some(mut pipe) = self.child.stderr.take() {
            pipe.read_to_string(&mut stderr).unwrap();
        }
        let status = self.child.wait().unwrap().code();
        Said {
            status,
            stdout,
            stderr,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.stdout)?;
        if !self.stderr.is_empty() {
            write!(f, "--- standard error ---\n{}", self.stderr)?;
        }
        let status = self
            .status
            .map_or("none".to_owned(), |status| status.to_string());
        write!(f, "--- exit status {status} ---")
    }
}
