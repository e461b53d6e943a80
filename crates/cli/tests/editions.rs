//! What an edition demands stays as it was: a scenario that it lists has the fingerprint that stands there.
//!
//! `EDITION=2026.2 cargo test -p mqtt-assay --test editions` makes an edition of the scenarios that no edition lists (or
//! adds them to it); `CORRECTED=1 …` writes the fingerprints of changed scenarios anew, where the change demands no more
//! than before.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// A list: each scenario with its fingerprint.
type List = BTreeMap<String, String>;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios")
}

/// Every scenario of the tree with its fingerprint.
fn scenarios() -> List {
    let mut found = List::new();
    for chapter in fs::read_dir(folder()).unwrap() {
        let chapter = chapter.unwrap().path();
        if !chapter.is_dir() {
            continue;
        }
        for file in fs::read_dir(&chapter).unwrap() {
            let file = file.unwrap().path();
            if file
                .extension()
                .is_some_and(|extension| extension == "yaml")
            {
                let part = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
                let text = fs::read_to_string(&file).unwrap();
                let fingerprint = {
                    let beside = |name: &str| fs::read(chapter.join(name));
                    scenario::fingerprint(&text, &beside).unwrap()
                };
                found.insert(format!("{}/{}", part(&chapter), part(&file)), fingerprint);
            }
        }
    }
    found
}

/// The lists, by the names of their editions.
fn editions() -> BTreeMap<String, List> {
    let mut editions = BTreeMap::new();
    for file in fs::read_dir(folder().join("editions")).unwrap() {
        let file = file.unwrap().path();
        let name = file.file_name().unwrap().to_str().unwrap();
        let name = name.strip_suffix(".txt").unwrap().to_owned();
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let entries = lines.map(|line| {
            let (fingerprint, scenario) = line.split_once(' ').unwrap();
            (scenario.to_owned(), fingerprint.to_owned())
        });
        editions.insert(name, entries.collect());
    }
    editions
}

fn write(name: &str, list: &List) {
    let mut text = format!(
        "# What edition {name} demands beside those before it: each scenario with its fingerprint (CONTRIBUTING.md).\n"
    );
    for (scenario, fingerprint) in list {
        let _ = writeln!(text, "{fingerprint} {scenario}");
    }
    fs::write(folder().join(format!("editions/{name}.txt")), text).unwrap();
}

fn rewrite(scenarios: &List, editions: &mut BTreeMap<String, List>) {
    if std::env::var_os("CORRECTED").is_some() {
        for (name, list) in &mut *editions {
            list.retain(|scenario, _| scenarios.contains_key(scenario));
            for (scenario, fingerprint) in &mut *list {
                fingerprint.clone_from(&scenarios[scenario]);
            }
            write(name, list);
        }
    }
    if let Ok(name) = std::env::var("EDITION") {
        let listed = |scenario: &String| editions.values().any(|list| list.contains_key(scenario));
        let fresh: List = scenarios
            .iter()
            .filter(|(scenario, _)| !listed(scenario))
            .map(|(scenario, fingerprint)| (scenario.clone(), fingerprint.clone()))
            .collect();
        let list = editions.entry(name.clone()).or_default();
        list.extend(fresh);
        write(&name, list);
    }
}

#[test]
fn an_edition_demands_what_it_did() {
    let scenarios = scenarios();
    let mut editions = editions();
    rewrite(&scenarios, &mut editions);
    assert!(!editions.is_empty());
    let mut wrong = Vec::new();
    let mut listed: BTreeMap<&str, &str> = BTreeMap::new();
    for (edition, list) in &editions {
        for (scenario, fingerprint) in list {
            if let Some(first) = listed.insert(scenario, edition) {
                wrong.push(format!(
                    "{scenario} is in the editions {first} and {edition}: one is enough"
                ));
            }
            match scenarios.get(scenario) {
                Some(now) if now == fingerprint => {}
                Some(_) => wrong.push(format!("{scenario} has changed since edition {edition}")),
                None => wrong.push(format!(
                    "{scenario} of edition {edition} is not there any more"
                )),
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n\nA target that conformed yesterday must conform today. Does the scenario demand more than before? Then take its\n\
         line out of the list: the next edition will have it. Does it demand the same or less? Then\n\
         CORRECTED=1 cargo test -p mqtt-assay --test editions",
        wrong.join("\n")
    );
}
