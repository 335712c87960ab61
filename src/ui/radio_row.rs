//! A question with a few short answers, all in sight on one line: yes, no, not known.
use super::{
    field::{Choice, described_by, error_of},
    form::FieldErrors,
};
use leptos::prelude::*;

/// One out of few, side by side. The first carries the name as its id, for the summary of errors. Nothing need be
/// chosen.
#[component]
pub fn RadioRow<'a>(
    /// Their name.
    name: &'static str,
    /// What it asks.
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
    let group = format!("{name}-all");
    let described = described_by(&group, hint.is_some(), error.is_some());
    let choices = choices.into_iter().enumerate().map(|(n, choice)| {
        let id = if n == 0 { name.to_owned() } else { format!("{name}-{n}") };
        let chosen = choice.value == value;
        view! {
            <label class="option" for=id.clone()>
                <input class="radio" type="radio" id=id.clone() name=name value=choice.value checked=chosen/>
                {choice.label}
            </label>
        }
    });
    view! {
        <fieldset class="field choices" aria-describedby=described>
            <legend class="field-label">{label}</legend>
            {hint.map(|hint| view! { <p class="hint" id=format!("{group}-hint")>{hint}</p> })}
            <div class="options">{choices.collect_view()}</div>
            {error_of(&group, error)}
        </fieldset>
    }
    .into_any()
}
