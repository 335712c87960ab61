//! A way of a few steps, and how far one has come.
use super::{
    Slot,
    icon::{Icon, icon},
};
use leptos::prelude::*;

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepState {
    /// Behind us.
    Done,
    /// The one to do.
    Current,
    /// Still ahead.
    Ahead,
}

/// The steps, in order.
#[component]
pub fn Steps(
    /// Where they lead: "From here to the first event".
    #[prop(into)]
    label: String,
    /// [`Step`]s.
    children: Slot,
) -> AnyView {
    view! { <ol class="way" aria-label=label>{children.0}</ol> }.into_any()
}

/// One step; stands inside [`Steps`].
#[component]
pub fn Step(
    /// How far it is.
    state: StepState,
    /// What is to be done.
    #[prop(into)]
    title: String,
    /// How to do it.
    #[prop(optional)]
    children: Slot,
) -> AnyView {
    let (class, said, current) = match state {
        StepState::Done => ("way-step way-done", " (done)", None),
        StepState::Current => ("way-step way-current", "", Some("step")),
        StepState::Ahead => ("way-step", "", None),
    };
    let tick = (state == StepState::Done).then(|| icon(Icon::Check));
    view! {
        <li class=class aria-current=current>
            <span class="way-mark">{tick}</span>
            <div class="way-body"><h3>{title}<span class="sr-only">{said}</span></h3>{children.0}</div>
        </li>
    }
    .into_any()
}
