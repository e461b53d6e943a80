//! [`Site`]: where a source states a clause.

use crate::ClauseId;

/// A place in the sources of a crate that states a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Site {
    /// The clause.
    pub clause: ClauseId,
    /// The file, below the crate's `src`.
    pub file: &'static str,
    /// The line, from 1.
    pub line: usize,
}

/// Every site in these sources, each a file and its text, in their order. A site is the name of a clause between
/// quotes, before the tests of the file.
pub fn sites_in(
    sources: &'static [(&'static str, &'static str)],
) -> impl Iterator<Item = Site> + Clone {
    sources.iter().flat_map(|&(file, text)| {
        let stated = text.split("#[cfg(test)]").next().unwrap_or_default();
        (1..).zip(stated.lines()).flat_map(move |(line, text)| {
            let quoted = text.split('"').skip(1).step_by(2);
            quoted.filter_map(move |name| {
                let clause = ClauseId::lookup(name)?;
                Some(Site { clause, file, line })
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_a_name_between_quotes_before_the_tests() {
        const SOURCES: &[(&str, &str)] = &[(
            "a.rs",
            "x\nrule!(\"v5.0/MQTT-3.12.4-1\", \"other\")\n#[cfg(test)]\n\"v5.0/MQTT-3.1.0-1\"",
        )];
        let mut found = sites_in(SOURCES);
        let site = found
            .next()
            .map(|site| (site.clause.name(), site.file, site.line));
        assert_eq!(site, Some(("v5.0/MQTT-3.12.4-1", "a.rs", 2)));
        assert_eq!(found.next(), None);
    }
}
