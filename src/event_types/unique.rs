//! The fields whose values make an event unique within its type.
use std::{collections::BTreeMap, fmt::Write};

use serde::{Serialize, Serializer};
use serde_json::{Value, value::RawValue};

use super::Pointer;

/// The most fields that one key may be made of.
const MOST: usize = 8;

/// No, one or several places of an event whose values, taken together, occur once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UniqueFields(Vec<Pointer>);

impl UniqueFields {
    /// Reads fields: each is a key at the top of the event, or a JSON pointer (which begins with a slash). Empty ones
    /// are dropped.
    ///
    /// # Errors
    /// Says which is none.
    pub fn parse<S: AsRef<str>>(fields: impl IntoIterator<Item = S>) -> Result<Self, String> {
        Pointer::parse_all(fields, MOST, &format!("at most {MOST} fields make an event unique")).map(Self)
    }

    /// Whether no field makes an event unique.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields as JSON pointers.
    pub fn pointers(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(Pointer::as_str)
    }

    /// The value of each field, in order; none when there are no fields, or when one of them is missing or null:
    /// such an event is not unique by them.
    pub fn values<'e>(&self, event: &'e Value) -> Option<Vec<&'e Value>> {
        if self.0.is_empty() {
            return None;
        }
        self.0.iter().map(|field| field.of(event).filter(|value| !value.is_null())).collect()
    }

    /// The same values as one text, by which they are compared: JSON, with numbers to their last digit. `event` was
    /// read from `text`.
    pub fn together(&self, event: &Value, text: &str) -> Option<String> {
        let values = self.values(event)?;
        // whole numbers of 64 bits are exact; the others are taken from the text, once there are any
        if values.iter().copied().any(holds_float) {
            let mut together = String::from("[");
            for (field, value) in self.0.iter().zip(values) {
                if together.len() > 1 {
                    together.push(',');
                }
                write_exact(value, field.in_text(text)?, &mut together)?;
            }
            together.push(']');
            return Some(together);
        }
        serde_json::to_string(&values).ok()
    }
}

fn holds_float(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(holds_float),
        Value::Object(fields) => fields.values().any(holds_float),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

/// Writes `value`, which was read from `raw`, as JSON; but numbers that a 64-bit float cannot tell from others by their
/// digits.
fn write_exact(value: &Value, raw: &str, to: &mut String) -> Option<()> {
    match value {
        Value::Number(number) if number.is_f64() => {
            let short = number.to_string();
            let exact = decimal(raw);
            if exact.is_some() && exact == decimal(&short) {
                to.push_str(&short);
            } else if let Some((sign, digits, exponent)) = exact {
                write!(to, "{sign}{digits}e{exponent}").ok()?;
            } else {
                to.push_str(raw);
            }
        }
        Value::Array(items) => {
            let raws: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
            to.push('[');
            for (at, (item, raw)) in items.iter().zip(raws).enumerate() {
                if at > 0 {
                    to.push(',');
                }
                write_exact(item, raw.get(), to)?;
            }
            to.push(']');
        }
        Value::Object(fields) => {
            let raws: BTreeMap<String, &RawValue> = serde_json::from_str(raw).ok()?;
            to.push('{');
            for (at, (key, field)) in fields.iter().enumerate() {
                if at > 0 {
                    to.push(',');
                }
                write!(to, "{}:", Value::from(key.as_str())).ok()?;
                write_exact(field, raws.get(key)?.get(), to)?;
            }
            to.push('}');
        }
        other => write!(to, "{other}").ok()?,
    }
    Some(())
}

/// What a number amounts to: its sign, its digits without zeros around them, and the power of ten of the last one. None
/// when the exponent is beyond all counting.
fn decimal(number: &str) -> Option<(&str, String, i64)> {
    let (sign, number) = number.split_at(usize::from(number.starts_with('-')));
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some((sign, "0".to_owned(), 0));
    }
    let exponent: i64 = exponent.parse().ok()?;
    let shifted = i64::try_from(digits.len() - significant.len()).ok()? - i64::try_from(fraction.len()).ok()?;
    Some((sign, significant.to_owned(), exponent.checked_add(shifted)?))
}

impl Serialize for UniqueFields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.pointers())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn fields(fields: &[&str]) -> UniqueFields {
        UniqueFields::parse(fields).unwrap()
    }

    #[test]
    fn keys_and_pointers_find_their_values() {
        let event =
            json!({"Order ID": 7, "a/b": "slash", "m~n": "tilde", "Customer": {"Id": "c1", "Tags": ["x", "y"]}, "": 0});
        for (field, value) in [
            ("Order ID", json!(7)),
            ("/Order ID", json!(7)),
            ("a/b", json!("slash")),
            ("/a~1b", json!("slash")),
            ("m~n", json!("tilde")),
            ("/m~0n", json!("tilde")),
            ("/Customer/Id", json!("c1")),
            ("/Customer/Tags/1", json!("y")),
            ("/", json!(0)),
        ] {
            assert_eq!(fields(&[field]).values(&event), Some(vec![&value]), "{field}");
        }
        assert_eq!(fields(&["Order ID", "/Customer/Id"]).values(&event), Some(vec![&json!(7), &json!("c1")]));
    }

    #[test]
    fn an_event_without_all_values_is_not_unique() {
        let event = json!({"a": 1, "b": null, "c": [1], "d": "text"});
        for missing in [&["a", "b"][..], &["x"], &["/c/1"], &["/c/00"], &["/c/-"], &["/d/0"], &["/a/b"], &[]] {
            assert_eq!(fields(missing).values(&event), None, "{missing:?}");
        }
        assert_eq!(fields(&["a"]).values(&json!([1])), None);
    }

    #[test]
    fn pointers_are_kept_and_wrong_ones_refused() {
        assert_eq!(fields(&["Order ID", " ", "/a/b"]).pointers().collect::<Vec<_>>(), ["/Order ID", "/a/b"]);
        assert_eq!(serde_json::to_string(&fields(&["x/y"])).unwrap(), r#"["/x~1y"]"#);
        for bad in [&["/a~2"][..], &["/a~"], &["a", "/a"], &["a\0"], &["1", "2", "3", "4", "5", "6", "7", "8", "9"]] {
            assert!(UniqueFields::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn pointers_read_back_as_they_were_written(key in "[ -~é]{1,20}") {
            let once = UniqueFields::parse([&key]);
            prop_assume!(once.is_ok());
            let once = once.unwrap();
            prop_assert_eq!(&UniqueFields::parse(once.pointers()).unwrap(), &once);
        }
    }
}
