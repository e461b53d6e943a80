//! What the broker logs of its clients: each refusal and each message that is dropped, with the clause.

use tracing::{debug, info};

use crate::core::{ConnectionId, Note, Refusal};

/// A connection is closed, and why, where its client is to blame.
pub(super) fn closing(connection: ConnectionId, why: Option<&Refusal>) {
    let connection = connection.0;
    if let Some(refusal) = why {
        info!(
            connection,
            clause = refusal.clause.name(),
            reason = %refusal.reason,
            "closing: {refusal}"
        );
    } else {
        debug!(connection, "closing");
    }
}

/// What is refused or dropped while the connection goes on. Messages can be dropped by the thousands: `debug` shows
/// them.
pub(super) fn note(note: &Note) {
    let clause = note.clause().name();
    match note {
        Note::Refused {
            connection,
            refusal,
            ..
        } => {
            let connection = connection.0;
            info!(connection, clause, reason = %refusal.reason, "{note}");
        }
        Note::Ended { refusal, .. } => info!(clause, reason = %refusal.reason, "{note}"),
        Note::Dropped { .. } => debug!(clause, "{note}"),
    }
}
