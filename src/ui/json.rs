//! JSON as it was sent, set out in lines and coloured, with what broke the contract marked where it stands. It
//! works on the text and not on parsed values: big numbers, doubled keys and odd escapes show as they came.
use super::{code::copy_text, format};
use leptos::prelude::*;
use std::fmt::Write;

/// Where something is amiss, by JSON pointer, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// `""` is the whole, `/items/0/price` a part.
    pub pointer: String,
    /// What is amiss: "must be a number".
    pub message: String,
}

impl Mark {
    /// A mark at `pointer`.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

/// Beyond this much text the rest is left out of sight; copying still takes everything.
const SHOWN: usize = 256 * 1024;
/// Beyond this depth nothing is set out any more.
const DEEPEST: usize = 64;

/// A payload, set out and coloured.
#[component]
pub fn Json(
    /// What it is: "Payload".
    #[prop(into)]
    label: String,
    /// The text as it came.
    #[prop(into)]
    text: String,
    /// What is amiss in it.
    #[prop(optional)]
    marks: Vec<Mark>,
) -> AnyView {
    let end = text.floor_char_boundary(SHOWN);
    let shown = set_out(&text[..end], &marks);
    let rest = (end < text.len()).then(|| {
        let rest = format!("{} more are not shown; copy takes everything.", format::bytes((text.len() - end) as u64));
        view! { <p class="hint">{rest}</p> }
    });
    view! {
        <figure class="code">
            <figcaption>{label.clone()}{copy_text(text, &label)}</figcaption>
            <pre class="json" tabindex="0" role="region" aria-label=label><code inner_html=shown></code></pre>
            {rest}
        </figure>
    }
    .into_any()
}

/// One open bracket: how its members are told apart in a pointer.
enum Open {
    Object { key: String },
    Array { index: usize },
}

/// Writes lines of escaped HTML out of JSON text. What is not JSON comes through as it is, escaped.
struct Writer<'a> {
    out: String,
    marks: &'a [Mark],
    said: Vec<bool>,
    open: Vec<Open>,
    /// Messages to stand at the end of the line that is being written.
    pending: Vec<usize>,
    /// Whether a string that comes now is a key.
    wants_key: bool,
}

fn set_out(text: &str, marks: &[Mark]) -> String {
    let mut writer = Writer {
        out: String::with_capacity(text.len() * 2),
        marks,
        said: vec![false; marks.len()],
        open: Vec::new(),
        pending: Vec::new(),
        wants_key: false,
    };
    writer.run(text);
    writer.finish()
}

impl Writer<'_> {
    fn run(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let end = match byte {
                b' ' | b'\t' | b'\n' | b'\r' => {
                    at += 1;
                    continue;
                }
                b'{' | b'[' | b'}' | b']' | b',' | b':' => at + 1,
                b'"' => string_end(bytes, at),
                _ => bytes[at..]
                    .iter()
                    .position(|b| b" \t\n\r{}[],:\"".contains(b))
                    .map_or(bytes.len(), |length| at + length),
            };
            let token = &text[at..end];
            match byte {
                b'{' | b'[' => {
                    self.open_bracket(byte, &bytes[end..]);
                }
                b'}' | b']' => self.close_bracket(token),
                b',' => self.comma(),
                b':' => {
                    self.out.push_str(": ");
                    self.wants_key = false;
                }
                b'"' if self.wants_key => self.key(token),
                b'"' => self.value(token, "js"),
                b'-' | b'0'..=b'9' => self.value(token, "jn"),
                _ => self.value(token, "jb"),
            }
            at = end;
        }
    }

    /// The pointer of the value that comes now.
    fn pointer(&self) -> String {
        self.open.iter().fold(String::new(), |mut pointer, open| {
            match open {
                Open::Object { key } => {
                    let _ = write!(pointer, "/{}", key.replace('~', "~0").replace('/', "~1"));
                }
                Open::Array { index } => {
                    let _ = write!(pointer, "/{index}");
                }
            }
            pointer
        })
    }

    /// Opens the mark of the value that comes now, if it has one.
    fn mark(&mut self) -> bool {
        if self.marks.is_empty() {
            return false;
        }
        let pointer = self.pointer();
        let found = self.marks.iter().enumerate().filter(|(_, mark)| mark.pointer == pointer).map(|(n, _)| n);
        let before = self.pending.len();
        self.pending.extend(found);
        for &n in &self.pending[before..] {
            self.said[n] = true;
        }
        let marked = self.pending.len() > before;
        if marked {
            self.out.push_str("<mark>");
        }
        marked
    }

    fn value(&mut self, token: &str, class: &str) {
        let marked = self.mark();
        let _ = write!(self.out, "<span class=\"{class}\">{}</span>", html_escape::encode_text(token));
        if marked {
            self.out.push_str("</mark>");
        }
    }

    fn key(&mut self, token: &str) {
        if let Some(Open::Object { key }) = self.open.last_mut() {
            *key = serde_json::from_str(token).unwrap_or_else(|_| token.trim_matches('"').to_owned());
        }
        let _ = write!(self.out, "<span class=\"jk\">{}</span>", html_escape::encode_text(token));
    }

    fn open_bracket(&mut self, byte: u8, rest: &[u8]) {
        let marked = self.mark();
        self.out.push(char::from(byte));
        if marked {
            self.out.push_str("</mark>");
        }
        let object = byte == b'{';
        self.open.push(if object { Open::Object { key: String::new() } } else { Open::Array { index: 0 } });
        self.wants_key = object;
        let empty = rest.iter().find(|b| !b.is_ascii_whitespace()).is_some_and(|b| matches!(b, b'}' | b']'));
        if !empty {
            self.line();
        }
    }

    fn close_bracket(&mut self, token: &str) {
        self.open.pop();
        if !self.out.ends_with(['{', '[']) && !self.out.ends_with("{</mark>") && !self.out.ends_with("[</mark>") {
            self.line();
        }
        self.out.push_str(token);
        self.wants_key = false;
    }

    fn comma(&mut self) {
        self.out.push(',');
        match self.open.last_mut() {
            Some(Open::Array { index }) => *index += 1,
            Some(Open::Object { .. }) => self.wants_key = true,
            None => {}
        }
        self.line();
    }

    /// Ends the line: what is amiss in it, then the indent of the next.
    fn line(&mut self) {
        self.messages();
        self.out.push('\n');
        for _ in 0..self.open.len().min(DEEPEST) {
            self.out.push_str("  ");
        }
    }

    fn messages(&mut self) {
        for n in std::mem::take(&mut self.pending) {
            let message = html_escape::encode_text(&self.marks[n].message);
            let _ = write!(self.out, "<span class=\"jm\"> ← {message}</span>");
        }
    }

    /// Ends the last line; marks whose place was never met (a truncated or a broken text) are told below.
    fn finish(mut self) -> String {
        self.messages();
        for (mark, _) in self.marks.iter().zip(&self.said).filter(|(_, said)| !**said) {
            let place = html_escape::encode_text(&mark.pointer);
            let message = html_escape::encode_text(&mark.message);
            let _ = write!(self.out, "\n<span class=\"jm\">← {place} {message}</span>");
        }
        self.out
    }
}

