//! The desk as a page shows it.
use leptos::prelude::*;

use super::desk::{Desk, Line, Side};
use crate::{
    event_types::{field::Identifies, table::Kind},
    ui::{
        Alert, Button, Card, Choice, Desk as Halves, Empty, FieldErrors, FieldRow, FieldTable, FileField, Form,
        FormActions, Hidden, Icon, Json, LinkButton, NewFieldRow, Row, State, TextArea, Tone, mono,
    },
};

/// The id of the form: buttons beside the table send it too.
const FORM: &str = "contract-form";

/// What stands around the desk.
pub(super) struct Around<'a> {
    /// Where the form posts to.
    pub action: String,
    /// What saving is called here.
    pub verb: &'static str,
    /// Where one goes who does not save.
    pub cancel: String,
    /// What is sent along unseen.
    pub hidden: Vec<(&'static str, String)>,
    /// Fields before the table, such as a name.
    pub before: Option<AnyView>,
    /// And fields after it.
    pub after: Option<AnyView>,
    /// Where samples are given, when that is another page.
    pub samples: Option<String>,
    pub errors: &'a FieldErrors,
}

impl Desk {
    pub(super) fn draw(&self, around: Around<'_>) -> AnyView {
        let errors = around.errors;
        let hidden =
            around.hidden.iter().map(|(name, value)| view! { <Hidden name=*name value=value.clone()/> }).collect_view();
        let evidence =
            self.evidence.as_ref().map(|evidence| view! { <Hidden name="evidence" value=evidence.write()/> });
        let buttons = view! {
            <FormActions>
                <Button tone=Tone::Primary name="do" value="save">{around.verb}</Button>
                {(self.side == Side::Table).then(|| view! { <Button name="do" value="look">"Update"</Button> })}
                <LinkButton href=around.cancel.clone() tone=Tone::Quiet>"Cancel"</LinkButton>
            </FormActions>
        };
        let (inside, aside) = match self.side {
            Side::Table => (self.table(errors, around.samples.as_deref()), self.beside_table()),
            Side::Json => (self.json(errors), self.beside_json()),
        };
        let form = view! {
            <Form action=around.action.clone() errors=errors id=FORM wide=true multipart=true>
                <Hidden name="side" value=self.side.word()/>
                {hidden}
                {evidence}
                {around.before}
                {inside}
                {around.after}
                {buttons}
            </Form>
        };
        view! { <Halves main=form.into_any() aside=aside/> }.into_any()
    }

    fn table(&self, errors: &FieldErrors, samples: Option<&str>) -> AnyView {
        let kinds: Vec<_> = Kind::choices().into_iter().map(|kind| Choice::new(kind.word(), kind.title())).collect();
        let identifies = identifies();
        let rows: Vec<_> = self.rows.iter().enumerate().map(|(n, line)| self.row(n, line)).collect();
        let table = if rows.is_empty() {
            let samples = samples
                .map(|href| view! { <LinkButton href=href icon=Icon::Events>"Start from a sample"</LinkButton> });
            view! {
                <Empty
                    icon=Icon::Contract
                    title="No fields yet"
                    why="This contract takes any event. Add its fields here one by one, or let samples of events propose them."
                >
                    {samples}
                </Empty>
            }
            .into_any()
        } else {
            view! { <FieldTable rows=rows kinds=&kinds identifies=&identifies errors=errors/> }.into_any()
        };
        let within = self.rows.iter().enumerate().filter(|(_, line)| line.row.shape.kind.holds_fields());
        let within: Vec<_> = [Choice::new("", "the event")]
            .into_iter()
            .chain(within.map(|(n, line)| Choice::new(n.to_string(), line.row.path.to_string())))
            .collect();
        let new = FieldRow {
            name: self.added.name.clone(),
            kind: self.added.kind.word().to_owned(),
            required: self.added.required,
            identifies: self.added.identifies.map(|one| one.word().to_owned()).unwrap_or_default(),
            ..FieldRow::default()
        };
        let chosen = self.within.map(|n| n.to_string()).unwrap_or_default();
        let button = view! { <Button icon=Icon::Plus name="do" value="add">"Add"</Button> };
        view! {
            <Hidden name="base" value=self.base()/>
            {table}
            <NewFieldRow
                row=new
                kinds=&kinds
                identifies=&identifies
                within=within
                chosen=chosen
                errors=errors
                button=button.into_any()
            />
        }
        .into_any()
    }

