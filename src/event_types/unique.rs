//! The fields whose values make an event unique within its type.
use serde::{Serialize, Serializer};
use serde_json::Value;

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
