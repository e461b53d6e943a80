//! The player against targets that misbehave at a given moment, and each verdict.

mod peer;
mod targets;
mod verdicts;
