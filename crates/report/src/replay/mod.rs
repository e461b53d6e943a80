//! A case that was played, for playing again: as a scenario and as a shell script.
//!
//! The scenario says what happened, packet by packet: what was sent is sent again, what came is expected. The shell script
//! does the same with the bytes alone, for whoever has nothing but a shell.

mod scenario;
mod shell;

pub use self::scenario::replay_as_scenario;
pub use self::shell::replay_in_shell;
