//! The desk at which a contract is written: as a table of fields, or as JSON. What is typed lives in the form until it
//! is saved, so every step works without scripts. A post says which of the two was edited; the other is made anew
//! from it, and so the two never disagree.
use crate::{
    event_types::{
        Contract,
        field::Identifies,
        table::{Added, Change, Kind, Part, Row, Shape, Table, edit, tidy},
    },
    form::{Posted, Typed},
    ui::{FieldErrors, field_id},
};

use super::evidence::Evidence;

/// Which side is shown, and edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Table,
    Json,
}

impl Side {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Json => "json",
        }
    }
}

/// What the sender of the form wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// To see what was typed so far as it will be.
    Look,
    /// To go on with the other side.
    Turn(Side),
    /// To save.
    Save,
}

/// What lies on the desk.
#[derive(Debug, Clone)]
pub(super) struct Desk {
    /// Which side is up.
    pub side: Side,
    /// The text: on the side of the table, what the rows were made from.
    pub text: String,
    /// On the side of the table: the rows, with what was typed into them.
    pub rows: Vec<Line>,
    /// What is said of the event as a whole that no row shows.
    pub kept: Vec<String>,
    /// Why there is no table.
    pub no_table: Option<String>,
    /// The field that is being added.
    pub added: Shape,
    /// Where it is being added to: the row of an object.
    pub within: Option<usize>,
    /// What samples said.
    pub evidence: Option<Evidence>,
}

/// One row, and what was typed into it.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub row: Row,
    pub shape: Shape,
    pub removed: bool,
}

impl Desk {
    /// Lays a contract on the desk.
    pub(super) fn of(text: &str, side: Side) -> Self {
        let (table, no_table) = match Table::of(text) {
            Ok(table) => (table, None),
            Err(why) => (Table { rows: Vec::new(), kept: Vec::new() }, Some(why.to_string())),
        };
        let line = |row: Row| Line { shape: row.shape.clone(), row, removed: false };
        Self {
            side: if no_table.is_some() { Side::Json } else { side },
            text: text.to_owned(),
            rows: table.rows.into_iter().map(line).collect(),
            kept: table.kept,
            no_table,
            added: Shape::default(),
            within: None,
            evidence: None,
        }
    }

    /// The text as a form carries it back unharmed: browsers turn line breaks into others.
    pub(super) fn base(&self) -> String {
        serde_json::Value::from(self.text.as_str()).to_string()
    }

    /// Reads what was posted: what to show next, what was wished, and the contract if it is one.
    pub(super) fn read(posted: &Posted, errors: &mut FieldErrors) -> (Self, Wish, Option<Contract>) {
        let typed = &posted.typed;
        let wish = match typed.text("do").as_str() {
            "look" | "add" => Wish::Look,
            "table" => Wish::Turn(Side::Table),
            "json" => Wish::Turn(Side::Json),
            _ => Wish::Save,
        };
        let (mut desk, contract) = if typed.text("side") == Side::Table.word() {
            Self::from_table(typed, wish, errors)
        } else {
            Self::from_json(posted, wish, errors)
        };
        desk.evidence = Evidence::read(&typed.text("evidence"));
        (desk, wish, contract)
    }

    fn from_json(posted: &Posted, wish: Wish, errors: &mut FieldErrors) -> (Self, Option<Contract>) {
        let typed = posted.typed.text("contract");
        let text = match posted.file("file") {
            Some(file) => {
                errors.keep("file", file).map_or(typed, |text| text.trim_start_matches('\u{feff}').to_owned())
            }
            None => typed,
        };
        let contract = errors.keep("contract", Contract::parse(text.trim()));
        let side = if contract.is_some() && wish == Wish::Turn(Side::Table) { Side::Table } else { Side::Json };
        let desk = Self::of(text.trim(), side);
        if wish == Wish::Turn(Side::Table)
            && let Some(why) = desk.no_table.as_ref().filter(|_| contract.is_some())
        {
            errors.push("contract", why.clone());
        }
        (desk, contract)
    }

