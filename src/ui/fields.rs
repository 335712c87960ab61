//! The fields of a contract as rows that can be changed: what matters on one line, the rest behind "More". A row on a
//! narrow screen is a small form of its own.
use leptos::prelude::*;

use super::{
    field::{Choice, described_by, error_of},
    form::FieldErrors,
    icon::{Icon, icon},
};

/// How deep rows are set in; deeper ones are set in no further.
const DEEPEST: usize = 5;

/// One field, as its row shows it.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one box of the row")]
pub struct FieldRow {
    /// Its place: its inputs are called `f{n}-name`, `f{n}-kind` and so on.
    pub n: usize,
    /// How many objects it stands in.
    pub depth: usize,
    /// Where it stands: `/lines/*/sku`.
    pub path: String,
    /// What it is called.
    pub name: String,
    /// Which of the kinds it is.
    pub kind: String,
    /// When it is none of them: what is written in the contract.
    pub written: Option<String>,
    /// Whether null is allowed.
    pub nullable: bool,
    /// Whether it must be there.
    pub required: bool,
    /// By what it identifies a person; empty when by nothing.
    pub identifies: String,
    /// The allowed values, one a line; none when the table cannot hold them.
    pub allowed: Option<String>,
    /// Examples, one a line; none when the table cannot hold them.
    pub examples: Option<String>,
    /// What it means.
    pub description: String,
    /// Nothing but its name and its being there can be changed.
    pub locked: bool,
    /// It is to go.
    pub removed: bool,
    /// What the contract says of it that is not shown.
    pub kept: Vec<String>,
    /// What was seen of it in samples: in how many, and some values.
    pub seen: Option<(String, Vec<String>)>,
    /// What to look at twice.
    pub notes: Vec<String>,
}

/// The id and name of one input of a row.
pub fn field_id(n: usize, part: &str) -> String {
    format!("f{n}-{part}")
}

/// The rows, under their heads.
#[component]
pub fn FieldTable<'a>(
    /// The fields.
    rows: Vec<FieldRow>,
    /// The kinds that can be chosen.
    kinds: &'a [Choice],
    /// What identifies a person, to be chosen from; the first is nothing.
    identifies: &'a [Choice],
    /// What is amiss.
    errors: &'a FieldErrors,
) -> AnyView {
    let rows = rows.into_iter().map(|row| one(row, kinds, identifies, errors)).collect_view();
    view! {
        <div class="fields">
            <div class="fields-head" aria-hidden="true">
                <span>"Name"</span><span>"Type"</span><span>"Identifies"</span><span>"Required"</span>
            </div>
            <ol>{rows}</ol>
        </div>
    }
    .into_any()
}

fn one(row: FieldRow, kinds: &[Choice], identifies: &[Choice], errors: &FieldErrors) -> AnyView {
    let id = |part: &str| field_id(row.n, part);
    let depth = format!("field-row depth-{}", row.depth.min(DEEPEST));
    let error = |part: &str| error_of(&id(part), errors.get(&id(part)));
    let wrong = ["allowed", "examples", "description"].iter().any(|part| errors.get(&id(part)).is_some());
    let remove = id("remove");
    let label = format!("Remove {}", row.name);
    view! {
        <li class=depth>
            <fieldset>
                <legend class="sr-only">{format!("Field {}", row.path)}</legend>
                <div class="field-line">
                    {line(&id, &row, kinds, identifies, errors)}
                    <div class="field-cell field-go">
                        <input type="checkbox" class="field-gone" id=remove.clone() name=remove.clone() checked=row.removed/>
                        <label for=remove title="Remove">{icon(Icon::Trash)}<span class="sr-only">{label}</span></label>
                    </div>
                </div>
                {error("name")}
                {error("kind")}
                {about(&row)}
                {more(&id, &row, wrong, errors)}
            </fieldset>
        </li>
    }
    .into_any()
}

/// Name, type, identification, required.
fn line(
    id: &dyn Fn(&str) -> String,
    row: &FieldRow,
    kinds: &[Choice],
    identifies: &[Choice],
    errors: &FieldErrors,
) -> AnyView {
    let written = row.written.clone().map(|text| Choice::new("as-written", text));
    let kinds: Vec<Choice> = written.into_iter().chain(kinds.iter().cloned()).collect();
    let invalid = |part: &str| errors.get(&id(part)).map(|_| "true");
    let described = |part: &str| described_by(&id(part), false, errors.get(&id(part)).is_some());
    let (name, kind, identifies_id, required) = (id("name"), id("kind"), id("identifies"), id("required"));
    view! {
        <div class="field-cell field-name">
            <label for=name.clone()>"Name"</label>
            <input
                class="input"
                id=name.clone()
                name=name
                value=row.name.clone()
                autocomplete="off"
                spellcheck="false"
                aria-invalid=invalid("name")
                aria-describedby=described("name")
            />
        </div>
        <div class="field-cell">
            <label for=kind.clone()>"Type"</label>
            <select
                class="select"
                id=kind.clone()
                name=kind
                disabled=row.locked
                aria-invalid=invalid("kind")
                aria-describedby=described("kind")
            >
                {options(&kinds, &row.kind)}
            </select>
        </div>
        <div class="field-cell">
            <label for=identifies_id.clone()>"Identifies"</label>
            <select class="select" id=identifies_id.clone() name=identifies_id disabled=row.locked>
                {options(identifies, &row.identifies)}
            </select>
        </div>
        <div class="field-cell field-check">
            <label for=required.clone()>"Required"</label>
            <input type="checkbox" class="checkbox" id=required.clone() name=required checked=row.required/>
        </div>
    }
    .into_any()
}

