//! `mqtt-assay clauses`: the register of normative statements, where the reference broker states them, and which
//! scenario covers what.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use clap::Args;
use clap::builder::PossibleValuesParser;
use clauses::{Actor, Clause, ClauseId, Site, Standard, Testable};
use runner::{Plan, Selection};
use serde::Serialize;

use crate::failure::Failure;
use crate::suite::{Suite, count};
use crate::terminal;

const BOLD: Style = Style::new().bold();

/// Look up the register of normative statements, where the reference broker states them, and which scenario covers
/// what.
///
/// A scenario covers a clause when it cites it, in the version that the clause belongs to. The reference broker states a
/// clause where it obeys it: in its core, or in the codec by refusing what the clause forbids.
#[derive(Debug, Args)]
pub(crate) struct Clauses {
    /// All that is known of one clause, such as `v5.0/MQTT-3.3.1-9`.
    id: Option<String>,

    /// Only clauses of this standard.
    #[arg(long, value_parser = PossibleValuesParser::new(Standard::ALL.map(Standard::name)), conflicts_with = "id")]
    standard: Option<String>,

    /// Only clauses that oblige a server, that a client can see kept, and that no scenario covers.
    #[arg(long, conflicts_with = "id")]
    uncovered: bool,

    /// As JSON: a list of clauses with all that is known of them.
    #[arg(long)]
    json: bool,
}

/// Which scenarios cite a clause, by the case names without their axes, each with the number of its cases.
type Coverage = BTreeMap<ClauseId, BTreeMap<String, usize>>;

/// Where the reference broker states a clause, as paths of the repository with a line.
type Sites = BTreeMap<ClauseId, Vec<String>>;

impl Clauses {
    pub(crate) fn execute(&self) -> Result<u8, Failure> {
        let suite = Suite::load(&[])?;
        let coverage = coverage(&suite);
        let sites = sites();
        let mut out = anstream::stdout().lock();
        if let Some(id) = &self.id {
            let id = ClauseId::parse(id).map_err(|error| {
                let failure = Failure::of(&error);
                match error.suggestion {
                    Some(_) => failure,
                    None => failure.help("`mqtt-assay clauses` lists the register"),
                }
            })?;
            if self.json {
                json(&mut out, &Entry::new(id, &sites, &coverage))?;
            } else {
                tell_all(&mut out, id, &sites, &coverage)?;
            }
            return Ok(0);
        }
        let wanted: Vec<ClauseId> = clauses::all()
            .filter(|id| self.wants(*id, &coverage))
            .collect();
        if self.json {
            let entries: Vec<_> = wanted
                .iter()
                .map(|id| Entry::new(*id, &sites, &coverage))
                .collect();
            json(&mut out, &entries)?;
        } else {
            table(&mut out, &wanted, &coverage)?;
            counts(&mut out, &sites, &coverage)?;
        }
        Ok(0)
    }

    fn wants(&self, id: ClauseId, coverage: &Coverage) -> bool {
        let of_standard = self
            .standard
            .as_deref()
            .is_none_or(|name| name == id.standard().name());
        let uncovered = id.clause().binds_a_server() && !coverage.contains_key(&id);
        of_standard && (uncovered || !self.uncovered)
    }
}

fn coverage(suite: &Suite) -> Coverage {
    let plan = Plan::new(&suite.scenarios, &Selection::default());
    let mut coverage = Coverage::new();
    for case in plan.cases() {
        let name = case.name.split(['[', '@']).next().unwrap_or_default();
        for id in &case.clauses {
            *coverage
                .entry(*id)
                .or_default()
                .entry(name.to_owned())
                .or_default() += 1;
        }
    }
    coverage
}

fn table(out: &mut dyn Write, wanted: &[ClauseId], coverage: &Coverage) -> io::Result<()> {
    let dimmed = Style::new().dimmed();
    for id in wanted {
        let clause = id.clause();
        let mark = match (coverage.get(id), clause.binds_a_server()) {
            (Some(scenarios), _) => count(scenarios.len(), "scenario"),
            (None, true) => "no scenario".to_owned(),
            (None, false) => "not testable".to_owned(),
        };
        writeln!(
            out,
            "{BOLD}{id}{BOLD:#} {} {dimmed}({mark}){dimmed:#}",
            clause.keyword
        )?;
        writeln!(out, "{}", indented(clause.summary))?;
    }
    if !wanted.is_empty() {
        writeln!(out)?;
    }
    Ok(())
}

/// Where the reference broker states each clause.
fn sites() -> Sites {
    let place = |name: &str, site: Site| format!("crates/{name}/src/{}:{}", site.file, site.line);
    let broker = broker::sites().map(|site| (site.clause, place("broker", site)));
    let codec = codec::sites().map(|site| (site.clause, place("codec", site)));
    let mut sites = Sites::new();
    for (clause, place) in broker.chain(codec) {
        sites.entry(clause).or_default().push(place);
    }
    sites
}

