//! The head of a step: `SUBJECT relation OBJECT [as <x>] [after D] [within D] [since <x>]`, and the words that stand alone.

use std::ops::Range;

use codec::PacketType;

use super::Context;
use super::blocks;
use super::words::{Word, words};
use crate::ast::{Condition, Expr, Name, Over, Subject, Timing, Verb};
use crate::diagnostic::Diagnostic;
use crate::node::Scalar;
use crate::source::{Span, Spanned};
use crate::{duration, expression, yaml_errors};

/// What a head says; the step's value gives the rest.
#[derive(Debug)]
pub(super) enum Head {
    Send {
        who: Subject,
        forbidden: bool,
        object: Sent,
        capture: Option<Name>,
    },
    Receive {
        who: Subject,
        object: Received,
        timing: Timing,
    },
    Verb {
        who: Subject,
        verb: Verb,
        timing: Timing,
    },
    Link {
        who: Subject,
        act: LinkWord,
        capture: Option<Name>,
    },
    Word(StepWord),
    TargetRestarts,
    TargetDies,
    For {
        variable: Name,
        over: Over,
    },
    If(Spanned<Condition>),
    InVersion(Vec<codec::Version>),
}

/// What `->` and `!>` send.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sent {
    Packet(Spanned<PacketType>),
    Together,
    Bytes,
}

/// What `<-` expects.
#[derive(Debug)]
pub(super) enum Received {
    Packet(Spanned<PacketType>),
    Bytes,
    Closed,
    Nothing(Option<Spanned<Expr>>),
}

/// What happens to a link.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LinkWord {
    Opens,
    Closes,
    HalfCloses,
    Cuts,
    Stalls,
}

/// A head that is a word and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StepWord {
    Wait,
    Skip,
    Note,
    Any,
    All,
    InOrder,
    AtOnce,
    Should,
}

/// The verbs.
pub(crate) const VERBS: [(&str, Verb); 8] = [
    ("connects", Verb::Connects),
    ("publishes", Verb::Publishes),
    ("subscribes", Verb::Subscribes),
    ("unsubscribes", Verb::Unsubscribes),
    ("receives", Verb::Receives),
    ("disconnects", Verb::Disconnects),
    ("pings", Verb::Pings),
    ("authenticates", Verb::Authenticates),
];

/// What happens to a link.
pub(crate) const LINK_WORDS: [(&str, LinkWord); 5] = [
    ("opens", LinkWord::Opens),
    ("closes", LinkWord::Closes),
    ("half-closes", LinkWord::HalfCloses),
    ("cuts", LinkWord::Cuts),
    ("stalls", LinkWord::Stalls),
];

const STEP_WORDS: [(&str, StepWord); 8] = [
    ("wait", StepWord::Wait),
    ("skip", StepWord::Skip),
    ("note", StepWord::Note),
    ("any", StepWord::Any),
    ("all", StepWord::All),
    ("in order", StepWord::InOrder),
    ("at once", StepWord::AtOnce),
    ("should", StepWord::Should),
];

/// What stands between a client and a packet.
const ARROWS: [&str; 3] = ["->", "!>", "<-"];

/// Words that begin a head and so cannot name a client.
pub(crate) const RESERVED: [&str; 11] = [
    "wait", "skip", "note", "any", "all", "in", "at", "should", "for", "if", "target",
];

/// Reads a head; tells what is wrong with it.
pub(super) fn read(cx: &mut Context<'_>, scalar: &Scalar, whole: Span) -> Option<Head> {
    let text = scalar.text.as_str();
    let reader = Reader {
        text,
        words: words(text),
        at: 0,
        scalar,
        whole,
    };
    match reader.one_line(cx).and_then(|()| reader.head()) {
        Ok(head) => Some(head),
        Err(diagnostic) => {
            cx.report(*diagnostic);
            None
        }
    }
}

type Read<T> = Result<T, Box<Diagnostic>>;

pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    words: Vec<Word<'a>>,
    at: usize,
    scalar: &'a Scalar,
    whole: Span,
}

