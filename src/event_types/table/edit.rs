//! Edits of a table, written into the contract's text: only what a row shows, only where it changed.
use std::collections::HashSet;

use serde_json::{Value, json};

use super::{Class, Kind, NotShown, Row, Shape, Table, lines, tidy};
use crate::event_types::{
    field::{IDENTIFIES, Path, Step},
    splice::Text,
};

/// The longest name and description of a field, in characters.
const LONGEST_NAME: usize = 200;
const LONGEST_DESCRIPTION: usize = 2_000;

/// What becomes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It shows this.
    To(Shape),
    /// It goes, with all that stands in it.
    Remove,
}

/// A field that is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// The row of the object or list that it stands in; none for the event itself.
    pub within: Option<usize>,
    /// What it is.
    pub shape: Shape,
}

/// What part of a row is amiss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is named after what the row shows")]
pub enum Part {
    Name,
    Kind,
    Allowed,
    Examples,
    Description,
    Within,
}

/// What is amiss with an edit: the row (or, behind the rows, the added field), the part, and what is wrong.
pub type Amiss = Vec<(usize, Part, String)>;

/// Writes an edit into a contract's text. `changes` goes along with the rows of [`Table::of`]; what is missing at its
/// end does not change.
///
/// # Errors
/// Says what is amiss, all at once.
pub fn edit(before: &str, changes: &[Change], added: &[Added]) -> Result<String, Amiss> {
    let unreadable = |why: NotShown| vec![(0, Part::Name, why.to_string())];
    let table = Table::of(before).map_err(unreadable)?;
    let changes: Vec<Change> = changes.iter().map(sensible).collect();
    let pairs: Vec<(&Row, &Change)> = table.rows.iter().zip(&changes).collect();
    let mut amiss = names(&table, &pairs, added);
    for (n, (row, change)) in pairs.iter().enumerate() {
        if let Change::To(shape) = change {
            amiss.extend(values(row, shape).into_iter().map(|(part, why)| (n, part, why)));
        }
    }
    let blank = blank();
    for (n, added) in added.iter().enumerate() {
        let n = table.rows.len() + n;
        amiss.extend(values(&blank, &added.shape).into_iter().map(|(part, why)| (n, part, why)));
        if added.within.is_some_and(|row| !table.rows.get(row).is_some_and(|row| row.shape.kind.holds_fields())) {
            amiss.push((n, Part::Within, "only objects and lists of objects hold fields".into()));
        }
    }
    if !amiss.is_empty() {
        return Err(amiss);
    }
    let mut writer = Writer { text: Text::new(before).ok_or_else(|| unreadable(NotShown::Unreadable))? };
    writer.all(&table, &pairs, added).ok_or_else(|| unreadable(NotShown::Unreadable))?;
    Ok(writer.text.into_string())
}

/// A change without what its kind of value cannot have: no object is one of some texts.
fn sensible(change: &Change) -> Change {
    match change {
        Change::To(shape) if !shape.kind.can_be_listed() => {
            Change::To(Shape { allowed: String::new(), ..shape.clone() })
        }
        other => other.clone(),
    }
}

/// The row of a field of which nothing is said yet.
fn blank() -> Row {
    Row {
        path: Path::default(),
        shape: Shape { kind: Kind::Any, ..Shape::default() },
        written: None,
        lists_allowed: true,
        lists_examples: true,
        classes: (None, None),
        locked: false,
        kept: Vec::new(),
    }
}

/// No field without a name, no two of one name in one object.
fn names(table: &Table, pairs: &[(&Row, &Change)], added: &[Added]) -> Amiss {
    let mut amiss = Vec::new();
    let mut taken: HashSet<(Vec<Step>, &str)> = HashSet::new();
    for (n, (row, change)) in pairs.iter().enumerate() {
        let Change::To(shape) = change else { continue };
        if shape.name != row.shape.name {
            amiss.extend(misnamed(&shape.name).map(|why| (n, Part::Name, why)));
        }
        let within = row.path.0[..row.path.0.len() - 1].to_vec();
        if !taken.insert((within, &shape.name)) {
            amiss.push((n, Part::Name, format!("there are two fields called “{}”", shape.name)));
        }
    }
    for (n, added) in added.iter().enumerate() {
        let n = table.rows.len() + n;
        amiss.extend(misnamed(&added.shape.name).map(|why| (n, Part::Name, why)));
        if !taken.insert((added.place(table).0, &added.shape.name)) {
            amiss.push((n, Part::Name, format!("there is a field called “{}” already", added.shape.name)));
        }
    }
    amiss
}

/// What is wrong with a name.
fn misnamed(name: &str) -> Option<String> {
    if name.trim().is_empty() {
        Some("enter a name".into())
    } else if name.chars().count() > LONGEST_NAME {
        Some(format!("a name has at most {LONGEST_NAME} characters"))
    } else if name.chars().any(char::is_control) {
        Some("a name holds no control characters".into())
    } else {
        None
    }
}

