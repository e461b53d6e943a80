//! The real binary, as people and CI systems meet it: what it prints, and with which status it ends.

mod assay;
mod bad_input;
mod broker;
mod clauses;
mod decode;
mod deviations;
mod fmt;
mod interrupt;
mod list;
mod reports;
mod targets;
