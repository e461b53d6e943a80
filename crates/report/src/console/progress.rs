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

    /// A bar for so many cases, or rounds.
    pub(super) fn shown(number: usize, noun: &str) -> Self {
        let bar = ProgressBar::new(number as u64);
        let template = format!("{{bar:30}} {{pos}}/{{len}} {noun}, {{elapsed}}{{msg}}");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self(bar)
    }

    /// Lets something be written while the bar stands aside.
    pub(super) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.0.suspend(write)
    }

    /// One case or round more.
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
