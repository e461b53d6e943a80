//! The committed table equals the register's YAML.
//!
//! `WRITE_TABLE=1 cargo test -p mqtt-assay-clauses --test table` renders it anew.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use serde::Deserialize;

/// One statement as the YAML has it. Unknown keys are refused, so that nothing is lost in silence.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: String,
    version: String,
    #[serde(default)]
    id_origin: Option<String>,
    section: String,
    section_title: String,
    #[serde(default)]
    packet: Option<String>,
    actor: String,
    keyword: String,
    #[serde(default, rename = "keywords")]
    _keywords: Vec<String>,
    #[serde(default, rename = "keyword_implied")]
    _keyword_implied: bool,
    summary: String,
    testable: String,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    via: Vec<String>,
    #[serde(default)]
    needs: Vec<String>,
    #[serde(default)]
    timing: bool,
    #[serde(default)]
    reason_code: Option<String>,
    #[serde(default, rename = "compare_3.1.1")]
    compare: Vec<String>,
    #[serde(default)]
    note: Option<String>,
    #[serde(default, rename = "printed_in_body_as")]
    _printed_in_body_as: Option<String>,
}

impl Entry {
    fn name(&self) -> String {
        let standard = if self.version.starts_with("sn") {
            ""
        } else {
            "v"
        };
        format!("{standard}{}/{}", self.version, self.id)
    }
}

const FILES: [(&str, usize); 6] = [
    ("mqtt-3.1.1.yaml", 141),
    ("mqtt-3.1.1-unnumbered.yaml", 17),
    ("mqtt-5.0.yaml", 251),
    ("mqtt-5.0-unnumbered.yaml", 104),
    ("mqtt-3.1.yaml", 54),
    ("mqtt-sn-1.2.yaml", 97),
];

fn entries() -> Vec<Entry> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("register");
    let mut entries: Vec<Entry> = Vec::new();
    for (file, count) in FILES {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        let statements: Vec<Entry> =
            serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(statements.len(), count, "statements in {file}");
        entries.extend(statements);
    }
    entries.sort_by_key(Entry::name);
    entries
}

fn render(entries: &[Entry]) -> String {
    let mut table = String::from(
        "//! The register as a table, rendered from `register/*.yaml` and sorted by name.\n\
         //! `tests/table.rs` writes this file and keeps it equal to its source.\n\n\
         use crate::statement::{Actor, Clause, Keyword, Standard, Testable};\n\n\
         #[rustfmt::skip]\n\
         pub(crate) static CLAUSES: &[Clause] = &[\n",
    );
    for entry in entries {
        let keyword = match entry.keyword.as_str() {
            "MUST" => "Must",
            "MUST NOT" => "MustNot",
            "SHOULD" => "Should",
            "SHOULD NOT" => "ShouldNot",
            "MAY" => "May",
            "STATED" => "Stated",
            "ERROR" => "Error",
            other => panic!("keyword {other}"),
        };
        let standard = match entry.version.as_str() {
            "3.1" => "V3_1",
            "3.1.1" => "V3_1_1",
            "5.0" => "V5_0",
            "sn-1.2" => "Sn1_2",
            other => panic!("version {other}"),
        };
        let reason_code = entry.reason_code.as_ref().map(|code| {
            u8::from_str_radix(code.trim_start_matches("0x"), 16).expect("a hexadecimal byte")
        });
        writeln!(
            table,
            "    Clause {{ name: {:?}, number: {:?}, standard: Standard::{standard}, numbered: {:?}, \
             section: {:?}, section_title: {:?}, packet: {:?}, actor: Actor::{}, keyword: Keyword::{keyword}, \
             summary: {:?}, testable: Testable::{}, reason: {:?}, via: &{:?}, needs: &{:?}, timing: {:?}, \
             reason_code: {}, compare: &{:?}, note: {:?} }},",
            entry.name(),
            entry.id,
            entry.id_origin.is_none(),
            entry.section,
            entry.section_title,
            entry.packet,
            capital(&entry.actor),
            entry.summary,
            capital(&entry.testable),
            entry.reason,
            entry.via,
            entry.needs,
            entry.timing,
            reason_code.map_or_else(|| "None".to_owned(), |code| format!("Some(0x{code:02x})")),
            entry.compare,
            entry.note,
        )
        .unwrap();
    }
    table.push_str("];\n");
    table
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

#[test]
fn the_table_equals_the_register() {
    let rendered = render(&entries());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/table.rs");
    if env::var_os("WRITE_TABLE").is_some() {
        fs::write(&path, &rendered).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    assert!(
        committed == rendered,
        "src/table.rs differs from register/*.yaml; run this test with WRITE_TABLE=1"
    );
}

#[test]
fn the_counts_are_those_of_the_standards() {
    use clauses::Standard::{Sn1_2, V3_1, V3_1_1, V5_0};
    let count = |standard, numbered| {
        clauses::all()
            .filter(|id| id.standard() == standard && id.clause().numbered == numbered)
            .count()
    };
    assert_eq!((count(V3_1_1, true), count(V3_1_1, false)), (141, 17));
    assert_eq!((count(V5_0, true), count(V5_0, false)), (251, 104));
    assert_eq!((count(V3_1, false), count(Sn1_2, false)), (54, 97));
}

#[test]
fn a_server_can_be_tested_on_the_known_number_of_statements() {
    let count = |standard| {
        clauses::all()
            .filter(|id| id.standard() == standard)
            .filter(|id| id.clause().numbered && id.clause().binds_a_server())
            .count()
    };
    assert_eq!(count(clauses::Standard::V3_1_1), 126);
    assert_eq!(count(clauses::Standard::V5_0), 237);
}

#[test]
fn what_a_clause_refers_to_exists() {
    for id in clauses::all() {
        let clause = id.clause();
        for number in clause.via {
            let name = format!("{}/{number}", clause.standard);
            assert!(clauses::ClauseId::parse(&name).is_ok(), "{id} via {name}");
        }
        for number in clause.compare {
            let name = format!("v3.1.1/{number}");
            assert!(
                clauses::ClauseId::parse(&name).is_ok(),
                "{id} compares {name}"
            );
        }
    }
}
