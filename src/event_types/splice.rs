//! Small changes to a JSON text, each of which leaves every other character where it was. New members are written the
//! way their neighbours are: on lines of their own with the same indent, or on one line.
use serde_json::Value;

use super::spans::{Kind, Node};

/// A text that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text(String);

impl Text {
    /// Takes a text; none when it is no JSON.
    pub(super) fn new(text: &str) -> Option<Self> {
        Node::parse(text).map(|_| Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }

    /// The tree as it is now.
    pub(super) fn tree(&self) -> Option<Node> {
        Node::parse(&self.0)
    }

    /// Writes a member of the object at `path`: in place of the one of that name, or behind the others. None when
    /// there is no object.
    pub(super) fn set(&mut self, path: &[String], key: &str, value: &Value) -> Option<()> {
        let tree = self.tree()?;
        let object = tree.at(path).filter(|node| node.is_object())?;
        let raw = self.written(value);
        if let Some(known) = object.get(key) {
            self.0.replace_range(known.span.clone(), &raw);
            return Some(());
        }
        let key = Value::from(key).to_string();
        let members = object.members();
        let (place, text) = if let Some(last) = members.last() {
            let between = self.between(object);
            let colon = &self.0[last.key_span.end..last.value.span.start];
            (last.value.span.end..last.value.span.end, format!(",{between}{key}{colon}{raw}"))
        } else {
            let colon = if self.is_set_out() || self.0.contains(": ") { ": " } else { ":" };
            let inside = if self.is_set_out() {
                let indent = self.indent(object.span.start);
                format!("{{\n{indent}{}{key}{colon}{raw}\n{indent}}}", self.step())
            } else {
                format!("{{{key}{colon}{raw}}}")
            };
            (object.span.clone(), inside)
        };
        self.0.replace_range(place, &text);
        Some(())
    }

    /// Takes away every member of that name.
    pub(super) fn unset(&mut self, path: &[String], key: &str) -> Option<()> {
        loop {
            let tree = self.tree()?;
            let object = tree.at(path)?;
            let members = object.members();
            let Some(n) = members.iter().position(|member| member.key == key) else { return Some(()) };
            // with the comma that belongs to it: the one behind it, or before it when it is the last
            let place = match (n.checked_sub(1), members.get(n + 1)) {
                (_, Some(next)) => members[n].key_span.start..next.key_span.start,
                (Some(before), None) => members[before].value.span.end..members[n].value.span.end,
                (None, None) => object.span.start + 1..object.span.end - 1,
            };
            self.0.replace_range(place, "");
        }
    }

    /// Gives a member another name, wherever it stands twice too.
    pub(super) fn rename(&mut self, path: &[String], from: &str, to: &str) -> Option<()> {
        let tree = self.tree()?;
        let new = Value::from(to).to_string();
        for member in tree.at(path)?.members().iter().rev().filter(|member| member.key == from) {
            self.0.replace_range(member.key_span.clone(), &new);
        }
        Some(())
    }

    /// Writes a value in place of what is at `path`.
    pub(super) fn replace(&mut self, path: &[String], value: &Value) -> Option<()> {
        let span = self.tree()?.at(path)?.span.clone();
        let raw = self.written(value);
        self.0.replace_range(span, &raw);
        Some(())
    }

    /// Puts a value behind the last item of the array at `path`.
    pub(super) fn push(&mut self, path: &[String], item: impl Into<Value>) -> Option<()> {
        let tree = self.tree()?;
        let array = tree.at(path)?;
        let item = self.written(&item.into());
        let Kind::Array(items) = &array.kind else { return None };
        let Some(last) = items.last() else {
            self.0.replace_range(array.span.clone(), &format!("[{item}]"));
            return Some(());
        };
        let between = match items.as_slice() {
            [.., before, last] => behind_comma(&self.0[before.span.end..last.span.start]),
            [only] if self.0[array.span.start..only.span.start].contains('\n') => {
                &self.0[array.span.start + 1..only.span.start]
            }
            _ if self.0.contains(", ") || self.is_set_out() => " ",
            _ => "",
        };
        let text = format!(",{between}{item}");
        self.0.insert_str(last.span.end, &text);
        Some(())
    }

    /// Writes a text in place of one item of the array at `path`.
    pub(super) fn swap(&mut self, path: &[String], n: usize, item: &str) -> Option<()> {
        let span = self.tree()?.at(path)?.items().get(n)?.span.clone();
        self.0.replace_range(span, &Value::from(item).to_string());
        Some(())
    }

    /// Takes one item out of the array at `path`.
    pub(super) fn pull(&mut self, path: &[String], n: usize) -> Option<()> {
        let tree = self.tree()?;
        let array = tree.at(path)?;
        let items = array.items();
        let place = match (n.checked_sub(1), items.get(n + 1)) {
            (_, Some(next)) => items.get(n)?.span.start..next.span.start,
            (Some(before), None) => items[before].span.end..items.get(n)?.span.end,
            (None, None) => array.span.start + 1..array.span.end - 1,
        };
        self.0.replace_range(place, "");
        Some(())
    }

    /// What stands between a comma and the next member.
    fn between(&self, object: &Node) -> String {
        match object.members() {
            [first, ..] if self.0[object.span.start..first.key_span.start].contains('\n') => {
                self.0[object.span.start + 1..first.key_span.start].to_owned()
            }
            [.., before, last] => behind_comma(&self.0[before.value.span.end..last.key_span.start]).to_owned(),
            _ if self.0.contains(": ") => " ".to_owned(),
            _ => String::new(),
        }
    }

    /// Whether the text stands on several lines.
    fn is_set_out(&self) -> bool {
        self.0.trim().contains('\n')
    }

    /// The space at the beginning of the line that holds `at`.
    fn indent(&self, at: usize) -> String {
        let line = self.0[..at].rfind('\n').map_or(0, |end| end + 1);
        self.0[line..].chars().take_while(|c| *c == ' ' || *c == '\t').collect()
    }

    /// By how much each level is set in.
    fn step(&self) -> String {
        let lines = self.0.lines().skip(1).map(|line| &line[..line.len() - line.trim_start().len()]);
        lines.filter(|indent| !indent.is_empty()).min_by_key(|indent| indent.len()).unwrap_or("  ").to_owned()
    }

    /// A value as this text would have it: on one line, with or without spaces.
    fn written(&self, value: &Value) -> String {
        let airy = self.is_set_out() || self.0.contains(": ");
        match value {
            Value::Array(items) if airy => {
                let items: Vec<_> = items.iter().map(Value::to_string).collect();
                format!("[{}]", items.join(", "))
            }
            other => other.to_string(),
        }
    }
}

/// The space behind the comma of a gap between two members or items.
fn behind_comma(gap: &str) -> &str {
    gap.split_once(',').map_or("", |(_, behind)| behind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn path(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    #[track_caller]
    fn becomes(before: &str, change: impl FnOnce(&mut Text) -> Option<()>, after: &str) {
        let mut text = Text::new(before).unwrap();
        change(&mut text).unwrap();
        assert_eq!(text.as_str(), after);
    }

    #[test]
    fn members_are_written_the_way_their_neighbours_are() {
        let set = |text: &mut Text| text.set(&path(&["a"]), "n\"", &json!(["x", 1]));
        becomes(r#"{"a":{"b":1}}"#, set, r#"{"a":{"b":1,"n\"":["x",1]}}"#);
        becomes(r#"{"a": {"b": 1, "c": 2}}"#, set, r#"{"a": {"b": 1, "c": 2, "n\"": ["x", 1]}}"#);
        becomes("{\n\t\"a\": {}\n}", set, "{\n\t\"a\": {\n\t\t\"n\\\"\": [\"x\", 1]\n\t}\n}");
        becomes(
            "{\n  \"a\": {\n    \"b\" : 1\n  }\n}",
            set,
            "{\n  \"a\": {\n    \"b\" : 1,\n    \"n\\\"\" : [\"x\", 1]\n  }\n}",
        );
        becomes(
            r#"{"a":{"n\"": 1.0e5 ,"z":0}}"#,
            |text| text.set(&path(&["a"]), "n\"", &json!(2)),
            r#"{"a":{"n\"": 2 ,"z":0}}"#,
        );
        assert!(Text::new(r#"{"a":5}"#).unwrap().set(&path(&["a"]), "b", &json!(1)).is_none());
    }

    #[test]
    fn members_go_with_their_comma() {
        let without = |key: &'static str| move |text: &mut Text| text.unset(&[], key);
        becomes(r#"{"a": 1, "b": 2, "c": 3}"#, without("a"), r#"{"b": 2, "c": 3}"#);
        becomes(r#"{"a": 1, "b": 2, "c": 3}"#, without("b"), r#"{"a": 1, "c": 3}"#);
        becomes(r#"{"a": 1, "b": 2, "c": 3}"#, without("c"), r#"{"a": 1, "b": 2}"#);
        becomes(r#"{ "a": 1 }"#, without("a"), "{}");
        becomes(r#"{"a":1,"b":2,"a":3}"#, without("a"), r#"{"b":2}"#);
    }

    #[test]
    fn names_and_items_change_in_place() {
        becomes(r#"{"a" : 1,"b":2,"a":3}"#, |text| text.rename(&[], "a", "é"), r#"{"é" : 1,"b":2,"é":3}"#);
        let list = path(&["r"]);
        becomes(r#"{"r":["a"]}"#, |text| text.push(&list, "b"), r#"{"r":["a","b"]}"#);
        becomes(r#"{"r": ["a", "b"]}"#, |text| text.push(&list, "c"), r#"{"r": ["a", "b", "c"]}"#);
        becomes("{\"r\":[\n  \"a\"\n]}", |text| text.push(&list, "b"), "{\"r\":[\n  \"a\",\n  \"b\"\n]}");
        becomes(r#"{"r":[]}"#, |text| text.push(&list, "b"), r#"{"r":["b"]}"#);
        becomes(r#"{"r": ["a", "b", "c"]}"#, |text| text.pull(&list, 1), r#"{"r": ["a", "c"]}"#);
        becomes(r#"{"r": ["a", "b"]}"#, |text| text.pull(&list, 1), r#"{"r": ["a"]}"#);
        becomes(r#"{"r": ["a"]}"#, |text| text.pull(&list, 0), r#"{"r": []}"#);
    }
}
