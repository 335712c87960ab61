//! Where in an answer something is: plain steps from the top, which a stream can follow, or any other `JSONPath`.
use serde_json_path::JsonPath;

/// Plain steps from the top: the names of fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps(pub Vec<String>);

/// Where the records are.
#[derive(Debug, Clone)]
pub enum Records {
    /// By plain steps: read as a stream.
    Steps(Steps),
    /// By anything else: the answer is held in memory.
    Path(JsonPath),
}

impl Steps {
    /// Of `$`, `$.data.items`, `$['data']["items"]`, each perhaps with `[*]` at its end; of nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.trim().strip_prefix('$')?;
        rest = rest.strip_suffix("[*]").unwrap_or(rest);
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = if let Some(name) = rest.strip_prefix('.') {
                let end = name.find(['.', '[']).unwrap_or(name.len());
                let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
                let step = &name[..end];
                if step.is_empty() || !step.chars().all(plain) {
                    return None;
                }
                (step, &name[end..])
            } else {
                let quoted = rest.strip_prefix('[')?;
                let quote = quoted.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
                let name = &quoted[1..];
                let end = name.find(quote)?;
                if name[..end].contains('\\') {
                    return None;
                }
                (&name[..end], name[end + 1..].strip_prefix(']')?)
            };
            steps.push(step.to_owned());
            rest = after;
        }
        Some(Self(steps))
    }

    /// Whether it is the answer itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl Records {
    /// Reads a path.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        match Steps::parse(text) {
            Some(steps) => Ok(Self::Steps(steps)),
            None => JsonPath::parse(text.trim()).map(Self::Path).map_err(|error| error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_steps_are_told_from_other_paths() {
        let steps = |text| Steps::parse(text).map(|steps| steps.0.join("/"));
        for (text, expected) in [
            ("$", ""),
            ("$[*]", ""),
            ("$.data.items", "data/items"),
            ("$.items[*]", "items"),
            ("$['a b'][\"c\"]", "a b/c"),
            ("$.größe", "größe"),
        ] {
            assert_eq!(steps(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["", "data", "$.", "$..items", "$.a[0]", "$.*", "$.a[?@.b]", "$['a", "$.a[*].b"] {
            assert_eq!(steps(text), None, "{text}");
        }
        assert!(matches!(Records::parse("$.a[*].b"), Ok(Records::Path(_))));
        assert!(Records::parse("items").is_err() && Records::parse("$.a[").is_err());
    }
}
