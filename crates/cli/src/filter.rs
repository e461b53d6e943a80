//! `--filter` and `--versions`: which cases are meant.

use std::collections::BTreeSet;

use clap::Args;
use clauses::ClauseId;
use codec::Version;
use runner::link::{Axes, Way};
use runner::{Filter, Place, Plan, Selection};

use crate::edition::Edition;
use crate::failure::Failure;
use crate::suite::Suite;

/// Which cases are meant.
#[derive(Debug, Clone, Args)]
pub(crate) struct Which {
    /// Only cases whose name has this in it, of a chapter (`retain/`), that speak for a clause (`v5.0/MQTT-3.12.4-1`), or
    /// that play a line (`retain/kept.yaml:12`); `*` and `?` make it a pattern for the whole name. Given several times:
    /// cases that fit one of the names, one of the chapters, one of the clauses and one of the lines.
    #[arg(long, value_name = "TEXT", help_heading = "Which cases")]
    filter: Vec<String>,

    /// Only cases in these versions of MQTT, such as `v3.1.1,v5.0`.
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        help_heading = "Which cases"
    )]
    versions: Vec<Version>,

    /// Which edition of the suite: `2026.1` demands what it did in 2026, `latest` also what no edition has yet.
    #[arg(long, value_name = "EDITION", help_heading = "Which cases")]
    edition: Option<Edition>,
}

impl Which {
    /// The same, with a project's filters, versions and edition where the command line gives none.
    pub(crate) fn or(
        &self,
        filters: &[String],
        versions: &[Version],
        edition: Option<Edition>,
    ) -> Self {
        fn either<T: Clone>(mine: &[T], otherwise: &[T]) -> Vec<T> {
            if mine.is_empty() { otherwise } else { mine }.to_vec()
        }
        Self {
            filter: either(&self.filter, filters),
            versions: either(&self.versions, versions),
            edition: self.edition.or(edition),
        }
    }

    /// Only this case of them.
    pub(crate) fn and(mut self, case: &str) -> Self {
        self.filter.push(case.to_owned());
        self
    }

    /// The edition that was asked for.
    pub(crate) fn edition(&self) -> Option<Edition> {
        self.edition
    }

    /// The cases that are meant: of the newest edition, unless another is asked for, in the usual way.
    ///
    /// # Errors
    ///
    /// A clause that the register does not hold, or no case at all: playing nothing proves nothing.
    pub(crate) fn plan(&self, suite: &Suite) -> Result<Plan, Failure> {
        self.plan_in(suite, Axes::default())
    }

    /// The same, in the ways that these axes make.
    ///
    /// # Errors
    ///
    /// As for [`Self::plan`].
    pub(crate) fn plan_in(&self, suite: &Suite, axes: Axes) -> Result<Plan, Failure> {
        self.plan_of(suite, axes, self.edition.or_else(|| suite.stable()))
    }

    /// The cases that are meant, of whatever edition, unless one is asked for.
    ///
    /// # Errors
    ///
    /// As for [`Self::plan`].
    pub(crate) fn plan_of_any_edition(&self, suite: &Suite) -> Result<Plan, Failure> {
        self.plan_of(suite, Axes::default(), self.edition)
    }

    fn plan_of(
        &self,
        suite: &Suite,
        axes: Axes,
        edition: Option<Edition>,
    ) -> Result<Plan, Failure> {
        let selection = Selection {
            axes,
            ..self.selection(suite)?
        };
        let Some(edition) = edition else {
            let plan = Plan::new(&suite.scenarios, &selection);
            return if plan.is_empty() {
                Err(self.nothing(suite))
            } else {
                Ok(plan)
            };
        };
        let (demanded, later) = suite.divide(edition)?;
        let plan = Plan::new(&demanded, &selection);
        if !plan.is_empty() {
            return Ok(plan.of_edition(&edition.to_string(), &later));
        }
        let failure = self.nothing(suite);
        if Plan::new(&later, &selection).is_empty() {
            return Err(failure);
        }
        Err(failure
            .note(format!("edition {edition} does not demand it yet"))
            .help("`--edition latest` plays what came later too"))
    }

