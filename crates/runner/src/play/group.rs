//! Groups: `all`, in any order, and `at once`, overlapping.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use codec::PacketType;
use scenario::ast::{Action, Fields, Step, Subject, Timing, Verb};
use tokio::time::Instant;

use super::client::Client;
use super::inbox::Arrival;
use super::reading::{Attempt, Reading, Taken, What, compare};
use super::scope::{Datum, Moment, Scope};
use super::stage::{Bounds, Stage, shown};
use super::stop::{Outcome, Stop};

/// One expectation within `all`.
pub(super) struct Leaf<'s> {
    reading: Reading<'s>,
    bounds: Bounds,
    who: &'s Subject,
    timing: &'s Timing,
    step: &'s Step,
}

/// Which arrival fits which expectation of `all`.
pub(super) enum Assignment {
    /// Each has its own: the place of the expectation, the client, the arrival; in the order of arrival.
    Complete(Vec<(usize, Rc<Client>, Rc<Arrival>)>),
    /// What has arrived fits; more is to come.
    Partial,
    /// Something arrived that fits none.
    Impossible(Stop),
}

impl Stage<'_> {
    /// `all: [steps]`.
    pub(super) async fn all(&self, steps: &[Step]) -> Outcome {
        let begun = Instant::now();
        let Some(leaves) = self.leaves(steps, begun)? else {
            // Steps that send can only overlap.
            return self.at_once(steps).await;
        };
        let late = leaves
            .iter()
            .map(|leaf| leaf.bounds.late)
            .max()
            .unwrap_or(begun);
        let found = self
            .journal
            .until(late, || {
                let mut scope = self.scope();
                match self.assign(&mut scope, &leaves, &Taken::new()) {
                    Ok(Assignment::Partial) => None,
                    assignment => Some((scope, assignment)),
                }
            })
            .await;
        let Some((scope, assignment)) = found else {
            return Err(self.missing(&leaves));
        };
        let assigned = match assignment? {
            Assignment::Complete(assigned) => assigned,
            Assignment::Impossible(stop) => return Err(stop),
            Assignment::Partial => return Err(self.missing(&leaves)),
        };
        scope.commit();
        for (at, client, arrival) in &assigned {
            let leaf = &leaves[*at];
            let accepted = leaf.reading.accept(self, client, arrival, leaf.bounds);
            accepted.map_err(|stop| stop.beside(leaf.step, self.version()))?;
        }
        for (at, client, arrival) in &assigned {
            let leaf = &leaves[*at];
            self.advance_order(&client.name, arrival.number);
            let captured = match leaf.who {
                Subject::OneOf(_) => Datum::Client(client.name.clone()),
                _ => Datum::Moment(Moment {
                    begun: arrival.at,
                    done: arrival.at,
                }),
            };
            self.capture(leaf.timing, captured);
            self.complete(&leaf.reading, client, arrival).await?;
        }
        for leaf in &leaves {
            if let Action::Closed {
                who,
                reasons,
                timing,
            } = &leaf.step.action.value
            {
                self.closed(who, reasons, timing, leaf.step.action.span)
                    .await?;
            }
        }
        self.happened(Moment::since(begun));
        Ok(())
    }

    /// The expectations of a group; `None` when it holds steps that do more than read.
    pub(super) fn leaves<'s>(
        &self,
        steps: &'s [Step],
        now: Instant,
    ) -> Outcome<Option<Vec<Leaf<'s>>>> {
        let mut leaves = Vec::new();
        for step in steps {
            let span = step.action.span;
            let (who, what, timing) = match &step.action.value {
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
                    (who, what, timing)
                }
                Action::Do {
                    who,
                    verb: Verb::Receives,
                    fields,
                    timing,
                    ..
                } => {
                    let what = What::Packet {
                        packet_type: PacketType::Publish,
                        fields,
                        completes: true,
                    };
                    (who, what, timing)
                }
                Action::Closed { who, timing, .. } => (who, What::Closed, timing),
                Action::All(inner) => {
                    let Some(inner) = self.leaves(inner, now)? else {
                        return Ok(None);
                    };
                    leaves.extend(inner);
                    continue;
                }
                _ => return Ok(None),
            };
            let bounds = self.bounds_from(timing, now)?;
            for reading in Reading::all(self, who, what, span)? {
                leaves.push(Leaf {
                    reading,
                    bounds,
                    who,
                    timing,
                    step,
                });
            }
        }
        Ok(Some(leaves))
    }

    /// Fits the oldest unread packets to expectations.
    pub(super) fn assign(
        &self,
        scope: &mut Scope<'_>,
        leaves: &[Leaf<'_>],
        taken: &Taken,
    ) -> Outcome<Assignment> {
        let candidates = candidates(leaves, taken);
        let mut assigned = Vec::new();
        if !fit(scope, leaves, &candidates, &mut assigned)? {
            return Ok(Assignment::Impossible(self.misfit(
                scope,
                leaves,
                &candidates,
            )?));
        }
        let mut complete = true;
        for (at, leaf) in leaves.iter().enumerate() {
            if assigned.iter().any(|(used, ..)| *used == at) {
                continue;
            }
            match leaf.reading.attempt(&mut self.scope(), taken)? {
                Attempt::Ended(..) => {}
                Attempt::Mismatch(stop) if candidates.len() < leaves.len() && leaf.is_over() => {
                    return Ok(Assignment::Impossible(stop));
                }
                _ => complete = false,
            }
        }
        Ok(if complete {
            Assignment::Complete(assigned)
        } else {
            Assignment::Partial
        })
    }

    /// What is wrong when the packets fit no way.
    fn misfit(
        &self,
        scope: &mut Scope<'_>,
        leaves: &[Leaf<'_>],
        candidates: &[(Rc<Client>, Rc<Arrival>)],
    ) -> Outcome<Stop> {
        let mut culprit = candidates.last();
        for candidate in candidates {
            let mark = scope.mark();
            let mut fits = false;
            for leaf in leaves {
                fits = fits || leaf.fits(scope, &candidate.0, &candidate.1)?;
                scope.forget(mark);
            }
            if !fits {
                culprit = Some(candidate);
                break;
            }
        }
        let expected: Vec<_> = leaves
            .iter()
            .map(|leaf| leaf.reading.expected(scope))
            .collect();
        let name = culprit.map_or("a client", |(client, _)| client.name.as_str());
        let stop = Stop::miss(
            self.journal.step(),
            format!("`{name}` received what fits none of the expectations"),
        )
        .expected(expected.join("; "))
        .received(culprit.map(|(_, arrival)| shown(arrival)));
        Ok(stop)
    }

    /// Not everything came in time.
    pub(super) fn missing(&self, leaves: &[Leaf<'_>]) -> Stop {
        let mut scope = self.scope();
        let mut assigned = Vec::new();
        let candidates = candidates(leaves, &Taken::new());
        let _ = fit(&mut scope, leaves, &candidates, &mut assigned);
        let missing = leaves
            .iter()
            .enumerate()
            .find(|(at, _)| !assigned.iter().any(|(used, ..)| used == at));
        match missing {
            Some((_, leaf)) => leaf
                .reading
                .timeout(&self.scope())
                .beside(leaf.step, self.version()),
            None => Stop::miss(self.journal.step(), "not everything came in time"),
        }
    }

    /// `at once: [steps]`: the steps overlap, and so do the handshakes of one.
    pub(super) async fn at_once(&self, steps: &[Step]) -> Outcome {
        let outer = self.overlapping.replace(true);
        let mut running: Vec<Option<Pin<Box<dyn Future<Output = Outcome> + '_>>>> = steps
            .iter()
            .map(|step| {
                let play: Pin<Box<dyn Future<Output = Outcome> + '_>> = Box::pin(async move {
                    self.play_step(step).await?;
                    self.finish_all().await
                });
                Some(play)
            })
            .collect();
        let played = poll_fn(|context| {
            for slot in &mut running {
                let Some(play) = slot else {
                    continue;
                };
                match play.as_mut().poll(context) {
                    Poll::Ready(Ok(())) => *slot = None,
                    Poll::Ready(Err(stop)) => return Poll::Ready(Err(stop)),
                    Poll::Pending => {}
                }
            }
            if running.iter().all(Option::is_none) {
                Poll::Ready(Ok(()))
            } else {
                Poll::Pending
            }
        })
        .await;
        self.overlapping.set(outer);
        if played.is_err() {
            self.under_way.borrow_mut().clear();
        }
        played
    }
}

