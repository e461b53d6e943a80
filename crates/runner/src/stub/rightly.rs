//! [`Rightly`]: the cases that pass on a stub and should, each with what the stub does that the clause asks for.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::Stub;
use crate::plan::Filter;

static LISTS: LazyLock<BTreeMap<String, Vec<Rightly>>> = LazyLock::new(|| {
    let lists: BTreeMap<String, Vec<Written>> =
        serde_yaml::from_str(include_str!("rightly_passing.yaml")).unwrap_or_default();
    let entry = |Written { case, reason }| Rightly {
        // Cases stand there without their transport.
        cases: Filter::new(&format!("{case}*")),
        reason,
    };
    let lists = lists.into_iter();
    lists
        .map(|(stub, list)| (stub, list.into_iter().map(entry).collect()))
        .collect()
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    case: String,
    reason: String,
}

/// Cases that pass on a stub and should.
#[derive(Debug, Clone)]
pub struct Rightly {
    /// Which cases.
    pub cases: Filter,
    /// What the stub does that the clause asks for.
    pub reason: String,
}

impl Stub {
    /// What passes on it and should.
    pub fn rightly_passing(self) -> &'static [Rightly] {
        LISTS.get(self.name()).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stub_has_its_list() {
        let names: Vec<_> = LISTS.keys().map(String::as_str).collect();
        let mut stubs = Stub::ALL.map(Stub::name);
        stubs.sort_unstable();
        assert_eq!(names, stubs);
        let all = LISTS.values().flatten();
        assert!(all.clone().count() > 10);
        assert!(all.clone().all(|rightly| !rightly.reason.is_empty()));
    }
}
