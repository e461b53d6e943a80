//! Where the codec states which rule: the names of clauses, found in its own sources.

use clauses::{Site, sites_in};

macro_rules! sources {
    ($($file:literal),* $(,)?) => {
        const SOURCES: &[(&str, &str)] = &[$(($file, include_str!($file))),*];
    };
}

sources![
    "decode.rs",
    "frame.rs",
    "gate.rs",
    "packet/auth.rs",
    "packet/connack.rs",
    "packet/connect.rs",
    "packet/disconnect.rs",
    "packet/puback.rs",
    "packet/pubcomp.rs",
    "packet/publish.rs",
    "packet/pubrec.rs",
    "packet/pubrel.rs",
    "packet/suback.rs",
    "packet/subscribe.rs",
    "packet/unsuback.rs",
    "packet/unsubscribe.rs",
    "packet/will.rs",
    "property/read.rs",
    "reader.rs",
    "rule.rs",
    "text_rules.rs",
];

/// Every site, in the order of the files: what strict decoding refuses, and by which clause.
pub fn sites() -> impl Iterator<Item = Site> + Clone {
    sites_in(SOURCES)
}
