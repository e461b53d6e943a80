//! [`Station`]: one configuration of the target, admitted, and watched by a witness.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use codec::Version;

use super::site::{Origin, Site, Source};
use crate::admission::{self, Admission, AdmissionError};
use crate::launch::Instance;
use crate::plan::Plan;
use crate::run::Options;
use crate::settings::Namespace;
use crate::target::{Endpoints, Target};
use crate::witness::{Sign, Witness};

/// The number whose token is the runner's own, and so are some before it; no plan has so many cases.
const NUMBERS_OF_OUR_OWN: usize = 799_999;

/// Who asks targets for admission.
pub(crate) struct Asker {
    versions: Vec<Version>,
    nonce: u64,
    within: Duration,
}

impl Asker {
    pub(crate) fn new(plan: &Plan, nonce: u64, options: &Options) -> Self {
        let mut versions: Vec<_> = plan.cases().iter().map(|case| case.version).collect();
        versions.sort_unstable();
        versions.dedup();
        Self {
            versions,
            nonce,
            within: options.answer.mul_f64(options.patience),
        }
    }

    /// Who asks for all versions, outside a run.
    pub(crate) fn of_all_versions(within: Duration) -> Self {
        Self {
            versions: vec![Version::V3_1, Version::V3_1_1, Version::V5_0],
            nonce: super::nonce(),
            within,
        }
    }

    /// A topic and the beginning of Client Identifiers that no case uses; below 8.
    pub(crate) fn token(&self, offset: usize) -> String {
        Namespace::new(self.nonce, NUMBERS_OF_OUR_OWN - offset).token
    }
}

/// One configuration of the target, which cases share.
pub(crate) struct Station {
    pub(crate) target: Target,
    pub(crate) endpoints: Endpoints,
    witness: Witness,
    /// What the runner has started.
    instance: Option<Rc<Instance>>,
}

impl Station {
    /// Starts the target where that is the runner's part, admits it and calls a witness.
    pub(crate) async fn open(
        site: &Site,
        source: &Source,
        asker: &Asker,
    ) -> Result<Self, AdmissionError> {
        let (endpoints, instance) = match &source.origin {
            Origin::Running(endpoints) => (endpoints.clone(), None),
            Origin::Launched(launch, index) => {
                let instance = Instance::start(launch, *index).await?;
                (instance.endpoints().clone(), Some(Rc::new(instance)))
            }
        };
        let stranger = asker.token(0);
        let admission = Admission {
            versions: &asker.versions,
            token: &stranger,
            within: asker.within,
            why_absent: source.why_absent,
        };
        let mut facts =
            admission::admit_as_declared(&endpoints, &source.declared, &admission).await?;
        if source.is_launched() {
            facts.features.add("restart");
        } else {
            let why = "only what the runner launches can be restarted (--launch)";
            facts.features.lack("restart", why);
        }
        let version = [Version::V3_1_1, Version::V5_0]
            .into_iter()
            .find(|version| !facts.unspoken.iter().any(|(other, _)| other == version))
            .unwrap_or(Version::V3_1_1);
        let target = Target::at(&endpoints, Arc::new(facts)).called(&site.name);
        let witness = Witness::call(target.clone(), version, asker.token(1), asker.within)
            .await
            .map_err(|trouble| AdmissionError::DeliversNothing {
                address: endpoints.first().to_string(),
                seen: trouble.to_string(),
            })?;
        Ok(Self {
            target,
            endpoints,
            witness,
            instance,
        })
    }

    /// Asks the witness how it is served. A process that has ended is dead at once.
    pub(crate) async fn look(&mut self) -> Sign {
        let sign = self.witness.look().await;
        match (&self.instance, sign) {
            (Some(instance), Sign::Dead(seen)) => {
                let how = instance.end_behind_its_sockets().await;
                Sign::Dead(how.map_or(seen, |how| format!("its process ended: {how}")))
            }
            (_, sign) => sign,
        }
    }

    /// The tail of the target's log, when the runner has started it.
    pub(crate) fn log_tail(&self) -> Option<String> {
        self.instance.as_ref().map(|instance| instance.log_tail())
    }

    /// Takes leave of a target that serves, and stops it when the runner has started it.
    pub(crate) async fn close(self) {
        self.witness.leave().await;
        if let Some(instance) = self.instance {
            instance.stop().await;
        }
    }

    /// Ends a target that does not serve any more.
    pub(crate) async fn abandon(self) {
        if let Some(instance) = self.instance {
            instance.end_at_once().await;
        }
    }
}
