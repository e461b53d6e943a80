//! [`Stage`]: everything one exchange needs: its clients, its names, its journal and the target.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use clauses::ClauseId;
use codec::Version;
use codec::draft::Value;
use scenario::ast::{Fields, Subject, Timing};
use scenario::{Case, Span};
use tokio::time::Instant;

use super::client::Client;
use super::inbox::Arrival;
use super::journal::Journal;
use super::late::Publications;
use super::scope::{Bindings, Datum, Moment, Scope};
use super::session::Leftovers;
use super::stop::{Outcome, Stop};
use super::traffic::Traffic;
use super::verbs::UnderWay;
use super::{links, value};
use crate::event::{Finding, Happening, Level};
use crate::target::Target;
use crate::{Namespace, Settings};

/// How long an answer is waited for where the scenario gives no time.
pub(super) const ANSWER: Duration = Duration::from_secs(5);

/// Everything one exchange needs.
pub(super) struct Stage<'a> {
    pub(super) case: &'a Case,
    pub(super) target: &'a Target,
    pub(super) settings: &'a Settings,
    /// The namespace whose token is `<t>`.
    pub(super) namespace: Namespace,
    pub(super) journal: Rc<Journal>,
    pub(super) leftovers: Rc<Leftovers>,
    pub(super) traffic: Rc<Traffic>,
    pub(super) publications: Rc<Publications>,
    /// How many connections were opened.
    openings: Cell<u32>,
    /// Whether packets that nobody reads are judged; a control twin only has to survive.
    pub(super) judges_unread: bool,
    clients: RefCell<BTreeMap<String, Rc<Client>>>,
    bindings: RefCell<Bindings>,
    /// The step before this one.
    previous: Cell<Moment>,
    /// Within `in order:`, the last arrival that each client has read.
    pub(super) order: RefCell<Option<BTreeMap<String, u64>>>,
    /// Within `at once:`, how many verbs overlap.
    pub(super) overlapping: Cell<bool>,
    /// Since when the first step of a chosen alternative has been looking on already.
    pub(super) quiet_since: Cell<Option<Instant>>,
    /// How many sentinels were sent.
    pub(super) sentinels: Cell<u64>,
    /// Within `at once:`, the handshakes that have begun and are not finished.
    pub(super) under_way: RefCell<VecDeque<UnderWay>>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(
        case: &'a Case,
        target: &'a Target,
        settings: &'a Settings,
        namespace: Namespace,
        judges_unread: bool,
    ) -> Self {
        let journal = Rc::new(Journal::new());
        let stage = Self {
            case,
            target,
            settings,
            namespace,
            journal,
            leftovers: Rc::default(),
            traffic: Rc::new(Traffic::new()),
            publications: Rc::default(),
            openings: Cell::new(0),
            judges_unread,
            clients: RefCell::default(),
            bindings: RefCell::default(),
            previous: Cell::new(Moment::now()),
            order: RefCell::default(),
            overlapping: Cell::new(false),
            quiet_since: Cell::new(None),
            sentinels: Cell::new(0),
            under_way: RefCell::default(),
        };
        let token = stage.namespace.token.clone();
        stage.bind(
            "g".to_owned(),
            Datum::Text(format!("g{token}").into_bytes()),
        );
        stage.bind("t".to_owned(), Datum::Text(token.into_bytes()));
        if let Some(row) = case.scenario.each.get(case.row) {
            for (name, value) in &row.bindings {
                stage.bind(name.value.clone(), Datum::Written(value.clone()));
            }
        }
        stage
    }

    pub(super) fn version(&self) -> Version {
        self.case.version
    }

    pub(super) fn lookup(&self, name: &str) -> Option<Datum> {
        self.bindings.borrow().get(name).cloned()
    }

    pub(super) fn bind(&self, name: String, datum: Datum) {
        self.bindings.borrow_mut().insert(name, datum);
    }

    pub(super) fn scope(&self) -> Scope<'_> {
        Scope::new(self)
    }

    /// What `<a.id>`, `<a.connack.receive_maximum>` and `<target.user>` stand for.
    pub(super) fn member(&self, path: &[String]) -> Outcome<Datum> {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["target", name @ ..] => {
                let name = name.join(".");
                let value = self.target.value(&name);
                value
                    .map(|value| Datum::Text(value.into_bytes()))
                    .ok_or_else(|| Stop::Skip(format!("the target's profile has no `{name}`")))
            }
            ["auth", "first"] => match self.target.authentication() {
                Some(authentication) => {
                    Ok(Datum::Field(Value::Binary(authentication.first.clone())))
                }
                None => Err(Stop::Skip(
                    "the target's authentication method is not known".into(),
                )),
            },
            [client, rest @ ..] => {
                let client = match self.lookup(client) {
                    Some(Datum::Client(name)) => name,
                    _ => (*client).to_owned(),
                };
                links::member(&*self.client(&client)?, rest)
            }
            [] => Err(Stop::cannot("an empty `<…>`")),
        }
    }

    /// A client by its name; one that no list names begins without a connection.
    pub(super) fn client(&self, name: &str) -> Outcome<Rc<Client>> {
        if let Some(client) = self.clients.borrow().get(name) {
            return Ok(client.clone());
        }
        self.admit(name, &Fields::default())
    }

    /// Takes a client up, with its options.
    pub(super) fn admit(&self, name: &str, options: &Fields) -> Outcome<Rc<Client>> {
        let version = match options.get("version") {
            Some(version) => {
                let text = self.resolve_text(version)?;
                text.parse()
                    .map_err(|_| Stop::cannot(format!("`{text}` is no version of MQTT")))?
            }
            None => self.version(),
        };
        if let Some(reason) = self.target.reason_to_skip(version, &[]) {
            return Err(Stop::Skip(reason));
        }
        let link = match options.get("link") {
            Some(link) => links::options(self, link)?,
            None => self.settings.way.options(),
        };
        let mut clients = self.clients.borrow_mut();
        let id = client_id(&self.namespace.token, clients.len(), name);
        let client = Rc::new(Client::new(name, id, version, link));
        clients.insert(name.to_owned(), client.clone());
        Ok(client)
    }

    /// Takes up those clients that no list names, in the version that they connect with.
    pub(super) fn admit_new(&self, who: &Subject, options: &Fields) -> Outcome {
        if let Subject::Each(names) | Subject::OneOf(names) = who {
            for name in names {
                if !self.clients.borrow().contains_key(&name.value) {
                    self.admit(&name.value, options)?;
                }
            }
        }
        Ok(())
    }

    /// Every client that took part.
    pub(super) fn all_clients(&self) -> Vec<Rc<Client>> {
        self.clients.borrow().values().cloned().collect()
    }

    /// The clients that a step is about.
    pub(super) fn subjects(&self, who: &Subject) -> Outcome<Vec<Rc<Client>>> {
        match who {
            Subject::Each(names) | Subject::OneOf(names) => {
                names.iter().map(|name| self.client(&name.value)).collect()
            }
            Subject::Captured(name) => match self.lookup(&name.value) {
                Some(Datum::Client(client)) => Ok(vec![self.client(&client)?]),
                _ => Err(Stop::cannot(format!("`<{}>` names no client", name.value))),
            },
        }
    }

    /// The one client of a step that cannot leave it open who acts.
    pub(super) fn actors(&self, who: &Subject) -> Outcome<Vec<Rc<Client>>> {
        if matches!(who, Subject::OneOf(_)) {
            return Err(Stop::cannot("`|` can only say who receives"));
        }
        self.subjects(who)
    }

    pub(super) fn previous(&self) -> Moment {
        self.previous.get()
    }

    /// Remembers when a step happened: the next one counts from there.
    pub(super) fn happened(&self, moment: Moment) {
        self.previous.set(moment);
    }

    /// When an answer that is waited for from now on is late.
    pub(super) fn answer_deadline(&self) -> Instant {
        Instant::now() + self.stretch(ANSWER)
    }

    /// An upper bound, stretched for a slow target and for the networks on the way to it.
    pub(super) fn stretch(&self, bound: Duration) -> Duration {
        bound.mul_f64(self.settings.patience.max(1.0)) + self.traffic.lateness()
    }

    /// Counts a connection that is opened, and says how many there were before.
    pub(super) fn count_opening(&self) -> u32 {
        self.openings.replace(self.openings.get() + 1)
    }

    /// Seconds of an expression.
    pub(super) fn duration(&self, expr: &scenario::ast::Expr) -> Outcome<Duration> {
        let seconds = self.scope().number(expr)?;
        Duration::try_from_secs_f64(seconds)
            .map_err(|_| Stop::cannot(format!("{seconds} s is no period of time")))
    }

    /// The bounds that a step's timing gives.
    pub(super) fn bounds(&self, timing: &Timing) -> Outcome<Bounds> {
        self.bounds_from(timing, Instant::now())
    }

    /// The same for a step that began at `now`.
    pub(super) fn bounds_from(&self, timing: &Timing, now: Instant) -> Outcome<Bounds> {
        let base = match &timing.since {
            Some(name) => match self.lookup(&name.value) {
                Some(Datum::Moment(moment)) => moment,
                _ => return Err(Stop::cannot(format!("`<{}>` names no instant", name.value))),
            },
            None => self.previous(),
        };
        let after = timing
            .after
            .as_ref()
            .map(|after| self.duration(&after.value))
            .transpose()?;
        let within = timing
            .within
            .as_ref()
            .map(|within| self.duration(&within.value))
            .transpose()?;
        let late = match within {
            Some(within) => base.done + self.stretch(within),
            None => now.max(base.begun + after.unwrap_or_default()) + self.stretch(ANSWER),
        };
        Ok(Bounds {
            base,
            after,
            within,
            late,
        })
    }

    /// Keeps what `as <x>` names.
    pub(super) fn capture(&self, timing: &Timing, datum: Datum) {
        if let Some(name) = &timing.capture {
            self.bind(name.value.clone(), datum);
        }
    }

    /// A remark for whoever reads the trace.
    pub(super) fn remark(&self, client: &str, text: impl Into<String>) {
        self.journal.tell(client, Happening::Remark(text.into()));
    }

    /// A warning: something that should have been otherwise, and ends nothing.
    pub(super) fn warn(
        &self,
        span: Span,
        clauses: Vec<ClauseId>,
        message: String,
        received: Option<String>,
    ) {
        self.journal.find(Finding {
            level: Level::Should,
            clauses: if clauses.is_empty() {
                self.case.clauses.clone()
            } else {
                clauses
            },
            span,
            message,
            expected: None,
            received,
            why: None,
        });
    }

    /// Within `in order:`, checks that a packet came after what was read before it.
    pub(super) fn check_order(&self, client: &str, arrival: &Arrival, span: Span) -> Outcome {
        let order = self.order.borrow();
        let last = order.as_ref().and_then(|order| order.get(client));
        if last.is_some_and(|last| arrival.number < *last) {
            return Err(Stop::miss(
                span,
                format!(
                    "{} came too early: the steps before it came later",
                    arrival.packet.packet_type()
                ),
            )
            .received(shown(arrival)));
        }
        Ok(())
    }

    /// Within `in order:`, remembers what was read.
    pub(super) fn advance_order(&self, client: &str, number: u64) {
        if let Some(order) = &mut *self.order.borrow_mut() {
            let last = order.entry(client.to_owned()).or_insert(number);
            *last = number.max(*last);
        }
    }
}

