//! The address that somebody signs in with.
use std::{fmt, str::FromStr};

/// An e-mail address: trimmed, in lower case, and plausible. Whether it is theirs, nobody has checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Reads one as it was typed.
    ///
    /// # Errors
    /// When it cannot be one, in words for who typed it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const FORM: &str = "Write it like name@example.com";
        let text = text.trim().to_lowercase();
        if text.is_empty() {
            return Err("Give an e-mail address");
        }
        let Some((local, domain)) = text.rsplit_once('@') else { return Err(FORM) };
        let odd = |c: char| c.is_whitespace() || c.is_control() || "\"(),:;<>@[\\]".contains(c);
        let label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
        let plausible = text.len() <= 254
            && (1..=64).contains(&local.len())
            && !local.chars().any(odd)
            && domain.split('.').all(label);
        if plausible { Ok(Self(text)) } else { Err(FORM) }
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`: a name for who has given none.
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or(&self.0, |(local, _)| local)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Email {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_trimmed_lowered_and_plausible() {
        let good = [
            (" Ada@Example.COM ", "ada@example.com"),
            ("o'hara+test@mail.example.co.uk", "o'hara+test@mail.example.co.uk"),
            ("root@localhost", "root@localhost"),
            ("jörg@müller.example", "jörg@müller.example"),
        ];
        for (typed, kept) in good {
            assert_eq!(Email::parse(typed).map(|email| email.to_string()), Ok(kept.to_owned()));
        }
        let long = format!("{}@example.com", "x".repeat(65));
        let bad = [
            "",
            " ",
            "ada",
            "ada@",
            "@example.com",
            "a b@example.com",
            "a@b@example.com",
            "ada@example..com",
            "ada@.example.com",
            "ada@exa mple.com",
            "ada\0@example.com",
            "<ada@example.com>",
            &long,
        ];
        for typed in bad {
            assert!(Email::parse(typed).is_err(), "{typed:?}");
        }
    }
}
