//! [`ClauseId`]: a clause by name, checked against the register.

use alloc::string::String;
use core::fmt;

use crate::suggest;
use crate::table::CLAUSES;
use crate::{Clause, Standard};

/// A clause that the register holds.
///
/// Ids order as their names do: by standard, then by the bytes of the number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClauseId(u16);

/// A name that no clause of the register has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownClause {
    /// The name as it was written.
    pub name: String,
    /// The clause whose name is nearest, if one is near enough to have been meant.
    pub suggestion: Option<ClauseId>,
}

impl ClauseId {
    #[expect(clippy::cast_possible_truncation, reason = "a test bounds the table")]
    pub(crate) const fn at(index: usize) -> Self {
        Self(index as u16)
    }

    /// Looks up a full name such as `v5.0/MQTT-3.1.0-2`. Usable in constants; prefer
    /// [`clause!`](crate::clause!) there.
    pub const fn lookup(name: &str) -> Option<Self> {
        let (mut low, mut high) = (0, CLAUSES.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match compare(CLAUSES[middle].name.as_bytes(), name.as_bytes()) {
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Greater => high = middle,
                core::cmp::Ordering::Equal => return Some(Self::at(middle)),
            }
        }
        None
    }

    /// Reads a full name such as `v5.0/MQTT-3.1.0-2`.
    ///
    /// # Errors
    ///
    /// [`UnknownClause`] when the register has no such name, with the nearest one that it has.
    pub fn parse(name: &str) -> Result<Self, UnknownClause> {
        Self::lookup(name).ok_or_else(|| UnknownClause {
            name: name.into(),
            suggestion: suggest::nearest(name),
        })
    }

    /// The statement itself.
    pub fn clause(self) -> &'static Clause {
        &CLAUSES[usize::from(self.0)]
    }

    /// The position in the register, from 0: usable as an index into a table or a bit set.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The full name, such as `v5.0/MQTT-3.1.0-2`.
    pub fn name(self) -> &'static str {
        self.clause().name
    }

    /// The standard that makes the statement.
    pub fn standard(self) -> Standard {
        self.clause().standard
    }
}

/// Names a clause in Rust; an id that the register does not hold does not compile.
///
/// ```
/// let clause = clauses::clause!("v5.0/MQTT-3.1.0-2");
/// assert_eq!(clause.clause().section, "3.1");
/// ```
///
/// ```compile_fail
/// let clause = clauses::clause!("v5.0/MQTT-3.1.0-999");
/// ```
#[macro_export]
macro_rules! clause {
    ($name:literal) => {{
        const ID: $crate::ClauseId = match $crate::ClauseId::lookup($name) {
            Some(id) => id,
            None => panic!(concat!("the register has no clause ", $name)),
        };
        ID
    }};
}

const fn compare(left: &[u8], right: &[u8]) -> core::cmp::Ordering {
    let mut at = 0;
    while at < left.len() && at < right.len() {
        if left[at] < right[at] {
            return core::cmp::Ordering::Less;
        }
        if left[at] > right[at] {
            return core::cmp::Ordering::Greater;
        }
        at += 1;
    }
    if left.len() < right.len() {
        core::cmp::Ordering::Less
    } else if left.len() > right.len() {
        core::cmp::Ordering::Greater
    } else {
        core::cmp::Ordering::Equal
    }
}

impl fmt::Display for ClauseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for ClauseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for UnknownClause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the register has no clause `{}`", self.name)?;
        match self.suggestion {
            Some(near) => write!(f, "; did you mean `{near}`?"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for UnknownClause {}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn every_clause_is_found_by_its_name() {
        assert!(CLAUSES.len() < usize::from(u16::MAX));
        for id in crate::all() {
            assert_eq!(ClauseId::lookup(id.name()), Some(id));
        }
    }

    #[test]
    fn an_unknown_name_suggests_a_near_one() {
        let error = ClauseId::parse("v5.0/MQTT-3.1.0-22").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the register has no clause `v5.0/MQTT-3.1.0-22`; did you mean `v5.0/MQTT-3.1.0-2`?"
        );
        let error = ClauseId::parse("MQTT-3.1.0-2").unwrap_err();
        assert_eq!(error.suggestion, ClauseId::lookup("v5.0/MQTT-3.1.0-2"));
        assert_eq!(ClauseId::parse("nonsense").unwrap_err().suggestion, None);
    }
}
