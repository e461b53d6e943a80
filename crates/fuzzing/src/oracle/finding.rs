//! [`Finding`]: what a target did that it must not do.

use std::fmt;

use clauses::ClauseId;

/// What a target did that it must not do, or did not do that it must.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Finding {
    /// The rule in a few words with hyphens, the same wherever it is broken: what findings are deduplicated by,
    /// together with the clause.
    pub rule: &'static str,
    /// The clause, where one says it.
    pub clause: Option<ClauseId>,
    /// The client that saw it; none where it is about the target itself.
    pub client: Option<usize>,
    /// What was seen, for people.
    pub message: String,
}

impl Finding {
    /// What two findings share that come from the same fault, as far as can be told from outside.
    pub fn class(&self) -> String {
        match self.clause {
            Some(clause) => format!("{} ({clause})", self.rule),
            None => self.rule.to_owned(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(client) = self.client {
            write!(f, "client {client}: ")?;
        }
        write!(f, "{} [{}]", self.message, self.class())
    }
}
