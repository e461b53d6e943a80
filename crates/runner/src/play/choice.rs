//! `any`: which of several alternatives the target took.
//!
//! An alternative is followed as far as it only reads, with the inbox untouched; the first that holds is then
//! played for real. `nothing` within one is decided after a barrier, so that a copy still under way is seen.

use std::rc::Rc;

use scenario::ast::{Action, Fields, Name, Step, Subject, Timing, Verb};
use tokio::time::Instant;

use super::answers::judge_answer;
use super::client::Client;
use super::closed::is_farewell;
use super::group::Assignment;
use super::inbox::Arrival;
use super::reading::{Attempt, Reading, Taken, What, unread_text};
use super::scope::Scope;
use super::stage::{ANSWER, Stage};
use super::stop::{Outcome, Stop};
use super::verbs::Handshake;

/// How an alternative stands.
enum Fate {
    /// Everything so far holds.
    Holds,
    /// As [`Fate::Holds`], and what follows does more than read.
    Acts,
    /// Something does not hold.
    Fails(Stop),
    /// More must happen, until then at the latest.
    Waits(Instant),
    /// It holds if nothing is under way to these clients.
    IfQuiet(Vec<Rc<Client>>),
}

/// The verb that an alternative begins with, whose it is, its fields and the step.
type FirstHandshake<'s> = (Verb, Rc<Client>, &'s Fields, &'s Step);

/// One look at one alternative.
struct Walk<'w> {
    began: Instant,
    /// Whether a barrier has shown that nothing is under way.
    settled: bool,
    taken: Taken,
    /// The handshake that the first step begins.
    handshake: Option<&'w Handshake>,
}

