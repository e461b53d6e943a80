//! [`on_stubs`]: which cases pass on a broker that is wrong on purpose.

use crate::event::{Event, Verdict};
use crate::ledger::Ledger;
use crate::memory;
use crate::plan::Plan;
use crate::run::Options;
use crate::secrets::Secrets;
use crate::stub::Stub;

/// A case that passes on a stub.
#[derive(Debug, Clone)]
pub struct PassOnStub {
    /// The stub.
    pub stub: Stub,
    /// The case, without its transport.
    pub case: String,
    /// What the stub does that the clause asks for, if that is written down.
    pub reason: Option<&'static str>,
}

/// Plays the plan on each stub. A warning has noticed what is wrong, so only what passes strictly counts.
pub(crate) fn on_stubs(plan: &Plan, options: &Options) -> Vec<PassOnStub> {
    let options = Options {
        strict: true,
        baseline: None,
        ..options.clone()
    };
    let mut passed = Vec::new();
    for stub in Stub::ALL {
        let mut listener = |event| {
            if let Event::CaseFinished(report) = event
                && matches!(report.verdict, Verdict::Pass | Verdict::Note)
            {
                let name = report.case.name.as_str();
                let rightly = stub.rightly_passing().iter();
                let mut rightly = rightly.filter(|listed| listed.cases.matches(name));
                passed.push(PassOnStub {
                    stub,
                    case: name
                        .rsplit_once('/')
                        .map_or(name, |(case, _)| case)
                        .to_owned(),
                    reason: rightly.next().map(|listed| listed.reason.as_str()),
                });
            }
        };
        let mut ledger = Ledger::new(plan, &options, Secrets::default(), &mut listener);
        memory::run(plan, move |_| stub.furnish(), &options, &mut ledger);
        ledger.close();
    }
    passed.sort_by(|left, right| (left.stub, &left.case).cmp(&(right.stub, &right.case)));
    passed
}
