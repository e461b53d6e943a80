//! The top level of a scenario: `title, clauses, why, requires, versions, each, clients, control, steps, alone`.

use clauses::{ClauseId, Standard};
use codec::Version;

use super::values::{self, Side};
use super::{Context, RESERVED, blocks, each, steps};
use crate::ast::{Client, Fields, Row, Scenario};
use crate::diagnostic::{self, Diagnostic};
use crate::expression;
use crate::feature::{FEATURES, feature};
use crate::node::{Entry, Kind, Node, Scalar};
use crate::source::Spanned;
use crate::vocabulary;

/// The keys of the top level, in the order in which they are written.
pub(crate) const KEYS: [&str; 10] = [
    "title", "clauses", "why", "requires", "versions", "each", "alone", "clients", "control",
    "steps",
];

/// Reads a whole scenario.
pub(super) fn scenario(cx: &mut Context<'_>, root: &Node) -> Option<Scenario> {
    let Kind::Map { entries, .. } = &root.kind else {
        cx.report(
            Diagnostic::error(
                root.span,
                format!("a scenario is a map, and here is {}", root.noun()),
            )
            .help("it has at least `title`, `clauses` and `steps`"),
        );
        return None;
    };
    for Entry { key, .. } in entries {
        let name = key.value.text.as_str();
        if !KEYS.contains(&name) {
            cx.report(
                Diagnostic::error(key.span, format!("a scenario has no key `{name}`"))
                    .suggest(name, KEYS),
            );
        }
    }
    let find = |name: &str| {
        entries
            .iter()
            .find(|entry| entry.key.value.text == name)
            .map(|entry| &entry.value)
    };
    let misspelt = |name: &str| {
        let keys = entries.iter().map(|entry| entry.key.value.text.as_str());
        let mut unknown = keys.filter(|key| !KEYS.contains(key));
        unknown.any(|key| diagnostic::nearest(key, KEYS) == Some(name))
    };
    for name in ["title", "clauses", "steps"] {
        if find(name).is_none() && !misspelt(name) {
            cx.report(Diagnostic::error(
                root.span,
                format!("the scenario has no `{name}`"),
            ));
        }
    }
    let title = find("title").and_then(|node| cx.text(node, "title"));
    let why = find("why").and_then(|node| cx.text(node, "why"));
    let clauses = find("clauses").map_or_else(Vec::new, |node| clauses_of(cx, node));
    let requires = find("requires").map_or_else(Vec::new, |node| features(cx, node));
    let each = match find("each") {
        Some(node) => each::rows(cx, node),
        None => vec![Row::default()],
    };
    let versions = match find("versions") {
        Some(node) => named_versions(cx, node),
        None => versions_of(&clauses, &each),
    };
    let alone = find("alone").is_some_and(|node| flag(cx, node, "alone"));
    let clients = find("clients").map_or_else(Vec::new, |node| clients(cx, node));
    let control = find("control").map(|node| steps::list(cx, node, "control"));
    let steps = find("steps").map_or_else(Vec::new, |node| steps::list(cx, node, "steps"));
    Some(Scenario {
        source: cx.source(),
        title: title?,
        why,
        clauses,
        requires,
        versions,
        each,
        clients,
        control,
        steps,
        alone,
    })
}

/// Clause ids, checked against the register.
pub(super) fn clauses_of(cx: &mut Context<'_>, node: &Node) -> Vec<Spanned<ClauseId>> {
    let mut found: Vec<Spanned<ClauseId>> = Vec::new();
    for name in cx.texts(node, "clauses") {
        if cx.is_full() {
            break;
        }
        if name.value.contains('<') {
            cx.report(
                Diagnostic::error(name.span, "no variables in clause lists")
                    .help("give the rows of `each` clauses of their own"),
            );
            continue;
        }
        match ClauseId::parse(&name.value) {
            Err(unknown) => {
                let fault = Diagnostic::error(
                    name.span,
                    format!("the register has no clause `{}`", unknown.name),
                );
                cx.report(match unknown.suggestion {
                    Some(near) => fault.help(format!("did you mean `{near}`?")),
                    None => fault.help("`mqtt-assay clauses` lists them"),
                });
            }
            Ok(id) if id.standard() == Standard::Sn1_2 => cx.report(Diagnostic::error(
                name.span,
                "a clause of MQTT-SN, which scenarios do not speak",
            )),
            Ok(id) if found.iter().any(|other| other.value == id) => {
                cx.report(Diagnostic::error(
                    name.span,
                    format!("`{id}` is listed twice"),
                ));
            }
            Ok(id) => found.push(Spanned::new(id, name.span)),
        }
    }
    found
}