impl Stage<'_> {
    /// `any: {name: [steps], …}`.
    pub(super) async fn choose(&self, alternatives: &[(Name, Vec<Step>)]) -> Outcome {
        let began = Instant::now();
        let handshakes = self.begin_alternatives(alternatives).await?;
        let mut settled = false;
        loop {
            let before = self.journal.arrivals();
            let mut chosen: Option<(usize, usize)> = None;
            let mut failures = Vec::new();
            let mut wake: Option<Instant> = None;
            let mut unsettled = Vec::new();
            for (at, (_, steps)) in alternatives.iter().enumerate() {
                let mut walk = Walk {
                    began,
                    settled,
                    taken: Taken::new(),
                    handshake: handshakes[at].as_ref(),
                };
                match self.walk(steps, &mut self.scope(), &mut walk)? {
                    Fate::Holds | Fate::Acts => {
                        // The one that reads more explains more: CONNACK and the end, rather than the end.
                        if chosen.is_none_or(|(_, reads)| walk.taken.len() > reads) {
                            chosen = Some((at, walk.taken.len()));
                        }
                    }
                    Fate::Fails(stop) => failures.push(stop),
                    Fate::Waits(until) => wake = Some(wake.map_or(until, |wake| wake.min(until))),
                    Fate::IfQuiet(clients) => unsettled.extend(clients),
                }
            }
            if let Some((at, _)) = chosen {
                return self
                    .take_alternative(&alternatives[at], began, handshakes[at].as_ref())
                    .await;
            }
            if failures.len() == alternatives.len() {
                return Err(self.none_holds(alternatives, failures));
            }
            if unsettled.is_empty() {
                let until = wake.unwrap_or(began);
                self.journal
                    .until(until, || (self.journal.arrivals() != before).then_some(()))
                    .await;
            } else {
                for client in unsettled {
                    match self.barrier(&client, self.journal.step()).await {
                        // An end is an arrival like others: the next look sees it.
                        Ok(()) | Err(Stop::Miss(_)) => {}
                        Err(stop) => return Err(stop),
                    }
                }
                settled = true;
            }
        }
    }

    /// Sends what first steps send. The target answers one request, so alternatives that begin with the same verb of
    /// the same client share the request of the first of them.
    async fn begin_alternatives(
        &self,
        alternatives: &[(Name, Vec<Step>)],
    ) -> Outcome<Vec<Option<Handshake>>> {
        let mut known: Vec<Handshake> = Vec::new();
        let mut handshakes = Vec::new();
        for (_, steps) in alternatives {
            let Some((verb, client, fields, step)) = self.first_handshake(steps)? else {
                handshakes.push(None);
                continue;
            };
            let same = |known: &&Handshake| known.verb == verb && known.client.name == client.name;
            let shared = known.iter().find(same).cloned();
            let handshake = if let Some(shared) = shared {
                shared
            } else {
                let started = self.begin(verb, &client, fields, step.action.span).await;
                let handshake = started.map_err(|stop| stop.beside(step, self.version()))?;
                known.push(handshake.clone());
                handshake
            };
            handshakes.push(Some(handshake));
        }
        Ok(handshakes)
    }

    fn first_handshake<'s>(&self, steps: &'s [Step]) -> Outcome<Option<FirstHandshake<'s>>> {
        let Some(step) = steps.first() else {
            return Ok(None);
        };
        match &step.action.value {
            Action::Do {
                who, verb, fields, ..
            } if !matches!(verb, Verb::Receives | Verb::Disconnects) => {
                match self.actors(who)?.as_slice() {
                    [client] => Ok(Some((*verb, client.clone(), fields, step))),
                    _ => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    async fn take_alternative(
        &self,
        (name, steps): &(Name, Vec<Step>),
        began: Instant,
        handshake: Option<&Handshake>,
    ) -> Outcome {
        self.remark("", format!("any: {}", name.value));
        self.journal.note(name.value.clone());
        if let Some(Action::Nothing {
            period: Some(_), ..
        }) = steps.first().map(|step| &step.action.value)
        {
            self.quiet_since.set(Some(began));
        }
        let (Some(handshake), Some((first, rest))) = (handshake, steps.split_first()) else {
            return self.play_steps(steps).await;
        };
        if let Action::Do { gets, timing, .. } = &first.action.value {
            let bounds = self.bounds_from(timing, handshake.at)?;
            self.journal.enter_step(first.action.span);
            let finished = self.finish(handshake, gets, bounds).await;
            finished.map_err(|stop| stop.beside(first, self.version()))?;
            self.happened(super::scope::Moment::since(handshake.at));
        }
        self.play_steps(rest).await
    }

    fn none_holds(&self, alternatives: &[(Name, Vec<Step>)], failures: Vec<Stop>) -> Stop {
        let mut expected = Vec::new();
        let mut received = None;
        for ((name, _), stop) in alternatives.iter().zip(failures) {
            match stop {
                Stop::Miss(finding) => {
                    expected.push(format!(
                        "{}: {}",
                        name.value,
                        finding.expected.unwrap_or_default()
                    ));
                    received = received.or(finding.received);
                }
                // What cannot be said of one alternative cannot be said of the choice.
                other => return other,
            }
        }
        let received = received.or_else(|| {
            self.all_clients()
                .iter()
                .find_map(|client| unread_text(client))
        });
        Stop::miss(self.journal.step(), "the target did none of what it may do")
            .expected(expected.join(" | "))
            .received(received)
    }

    /// Follows steps as far as they only read.
    fn walk(&self, steps: &[Step], scope: &mut Scope<'_>, walk: &mut Walk<'_>) -> Outcome<Fate> {
        for step in steps {
            let fate = self.walk_step(step, scope, walk)?;
            if !matches!(fate, Fate::Holds) {
                return Ok(match fate {
                    Fate::Fails(stop) => Fate::Fails(stop.beside(step, self.version())),
                    fate => fate,
                });
            }
        }
        Ok(Fate::Holds)
    }

    fn walk_step(&self, step: &Step, scope: &mut Scope<'_>, walk: &mut Walk<'_>) -> Outcome<Fate> {
        let span = step.action.span;
        match &step.action.value {
            Action::Expect {
                who,
                packet,
                timing,
            } => {
                let what = What::Packet {
                    packet_type: packet.packet_type.value,
                    fields: &packet.fields,
                    completes: false,
                };
                self.walk_readings(&Reading::all(self, who, what, span)?, timing, scope, walk)
            }
            Action::ExpectBytes { who, bytes, timing } => self.walk_readings(
                &Reading::all(self, who, What::Bytes(bytes), span)?,
                timing,
                scope,
                walk,
            ),
            Action::Do {
                who,
                verb: Verb::Receives,
                fields,
                timing,
                ..
            } => {
                let what = What::Packet {
                    packet_type: codec::PacketType::Publish,
                    fields,
                    completes: true,
                };
                self.walk_readings(&Reading::all(self, who, what, span)?, timing, scope, walk)
            }
            Action::Closed { who, timing, .. } => self.walk_readings(
                &Reading::all(self, who, What::Closed, span)?,
                timing,
                scope,
                walk,
            ),
            Action::Nothing { who, period, .. } => {
                let until = period
                    .as_ref()
                    .map(|period| self.duration(&period.value))
                    .transpose()?;
                self.walk_nothing(who, until.map(|period| walk.began + period), span, walk)
            }
            Action::All(steps) => {
                let Some(leaves) = self.leaves(steps, walk.began)? else {
                    return Ok(Fate::Acts);
                };
                match self.assign(scope, &leaves, &walk.taken)? {
                    Assignment::Complete(assigned) => {
                        walk.taken
                            .extend(assigned.iter().map(|(_, _, arrival)| arrival.number));
                        Ok(Fate::Holds)
                    }
                    Assignment::Impossible(miss) => Ok(Fate::Fails(miss)),
                    Assignment::Partial => Ok(wait_for(walk.began + self.stretch(ANSWER), || {
                        self.missing(&leaves)
                    })),
                }
            }
            Action::InVersion { versions, steps } if versions.contains(&self.version()) => {
                self.walk(steps, scope, walk)
            }
            Action::InVersion { .. } => Ok(Fate::Holds),
            Action::If { condition, steps } => {
                if self.condition_holds(&condition.value, condition.span)? {
                    self.walk(steps, scope, walk)
                } else {
                    Ok(Fate::Holds)
                }
            }
            Action::Do { gets, timing, .. } => match walk.handshake.take() {
                Some(handshake) => self.walk_handshake(handshake, gets, timing, scope, walk),
                None => Ok(Fate::Acts),
            },
            _ => Ok(Fate::Acts),
        }
    }

    fn walk_readings(
        &self,
        readings: &[Reading<'_>],
        timing: &Timing,
        scope: &mut Scope<'_>,
        walk: &mut Walk<'_>,
    ) -> Outcome<Fate> {
        let bounds = self.bounds_from(timing, walk.began)?;
        for reading in readings {
            match reading.attempt(scope, &walk.taken)? {
                Attempt::Match(client, arrivals) => {
                    if let Some(wrong) =
                        arrivals.iter().find_map(|arrival| bounds.judge(arrival.at))
                    {
                        let message = format!("`{}` received it {wrong}", client.name);
                        return Ok(Fate::Fails(
                            Stop::miss(reading.span, message).expected(reading.expected(scope)),
                        ));
                    }
                    walk.taken
                        .extend(arrivals.iter().map(|arrival| arrival.number));
                }
                Attempt::Ended(client, end) => {
                    if let Some(wrong) = bounds.judge(end.at) {
                        return Ok(Fate::Fails(Stop::miss(
                            reading.span,
                            format!("the connection ended {wrong}"),
                        )));
                    }
                    let unread = self.left_over(&client, walk);
                    if let Some(arrival) = unread
                        .iter()
                        .find(|arrival| !is_farewell(arrival, client.version))
                    {
                        let stop = Stop::miss(reading.span, "something came before the end");
                        return Ok(Fate::Fails(
                            stop.expected("closed")
                                .received(Some(arrival.packet.to_string())),
                        ));
                    }
                }
                Attempt::Mismatch(stop @ Stop::Miss(_)) => return Ok(Fate::Fails(stop)),
                Attempt::Mismatch(stop) => return Err(stop),
                Attempt::Pending => {
                    return Ok(wait_for(bounds.late, || reading.timeout(scope)));
                }
            }
        }
        Ok(Fate::Holds)
    }

    /// What no step of the alternative has read.
    fn left_over(&self, client: &Client, walk: &Walk<'_>) -> Vec<Rc<Arrival>> {
        let mut unread = self.unread(client);
        unread.retain(|arrival| !walk.taken.contains(&arrival.number));
        unread
    }

    fn walk_nothing(
        &self,
        who: &Subject,
        until: Option<Instant>,
        span: scenario::Span,
        walk: &Walk<'_>,
    ) -> Outcome<Fate> {
        let clients = self.subjects(who)?;
        for client in &clients {
            let in_time = |at: Instant| until.is_none_or(|until| at <= until);
            let end = client.any_connection()?.end();
            let unread = self
                .left_over(client, walk)
                .into_iter()
                .find(|arrival| in_time(arrival.at));
            if unread.is_some() || end.is_some_and(|end| in_time(end.at)) {
                let received = unread.map(|arrival| arrival.packet.to_string());
                let stop = Stop::miss(span, format!("something came to `{}`", client.name));
                return Ok(Fate::Fails(stop.expected("nothing").received(received)));
            }
        }
        Ok(match until {
            Some(until) if Instant::now() <= until => Fate::Waits(until),
            None if !walk.settled => Fate::IfQuiet(clients),
            _ => Fate::Holds,
        })
    }

    fn walk_handshake(
        &self,
        handshake: &Handshake,
        gets: &Fields,
        timing: &Timing,
        scope: &mut Scope<'_>,
        walk: &mut Walk<'_>,
    ) -> Outcome<Fate> {
        if handshake.answers().is_empty() {
            return Ok(Fate::Acts);
        }
        let answer = handshake.connection.look(|state| {
            let mut unread = state.inbox.unread().iter();
            unread
                .find(|arrival| handshake.is_answered_by(&arrival.packet))
                .cloned()
        });
        let Some(answer) = answer else {
            if let Some(end) = handshake.connection.end() {
                let message = super::reading::unexpected_end(&handshake.client, end);
                return Ok(Fate::Fails(
                    Stop::miss(self.journal.step(), message).expected("an answer"),
                ));
            }
            let late = self.bounds_from(timing, walk.began)?.late;
            return Ok(wait_for(late, || {
                Stop::miss(self.journal.step(), "no answer came in time")
            }));
        };
        walk.taken.insert(answer.number);
        Ok(match judge_answer(scope, handshake, &answer, gets) {
            Ok(()) | Err(Stop::Skip(_)) => Fate::Acts,
            Err(stop @ Stop::Miss(_)) => Fate::Fails(stop),
            Err(stop) => return Err(stop),
        })
    }
}

/// Waits on, or fails when it is too late.
fn wait_for(until: Instant, failure: impl FnOnce() -> Stop) -> Fate {
    if Instant::now() > until {
        Fate::Fails(failure())
    } else {
        Fate::Waits(until)
    }
}