    fn selection(&self, suite: &Suite) -> Result<Selection, Failure> {
        let mut selection = Selection {
            versions: self.versions.clone(),
            whole_suite: suite.whole,
            ..Selection::default()
        };
        for text in &self.filter {
            if is_clause(text) {
                let clause = ClauseId::parse(text).map_err(|error| Failure::of(&error))?;
                selection.clauses.push(clause);
            } else if let Ok(place) = text.parse::<Place>() {
                is_there(&place, suite)?;
                selection.places.push(place);
            } else if let Some(chapter) = text.strip_suffix('/')
                && suite.has_chapter(chapter)
            {
                selection.chapters.push(chapter.to_owned());
            } else {
                selection.filters.push(Filter::new(without_way(text)));
            }
        }
        Ok(selection)
    }

    fn nothing(&self, suite: &Suite) -> Failure {
        // One of each kind has to fit.
        let kinds = self.filter.iter().map(|text| kind(text, suite));
        let kinds: BTreeSet<usize> = kinds.collect();
        let wanted: Vec<String> = kinds
            .into_iter()
            .map(|wanted| {
                let texts = self
                    .filter
                    .iter()
                    .filter(|text| kind(text, suite) == wanted);
                let texts: Vec<String> = texts.map(|text| format!("`{text}`")).collect();
                texts.join(" or ")
            })
            .collect();
        let versions: Vec<&str> = self.versions.iter().map(|version| version.name()).collect();
        let what = match (wanted.is_empty(), versions.is_empty()) {
            (true, _) => format!("no case in {}", versions.join(" or ")),
            (false, true) => format!("no case fits {}", wanted.join(" and ")),
            (false, false) => format!(
                "no case in {} fits {}",
                versions.join(" or "),
                wanted.join(" and ")
            ),
        };
        let failure = Failure::new(what).note("nothing was played");
        match self.nearest(suite) {
            Some(near) => failure.help(format!("did you mean `{near}`?")),
            None => failure.help("`mqtt-assay list` lists the cases"),
        }
    }

    /// The chapter or scenario whose name is nearest to a filter.
    fn nearest(&self, suite: &Suite) -> Option<String> {
        let all = Plan::new(&suite.scenarios, &Selection::default());
        let names = all.cases().iter().flat_map(|case| {
            let name = case.name.split(['[', '@']).next().unwrap_or_default();
            let (chapter, file) = name.split_once('/').unwrap_or(("", name));
            [name.to_owned(), chapter.to_owned(), file.to_owned()]
        });
        let names: Vec<String> = names.collect();
        let misspelt = self.filter.iter().filter(|text| kind(text, suite) == NAME);
        let distances = misspelt.flat_map(|text| {
            names
                .iter()
                .map(move |name| (strsim::damerau_levenshtein(text, name), name))
        });
        let near = distances.filter(|(distance, _)| *distance <= 3).min()?;
        Some(near.1.clone())
    }
}

/// The kind of a filter that is a name, or a part of one.
const NAME: usize = 0;

/// What kind of thing a filter names: a case, a chapter, a line or a clause.
fn kind(text: &str, suite: &Suite) -> usize {
    if is_clause(text) {
        3
    } else if text.parse::<Place>().is_ok() {
        2
    } else if text
        .strip_suffix('/')
        .is_some_and(|chapter| suite.has_chapter(chapter))
    {
        1
    } else {
        NAME
    }
}

/// Makes sure that there is such a line.
fn is_there(place: &Place, suite: &Suite) -> Result<(), Failure> {
    let mut files = suite
        .scenarios
        .iter()
        .map(|scenario| &scenario.source)
        .filter(|source| place.is_of(source));
    let Some(file) = files.next() else {
        return Err(Failure::new(format!("no scenario is in `{}`", place.file))
            .note("nothing was played")
            .help("`mqtt-assay list` lists the files"));
    };
    let lines = file.text.lines().count();
    if place.line > lines {
        return Err(Failure::new(format!(
            "`{}` has {lines} lines, and no line {}",
            file.name, place.line
        ))
        .note("nothing was played"));
    }
    Ok(())
}

/// The name of a case as plans know it: reports write the way behind it, and what they print can be pasted here.
fn without_way(text: &str) -> &str {
    match text.rsplit_once('/') {
        Some((name, way)) if name.contains('@') && Way::is_suffix(way) => name,
        _ => text,
    }
}

/// Whether a text is meant as a clause: it begins as the clauses of a standard do.
fn is_clause(text: &str) -> bool {
    clauses::Standard::ALL.iter().any(|standard| {
        text.strip_prefix(standard.name()).is_some_and(|rest| {
            ["/MQTT-", "/U", "/V31-"]
                .iter()
                .any(|start| rest.starts_with(start))
        })
    })
}
