//! [`Reader`]: walks through one frame, field by field, and brings violations to the [`Gate`].

use crate::{
    Direction, Found, Frame, ReasonCode, Text, Version, Violation, ViolationKind,
    gate::Gate,
    rule::{Rule, general, rule_of_5_0},
    text_rules::TextRules,
    utf8, variable_byte,
};

/// The place in a frame up to which it was read.
///
/// A read past the end is reported once. After it a lenient reading goes on with zeros and empty
/// fields, and nothing more is reported, since it would only be consequences.
pub(crate) struct Reader<'a, G> {
    /// The whole frame: offsets count from its first byte.
    bytes: &'a [u8],
    /// What is still to be read: up to the end of the frame, or of a property list inside it.
    rest: &'a [u8],
    /// The offset at which `rest` ends.
    end: usize,
    exhausted: bool,
    gate: G,
    pub(crate) version: Version,
    pub(crate) direction: Direction,
    pub(crate) flags: u8,
}

impl<'a, G: Gate> Reader<'a, G> {
    #[inline]
    pub(crate) fn new(frame: Frame<'a>, version: Version, direction: Direction, gate: G) -> Self {
        let bytes = frame.as_bytes();
        Self {
            bytes,
            rest: frame.body(),
            end: bytes.len(),
            exhausted: false,
            gate,
            version,
            direction,
            flags: frame.flags(),
        }
    }

    /// Why the reading was ended.
    #[cold]
    pub(crate) fn why(&mut self, stop: G::Stop) -> G::Error {
        self.gate.why(stop)
    }

    /// Where the next field begins.
    #[inline]
    pub(crate) const fn offset(&self) -> usize {
        self.end - self.rest.len()
    }

