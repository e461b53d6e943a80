//! The scenario language: parse, check, expand.
//!
//! A scenario is a YAML file that writes down an exchange of packets. Its text becomes a tree of nodes with places, the tree
//! becomes a typed [`Scenario`], and [`expand`] makes the [`Case`]s that a runner plays. Nothing that is not understood is
//! ignored: [`parse`] tells all that is wrong with a file as [`Diagnostic`]s, each with its place.
//!
//! The crate knows packets by the codec's table of fields, and nothing of brokers or sockets.

pub mod ast;
pub mod bytes;
mod check;
mod condition;
mod diagnostic;
mod duration;
mod expand;
mod expression;
pub mod feature;
mod fingerprint;
mod format;
mod node;
mod parse;
mod render;
mod sample;
mod schema;
mod source;
mod twin;
pub mod typing;
mod vocabulary;
mod yaml;
mod yaml_errors;

pub use ast::Scenario;
pub use check::{check, check_together};
pub use diagnostic::{Diagnostic, Label, Severity};
pub use duration::duration;
pub use expand::{Case, expand};
pub use fingerprint::fingerprint;
pub use format::fmt;
pub use parse::{Files, parse, parse_with};
pub use render::{Style, render};
pub use sample::sample;
pub use schema::schema;
pub use source::{Position, Source, Span, Spanned};
pub use twin::twin;
pub use yaml::yaml_fault;
