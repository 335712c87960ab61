//! Nothing here yet: what it will be, why one wants it, and the first thing to do.
use super::{
    Slot,
    icon::{Icon, icon},
};
use leptos::prelude::*;

/// The state before there is anything to show.
#[component]
pub fn Empty(
    /// A picture of what is missing.
    icon: Icon,
    /// What this is: "No event types yet".
    #[prop(into)]
    title: String,
    /// Why one wants it.
    #[prop(into)]
    why: String,
    /// The first thing to do: a button, or a ready command.
    #[prop(optional)]
    children: Slot,
) -> AnyView {
    view! {
        <section class="empty">
            <span class="empty-icon">{self::icon(icon)}</span>
            <h2>{title}</h2>
            <p>{why}</p>
            <div class="empty-next">{children.0}</div>
        </section>
    }
    .into_any()
}
