//! What people call things: tenants, event types, tokens.
use std::{fmt, str::FromStr};

use serde::Serialize;

/// The longest name, in characters.
const LONGEST: usize = 120;

/// A name: some characters on one line, without space at its ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, sqlx::Type)]
#[sqlx(transparent)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("enter a name".into());
        }
        if text.chars().count() > LONGEST {
            return Err(format!("a name has at most {LONGEST} characters"));
        }
        if text.chars().any(char::is_control) {
            return Err("a name stands on one line, without control characters".into());
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_of_some_characters() {
        assert_eq!("  Acme & Söhne ".parse::<Name>().unwrap().as_str(), "Acme & Söhne");
        assert!("é".repeat(LONGEST).parse::<Name>().is_ok());
        for bad in ["", "  ", "two\nlines", "nul\0", &"x".repeat(LONGEST + 1)] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
    }
}
