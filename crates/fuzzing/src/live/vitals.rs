//! [`Vitals`]: what the process of a launched target uses, as `/proc` tells it.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

/// The unit of CPU times in `/proc` (`USER_HZ`), which Linux shows as 100 a second whatever the kernel counts with.
const TICK: Duration = Duration::from_millis(10);

/// What a process and its descendants use at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Vitals {
    /// Resident memory, in bytes.
    pub(super) memory: u64,
    /// Open file descriptors.
    pub(super) open_files: u64,
    /// CPU time since the process began.
    pub(super) cpu: Duration,
}

impl Vitals {
    /// Those of the process with this id, and of all that it started.
    ///
    /// # Errors
    /// There is no such process any more, or no `/proc` to ask.
    pub(super) fn of(pid: u32) -> io::Result<Self> {
        let mut sum = Self::of_one(pid)?;
        let mut unseen = children(pid);
        // Whoever ends meanwhile is counted no more.
        while let Some(child) = unseen.pop() {
            if let Ok(vitals) = Self::of_one(child) {
                sum.memory += vitals.memory;
                sum.open_files += vitals.open_files;
                sum.cpu += vitals.cpu;
                unseen.extend(children(child));
            }
        }
        Ok(sum)
    }

    /// Whether a thread of the process with this id, or of one that it started, computes or is about to. Who waits for
    /// nothing is seen so however little of the machine is left for it.
    pub(super) fn is_runnable(pid: u32) -> bool {
        let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
            return false;
        };
        let stats = threads
            .flatten()
            .filter_map(|thread| fs::read_to_string(thread.path().join("stat")).ok());
        stats.into_iter().any(|stat| is_running(&stat))
            || children(pid).into_iter().any(Self::is_runnable)
    }

    fn of_one(pid: u32) -> io::Result<Self> {
        let process = Path::new("/proc").join(pid.to_string());
        let open_files = fs::read_dir(process.join("fd"))?.count() as u64;
        let status = fs::read_to_string(process.join("status"))?;
        let stat = fs::read_to_string(process.join("stat"))?;
        match (memory(&status), cpu(&stat)) {
            (Some(memory), Some(cpu)) => Ok(Self {
                memory,
                open_files,
                cpu,
            }),
            // What has ended and is not yet waited for has no memory.
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

fn memory(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// User and system time: the 14th and 15th field, counted behind the name, which can hold blanks and brackets.
fn cpu(stat: &str) -> Option<Duration> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    let mut times = behind_name.split_whitespace().skip(11);
    let user: u32 = times.next()?.parse().ok()?;
    let system: u32 = times.next()?.parse().ok()?;
    Some(TICK * (user + system))
}

/// The state stands behind the name.
fn is_running(stat: &str) -> bool {
    let state = stat.rsplit_once(')').map(|(_, behind)| behind.trim_start());
    state.is_some_and(|state| state.starts_with('R'))
}

fn children(pid: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return Vec::new();
    };
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok())
        .flat_map(|line| {
            line.split_whitespace()
                .filter_map(|child| child.parse().ok())
                .collect::<Vec<u32>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_and_cpu_are_read_from_the_fields_that_hold_them() {
        assert_eq!(
            memory("VmHWM:\t  99 kB\nVmRSS:\t    2048 kB\n"),
            Some(2 << 20)
        );
        assert_eq!(memory("State:\tZ (zombie)\n"), None);
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 1 0 9";
        assert_eq!(cpu(stat), Some(Duration::from_secs(2)));
        assert!(!is_running(stat));
        assert!(is_running("7 (a ) S) R 1 7"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_lives_and_a_dead_one_does_not() {
        let open = fs::File::open("/proc/self/status").unwrap();
        let vitals = Vitals::of(std::process::id()).unwrap();
        assert!(vitals.memory > 1 << 20, "{vitals:?}");
        assert!(vitals.open_files > 3, "{vitals:?}");
        drop(open);
        assert!(Vitals::of(u32::MAX).is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_a_process_starts_counts_as_its_own() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let pid = child.id();
        assert!(children(std::process::id()).contains(&pid));
        assert!(Vitals::is_runnable(std::process::id()), "it asks");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
