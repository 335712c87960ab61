//! Contracts: what the events of a type must hold, as JSON Schema (draft 2020-12), compiled once and asked often.
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, OnceLock},
};

use jsonschema::{Draft, PatternOptions, ReferencingError, Validator, error::ValidationErrorKind};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::breach;
pub use super::breach::Breach;

/// The longest text, in bytes.
const LONGEST: usize = 256 << 10;
/// How deep objects and arrays may stand inside each other.
const DEEPEST: usize = 64;
/// How many steps of nesting and reference lead from the top to any rule: it bounds the stack.
const FARTHEST: usize = 512;
/// How many rules there may be once every reference is written out: references to references multiply.
const WIDEST: u64 = 1 << 20;
/// The most memory of one compiled pattern, in bytes.
const PATTERN_SIZE: usize = 1 << 20;
/// The most breaches that are told of one event.
const MOST_BREACHES: usize = 20;

/// The draft that contracts are written in.
const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A contract. Cheap to clone; clones share what was compiled.
#[derive(Clone)]
pub struct Contract(Arc<Inner>);

struct Inner {
    text: String,
    compiled: OnceLock<Option<Compiled>>,
}

struct Compiled {
    validator: Validator,
    /// Every object keeps it.
    takes_all: bool,
}

/// Why a text is no contract. Each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContractError {
    /// It is too long.
    #[error("a contract has at most {} KiB", LONGEST >> 10)]
    TooLong,
    /// It is nested too deep.
    #[error("objects and arrays stand at most {DEEPEST} deep in a contract")]
    TooDeep,
    /// It is no JSON.
    #[error("this is not JSON: {0}")]
    NotJson(String),
    /// It is JSON, but no schema.
    #[error("a contract is a JSON object, or true or false")]
    NotASchema,
    /// It is written in another draft.
    #[error("contracts are written in JSON Schema 2020-12: set $schema to {DRAFT}, or leave it out")]
    AnotherDraft,
    /// It refers to a document elsewhere.
    #[error(
        "it refers to {0}, and documents elsewhere are never fetched: copy that part into $defs and refer to it as #/$defs/…"
    )]
    Remote(String),
    /// It refers to a part that it does not have.
    #[error("it refers to {0}, which it does not have")]
    Dangling(String),
    /// Its references lead too far.
    #[error("its references lead through more than {FARTHEST} steps, or write out to more than {WIDEST} rules")]
    TooLarge,
    /// A pattern that the engine does not take.
    #[error("at {path}: the pattern cannot be used: look-ahead, look-behind and back-references are not supported")]
    Pattern {
        /// Where, as a JSON pointer.
        path: String,
    },
    /// A keyword is used wrongly.
    #[error("at {path}: {message}")]
    Misused {
        /// Where, as a JSON pointer.
        path: String,
        /// What is wrong there.
        message: String,
    },
}

impl Contract {
    /// Reads and compiles a contract.
    ///
    /// # Errors
    /// See [`ContractError`].
    pub fn parse(text: &str) -> Result<Self, ContractError> {
        let compiled = compile(text)?;
        Ok(Self(Arc::new(Inner { text: text.to_owned(), compiled: OnceLock::from(Some(compiled)) })))
    }

    /// A contract that was parsed before it was stored: it is compiled when first asked.
    pub(super) fn stored(text: String) -> Self {
        Self(Arc::new(Inner { text, compiled: OnceLock::new() }))
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Whether every JSON object keeps it, so that nobody need ask.
    pub fn accepts_anything(&self) -> bool {
        self.compiled().is_some_and(|compiled| compiled.takes_all)
    }

    /// What is wrong with an event: nothing when it keeps the contract. At most twenty breaches are told.
    pub fn check(&self, event: &Value) -> Vec<Breach> {
        let Some(compiled) = self.compiled() else {
            return vec![Breach::new("", "contract", "the contract of this event type cannot be read: save it anew")];
        };
        // most events are right, and to know that much is several times cheaper
        if compiled.validator.is_valid(event) {
            return Vec::new();
        }
        let mut breaches = Vec::new();
        for error in compiled.validator.iter_errors(event) {
            breach::explain(&error, &mut breaches);
            if breaches.len() >= MOST_BREACHES {
                breaches.truncate(MOST_BREACHES);
                break;
            }
        }
        breaches
    }

    /// The schema as JSON.
    pub fn schema(&self) -> Value {
        serde_json::from_str(self.text()).unwrap_or_default()
    }

    fn compiled(&self) -> Option<&Compiled> {
        let compile = || match compile(self.text()) {
            Ok(compiled) => Some(compiled),
            Err(error) => {
                tracing::error!(%error, "a stored contract cannot be compiled");
                None
            }
        };
        self.0.compiled.get_or_init(compile).as_ref()
    }
}

impl Default for Contract {
    /// Any object.
    fn default() -> Self {
        Self::stored(r#"{"type":"object"}"#.to_owned())
    }
}

impl PartialEq for Contract {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.text() == other.text()
    }
}

impl fmt::Debug for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Contract").field(&self.text()).finish()
    }
}