    /// The number of bytes left.
    #[inline]
    pub(crate) const fn left(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    pub(crate) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// The bytes between an earlier offset and here.
    #[inline]
    pub(crate) fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.offset()).unwrap_or_default()
    }

    /// Reports a Malformed Packet.
    #[cold]
    #[inline(never)]
    pub(crate) fn malformed(
        &mut self,
        rule: Rule,
        offset: usize,
        field: &'static str,
        expected: &'static str,
        found: Found,
    ) -> Result<(), G::Stop> {
        let kind = ViolationKind::MalformedPacket;
        self.report(
            rule,
            offset,
            field,
            kind,
            ReasonCode::MALFORMED_PACKET,
            expected,
            found,
        )
    }

    /// Reports a Protocol Error.
    #[cold]
    #[inline(never)]
    pub(crate) fn protocol_error(
        &mut self,
        rule: Rule,
        offset: usize,
        field: &'static str,
        expected: &'static str,
        found: Found,
    ) -> Result<(), G::Stop> {
        let kind = ViolationKind::ProtocolError;
        self.report(
            rule,
            offset,
            field,
            kind,
            ReasonCode::PROTOCOL_ERROR,
            expected,
            found,
        )
    }

    #[cold]
    #[inline(never)]
    #[expect(
        clippy::too_many_arguments,
        reason = "they are the fields of a violation"
    )]
    pub(crate) fn report(
        &mut self,
        rule: Rule,
        offset: usize,
        field: &'static str,
        kind: ViolationKind,
        reason_code: ReasonCode,
        expected: &'static str,
        found: Found,
    ) -> Result<(), G::Stop> {
        if self.exhausted {
            return Ok(());
        }
        let Rule { clause, also } = rule;
        self.gate.report(Violation {
            clause,
            also,
            offset,
            field,
            kind,
            reason_code,
            expected,
            found,
        })
    }

    /// Reports that a field does not fit into what is left, and gives up on all that follows.
    #[cold]
    #[inline(never)]
    fn cut(&mut self, offset: usize, field: &'static str, needed: usize) -> Result<(), G::Stop> {
        let found = Found::Cut {
            needed,
            left: self.end - offset,
        };
        let rule = general(self.version);
        self.malformed(rule, offset, field, "complete", found)?;
        self.exhaust();
        Ok(())
    }

    /// Gives up on all that follows up to the end.
    pub(crate) fn exhaust(&mut self) {
        self.rest = &[];
        self.exhausted = true;
    }

    #[inline]
    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], G::Stop> {
        if let Some((array, rest)) = self.rest.split_first_chunk() {
            self.rest = rest;
            Ok(*array)
        } else {
            self.cut(self.offset(), field, N)?;
            Ok([0; N])
        }
    }

    #[inline]
    pub(crate) fn byte(&mut self, field: &'static str) -> Result<u8, G::Stop> {
        self.array(field).map(u8::from_be_bytes)
    }

    #[inline]
    pub(crate) fn two_byte_integer(&mut self, field: &'static str) -> Result<u16, G::Stop> {
        self.array(field).map(u16::from_be_bytes)
    }

    #[inline]
    pub(crate) fn four_byte_integer(&mut self, field: &'static str) -> Result<u32, G::Stop> {
        self.array(field).map(u32::from_be_bytes)
    }

    /// Reads a Variable Byte Integer of 5.0, where each takes the fewest bytes that hold it.
    #[inline]
    pub(crate) fn variable_byte_integer(&mut self, field: &'static str) -> Result<u32, G::Stop> {
        match self.rest {
            [value @ 0..=0x7F, rest @ ..] => {
                self.rest = rest;
                Ok(u32::from(*value))
            }
            _ => self.long_integer(field),
        }
    }

    /// Reads a Variable Byte Integer that does not fit into one byte.
    fn long_integer(&mut self, field: &'static str) -> Result<u32, G::Stop> {
        let start = self.offset();
        match variable_byte::read(self.rest) {
            variable_byte::Read::Value { value, width } => {
                self.rest = self.rest.get(width..).unwrap_or_default();
                if width != variable_byte::width(value) {
                    self.wide_integer(start, field, width)?;
                }
                Ok(value)
            }
            variable_byte::Read::Cut => {
                let needed = self.left() + 1;
                self.cut(start, field, needed)?;
                Ok(0)
            }
            variable_byte::Read::TooLong => {
                let found = Found::Named("a continuation bit in its fourth byte");
                let rule = rule_of_5_0!("v5.0/U50-1.5.5-1");
                let expected = "a variable byte integer of at most 4 bytes";
                self.malformed(rule, start, field, expected, found)?;
                self.exhaust();
                Ok(0)
            }
        }
    }

    #[cold]
    fn wide_integer(
        &mut self,
        offset: usize,
        field: &'static str,
        width: usize,
    ) -> Result<(), G::Stop> {
        let rule = rule_of_5_0!("v5.0/MQTT-1.5.5-1");
        self.malformed(
            rule,
            offset,
            field,
            "in the fewest bytes that hold it",
            Found::Width(width),
        )
    }

    /// Reads Binary Data: a length of two bytes, then the data.
    #[inline]
    pub(crate) fn binary(&mut self, field: &'static str) -> Result<&'a [u8], G::Stop> {
        let start = self.offset();
        let length = usize::from(self.two_byte_integer(field)?);
        if let Some((data, rest)) = self.rest.split_at_checked(length) {
            self.rest = rest;
            Ok(data)
        } else {
            self.cut(start, field, 2 + length)?;
            Ok(&[])
        }
    }

    /// Reads a UTF-8 Encoded String in which wildcards mean nothing.
    #[inline]
    pub(crate) fn text(
        &mut self,
        field: &'static str,
        rules: impl Fn(Version) -> TextRules,
    ) -> Result<Text<'a>, G::Stop> {
        let data = self.binary(field)?;
        if !utf8::is_plain::<false>(data) {
            let findings = utf8::look::<false>(data);
            self.judge_text(field, data, findings, rules(self.version))?;
        }
        Ok(Text::new(data))
    }

    /// Reads a Topic Name or a text used as one, where wildcards are a Protocol Error.
    #[inline]
    pub(crate) fn topic(
        &mut self,
        field: &'static str,
        rules: impl Fn(Version) -> TextRules,
        wildcard_rule: impl Fn(Version) -> Rule,
    ) -> Result<Text<'a>, G::Stop> {
        let data = self.binary(field)?;
        if !utf8::is_plain::<true>(data) {
            let findings = utf8::look::<true>(data);
            self.judge_text(field, data, findings, rules(self.version))?;
            if let Some(place) = findings.wildcard {
                let rule = wildcard_rule(self.version);
                let offset = self.offset() - data.len() + place;
                let found = Found::Named("a wildcard");
                self.protocol_error(rule, offset, field, "without wildcards", found)?;
            }
        }
        Ok(Text::new(data))
    }

    #[inline(never)]
    fn judge_text(
        &mut self,
        field: &'static str,
        data: &'a [u8],
        findings: utf8::Findings,
        rules: TextRules,
    ) -> Result<(), G::Stop> {
        let start = self.offset() - data.len();
        if let Some(place) = findings.ill_formed {
            let found = data
                .get(place)
                .map_or(Found::Nothing, |byte| Found::Byte(*byte));
            self.malformed(
                rules.ill_formed,
                start + place,
                field,
                "well-formed UTF-8",
                found,
            )?;
        }
        if let (Some(place), Some(rule)) = (findings.null, rules.null) {
            self.malformed(rule, start + place, field, "without U+0000", Found::Byte(0))?;
        }
        Ok(())
    }

    /// All that is left.
    #[inline]
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        // Not by taking `rest` itself: to load it as a whole right after its parts were stored stalls.
        let offset = self.offset();
        self.rest = &[];
        self.bytes.get(offset..self.end).unwrap_or_default()
    }

    /// Reports bytes behind the last field.
    #[inline]
    pub(crate) fn finish(&mut self) -> Result<(), G::Stop> {
        if self.is_at_end() {
            return Ok(());
        }
        let rule = general(self.version);
        let found = Found::Surplus(self.left());
        self.malformed(
            rule,
            self.offset(),
            "packet",
            "at its end behind the last field",
            found,
        )
    }

    /// Reads `length` bytes as something of its own: within `read`, the end is theirs.
    ///
    /// Whatever `read` leaves is skipped, and what goes wrong inside does not touch what follows.
    #[inline]
    pub(crate) fn within<T>(
        &mut self,
        length: usize,
        field: &'static str,
        read: impl FnOnce(&mut Self) -> Result<T, G::Stop>,
    ) -> Result<T, G::Stop> {
        let Some((inside, outside)) = self.rest.split_at_checked(length) else {
            self.cut(self.offset(), field, length)?;
            return read(self);
        };
        let (end, exhausted) = (self.end, self.exhausted);
        self.end = end - outside.len();
        self.rest = inside;
        let value = read(self)?;
        self.end = end;
        self.rest = outside;
        self.exhausted = exhausted;
        Ok(value)
    }
}