/// What share of each standard is stated and covered.
fn counts(out: &mut dyn Write, sites: &Sites, coverage: &Coverage) -> io::Result<()> {
    writeln!(
        out,
        "{BOLD}{:<8}  {:>7}  {:>17}  {:>7}  {:>7}{BOLD:#}",
        "standard", "clauses", "testable on brokers", "stated", "covered"
    )?;
    for standard in Standard::ALL {
        let of_it = || clauses::all().filter(move |id| id.standard() == standard);
        let testable = of_it().filter(|id| id.clause().binds_a_server()).count();
        let stated = of_it()
            .filter(|id| id.clause().binds_a_server() && sites.contains_key(id))
            .count();
        let covered = of_it().filter(|id| coverage.contains_key(id)).count();
        writeln!(
            out,
            "{:<8}  {:>7}  {testable:>19}  {stated:>7}  {covered:>7}",
            standard.name(),
            of_it().count()
        )?;
    }
    Ok(())
}

fn tell_all(
    out: &mut dyn Write,
    id: ClauseId,
    sites: &Sites,
    coverage: &Coverage,
) -> io::Result<()> {
    let clause = id.clause();
    writeln!(out, "{BOLD}{id}{BOLD:#}: {}", clause.keyword)?;
    writeln!(out, "{}\n", indented(clause.summary))?;
    let mut line = |name: &str, text: &str| {
        let indent = " ".repeat(11);
        let options = textwrap::Options::new(terminal::width())
            .initial_indent("")
            .subsequent_indent(&indent);
        writeln!(
            out,
            "{}",
            textwrap::fill(&format!("{name:<9}  {text}"), options)
        )
    };
    line(
        "section",
        &format!("{} {}", clause.section, clause.section_title),
    )?;
    if let Some(packet) = clause.packet {
        line("packet", packet)?;
    }
    line("obliges", actor(clause.actor))?;
    line("seen by", seen_by(clause))?;
    if !clause.numbered {
        line(
            "number",
            "ours: the standard left the statement without one",
        )?;
    }
    if let Some(code) = clause.reason_code {
        line("reason", &format!("0x{code:02X} on a violation"))?;
    }
    if !clause.needs.is_empty() {
        line("needs", &clause.needs.join(", "))?;
    }
    if !clause.via.is_empty() {
        line("see also", &clause.via.join(", "))?;
    }
    if !clause.compare.is_empty() {
        line("in 3.1.1", &clause.compare.join(", "))?;
    }
    if clause.timing {
        line("timing", "a check has to wait")?;
    }
    if let Some(note) = clause.note {
        line("note", note)?;
    }
    if let Some(places) = sites.get(&id) {
        line("stated", &places.join(", "))?;
    }
    if let Some(reason) = broker::unstated(id) {
        line("unstated", reason)?;
    }
    writeln!(out)?;
    let Some(scenarios) = coverage.get(&id) else {
        let yellow = AnsiColor::Yellow.on_default();
        return writeln!(out, "{yellow}No scenario covers it.{yellow:#}");
    };
    writeln!(out, "Covered by {}:", count(scenarios.len(), "scenario"))?;
    for (name, cases) in scenarios {
        writeln!(out, "  {name}  ({})", count(*cases, "case"))?;
    }
    writeln!(out, "To play them: mqtt-assay run --filter {id}")
}

fn json(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

#[derive(Serialize)]
struct Entry {
    id: &'static str,
    standard: &'static str,
    section: &'static str,
    section_title: &'static str,
    keyword: &'static str,
    summary: &'static str,
    obliges: &'static str,
    testable_on_brokers: bool,
    needs: &'static [&'static str],
    reason_code: Option<u8>,
    note: Option<&'static str>,
    /// Where the reference broker states it.
    stated: Vec<String>,
    /// Why the reference broker states it nowhere, where a client could see it kept.
    unstated: Option<&'static str>,
    scenarios: Vec<String>,
}

impl Entry {
    fn new(id: ClauseId, sites: &Sites, coverage: &Coverage) -> Self {
        let clause = id.clause();
        Self {
            id: clause.name,
            standard: clause.standard.name(),
            section: clause.section,
            section_title: clause.section_title,
            keyword: clause.keyword.name(),
            summary: clause.summary,
            obliges: actor(clause.actor),
            testable_on_brokers: clause.binds_a_server(),
            needs: clause.needs,
            reason_code: clause.reason_code,
            note: clause.note,
            stated: sites.get(&id).cloned().unwrap_or_default(),
            unstated: broker::unstated(id),
            scenarios: coverage
                .get(&id)
                .map(|names| names.keys().cloned().collect())
                .unwrap_or_default(),
        }
    }
}

fn indented(text: &str) -> String {
    let options = textwrap::Options::new(terminal::width())
        .initial_indent("    ")
        .subsequent_indent("    ");
    textwrap::fill(text, options)
}

const fn actor(actor: Actor) -> &'static str {
    match actor {
        Actor::Server => "servers",
        Actor::Client => "clients",
        Actor::Both => "servers and clients",
        Actor::Gateway => "MQTT-SN gateways",
    }
}

fn seen_by(clause: &'static Clause) -> &'static str {
    match clause.testable {
        Testable::Server => "a client",
        Testable::Client => "a server",
        Testable::Both => "the other side, client or server",
        Testable::Gateway => "a client of the gateway",
        Testable::Unobservable => clause.reason.unwrap_or("nobody"),
    }
}
