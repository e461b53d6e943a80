//! [`DraftBaseline`]: a first baseline, made from the deviations of a run.
//!
//! Cases of one scenario that deviate alike make one entry, with the widest pattern that fits no other case of the run:
//! all of the scenario, all of a version, or the case alone. The reason tells what was seen and begins with [`UNREAD`]:
//! what a tool has seen is no reason to accept it, so that `run` goes on telling of such entries until a person has read
//! the exchange against the standard's text and written one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{self, Write};

use clauses::ClauseId;
use runner::event::{CaseReport, Event, RunInfo, Verdict};
use wildmatch::WildMatch;

use crate::{Destination, Listener, Report, Unwritable};

/// What the reason of an entry begins with that nobody has read yet.
pub const UNREAD: &str = runner::Baseline::UNREAD;

/// Gathers the deviations of a run for a first baseline.
#[derive(Debug, Default)]
pub struct DraftBaseline {
    run: Option<RunInfo>,
    names: BTreeSet<String>,
    deviations: BTreeMap<String, Deviation>,
}

/// What a case did that has to be accepted for the run to succeed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Deviation {
    /// The one clause that all its findings speak for.
    clause: Option<ClauseId>,
    seen: String,
}

/// One entry of the baseline.
struct Entry<'a> {
    pattern: String,
    deviation: &'a Deviation,
    cases: usize,
}

impl DraftBaseline {
    /// A baseline with nothing in it yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn render(&self) -> String {
        let mut text = self.head();
        let mut chapter = "";
        let entries = self.entries();
        for entry in &entries {
            let its = entry
                .pattern
                .split_once('/')
                .map_or("", |(chapter, _)| chapter);
            if its != chapter {
                let _ = write!(text, "\n# {}\n", line(its));
                chapter = its;
            }
            let _ = writeln!(text, "- case: {}", quoted(&entry.pattern));
            if let Some(clause) = entry.deviation.clause {
                let _ = writeln!(text, "  clause: {clause}");
            }
            let several = match entry.cases {
                1 => String::new(),
                cases => format!(" ({cases} cases)"),
            };
            let reason = format!("{UNREAD} {}{several}", entry.deviation.seen);
            let _ = writeln!(text, "  reason: {}", quoted(&reason));
        }
        text
    }

    fn head(&self) -> String {
        let target = self.run.as_ref().map_or("a target", |run| &run.target);
        let mut text = format!(
            "# The known deviations of {}, as {} saw them",
            line(target),
            crate::TOOL
        );
        if let Some(edition) = self.run.as_ref().and_then(|run| run.edition.as_ref()) {
            let _ = write!(text, " (edition {})", line(edition));
        }
        text.push_str(".\n");
        if self.deviations.is_empty() {
            text.push_str("# There were none.\n");
        } else {
            let _ = write!(
                text,
                "#\n# Nobody has read them yet. Hold each exchange against the text of its clause (`mqtt-assay run --trace\n\
                 # --filter CASE`, `mqtt-assay clauses CLAUSE`), then write the reason why it is accepted in place of\n\
                 # `{UNREAD} …`: what the target does, and what the text asks for.\n"
            );
        }
        text
    }

    /// The entries, in the order of their patterns.
    fn entries(&self) -> Vec<Entry<'_>> {
        let mut alike: BTreeMap<(&str, &Deviation), BTreeSet<&str>> = BTreeMap::new();
        for (name, deviation) in &self.deviations {
            let group = alike.entry((scenario_of(name), deviation)).or_default();
            group.insert(name);
        }
        let mut entries = Vec::new();
        for ((scenario, deviation), mut names) in alike {
            let mut patterns = vec![format!("{scenario}@*"), format!("{scenario}[*]@*")];
            let versions: BTreeSet<&str> =
                names.iter().filter_map(|name| version_of(name)).collect();
            for version in versions {
                patterns.push(format!("{scenario}@{version}/*"));
                patterns.push(format!("{scenario}[*]@{version}/*"));
            }
            let each: Vec<String> = names.iter().map(|name| literal(name)).collect();
            patterns.extend(each);
            for pattern in patterns {
                let matcher = WildMatch::new(&pattern);
                let fitting = || self.names.iter().filter(|name| matcher.matches(name));
                let cases = fitting()
                    .filter(|name| names.contains(name.as_str()))
                    .count();
                if cases > 0 && fitting().count() == cases {
                    names.retain(|name| !matcher.matches(name));
                    entries.push(Entry {
                        pattern,
                        deviation,
                        cases,
                    });
                }
            }
        }
        entries.sort_by(|left, right| left.pattern.cmp(&right.pattern));
        entries
    }
}

impl Report for DraftBaseline {
    /// Nothing is known of the target then.
    fn not_played(&mut self, _why: &str) {}

