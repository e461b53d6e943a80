//! [`Layout`]: a packet as named pieces of bytes, before they are joined. Malformations work on it.

use alloc::vec::Vec;

use super::{DraftError, Malformation};
use crate::variable_byte;

/// What malformations call a whole property list.
const PROPERTIES: &str = "properties";

/// The bytes of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) field: &'static str,
    bytes: Vec<u8>,
    /// Where in `bytes` the two bytes of its length stand, if it has one.
    length_at: Option<usize>,
}

impl Piece {
    pub(super) const fn new(field: &'static str, bytes: Vec<u8>) -> Self {
        Self {
            field,
            bytes,
            length_at: None,
        }
    }

    /// A text or data behind its length, with `head` (the identifier of a property) in front.
    pub(super) fn with_length(
        field: &'static str,
        head: &[u8],
        data: &[u8],
    ) -> Result<Self, DraftError> {
        let Ok(length) = u16::try_from(data.len()) else {
            return Err(DraftError::TooLong(field));
        };
        let mut bytes = Vec::with_capacity(head.len() + 2 + data.len());
        bytes.extend_from_slice(head);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(data);
        Ok(Self {
            field,
            bytes,
            length_at: Some(head.len()),
        })
    }

    /// Appends more bytes to the field.
    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Which of the names it has first.
    fn rank_in(&self, names: &[&'static str]) -> Option<usize> {
        names.iter().position(|name| self.is_named(name))
    }

    fn is_named(&self, name: &str) -> bool {
        match self.field.strip_prefix(name) {
            Some(rest) => rest.is_empty() || rest.starts_with('.'),
            None => false,
        }
    }
}

/// One part of the packet behind its fixed header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Field(Piece),
    Properties(PropertyList),
}

/// A property list with what Property Length is made to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PropertyList {
    pieces: Vec<Piece>,
    claim: Option<u32>,
    width: usize,
}

impl PropertyList {
    pub(super) const fn new(pieces: Vec<Piece>) -> Self {
        Self {
            pieces,
            claim: None,
            width: 1,
        }
    }

    fn write(&self, out: &mut Vec<u8>, boundaries: &mut Vec<usize>) {
        let length = self
            .pieces
            .iter()
            .map(|piece| piece.bytes.len())
            .sum::<usize>();
        boundaries.push(out.len());
        let claim = self
            .claim
            .unwrap_or(u32::try_from(length).unwrap_or(u32::MAX));
        variable_byte::write_wide(claim, self.width, out);
        for piece in &self.pieces {
            boundaries.push(out.len());
            out.extend_from_slice(&piece.bytes);
        }
    }
}

/// A packet in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    first_byte: u8,
    pub(super) parts: Vec<Part>,
    claim: Option<u32>,
    width: usize,
    /// Where the packet is cut off with a Remaining Length that fits.
    short: Option<i64>,
    /// Where the stream ends.
    cut: Option<i64>,
    bytes: Option<Vec<u8>>,
}

/// A packet's bytes and where in them its fields begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) bytes: Vec<u8>,
    pub(super) boundaries: Vec<usize>,
}

impl Layout {
    pub(super) const fn new(first_byte: u8) -> Self {
        Self {
            first_byte,
            parts: Vec::new(),
            claim: None,
            width: 1,
            short: None,
            cut: None,
            bytes: None,
        }
    }

    pub(super) fn field(&mut self, piece: Piece) {
        self.parts.push(Part::Field(piece));
    }

