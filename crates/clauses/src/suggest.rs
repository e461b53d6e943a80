//! "Did you mean": the clause whose name is nearest to a misspelt one.

use alloc::vec::Vec;
use core::mem;

use crate::ClauseId;

/// How many single-character edits still count as a slip of the pen.
const SLIPS: usize = 3;

/// The clause nearest to `name`; a name without its standard is taken as one of MQTT 5.0.
pub(crate) fn nearest(name: &str) -> Option<ClauseId> {
    let bare = !name.contains('/');
    crate::all()
        .map(|id| {
            let clause = id.clause();
            let candidate = if bare { clause.number } else { clause.name };
            (distance(name, candidate), id)
        })
        .filter(|(distance, _)| *distance <= SLIPS)
        // Of equally near ones the newest standard, then the first number.
        .min_by_key(|(distance, id)| (*distance, core::cmp::Reverse(id.standard()), *id))
        .map(|(_, id)| id)
}

/// The Levenshtein distance in bytes; clause names are ASCII.
fn distance(left: &str, right: &str) -> usize {
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    let mut current = previous.clone();
    for (row, l) in left.bytes().enumerate() {
        current[0] = row + 1;
        for (column, r) in right.bytes().enumerate() {
            let substituted = previous[column] + usize::from(l != r);
            current[column + 1] = substituted
                .min(previous[column + 1] + 1)
                .min(current[column] + 1);
        }
        mem::swap(&mut previous, &mut current);
    }
    previous[right.len()]
}
