//! The bar that shows how far a run has come.

use indicatif::{ProgressBar, ProgressStyle};

use crate::tally::{Kind, Tally};

/// A bar on standard error, or nothing.
#[derive(Debug)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Nothing to see.
    pub(super) fn hidden() -> Self {
        Self(ProgressBar::hidden())
    }

    /// A bar for this many cases.
    pub(super) fn shown(cases: usize) -> Self {
        let bar = ProgressBar::new(cases as u64);
        if let Ok(style) =
            ProgressStyle::with_template("{bar:30} {pos}/{len} cases, {elapsed}{msg}")
        {
            bar.set_style(style.progress_chars("=> "));
        }
        Self(bar)
    }

    /// One case more.
    pub(super) fn step(&self, tally: &Tally) {
        if self.0.is_hidden() {
            return;
        }
        let deviations = tally[Kind::Fail] + tally[Kind::Crashed];
        if deviations > 0 {
            self.0.set_message(format!(", {deviations} failed"));
        }
        self.0.inc(1);
    }

    /// Gone without a trace.
    pub(super) fn end(&self) {
        self.0.finish_and_clear();
    }
}
