//! The real binary, as people and CI systems meet it: what it prints, and with which status it ends.
#![expect(
    clippy::unwrap_used,
    reason = "what surrounds the binary must work for a test to mean anything"
)]

mod again;
mod assay;
mod bad_input;
mod broker;
mod clauses;
mod data;
mod decode;
mod deviations;
mod disks;
mod files;
mod fmt;
mod fuzz;
mod growth;
mod interrupt;
mod launch;
mod list;
mod profiles;
mod relay;
mod reports;
mod targets;
mod trace;
