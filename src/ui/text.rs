//! Small pieces of a line, most of all for the cells of a table.
use super::format;
use leptos::prelude::*;

/// A link in running text or in a table.
pub fn link(href: impl Into<String>, label: impl Into<String>) -> AnyView {
    view! { <a class="quiet-link" href=href.into()>{label.into()}</a> }.into_any()
}

/// Plain text.
pub fn text(text: impl Into<String>) -> AnyView {
    text.into().into_any()
}

/// Text that matters more than its neighbours.
pub fn strong(text: impl Into<String>) -> AnyView {
    view! { <strong>{text.into()}</strong> }.into_any()
}

/// Text that matters less: "never", "none".
pub fn muted(text: impl Into<String>) -> AnyView {
    view! { <span class="muted">{text.into()}</span> }.into_any()
}

/// A sentence that helps with what stands above it.
pub fn hint(text: impl Into<String>) -> AnyView {
    view! { <p class="hint">{text.into()}</p> }.into_any()
}

/// One thing, and below it, smaller, what it belongs to.
pub fn two_lines(first: AnyView, second: AnyView) -> AnyView {
    view! { <div class="two-lines"><div>{first}</div><div class="muted">{second}</div></div> }.into_any()
}

/// Text for screen readers alone, where the eye sees from the place what is meant.
pub fn unseen(text: impl Into<String>) -> AnyView {
    view! { <span class="sr-only">{text.into()}</span> }.into_any()
}

/// An id, an amount, a piece of code.
pub fn mono(text: impl Into<String>) -> AnyView {
    view! { <code class="mono">{text.into()}</code> }.into_any()
}

/// A count with its thousands set apart.
pub fn number(value: u64) -> AnyView {
    format::count(value).into_any()
}
