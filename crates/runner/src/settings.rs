//! [`Settings`]: how strictly and how patiently one case is played, and in which [`Namespace`].

use crate::link::Way;

/// How one case is played.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The factor that upper time bounds are stretched by; at least 1.
    pub patience: f64,
    /// Whether a SHOULD that did not hold fails the case.
    pub strict: bool,
    /// How the bytes of the case travel.
    pub way: Way,
    /// The case's own topics and Client Identifiers.
    pub namespace: Namespace,
}

/// The tokens that keep a case's topics and Client Identifiers apart from those of all others.
///
/// A token is one topic level of [`Namespace::LENGTH`] characters from `[0-9a-z]`. All tokens of all runs begin
/// alike, so that what another case sends, or what an interrupted run has left behind, can be told from a message
/// that nobody can have sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// The token of the case.
    pub token: String,
    /// The token of its control twin.
    pub twin: String,
}

/// Whom a topic belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// A level is the case's own token.
    Mine,
    /// A level is the token of another case, of this run or another.
    AnotherCase,
    /// No level is a token.
    Nobody,
}

impl Namespace {
    /// The length of every token.
    pub const LENGTH: usize = 14;
    /// What every token begins with.
    const MARK: &str = "assay";
    /// How many characters tell the run, and how many the case.
    const RUN: usize = 5;
    const CASE: usize = Self::LENGTH - Self::MARK.len() - Self::RUN;

    /// The namespace of the case with this number, below 800,000, in the run with this nonce.
    pub fn new(nonce: u64, case: usize) -> Self {
        let run = base36(nonce, Self::RUN);
        let token = |number| format!("{}{run}{}", Self::MARK, base36(number, Self::CASE));
        let number = case as u64 * 2;
        Self {
            token: token(number),
            twin: token(number + 1),
        }
    }

    /// Whom a topic belongs to; with two tokens in it, the case's own counts.
    pub fn whose(&self, topic: &[u8]) -> Whose {
        let mut whose = Whose::Nobody;
        for level in topic.split(|byte| *byte == b'/') {
            if level == self.token.as_bytes() || level == self.twin.as_bytes() {
                return Whose::Mine;
            }
            if level.len() == Self::LENGTH && level.starts_with(Self::MARK.as_bytes()) {
                whose = Whose::AnotherCase;
            }
        }
        whose
    }
}

/// The last `width` digits of a number to the base 36.
fn base36(mut number: u64, width: usize) -> String {
    let mut digits = vec![b'0'; width];
    for place in digits.iter_mut().rev() {
        let digit = u8::try_from(number % 36).unwrap_or_default();
        *place = if digit < 10 {
            b'0' + digit
        } else {
            b'a' + digit - 10
        };
        number /= 36;
    }
    digits.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_one_length_and_differ() {
        let first = Namespace::new(u64::MAX, 0);
        let last = Namespace::new(u64::MAX, 799_999);
        let tokens = [&first.token, &first.twin, &last.token, &last.twin];
        for (index, token) in tokens.iter().enumerate() {
            assert_eq!(token.len(), Namespace::LENGTH);
            assert!(!tokens[..index].contains(token));
        }
    }

    #[test]
    fn a_topic_belongs_to_the_case_whose_token_is_a_level_of_it() {
        let mine = Namespace::new(7, 1);
        let other = Namespace::new(7, 2);
        let other_run = Namespace::new(8, 1);
        assert_eq!(mine.whose(mine.token.as_bytes()), Whose::Mine);
        assert_eq!(
            mine.whose(format!("a/{}/b", mine.twin).as_bytes()),
            Whose::Mine
        );
        assert_eq!(
            mine.whose(format!("{}/x", other.token).as_bytes()),
            Whose::AnotherCase
        );
        assert_eq!(mine.whose(other_run.token.as_bytes()), Whose::AnotherCase);
        assert_eq!(mine.whose(b"$SYS/uptime"), Whose::Nobody);
    }
}
