//! The fields of events, as a table of a contract names them: where each stands, how its text is formed, and whether
//! it says who somebody is.
use std::{fmt, sync::LazyLock};

use serde::Serialize;
use serde_json::{Value, json};

use super::Contract;

/// The keyword of a contract that says that a field identifies a person, and by what.
pub const IDENTIFIES: &str = "x-identifies";

/// One step on the way to a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// To the field of an object.
    Key(String),
    /// To each item of an array.
    Each,
}

/// Where a field stands. It reads as a JSON pointer, with `*` for each item of an array.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// The place of a field below.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.and(Step::Key(key.to_owned()))
    }

    /// The place of each item below.
    #[must_use]
    pub fn each(&self) -> Self {
        self.and(Step::Each)
    }

    fn and(&self, step: Step) -> Self {
        Self(self.0.iter().cloned().chain([step]).collect())
    }

    /// How many objects it stands in, beyond the event itself.
    pub fn depth(&self) -> usize {
        self.0.iter().filter(|step| matches!(step, Step::Key(_))).count().saturating_sub(1)
    }

    /// Where a schema keeps what it says of this place.
    pub(super) fn in_schema(&self) -> Vec<String> {
        let mut keys = Vec::new();
        for step in &self.0 {
            match step {
                Step::Key(key) => keys.extend(["properties".to_owned(), key.clone()]),
                Step::Each => keys.push("items".to_owned()),
            }
        }
        keys
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.0 {
            match step {
                Step::Key(key) => write!(f, "/{}", key.replace('~', "~0").replace('/', "~1"))?,
                Step::Each => f.write_str("/*")?,
            }
        }
        Ok(())
    }
}

/// By what a field identifies a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Identifies {
    /// Their e-mail address.
    Email,
    /// Their telephone number.
    Phone,
    /// Their number with the customer: of a customer, contact, member.
    Id,
}

impl Identifies {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Email, Self::Phone, Self::Id];

    /// As a contract spells it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Id => "id",
        }
    }

    /// Reads what [`Identifies::word`] wrote.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }
}

/// How a text is formed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `jane@example.com`
    Email,
    /// `+31 6 12345678`
    Phone,
    /// `2026-01-31`
    Date,
    /// `2026-01-31T12:00:00Z`
    DateTime,
    /// `https://example.com/`
    Uri,
    /// `3f0c0b0a-6f1e-4a53-9c55-0f5d3f8a1b2c`
    Uuid,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Email, Self::Phone, Self::Date, Self::DateTime, Self::Uri, Self::Uuid];

    /// As a contract spells it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => PHONE,
            Self::Date => "date",
            Self::DateTime => "date-time",
            Self::Uri => "uri",
            Self::Uuid => "uuid",
        }
    }

    /// Reads what [`Format::word`] wrote.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// Whether a contract that asks for this form takes the text: asked of the contract's own check, so that nothing
    /// is proposed that would then be refused.
    pub fn takes(self, text: &str) -> bool {
        static CHECKS: LazyLock<[Option<Contract>; 6]> = LazyLock::new(|| {
            Format::ALL.map(|format| Contract::parse(&json!({"format": format.word()}).to_string()).ok())
        });
        let check = &CHECKS[Self::ALL.iter().position(|one| *one == self).unwrap_or_default()];
        check.as_ref().is_some_and(|check| check.check(&Value::from(text)).is_empty())
    }
}

/// The format of telephone numbers, which JSON Schema has no word for.
pub(super) const PHONE: &str = "phone";

/// Whether a text is a telephone number, as people write them: digits, perhaps a plus before them, and what sets them
/// apart.
pub(super) fn is_phone(text: &str) -> bool {
    let text = text.trim();
    let rest = text.strip_prefix('+').unwrap_or(text);
    let digits = rest.bytes().filter(u8::is_ascii_digit).count();
    let written = rest.bytes().all(|byte| byte.is_ascii_digit() || b" -.()/".contains(&byte));
    let begins = rest.bytes().next().is_some_and(|byte| byte.is_ascii_digit() || byte == b'(');
    // 15 by E.164, and the zero in +31 (0)6
    written && begins && rest.ends_with(|c: char| c.is_ascii_digit()) && (6..=16).contains(&digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn telephone_numbers_are_known_as_people_write_them() {
        for good in
            ["+31612345678", "06-12345678", "+31 (0)6 1234 5678", "(020) 794 6000", "0031 6 12345678", "076/5727000"]
        {
            assert!(is_phone(good) && Format::Phone.takes(good), "{good}");
        }
        for bad in [
            "",
            "12345",
            "+",
            "call me",
            "06-12345678 (work)",
            "12345678901234567",
            "++31612345678",
            "06-1234567-",
            "2026-01-31T12",
        ] {
            assert!(!is_phone(bad) && !Format::Phone.takes(bad), "{bad}");
        }
    }

    #[test]
    fn formats_are_what_the_contract_checks() {
        for (format, good, bad) in [
            (Format::Email, "jane@example.com", "jane@"),
            (Format::Date, "2026-01-31", "31-01-2026"),
            (Format::DateTime, "2026-01-31T12:00:00+02:00", "2026-01-31T12:00:00"),
            (Format::Uri, "https://example.com/a", "example.com"),
            (Format::Uuid, "3f0c0b0a-6f1e-4a53-9c55-0f5d3f8a1b2c", "3f0c0b0a"),
        ] {
            assert!(format.takes(good) && !format.takes(bad), "{format:?}");
            assert_eq!(Format::read(format.word()), Some(format));
        }
    }

    #[test]
    fn paths_read_as_pointers() {
        let path = Path::default().key("a/b").key("lines").each().key("sku");
        assert_eq!((path.to_string().as_str(), path.depth()), ("/a~1b/lines/*/sku", 2));
        assert_eq!(path.in_schema(), ["properties", "a/b", "properties", "lines", "items", "properties", "sku"]);
    }
}
