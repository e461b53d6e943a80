//! [`Html`]: the report that people open later: one file that needs nothing else, neither network nor scripts.

use std::collections::BTreeMap;

use clauses::ClauseId;
use codec::Version;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use runner::event::{CaseReport, Crash, Event, Finding, Level, RunSummary};

use crate::tally::{self, Kind, Tally};
use crate::text::terminal_text;
use crate::{Destination, Listener, Report, Unwritable, rounds, trace};

const STYLE: &str = include_str!("html.css");

/// Gathers a run for its HTML report.
#[derive(Debug, Default)]
pub struct Html {
    target: String,
    edition: Option<String>,
    cases: BTreeMap<String, CaseReport>,
    notices: Vec<String>,
    crashes: Vec<Crash>,
    summary: Option<RunSummary>,
}

impl Html {
    /// A report with nothing in it yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn page(&self) -> Markup {
        let mut tallies: BTreeMap<(&str, Version), Tally> = BTreeMap::new();
        for report in self.cases.values() {
            let row = (report.case.chapter.as_str(), report.case.version);
            tallies
                .entry(row)
                .or_default()
                .count(Kind::of(&report.verdict));
        }
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width";
                    title { "mqtt-assay: " (visible(&self.target)) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    h1 { "MQTT conformance of " (visible(&self.target)) }
                    (self.remarks())
                    (table(&tallies))
                    (self.chapters())
                }
            }
        }
    }

    fn remarks(&self) -> Markup {
        let summary = self.summary.as_ref();
        html! {
            p {
                (self.cases.len()) " cases"
                @if let Some(edition) = &self.edition { " of edition " (visible(edition)) }
                ", played with mqtt-assay " (env!("CARGO_PKG_VERSION")) "."
            }
            @if summary.is_none_or(|summary| summary.interrupted || summary.unplayed > 0) {
                p class="warn" {
                    "The run ended early"
                    @if let Some(summary) = summary { "; " (summary.unplayed) " cases were not played" }
                    "."
                }
            }
            @for crash in &self.crashes {
                p class="crashed" {
                    "The target stopped serving"
                    @if let Some(case) = &crash.case { " during " (visible(case)) }
                    ": " (visible(&crash.seen))
                }
                @if let Some(log) = &crash.log_tail { pre { (visible(log)) } }
            }
            @for notice in &self.notices { p { (visible(notice)) } }
            @for flaky in summary.map_or(&[][..], |summary| &summary.flaky) {
                p class="fail" { "Flaky: " code { (visible(&flaky.case)) } ": " (rounds::told(flaky)) }
            }
            @for entry in summary.map_or(&[][..], |summary| &summary.stale) {
                p class="fixed" { "The baseline's entry " code { (visible(entry)) } " matches no case." }
            }
        }
    }

    /// Every case under its chapter; what deviates stands open.
    fn chapters(&self) -> Markup {
        let mut chapters: BTreeMap<&str, Vec<&CaseReport>> = BTreeMap::new();
        for report in self.cases.values() {
            chapters
                .entry(&report.case.chapter)
                .or_default()
                .push(report);
        }
        html! {
            @for (chapter, reports) in chapters {
                h2 id=(visible(chapter)) { (visible(chapter)) }
                @for report in reports { (case(report)) }
            }
        }
    }
}

impl Report for Html {
    fn not_played(&mut self, why: &str) {
        self.notices.push(why.to_owned());
    }

    fn write(&self, destination: &Destination) -> Result<(), Unwritable> {
        destination.write(|out| out.write_all(self.page().into_string().as_bytes()))
    }
}

impl Listener for Html {
    fn on(&mut self, event: &Event) {
        match event {
            Event::RunStarted(info) => {
                info.target.clone_into(&mut self.target);
                self.edition.clone_from(&info.edition);
            }
            Event::CaseStarted(_) | Event::RoundFinished(_) => {}
            Event::CaseFinished(report) => {
                self.cases
                    .insert(report.case.name.clone(), report.as_ref().clone());
            }
            Event::Notice(text) => self.notices.push(text.clone()),
            Event::TargetCrashed(crash) => self.crashes.push(crash.clone()),
            Event::RunFinished(summary) => self.summary = Some(summary.clone()),
        }
    }
}