/// One past the closing quote of the string that begins at `at`, or the end of the text.
fn string_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while let Some(&byte) = bytes.get(end) {
        match byte {
            b'\\' => end += 2,
            b'"' => return end + 1,
            _ => end += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text a reader sees.
    fn read(html: &str) -> String {
        let mut out = String::new();
        let mut inside = false;
        for c in html.chars() {
            match c {
                '<' => inside = true,
                '>' => inside = false,
                c if !inside => out.push(c),
                _ => {}
            }
        }
        html_escape::decode_html_entities(&out).into_owned()
    }

    #[test]
    fn lines_are_set_out_and_nothing_is_changed() {
        let text = r#"{"a":1.0e2,"a":12345678901234567890,"b":[],"c":{ },"d":[true,{"e":null}],"f":"\u00e9\"<"}"#;
        let shown = read(&set_out(text, &[]));
        let expected = "{\n  \"a\": 1.0e2,\n  \"a\": 12345678901234567890,\n  \"b\": [],\n  \"c\": {},\n  \"d\": [\n    true,\n    {\n      \"e\": null\n    }\n  ],\n  \"f\": \"\\u00e9\\\"<\"\n}";
        assert_eq!(shown, expected);
    }

    #[test]
    fn html_in_keys_values_and_messages_is_escaped() {
        let text = r#"{"<script>":"</code><script>alert(1)</script>"}"#;
        let marks = [Mark::new("/<script>", "<b>no</b>"), Mark::new("/gone", "<i>lost</i>")];
        let html = set_out(text, &marks);
        for tag in ["<script", "<b>", "<i>", "</code"] {
            assert!(!html.contains(tag), "{tag} in {html}");
        }
        assert!(read(&html).contains("/gone <i>lost</i>"));
    }

    #[test]
    fn marks_stand_where_they_point() {
        let text = r#"{"a/b":{"x":[1,"two"]},"n":3}"#;
        let html = set_out(text, &[Mark::new("/a~1b/x/1", "must be a number"), Mark::new("", "lacks y")]);
        assert!(html.contains("<mark><span class=\"js\">\"two\"</span></mark>"), "{html}");
        let lines: Vec<_> = read(&html).lines().map(str::to_owned).collect();
        assert_eq!(lines[0], "{ ← lacks y");
        assert_eq!(lines[4], "      \"two\" ← must be a number");
    }

    #[test]
    fn what_is_not_json_neither_panics_nor_runs_away() {
        for text in ["", "}", "]]]]", "\"", "\"\\", "nul", "{\"a\"", ",,:", "é{ü", "[1,,2"] {
            let _ = set_out(text, &[Mark::new("/a", "m")]);
        }
        let deep = "[".repeat(20_000);
        assert!(set_out(&deep, &[]).len() < 20_000 * (2 * DEEPEST + 4));
    }
}
