//! What people type and choose. A field's id is its name, so that the summary of errors can link to it; its
//! hint and its error are tied to it for those who do not see them.
use super::{
    Slot,
    form::FieldErrors,
    icon::{Icon, icon},
};
use leptos::prelude::*;

/// `aria-describedby` of a field: its error first, then its hint.
pub(super) fn described_by(id: &str, hint: bool, error: bool) -> Option<String> {
    match (error, hint) {
        (true, true) => Some(format!("{id}-error {id}-hint")),
        (true, false) => Some(format!("{id}-error")),
        (false, true) => Some(format!("{id}-hint")),
        (false, false) => None,
    }
}

/// What stands around every control: label, hint, error.
fn frame(
    id: &str,
    label: String,
    optional: bool,
    hint: Option<String>,
    error: Option<&str>,
    control: AnyView,
) -> AnyView {
    let mark = optional.then(|| view! { <span class="optional">"optional"</span> });
    view! {
        <div class="field">
            <label class="field-label" for=id.to_owned()>{label}{mark}</label>
            {hint_of(id, hint)}
            {control}
            {error_of(id, error)}
        </div>
    }
    .into_any()
}

fn hint_of(id: &str, hint: Option<String>) -> Option<AnyView> {
    hint.map(|hint| view! { <p class="hint" id=format!("{id}-hint")>{hint}</p> }.into_any())
}

pub(super) fn error_of(id: &str, error: Option<&str>) -> Option<AnyView> {
    let error = error?.to_owned();
    Some(view! { <p class="field-error" id=format!("{id}-error")>{icon(Icon::Error)}{error}</p> }.into_any())
}

/// A line of text. `kind` is any `type` of an input.
#[component]
pub fn Field<'a>(
    /// Its name, and its id unless `id` is given.
    name: &'static str,
    /// What it asks for.
    #[prop(into)]
    label: String,
    /// What is in it.
    #[prop(into, optional)]
    value: String,
    /// `text`, `email`, `password`, `url`, `number`, `datetime-local`, `search`.
    #[prop(default = "text")]
    kind: &'static str,
    /// What helps before one types.
    #[prop(into, optional)]
    hint: Option<String>,
    /// What the browser may fill in: `email`, `current-password`, `off`.
    #[prop(into, optional)]
    autocomplete: Option<String>,
    /// May stay empty, and says so.
    #[prop(optional)]
    optional: bool,
    /// Takes the focus as the page opens; the summary of errors goes before it.
    #[prop(optional)]
    focus: bool,
    /// Set in the mono face: ids, addresses.
    #[prop(optional)]
    mono: bool,
    /// An id other than the name.
    #[prop(into, optional)]
    id: Option<String>,
    /// What the browser offers while one types; anything else may be typed as well.
    #[prop(optional)]
    suggestions: Vec<String>,
    /// What is amiss with the form it stands in.
    #[prop(into, optional)]
    errors: Option<&'a FieldErrors>,
) -> AnyView {
    let id = id.unwrap_or_else(|| name.to_owned());
    let error = errors.and_then(|errors| errors.get(name));
    let list = (!suggestions.is_empty()).then(|| format!("{id}-list"));
    let offered = list.clone().map(|list| {
        let offered = suggestions.into_iter().map(|value| view! { <option value=value></option> });
        view! { <datalist id=list>{offered.collect_view()}</datalist> }
    });
    let focus = focus && errors.is_none_or(FieldErrors::is_empty);
    let control = view! {
        <input
            class=if mono { "input mono" } else { "input" }
            type=kind
            id=id.clone()
            name=name
            value=(kind != "password").then_some(value)
            autocomplete=autocomplete
            spellcheck=(mono || kind != "text").then_some("false")
            required=!optional
            autofocus=focus
            list=list
            aria-invalid=error.map(|_| "true")
            aria-describedby=described_by(&id, hint.is_some(), error.is_some())
        />
        {offered}
    };
    frame(&id, label, optional, hint, error, control.into_any())
}

/// Several lines of text. The one place a `<textarea>` is written: its content is escaped here, since the
/// framework leaves it as it is.
#[component]
pub fn TextArea<'a>(
    /// Its name and id.
    name: &'static str,
    /// What it asks for.
    #[prop(into)]
    label: String,
    /// What is in it.
    #[prop(into, optional)]
    value: String,
    /// How many lines show.
    #[prop(default = 6)]
    rows: u32,
    /// What helps before one types.
    #[prop(into, optional)]
    hint: Option<String>,
    /// May stay empty, and says so.
    #[prop(optional)]
    optional: bool,
    /// Set in the mono face: JSON, code.
    #[prop(optional)]
    mono: bool,
    /// What is amiss with the form it stands in.
    #[prop(into, optional)]
    errors: Option<&'a FieldErrors>,
) -> AnyView {
    let error = errors.and_then(|errors| errors.get(name));
    // a parser swallows the first newline, so one is put there for it
    let content = format!("\n{}", html_escape::encode_text(&value));
    let control = view! {
        <textarea
            class=if mono { "textarea mono" } else { "textarea" }
            id=name
            name=name
            rows=rows
            spellcheck=mono.then_some("false")
            required=!optional
            aria-invalid=error.map(|_| "true")
            aria-describedby=described_by(name, hint.is_some(), error.is_some())
            inner_html=content
        ></textarea>
    };
    frame(name, label, optional, hint, error, control.into_any())
}

