//! Parts of long forms: short fields side by side, what is asked only after a choice, what is asked seldom, and rows of
//! small fields.
use leptos::prelude::*;

use super::{
    Slot,
    field::{Choice, described_by, error_of},
};

/// Short fields side by side where there is room.
#[component]
pub fn FieldGrid(
    /// The fields.
    children: Slot,
) -> AnyView {
    view! { <div class="field-grid">{children.0}</div> }.into_any()
}

/// A choice, and [`Variant`]s of what is asked after it: the style sheet shows the one that was chosen, without a script.
#[component]
pub fn Variants(
    /// The choice first, a `Select` or a `RadioGroup`; then the variants.
    children: Slot,
) -> AnyView {
    view! { <div class="variants">{children.0}</div> }.into_any()
}

/// What is asked after some of the choices.
#[component]
pub fn Variant(
    /// The values of the choices, with a space between them.
    #[prop(into)]
    of: String,
    /// What is asked.
    children: Slot,
) -> AnyView {
    view! { <div class="variant" data-of=of>{children.0}</div> }.into_any()
}

/// What is asked seldom, folded away.
#[component]
pub fn Seldom(
    /// What it is.
    #[prop(into)]
    summary: String,
    /// Whether it is open: something in it was filled in, or is amiss.
    open: bool,
    /// What it holds.
    children: Slot,
) -> AnyView {
    view! { <details class="seldom" open=open><summary>{summary}</summary><div>{children.0}</div></details> }.into_any()
}

/// What came of an act of the form it stands in; the address of the act leads to it.
#[component]
pub fn Outcome(
    /// Its id.
    id: &'static str,
    /// What it is, for screen readers.
    #[prop(into)]
    label: String,
    /// What it holds.
    children: Slot,
) -> AnyView {
    view! { <section class="outcome" id=id tabindex="-1" aria-label=label>{children.0}</section> }.into_any()
}

/// A small field in a row.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// Its name and id.
    pub name: String,
    /// What is in it.
    pub value: String,
    /// What can be chosen; none: it is typed.
    pub choices: Option<Vec<Choice>>,
    /// What it looks like when it is filled in.
    pub example: &'static str,
    /// What is amiss.
    pub error: Option<String>,
}

/// Rows of small fields under their heads; on a narrow screen, each row is a small form of its own.
#[component]
pub fn CellRows(
    /// What a row is: "Field of the event".
    #[prop(into)]
    row: String,
    /// The heads: four of them.
    heads: Vec<&'static str>,
    /// The cells, row by row.
    rows: Vec<Vec<Cell>>,
) -> AnyView {
    let shown = heads.iter().map(|head| view! { <span>{*head}</span> }).collect_view();
    let rows = rows.into_iter().enumerate().map(|(n, cells)| {
        let cells = cells.into_iter().zip(&heads).map(|(cell, head)| one(cell, head)).collect_view();
        view! { <li><fieldset><legend class="sr-only">{format!("{row} {}", n + 1)}</legend><div class="cells">{cells}</div></fieldset></li> }
    });
    view! {
        <div class="cell-rows">
            <div class="cells cells-head" aria-hidden="true">{shown}</div>
            <ol>{rows.collect_view()}</ol>
        </div>
    }
    .into_any()
}

fn one(cell: Cell, head: &'static str) -> AnyView {
    let Cell { name, value, choices, example, error } = cell;
    let described = described_by(&name, false, error.is_some());
    let invalid = error.as_ref().map(|_| "true");
    let control = match choices {
        Some(choices) => {
            let options = choices.into_iter().map(|choice| {
                let chosen = choice.value == value;
                view! { <option value=choice.value selected=chosen>{choice.label}</option> }
            });
            view! {
                <select class="select" id=name.clone() name=name.clone() aria-invalid=invalid aria-describedby=described>
                    {options.collect_view()}
                </select>
            }
            .into_any()
        }
        None => view! {
            <input
                class="input mono"
                id=name.clone()
                name=name.clone()
                value=value
                placeholder=example
                autocomplete="off"
                spellcheck="false"
                aria-invalid=invalid
                aria-describedby=described
            />
        }
        .into_any(),
    };
    view! {
        <div class="cell"><label for=name.clone()>{head}</label>{control}{error_of(&name, error.as_deref())}</div>
    }
    .into_any()
}
