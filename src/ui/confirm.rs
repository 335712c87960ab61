//! A serious act: its object by name, what it takes along by number, and the verb on the button.
use super::{
    action::{LinkButton, Tone},
    field::Field,
    form::{FieldErrors, Form, FormActions},
    layout::PageHeader,
};
use leptos::prelude::*;

/// The page before a serious act. The typed name arrives as `typed_name`.
#[component]
pub fn Confirm<'a>(
    /// Act and object: "Delete the token CRM production".
    #[prop(into)]
    title: String,
    /// What will be so afterwards, in a sentence or two.
    #[prop(into)]
    consequence: String,
    /// What is touched: figure and what it counts (`("1,204", "events stay, but no more arrive")`).
    #[prop(optional)]
    impact: Vec<(String, String)>,
    /// The name to be typed, for what cannot be undone.
    #[prop(into, optional)]
    type_name: Option<String>,
    /// The verb on the button: "Revoke token".
    #[prop(into)]
    verb: String,
    /// Where it posts to.
    #[prop(into)]
    action: String,
    /// The way back.
    #[prop(into)]
    cancel: String,
    /// What is amiss.
    #[prop(optional)]
    errors: Option<&'a FieldErrors>,
) -> AnyView {
    let none = FieldErrors::new();
    let errors = errors.unwrap_or(&none);
    let impact = (!impact.is_empty()).then(|| {
        let items = impact.into_iter().map(|(figure, what)| view! { <li><strong>{figure}</strong>" "{what}</li> });
        view! { <ul class="impact">{items.collect_view()}</ul> }
    });
    let typed = type_name.map(|name| {
        let label = format!("Type {name} to confirm");
        view! { <Field name="typed_name" label=label autocomplete="off" errors=errors/> }
    });
    view! {
        <div class="confirm">
            <PageHeader title=title lead=consequence/>
            {impact}
            <Form action=action errors=errors>
                {typed}
                <FormActions>
                    <button class="btn btn-sm btn-error" type="submit">{verb}</button>
                    <LinkButton href=cancel tone=Tone::Quiet>"Keep it"</LinkButton>
                </FormActions>
            </Form>
        </div>
    }
    .into_any()
}
