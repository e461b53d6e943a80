//! Tests of the player against scripted targets.