/// When something must happen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    base: Moment,
    after: Option<Duration>,
    within: Option<Duration>,
    /// From here on it is too late.
    pub(super) late: Instant,
}

impl Bounds {
    /// The same, with time until `late` at least.
    pub(super) fn not_before(self, late: Instant) -> Self {
        Self {
            late: late.max(self.late),
            ..self
        }
    }

    /// The same, with time until `late` where the scenario gives none.
    pub(super) fn unless_given(self, late: Instant) -> Self {
        match self.within {
            Some(_) => self,
            None => self.not_before(late),
        }
    }

    /// What is wrong with something that happened at this time.
    pub(super) fn judge(&self, at: Instant) -> Option<String> {
        if let Some(after) = self.after
            && at < self.base.begun + after
        {
            let early = at.saturating_duration_since(self.base.begun);
            return Some(format!(
                "after {:.3} s, which is before {:.3} s",
                early.as_secs_f64(),
                after.as_secs_f64()
            ));
        }
        if let Some(within) = self.within
            && at > self.late
        {
            let late = at.saturating_duration_since(self.base.done);
            return Some(format!(
                "after {:.3} s, which is not within {:.3} s",
                late.as_secs_f64(),
                within.as_secs_f64()
            ));
        }
        None
    }
}

/// A Client Identifier that every server takes: at most 23 letters and digits (3.1.1 section 3.1.3.1).
fn client_id(token: &str, index: usize, name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    token
        .chars()
        .chain(index.to_string().chars())
        .chain(letters)
        .take(23)
        .collect()
}

/// What was received, for a finding.
pub(super) fn shown(arrival: &Arrival) -> String {
    arrival.packet.to_string()
}

/// What of a packet answers to a name in `<a.connack.…>`.
pub(super) fn field_datum(packet: &codec::draft::Draft, name: &str) -> Option<Datum> {
    let spec = codec::draft::field(packet.packet_type(), name)?;
    value::carried(packet, spec).map(Datum::Field)
}
