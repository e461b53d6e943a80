//! [`Junit`]: the report that CI systems read.
//!
//! One `testsuite` per chapter and version, one `testcase` per case. `classname` is the chapter with the clauses. The
//! body of a failure begins with `file:line:column`, since several readers know no other place for it. What is known
//! from a baseline, skipped or untested is `skipped`, with the verdict as its type and the reason as its message; an
//! entry of the baseline that passed is a failure of type `fixed`, since the run fails on it too. A run that was
//! interrupted holds a test case more, in error, so that no reader takes what was played for the whole, and so does one
//! whose verdicts differ from round to round, for each case that is flaky.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::SystemTime;

use codec::Version;
use junit_report::{
    Duration, OffsetDateTime, ReportBuilder, TestCase, TestCaseBuilder, TestSuiteBuilder,
};
use runner::event::{CaseReport, Crash, Event, Finding, RunSummary};

use crate::tally::{self, Kind};
use crate::text::xml_text;
use crate::{Destination, Listener, Report, Unwritable, rounds, trace};

/// Gathers a run for its JUnit report.
#[derive(Debug)]
pub struct Junit {
    started: OffsetDateTime,
    target: String,
    suites: BTreeMap<(String, Version), BTreeMap<String, TestCase>>,
    /// What is about the run rather than about a case.
    remarks: String,
}

impl Junit {
    /// A report of a run that starts at this time, unless its events say otherwise.
    pub fn new(started: SystemTime) -> Self {
        Self {
            started: started.into(),
            target: String::new(),
            suites: BTreeMap::new(),
            remarks: String::new(),
        }
    }

    /// A test case that is about the run as a whole.
    fn error(&mut self, suite: &str, name: &str, kind: &str, why: &str) {
        let case = TestCaseBuilder::error(name, Duration::ZERO, kind, &xml_text(why)).build();
        // It is about no version; the newest stands for all.
        let suite = (suite.to_owned(), Version::V5_0);
        self.suites
            .entry(suite)
            .or_default()
            .insert(name.to_owned(), case);
    }

    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut report = ReportBuilder::new();
        // What is about the run stands in the first suite: the format has no place above the suites.
        let mut remarks = Some(&self.remarks);
        for ((chapter, version), cases) in &self.suites {
            let mut suite =
                TestSuiteBuilder::new(&xml_text(&format!("{chapter} {}", version.name())));
            suite.set_timestamp(self.started);
            suite.set_system_out(&xml_text(&format!(
                "target: {}\n{}",
                self.target,
                remarks.take().map_or("", String::as_str)
            )));
            suite.add_testcases(cases.values().cloned());
            let mut suite = suite.build();
            suite.package = xml_text(chapter).into_owned();
            report.add_testsuite(suite);
        }
        report
            .build()
            .write_xml(&mut *out)
            .map_err(io::Error::other)?;
        out.write_all(b"\n")
    }

    fn crash(&mut self, crash: &Crash) {
        let case = crash.case.as_deref().unwrap_or("an unknown case");
        let _ = writeln!(self.remarks, "crashed during {case}: {}", crash.seen);
        if let Some(log) = &crash.log_tail {
            let _ = writeln!(self.remarks, "the end of its log:\n{log}");
        }
    }

    fn end(&mut self, summary: &RunSummary) {
        if summary.unplayed > 0 {
            let _ = writeln!(
                self.remarks,
                "not played, the run ended early: {}",
                summary.unplayed
            );
        }
        if summary.interrupted {
            let why = match summary.unplayed {
                1 => "1 case was not played".to_owned(),
                unplayed => format!("{unplayed} cases were not played"),
            };
            self.error("run", "interrupted", "interrupted", &why);
        }
        for flaky in &summary.flaky {
            let why = format!("{}: {}", flaky.case, rounds::told(flaky));
            self.error("flaky", &flaky.case, "flaky", &why);
        }
        for entry in &summary.stale {
            let _ = writeln!(
                self.remarks,
                "the baseline's entry matches no case: {entry}"
            );
        }
    }
}

impl Report for Junit {
    /// One test case, in error, so that no reader takes silence for success.
    fn not_played(&mut self, why: &str) {
        self.error("target", "admission", "not played", why);
    }

    fn write(&self, destination: &Destination) -> Result<(), Unwritable> {
        destination.write(|out| self.render(out))
    }
}

impl Listener for Junit {
    fn on(&mut self, event: &Event) {
        match event {
            Event::RunStarted(info) => {
                self.started = info.started.into();
                info.target.clone_into(&mut self.target);
                if let Some(edition) = &info.edition {
                    let _ = writeln!(self.remarks, "edition: {edition}");
                }
                if let Some(part) = info.part {
                    let _ = writeln!(self.remarks, "part: {part}");
                }
            }
            Event::CaseStarted(_) | Event::RoundFinished(_) => {}
            Event::CaseFinished(report) => {
                let suite = (report.case.chapter.clone(), report.case.version);
                let cases = self.suites.entry(suite).or_default();
                cases.insert(report.case.name.clone(), test_case(report));
            }
            Event::Notice(text) => {
                let _ = writeln!(self.remarks, "{text}");
            }
            Event::TargetCrashed(crash) => self.crash(crash),
            Event::RunFinished(summary) => self.end(summary),
        }
    }
}

