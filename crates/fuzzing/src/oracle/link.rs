//! One Network Connection as its client sees it.

/// A Network Connection.
#[derive(Debug)]
pub(super) struct Link {}
