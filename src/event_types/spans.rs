//! JSON text as a tree of places in that text. Order, spacing, numbers and doubled keys are all still there: what is
//! not touched through it stays as it was written.
use std::ops::Range;

use serde::de::DeserializeOwned;

/// How deep objects and arrays may stand inside each other; it bounds the stack.
const DEEPEST: usize = 128;

/// A value: where it stands, and what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    /// From its first to behind its last character.
    pub span: Range<usize>,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Object(Vec<Member>),
    Array(Vec<Node>),
    /// A string, number, boolean or null: read it with [`Node::read`].
    Scalar,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    /// What it is called, unescaped.
    pub key: String,
    /// Where that is written, quotes and all.
    pub key_span: Range<usize>,
    pub value: Node,
}

impl Node {
    /// Reads a text that holds one value and nothing else. None when it is no JSON, or too deep.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (node, end) = Self::parse_at(text, 0)?;
        text[end..].bytes().all(is_space).then_some(node)
    }

    /// Reads the value that comes next, and where it ends.
    pub(super) fn parse_at(text: &str, at: usize) -> Option<(Self, usize)> {
        let mut reader = Reader { text, at };
        let node = reader.value(0)?;
        Some((node, reader.at))
    }

    /// Its text.
    pub(super) fn raw<'t>(&self, text: &'t str) -> &'t str {
        &text[self.span.clone()]
    }

    /// Its value, if it is of that type.
    pub(super) fn read<T: DeserializeOwned>(&self, text: &str) -> Option<T> {
        serde_json::from_str(self.raw(text)).ok()
    }

    /// Its members, in order; none when it is no object.
    pub(super) fn members(&self) -> &[Member] {
        if let Kind::Object(members) = &self.kind { members } else { &[] }
    }

    /// Its items, in order; none when it is no array.
    pub(super) fn items(&self) -> &[Node] {
        if let Kind::Array(items) = &self.kind { items } else { &[] }
    }

    /// The member of that name; of several, the last, as parsers have it.
    pub(super) fn member(&self, key: &str) -> Option<&Member> {
        self.members().iter().rev().find(|member| member.key == key)
    }

    /// The value of that name.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.member(key).map(|member| &member.value)
    }

    /// The value at the end of a path of names.
    pub(super) fn at(&self, path: &[String]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    pub(super) fn is_object(&self) -> bool {
        matches!(self.kind, Kind::Object(_))
    }
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).copied().is_some_and(is_space) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn value(&mut self, depth: usize) -> Option<Node> {
        if depth > DEEPEST {
            return None;
        }
        let first = self.peek()?;
        let start = self.at;
        let kind = match first {
            b'{' => self.object(depth)?,
            b'[' => self.array(depth)?,
            b'"' => {
                self.string()?;
                Kind::Scalar
            }
            _ => self.word()?,
        };
        Some(Node { span: start..self.at, kind })
    }

    fn object(&mut self, depth: usize) -> Option<Kind> {
        self.at += 1;
        let mut members = Vec::new();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(Kind::Object(members));
        }
        loop {
            self.peek()?;
            let start = self.at;
            let key = self.string()?;
            let key_span = start..self.at;
            self.take(b':')?;
            members.push(Member { key, key_span, value: self.value(depth + 1)? });
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(Kind::Object(members))
    }

    fn array(&mut self, depth: usize) -> Option<Kind> {
        self.at += 1;
        let mut items = Vec::new();
        if self.peek()? == b']' {
            self.at += 1;
            return Some(Kind::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            match self.peek()? {
                b',' => self.at += 1,
                b']' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(Kind::Array(items))
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.take(b'"')?;
        loop {
            match self.text.as_bytes().get(self.at)? {
                b'\\' => self.at += 2,
                b'"' => break,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        serde_json::from_str(self.text.get(start..self.at)?).ok()
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Option<Kind> {
        let start = self.at;
        let is_end = |byte: &u8| is_space(*byte) || b",]}:[{\"".contains(byte);
        let rest = &self.text.as_bytes()[start..];
        self.at += rest.iter().position(is_end).unwrap_or(rest.len());
        serde_json::from_str::<serde_json::Value>(self.text.get(start..self.at)?).ok()?;
        Some(Kind::Scalar)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn value(node: &Node, text: &str) -> Value {
        match &node.kind {
            Kind::Object(members) => {
                Value::Object(members.iter().map(|m| (m.key.clone(), value(&m.value, text))).collect())
            }
            Kind::Array(items) => items.iter().map(|item| value(item, text)).collect(),
            Kind::Scalar => node.read(text).unwrap(),
        }
    }

    proptest::proptest! {
        #[test]
        fn it_reads_what_a_parser_reads(text in r#"[\[\]{}":,0-9a-z \\ué\n.-]{0,24}"#) {
            let known: Result<Value, _> = serde_json::from_str(&text);
            let read = Node::parse(&text);
            assert_eq!(read.as_ref().map(|node| value(node, &text)), known.ok(), "{text:?}");
        }
    }

    #[test]
    fn order_doubles_and_places_are_kept() {
        let text = r#" {"b": 1.0e2, "a/\"": [true, {}], "b": "é"} "#;
        let node = Node::parse(text).unwrap();
        let keys: Vec<_> = node.members().iter().map(|member| member.key.as_str()).collect();
        assert_eq!(keys, ["b", "a/\"", "b"]);
        assert_eq!(node.get("b").unwrap().read::<String>(text).unwrap(), "é");
        assert_eq!(node.members()[0].value.raw(text), "1.0e2");
        assert_eq!(node.at(&["a/\"".to_owned()]).unwrap().items().len(), 2);
        let deep = "[".repeat(5_000);
        assert!(Node::parse(&deep).is_none() && Node::parse("").is_none() && Node::parse("{} {}").is_none());
    }
}