    /// Makes the packet lie.
    pub(super) fn malform(&mut self, malformation: &Malformation) -> Result<(), DraftError> {
        match malformation {
            Malformation::Flags(flags) => self.first_byte = self.first_byte & 0xF0 | flags & 0x0F,
            Malformation::PacketType(value) => {
                self.first_byte = value << 4 | self.first_byte & 0x0F;
            }
            Malformation::Length(claim) => self.claim = Some(*claim),
            Malformation::LengthWidth(width) => self.width = usize::from(*width),
            Malformation::Cut(at) => self.cut = Some(*at),
            Malformation::Short(at) => self.short = Some(*at),
            Malformation::Extra(bytes) => self.field(Piece::new("extra", bytes.clone())),
            Malformation::Twice(name) => self.repeat(name)?,
            Malformation::Without(name) => self.leave_out(name)?,
            Malformation::Swap(left, right) => self.swap(left, right)?,
            Malformation::Order(names) => self.order(names)?,
            Malformation::Property(bytes) => {
                self.properties()?
                    .pieces
                    .push(Piece::new("property", bytes.clone()));
            }
            Malformation::PropertyLength(claim) => self.properties()?.claim = Some(*claim),
            Malformation::PropertyLengthWidth(width) => {
                self.properties()?.width = usize::from(*width);
            }
            Malformation::FieldLength(name, claim) => self.claim_length(name, *claim)?,
            Malformation::Bytes(bytes) => self.bytes = Some(bytes.clone()),
        }
        Ok(())
    }

    /// Joins the parts.
    pub(super) fn write(&self) -> Result<Written, DraftError> {
        if let Some(bytes) = &self.bytes {
            return Ok(Written {
                bytes: bytes.clone(),
                boundaries: Vec::new(),
            });
        }
        let mut body = Vec::new();
        let mut boundaries = Vec::new();
        for part in &self.parts {
            match part {
                Part::Field(piece) => {
                    boundaries.push(body.len());
                    body.extend_from_slice(&piece.bytes);
                }
                Part::Properties(list) => list.write(&mut body, &mut boundaries),
            }
        }
        let mut length = remaining_length(body.len())?;
        if let Some(short) = self.short {
            let header = 1 + variable_byte::width(length);
            body.truncate(place(short, header + body.len()).saturating_sub(header));
            length = remaining_length(body.len())?;
        }
        let mut bytes = Vec::with_capacity(5 + body.len());
        bytes.push(self.first_byte);
        variable_byte::write_wide(self.claim.unwrap_or(length), self.width, &mut bytes);
        let header = bytes.len();
        bytes.append(&mut body);
        if let Some(cut) = self.cut {
            bytes.truncate(place(cut, bytes.len()));
        }
        for boundary in &mut boundaries {
            *boundary += header;
        }
        boundaries.retain(|boundary| *boundary < bytes.len());
        boundaries.dedup();
        Ok(Written { bytes, boundaries })
    }

    /// The property list of the packet, before that of its Will.
    fn properties(&mut self) -> Result<&mut PropertyList, DraftError> {
        self.parts
            .iter_mut()
            .find_map(|part| match part {
                Part::Properties(list) => Some(list),
                Part::Field(_) => None,
            })
            .ok_or(DraftError::NotCarried("property list"))
    }

    fn repeat(&mut self, name: &'static str) -> Result<(), DraftError> {
        for part in &mut self.parts {
            if let Part::Properties(list) = part
                && let Some(last) = list.pieces.iter().rposition(|piece| piece.is_named(name))
            {
                let again = list
                    .pieces
                    .iter()
                    .filter(|piece| piece.is_named(name))
                    .cloned()
                    .collect::<Vec<_>>();
                list.pieces.splice((last + 1)..=last, again);
                return Ok(());
            }
        }
        let named = |part: &Part| matches!(part, Part::Field(piece) if piece.is_named(name));
        let Some(last) = self.parts.iter().rposition(named) else {
            return Err(DraftError::NotCarried(name));
        };
        let again = self
            .parts
            .iter()
            .filter(|part| named(part))
            .cloned()
            .collect::<Vec<_>>();
        self.parts.splice((last + 1)..=last, again);
        Ok(())
    }

    fn leave_out(&mut self, name: &'static str) -> Result<(), DraftError> {
        let mut found = false;
        let mut stays = |piece: &Piece| {
            let named = piece.is_named(name);
            found |= named;
            !named
        };
        self.parts.retain_mut(|part| match part {
            Part::Field(piece) => stays(piece),
            Part::Properties(list) => {
                list.pieces.retain(&mut stays);
                true
            }
        });
        if name == PROPERTIES {
            let before = self.parts.len();
            self.parts.retain(|part| matches!(part, Part::Field(_)));
            found |= self.parts.len() < before;
        }
        if found {
            Ok(())
        } else {
            Err(DraftError::NotCarried(name))
        }
    }

