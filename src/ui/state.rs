//! Ok, warning, error: always a colour, an icon and a word.
use super::{
    Slot,
    icon::{Icon, icon},
};
use leptos::prelude::*;

/// How something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Ok,
    /// Worth a look.
    Warning,
    /// Broken.
    Error,
    /// Neither good nor bad.
    #[default]
    Neutral,
}

impl State {
    pub(super) const fn icon(self) -> Icon {
        match self {
            Self::Ok => Icon::Check,
            Self::Warning => Icon::Warning,
            Self::Error => Icon::Error,
            Self::Neutral => Icon::Neutral,
        }
    }

    const fn badge(self) -> &'static str {
        match self {
            Self::Ok => "state state-ok",
            Self::Warning => "state state-warning",
            Self::Error => "state state-error",
            Self::Neutral => "state state-neutral",
        }
    }

    const fn alert(self) -> &'static str {
        match self {
            Self::Ok => "note note-ok",
            Self::Warning => "note note-warning",
            Self::Error => "note note-error",
            Self::Neutral => "note note-neutral",
        }
    }
}

/// A state in a word, small enough for a table.
#[component]
pub fn Badge(
    /// Which of the four.
    state: State,
    /// The word: "accepted", "revoked".
    #[prop(into)]
    word: String,
    /// Where it leads to.
    #[prop(into, optional)]
    href: Option<String>,
) -> AnyView {
    match href {
        Some(href) => view! { <a class=state.badge() href=href>{icon(state.icon())}{word}</a> }.into_any(),
        None => view! { <span class=state.badge()>{icon(state.icon())}{word}</span> }.into_any(),
    }
}

/// A paragraph that must not be missed: what is so, and what to do.
#[component]
pub fn Alert(
    /// Which of the four.
    state: State,
    /// What is so, in a few words.
    #[prop(into)]
    title: String,
    /// Whether a screen reader says it as the page opens.
    #[prop(optional)]
    announce: bool,
    /// What to do about it.
    #[prop(optional)]
    children: Slot,
) -> AnyView {
    let glyph = if state == State::Neutral { Icon::Info } else { state.icon() };
    view! {
        <div class=state.alert() role=announce.then_some("status")>
            {icon(glyph)}
            <div class="note-body"><p class="note-title">{title}</p>{children.0}</div>
        </div>
    }
    .into_any()
}
