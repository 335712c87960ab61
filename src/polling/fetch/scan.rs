//! Reads an answer as a stream: finds the list of records by plain steps, cuts each record out as the text it is, and
//! picks up the token or address of the next page on the way. Memory holds one record, however large the answer is.
//!
//! What is cut out is checked by whoever parses it; what is passed over is checked in its structure: nesting, commas,
//! colons, and every number and word. An answer that ends too early is never taken for a whole one.
use super::path::Steps;

/// The largest record that is taken; of a larger one, its beginning.
pub const MOST_RECORD: usize = 1 << 20;
/// How much is kept of a record that is larger.
const BEGINNING: usize = 1024;
/// The deepest nesting.
const MOST_DEPTH: usize = 1000;
/// The longest number or word.
const MOST_WORD: usize = 4096;
/// The longest key that is looked at.
const MOST_KEY: usize = 4096;

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// It is not JSON, from this byte on.
    NotJson(u64),
    /// It ends too early.
    EndsEarly,
    /// There is nothing where the records should be.
    NoRecords,
    /// There is something else than a list or an object where the records should be.
    NotAList,
}

/// The text of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    /// All of it, or its beginning.
    pub text: Vec<u8>,
    /// How many bytes it has.
    pub bytes: u64,
}

impl Raw {
    /// Whether it is all there.
    pub fn is_whole(&self) -> bool {
        self.bytes == self.text.len() as u64
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    /// After `[`.
    ValueOrEnd,
    Key,
    /// After `{`.
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    /// After the whole answer.
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lexer {
    Between,
    Text { escaped: bool, key: bool },
    Word,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Catch {
    Record,
    Next,
}

/// The reader of one answer.
#[derive(Debug)]
pub struct Scanner {
    records: Vec<String>,
    next: Option<Vec<String>>,
    expect: Expect,
    lexer: Lexer,
    /// `{` or `[` of each level.
    levels: Vec<u8>,
    /// The keys that lead here, as deep as they matter.
    path: Vec<String>,
    matters: usize,
    key: Vec<u8>,
    word: Vec<u8>,
    /// What is being cut out: what it is for, the level it began on, and its text.
    catch: Option<(Catch, usize, Raw)>,
    /// The level of the list of records, while inside it.
    list: Option<usize>,
    found: bool,
    at: u64,
    /// A byte-order mark may stand before everything.
    mark: usize,
    /// What was cut out.
    pub out: Vec<Raw>,
    /// What the next page goes by, as JSON.
    pub token: Option<Vec<u8>>,
}

impl Scanner {
    /// One that looks for records at `records`, and for the next page at `next`.
    pub fn new(records: &Steps, next: Option<&Steps>) -> Self {
        let next = next.map(|steps| steps.0.clone());
        Self {
            matters: records.0.len().max(next.as_ref().map_or(0, Vec::len)),
            records: records.0.clone(),
            next,
            expect: Expect::Value,
            lexer: Lexer::Between,
            levels: Vec::new(),
            path: Vec::new(),
            key: Vec::new(),
            word: Vec::new(),
            catch: None,
            list: None,
            found: false,
            at: 0,
            mark: 0,
            out: Vec::new(),
            token: None,
        }
    }

    /// Reads on.
    ///
    /// # Errors
    /// When it is no JSON, or the records are none.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let mut from = 0;
        while self.at + (from as u64) < 3
            && self.mark == usize::try_from(self.at).unwrap_or(3) + from
            && from < bytes.len()
        {
            if bytes[from] != b"\xef\xbb\xbf"[self.mark] {
                break;
            }
            self.mark += 1;
            from += 1;
        }
        let mut at = from;
        while at < bytes.len() {
            match self.lexer {
                Lexer::Text { escaped, key } => at = self.text(bytes, at, escaped, key)?,
                Lexer::Word => {
                    let rest = &bytes[at..];
                    let end = rest.iter().position(|byte| !is_word(*byte)).unwrap_or(rest.len());
                    self.word.extend_from_slice(&rest[..end]);
                    self.keep(&rest[..end]);
                    if self.word.len() > MOST_WORD {
                        return Err(self.not_json(at));
                    }
                    at += end;
                    if end < rest.len() {
                        self.word_ends(at)?;
                    }
                }
                Lexer::Between => {
                    let byte = bytes[at];
                    if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                        self.keep(&bytes[at..=at]);
                    } else {
                        self.sign(byte, at)?;
                    }
                    at += 1;
                }
            }
        }
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Says that this was all.
    ///
    /// # Errors
    /// When it was not, or held no records.
    pub fn end(&mut self) -> Result<(), Broken> {
        if self.lexer == Lexer::Word {
            self.word_ends(0)?;
        }
        if self.expect != Expect::Nothing || self.lexer != Lexer::Between {
            return Err(Broken::EndsEarly);
        }
        if self.found { Ok(()) } else { Err(Broken::NoRecords) }
    }

    fn not_json(&self, at: usize) -> Broken {
        Broken::NotJson(self.at + at as u64)
    }

    fn keep(&mut self, bytes: &[u8]) {
        let Some((_, _, raw)) = &mut self.catch else { return };
        raw.bytes += bytes.len() as u64;
        if raw.text.len() + bytes.len() <= MOST_RECORD && raw.is_at_most(MOST_RECORD) {
            raw.text.extend_from_slice(bytes);
        } else {
            raw.text.truncate(BEGINNING);
        }
    }

    fn text(&mut self, bytes: &[u8], at: usize, escaped: bool, key: bool) -> Result<usize, Broken> {
        let rest = &bytes[at..];
        let mut end = 0;
        let mut escaped = escaped;
        let mut closed = false;
        while end < rest.len() {
            let byte = rest[end];
            end += 1;
            if escaped {
                escaped = false;
            } else if byte == b'\\' {
                escaped = true;
            } else if byte == b'"' {
                closed = true;
                break;
            } else if byte < 0x20 {
                return Err(self.not_json(at + end - 1));
            }
        }
        self.keep(&rest[..end]);
        if key && self.key.len() <= MOST_KEY {
            self.key.extend_from_slice(&rest[..end]);
        }
        if !closed {
            self.lexer = Lexer::Text { escaped, key };
            return Ok(at + end);
        }
        self.lexer = Lexer::Between;
        if key {
            self.key_ends();
        } else {
            self.value_ends();
        }
        Ok(at + end)
    }

    fn key_ends(&mut self) {
        self.expect = Expect::Colon;
        let depth = self.levels.len();
        if self.catch.is_some() || depth > self.matters {
            return;
        }
        let text = std::mem::take(&mut self.key);
        let key = serde_json::from_slice::<String>(&text).unwrap_or_default();
        self.path.truncate(depth - 1);
        self.path.push(key);
    }

    /// Whether what begins now stands at `steps`.
    fn stands_at(&self, steps: &[String]) -> bool {
        self.levels.len() == steps.len() && self.levels.iter().all(|level| *level == b'{') && self.path == steps
    }

    /// A value begins with `byte`.
    fn begins(&mut self, byte: u8, at: usize) -> Result<(), Broken> {
        let depth = self.levels.len();
        if self.catch.is_none() {
            self.path.truncate(depth);
            let what = if self.list == Some(depth) {
                Some(Catch::Record)
            } else if self.stands_at(&self.records) && !self.found {
                match byte {
                    b'[' => {
                        self.found = true;
                        self.list = Some(depth + 1);
                        None
                    }
                    b'{' => {
                        self.found = true;
                        Some(Catch::Record)
                    }
                    // null is how some say that there is none
                    b'n' => {
                        self.found = true;
                        None
                    }
                    _ => return Err(Broken::NotAList),
                }
            } else {
                let is_next = self.next.as_ref().is_some_and(|next| self.stands_at(next));
                is_next.then_some(Catch::Next)
            };
            self.catch = what.map(|what| (what, depth, Raw { text: Vec::new(), bytes: 0 }));
        }
        self.keep(&[byte]);
        match byte {
            b'{' | b'[' => {
                if depth == MOST_DEPTH {
                    return Err(self.not_json(at));
                }
                self.levels.push(byte);
                self.expect = if byte == b'{' { Expect::KeyOrEnd } else { Expect::ValueOrEnd };
            }
            b'"' => self.lexer = Lexer::Text { escaped: false, key: false },
            _ if is_word(byte) => {
                self.lexer = Lexer::Word;
                self.word.clear();
                self.word.push(byte);
            }
            _ => return Err(self.not_json(at)),
        }
        Ok(())
    }

    fn word_ends(&mut self, at: usize) -> Result<(), Broken> {
        self.lexer = Lexer::Between;
        if serde_json::from_slice::<serde::de::IgnoredAny>(&self.word).is_err() {
            // cut in the middle of a word, it would be a mistake too
            return Err(if at == 0 && self.levels.is_empty() { Broken::EndsEarly } else { self.not_json(at) });
        }
        self.value_ends();
        Ok(())
    }

    fn value_ends(&mut self) {
        let depth = self.levels.len();
        self.expect = if depth == 0 { Expect::Nothing } else { Expect::CommaOrEnd };
        if self.catch.as_ref().is_some_and(|(_, level, _)| *level == depth)
            && let Some((what, _, raw)) = self.catch.take()
        {
            match what {
                Catch::Record => self.out.push(raw),
                Catch::Next => self.token = Some(raw.text),
            }
        }
    }

    fn sign(&mut self, byte: u8, at: usize) -> Result<(), Broken> {
        let wrong = self.not_json(at);
        match (self.expect, byte) {
            (Expect::ValueOrEnd, b']') | (Expect::KeyOrEnd, b'}') | (Expect::CommaOrEnd, b'}' | b']') => {
                self.closes(byte, wrong)
            }
            (Expect::Value | Expect::ValueOrEnd, _) => self.begins(byte, at),
            (Expect::Key | Expect::KeyOrEnd, b'"') => {
                self.keep(&[byte]);
                self.key.clear();
                self.key.push(byte);
                self.lexer = Lexer::Text { escaped: false, key: true };
                Ok(())
            }
            (Expect::Colon, b':') => {
                self.keep(&[byte]);
                self.expect = Expect::Value;
                Ok(())
            }
            (Expect::CommaOrEnd, b',') => {
                self.keep(&[byte]);
                self.expect = if self.levels.last() == Some(&b'{') { Expect::Key } else { Expect::Value };
                Ok(())
            }
            _ => Err(wrong),
        }
    }

    fn closes(&mut self, byte: u8, wrong: Broken) -> Result<(), Broken> {
        let opened = self.levels.pop().ok_or(wrong)?;
        if (opened, byte) != (b'{', b'}') && (opened, byte) != (b'[', b']') {
            return Err(wrong);
        }
        if self.list == Some(self.levels.len() + 1) {
            self.list = None;
        }
        self.keep(&[byte]);
        self.value_ends();
        Ok(())
    }
}

impl Raw {
    fn is_at_most(&self, most: usize) -> bool {
        self.bytes <= most as u64
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn scan(
        text: &[u8],
        records: &str,
        next: Option<&str>,
        step: usize,
    ) -> Result<(Vec<String>, Option<String>), Broken> {
        let next = next.map(|path| Steps::parse(path).unwrap());
        let mut scanner = Scanner::new(&Steps::parse(records).unwrap(), next.as_ref());
        for piece in text.chunks(step.max(1)) {
            scanner.feed(piece)?;
        }
        scanner.end()?;
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
        Ok((scanner.out.iter().map(|raw| text(&raw.text)).collect(), scanner.token.as_ref().map(text)))
    }

    #[test]
    fn records_are_cut_out_where_they_are() {
        let text = br#"{"items":[9], "data":{"x":[{"items":[1]}],"items":[{"a":"]}\"," }, 5 ,"t",[1,[2]],null]}, "next":"c/1"}"#;
        for step in [1, 2, 3, 7, 1000] {
            let (records, next) = scan(text, "$.data.items", Some("$.next"), step).unwrap();
            assert_eq!(records, [r#"{"a":"]}\"," }"#, "5", r#""t""#, "[1,[2]]", "null"], "{step}");
            assert_eq!(next.as_deref(), Some(r#""c/1""#));
        }
        assert_eq!(scan(b"\xef\xbb\xbf[1,2]", "$", None, 2).unwrap().0, ["1", "2"]);
        assert_eq!(scan(br#"{"a":1}"#, "$", None, 9).unwrap().0, [r#"{"a":1}"#]);
        assert_eq!(scan(br#"{"a":null}"#, "$.a", None, 9).unwrap().0, [""; 0]);
        assert_eq!(scan(br#"{"\u0061":[1]}"#, "$.a", None, 1).unwrap().0, ["1"]);
    }

    #[test]
    fn what_is_no_answer_is_told() {
        for (text, path, expected) in [
            ("{\"error\":\"no\"}", "$.items", Broken::NoRecords),
            ("{\"items\":5}", "$.items", Broken::NotAList),
            ("<html>", "$", Broken::NotAList),
            ("[1,2", "$", Broken::EndsEarly),
            ("", "$", Broken::EndsEarly),
            ("{\"items\":[{\"a\":\"b", "$.items", Broken::EndsEarly),
            ("{\"items\":[1]", "$.items", Broken::EndsEarly),
        ] {
            assert_eq!(scan(text.as_bytes(), path, None, 3), Err(expected), "{text}");
        }
        for text in ["[1,]", "[1 2]", "[1}", "[01]", "[tru]", "{\"a\"}", "[1]]", "[1] x", "{,}", "[nul,1]"] {
            assert!(matches!(scan(text.as_bytes(), "$", None, 4), Err(Broken::NotJson(_))), "{text}");
        }
        assert!(scan("[".repeat(5000).as_bytes(), "$", None, 100).is_err());
    }

    #[test]
    fn of_a_huge_record_only_the_beginning_is_held() {
        let text = format!("[1,{{\"a\":\"{}\"}},2]", "x".repeat(3 << 20));
        let mut scanner = Scanner::new(&Steps(Vec::new()), None);
        for piece in text.as_bytes().chunks(1000) {
            scanner.feed(piece).unwrap();
            assert!(scanner.catch.as_ref().is_none_or(|(_, _, raw)| raw.text.len() <= MOST_RECORD));
        }
        scanner.end().unwrap();
        assert_eq!(scanner.out.len(), 3);
        assert!(!scanner.out[1].is_whole() && scanner.out[1].text.len() == BEGINNING);
        assert_eq!(scanner.out[1].bytes, (3 << 20) + 8);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(Value::from),
            "\\PC{0,12}|[\\\\\"\n]{0,4}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[ab\"\\\\]{0,3}", inner, 0..4).prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        /// It finds what a parser of the whole finds, however the answer is cut into pieces.
        #[test]
        fn it_reads_what_a_parser_reads(before in value(), records in prop::collection::vec(value(), 0..5), after in value(), step in 1_usize..50, pretty in any::<bool>()) {
            let whole = json!({"a": before, "b": {"c": before, "items": records, "z": after}, "next": after});
            let text = if pretty { serde_json::to_string_pretty(&whole) } else { serde_json::to_string(&whole) }.unwrap();
            let (found, next) = scan(text.as_bytes(), "$.b.items", Some("$.next"), step).unwrap();
            let found: Vec<Value> = found.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
            prop_assert_eq!(json!(found), whole["b"]["items"].clone());
            prop_assert_eq!(serde_json::from_str::<Value>(&next.unwrap()).unwrap(), whole["next"].clone());
            // cut anywhere, it is never taken for whole
            let cut = step * text.len() / 50;
            prop_assert!(scan(&text.as_bytes()[..cut], "$.b.items", None, 7).is_err());
        }
    }
}
