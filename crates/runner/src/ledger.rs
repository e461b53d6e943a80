//! [`Ledger`]: where the reports of a run come in, are held against the baseline, counted and passed on.

use std::sync::Arc;
use std::time::Instant;

use crate::baseline::Baseline;
use crate::event::{CaseInfo, CaseReport, Crash, Event, RunSummary};
use crate::interrupt::Interrupt;
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::run::Options;
use crate::secrets::Secrets;

/// Where the reports of a run come in.
pub(crate) struct Ledger<'a> {
    plan: &'a Plan,
    baseline: Option<&'a Baseline>,
    interrupt: &'a Interrupt,
    secrets: Secrets,
    listener: &'a mut dyn FnMut(Event),
    began: Instant,
    names: Vec<Arc<CaseInfo>>,
    outcome: Outcome,
}

impl<'a> Ledger<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        options: &'a Options,
        secrets: Secrets,
        listener: &'a mut dyn FnMut(Event),
    ) -> Self {
        Self {
            plan,
            baseline: options.baseline.as_ref(),
            interrupt: &options.interrupt,
            secrets,
            listener,
            began: Instant::now(),
            names: Vec::new(),
            outcome: Outcome::default(),
        }
    }

    /// The run begins; `infos` are all its cases.
    pub(crate) fn open(&mut self, target: &str, infos: &[Arc<CaseInfo>]) {
        self.names = infos.to_vec();
        let info = self.plan.run_info(target);
        self.tell(Event::RunStarted(Box::new(info)));
    }

    pub(crate) fn notice(&mut self, text: String) {
        self.tell(Event::Notice(text));
    }

    pub(crate) fn started(&mut self, info: &Arc<CaseInfo>) {
        self.tell(Event::CaseStarted(Arc::clone(info)));
    }

    pub(crate) fn finished(&mut self, mut report: CaseReport) {
        if let Some(baseline) = self.baseline {
            baseline.judge(&mut report);
        }
        self.outcome.totals.count(&report.verdict);
        self.tell(Event::CaseFinished(Box::new(report)));
    }

    pub(crate) fn crashed(&mut self, crash: Crash) {
        self.tell(Event::TargetCrashed(crash.clone()));
        self.outcome.crash = Some(crash);
    }

    fn tell(&mut self, mut event: Event) {
        self.secrets.mask_event(&mut event);
        (self.listener)(event);
    }

    /// The run is over: tells what remains to be told.
    pub(crate) fn close(mut self) -> Outcome {
        let outcome = &mut self.outcome;
        outcome.unplayed = self.names.len() - outcome.totals.cases();
        // An interrupt that came too late to leave anything out has interrupted nothing.
        outcome.interrupted = self.interrupt.is_raised() && outcome.unplayed > 0;
        if let Some(baseline) = self.baseline
            && self.plan.is_whole_suite()
        {
            outcome.stale = baseline.stale(&self.plan.names_of_the_suite(&self.names));
        }
        let summary = RunSummary {
            elapsed: self.began.elapsed(),
            interrupted: outcome.interrupted,
            unplayed: outcome.unplayed,
            stale: outcome.stale.clone(),
            flaky: Vec::new(),
        };
        self.tell(Event::RunFinished(summary));
        self.outcome
    }
}
