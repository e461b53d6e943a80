//! [`merge`]: several recordings told as one run.

use std::collections::BTreeMap;

use runner::Part;
use runner::event::{Event, RunInfo, RunSummary};

use super::read::{Recording, Unreadable};

/// The events of several recordings as those of one run; rounds are told as one already.
///
/// The recordings are the parts of a run, or runs that play different cases. A part that is missing makes the whole an
/// interrupted run: what it would have shown is not known.
///
/// # Errors
///
/// [`Unreadable::Apart`] when they differ in their target, edition or program, or play the same case.
pub fn merge(recordings: Vec<Recording>) -> Result<Vec<Event>, Unreadable> {
    let recordings = match <[Recording; 1]>::try_from(recordings) {
        Ok([only]) => return Ok(only.in_one_round()),
        Err(recordings) => recordings,
    };
    let infos: Vec<(String, RunInfo)> = recordings
        .iter()
        .map(|recording| (recording.name.clone(), recording.info.clone()))
        .collect();
    let missing = missing(&infos)?;
    let mut player: BTreeMap<String, String> = BTreeMap::new();
    let mut whole = Whole::default();
    let tool = recordings.first().map(|first| first.tool.clone());
    for recording in recordings {
        if let Some((first, info)) = infos.first() {
            let other = &recording.info;
            let same = [
                ("target", &info.target, &other.target),
                ("edition", &edition(info), &edition(other)),
                (
                    "program",
                    &tool.clone().unwrap_or_default(),
                    &recording.tool,
                ),
            ];
            for (what, mine, its) in same {
                if mine != its {
                    return Err(Unreadable::Apart(format!(
                        "`{first}` and `{}` are not parts of one run: the {what} is {mine} here and {its} there",
                        recording.name
                    )));
                }
            }
        }
        let name = recording.name.clone();
        for event in recording.in_one_round() {
            whole.take(event);
        }
        for case in std::mem::take(&mut whole.names) {
            if let Some(first) = player.insert(case.clone(), name.clone()) {
                return Err(Unreadable::Apart(format!(
                    "`{first}` and `{name}` both play {case}; report them one by one"
                )));
            }
        }
    }
    Ok(whole.finish(&infos, missing))
}

fn edition(info: &RunInfo) -> String {
    info.edition.clone().unwrap_or_else(|| "none".to_owned())
}

#[derive(Default)]
struct Whole {
    events: Vec<Event>,
    /// The cases of the recording that is being read.
    names: Vec<String>,
    notices: Vec<String>,
    summary: RunSummary,
}

impl Whole {
    fn take(&mut self, event: Event) {
        match event {
            Event::RunStarted(_) | Event::RoundFinished(_) => {}
            Event::Notice(text) => {
                if !self.notices.contains(&text) {
                    self.notices.push(text.clone());
                    self.events.push(Event::Notice(text));
                }
            }
            Event::CaseStarted(_) | Event::TargetCrashed(_) => self.events.push(event),
            Event::CaseFinished(report) => {
                self.names.push(report.case.name.clone());
                self.events.push(Event::CaseFinished(report));
            }
            Event::RunFinished(summary) => {
                // Parts are played side by side.
                self.summary.elapsed = self.summary.elapsed.max(summary.elapsed);
                self.summary.interrupted |= summary.interrupted;
                self.summary.unplayed += summary.unplayed;
                self.summary.flaky.extend(summary.flaky);
                for entry in summary.stale {
                    if !self.summary.stale.contains(&entry) {
                        self.summary.stale.push(entry);
                    }
                }
            }
        }
    }

    fn finish(mut self, infos: &[(String, RunInfo)], missing: Option<String>) -> Vec<Event> {
        let Some((_, first)) = infos.first() else {
            return Vec::new();
        };
        let mut info = first.clone();
        info.cases = infos.iter().map(|(_, info)| info.cases).sum();
        info.started = infos
            .iter()
            .map(|(_, info)| info.started)
            .min()
            .unwrap_or(info.started);
        // Those of each have been told as one.
        info.rounds = 1;
        if let Some(missing) = missing {
            let unplayed = info.cases_of_all_parts.saturating_sub(info.cases);
            self.summary.unplayed += unplayed;
            self.summary.interrupted = true;
            self.events.push(Event::Notice(missing));
        } else {
            info.part = None;
        }
        self.events.insert(0, Event::RunStarted(Box::new(info)));
        self.events.push(Event::RunFinished(self.summary));
        self.events
    }
}

/// Which parts of the run are missing, as a sentence.
fn missing(infos: &[(String, RunInfo)]) -> Result<Option<String>, Unreadable> {
    let first = infos.first().and_then(|(_, info)| info.part);
    let mut found: BTreeMap<usize, &str> = BTreeMap::new();
    for (name, info) in infos {
        if info.part.map(|part| part.of) != first.map(|part| part.of) {
            let part = |part: Option<Part>| match part {
                Some(part) => format!("part {part}"),
                None => "no part".to_owned(),
            };
            return Err(Unreadable::Apart(format!(
                "`{name}` is {} of a run, and `{}` is {}",
                part(info.part),
                infos[0].0,
                part(first)
            )));
        }
        if let Some(part) = info.part
            && let Some(other) = found.insert(part.number, name)
        {
            return Err(Unreadable::Apart(format!(
                "`{other}` and `{name}` are both part {part}; leave one out"
            )));
        }
    }
    let Some(Part { of, .. }) = first else {
        return Ok(None);
    };
    let missing: Vec<String> = (1..=of)
        .filter(|number| !found.contains_key(number))
        .map(|number| format!("{number}/{of}"))
        .collect();
    Ok((!missing.is_empty()).then(|| match &missing[..] {
        [one] => format!("part {one} of the run is missing"),
        several => format!("parts {} of the run are missing", several.join(", ")),
    }))
}