impl Leaf<'_> {
    fn packet(&self) -> Option<(PacketType, &Fields)> {
        match self.reading.what {
            What::Packet {
                packet_type,
                fields,
                ..
            } => Some((packet_type, fields)),
            What::Bytes(_) | What::Closed => None,
        }
    }

    fn takes(&self, client: &Client, packet_type: PacketType) -> bool {
        self.packet()
            .is_some_and(|(wanted, _)| wanted == packet_type)
            && self
                .reading
                .clients
                .iter()
                .any(|known| known.name == client.name)
    }

    fn fits(
        &self,
        scope: &mut Scope<'_>,
        client: &Rc<Client>,
        arrival: &Rc<Arrival>,
    ) -> Outcome<bool> {
        match self.packet() {
            Some((packet_type, fields))
                if self.takes(client, packet_type)
                    && arrival.packet.packet_type() == packet_type =>
            {
                Ok(compare(scope, client, arrival, fields)?.is_ok())
            }
            _ => Ok(false),
        }
    }

    /// Whether nothing can arrive for it any more.
    fn is_over(&self) -> bool {
        self.packet().is_some()
            && self
                .reading
                .clients
                .iter()
                .all(|client| client.open_connection().is_none())
    }
}

/// The oldest unread packets, of each client and type as many as are expected, in the order of arrival.
fn candidates(leaves: &[Leaf<'_>], taken: &Taken) -> Vec<(Rc<Client>, Rc<Arrival>)> {
    let mut wanted: BTreeMap<(String, PacketType), (Rc<Client>, usize)> = BTreeMap::new();
    for leaf in leaves {
        if let Some((packet_type, _)) = leaf.packet() {
            for client in &leaf.reading.clients {
                let entry = wanted
                    .entry((client.name.clone(), packet_type))
                    .or_insert((client.clone(), 0));
                entry.1 += 1;
            }
        }
    }
    let mut candidates = Vec::new();
    for ((_, packet_type), (client, count)) in wanted {
        if let Some(connection) = client.connection() {
            let oldest = connection.look(|state| {
                let unread = state
                    .inbox
                    .queue(packet_type)
                    .filter(|arrival| !taken.contains(&arrival.number));
                unread.take(count).cloned().collect::<Vec<_>>()
            });
            candidates.extend(oldest.into_iter().map(|arrival| (client.clone(), arrival)));
        }
    }
    candidates.sort_by_key(|(_, arrival)| arrival.number);
    candidates
}

/// Gives each candidate an expectation of its own, if there is a way to.
fn fit(
    scope: &mut Scope<'_>,
    leaves: &[Leaf<'_>],
    candidates: &[(Rc<Client>, Rc<Arrival>)],
    assigned: &mut Vec<(usize, Rc<Client>, Rc<Arrival>)>,
) -> Outcome<bool> {
    let Some(((client, arrival), rest)) = candidates.split_first() else {
        return Ok(true);
    };
    let mut open = false;
    for (at, leaf) in leaves.iter().enumerate() {
        if assigned.iter().any(|(used, ..)| *used == at)
            || !leaf.takes(client, arrival.packet.packet_type())
        {
            continue;
        }
        open = true;
        let mark = scope.mark();
        if leaf.fits(scope, client, arrival)? {
            assigned.push((at, client.clone(), arrival.clone()));
            if fit(scope, leaves, rest, assigned)? {
                return Ok(true);
            }
            assigned.pop();
        }
        scope.forget(mark);
    }
    // With `a | b` there may be more candidates than expectations: what is left over stays unread.
    if open {
        Ok(false)
    } else {
        fit(scope, leaves, rest, assigned)
    }
}