    fn write(&self, destination: &Destination) -> Result<(), Unwritable> {
        destination.write(|out: &mut dyn Write| -> io::Result<()> {
            out.write_all(self.render().as_bytes())
        })
    }
}

impl Listener for DraftBaseline {
    fn on(&mut self, event: &Event) {
        match event {
            Event::RunStarted(info) => self.run = Some(info.as_ref().clone()),
            Event::CaseFinished(report) => {
                self.names.insert(report.case.name.clone());
                if let Some(deviation) = Deviation::of(report) {
                    self.deviations.insert(report.case.name.clone(), deviation);
                }
            }
            _ => {}
        }
    }
}

impl Deviation {
    /// What keeps a run from succeeding: warnings do not, and a crash cannot be accepted.
    fn of(report: &CaseReport) -> Option<Self> {
        match &report.verdict {
            Verdict::Fail => {
                let first = report.findings.first();
                let clause = first.and_then(|first| {
                    let speaks = |clause: &&ClauseId| {
                        let mut findings = report.findings.iter();
                        findings.all(|finding| finding.clauses.contains(clause))
                    };
                    first.clauses.iter().find(speaks).copied()
                });
                Some(Self {
                    clause,
                    seen: first.map_or_else(
                        || "a MUST did not hold".into(),
                        |first| line(&first.message),
                    ),
                })
            }
            Verdict::Untested { reason } => Some(Self {
                clause: None,
                seen: format!("not tested: {}", line(reason)),
            }),
            _ => None,
        }
    }
}

/// The scenario of a case: its name up to the row and the version.
fn scenario_of(name: &str) -> &str {
    name.split(['[', '@']).next().unwrap_or(name)
}

/// The version of a case: what stands between the last `@` and the transport.
fn version_of(name: &str) -> Option<&str> {
    let (_, rest) = name.rsplit_once('@')?;
    Some(rest.split_once('/').map_or(rest, |(version, _)| version))
}

/// A pattern that fits the case, over any transport.
fn literal(name: &str) -> String {
    match name.rsplit_once('@') {
        Some((row, rest)) => {
            let version = rest.split_once('/').map_or(rest, |(version, _)| version);
            format!("{row}@{version}/*")
        }
        None => name.to_owned(),
    }
}

fn line(text: &str) -> String {
    crate::terminal_line(text)
}

/// Text as a YAML scalar.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn draft(events: &[Event]) -> String {
        let mut draft = DraftBaseline::new();
        for event in events {
            draft.on(event);
        }
        draft
            .render()
            .replace(env!("CARGO_PKG_VERSION"), "[version]")
    }

    #[test]
    fn deviations_alike_make_one_entry() {
        insta::assert_snapshot!(draft(&fixture::run()));
    }

    #[test]
    fn it_accepts_just_what_deviated() {
        for (events, accepted) in [
            (fixture::run(), 3),
            (fixture::hostile_run(), 1),
            (fixture::conforming_run(), 0),
        ] {
            let baseline = runner::Baseline::parse("baseline.yaml", &draft(&events)).unwrap();
            assert_eq!(baseline.unread() > 0, accepted > 0);
            let mut known = 0;
            for event in events {
                let Event::CaseFinished(mut report) = event else {
                    continue;
                };
                let before = report.verdict.clone();
                baseline.judge(&mut report);
                if report.verdict != before {
                    assert!(
                        matches!(report.verdict, Verdict::Known { .. }),
                        "{report:?}"
                    );
                    known += 1;
                }
            }
            assert_eq!(known, accepted);
        }
    }

    /// A case of each name fails when it is listed, else it passes.
    fn patterns(cases: &[(&str, bool)]) -> Vec<String> {
        let mut draft = DraftBaseline::new();
        for (name, fails) in cases {
            draft.names.insert((*name).to_owned());
            if *fails {
                let deviation = Deviation {
                    clause: None,
                    seen: "x".into(),
                };
                draft.deviations.insert((*name).to_owned(), deviation);
            }
        }
        draft
            .entries()
            .into_iter()
            .map(|entry| entry.pattern)
            .collect()
    }

    #[test]
    fn a_pattern_is_as_wide_as_the_other_cases_allow() {
        let all = [
            ("a/b@v3.1.1/tcp", true),
            ("a/b@v5.0/tcp", true),
            ("a/b-too@v5.0/tcp", false),
            ("a/c[x=1]@v3.1.1/tcp", false),
            ("a/c[x=1]@v5.0/tcp", true),
            ("a/c[x=2]@v5.0/tcp", true),
            ("a/d[x=1]@v5.0/tcp", true),
            ("a/d[x=2]@v5.0/tcp", false),
        ];
        assert_eq!(
            patterns(&all),
            ["a/b@*", "a/c[*]@v5.0/*", "a/d[x=1]@v5.0/*"]
        );
    }
}
