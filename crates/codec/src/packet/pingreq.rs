//! PINGREQ: a client says that it is alive (section 3.12).

use crate::{gate::Gate, reader::Reader};

/// PINGREQ. It has a fixed header only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pingreq;

impl Pingreq {
    pub(crate) fn read<G: Gate>(reader: &mut Reader<'_, G>) -> Result<Self, G::Stop> {
        reader.finish()?;
        Ok(Self)
    }
}