impl<'a> Reader<'a> {
    fn head(mut self) -> Read<Head> {
        if let Some((_, word)) = STEP_WORDS
            .iter()
            .find(|(name, _)| *name == self.text.trim())
        {
            return Ok(Head::Word(*word));
        }
        match (self.peek(0), self.peek(1)) {
            ("for", _) => {
                let (variable, over) = blocks::loop_head(&mut self)?;
                Ok(Head::For { variable, over })
            }
            ("if", _) => blocks::condition(&mut self).map(Head::If),
            ("in", _) => blocks::versions(&mut self).map(Head::InVersion),
            ("target", "restarts") => self.alone(2, Head::TargetRestarts),
            ("target", "dies") => self.alone(2, Head::TargetDies),
            ("target", second) => {
                let fault =
                    Diagnostic::error(self.here(1), format!("the target cannot `{second}`"));
                Err(fault
                    .help("write `target restarts` or `target dies`")
                    .into())
            }
            _ => self.about_a_client(),
        }
    }

    /// A step that is indented deeper than the one before is swallowed by it.
    fn one_line(&self, cx: &Context<'_>) -> Read<()> {
        let written = cx.source.text.get(self.whole.range()).unwrap_or_default();
        let Some(swallowed) = written
            .find('\n')
            .filter(|at| written[*at..].trim_start().starts_with("- "))
        else {
            return Ok(());
        };
        let behind = &written[swallowed..];
        let start = self.whole.start + swallowed + behind.len() - behind.trim_start().len();
        let dash = Span {
            start,
            end: start + 1,
        };
        Err(
            Diagnostic::error(dash, "this line belongs to the step before it")
                .note("it is indented deeper")
                .help("begin each step in the same column")
                .into(),
        )
    }

    fn alone(mut self, words: usize, head: Head) -> Read<Head> {
        self.at = words;
        self.end().map(|()| head)
    }

    fn about_a_client(mut self) -> Read<Head> {
        let who = self.subject()?;
        let relation = self.take();
        let relation_place = self.place(relation.range.clone());
        match relation.text {
            "->" | "!>" => {
                let object = self.sent()?;
                let timing = self.suffixes(true)?;
                Ok(Head::Send {
                    who,
                    forbidden: relation.text == "!>",
                    object,
                    capture: timing.capture,
                })
            }
            "<-" => {
                let object = self.received()?;
                let timing = self.suffixes(false)?;
                Ok(Head::Receive {
                    who,
                    object,
                    timing,
                })
            }
            word => {
                if let Some((_, verb)) = VERBS.iter().find(|(name, _)| *name == word) {
                    let timing = self.suffixes(false)?;
                    return Ok(Head::Verb {
                        who,
                        verb: *verb,
                        timing,
                    });
                }
                if let Some((_, act)) = LINK_WORDS.iter().find(|(name, _)| *name == word) {
                    let timing = self.suffixes(true)?;
                    return Ok(Head::Link {
                        who,
                        act: *act,
                        capture: timing.capture,
                    });
                }
                Err(self.unknown_relation(word, relation_place).into())
            }
        }
    }

    fn unknown_relation(&self, word: &str, place: Span) -> Diagnostic {
        if let Some(arrow) = ARROWS.into_iter().find(|arrow| word.starts_with(arrow)) {
            return blanks_missing(place, arrow);
        }
        let relations = ARROWS
            .into_iter()
            .chain(VERBS.iter().map(|(name, _)| *name))
            .chain(LINK_WORDS.iter().map(|(name, _)| *name));
        if word.is_empty() {
            let known = STEP_WORDS.iter().map(|(name, _)| *name);
            return Diagnostic::error(self.whole, format!("`{}` is no step", self.text.trim()))
                .help("a step is `CLIENT -> PACKET`, `CLIENT <- PACKET`, `CLIENT verb`, or a word such as `wait`")
                .suggest_only(self.text.trim(), known);
        }
        Diagnostic::error(place, format!("a client cannot `{word}`")).suggest(word, relations)
    }

