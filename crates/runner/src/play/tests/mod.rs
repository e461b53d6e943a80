//! The player against targets that misbehave at a given moment, and each verdict.

mod links;
mod matchers;
mod peer;
mod rules;
mod targets;
mod verdicts;
