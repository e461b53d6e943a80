//! [`Plan`]: which cases are played.

use std::collections::BTreeSet;
use std::sync::Arc;

use clauses::ClauseId;
use codec::Version;
use scenario::{Case, Scenario, expand};
use wildmatch::WildMatch;

use crate::event::{CaseInfo, RunInfo};
use crate::link::{Axes, Transport, Way};
use crate::partition::{Part, share_out};
use crate::place::Place;

/// Which of the cases are wanted. What is left empty lets everything through.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Cases whose name fits one of these.
    pub filters: Vec<Filter>,
    /// Cases in one of these versions.
    pub versions: Vec<Version>,
    /// Cases of one of these chapters.
    pub chapters: Vec<String>,
    /// Cases that speak for one of these clauses.
    pub clauses: Vec<ClauseId>,
    /// Cases that play what stands at one of these places.
    pub places: Vec<Place>,
    /// The ways that each of them is played.
    pub axes: Axes,
    /// Whether the scenarios are the whole suite, so that a baseline entry that fits no case is stale.
    pub whole_suite: bool,
}

/// A pattern that case names are compared with.
///
/// With `*` (any text) or `?` (any character) in it, it must fit the whole name, else be a part of it.
#[derive(Debug, Clone)]
pub struct Filter {
    written: String,
    pattern: WildMatch,
}

/// The cases that are to be played.
#[derive(Debug, Clone)]
pub struct Plan {
    cases: Vec<Arc<Case>>,
    /// Cases of the suite that are played by another run: in another part, or in a later edition.
    elsewhere: Vec<Arc<Case>>,
    ways: Vec<Way>,
    whole_suite: bool,
    edition: Option<String>,
    part: Option<Part>,
    cases_of_all_parts: usize,
}

impl Filter {
    /// The filter that people write like this.
    pub fn new(written: &str) -> Self {
        let pattern = if written.contains(['*', '?']) {
            WildMatch::new(written)
        } else {
            WildMatch::new(&format!("*{written}*"))
        };
        Self {
            written: written.to_owned(),
            pattern,
        }
    }

    /// The filter as people wrote it.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether a case name fits.
    pub fn matches(&self, case_name: &str) -> bool {
        self.pattern.matches(case_name)
    }
}

impl Plan {
    /// The cases of these scenarios that are wanted, in the scenarios' order, each in every way that is wanted.
    pub fn new(scenarios: &[Arc<Scenario>], selection: &Selection) -> Self {
        let cases: Vec<_> = scenarios.iter().flat_map(expand).map(Arc::new).collect();
        let all = cases.len();
        let wanted: Vec<_> = cases
            .into_iter()
            .filter(|case| selection.wants(case))
            .collect();
        let whole_suite = selection.whole_suite && wanted.len() == all;
        Self {
            whole_suite,
            ways: selection.axes.ways(),
            ..Self::of(wanted)
        }
    }

    /// The same cases as those of an edition; `later` are the scenarios of the suite that came after it.
    #[must_use]
    pub fn of_edition(mut self, name: &str, later: &[Arc<Scenario>]) -> Self {
        self.edition = Some(name.to_owned());
        self.elsewhere
            .extend(later.iter().flat_map(expand).map(Arc::new));
        self
    }

    /// Only the cases of this part.
    #[must_use]
    pub fn part(mut self, part: Part) -> Self {
        let (mine, others) = share_out(std::mem::take(&mut self.cases), part);
        self.cases = mine;
        self.elsewhere.extend(others);
        self.part = Some(part);
        self
    }

    /// Just these cases, in the usual way.
    pub(crate) fn of(cases: Vec<Arc<Case>>) -> Self {
        Self {
            cases_of_all_parts: cases.len(),
            cases,
            elsewhere: Vec::new(),
            ways: vec![Way::default()],
            whole_suite: false,
            edition: None,
            part: None,
        }
    }

