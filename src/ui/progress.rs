//! Work that goes on by itself: how far it is, and a part of a page that keeps up with it.
use super::Slot;
use leptos::prelude::*;

/// How far something is. Without `percent` it is under way, and nobody knows how far.
#[component]
pub fn Progress(
    /// What it is the progress of, for screen readers: "Export of events".
    #[prop(into)]
    label: String,
    /// 0 to 100, where that is known.
    percent: Option<i64>,
    /// In words, below the bar: "1,204 of 4,000 events".
    #[prop(into)]
    words: String,
) -> AnyView {
    let value = percent.map(|percent| percent.to_string());
    let figure = percent.map(|percent| view! { <span class="progress-figure">{format!("{percent} %")}</span> });
    view! {
        <div class="progress-box">
            <progress class="progress-bar" max="100" value=value aria-label=label></progress>
            <p class="progress-words"><span>{words}</span>{figure}</p>
        </div>
    }
    .into_any()
}

/// A part of a page that follows what happens: while `on`, the boot script asks for the page again every other second
/// and puts the new part in place of the old one. Without a script it stays as it is until the page is reloaded.
#[component]
pub fn Follow(
    /// The same on the page that is asked for.
    #[prop(into)]
    id: String,
    /// Whether there is more to come.
    on: bool,
    /// The part.
    children: Slot,
) -> AnyView {
    view! { <div class="follow" id=id data-follow=on.then_some("")>{children.0}</div> }.into_any()
}

/// A sentence that is read aloud once it stands in a [`Follow`]ed part that has come to its end.
pub fn said(words: impl Into<String>) -> AnyView {
    view! { <p data-said="">{words.into()}</p> }.into_any()
}
