//! Listeners that write what a run tells: console, JUnit, JSON.
