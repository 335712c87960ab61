//! JSON values as literals of other languages.
use std::fmt::Write;

use serde_json::Value;

/// How a language writes values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Literal {
    kind: Kind,
    /// Spaces of one step.
    step: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    JavaScript,
    Python,
    CSharp,
    Php,
}

impl Literal {
    pub(super) const JAVASCRIPT: Self = Self { kind: Kind::JavaScript, step: 2 };
    pub(super) const PYTHON: Self = Self { kind: Kind::Python, step: 4 };
    pub(super) const CSHARP: Self = Self { kind: Kind::CSharp, step: 4 };
    pub(super) const PHP: Self = Self { kind: Kind::Php, step: 4 };

    /// A text.
    pub(super) fn text(self, text: &str) -> String {
        if self.kind == Kind::Php {
            return format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"));
        }
        let mut out = String::from("\"");
        for c in text.chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str(r"\\"),
                '\n' => out.push_str(r"\n"),
                '\r' => out.push_str(r"\r"),
                '\t' => out.push_str(r"\t"),
                // line ends, to one language or another
                c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                    let _ = write!(out, "\\u{:04x}", u32::from(c));
                }
                c => out.push(c),
            }
        }
        out.push('"');
        out
    }

    /// Any value, `depth` steps to the right.
    pub(super) fn value(self, value: &Value, depth: usize) -> String {
        match value {
            Value::Null => if self.kind == Kind::Python { "None" } else { "null" }.to_owned(),
            Value::Bool(on) => match (self.kind, on) {
                (Kind::Python, true) => "True".to_owned(),
                (Kind::Python, false) => "False".to_owned(),
                (_, on) => on.to_string(),
            },
            Value::Number(number) => number.to_string(),
            Value::String(text) => self.text(text),
            Value::Array(items) => self.list(items, depth),
            Value::Object(fields) => {
                let fields: Vec<_> = fields.iter().collect();
                self.object(&fields, depth)
            }
        }
    }

    fn list(self, items: &[Value], depth: usize) -> String {
        let (open, close) = if self.kind == Kind::CSharp { ("new object?[]\n{", "}") } else { ("[", "]") };
        if items.is_empty() {
            return if self.kind == Kind::CSharp { "Array.Empty<object>()".into() } else { "[]".into() };
        }
        let items: Vec<_> = items.iter().map(|item| self.value(item, depth + 1)).collect();
        self.between(open, &items, close, depth)
    }

    fn object(self, fields: &[(&String, &Value)], depth: usize) -> String {
        let members: Vec<_> = fields
            .iter()
            .map(|(key, value)| {
                let (key, value) = (self.text(key), self.value(value, depth + 1));
                match self.kind {
                    // the one key that would set something else than a field
                    Kind::JavaScript if key == "\"__proto__\"" => format!("[{key}]: {value}"),
                    Kind::JavaScript | Kind::Python => format!("{key}: {value}"),
                    Kind::CSharp => format!("[{key}] = {value}"),
                    Kind::Php => format!("{key} => {value}"),
                }
            })
            .collect();
        match self.kind {
            Kind::JavaScript | Kind::Python if members.is_empty() => "{}".into(),
            Kind::JavaScript | Kind::Python => self.between("{", &members, "}", depth),
            Kind::CSharp if members.is_empty() => "new Dictionary<string, object?>()".into(),
            Kind::CSharp => self.between("new Dictionary<string, object?>\n{", &members, "}", depth),
            Kind::Php if members.is_empty() => "new stdClass()".into(),
            // keys that are numbers would make it a list
            Kind::Php if fields.iter().any(|(key, _)| key.parse::<i64>().is_ok()) => {
                self.between("(object) [", &members, "]", depth)
            }
            Kind::Php => self.between("[", &members, "]", depth),
        }
    }

    fn between(self, open: &str, members: &[String], close: &str, depth: usize) -> String {
        let margin = " ".repeat(self.step * depth);
        let inner = " ".repeat(self.step * (depth + 1));
        let open = open.replace('\n', &format!("\n{margin}"));
        let mut out = format!("{open}\n");
        for member in members {
            let _ = writeln!(out, "{inner}{member},");
        }
        out.push_str(&margin);
        out.push_str(close);
        out
    }
}
