//! Reads recipes from their files.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_yaml::Spanned;

use super::{Configuration, Find, Recipe, TemplateError, Values};
use crate::document::{Document, DocumentError, Entries, unknown};
use crate::launch::stand_ins;
use crate::link::Transport;
use crate::target::Declared;
use crate::target::declared::with_declarations;
use crate::target::profile::PLAIN;

const READY_WITHIN: &str = "10s";
const GRACE: &str = "5s";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRecipe {
    name: String,
    program: Vec<String>,
    version: Option<WrittenVersion>,
    install: String,
    run: Vec<Spanned<String>>,
    jobs: Option<usize>,
    ready_within: Option<Spanned<String>>,
    grace: Option<Spanned<String>>,
    #[serde(default)]
    files: Entries<Spanned<String>>,
    #[serde(default)]
    environment: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    set: BTreeMap<String, Spanned<String>>,
    configurations: Entries<WrittenConfiguration>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenVersion {
    run: Vec<String>,
    behind: String,
}

with_declarations! {
    struct WrittenConfiguration {
        #[serde(default)]
        transports: Vec<Spanned<String>>,
        websocket_path: Option<String>,
        #[serde(default)]
        arguments: Vec<Spanned<String>>,
        #[serde(default)]
        files: Entries<Spanned<String>>,
        #[serde(default)]
        prepare: Vec<Vec<Spanned<String>>>,
        #[serde(default)]
        environment: BTreeMap<String, Spanned<String>>,
        #[serde(default)]
        set: BTreeMap<String, Spanned<String>>,
    }
}

/// Reads a recipe.
pub(super) fn recipe(document: &Document) -> Result<Recipe, DocumentError> {
    let written: WrittenRecipe = document.parse()?;
    let ready_within = written.ready_within.as_ref();
    let ready_within = duration(document, ready_within, READY_WITHIN)?;
    let grace = duration(document, written.grace.as_ref(), GRACE)?;
    let mut configurations = Vec::new();
    for (name, configuration) in written.configurations.0 {
        let common = Common {
            files: &written.files,
            environment: &written.environment,
            set: &written.set,
        };
        let read = common.configuration(document, &name, configuration, &written.run)?;
        // Everything is played on the plain one that requires no other.
        if name.value == PLAIN {
            configurations.insert(0, read);
        } else {
            configurations.push(read);
        }
    }
    if configurations
        .first()
        .is_none_or(|first| first.name != PLAIN)
    {
        return Err(document.lacks(
            "there is no configuration `plain`; write `plain: {}` for the broker as it comes",
        ));
    }
    if written.program.is_empty() {
        return Err(document.lacks("`program` names none; write the names to look for"));
    }
    Ok(Recipe {
        name: written.name,
        find: Find {
            programs: written.program,
            version: written.version.map(|version| (version.run, version.behind)),
            install: written.install.trim().to_owned(),
        },
        run: written.run.into_iter().map(|word| word.value).collect(),
        jobs: written.jobs,
        ready_within,
        grace,
        configurations,
    })
}

/// What all configurations of a recipe begin with.
struct Common<'a> {
    files: &'a Entries<Spanned<String>>,
    environment: &'a BTreeMap<String, Spanned<String>>,
    set: &'a BTreeMap<String, Spanned<String>>,
}

