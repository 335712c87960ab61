//! A contract as a table of fields. The table is a view of the text and never a second copy of it: what a row does not
//! show is listed as kept, and an edit writes only what the row shows (see [`edit`]).
mod edit;
mod lines;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

pub use edit::{Added, Amiss, Change, Part, edit};
pub(super) use lines::Class;

use super::{
    field::{Format, IDENTIFIES, Identifies, Path},
    spans::{Kind as Json, Node},
};

/// The most rows that are shown: beyond, the JSON is the better place.
const MOST_ROWS: usize = 300;
/// How much is told of a keyword that is kept as it is, in characters.
const LONGEST_KEPT: usize = 48;

/// What is shown of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The fields, those of an object below it.
    pub rows: Vec<Row>,
    /// What the contract says of the event as a whole that no row shows.
    pub kept: Vec<String>,
}

/// Why a contract is not shown as a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotShown {
    /// It is `false`.
    #[error("This contract takes no event at all, so there are no fields to show.")]
    TakesNothing,
    /// It has too many fields.
    #[error("This contract has more than {MOST_ROWS} fields, which is more than a table is good for.")]
    TooMany,
    /// It is no JSON.
    #[error("This contract cannot be read.")]
    Unreadable,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it stands.
    pub path: Path,
    /// What can be changed here.
    pub shape: Shape,
    /// When its type is none of those that can be chosen: what is written.
    pub written: Option<String>,
    /// Whether its values are such that the table can hold all allowed ones.
    pub lists_allowed: bool,
    /// The same for its examples.
    pub lists_examples: bool,
    /// What its allowed values and examples are, where there are some.
    pub(super) classes: (Option<Class>, Option<Class>),
    /// Whether nothing but its name and its being there can be changed.
    pub locked: bool,
    /// What the contract says of it that the table does not show.
    pub kept: Vec<String>,
}

/// What a row shows, and what can be changed in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// What the field is called.
    pub name: String,
    /// What its values are.
    pub kind: Kind,
    /// Whether null is one of them.
    pub nullable: bool,
    /// Whether it must be there.
    pub required: bool,
    /// By what it identifies a person.
    pub identifies: Option<Identifies>,
    /// All values there are to choose from, one a line; empty when any will do.
    pub allowed: String,
    /// Examples, one a line.
    pub examples: String,
    /// What it means.
    pub description: String,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            name: String::new(),
            kind: Kind::Text,
            nullable: false,
            required: false,
            identifies: None,
            allowed: String::new(),
            examples: String::new(),
            description: String::new(),
        }
    }
}

/// What values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Anything.
    Any,
    /// Any text.
    Text,
    /// A text of some form.
    Formatted(Format),
    /// A number.
    Number,
    /// A number without a fraction.
    Integer,
    /// Yes or no.
    Boolean,
    /// Fields of its own.
    Object,
    /// A list, of one kind of items or of any.
    List(Option<Item>),
    /// Something else, which is left as it is written.
    AsWritten,
}

/// What the items of a list are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is named as in Kind")]
pub enum Item {
    Text,
    Number,
    Integer,
    Boolean,
    Object,
}

impl Item {
    const ALL: [Self; 5] = [Self::Object, Self::Text, Self::Number, Self::Integer, Self::Boolean];

    fn json(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Object => "object",
        }
    }
}

impl Kind {
    /// Those that can be chosen, in the order in which they are offered.
    pub fn choices() -> Vec<Self> {
        let formats = Format::ALL.map(Self::Formatted);
        let lists = Item::ALL.map(|item| Self::List(Some(item)));
        [Self::Text]
            .into_iter()
            .chain(formats)
            .chain([Self::Number, Self::Integer, Self::Boolean, Self::Object])
            .chain(lists)
            .chain([Self::List(None), Self::Any])
            .collect()
    }

