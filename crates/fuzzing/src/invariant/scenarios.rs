//! The scenario language takes any text.

use std::sync::Arc;

use scenario::{Style, check, expand, fmt, parse, render};

/// A text is a scenario, or it is told what is wrong with it; its usual form is its own usual form, and means the same.
///
/// # Panics
/// When it is not.
pub fn scenario(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    match parse("fuzz/input", text) {
        Ok(scenario) => {
            let scenario = Arc::new(scenario);
            for diagnostic in check(&scenario) {
                let _ = render(&diagnostic, &scenario.source, Style::Plain);
            }
            if text.len() < 2_000 {
                let _ = expand(&scenario);
            }
        }
        Err(diagnostics) => assert!(!diagnostics.is_empty()),
    }
    if let Ok(usual) = fmt(text) {
        assert_eq!(
            fmt(&usual).as_deref(),
            Ok(usual.as_str()),
            "the usual form of {text:?}"
        );
        assert_eq!(
            parse("fuzz/input", text).is_ok(),
            parse("fuzz/input", &usual).is_ok(),
            "{text:?} as {usual:?}"
        );
    }
}
