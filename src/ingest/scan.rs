//! One look at the text of an event, before any parser builds values from it: how deep it is nested, and what no
//! database and no reader agree about, whatever its contract says: keys that appear twice, NUL characters, halves of
//! surrogate pairs, and numbers that are none to most readers.
use std::{borrow::Cow, collections::HashSet};

use crate::event_types::{Breach, MOST_BREACHES, shortened};

/// The event is nested deeper than allowed.
#[derive(Debug, PartialEq, Eq)]
pub struct TooDeep;

/// How deep an event may be nested, its own braces included.
pub const MAX_DEPTH: usize = 64;

/// Keys of one object that are compared one by one; past that, a set keeps them.
const FEW_KEYS: usize = 16;
/// How much of a key is told, in bytes.
const LONGEST_KEY: usize = 120;
/// Without an exponent, a number that is shorter than this is within the range of a 64-bit float.
const LONG_NUMBER: usize = 300;

enum Frame<'t> {
    Object { keys: Vec<Cow<'t, str>>, many: HashSet<Cow<'t, str>>, current: Cow<'t, str> },
    Array { index: usize },
}

/// Looks through `event`, which must be the text of one JSON object or array that a parser has accepted. At most
/// [`MOST_BREACHES`] are told.
///
/// # Errors
/// [`TooDeep`], at once when it is.
pub fn scan(event: &str) -> Result<Vec<Breach>, TooDeep> {
    let bytes = event.as_bytes();
    let mut breaches = Vec::new();
    let mut frames: Vec<Frame> = Vec::new();
    let mut expect_key = false;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'{' | b'[' if frames.len() == MAX_DEPTH => return Err(TooDeep),
            b'{' => {
                frames.push(Frame::Object { keys: Vec::new(), many: HashSet::new(), current: Cow::Borrowed("") });
                expect_key = true;
            }
            b'[' => {
                frames.push(Frame::Array { index: 0 });
                expect_key = false;
            }
            b'}' | b']' => {
                frames.pop();
                expect_key = false;
            }
            b',' => match frames.last_mut() {
                Some(Frame::Array { index }) => *index += 1,
                _ => expect_key = true,
            },
            b'"' => {
                let (end, escaped) = string_end(bytes, at);
                let text = &event[at..end];
                let fault = if escaped { bad_escape(text) } else { None };
                if expect_key {
                    let twice = key(&mut frames, text, escaped);
                    expect_key = false;
                    if twice {
                        note(&mut breaches, &frames, "duplicate-key", "the key appears twice in its object");
                    }
                }
                if let Some(fault) = fault {
                    note(&mut breaches, &frames, "encoding", fault);
                }
                at = end;
                continue;
            }
            b'-' | b'0'..=b'9' => {
                let (end, in_doubt) = number_end(bytes, at);
                // whoever builds values asks the same parser
                if in_doubt && serde_json::from_str::<f64>(&event[at..end]).is_err() {
                    note(&mut breaches, &frames, "number", BEYOND);
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    Ok(breaches)
}

/// What is said of a number that is too large.
pub const BEYOND: &str = "holds a number beyond the range of a 64-bit float";

/// Where the number that begins at `start` ends, and whether a 64-bit float may be unable to hold it.
fn number_end(bytes: &[u8], start: usize) -> (usize, bool) {
    let mut at = start;
    let mut in_doubt = false;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'0'..=b'9' | b'-' | b'+' | b'.' => {}
            b'e' | b'E' => in_doubt = true,
            _ => break,
        }
        at += 1;
    }
    (at, in_doubt || at - start >= LONG_NUMBER)
}

/// Where the string that begins at `start` ends (after its closing quote), and whether it holds escapes.
fn string_end(bytes: &[u8], start: usize) -> (usize, bool) {
    let mut at = start + 1;
    let mut escaped = false;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return (at + 1, escaped),
            b'\\' => {
                escaped = true;
                at += 2;
            }
            _ => at += 1,
        }
    }
    (bytes.len(), escaped)
}

/// Enters a key into the innermost object; true when it was there before.
fn key<'t>(frames: &mut [Frame<'t>], text: &'t str, escaped: bool) -> bool {
    let Some(Frame::Object { keys, many, current }) = frames.last_mut() else { return false };
    let bare = &text[1..text.len() - 1];
    // a key with half of a surrogate pair has no text; it is compared as written
    let name = match escaped.then(|| serde_json::from_str::<String>(text)) {
        Some(Ok(unescaped)) => Cow::Owned(unescaped),
        _ => Cow::Borrowed(bare),
    };
    current.clone_from(&name);
    if keys.len() < FEW_KEYS {
        let twice = keys.contains(&name);
        keys.push(name);
        return twice;
    }
    if many.is_empty() {
        many.extend(keys.iter().cloned());
    }
    !many.insert(name)
}

/// What is wrong with the `\u` escapes of a string, if anything.
fn bad_escape(text: &str) -> Option<&'static str> {
    const HALF: &str = "holds half of a surrogate pair (such as \\ud800)";
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut high = false;
    while at < bytes.len() {
        if bytes[at] != b'\\' {
            if high {
                return Some(HALF);
            }
            at += 1;
            continue;
        }
        if bytes.get(at + 1) != Some(&b'u') {
            if high {
                return Some(HALF);
            }
            at += 2;
            continue;
        }
        let unit = text.get(at + 2..at + 6).and_then(|hex| u16::from_str_radix(hex, 16).ok()).unwrap_or(0);
        match (high, unit) {
            (false, 0) => return Some("holds a NUL character (\\u0000)"),
            (false, 0xD800..=0xDBFF) => high = true,
            (true, 0xDC00..=0xDFFF) => high = false,
            (true, _) | (false, 0xDC00..=0xDFFF) => return Some(HALF),
            (false, _) => {}
        }
        at += 6;
    }
    None
}

