//! PINGRESP: the server's answer to PINGREQ (section 3.13).

use crate::{gate::Gate, reader::Reader};

/// PINGRESP. It has a fixed header only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pingresp;

impl Pingresp {
    pub(crate) fn read<G: Gate>(reader: &mut Reader<'_, G>) -> Result<Self, G::Stop> {
        reader.finish()?;
        Ok(Self)
    }
}