fn test_case(report: &CaseReport) -> TestCase {
    let case = &report.case;
    let kind = Kind::of(&report.verdict);
    let name = xml_text(&case.name);
    let time = Duration::try_from(report.elapsed).unwrap_or(Duration::MAX);
    let reason = xml_text(tally::reason(&report.verdict).unwrap_or_default());
    let mut builder = match kind {
        Kind::Pass | Kind::Note | Kind::Warn => TestCaseBuilder::success(&name, time),
        Kind::Fail => {
            TestCaseBuilder::failure(&name, time, kind.name(), &xml_text(&headline(report)))
        }
        Kind::Fixed => TestCaseBuilder::failure(
            &name,
            time,
            kind.name(),
            "the baseline lists it, and it passed: take it out of the baseline",
        ),
        Kind::Crashed => TestCaseBuilder::error(&name, time, kind.name(), &reason),
        Kind::Skip | Kind::Untested | Kind::Known => {
            TestCaseBuilder::skipped_with_cause(&name, kind.name(), &reason)
        }
    };
    builder.set_classname(&xml_text(&class(report)));
    builder.set_filepath(&xml_text(&case.source.name));
    match kind {
        Kind::Pass | Kind::Skip | Kind::Fixed => {}
        Kind::Note | Kind::Warn => {
            builder.set_system_out(&xml_text(&body(report)));
        }
        Kind::Fail | Kind::Crashed | Kind::Untested | Kind::Known => {
            builder.set_trace(&xml_text(&body(report)));
        }
    }
    builder.build()
}

/// The chapter and the clauses.
fn class(report: &CaseReport) -> String {
    let mut class = report.case.chapter.clone();
    for id in &report.case.clauses {
        let _ = write!(class, " {id}");
    }
    class
}

fn headline(report: &CaseReport) -> String {
    match report.findings.first() {
        Some(finding) => finding.message.clone(),
        None => "a MUST did not hold".into(),
    }
}

/// The findings, what the target chose, and the exchange.
fn body(report: &CaseReport) -> String {
    let mut body = String::new();
    for finding in &report.findings {
        describe(&mut body, report, finding);
    }
    if report.findings.is_empty() {
        let _ = writeln!(
            body,
            "{}:1:1: {}",
            report.case.source.name, report.case.title
        );
    }
    for note in &report.notes {
        let _ = writeln!(body, "note: {note}");
    }
    if !report.trace.is_empty() {
        body.push_str("\nThe exchange, with seconds since it began:\n\n");
        for line in trace::lines(&report.trace) {
            let _ = writeln!(body, "  {}", line.plain());
        }
    }
    body
}

fn describe(body: &mut String, report: &CaseReport, finding: &Finding) {
    let place = report.case.source.locate(finding.span);
    let _ = writeln!(body, "{place}: {}", finding.message);
    if let Some(expected) = &finding.expected {
        let _ = writeln!(body, "expected: {expected}");
    }
    if let Some(received) = &finding.received {
        let _ = writeln!(body, "received: {received}");
    }
    for id in &finding.clauses {
        let clause = id.clause();
        let _ = writeln!(
            body,
            "clause: {id} ({}): {}",
            clause.keyword, clause.summary
        );
    }
    if let Some(why) = &finding.why {
        let _ = writeln!(body, "why: {why}");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration as Elapsed;

    use proptest::prelude::*;

    use super::*;
    use crate::fixture;

    fn report(events: &[Event]) -> String {
        let mut junit = Junit::new(SystemTime::UNIX_EPOCH + Elapsed::from_secs(1_795_000_000));
        for event in events {
            junit.on(event);
        }
        let mut out = Vec::new();
        junit.render(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn all_verdicts() {
        // One line per element, as the writer itself does not break lines.
        insta::assert_snapshot!(report(&fixture::run()).replace("><", ">\n<"));
    }

    #[test]
    fn an_interrupted_run_is_in_error() {
        let xml = report(&fixture::interrupted_run());
        let document = roxmltree::Document::parse(&xml).unwrap();
        let errors: Vec<_> = document
            .descendants()
            .filter(|node| node.has_tag_name("error"))
            .map(|node| (node.attribute("type"), node.attribute("message")))
            .collect();
        assert_eq!(
            errors,
            [(Some("interrupted"), Some("39 cases were not played"))]
        );
    }

    /// Every text of the document, read back by a parser that is not the writer's.
    fn read_back(xml: &str) -> Result<Vec<String>, String> {
        let document = roxmltree::Document::parse(xml).map_err(|error| error.to_string())?;
        let nodes = document.descendants();
        let texts = nodes.clone().filter_map(|node| node.text());
        let attributes = nodes
            .flat_map(|node| node.attributes())
            .map(|attribute| attribute.value());
        Ok(texts.chain(attributes).map(str::to_owned).collect())
    }

    proptest! {
        #[test]
        fn whatever_a_broker_says_the_report_can_be_read(text in "\\PC{0,20}(\u{0}|\u{1b}|\u{fffe}|\u{ffff}|]]>|\r|<!\\[CDATA\\[|&#0;|\"|')?\\PC{0,20}") {
            let xml = report(&fixture::run_with_text_everywhere(&text));
            let texts = read_back(&xml).map_err(TestCaseError::fail)?;
            let shown = xml_text(&text);
            for place in ["message ", "expected ", "received ", "why ", "violation ", "reason ", "log "] {
                let whole = format!("{place}{shown}");
                prop_assert!(texts.iter().any(|found| found.contains(&whole)), "{whole} is lost in {xml}");
            }
        }

        #[test]
        fn any_characters_at_all(text in any::<String>()) {
            read_back(&report(&fixture::run_with_text_everywhere(&text))).map_err(TestCaseError::fail)?;
        }
    }
}
