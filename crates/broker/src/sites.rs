//! Where the broker states which rule: the sites of [`rule!`](crate::rules), found in its own sources.

use clauses::{Site, sites_in};

macro_rules! sources {
    ($($file:literal),* $(,)?) => {
        const SOURCES: &[(&str, &str)] = &[$(($file, include_str!($file))),*];
    };
}

sources![
    "core/accept.rs",
    "core/access.rs",
    "core/acknowledge.rs",
    "core/admit.rs",
    "core/alias.rs",
    "core/as_published.rs",
    "core/authentication.rs",
    "core/brought.rs",
    "core/census.rs",
    "core/connack.rs",
    "core/connect.rs",
    "core/connection.rs",
    "core/deadlines.rs",
    "core/delivery.rs",
    "core/disconnect.rs",
    "core/few.rs",
    "core/flow_control.rs",
    "core/keep_alive.rs",
    "core/message.rs",
    "core/method.rs",
    "core/mod.rs",
    "core/note.rs",
    "core/objection.rs",
    "core/outgoing.rs",
    "core/overflow.rs",
    "core/persist.rs",
    "core/publish.rs",
    "core/receive.rs",
    "core/refusal.rs",
    "core/restore.rs",
    "core/retained.rs",
    "core/routing.rs",
    "core/send.rs",
    "core/send_publish.rs",
    "core/session.rs",
    "core/shared.rs",
    "core/subscribe.rs",
    "core/subscriptions.rs",
    "core/topic.rs",
    "core/tree.rs",
    "core/unsubscribe.rs",
    "core/verify.rs",
    "core/will.rs",
    "shell/websocket.rs",
];

/// Every site, in the order of the files. What only the codec judges has its sites there: the broker obeys it by
/// refusing what strict decoding refuses. The rest is told by [`unstated`](crate::unstated).
pub fn sites() -> impl Iterator<Item = Site> + Clone {
    sites_in(SOURCES)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
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

    /// Whatever a client can see kept is stated, here or by the codec, or there is a reason why not; never both.
    #[test]
    fn every_clause_that_can_be_seen_kept_is_stated() {
        let stated: BTreeSet<_> = sites()
            .chain(codec::sites())
            .map(|site| site.clause)
            .collect();
        for clause in clauses::all() {
            let is_ours = clause.standard() != clauses::Standard::Sn1_2;
            if is_ours && clause.clause().binds_a_server() {
                let reason = crate::unstated(clause);
                assert!(
                    stated.contains(&clause) != reason.is_some(),
                    "{clause} is stated: {}; the reason why not: {reason:?}",
                    stated.contains(&clause)
                );
            } else {
                assert_eq!(crate::unstated(clause), None, "{clause}");
            }
        }
    }
}
