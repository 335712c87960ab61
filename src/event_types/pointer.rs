//! A place in an event, as people name it: a key at the top, or a JSON pointer.
use std::collections::HashMap;

use serde_json::{Value, value::RawValue};

/// The longest pointer, in bytes.
const LONGEST: usize = 500;

/// A place in an event. It reads as a JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pointer {
    text: String,
    /// The same, taken apart once.
    keys: Vec<String>,
}

impl Pointer {
    /// Reads a key at the top of the event, or a JSON pointer (which begins with a slash).
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("a field is a key such as Order ID, or a path such as /Order/Id".into());
        }
        if text.len() > LONGEST {
            return Err(format!("a field has at most {LONGEST} bytes"));
        }
        if text.chars().any(char::is_control) {
            return Err("a field holds no control characters".into());
        }
        let Some(path) = text.strip_prefix('/') else {
            return Ok(Self { text: Self::of_key(text), keys: vec![text.to_owned()] });
        };
        let keys = path.split('/').map(unescape).collect::<Option<_>>();
        let keys = keys.ok_or_else(|| format!("{text}: in a JSON pointer, ~ is written ~0 and / within a key ~1"))?;
        Ok(Self { text: text.to_owned(), keys })
    }

    /// Reads several, none twice. Empty ones are dropped; `too_many` is said of more than `most`.
    pub(super) fn parse_all<S: AsRef<str>>(
        fields: impl IntoIterator<Item = S>,
        most: usize,
        too_many: &str,
    ) -> Result<Vec<Self>, String> {
        let mut parsed: Vec<Self> = Vec::new();
        for field in fields {
            let field = field.as_ref().trim();
            if field.is_empty() {
                continue;
            }
            let field = Self::parse(field)?;
            if parsed.contains(&field) {
                return Err(format!("{} is named twice", field.text));
            }
            parsed.push(field);
        }
        if parsed.len() > most { Err(too_many.to_owned()) } else { Ok(parsed) }
    }

    /// A key at the top of an event, as a JSON pointer.
    pub fn of_key(key: &str) -> String {
        format!("/{}", key.replace('~', "~0").replace('/', "~1"))
    }

    /// As a JSON pointer.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// As people would type it: a key at the top without its slash.
    pub fn label(&self) -> &str {
        match self.keys.as_slice() {
            [key] if !key.is_empty() && !key.starts_with('/') && key.trim() == key => key,
            _ => &self.text,
        }
    }

    /// What stands there.
    pub fn of<'e>(&self, event: &'e Value) -> Option<&'e Value> {
        self.keys.iter().try_fold(event, |value, key| match value {
            Value::Object(fields) => fields.get(key),
            Value::Array(items) => items.get(index(key)?),
            _ => None,
        })
    }

    /// What stands there in the text of an event, as it is written: numbers keep all their digits. Only what lies on
    /// the way is taken apart.
    pub fn in_text<'e>(&self, event: &'e str) -> Option<&'e str> {
        self.keys.iter().try_fold(event.trim(), |text, key| {
            let found: &'e RawValue = if text.starts_with('{') {
                let fields: HashMap<String, &'e RawValue> = serde_json::from_str(text).ok()?;
                fields.get(key).copied()?
            } else {
                let items: Vec<&'e RawValue> = serde_json::from_str(text).ok()?;
                items.get(index(key)?).copied()?
            };
            Some(found.get().trim())
        })
    }
}

fn unescape(key: &str) -> Option<String> {
    let mut pieces = key.split('~');
    let mut whole = pieces.next()?.to_owned();
    for piece in pieces {
        let (mark, rest) = piece.split_at_checked(1)?;
        whole.push(match mark {
            "0" => '~',
            "1" => '/',
            _ => return None,
        });
        whole.push_str(rest);
    }
    Some(whole)
}

/// An array's index, written as pointers have it: digits, without a leading zero.
fn index(key: &str) -> Option<usize> {
    let plain = key.bytes().all(|byte| byte.is_ascii_digit()) && (key == "0" || !key.starts_with('0'));
    if plain { key.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn what_people_type_reads_back_from_its_label() {
        for text in ["Order ID", "/Order ID", "/a~1b", "/Customer/Id", "/", "a/b", "m~n", "/ x", "//"] {
            let pointer = Pointer::parse(text).unwrap();
            assert_eq!(Pointer::parse(pointer.label()).unwrap(), pointer, "{text}");
        }
        assert_eq!(Pointer::parse("/Order ID").unwrap().label(), "Order ID");
        assert_eq!(Pointer::parse("/Customer/Id").unwrap().label(), "/Customer/Id");
        assert!(Pointer::parse(" ").is_err());
    }

    #[test]
    fn the_text_gives_a_value_with_all_its_digits() {
        let text = r#" { "n" : 12345678901234567890123.450 , "o": {"a\u002fb": [true, "x"]}, "n2":[1] } "#;
        let at = |field: &str| Pointer::parse(field).unwrap().in_text(text);
        assert_eq!(at("n"), Some("12345678901234567890123.450"));
        assert_eq!(at("/o/a~1b/1"), Some(r#""x""#));
        for missing in ["x", "/n/0", "/n2/1", "/n2/01", "/n2/-", "/o/a"] {
            assert_eq!(at(missing), None, "{missing}");
        }
        for broken in ["", "{", "[1", "nonsense", "\"text\""] {
            assert_eq!(Pointer::parse("n").unwrap().in_text(broken), None);
        }
    }

    proptest! {
        #[test]
        fn text_and_value_agree(keys in proptest::collection::vec("[a-c~/ ]{0,2}", 1..4), n in any::<i64>()) {
            let event = keys.iter().rev().fold(json!(n), |inner, key| json!({key.as_str(): inner, "other": [inner]}));
            let text = keys.iter().map(|key| Pointer::of_key(key)).collect::<Vec<_>>().concat();
            prop_assume!(text.trim() == text);
            let pointer = Pointer::parse(&text).unwrap();
            prop_assert_eq!(pointer.of(&event), Some(&json!(n)));
            let (written, number) = (event.to_string(), n.to_string());
            prop_assert_eq!(pointer.in_text(&written), Some(number.as_str()));
        }
    }
}