    /// As a form sends it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Text => "text",
            Self::Formatted(format) => format.word(),
            Self::Number => "number",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Object => "object",
            Self::List(None) => "list",
            Self::List(Some(Item::Text)) => "list-of-texts",
            Self::List(Some(Item::Number)) => "list-of-numbers",
            Self::List(Some(Item::Integer)) => "list-of-integers",
            Self::List(Some(Item::Boolean)) => "list-of-booleans",
            Self::List(Some(Item::Object)) => "list-of-objects",
            Self::AsWritten => "as-written",
        }
    }

    /// As people read it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Any => "Anything",
            Self::Text => "Text",
            Self::Formatted(Format::Email) => "E-mail address",
            Self::Formatted(Format::Phone) => "Phone number",
            Self::Formatted(Format::Date) => "Date",
            Self::Formatted(Format::DateTime) => "Date and time",
            Self::Formatted(Format::Uri) => "Web address",
            Self::Formatted(Format::Uuid) => "UUID",
            Self::Number => "Number",
            Self::Integer => "Whole number",
            Self::Boolean => "Yes or no",
            Self::Object => "Object",
            Self::List(None) => "List",
            Self::List(Some(Item::Text)) => "List of texts",
            Self::List(Some(Item::Number)) => "List of numbers",
            Self::List(Some(Item::Integer)) => "List of whole numbers",
            Self::List(Some(Item::Boolean)) => "List of yes or no",
            Self::List(Some(Item::Object)) => "List of objects",
            Self::AsWritten => "As written",
        }
    }

    /// Reads what [`Kind::word`] wrote.
    pub fn read(word: &str) -> Option<Self> {
        Self::choices().into_iter().chain([Self::AsWritten]).find(|kind| kind.word() == word)
    }

    /// Whether fields can be put into it.
    pub fn holds_fields(self) -> bool {
        matches!(self, Self::Object | Self::List(Some(Item::Object)))
    }

    /// Whether a closed set of its values can be written down, one a line.
    pub fn can_be_listed(self) -> bool {
        matches!(self, Self::Text | Self::Formatted(_) | Self::Number | Self::Integer | Self::AsWritten | Self::Any)
    }

    /// The type a schema gives it; none for anything.
    fn json(self) -> Option<&'static str> {
        match self {
            Self::Any | Self::AsWritten => None,
            Self::Text | Self::Formatted(_) => Some("string"),
            Self::Number => Some("number"),
            Self::Integer => Some("integer"),
            Self::Boolean => Some("boolean"),
            Self::Object => Some("object"),
            Self::List(_) => Some("array"),
        }
    }
}

impl Table {
    /// Shows a contract's text.
    ///
    /// # Errors
    /// When a table is not the way to show it.
    pub fn of(text: &str) -> Result<Self, NotShown> {
        let tree = Node::parse(text).ok_or(NotShown::Unreadable)?;
        let mut reader = Reader { text, rows: Vec::new() };
        let kept = match (&tree.kind, tree.raw(text)) {
            (Json::Object(_), _) => {
                reader.fields(&tree, &Path::default())?;
                let mut kept = reader.rest(&tree, "", &["$schema", "title", "description", "properties", "required"]);
                kept.retain(|keyword| keyword != "type object");
                kept.extend(reader.beyond(&tree, ""));
                kept
            }
            (_, "true") => Vec::new(),
            _ => return Err(NotShown::TakesNothing),
        };
        Ok(Self { rows: reader.rows, kept })
    }
}

struct Reader<'t> {
    text: &'t str,
    rows: Vec<Row>,
}

