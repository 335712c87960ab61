//! Plain forms: posted to their own page, answered with the page again when something is amiss.
use super::{Slot, state::State};
use leptos::prelude::*;
use std::borrow::Cow;

/// What is amiss with a form: the field's name and a sentence that says how to mend it. An empty name is about
/// the form as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors(pub Vec<(Cow<'static, str>, String)>);

impl FieldErrors {
    /// Nothing amiss so far.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// What is amiss with `field`, if anything.
    pub fn get(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| *name == field).map(|(_, message)| message.as_str())
    }

    /// Whether all is well.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Notes one more.
    pub fn push(&mut self, field: impl Into<Cow<'static, str>>, message: impl Into<String>) {
        self.0.push((field.into(), message.into()));
    }
}

/// The form. Its checks are the server's, so that one summary tells everything at once.
#[component]
pub fn Form<'a>(
    /// Where it posts to: its own page's path.
    #[prop(into)]
    action: String,
    /// What is amiss; the summary stands above the fields and takes the focus.
    #[prop(optional)]
    errors: Option<&'a FieldErrors>,
    /// As wide as there is room, for a table of fields.
    #[prop(optional)]
    wide: bool,
    /// Its id, for buttons that stand outside of it.
    #[prop(optional)]
    id: Option<&'static str>,
    /// Sends files too, or more than the usual way of sending has room for.
    #[prop(optional)]
    multipart: bool,
    /// Fields, and a [`FormActions`] at the end.
    children: Slot,
) -> AnyView {
    let class = if wide { "form form-wide" } else { "form" };
    let enctype = multipart.then_some("multipart/form-data");
    view! {
        <form class=class id=id method="post" action=action enctype=enctype novalidate>
            {errors.map(|errors| view! { <FormErrors errors=errors/> })}
            {children.0}
        </form>
    }
    .into_any()
}

/// A value that is sent along unseen.
#[component]
pub fn Hidden(
    /// Its name.
    #[prop(into)]
    name: String,
    /// The value.
    #[prop(into)]
    value: String,
) -> AnyView {
    view! { <input type="hidden" name=name value=value/> }.into_any()
}

/// The end of a form: its buttons.
#[component]
pub fn FormActions(
    /// A button, and perhaps a way out.
    children: Slot,
) -> AnyView {
    view! { <div class="form-actions">{children.0}</div> }.into_any()
}

/// All that is amiss, with links to the fields. [`Form`] shows it by itself.
#[component]
pub fn FormErrors<'a>(
    /// What is amiss.
    errors: &'a FieldErrors,
) -> AnyView {
    if errors.is_empty() {
        return ().into_any();
    }
    let title = match errors.0.len() {
        1 => "One thing needs mending".to_owned(),
        n => format!("{n} things need mending"),
    };
    let items = errors.0.iter().map(|(name, message)| {
        let message = message.clone();
        if name.is_empty() {
            view! { <li>{message}</li> }.into_any()
        } else {
            view! { <li><a href=format!("#{name}")>{message}</a></li> }.into_any()
        }
    });
    view! {
        <div class="note note-error" role="alert" tabindex="-1" autofocus id="form-errors">
            {super::icon(State::Error.icon())}
            <div class="note-body"><p class="note-title">{title}</p><ul>{items.collect_view()}</ul></div>
        </div>
    }
    .into_any()
}