impl Added {
    /// The place of the object that it stands in.
    fn place(&self, table: &Table) -> Path {
        match self.within.and_then(|row| table.rows.get(row)) {
            Some(row) if matches!(row.shape.kind, Kind::List(_)) => row.path.each(),
            Some(row) => row.path.clone(),
            None => Path::default(),
        }
    }
}

/// What is wrong with the values of a row.
fn values(row: &Row, shape: &Shape) -> Vec<(Part, String)> {
    let mut amiss = Vec::new();
    let reads_otherwise = Class::of(shape.kind) != Class::of(row.shape.kind);
    if (tidy(&shape.allowed) != row.shape.allowed || reads_otherwise)
        && let Err(why) = lines::values(&shape.allowed, class(row.classes.0, shape))
    {
        amiss.push((Part::Allowed, why));
    }
    if tidy(&shape.examples) != row.shape.examples
        && let Err(why) = lines::values(&shape.examples, class(row.classes.1, shape))
    {
        amiss.push((Part::Examples, why));
    }
    if shape.description.chars().count() > LONGEST_DESCRIPTION {
        amiss.push((Part::Description, format!("a description has at most {LONGEST_DESCRIPTION} characters")));
    }
    amiss
}

/// What the values on the lines of a row are: what its kind says, else what they were, else texts.
fn class(was: Option<Class>, shape: &Shape) -> Class {
    Class::of(shape.kind).or(was).unwrap_or(Class::Texts)
}

struct Writer {
    text: Text,
}

impl Writer {
    fn all(&mut self, table: &Table, pairs: &[(&Row, &Change)], added: &[Added]) -> Option<()> {
        for (row, change) in pairs {
            if let Change::To(shape) = change {
                self.row(row, shape)?;
            }
        }
        for added in added {
            self.add(&added.place(table), &added.shape)?;
        }
        // the innermost first: the ways to what stands further out stay as they were
        for (row, change) in pairs.iter().rev() {
            if **change == Change::Remove {
                self.remove(&row.path)?;
            }
        }
        // by way of a name that nothing has, so that two may change places
        let renamed = || {
            pairs.iter().enumerate().rev().filter_map(|(n, (row, change))| match change {
                Change::To(shape) if shape.name != row.shape.name => Some((n, *row, shape)),
                _ => None,
            })
        };
        for (n, row, _) in renamed() {
            self.rename(&row.path, &row.shape.name, &passing(n))?;
        }
        for (n, row, shape) in renamed() {
            // what stands around it has a passing name as well by now
            let mut path = row.path.clone();
            for (outer, other, _) in renamed() {
                let depth = other.path.0.len();
                if depth < path.0.len() && path.0[..depth] == other.path.0[..] {
                    path.0[depth - 1] = Step::Key(passing(outer));
                }
            }
            self.rename(&path, &passing(n), &shape.name)?;
        }
        Some(())
    }

    fn row(&mut self, row: &Row, shape: &Shape) -> Option<()> {
        let before = &row.shape;
        let (place, schema) = (Place::of(&row.path)?, row.path.in_schema());
        if shape.required != before.required {
            self.require(&place, shape.required)?;
        }
        let same = Shape { required: before.required, name: before.name.clone(), ..shape.clone() };
        if same == *before || row.locked {
            return Some(());
        }
        if !self.text.tree()?.at(&schema)?.is_object() {
            self.text.replace(&schema, &json!({}))?;
        }
        if (shape.kind, shape.nullable) != (before.kind, before.nullable) {
            self.kind(&schema, before, shape)?;
        }
        self.lists(&schema, row, shape)?;
        if shape.identifies != before.identifies {
            self.put(&schema, IDENTIFIES, shape.identifies.map(|one| one.word().into()))?;
        }
        let description = tidy(&shape.description);
        if description != before.description {
            self.put(&schema, "description", (!description.is_empty()).then(|| description.into()))?;
        }
        Some(())
    }

    /// Writes a keyword, or takes it away.
    fn put(&mut self, schema: &[String], keyword: &str, value: Option<Value>) -> Option<()> {
        match value {
            Some(value) => self.text.set(schema, keyword, &value),
            None => self.text.unset(schema, keyword),
        }
    }

    fn kind(&mut self, schema: &[String], before: &Shape, shape: &Shape) -> Option<()> {
        if shape.kind == Kind::AsWritten {
            return Some(());
        }
        let word = |shape: &Shape| {
            shape.kind.json().map(|kind| if shape.nullable { json!([kind, "null"]) } else { kind.into() })
        };
        let is_new = before.kind == Kind::AsWritten || word(before) != word(shape);
        if is_new {
            self.put(schema, "type", word(shape))?;
        }
        if shape.kind != before.kind {
            let format = if let Kind::Formatted(format) = shape.kind { Some(format.word().into()) } else { None };
            self.put(schema, "format", format)?;
        }
        if let Kind::List(item) = shape.kind
            && before.kind != shape.kind
        {
            self.items(schema, item.map(super::Item::json))?;
        }
        Some(())
    }

