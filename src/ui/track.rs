//! How far something has come on a known way: one line of stages, the current one marked.
use super::{
    icon::{Icon, icon},
    steps::StepState,
};
use leptos::prelude::*;

/// The stages, in order, on one line; where there is no room, only the current one has its name.
#[component]
pub fn Track(
    /// What it is the way of: "Stages of this integration".
    #[prop(into)]
    label: String,
    /// The stages, and how far each is.
    stages: Vec<(&'static str, StepState)>,
) -> AnyView {
    let stages = stages.into_iter().map(|(name, state)| {
        let (class, said, current) = match state {
            StepState::Done => ("track-stage track-done", " (done)", None),
            StepState::Current => ("track-stage track-current", " (now)", Some("step")),
            StepState::Ahead => ("track-stage", "", None),
        };
        let tick = (state == StepState::Done).then(|| icon(Icon::Check));
        view! {
            <li class=class aria-current=current>
                <span class="track-mark" aria-hidden="true">{tick}</span>
                <span class="track-name">{name}<span class="sr-only">{said}</span></span>
            </li>
        }
    });
    view! { <ol class="track" aria-label=label>{stages.collect_view()}</ol> }.into_any()
}