    /// What is told of a run of it at this target.
    pub(crate) fn run_info(&self, target: &str) -> RunInfo {
        RunInfo {
            edition: self.edition.clone(),
            part: self.part,
            cases_of_all_parts: self.cases_of_all_parts * self.ways.len(),
            ..RunInfo::new(target, self.len())
        }
    }

    /// The names of all cases of the suite, those that other runs play included, as this run would name them; `infos` are
    /// those of its own.
    pub(crate) fn names_of_the_suite(&self, infos: &[Arc<CaseInfo>]) -> Vec<String> {
        let suffixes: BTreeSet<&str> = infos
            .iter()
            .filter_map(|info| info.name.rsplit_once('/'))
            .map(|(_, way)| way)
            .collect();
        let own = infos.iter().map(|info| info.name.clone());
        let others = self.elsewhere.iter().flat_map(|case| {
            let named = |suffix| format!("{}/{suffix}", case.name);
            suffixes.iter().map(named)
        });
        own.chain(others).collect()
    }

    /// The cases, each once.
    pub fn cases(&self) -> &[Arc<Case>] {
        &self.cases
    }

    /// The cases, each in every way it is played.
    pub fn played(&self) -> impl Iterator<Item = (&Arc<Case>, Way)> {
        let of = |way: Way| self.cases.iter().map(move |case| (case, way));
        self.ways.iter().copied().flat_map(of)
    }

    /// The transports that are asked for, each once.
    pub(crate) fn transports(&self) -> BTreeSet<Transport> {
        self.ways.iter().filter_map(|way| way.transport).collect()
    }

    /// How many cases there are, each counted in every way it is played.
    pub fn len(&self) -> usize {
        self.cases.len() * self.ways.len()
    }

    /// Whether nothing is to be played.
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    /// What is told of each case, on a target that is usually played over this transport.
    pub(crate) fn infos(&self, usual: Transport) -> Vec<Arc<CaseInfo>> {
        self.played()
            .map(|(case, way)| {
                Arc::new(CaseInfo {
                    name: format!("{}/{}", case.name, way.suffix(usual)),
                    chapter: chapter(&case.name).to_owned(),
                    title: case.scenario.title.value.clone(),
                    source: Arc::clone(&case.scenario.source),
                    version: case.version,
                    clauses: case.clauses.clone(),
                })
            })
            .collect()
    }

    /// Whether nothing of the suite was left out but what other runs play.
    pub fn is_whole_suite(&self) -> bool {
        self.whole_suite
    }
}

impl Selection {
    fn wants(&self, case: &Case) -> bool {
        fn any<T>(wanted: &[T], fits: impl Fn(&T) -> bool) -> bool {
            wanted.is_empty() || wanted.iter().any(fits)
        }
        any(&self.filters, |filter| filter.matches(&case.name))
            && any(&self.versions, |version| *version == case.version)
            && any(&self.chapters, |wanted| wanted == chapter(&case.name))
            && any(&self.clauses, |clause| case.clauses.contains(clause))
            && any(&self.places, |place| place.is_played_by(case))
    }
}

/// The chapter of a case: what stands before the first slash of its name.
pub(crate) fn chapter(case_name: &str) -> &str {
    case_name.split_once('/').map_or("", |(chapter, _)| chapter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_a_part_of_the_name_or_fits_all_of_it() {
        let name = "retain/kept[qos=1]@v5.0";
        let fits = |written: &str| Filter::new(written).matches(name);
        assert!(fits("kept"));
        assert!(fits("kept[qos=1]"));
        assert!(fits("retain/*@v5.0"));
        assert!(fits("retain/kept[qos=?]*"));
        assert!(!fits("kept*"));
        assert!(!fits("qos=2"));
    }

    #[test]
    fn a_chapter_is_the_folder() {
        assert_eq!(chapter("retain/kept@v5.0"), "retain");
        assert_eq!(chapter("kept@v5.0"), "");
    }
}
