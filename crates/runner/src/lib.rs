//! Plays scenarios against a target and judges what comes back.
