//! Properties of 5.0 (section 2.2.2): what there are, how they are read, how they are written.

mod buffer;
mod id;
mod list;
mod read;

pub use buffer::PropertiesBuf;
pub use id::{DataType, PropertyId, PropertyOwner};
pub use list::{Properties, Property, PropertyIter, PropertyValue};
pub(crate) use read::read;