impl Common<'_> {
    fn configuration(
        &self,
        document: &Document,
        name: &Spanned<String>,
        mut written: WrittenConfiguration,
        run: &[Spanned<String>],
    ) -> Result<Configuration, DocumentError> {
        let declarations = written.take_declarations();
        let declared = Declared::read(document, declarations, &mut |text| Ok(text.value.clone()))?;
        let mut transports = Vec::new();
        for transport in &written.transports {
            transports.push(read_transport(document, transport)?);
        }
        if transports.is_empty() {
            transports.push(Transport::Tcp);
        }
        let files = [&self.files.0[..], &written.files.0[..]].concat();
        let mut environment = self.environment.clone();
        environment.extend(written.environment);
        let mut set = self.set.clone();
        set.extend(written.set);

        // Everything is filled in once with stand-ins, so that a slip is told before anything is started.
        let mut values = stand_ins(&transports, declared.credentials.as_ref());
        for (name, value) in &declared.values {
            values.set(name, value.clone());
        }
        for (name, value) in &set {
            values.set(name, value.value.clone());
        }
        let templates = run
            .iter()
            .chain(&written.arguments)
            .chain(files.iter().map(|(_, text)| text))
            .chain(environment.values())
            .chain(set.values())
            .chain(written.prepare.iter().flatten());
        for template in templates {
            if let Err(error) = values.fill(&template.value) {
                let told = explain(&error, &values);
                return Err(document.wrong(
                    template,
                    format!("in the configuration `{}`, {told}", name.value),
                ));
            }
        }
        for (file, _) in &files {
            if file.value.contains(['/', '\\']) {
                return Err(document.wrong(
                    file,
                    "files stand in the instance's own folder; write a name without a folder",
                ));
            }
        }
        Ok(Configuration {
            name: name.value.clone(),
            declared,
            transports,
            websocket_path: written.websocket_path.unwrap_or_else(|| "/mqtt".to_owned()),
            arguments: written
                .arguments
                .into_iter()
                .map(|word| word.value)
                .collect(),
            files: files
                .into_iter()
                .map(|(name, text)| (name.value, text.value))
                .collect(),
            prepare: written
                .prepare
                .into_iter()
                .map(|command| command.into_iter().map(|word| word.value).collect())
                .collect(),
            environment: plain(environment),
            set: plain(set),
        })
    }
}

fn plain(spanned: BTreeMap<String, Spanned<String>>) -> BTreeMap<String, String> {
    let pairs = spanned.into_iter();
    pairs.map(|(name, value)| (name, value.value)).collect()
}

fn read_transport(
    document: &Document,
    written: &Spanned<String>,
) -> Result<Transport, DocumentError> {
    match written.value.parse() {
        Ok(transport) if transport != Transport::Memory => Ok(transport),
        _ => {
            let names = Transport::OF_NETWORKS.map(Transport::name);
            Err(document.wrong(written, unknown("transport", &written.value, names)))
        }
    }
}

fn explain(error: &TemplateError, values: &Values) -> String {
    match error {
        TemplateError::Unknown(name) => {
            let told = unknown("name", name, values.names());
            told.replacen("unknown name", "nothing stands behind the name", 1)
        }
        other => other.to_string(),
    }
}

fn duration(
    document: &Document,
    written: Option<&Spanned<String>>,
    otherwise: &str,
) -> Result<std::time::Duration, DocumentError> {
    let text = written.map_or(otherwise, |written| written.value.as_str());
    match (scenario::duration(text), written) {
        (Some(duration), _) => Ok(duration),
        (None, Some(written)) => Err(document.wrong(
            written,
            format!("`{text}` is no duration; write it such as 500ms, 10s or 1m"),
        )),
        (None, None) => Ok(std::time::Duration::ZERO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPE: &str = "\
name: Ours
program: [ours]
install: build it first
run: ['{{folder}}/ours.conf']
files: { ours.conf: 'port {{tcp.port}} {{more}}' }
set: { more: '' }
configurations:
  acl: { refused_topic: secret/x, set: { more: 'deny {{refused_topic}}' } }
  plain: {}
";

    fn told(text: &str) -> String {
        let read = recipe(&Document::of("ours.yaml", text));
        read.map_or_else(|error| error.to_string(), |_| "nothing".into())
    }

    #[test]
    fn the_plain_configuration_comes_first() {
        let recipe = recipe(&Document::of("ours.yaml", RECIPE)).unwrap();
        let names = recipe.configurations.iter();
        let names: Vec<_> = names.map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["plain", "acl"]);
        assert!(recipe.configurations[1].declared.offers("authz"));
    }

    #[test]
    fn slips_are_told_with_their_place_before_anything_is_started() {
        assert_eq!(
            told(&RECIPE.replace("{{tcp.port}}", "{{tcp.prot}}")),
            "ours.yaml:5:21: in the configuration `acl`, nothing stands behind the name `tcp.prot`; did you mean `tcp.port`?"
        );
        assert_eq!(
            told(&RECIPE.replace("plain: {}", "plian: {}")),
            "ours.yaml:1:1: there is no configuration `plain`; write `plain: {}` for the broker as it comes"
        );
        assert_eq!(
            told(&RECIPE.replace("plain: {}", "plain: { transports: [tpc] }")),
            "ours.yaml:9:25: unknown transport `tpc`; did you mean `tcp`?"
        );
        assert_eq!(
            told(&RECIPE.replace("program:", "grace: soon\nprogram:")),
            "ours.yaml:2:8: `soon` is no duration; write it such as 500ms, 10s or 1m"
        );
    }
}