    fn items(&mut self, schema: &[String], item: Option<&str>) -> Option<()> {
        let items: Vec<String> = schema.iter().cloned().chain(["items".to_owned()]).collect();
        let is_object = self.text.tree()?.at(&items).map(super::Node::is_object);
        match (item, is_object) {
            (Some(item), Some(true)) => self.text.set(&items, "type", &item.into()),
            (Some(item), _) => self.text.set(schema, "items", &json!({"type": item})),
            (None, Some(true)) => self.text.unset(&items, "type"),
            (None, _) => Some(()),
        }
    }

    /// The values that are allowed, and the examples.
    fn lists(&mut self, schema: &[String], row: &Row, shape: &Shape) -> Option<()> {
        let before = &row.shape;
        let allowed = tidy(&shape.allowed);
        let reads_otherwise = Class::of(shape.kind) != Class::of(before.kind) && shape.kind != Kind::AsWritten;
        let changed = allowed != before.allowed || shape.nullable != before.nullable || reads_otherwise;
        if row.lists_allowed && changed && !(allowed.is_empty() && before.allowed.is_empty()) {
            let mut values = lines::values(&allowed, class(row.classes.0, shape)).ok()?;
            let had_null = self
                .text
                .tree()?
                .at(schema)?
                .get("enum")
                .map(|list| list.items().iter().any(|item| item.raw(self.text.as_str()) == "null"));
            let null =
                if shape.nullable == before.nullable { had_null.unwrap_or(shape.nullable) } else { shape.nullable };
            if null && !values.is_empty() {
                values.push(Value::Null);
            }
            self.put(schema, "enum", (!values.is_empty()).then(|| values.into()))?;
        }
        let examples = tidy(&shape.examples);
        if row.lists_examples && examples != before.examples {
            let values = lines::values(&examples, class(row.classes.1, shape)).ok()?;
            self.put(schema, "examples", (!values.is_empty()).then(|| values.into()))?;
        }
        Some(())
    }

    fn add(&mut self, within: &Path, shape: &Shape) -> Option<()> {
        let outer = within.in_schema();
        let is_object = |text: &Text, at: &[String]| Some(text.tree()?.at(at).is_some_and(super::Node::is_object));
        if !is_object(&self.text, &outer)? {
            match outer.split_last() {
                Some((last, list)) if last == "items" => self.text.set(list, "items", &json!({"type": "object"}))?,
                _ => self.text.replace(&outer, &json!({"type": "object"}))?,
            }
        }
        let properties: Vec<String> = outer.iter().cloned().chain(["properties".to_owned()]).collect();
        if !is_object(&self.text, &properties)? {
            self.text.set(&outer, "properties", &json!({}))?;
        }
        self.text.set(&properties, &shape.name, &json!({}))?;
        let blank = blank();
        let row =
            Row { path: within.key(&shape.name), shape: Shape { name: shape.name.clone(), ..blank.shape }, ..blank };
        self.row(&row, shape)
    }

    fn remove(&mut self, path: &Path) -> Option<()> {
        let place = Place::of(path)?;
        self.require(&place, false)?;
        self.text.unset(&place.properties, &place.name)
    }

    fn rename(&mut self, path: &Path, from: &str, to: &str) -> Option<()> {
        let place = Place::of(path)?;
        self.text.rename(&place.properties, from, to)?;
        for n in self.among_required(&place, from)? {
            self.text.swap(&place.required, n, to)?;
        }
        Some(())
    }

    /// The places of a name among those that are required.
    fn among_required(&self, place: &Place, name: &str) -> Option<Vec<usize>> {
        let tree = self.text.tree()?;
        let Some(list) = tree.at(&place.required) else { return Some(Vec::new()) };
        let items = list.items().iter().enumerate();
        Some(
            items
                .filter(|(_, item)| item.read::<String>(self.text.as_str()).as_deref() == Some(name))
                .map(|(n, _)| n)
                .collect(),
        )
    }

    fn require(&mut self, place: &Place, required: bool) -> Option<()> {
        let known = self.among_required(place, &place.name)?;
        if required && known.is_empty() {
            let list = self.text.tree()?.at(&place.required).is_some();
            return if list {
                self.text.push(&place.required, place.name.as_str())
            } else {
                self.text.set(&place.schema, "required", &json!([place.name]))
            };
        }
        if !required {
            for n in known.iter().rev() {
                self.text.pull(&place.required, *n)?;
            }
            let tree = self.text.tree()?;
            let emptied = tree.at(&place.required).is_some_and(|list| list.items().is_empty());
            if emptied && !known.is_empty() {
                self.text.unset(&place.schema, "required")?;
            }
        }
        Some(())
    }
}

/// Where a schema speaks of one field.
struct Place {
    name: String,
    /// The schema of the object that holds it, its fields, and those of them that must be there.
    schema: Vec<String>,
    properties: Vec<String>,
    required: Vec<String>,
}

impl Place {
    fn of(path: &Path) -> Option<Self> {
        let (Step::Key(name), within) = path.0.split_last()? else { return None };
        let schema = Path(within.to_vec()).in_schema();
        let below = |keyword: &str| schema.iter().cloned().chain([keyword.to_owned()]).collect();
        Some(Self { name: name.clone(), properties: below("properties"), required: below("required"), schema })
    }
}

/// A name that no field has.
fn passing(n: usize) -> String {
    format!("\0{n}")
}