/// Notes what is wrong at the place where `frames` have come to, unless enough is wrong already.
fn note(breaches: &mut Vec<Breach>, frames: &[Frame<'_>], rule: &str, message: &str) {
    if breaches.len() >= MOST_BREACHES {
        return;
    }
    let mut path = String::new();
    for frame in frames {
        path.push('/');
        match frame {
            Frame::Object { current, .. } => {
                path.push_str(&shortened(current, LONGEST_KEY).replace('~', "~0").replace('/', "~1"));
            }
            Frame::Array { index } => path.push_str(&index.to_string()),
        }
    }
    breaches.push(Breach::new(&path, rule, message));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(event: &str) -> Vec<(String, String)> {
        scan(event).unwrap().into_iter().map(|breach| (breach.rule, breach.path)).collect()
    }

    #[test]
    fn keys_that_appear_twice_are_found_where_they_are() {
        assert_eq!(found(r#"{"a":1,"b":{"a":2}}"#), []);
        assert_eq!(found(r#"{"a":1,"a":2}"#), [("duplicate-key".into(), "/a".into())]);
        assert_eq!(found(r#"{"x":[{},{"a/b":1,"a\/b":2}]}"#), [("duplicate-key".into(), "/x/1/a~1b".into())]);
        // one is written with an escape
        assert_eq!(found(r#"{"a":1,"\u0061":2}"#).len(), 1);
        let many = (0..40).map(|n| format!(r#""k{n}":{n}"#)).collect::<Vec<_>>().join(",");
        assert_eq!(found(&format!("{{{many}}}")), []);
        assert_eq!(found(&format!(r#"{{{many},"k3":0,"k39":0}}"#)).len(), 2);
    }

    #[test]
    fn half_characters_and_nul_are_found() {
        for bad in [r"\u0000", r"\ud800", r"\udc00", r"\ud800\ud800", r"\ud800x", r"\ud800\n", r"\udbffA"] {
            let text = format!(r#"{{"t":["x","a{bad}"]}}"#);
            assert_eq!(found(&text), [("encoding".into(), "/t/1".into())], "{bad}");
        }
        for good in [r"\ud83d\ude00", r"\\u0000", r"\\\\ud800", r"A\n", "😀"] {
            assert_eq!(found(&format!(r#"{{"t":"{good}"}}"#)), [], "{good}");
        }
        assert_eq!(found(r#"{"a\ud800":1}"#).len(), 1);
    }

    #[test]
    fn numbers_beyond_the_range_of_a_float_are_found() {
        for bad in ["1e400", "-1E+999999", "1.5e309", &"9".repeat(400), &format!("-{}.5", "9".repeat(310))] {
            assert_eq!(found(&format!(r#"{{"n":[0,{bad},1]}}"#)), [("number".into(), "/n/1".into())], "{bad}");
        }
        for good in ["1e308", "-1.7976931348623157e308", "1e-400", "0e999", &"9".repeat(305), "12345678901234567890123"]
        {
            assert_eq!(found(&format!(r#"{{"n":{good},"1e400":"1e400"}}"#)), [], "{good}");
        }
    }

    #[test]
    fn of_many_faults_the_first_are_told_and_of_long_keys_the_beginning() {
        let event = |key: &str, faults: usize| format!(r#"{{"{key}":[{}]}}"#, vec![r#""\u0000""#; faults].join(","));
        assert_eq!(found(&event("a", 20)).len(), 20);
        let breaches = scan(&event(&"k".repeat(5_000), 28_000)).unwrap();
        assert_eq!(breaches.len(), MOST_BREACHES);
        assert!(breaches.iter().all(|breach| breach.path.len() < 130), "{breaches:?}");
        // its depth is looked at to the end
        let deep = format!("{}{}", "[".repeat(64), "]".repeat(64));
        assert_eq!(scan(&format!(r#"{{"a":[{}{deep}]}}"#, r#""\u0000","#.repeat(30))), Err(TooDeep));
        // as JSON, a control character takes six bytes
        let told = Breach::list(&scan(&event(&r"\u0001".repeat(5_000), 28_000)).unwrap());
        assert!(told.len() <= 4 << 10, "{}", told.len());
    }

    #[test]
    fn the_sixty_fifth_level_is_too_deep() {
        let nested = |depth: usize| format!("{}{}{}", r#"{"a":"#.repeat(depth - 1), "{}", "}".repeat(depth - 1));
        assert!(scan(&nested(64)).is_ok());
        assert_eq!(scan(&nested(65)), Err(TooDeep));
        assert_eq!(scan(&"[".repeat(100_000)), Err(TooDeep));
        // brackets in strings do not count
        assert!(scan(&format!(r#"{{"a":"{}"}}"#, "[".repeat(100))).is_ok());
    }

    proptest! {
        /// What it lets pass, serde_json reads as a value, and writes again with as many keys.
        #[test]
        fn what_is_clean_can_be_read(text in r#"\{("[ab\\u0d8]{0,8}":("[a\\u0d8c]{0,12}"|1|\[\]|\{\}),?){0,4}\}"#) {
            if serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok() {
                let clean = scan(&text).unwrap().is_empty();
                let readable = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text);
                if clean {
                    prop_assert!(readable.is_ok());
                }
            }
        }
    }
}
