//! [`Secrets`]: what must not be seen in any report, and how it is taken out of everything that is told.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::event::{CaseReport, Crash, Entry, Event, Finding, Happening, Verdict};

/// What stands in a secret's place.
const MASK: &str = "•••";

/// A secret of fewer bytes is taken out of CONNECT only: it would be found in half of all words.
const SHORT: usize = 4;

/// The words that must not be seen.
#[derive(Clone, Default)]
pub struct Secrets {
    /// The longest first, so that one within another does not spoil it.
    words: Vec<String>,
}

impl Secrets {
    /// One more secret.
    pub fn add(&mut self, secret: &str) {
        if !secret.is_empty() && !self.words.iter().any(|word| word == secret) {
            self.words.push(secret.to_owned());
            self.words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        }
    }

    /// Those of another set as well.
    pub fn extend(&mut self, others: &Self) {
        for word in &others.words {
            self.add(word);
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// A text without the secrets.
    pub fn mask(&self, text: &str) -> String {
        self.masked(text, SHORT)
    }

    /// An event without the secrets.
    pub(crate) fn mask_event(&self, event: &mut Event) {
        if self.is_empty() {
            return;
        }
        match event {
            Event::CaseFinished(report) => self.mask_report(report),
            Event::Notice(text) => *text = self.mask(text),
            Event::TargetCrashed(crash) => self.mask_crash(crash),
            Event::RunStarted(_)
            | Event::CaseStarted(_)
            | Event::RoundFinished(_)
            | Event::RunFinished(_) => {}
        }
    }

    fn mask_crash(&self, crash: &mut Crash) {
        crash.seen = self.mask(&crash.seen);
        if let Some(log) = &mut crash.log_tail {
            *log = self.mask(log);
        }
    }

    fn mask_report(&self, report: &mut CaseReport) {
        match &mut report.verdict {
            Verdict::Skip { reason }
            | Verdict::Untested { reason }
            | Verdict::Known { reason }
            | Verdict::Crashed { reason } => *reason = self.mask(reason),
            Verdict::Pass | Verdict::Fail | Verdict::Warn | Verdict::Note | Verdict::Fixed => {}
        }
        for note in &mut report.notes {
            *note = self.mask(note);
        }
        for finding in &mut report.findings {
            self.mask_finding(finding);
        }
        for entry in &mut report.trace {
            self.mask_entry(entry);
        }
    }

    fn mask_finding(&self, finding: &mut Finding) {
        finding.message = self.mask(&finding.message);
        for text in [&mut finding.expected, &mut finding.received]
            .into_iter()
            .flatten()
        {
            *text = self.mask(text);
        }
    }

    fn mask_entry(&self, entry: &mut Entry) {
        match &mut entry.what {
            Happening::Sent {
                notation, bytes, ..
            }
            | Happening::Received { notation, bytes }
            | Happening::Garbled {
                violation: notation,
                bytes,
            } => {
                let is_connect = bytes.first().is_some_and(|byte| byte >> 4 == 1);
                let least = if is_connect { 0 } else { SHORT };
                *notation = self.masked(notation, least);
                for word in self.words.iter().filter(|word| word.len() >= least) {
                    blot(bytes, word.as_bytes());
                }
            }
            Happening::Remark(text) => *text = self.mask(text),
            Happening::Opened | Happening::Ended(_) | Happening::TargetEnded(_) => {}
        }
    }

    /// A text without the secrets of at least so many bytes, in whatever form the notation may have written them.
    fn masked(&self, text: &str, least: usize) -> String {
        let mut text = text.to_owned();
        for word in self.words.iter().filter(|word| word.len() >= least) {
            for form in forms(word) {
                if text.contains(&form) {
                    text = text.replace(&form, MASK);
                }
            }
        }
        text
    }
}

/// How a word may be written: as it is, escaped, in hex, in base64.
fn forms(word: &str) -> Vec<String> {
    let bytes = word.as_bytes();
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![
        word.to_owned(),
        word.escape_debug().to_string(),
        word.replace('\'', "''"),
        digits.concat(),
        digits.join(" "),
        digits.concat().to_uppercase(),
        digits.join(" ").to_uppercase(),
        STANDARD.encode(bytes),
    ];
    // `<` begins a value in scenarios, and is doubled there.
    forms.push(word.replace('<', "<<"));
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    forms.dedup();
    forms
}

/// Puts stars where the word stands; lengths stay what they are.
fn blot(bytes: &mut [u8], word: &[u8]) {
    let mut at = 0;
    while let Some(window) = bytes.get_mut(at..at + word.len()) {
        if window == word {
            window.fill(b'*');
            at += word.len();
        } else {
            at += 1;
        }
    }
}

/// How many there are, and nothing of them.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Secrets({})", self.words.len())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn secrets(words: &[&str]) -> Secrets {
        let mut secrets = Secrets::default();
        for word in words {
            secrets.add(word);
        }
        secrets
    }

    fn sent(notation: &str, bytes: &[u8]) -> Entry {
        Entry {
            at: Duration::ZERO,
            client: "a".into(),
            what: Happening::Sent {
                notation: notation.into(),
                bytes: bytes.to_vec(),
                forbidden: false,
            },
        }
    }

    #[test]
    fn every_form_of_a_secret_is_masked() {
        let secrets = secrets(&["tip\"top"]);
        for text in [
            "password: tip\"top",
            r#"password: "tip\"top""#,
            "password: { hex: 74697022746f70 }",
            "74 69 70 22 74 6f 70",
            "dGlwInRvcA==",
        ] {
            let masked = secrets.mask(text);
            assert!(masked.contains(MASK), "{text}: {masked}");
        }
        assert_eq!(format!("{secrets:?}"), "Secrets(1)");
    }

    #[test]
    fn bytes_keep_their_length() {
        let mut entry = sent("CONNECT: { password: hush }", b"\x10\x06\x00\x04hush");
        secrets(&["hush"]).mask_entry(&mut entry);
        let Happening::Sent {
            notation, bytes, ..
        } = entry.what
        else {
            panic!("it was sent");
        };
        assert_eq!(notation, "CONNECT: { password: ••• }");
        assert_eq!(bytes, b"\x10\x06\x00\x04****");
    }

    #[test]
    fn a_short_secret_is_masked_in_connect_only() {
        let secrets = secrets(&["pw"]);
        assert_eq!(secrets.mask("the upward path"), "the upward path");
        let mut entry = sent("CONNECT: { password: pw }", b"\x10\x04\x00\x02pw");
        secrets.mask_entry(&mut entry);
        let told = format!("{entry:?}");
        assert!(
            told.contains("password: •••") && !told.contains("pw"),
            "{told}"
        );
    }
}
