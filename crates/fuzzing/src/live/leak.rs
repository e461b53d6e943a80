//! What becomes of growth: which script is it that makes the target keep what nobody can see?
//!
//! The scripts that were performed last are performed again, and the target is looked at before and after, with nobody
//! connected. While it grows, half of them are left out; the one that is left is made small.

use tokio::task::JoinSet;

use super::event::Proof;
use super::growth::Resource;
use super::hall::Hall;
use super::inquiry::Evidence;
use super::perform::Performance;
use super::source::Played;
use super::sweep::sweep;
use crate::minimise::Minimiser;
use crate::oracle::Finding;
use crate::script::Script;

/// How many scripts are suspected.
const SUSPECTS: usize = 256;
/// How often scripts are performed for one question, at least and at most.
const FEWEST: usize = 256;
const MOST: usize = 1 << 14;

impl Resource {
    /// Growth that no chance explains, within one question: pages are given back and taken again, and links end later
    /// than they are closed.
    const fn sure(self) -> u64 {
        match self {
            Self::Memory => 1 << 20,
            Self::OpenFiles => 24,
            // A process that computes does so, or it does not.
            Self::Cpu => 1,
        }
    }

    /// How often scripts are performed for a question about so many of them, where it grew by so much when as many were
    /// performed so many times: enough for four times what no chance explains. Who computes for good does so from the
    /// first time.
    fn times(self, scripts: usize, (grown, times): (u64, usize)) -> usize {
        if self == Self::Cpu {
            return scripts;
        }
        let enough = 4 * self.sure() * times as u64 / grown.max(1);
        let enough = usize::try_from(enough).unwrap_or(usize::MAX);
        enough.max(scripts).min(times)
    }
}

impl Hall<'_> {
    /// Looks for the script that makes the target grow.
    pub(super) async fn trace(&mut self, resource: Resource, message: String) {
        let began = tokio::time::Instant::now();
        let finding = Finding {
            rule: resource.rule(),
            clause: None,
            client: None,
            message,
        };
        let mut newest = self.recent.take();
        let older = newest.split_off(newest.len().min(SUSPECTS));
        let culprit = self.grower(resource, &newest).await;
        newest.extend(older);
        self.recent.put_back(newest);
        let log_tail = self.keeper.log_tail();
        let Some((played, times)) = culprit else {
            return self.tell_seen(&finding, log_tail);
        };
        let (script, performance, minimal) = self.smallest_grower(resource, &played, times).await;
        let finding = Finding {
            message: format!(
                "{}; performing this script {times} times does it",
                finding.message
            ),
            ..finding
        };
        let evidence = Evidence {
            class: finding.class(),
            proof: Proof::Confirmed { shown: 1, tried: 1 },
            script,
            minimal,
            original: played,
            transcript: performance.transcript,
            log_tail,
        };
        self.tell(finding, evidence, began).await;
    }

    /// The script of these that makes the target grow, and how often it must be performed for that.
    async fn grower(&mut self, resource: Resource, suspects: &[Played]) -> Option<(Played, usize)> {
        let scripts: Vec<_> = suspects.iter().map(|played| &played.script).collect();
        let mut times = resource.times(scripts.len(), (0, FEWEST));
        let mut grew = loop {
            if let Some(grown) = self.grows(resource, &scripts, times).await {
                break (grown, times);
            }
            times *= 4;
            if times > MOST || self.is_late() {
                return None;
            }
        };
        let mut suspects = suspects;
        while suspects.len() > 1 {
            if self.is_late() {
                return None;
            }
            let (newer, older) = suspects.split_at(suspects.len() / 2);
            let scripts: Vec<_> = newer.iter().map(|played| &played.script).collect();
            let times = resource.times(scripts.len(), grew);
            suspects = if let Some(grown) = self.grows(resource, &scripts, times).await {
                grew = (grown, times);
                newer
            } else {
                older
            };
        }
        let [suspect] = suspects else { return None };
        let mut shown = None;
        let mut fewest = resource.times(1, grew);
        // What leaks each time needs fewer performances than what one in hundreds does.
        while self
            .grows(resource, &[&suspect.script], fewest)
            .await
            .is_some()
        {
            shown = Some(fewest);
            fewest /= 4;
            if fewest == 0 || self.is_late() {
                break;
            }
        }
        shown.map(|times| (suspect.clone(), times))
    }

    /// The smallest script that still makes the target grow, what happens when it is performed, and whether all that could
    /// be left out was tried.
    async fn smallest_grower(
        &mut self,
        resource: Resource,
        played: &Played,
        times: usize,
    ) -> (Played, Performance, bool) {
        let mut minimiser = Minimiser::new(played.script.clone());
        let mut minimal = true;
        while let Some(smaller) = minimiser.question().cloned() {
            if self.is_late() {
                minimal = false;
                break;
            }
            let mut grows = self.grows(resource, &[&smaller], times).await.is_some();
            // Memory has its moods.
            grows = grows && self.grows(resource, &[&smaller], times).await.is_some();
            minimiser.answer(grows);
        }
        let (script, performance) = self.alone(&minimiser.into_smallest()).await;
        (script, performance, minimal)
    }

    /// By how much the target grows when these scripts are performed, so many times in all; none where it does not.
    async fn grows(
        &mut self,
        resource: Resource,
        scripts: &[&Script],
        times: usize,
    ) -> Option<u64> {
        // Who computes does not stop, and files run out. Memory fills anew when a process is new, so that it stays.
        if resource != Resource::Memory && !self.restart().await {
            return None;
        }
        let before = match resource {
            // It is busy while it starts.
            Resource::Cpu => 0,
            _ => self.level(resource).await?,
        };
        let mut left = scripts.iter().cycle().take(times);
        let mut playing = JoinSet::new();
        loop {
            while playing.len() < self.options.jobs.max(1)
                && let Some(script) = left.next()
            {
                let stage = self.stage.clone();
                let played = self.source.again((*script).clone());
                playing.spawn_local(async move {
                    let performance = stage.perform(&played).await;
                    stage.tidy(&performance, &played).await;
                });
            }
            if playing.join_next().await.is_none() {
                break;
            }
        }
        sweep(&self.stage.target).await;
        let grown = self.level(resource).await?.saturating_sub(before);
        (grown >= resource.sure()).then_some(grown)
    }

    /// What the target uses of it, with nobody connected.
    async fn level(&mut self, resource: Resource) -> Option<u64> {
        let (vitals, busy) = self.keeper.quiet().await?;
        Some(match resource {
            Resource::Memory => vitals.memory,
            Resource::OpenFiles => vitals.open_files,
            Resource::Cpu => u64::from(busy),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_performed_than_shows_the_growth_beyond_doubt() {
        let memory = |scripts, grown| Resource::Memory.times(scripts, (grown, FEWEST));
        assert_eq!(memory(128, 0), FEWEST);
        assert_eq!(memory(128, Resource::Memory.sure()), FEWEST);
        assert_eq!(memory(2, 64 * Resource::Memory.sure()), FEWEST / 16);
        assert_eq!(memory(128, 64 * Resource::Memory.sure()), 128, "each once");
        assert_eq!(Resource::Cpu.times(1, (1, FEWEST)), 1);
    }
}
