//! Steps: one after another, and the forms that hold other steps.

use std::future::Future;
use std::pin::Pin;

use scenario::Spanned;
use scenario::ast::{Action, Over, Step};

use super::premise;
use super::reading::What;
use super::scope::{Datum, Moment};
use super::stage::Stage;
use super::stop::{Outcome, Stop};
use crate::event::Level;

impl Stage<'_> {
    /// Plays steps in their order.
    pub(super) fn play_steps<'s>(
        &'s self,
        steps: &'s [Step],
    ) -> Pin<Box<dyn Future<Output = Outcome> + 's>> {
        Box::pin(async move {
            for step in steps {
                self.play_step(step).await?;
            }
            Ok(())
        })
    }

    /// Plays one step.
    pub(super) async fn play_step(&self, step: &Step) -> Outcome {
        self.journal.enter_step(step.action.span);
        let played = self.act(&step.action).await;
        played.map_err(|stop| {
            premise::settle(self, &step.action.value, stop.beside(step, self.version()))
        })
    }

    async fn act(&self, action: &Spanned<Action>) -> Outcome {
        let span = action.span;
        let moment = match &action.value {
            Action::Send {
                who,
                packet,
                forbidden,
                capture,
            } => {
                let moment = self.send(who, packet, *forbidden, span).await?;
                self.capture_moment(capture.as_ref(), moment);
                moment
            }
            Action::Together {
                who,
                packets,
                forbidden,
            } => self.send_together(who, packets, *forbidden, span).await?,
            Action::SendBytes {
                who,
                bytes,
                forbidden,
            } => self.send_bytes(who, bytes, *forbidden).await?,
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
                self.expect(who, what, timing, self.bounds(timing)?, span)
                    .await?
            }
            Action::ExpectBytes { who, bytes, timing } => {
                self.expect(who, What::Bytes(bytes), timing, self.bounds(timing)?, span)
                    .await?
            }
            Action::Closed {
                who,
                reasons,
                timing,
            } => self.closed(who, reasons, timing, span).await?,
            Action::Nothing {
                who,
                period,
                timing,
            } => self.nothing(who, period.as_ref(), timing, span).await?,
            Action::Do {
                who,
                verb,
                fields,
                gets,
                timing,
            } => self.perform(*verb, who, fields, gets, timing, span).await?,
            Action::Link { who, act, capture } => {
                let moment = self.act_on_link(who, act).await?;
                self.capture_moment(capture.as_ref(), moment);
                moment
            }
            Action::Wait(period) => self.wait(period).await?,
            Action::TargetRestarts => self.restart(true).await?,
            Action::TargetDies => self.restart(false).await?,
            other => return self.hold(other).await,
        };
        self.happened(moment);
        Ok(())
    }

    /// The forms that hold other steps: when they happened is when those did.
    async fn hold(&self, action: &Action) -> Outcome {
        match action {
            Action::Skip(reason) => Err(Stop::Skip(reason.value.clone())),
            Action::Note(text) => {
                let text = self.resolve_text(text)?;
                self.journal.note(text);
                Ok(())
            }
            Action::Any(alternatives) => self.choose(alternatives).await,
            Action::All(steps) => self.all(steps).await,
            Action::InOrder(steps) => {
                let outer = self.order.replace(Some(std::collections::BTreeMap::new()));
                let played = self.play_steps(steps).await;
                self.order.replace(outer);
                played
            }
            Action::AtOnce(steps) => self.at_once(steps).await,
            Action::Should(steps) => match self.play_steps(steps).await {
                Err(Stop::Miss(mut finding)) => {
                    finding.level = Level::Should;
                    if finding.clauses.is_empty() {
                        finding.clauses.clone_from(&self.case.clauses);
                    }
                    self.journal.find(*finding);
                    self.happened(Moment::now());
                    Ok(())
                }
                played => played,
            },
            Action::For {
                variable,
                over,
                steps,
            } => {
                for datum in self.rounds(over)? {
                    self.bind(variable.value.clone(), datum);
                    self.play_steps(steps).await?;
                }
                Ok(())
            }
            Action::If { condition, steps } => {
                if self.condition_holds(&condition.value, condition.span)? {
                    self.play_steps(steps).await?;
                }
                Ok(())
            }
            Action::InVersion { versions, steps } => {
                if versions.contains(&self.version()) {
                    self.play_steps(steps).await?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// What the variable of a loop stands for in each round.
    fn rounds(&self, over: &Over) -> Outcome<Vec<Datum>> {
        match over {
            Over::Range(first, last) => {
                let scope = self.scope();
                let (first, last) = (scope.number(&first.value)?, scope.number(&last.value)?);
                let mut rounds = Vec::new();
                let mut round = first;
                while round <= last {
                    rounds.push(Datum::Number(round));
                    round += 1.0;
                }
                Ok(rounds)
            }
            Over::List(values) => {
                let scope = self.scope();
                values
                    .iter()
                    .map(|value| match &value.value {
                        // A variable is looked up now: the loop may rebind it.
                        scenario::ast::Value::Scalar(pieces) => match pieces.as_slice() {
                            [scenario::ast::Piece::Expr(expr)] => scope.evaluate(&expr.value),
                            _ => Ok(Datum::Text(scope.scalar(pieces)?)),
                        },
                        _ => Ok(Datum::Written(value.clone())),
                    })
                    .collect()
            }
        }
    }
}