/// A file, whose text is sent along.
#[component]
pub fn FileField<'a>(
    /// Its name and id.
    name: &'static str,
    /// What it asks for.
    #[prop(into)]
    label: String,
    /// Which kinds of files are offered first: `.json,application/json`.
    #[prop(into)]
    accept: String,
    /// What helps before one chooses.
    #[prop(into, optional)]
    hint: Option<String>,
    /// What is amiss with the form it stands in.
    #[prop(into, optional)]
    errors: Option<&'a FieldErrors>,
) -> AnyView {
    let error = errors.and_then(|errors| errors.get(name));
    let control = view! {
        <input
            class="file"
            type="file"
            id=name
            name=name
            accept=accept
            aria-invalid=error.map(|_| "true")
            aria-describedby=described_by(name, hint.is_some(), error.is_some())
        />
    };
    frame(name, label, true, hint, error, control.into_any())
}

/// One of what can be chosen.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
    /// A sentence under it, in a [`RadioGroup`].
    pub hint: Option<String>,
}

impl Choice {
    /// A choice without a hint.
    pub fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into(), hint: None }
    }

    /// Adds a sentence under it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// One out of many.
#[component]
pub fn Select<'a>(
    /// Its name and id.
    name: &'static str,
    /// What it asks for.
    #[prop(into)]
    label: String,
    /// What can be chosen.
    choices: Vec<Choice>,
    /// The value that is chosen.
    #[prop(into, optional)]
    value: String,
    /// What helps before one chooses.
    #[prop(into, optional)]
    hint: Option<String>,
    /// What is amiss with the form it stands in.
    #[prop(into, optional)]
    errors: Option<&'a FieldErrors>,
) -> AnyView {
    let error = errors.and_then(|errors| errors.get(name));
    let options = choices.into_iter().map(|choice| {
        let chosen = choice.value == value;
        view! { <option value=choice.value selected=chosen>{choice.label}</option> }
    });
    let control = view! {
        <select
            class="select"
            id=name
            name=name
            aria-invalid=error.map(|_| "true")
            aria-describedby=described_by(name, hint.is_some(), error.is_some())
        >
            {options.collect_view()}
        </select>
    };
    frame(name, label, false, hint, error, control.into_any())
}

/// Yes or no. Sends `value` (`on` if none is given) when ticked, and nothing when not.
#[component]
pub fn Checkbox<'a>(
    /// Its name and id.
    name: &'static str,
    /// What yes means.
    #[prop(into)]
    label: String,
    /// Whether it is ticked.
    #[prop(optional)]
    checked: bool,
    /// What it sends.
    #[prop(into, default = "on".to_owned())]
    value: String,
    /// An id other than the name: needed where several share one.
    #[prop(into, optional)]
    id: Option<String>,
    /// A sentence under it.
    #[prop(into, optional)]
    hint: Option<String>,
    /// What is amiss with the form it stands in.
    #[prop(into, optional)]
    errors: Option<&'a FieldErrors>,
) -> AnyView {
    let id = id.unwrap_or_else(|| name.to_owned());
    let error = errors.and_then(|errors| errors.get(name));
    view! {
        <div class="field choice">
            <input
                class="checkbox"
                type="checkbox"
                id=id.clone()
                name=name
                value=value
                checked=checked
                aria-invalid=error.map(|_| "true")
                aria-describedby=described_by(&id, hint.is_some(), error.is_some())
            />
            <div>
                <label for=id.clone()>{label}</label>
                {hint_of(&id, hint)}
                {error_of(&id, error)}
            </div>
        </div>
    }
    .into_any()
}

/// Some out of few: [`Checkbox`]es that answer one question.
#[component]
pub fn Checkboxes<'a>(
    /// Their name.
    name: &'static str,
    /// What they ask for.
    #[prop(into)]
    label: String,
    /// What helps before one chooses.
    #[prop(into, optional)]
    hint: Option<String>,
    /// What is amiss with the form they stand in.
    #[prop(into, optional)]
    errors: Option<&'a FieldErrors>,
    /// The boxes; the first carries the name as its id, for the summary of errors.
    children: Slot,
) -> AnyView {
    let error = errors.and_then(|errors| errors.get(name));
    let group = format!("{name}-all");
    let described = described_by(&group, hint.is_some(), error.is_some());
    view! {
        <fieldset class="field choices" aria-describedby=described>
            <legend class="field-label">{label}</legend>
            {hint_of(&group, hint)}
            {children.0}
            {error_of(&group, error)}
        </fieldset>
    }
    .into_any()
}

/// One out of few, all in sight. The first carries the name as its id, for the summary of errors.
#[component]
pub fn RadioGroup<'a>(
    /// Their name.
    name: &'static str,
    /// What it asks for.
    #[prop(into)]
    label: String,
    /// What can be chosen.
    choices: Vec<Choice>,
    /// The value that is chosen.
    #[prop(into, optional)]
    value: String,
    /// What is amiss with the form it stands in.
    #[prop(into, optional)]
    errors: Option<&'a FieldErrors>,
) -> AnyView {
    let error = errors.and_then(|errors| errors.get(name));
    let choices = choices.into_iter().enumerate().map(|(n, choice)| {
        let id = if n == 0 { name.to_owned() } else { format!("{name}-{n}") };
        let chosen = choice.value == value;
        let described = described_by(&id, choice.hint.is_some(), false);
        view! {
            <div class="choice">
                <input class="radio" type="radio" id=id.clone() name=name value=choice.value checked=chosen aria-describedby=described/>
                <div><label for=id.clone()>{choice.label}</label>{hint_of(&id, choice.hint)}</div>
            </div>
        }
    });
    view! {
        <fieldset class="field choices" aria-describedby=error.map(|_| format!("{name}-error"))>
            <legend class="field-label">{label}</legend>
            {choices.collect_view()}
            {error_of(name, error)}
        </fieldset>
    }
    .into_any()
}
