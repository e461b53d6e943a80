//! The scenario language: parse, check, expand.
