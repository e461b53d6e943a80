//! Where the broker states which rule: the sites of [`rule!`](crate::rules), found in its own sources.

use clauses::ClauseId;

/// A place in the broker that states a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Site {
    /// The clause.
    pub clause: ClauseId,
    /// The file, below `crates/broker/src`.
    pub file: &'static str,
    /// The line, from 1.
    pub line: usize,
}

macro_rules! sources {
    ($($file:literal),* $(,)?) => {
        const SOURCES: &[(&str, &str)] = &[$(($file, include_str!($file))),*];
    };
}

sources![
    "core/access.rs",
    "core/acknowledge.rs",
    "core/alias.rs",
    "core/authentication.rs",
    "core/census.rs",
    "core/connect.rs",
    "core/connection.rs",
    "core/deadlines.rs",
    "core/delivery.rs",
    "core/disconnect.rs",
    "core/keep_alive.rs",
    "core/message.rs",
    "core/method.rs",
    "core/mod.rs",
    "core/outgoing.rs",
    "core/persist.rs",
    "core/publish.rs",
    "core/receive.rs",
    "core/refusal.rs",
    "core/restore.rs",
    "core/retained.rs",
    "core/routing.rs",
    "core/send.rs",
    "core/session.rs",
    "core/subscribe.rs",
    "core/subscriptions.rs",
    "core/topic.rs",
    "core/tree.rs",
    "core/unsubscribe.rs",
    "core/will.rs",
    "shell/websocket.rs",
];

/// Every site, in the order of the files. What only the codec judges has none: the broker obeys it by refusing
/// what strict decoding refuses.
pub fn sites() -> impl Iterator<Item = Site> {
    SOURCES.iter().flat_map(|&(file, text)| {
        let stated = text.split("#[cfg(test)]").next().unwrap_or_default();
        (1..).zip(stated.lines()).flat_map(move |(line, text)| {
            // What stands between quotes and is the name of a clause.
            text.split('"').skip(1).step_by(2).filter_map(move |name| {
                let clause = ClauseId::lookup(name)?;
                Some(Site { clause, file, line })
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use clauses::clause;

    use super::*;

    #[test]
    fn every_file_that_may_state_a_rule_is_looked_at() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/core");
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| format!("core/{}", entry.unwrap().file_name().to_string_lossy()))
            .collect();
        files.sort();
        files.push("shell/websocket.rs".to_owned());
        let known: Vec<_> = SOURCES.iter().map(|&(file, _)| file).collect();
        assert_eq!(files, known);
    }

    #[test]
    fn a_site_is_found_where_it_stands() {
        let site = sites()
            .find(|site| site.clause == clause!("v5.0/MQTT-3.12.4-1"))
            .unwrap();
        assert_eq!(site.file, "core/receive.rs");
        let (_, text) = SOURCES.iter().find(|(file, _)| *file == site.file).unwrap();
        let line = text.lines().nth(site.line - 1).unwrap();
        assert!(line.contains("\"v5.0/MQTT-3.12.4-1\""), "{line}");
    }
}