    /// Lets two fields stand in each other's place, wherever they are.
    fn swap(&mut self, left: &'static str, right: &'static str) -> Result<(), DraftError> {
        let mut pieces = self.pieces_mut().collect::<Vec<_>>();
        let find = |name| {
            let place = pieces.iter().position(|piece| piece.is_named(name));
            place.ok_or(DraftError::NotCarried(name))
        };
        let places = [find(left)?, find(right)?];
        if let Ok([left, right]) = pieces.get_disjoint_mut(places) {
            core::mem::swap(*left, *right);
        }
        Ok(())
    }

    /// Lets the named parts stand in this order. A name that stands more than once keeps its own order.
    fn order(&mut self, names: &[&'static str]) -> Result<(), DraftError> {
        let mut parts = Vec::new();
        for part in &mut self.parts {
            let mut take =
                |rank: Option<usize>, part: Part| parts.extend(rank.map(|rank| (rank, part)));
            match part {
                Part::Field(piece) => take(piece.rank_in(names), Part::Field(piece.clone())),
                Part::Properties(list) if names.contains(&PROPERTIES) => {
                    take(
                        names.iter().position(|name| *name == PROPERTIES),
                        Part::Properties(list.clone()),
                    );
                }
                Part::Properties(list) => {
                    for piece in &list.pieces {
                        take(piece.rank_in(names), Part::Field(piece.clone()));
                    }
                }
            }
        }
        for (place, name) in names.iter().enumerate() {
            if !parts.iter().any(|(rank, _)| *rank == place) {
                return Err(DraftError::NotCarried(name));
            }
        }
        parts.sort_by_key(|(rank, _)| *rank);
        let mut parts = parts.into_iter().map(|(_, part)| part);
        for part in &mut self.parts {
            match part {
                Part::Field(piece) if piece.rank_in(names).is_none() => {}
                Part::Properties(list) if !names.contains(&PROPERTIES) => {
                    for piece in &mut list.pieces {
                        if piece.rank_in(names).is_some()
                            && let Some(Part::Field(next)) = parts.next()
                        {
                            *piece = next;
                        }
                    }
                }
                _ => {
                    if let Some(next) = parts.next() {
                        *part = next;
                    }
                }
            }
        }
        Ok(())
    }

    fn claim_length(&mut self, name: &'static str, claim: u16) -> Result<(), DraftError> {
        let piece = self.piece(name)?;
        let length = piece
            .length_at
            .and_then(|at| piece.bytes.get_mut(at..at + 2));
        length
            .ok_or(DraftError::NotCarried(name))?
            .copy_from_slice(&claim.to_be_bytes());
        Ok(())
    }

    fn piece(&mut self, name: &'static str) -> Result<&mut Piece, DraftError> {
        self.pieces_mut()
            .find(|piece| piece.is_named(name))
            .ok_or(DraftError::NotCarried(name))
    }

    fn pieces_mut(&mut self) -> impl Iterator<Item = &mut Piece> {
        self.parts.iter_mut().flat_map(|part| match part {
            Part::Field(piece) => core::slice::from_mut(piece),
            Part::Properties(list) => &mut list.pieces,
        })
    }
}

fn remaining_length(length: usize) -> Result<u32, DraftError> {
    match u32::try_from(length) {
        Ok(length) if length <= variable_byte::MAXIMUM => Ok(length),
        _ => Err(DraftError::PacketTooLong),
    }
}

/// The place `at` bytes from the beginning, or from the end if negative, of `length` bytes.
fn place(at: i64, length: usize) -> usize {
    let distance = usize::try_from(at.unsigned_abs()).unwrap_or(usize::MAX);
    if at < 0 {
        length.saturating_sub(distance)
    } else {
        distance.min(length)
    }
}