fn table(tallies: &BTreeMap<(&str, Version), Tally>) -> Markup {
    let mut total = Tally::default();
    for tally in tallies.values() {
        total += *tally;
    }
    let columns: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| total[*kind] > 0)
        .collect();
    let figures = |tally: &Tally| {
        html! {
            @for kind in &columns {
                td class=(if tally[*kind] == 0 { "zero" } else { kind.name() }) { (tally[*kind]) }
            }
        }
    };
    html! {
        table {
            tr { th { "chapter" } th { "version" } @for kind in &columns { th { (kind.name()) } } }
            @for ((chapter, version), tally) in tallies {
                tr {
                    td { a href={ "#" (visible(chapter)) } { (visible(chapter)) } }
                    td { (version.name()) }
                    (figures(tally))
                }
            }
            tr { td { "all" } td {} (figures(&total)) }
        }
    }
}

fn case(report: &CaseReport) -> Markup {
    let kind = Kind::of(&report.verdict);
    let deviates = matches!(kind, Kind::Fail | Kind::Crashed | Kind::Warn);
    html! {
        details open[deviates] {
            summary {
                span class={ "verdict " (kind.name()) } { (kind.name()) }
                code { (visible(&report.case.name)) }
                span class="title" { (visible(&report.case.title)) }
            }
            @if let Some(reason) = tally::reason(&report.verdict) { p { (visible(reason)) } }
            @for one in &report.findings { (finding(report, one)) }
            @for note in &report.notes { p { "The target chose: " (visible(note)) } }
            @if report.findings.is_empty() { dl { (statements(&report.case.clauses)) } }
            @if !report.trace.is_empty() {
                pre { @for line in trace::lines(&report.trace) { (line.plain()) "\n" } }
            }
        }
    }
}

fn finding(report: &CaseReport, finding: &Finding) -> Markup {
    let source = &report.case.source;
    let line = source.position(finding.span.start).line;
    let level = match finding.level {
        Level::Must => "fail",
        Level::Should => "warn",
    };
    html! {
        p { mark class=(level) { (visible(&finding.message)) } }
        pre {
            (visible(&source.locate(finding.span))) "\n"
            (source.text.lines().nth(line.saturating_sub(1)).unwrap_or_default())
        }
        dl {
            @if let Some(expected) = &finding.expected { dt { "expected" } dd { code { (visible(expected)) } } }
            @if let Some(received) = &finding.received { dt { "received" } dd { code { (visible(received)) } } }
            (statements(&finding.clauses))
            @if let Some(why) = &finding.why { dt { "why" } dd { (visible(why)) } }
        }
    }
}

fn statements(clauses: &[ClauseId]) -> Markup {
    html! {
        @for id in clauses {
            dt { (id) }
            dd { (id.clause().keyword) ": " (id.clause().summary) }
        }
    }
}

/// Text of a broker with what nobody would see spelt out.
fn visible(text: &str) -> String {
    terminal_text(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn page(events: &[Event]) -> String {
        let mut html = Html::new();
        for event in events {
            html.on(event);
        }
        html.page().into_string()
    }

    #[test]
    fn every_case_stands_in_it_and_deviations_stand_open() {
        let page = page(&fixture::run());
        assert_eq!(page.matches("<details").count(), 12);
        assert_eq!(page.matches("<details open>").count(), 4);
        assert!(
            page.contains("Retain Handling 0: matching retained messages are sent on subscribing")
        );
        assert!(page.contains("- sub -&gt; CONNECT: { client_id: k0sub, keep_alive: 60 }"));
    }

    #[test]
    fn a_broker_cannot_write_into_the_page() {
        let page = page(&fixture::run_with_text_everywhere(
            "</pre><script>alert(1)</script>\u{1b}",
        ));
        assert!(!page.contains("<script>"), "{page}");
        assert!(!page.contains('\u{1b}'), "{page}");
    }
}