/// Names of features, checked against their table.
pub(super) fn features(cx: &mut Context<'_>, node: &Node) -> Vec<Spanned<String>> {
    let names = cx.texts(node, "requires");
    for name in &names {
        if !cx.is_full() && feature(&name.value).is_none() {
            cx.report(
                Diagnostic::error(name.span, format!("there is no feature `{}`", name.value))
                    .suggest(&name.value, FEATURES.iter().map(|feature| feature.name)),
            );
        }
    }
    names
}

fn named_versions(cx: &mut Context<'_>, node: &Node) -> Vec<Version> {
    let mut versions = Vec::new();
    for name in cx.texts(node, "versions") {
        match blocks::version(&name.value, name.span) {
            Ok(version) => versions.push(version),
            Err(fault) => cx.report(fault),
        }
    }
    versions.sort();
    versions.dedup();
    versions
}

/// The versions that clauses belong to.
fn versions_of(clauses: &[Spanned<ClauseId>], each: &[Row]) -> Vec<Version> {
    let all = clauses
        .iter()
        .chain(each.iter().flat_map(|row| &row.clauses));
    let standards: Vec<Standard> = all.map(|clause| clause.value.standard()).collect();
    Version::ALL
        .into_iter()
        .filter(|version| standards.contains(&version.standard()))
        .collect()
}

fn flag(cx: &mut Context<'_>, node: &Node, field: &str) -> bool {
    match node.text().map(|text| text.value.text.as_str()) {
        Some("true") => true,
        Some("false") => false,
        _ => {
            cx.report(Diagnostic::error(
                node.span,
                format!("`{field}` is `true` or `false`"),
            ));
            false
        }
    }
}

fn clients(cx: &mut Context<'_>, node: &Node) -> Vec<Client> {
    let Kind::List { items, .. } = &node.kind else {
        cx.report(
            Diagnostic::error(
                node.span,
                format!("`clients` is a list, and here is {}", node.noun()),
            )
            .help("write `clients: [a, b: { clean: false }]`"),
        );
        return Vec::new();
    };
    let mut clients: Vec<Client> = Vec::new();
    for item in items {
        let Some(client) = client(cx, item) else {
            continue;
        };
        if let Some(first) = clients
            .iter()
            .find(|other| other.name.value == client.name.value)
        {
            cx.report(
                Diagnostic::error(
                    client.name.span,
                    format!("there are two clients `{}`", client.name.value),
                )
                .and(first.name.span, "first here"),
            );
        }
        clients.push(client);
    }
    clients
}

fn client(cx: &mut Context<'_>, item: &Node) -> Option<Client> {
    match &item.kind {
        Kind::Scalar(name) => Some(Client {
            name: client_name(cx, &Spanned::new(name.clone(), item.span))?,
            options: Fields::default(),
        }),
        Kind::Map { entries, .. } if entries.len() == 1 => {
            let Entry { key, value } = &entries[0];
            let name = client_name(cx, key)?;
            let Kind::Map { entries, .. } = &value.kind else {
                cx.report(Diagnostic::error(
                    value.span,
                    format!(
                        "the options of `{}` are a map, and here is {}",
                        name.value,
                        value.noun()
                    ),
                ));
                return None;
            };
            let options =
                values::fields(cx, entries, &vocabulary::client(), Side::Sent, "a client");
            Some(Client { name, options })
        }
        _ => {
            cx.report(
                Diagnostic::error(item.span, "a client is a name, or a name with options")
                    .help("write `a` or `a: { clean: false }`"),
            );
            None
        }
    }
}

fn client_name(cx: &mut Context<'_>, name: &Spanned<Scalar>) -> Option<Spanned<String>> {
    let text = name.value.text.as_str();
    let fault = if RESERVED.contains(&text) {
        Diagnostic::error(name.span, format!("`{text}` cannot name a client"))
            .note("the word begins a step of another kind")
    } else if expression::is_name(text) {
        return Some(Spanned::new(text.to_owned(), name.span));
    } else {
        Diagnostic::error(name.span, format!("`{text}` is no name"))
            .help("a name is a letter, then letters, digits and `_`")
    };
    cx.report(fault);
    None
}