    fn sent(&mut self) -> Read<Sent> {
        match self.peek(0) {
            "together" => {
                self.at += 1;
                Ok(Sent::Together)
            }
            "bytes" => {
                self.at += 1;
                Ok(Sent::Bytes)
            }
            _ => self.packet_type(&["together", "bytes"]).map(Sent::Packet),
        }
    }

    fn received(&mut self) -> Read<Received> {
        match self.peek(0) {
            "closed" => {
                self.at += 1;
                Ok(Received::Closed)
            }
            "bytes" => {
                self.at += 1;
                Ok(Received::Bytes)
            }
            "nothing" => {
                self.at += 1;
                let mut period = None;
                if self.peek(0) == "for" {
                    self.at += 1;
                    period = Some(self.duration()?);
                }
                Ok(Received::Nothing(period))
            }
            _ => self
                .packet_type(&["closed", "nothing", "bytes"])
                .map(Received::Packet),
        }
    }

    fn packet_type(&mut self, others: &[&'static str]) -> Read<Spanned<PacketType>> {
        let word = self.take();
        let place = self.place(word.range.clone());
        if let Some(colon) = word.text.find(":{").or_else(|| word.text.find(":[")) {
            let start = self
                .place(word.range.start + colon..word.range.start + colon)
                .start;
            return Err(yaml_errors::missing_blank(start).into());
        }
        packet_type(word.text, place, others).map_err(Box::new)
    }

    fn subject(&mut self) -> Read<Subject> {
        let first = self.peek(0);
        if first.starts_with('<') && first != "<-" {
            return self.variable().map(Subject::Captured);
        }
        let mut names = vec![self.client()?];
        let separator = self.peek(0).to_owned();
        if separator == "," || separator == "|" {
            while self.peek(0) == separator {
                self.at += 1;
                names.push(self.client()?);
            }
            if matches!(self.peek(0), "," | "|") {
                let fault = Diagnostic::error(self.here(0), "`,` and `|` cannot be mixed");
                return Err(fault
                    .help("`a, b` is each of them, `a | b` exactly one of them")
                    .into());
            }
        }
        Ok(if separator == "|" {
            Subject::OneOf(names)
        } else {
            Subject::Each(names)
        })
    }

    fn client(&mut self) -> Read<Name> {
        let word = self.take();
        let place = self.place(word.range.clone());
        if RESERVED.contains(&word.text) {
            let fault = Diagnostic::error(place, format!("`{}` cannot name a client", word.text));
            return Err(fault.note("the word begins a step of another kind").into());
        }
        if expression::is_name(word.text) {
            return Ok(Spanned::new(word.text.to_owned(), place));
        }
        let arrow = ARROWS.into_iter().find(|arrow| word.text.contains(arrow));
        if let Some(arrow) = arrow {
            return Err(blanks_missing(place, arrow).into());
        }
        let fault = Diagnostic::error(
            place,
            format!("a client's name was expected, and here is `{}`", word.text),
        );
        Err(fault
            .help("a name is a letter, then letters, digits and `_`")
            .into())
    }

    /// `as <x>`, `after D`, `within D`, `since <x>`, in any order.
    fn suffixes(&mut self, only_capture: bool) -> Read<Timing> {
        const WORDS: [&str; 4] = ["as", "after", "within", "since"];
        let mut timing = Timing::default();
        while !self.peek(0).is_empty() {
            let place = self.here(0);
            let word = self.take().text;
            if only_capture && word != "as" && WORDS.contains(&word) {
                let fault = Diagnostic::error(place, format!("`{word}` belongs to an expectation"));
                return Err(fault.note("what a scenario does happens at once").into());
            }
            let twice = match word {
                "as" => timing.capture.replace(self.variable()?).is_some(),
                "since" => timing.since.replace(self.variable()?).is_some(),
                "after" => timing.after.replace(self.duration()?).is_some(),
                "within" => timing.within.replace(self.duration()?).is_some(),
                _ if word.starts_with(['{', '[']) => {
                    return Err(self.missing_colon(place).into());
                }
                _ => {
                    let fault = Diagnostic::error(place, format!("`{word}` has no meaning here"));
                    return Err(fault.suggest(word, WORDS).into());
                }
            };
            if twice {
                return Err(Diagnostic::error(place, format!("`{word}` is given twice")).into());
            }
        }
        Ok(timing)
    }

    /// `PUBLISH { … }`: the fields stand there, and the colon does not.
    fn missing_colon(&self, fields: Span) -> Diagnostic {
        let head = self.text.split(['{', '[']).next().unwrap_or_default();
        let place = Span {
            start: fields.start,
            end: fields.start + 1,
        };
        Diagnostic::error(place, "a colon is missing before the fields")
            .help(format!("write `{}: {{ … }}`", head.trim_end()))
    }

    /// `<x>`, where a plain name is bound or meant.
    pub(super) fn variable(&mut self) -> Read<Name> {
        let word = self.take();
        let place = self.place(word.range.clone());
        let inner = word
            .text
            .strip_prefix('<')
            .and_then(|rest| rest.strip_suffix('>'));
        match inner {
            Some(name) if expression::is_name(name) => Ok(Spanned::new(name.to_owned(), place)),
            _ => {
                let fault = Diagnostic::error(
                    place,
                    format!("a variable was expected, and here is `{}`", word.text),
                );
                Err(fault.help("write `<name>`").into())
            }
        }
    }

    fn duration(&mut self) -> Read<Spanned<Expr>> {
        let word = self.take();
        let start = word.range.start;
        duration::expression(word.text, &|range| {
            self.place(start + range.start..start + range.end)
        })
        .map_err(|error| {
            let place = self.place(start + error.range.start..start + error.range.end);
            Box::new(Diagnostic::error(place, error.message).help(DURATION_HELP))
        })
    }

    /// Fails unless all words are taken.
    pub(super) fn end(&self) -> Read<()> {
        if self.peek(0).is_empty() {
            return Ok(());
        }
        Err(Diagnostic::error(
            self.here(0),
            format!("`{}` has no meaning here", self.peek(0)),
        )
        .into())
    }

    /// The word `ahead` of the next one; empty behind the last.
    pub(super) fn peek(&self, ahead: usize) -> &'a str {
        self.words.get(self.at + ahead).map_or("", |word| word.text)
    }