    fn from_table(typed: &Typed, wish: Wish, errors: &mut FieldErrors) -> (Self, Option<Contract>) {
        let base: String = serde_json::from_str(&typed.text("base")).unwrap_or_default();
        let mut desk = Self::of(&base, Side::Table);
        if let Some(why) = &desk.no_table {
            errors.push("contract", why.clone());
            return (desk, None);
        }
        for (n, line) in desk.rows.iter_mut().enumerate() {
            line.shape = shape(typed, n, &line.row);
            line.removed = typed.ticked(&field_id(n, "remove"));
        }
        desk.added = added(typed);
        desk.within = typed.text("new-within").parse().ok();
        let changes: Vec<Change> = desk
            .rows
            .iter()
            .map(|line| if line.removed { Change::Remove } else { Change::To(line.shape.clone()) })
            .collect();
        let added = Added { within: desk.within, shape: desk.added.clone() };
        // a name or an act on the line of the new field says that there is one
        let adds = !desk.added.name.trim().is_empty() || typed.text("do") == "add";
        let rows = desk.rows.len();
        match edit(&desk.text, &changes, if adds { std::slice::from_ref(&added) } else { &[] }) {
            Ok(text) => {
                let contract = errors.keep("", Contract::parse(&text));
                if contract.is_none() {
                    return (desk, None);
                }
                let side = if wish == Wish::Turn(Side::Json) { Side::Json } else { Side::Table };
                (Self::of(&text, side), contract)
            }
            Err(amiss) => {
                for (n, part, why) in amiss {
                    let id = if n < rows { field_id(n, word(part)) } else { format!("new-{}", word(part)) };
                    errors.push(id, sentence(&why));
                }
                (desk, None)
            }
        }
    }
}

fn word(part: Part) -> &'static str {
    match part {
        Part::Name => "name",
        Part::Kind => "kind",
        Part::Allowed => "allowed",
        Part::Examples => "examples",
        Part::Description => "description",
        Part::Within => "within",
    }
}

fn sentence(why: &str) -> String {
    let mut rest = why.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

/// What was typed into a row; what was not sent is as it was.
fn shape(typed: &Typed, n: usize, row: &Row) -> Shape {
    let before = &row.shape;
    let sent = |part: &str| typed.all(&field_id(n, part)).next().map(|text| text.replace("\r\n", "\n"));
    let Some(name) = sent("name") else { return before.clone() };
    // browsers bring back one line, whatever the name held
    let same = name == before.name || name == before.name.replace(['\r', '\n'], "");
    let name = if same { before.name.clone() } else { name.trim().to_owned() };
    let required = typed.ticked(&field_id(n, "required"));
    if row.locked {
        return Shape { name, required, ..before.clone() };
    }
    let kind = sent("kind").and_then(|word| Kind::read(&word)).unwrap_or(before.kind);
    let lines = |part: &str, was: &str| sent(part).map_or_else(|| was.to_owned(), |text| tidy(&text));
    Shape {
        name,
        kind,
        required,
        nullable: match kind {
            Kind::Any => false,
            Kind::AsWritten => before.nullable,
            _ => typed.ticked(&field_id(n, "null")),
        },
        identifies: sent("identifies").map_or(before.identifies, |word| Identifies::read(&word)),
        allowed: lines("allowed", &before.allowed),
        examples: lines("examples", &before.examples),
        description: lines("description", &before.description),
    }
}

fn added(typed: &Typed) -> Shape {
    Shape {
        name: typed.text("new-name").trim().to_owned(),
        kind: Kind::read(&typed.text("new-kind")).unwrap_or(Kind::Text),
        required: typed.ticked("new-required"),
        identifies: Identifies::read(&typed.text("new-identifies")),
        ..Shape::default()
    }
}