impl Serialize for Contract {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

fn compile(text: &str) -> Result<Compiled, ContractError> {
    if text.len() > LONGEST {
        return Err(ContractError::TooLong);
    }
    let schema: Value = serde_json::from_str(text).map_err(|error| {
        // the parser gives up at a depth of its own, before ours can be counted
        if error.to_string().starts_with("recursion limit") {
            ContractError::TooDeep
        } else {
            ContractError::NotJson(error.to_string())
        }
    })?;
    if !(schema.is_object() || schema.is_boolean()) {
        return Err(ContractError::NotASchema);
    }
    if depth(&schema) > DEEPEST {
        return Err(ContractError::TooDeep);
    }
    if schema.get("$schema").is_some_and(|draft| draft.as_str().map(|draft| draft.trim_end_matches('#')) != Some(DRAFT))
    {
        return Err(ContractError::AnotherDraft);
    }
    Extent { schema: &schema, known: HashMap::new() }.of(&schema, 0)?;
    let validator = jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_SIZE).dfa_size_limit(PATTERN_SIZE))
        .build(&schema)
        .map_err(|error| misuse(&error))?;
    Ok(Compiled { validator, takes_all: takes_all(&schema) })
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// How far a schema extends when its references are followed.
struct Extent<'s> {
    schema: &'s Value,
    /// Size of what each reference leads to; one while it is being found out, so that circles end.
    known: HashMap<&'s str, (u64, usize)>,
}

impl<'s> Extent<'s> {
    /// How many values `part` writes out to, and how many steps lead to the farthest of them.
    fn of(&mut self, part: &'s Value, from: usize) -> Result<(u64, usize), ContractError> {
        if from > FARTHEST {
            return Err(ContractError::TooLarge);
        }
        let (mut width, mut height) = (1_u64, 0);
        let mut add = |(wide, high): (u64, usize)| {
            width = width.saturating_add(wide);
            height = height.max(high + 1);
        };
        match part {
            Value::Array(items) => {
                for item in items {
                    add(self.of(item, from + 1)?);
                }
            }
            Value::Object(fields) => {
                for (key, value) in fields {
                    // definitions count where they are referred to
                    if key == "$defs" || key == "definitions" {
                        continue;
                    }
                    add(self.of(value, from + 1)?);
                    if key == "$ref" || key == "$dynamicRef" {
                        add(self.behind(value, from + 1)?);
                    }
                }
            }
            _ => {}
        }
        if width > WIDEST || from + height > FARTHEST {
            return Err(ContractError::TooLarge);
        }
        Ok((width, height))
    }

    fn behind(&mut self, reference: &'s Value, from: usize) -> Result<(u64, usize), ContractError> {
        let Some(pointer) = reference.as_str().and_then(|reference| reference.strip_prefix('#')) else {
            return Ok((1, 0));
        };
        if let Some(&known) = self.known.get(pointer) {
            return Ok(known);
        }
        let Some(target) = self.schema.pointer(pointer) else { return Ok((1, 0)) };
        self.known.insert(pointer, (1, 0));
        let extent = self.of(target, from)?;
        self.known.insert(pointer, extent);
        Ok(extent)
    }
}

/// Whether a schema demands nothing of an object.
fn takes_all(schema: &Value) -> bool {
    match schema {
        Value::Bool(takes) => *takes,
        Value::Object(keywords) => keywords.iter().all(|(keyword, value)| match keyword.as_str() {
            "$schema" | "$id" | "$comment" | "$defs" | "title" | "description" | "default" | "examples" => true,
            "type" => value == "object",
            _ => false,
        }),
        _ => false,
    }
}

fn misuse(error: &jsonschema::ValidationError<'_>) -> ContractError {
    if let ValidationErrorKind::Referencing(error) = error.kind() {
        return match error {
            ReferencingError::Unretrievable { uri, .. } => ContractError::Remote(uri.clone()),
            ReferencingError::PointerToNowhere { pointer } => ContractError::Dangling(format!("#{pointer}")),
            ReferencingError::NoSuchAnchor { anchor } | ReferencingError::InvalidAnchor { anchor } => {
                ContractError::Dangling(format!("#{anchor}"))
            }
            ReferencingError::UnknownSpecification { .. } => ContractError::AnotherDraft,
            other => ContractError::Dangling(other.to_string()),
        };
    }
    let path = match error.instance_path().as_str() {
        "" => "the top".to_owned(),
        path => path.to_owned(),
    };
    if matches!(error.kind(), ValidationErrorKind::Format { format } if format == "regex") {
        return ContractError::Pattern { path };
    }
    let mut breaches = Vec::new();
    breach::explain(error, &mut breaches);
    match breaches.into_iter().next() {
        Some(breach) if breach.path.is_empty() => ContractError::Misused { path, message: breach.message },
        Some(breach) => ContractError::Misused { path: breach.path, message: breach.message },
        None => ContractError::Misused { path, message: "this is no JSON Schema".into() },
    }
}
