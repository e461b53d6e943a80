//! [`Template`]: a text with `{{NAME}}` in it, which stands for something that is only known when a broker is started.

use std::collections::BTreeMap;

/// Values that hold others are put in this deep.
const DEPTH: usize = 8;

/// What the names of a template stand for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values(BTreeMap<String, String>);

/// A template that cannot be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    #[error("`{{{{` is not closed; write {{{{NAME}}}}")]
    Open,
    #[error("`{{{{{0}}}}}` stands for nothing")]
    Unknown(String),
    #[error("`{{{{{0}}}}}` stands for something that holds itself")]
    Circular(String),
}

impl Values {
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// The names that stand for something.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The text with all its names filled in, and those in their values.
    pub(crate) fn fill(&self, template: &str) -> Result<String, TemplateError> {
        self.fill_to(template, DEPTH)
    }

    fn fill_to(&self, template: &str, depth: usize) -> Result<String, TemplateError> {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, behind)) = rest.split_once("{{") {
            let (name, behind) = behind.split_once("}}").ok_or(TemplateError::Open)?;
            let name = name.trim();
            let value = self
                .0
                .get(name)
                .ok_or_else(|| TemplateError::Unknown(name.to_owned()))?;
            let depth = depth
                .checked_sub(1)
                .ok_or_else(|| TemplateError::Circular(name.to_owned()))?;
            text.push_str(before);
            text.push_str(&self.fill_to(value, depth)?);
            rest = behind;
        }
        text.push_str(rest);
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_in_and_so_are_those_in_their_values() {
        let mut values = Values::default();
        values.set("tcp.port", "1883");
        values.set("listener", "listen {{ tcp.port }}");
        values.set("loop", "{{loop}}");
        assert_eq!(values.fill("{{listener}}\n").unwrap(), "listen 1883\n");
        assert_eq!(
            values.fill("{{nobody}}"),
            Err(TemplateError::Unknown("nobody".into()))
        );
        assert_eq!(
            values.fill("{{loop}}"),
            Err(TemplateError::Circular("loop".into()))
        );
        assert_eq!(values.fill("{{loop"), Err(TemplateError::Open));
    }
}
