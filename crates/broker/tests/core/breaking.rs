//! Each rule that the core states, broken: an exchange of this folder fails on it.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic;

use broker::rules::ClauseSet;
use clauses::{ClauseId, Keyword};

use crate::script::{BROKEN, CONSULTED};
use crate::{
    accepting, changing_versions, connecting, delivering, identifying, limiting, noting,
    overflowing, publishing, retaining, sessions, subscribing, timing, verifying, version_3_1,
    wills,
};

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

#[test]
fn every_broken_rule_is_seen() {
    let told = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if !QUIET.get() {
            told(panic);
        }
    }));
    QUIET.set(true);
    let exchanges: Vec<(fn(), ClauseSet)> = all()
        .map(|exchange| (exchange, consulted(exchange)))
        .collect();
    // What a server may do, it may leave as well.
    let clauses: BTreeSet<_> = broker::sites()
        .filter(|site| site.file.starts_with("core/"))
        .map(|site| site.clause)
        .filter(|clause| clause.clause().keyword != Keyword::May)
        .collect();
    let unseen: BTreeSet<_> = clauses
        .into_iter()
        .filter(|&clause| {
            !exchanges
                .iter()
                .any(|(exchange, consulted)| consulted.contains(clause) && fails(*exchange, clause))
        })
        .map(ClauseId::name)
        .collect();
    QUIET.set(false);
    assert!(
        unseen.is_empty(),
        "nothing shows that these are broken: {unseen:#?}"
    );
}

fn all() -> impl Iterator<Item = fn()> {
    [
        accepting::ALL,
        changing_versions::ALL,
        connecting::ALL,
        delivering::ALL,
        identifying::ALL,
        limiting::ALL,
        noting::ALL,
        overflowing::ALL,
        publishing::ALL,
        retaining::ALL,
        sessions::ALL,
        subscribing::ALL,
        timing::ALL,
        verifying::ALL,
        version_3_1::ALL,
        wills::ALL,
    ]
    .into_iter()
    .flatten()
    .copied()
}

fn consulted(exchange: fn()) -> ClauseSet {
    CONSULTED.set(ClauseSet::EMPTY);
    exchange();
    CONSULTED.get()
}

fn fails(exchange: fn(), clause: ClauseId) -> bool {
    BROKEN.set([clause].into_iter().collect());
    let played = panic::catch_unwind(exchange);
    BROKEN.set(ClauseSet::EMPTY);
    played.is_err()
}

#[test]
fn every_exchange_is_listed() {
    let files = [
        include_str!("accepting.rs"),
        include_str!("changing_versions.rs"),
        include_str!("connecting.rs"),
        include_str!("delivering.rs"),
        include_str!("identifying.rs"),
        include_str!("limiting.rs"),
        include_str!("noting.rs"),
        include_str!("overflowing.rs"),
        include_str!("publishing.rs"),
        include_str!("retaining.rs"),
        include_str!("sessions.rs"),
        include_str!("subscribing.rs"),
        include_str!("timing.rs"),
        include_str!("verifying.rs"),
        include_str!("version_3_1.rs"),
        include_str!("wills.rs"),
    ];
    let tests: usize = files
        .iter()
        .map(|file| file.matches("#[test]").count())
        .sum();
    assert_eq!(all().count(), tests);
}
