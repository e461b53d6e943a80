//! The reference broker: a pure core and a tokio shell.