impl Reader<'_> {
    fn fields(&mut self, schema: &Node, path: &Path) -> Result<(), NotShown> {
        let required = self.required(schema);
        let Some(properties) = schema.get("properties") else { return Ok(()) };
        let mut shown = HashSet::new();
        for member in properties.members() {
            // of two of one name the last counts
            if !shown.insert(member.key.as_str()) {
                continue;
            }
            let value = properties.get(&member.key).unwrap_or(&member.value);
            if self.rows.len() >= MOST_ROWS {
                return Err(NotShown::TooMany);
            }
            let path = path.key(&member.key);
            let row = self.row(&member.key, value, path.clone(), required.contains(&member.key));
            let kind = row.shape.kind;
            self.rows.push(row);
            if has_fields(value) {
                self.fields(value, &path)?;
            }
            if let (Kind::List(_), Some(items)) = (kind, value.get("items").filter(|items| has_fields(items))) {
                self.fields(items, &path.each())?;
            }
        }
        Ok(())
    }

    fn row(&self, name: &str, schema: &Node, path: Path, required: bool) -> Row {
        let (kind, nullable, written) = self.kind(schema);
        let mut shown = vec!["type", "format"];
        let mut show = |keyword: &'static str, is: bool| {
            if is {
                shown.push(keyword);
            }
            is
        };
        let text = |keyword: &str| schema.get(keyword).and_then(|node| node.read::<String>(self.text));
        let identifies = text(IDENTIFIES).and_then(|word| Identifies::read(&word));
        show(IDENTIFIES, identifies.is_some());
        let description = text("description").filter(|text| !text.trim().is_empty() && *text == tidy(text));
        show("description", description.is_some());
        let lists = |keyword: &str| match schema.get(keyword) {
            Some(node) => lines::read(self.text, node, keyword == "enum" && nullable),
            None => Some((String::new(), None)),
        };
        // what its own type would refuse is not for a table to read
        let fits = |class: &Option<Class>| class.is_none() || Class::of(kind).is_none() || Class::of(kind) == *class;
        let allowed =
            lists("enum").filter(|(_, class)| fits(class) && (kind.can_be_listed() || schema.get("enum").is_none()));
        let examples = lists("examples").filter(|(_, class)| fits(class));
        show("enum", allowed.is_some());
        show("examples", examples.is_some());
        let below = has_fields(schema);
        show("properties", below);
        show("required", below);
        let items = schema.get("items").filter(|_| matches!(kind, Kind::List(_)));
        let items_are_shown = items.is_some_and(|items| matches!(kind, Kind::List(Some(_))) || has_fields(items));
        show("items", items_are_shown);
        let mut kept = self.rest(schema, "", &shown);
        if written.is_some() {
            kept.retain(|keyword| !keyword.starts_with('$'));
        }
        if below {
            kept.extend(self.beyond(schema, ""));
        }
        if let Some(items) = items.filter(|_| items_are_shown) {
            let shown: &[&str] = if has_fields(items) { &["type", "properties", "required"] } else { &["type"] };
            kept.extend(self.rest(items, "items: ", shown));
            kept.extend(self.beyond(items, "items: ").filter(|_| has_fields(items)));
        }
        Row {
            path,
            lists_allowed: allowed.is_some(),
            lists_examples: examples.is_some(),
            classes: (allowed.as_ref().and_then(|(_, class)| *class), examples.as_ref().and_then(|(_, class)| *class)),
            locked: schema.raw(self.text) == "false",
            shape: Shape {
                name: name.to_owned(),
                kind,
                nullable,
                required,
                identifies,
                allowed: allowed.map(|(lines, _)| lines).unwrap_or_default(),
                examples: examples.map(|(lines, _)| lines).unwrap_or_default(),
                description: description.unwrap_or_default(),
            },
            written,
            kept,
        }
    }

    /// What values are, whether null is one, and what is written when it is none of the choices.
    fn kind(&self, schema: &Node) -> (Kind, bool, Option<String>) {
        let as_written = |nullable, text: String| (Kind::AsWritten, nullable, Some(text));
        match schema.raw(self.text) {
            "true" => return (Kind::Any, false, None),
            "false" => return as_written(false, "not allowed".into()),
            _ => {}
        }
        let format = schema.get("format").and_then(|node| node.read::<String>(self.text));
        let known = format.as_deref().and_then(Format::read);
        let Some(types) = schema.get("type") else {
            let reference = schema.get("$ref").and_then(|node| node.read::<String>(self.text));
            let bounds = ["const", "enum", "allOf", "anyOf", "oneOf", "not", "if", "properties", "items", "required"];
            return match (reference, format) {
                (Some(reference), _) => as_written(false, reference),
                (None, Some(format)) => as_written(false, format!("anything, {format}")),
                (None, None) if schema.get("enum").is_some() => as_written(false, "one of".into()),
                (None, None) if bounds.iter().any(|keyword| schema.get(keyword).is_some()) => {
                    as_written(false, "as in the JSON".into())
                }
                _ => (Kind::Any, false, None),
            };
        };
        let words: Vec<String> = match types.read::<String>(self.text) {
            Some(one) => vec![one],
            None => types.items().iter().filter_map(|item| item.read(self.text)).collect(),
        };
        // written as a list, or null would be the only type
        let nullable = words.len() > 1 && words.iter().any(|word| word == "null");
        let mut others = words.iter().map(String::as_str).filter(|word| !nullable || *word != "null");
        let (first, several) = (others.next().unwrap_or_default(), others.next().is_some());
        let kind = match (first, &format, known) {
            _ if several => None,
            ("string", None, _) => Some(Kind::Text),
            ("string", Some(_), Some(format)) => Some(Kind::Formatted(format)),
            ("number", None, _) => Some(Kind::Number),
            ("integer", None, _) => Some(Kind::Integer),
            ("boolean", None, _) => Some(Kind::Boolean),
            ("object", None, _) => Some(Kind::Object),
            ("array", None, _) => Some(Kind::List(self.item(schema.get("items")))),
            _ => None,
        };
        if let Some(kind) = kind {
            return (kind, nullable, None);
        }
        let types: Vec<_> = words.into_iter().filter(|word| !nullable || word != "null").collect();
        let format = format.map(|format| format!(", {format}")).unwrap_or_default();
        as_written(nullable, format!("{}{format}", types.join(" or ")))
    }

    /// What the items of a list are, when they are of one type.
    fn item(&self, items: Option<&Node>) -> Option<Item> {
        let word: String = items?.get("type")?.read(self.text)?;
        Item::ALL.into_iter().find(|item| item.json() == word)
    }

    fn required(&self, schema: &Node) -> HashSet<String> {
        schema
            .get("required")
            .map(Node::items)
            .unwrap_or_default()
            .iter()
            .filter_map(|item| item.read(self.text))
            .collect()
    }

    /// The keywords that are not shown, each with the beginning of what it says.
    fn rest(&self, schema: &Node, before: &str, shown: &[&str]) -> Vec<String> {
        let members = schema.members().iter().filter(|member| !shown.contains(&member.key.as_str()));
        members
            .map(|member| {
                let raw: String = member.value.raw(self.text).split_whitespace().collect::<Vec<_>>().join(" ");
                let raw = serde_json::from_str::<String>(&raw).unwrap_or(raw);
                let mut short: String = raw.chars().take(LONGEST_KEPT).collect();
                if short.len() < raw.len() {
                    short.push('…');
                }
                format!("{before}{} {short}", member.key)
            })
            .collect()
    }

    /// Fields that must be there and of which nothing else is said.
    fn beyond(&self, schema: &Node, before: &str) -> Option<String> {
        let properties = schema.get("properties");
        let required = schema.get("required")?.items().iter().filter_map(|item| item.read::<String>(self.text));
        let beyond: Vec<_> =
            required.filter(|key| properties.and_then(|properties| properties.get(key)).is_none()).collect();
        (!beyond.is_empty()).then(|| format!("{before}required {}", beyond.join(", ")))
    }
}

fn has_fields(schema: &Node) -> bool {
    schema.get("properties").is_some_and(Node::is_object)
}

/// A text as a form brings it back: without space at its ends, and with plain line breaks.
pub(super) fn tidy(text: &str) -> String {
    text.trim().replace("\r\n", "\n").replace('\r', "\n")
}