    fn row(&self, n: usize, line: &Line) -> FieldRow {
        let (row, shape) = (&line.row, &line.shape);
        let path = row.path.to_string();
        let seen = self.evidence.as_ref().and_then(|evidence| evidence.fields.get(&path));
        FieldRow {
            n,
            depth: row.path.depth(),
            name: shape.name.clone(),
            kind: shape.kind.word().to_owned(),
            written: row.written.clone(),
            nullable: shape.nullable,
            required: shape.required,
            identifies: shape.identifies.map(|one| one.word().to_owned()).unwrap_or_default(),
            allowed: (row.lists_allowed && (shape.kind.can_be_listed() || !shape.allowed.is_empty()))
                .then(|| shape.allowed.clone()),
            examples: row.lists_examples.then(|| shape.examples.clone()),
            description: shape.description.clone(),
            locked: row.locked,
            removed: line.removed,
            kept: row.kept.clone(),
            seen: seen.map(|seen| (seen.often(), seen.values.clone())),
            notes: seen.map(|seen| seen.notes.clone()).unwrap_or_default(),
            path,
        }
    }

    fn beside_table(&self) -> AnyView {
        let turn = view! { <Button form=FORM name="do" value="json" tone=Tone::Quiet>"Edit as JSON"</Button> };
        let kept = (!self.kept.is_empty()).then(|| {
            let kept = self.kept.iter().map(|kept| view! { <div>{mono(kept.clone())}</div> }).collect_view();
            view! {
                <Card title="Kept as it is" lead="What the contract says of the event as a whole and the table does not show. It stays as it is written.">
                    {kept}
                </Card>
            }
        });
        view! {
            <Card title="The same as JSON" action=turn.into_any() flush=true>
                <Json label="JSON Schema" text=self.text.clone()/>
            </Card>
            {kept}
        }
        .into_any()
    }

    fn json(&self, errors: &FieldErrors) -> AnyView {
        view! {
            <TextArea
                name="contract"
                label="JSON Schema 2020-12"
                value=self.text.clone()
                rows=26
                mono=true
                errors=errors
            />
            <FileField
                name="file"
                label="Or a file"
                accept=".json,application/json,application/schema+json"
                hint="It takes the place of the text above."
                errors=errors
            />
        }
        .into_any()
    }

    fn beside_json(&self) -> AnyView {
        let turn = match &self.no_table {
            None => view! { <Button form=FORM name="do" value="table">"Edit as a table"</Button> }.into_any(),
            Some(why) => {
                view! { <Alert state=State::Neutral title="No table for this one"><p>{why.clone()}</p></Alert> }
                    .into_any()
            }
        };
        view! {
            <Card title="The same as a table" lead="Whatever you write here, the table keeps: keywords that it cannot show stay byte for byte.">
                <Row>{turn}<Button form=FORM name="do" value="look">"Check"</Button></Row>
            </Card>
            <Card title="Two keywords of our own">
                <p>{mono("x-identifies")}" says that a field identifies a person: "{mono("email")}", "{mono("phone")}" or "{mono("id")}"."</p>
                <p>{mono(r#""format": "phone""#)}" checks telephone numbers, which JSON Schema has no word for."</p>
            </Card>
        }
        .into_any()
    }
}

fn identifies() -> Vec<Choice> {
    let choice = |one: Identifies| {
        let label = match one {
            Identifies::Email => "by e-mail",
            Identifies::Phone => "by phone",
            Identifies::Id => "by number",
        };
        Choice::new(one.word(), label)
    };
    [Choice::new("", "nobody")].into_iter().chain(Identifies::ALL.map(choice)).collect()
}