    /// Takes the next word.
    pub(super) fn take(&mut self) -> Word<'a> {
        let word = self.words.get(self.at).cloned().unwrap_or(Word {
            text: "",
            range: self.text.len()..self.text.len(),
        });
        self.at += 1;
        word
    }

    /// The place of the word `ahead` of the next one.
    pub(super) fn here(&self, ahead: usize) -> Span {
        match self.words.get(self.at + ahead) {
            Some(word) => self.place(word.range.clone()),
            None => self.place(self.text.len()..self.text.len()),
        }
    }

    /// What stands behind the words taken, and where.
    pub(super) fn remainder(&self) -> (&'a str, usize) {
        let start = self
            .words
            .get(self.at)
            .map_or(self.text.len(), |word| word.range.start);
        (self.text[start..].trim_end(), start)
    }

    /// The place in the file of a part of the head.
    pub(super) fn place(&self, range: Range<usize>) -> Span {
        self.scalar.place(range, self.whole)
    }
}

/// `a->PINGREQ` is one word.
fn blanks_missing(place: Span, arrow: &str) -> Diagnostic {
    Diagnostic::error(place, format!("`{arrow}` wants a blank on each side"))
        .help(format!("write `CLIENT {arrow} PACKET`"))
}

/// What to write for a duration.
pub(super) const DURATION_HELP: &str = "write `3s`, `250ms`, `1m` or `<2 * x>s`";

/// A packet by its name in capitals.
pub(super) fn packet_type(
    name: &str,
    place: Span,
    others: &[&'static str],
) -> Result<Spanned<PacketType>, Diagnostic> {
    name.parse()
        .map(|packet_type| Spanned::new(packet_type, place))
        .map_err(|_| {
            let message = if name.is_empty() {
                "a packet was expected here".to_owned()
            } else {
                format!("`{name}` is no Control Packet")
            };
            let known = PacketType::ALL
                .into_iter()
                .map(PacketType::name)
                .chain(others.iter().copied());
            Diagnostic::error(place, message).suggest(name, known)
        })
}
