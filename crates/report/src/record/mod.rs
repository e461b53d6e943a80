//! A recorded run: the stream of events in a file, so that it can be reported again later, together with those of other
//! parts.
//!
//! The file is text, one JSON object a line, each with one key that says what it is. It is written as the run goes on, so
//! that one that is killed leaves all that was known.
//!
//! ```json
//! {"record":{"format":1,"tool":"mqtt-assay 0.1.0","command":"mqtt-assay run --target mqtt://localhost:1883"}}
//! {"run":{"target":"mqtt://localhost:1883","cases":1,"started_ns":…,"edition":"2026.1","part":"1/2","cases_of_all_parts":2,"rounds":1}}
//! {"scenario":{"name":"scenarios/ping/answered.yaml","text":"title: …"}}
//! {"case":{"name":"ping/answered@v5.0/tcp","chapter":"ping","title":"…","scenario":0,"version":"v5.0","clauses":["…"]}}
//! {"started":0}
//! {"verdict":{"case":0,"since_ns":…,"verdict":"pass",…,"trace":[…]}}
//! {"end":{"elapsed_ns":…,"interrupted":false,"unplayed":0,"stale":[],"flaky":[]}}
//! ```
//!
//! Scenarios and cases are numbered from 0 as they come, and named by their numbers then. Bytes are hex digits, times
//! nanoseconds. [`FORMAT`] grows when a reader could misread the new form; new keys may come without notice.

mod line;
mod merge;
mod read;
mod write;

pub use merge::merge;
pub use read::{Recording, Unreadable};
pub use write::Recorder;

/// The version of the recording's form.
const FORMAT: u32 = 1;

#[cfg(test)]
mod tests;