fn options(choices: &[Choice], chosen: &str) -> AnyView {
    choices
        .iter()
        .map(|choice| {
            let is_chosen = choice.value == chosen;
            view! { <option value=choice.value.clone() selected=is_chosen>{choice.label.clone()}</option> }
        })
        .collect_view()
        .into_any()
}

/// Where it stands, what was seen of it, what to look at twice, and what is kept.
fn about(row: &FieldRow) -> Option<AnyView> {
    let place = (row.depth > 0).then(|| view! { <code class="mono">{row.path.clone()}</code> });
    let seen = row.seen.clone().map(|(often, values)| {
        let values = values.into_iter().map(|value| view! { <code class="mono">{value}</code> }).collect_view();
        view! { <span>{often}</span>{values} }
    });
    let notes =
        row.notes.iter().cloned().map(|note| view! { <span class="field-note">{icon(Icon::Info)}{note}</span> });
    let notes = notes.collect_view();
    let kept =
        row.kept.iter().cloned().map(|kept| view! { <code class="mono field-kept">{kept}</code> }).collect_view();
    let has_kept = (!row.kept.is_empty()).then(|| view! { <span>"kept as it is:"</span> });
    let empty = place.is_none() && seen.is_none() && row.notes.is_empty() && row.kept.is_empty();
    (!empty).then(|| view! { <p class="field-about">{place}{seen}{notes}{has_kept}{kept}</p> }.into_any())
}

/// What is behind "More".
fn more(id: &dyn Fn(&str) -> String, row: &FieldRow, open: bool, errors: &FieldErrors) -> Option<AnyView> {
    if row.locked {
        return None;
    }
    let area = |part: &'static str, label: &'static str, hint: &'static str, value: &str, rows: usize| {
        let name = id(part);
        let error = errors.get(&name);
        let content = format!("\n{}", html_escape::encode_text(value));
        view! {
            <div class="field">
                <label class="field-label" for=name.clone()>{label}</label>
                <p class="hint" id=format!("{name}-hint")>{hint}</p>
                <textarea
                    class="textarea"
                    id=name.clone()
                    name=name.clone()
                    rows=rows.to_string()
                    aria-invalid=error.map(|_| "true")
                    aria-describedby=described_by(&name, true, error.is_some())
                    inner_html=content
                ></textarea>
                {error_of(&name, error)}
            </div>
        }
        .into_any()
    };
    let lines = |text: &str| text.lines().count().clamp(1, 6);
    let allowed = row
        .allowed
        .as_deref()
        .map(|text| area("allowed", "Allowed values", "One a line; empty takes any.", text, lines(text)));
    let examples = row.examples.as_deref().map(|text| area("examples", "Examples", "One a line.", text, lines(text)));
    let description = area(
        "description",
        "Description",
        "What it means, for whoever sends it.",
        &row.description,
        lines(&row.description),
    );
    let null = id("null");
    Some(
        view! {
            <details class="field-more" open=open>
                <summary>{icon(Icon::ChevronRight)}{summary(row)}<span class="sr-only">{format!(" of {}", row.name)}</span></summary>
                <div class="field-rest">
                    {description}
                    {allowed}
                    {examples}
                    <div class="field choice">
                        <input type="checkbox" class="checkbox" id=null.clone() name=null.clone() checked=row.nullable/>
                        <div><label for=null>"May be null"</label></div>
                    </div>
                </div>
            </details>
        }
        .into_any(),
    )
}

/// What one would find behind "More".
fn summary(row: &FieldRow) -> AnyView {
    let listed = |text: &Option<String>, none: &str| {
        let values: Vec<_> = text.iter().flat_map(|text| text.lines()).collect();
        let more = values.len().saturating_sub(4);
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!values.is_empty()).then(|| format!("{none}{}{rest}", values[..values.len().min(4)].join(", ")))
    };
    let parts = [
        row.nullable.then(|| "may be null".to_owned()),
        listed(&row.allowed, "one of "),
        Some(row.description.lines().next().unwrap_or_default().to_owned()).filter(|line| !line.is_empty()),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        return view! { <span>"More"</span> }.into_any();
    }
    view! { <span class="sr-only">"More: "</span><span class="clip">{parts.join(" · ")}</span> }.into_any()
}

/// The line that adds a field: its inputs are called `new-name`, `new-kind` and so on.
#[component]
pub fn NewFieldRow<'a>(
    /// What it begins with.
    row: FieldRow,
    /// The kinds that can be chosen.
    kinds: &'a [Choice],
    /// What identifies a person, to be chosen from; the first is nothing.
    identifies: &'a [Choice],
    /// The objects that it may stand in; the first is the event itself.
    within: Vec<Choice>,
    /// The one it does.
    #[prop(into)]
    chosen: String,
    /// What is amiss.
    errors: &'a FieldErrors,
    /// The button.
    button: AnyView,
) -> AnyView {
    let id = |part: &str| format!("new-{part}");
    let error = ["name", "kind", "within"].map(|part| error_of(&id(part), errors.get(&id(part))));
    let within = (within.len() > 1).then(|| {
        view! {
            <div class="field-cell field-within">
                <label for="new-within">"In"</label>
                <select class="select" id="new-within" name="new-within">{options(&within, &chosen)}</select>
            </div>
        }
    });
    view! {
        <fieldset class="field-row field-new">
            <legend>"Add a field"</legend>
            <div class="field-line">
                {line(&id, &row, kinds, identifies, errors)}
                <div class="field-cell field-add">{button}</div>
            </div>
            {within}
            {error.into_iter().collect_view()}
        </fieldset>
    }
    .into_any()
}
