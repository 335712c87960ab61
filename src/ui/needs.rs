//! What needs attention: each a sentence, where and since when, and one way to the fix.
use super::{
    action::Tone,
    icon::icon,
    state::State,
    time::{Now, ago},
};
use chrono::{DateTime, Utc};
use leptos::prelude::*;

/// One thing that needs attention.
#[derive(Clone, Debug)]
pub struct Need {
    /// How bad it is.
    pub state: State,
    /// What is so, in a sentence.
    pub title: String,
    /// Where: "Museum of Water · Order placed".
    pub place: String,
    /// How much of it: "1,204 events".
    pub more: Option<String>,
    /// Since when, or when it will be.
    pub since: DateTime<Utc>,
    /// The way to the fix, and what is done there.
    pub fix: Option<(String, String)>,
}

/// A list of them.
#[component]
pub fn Needs(
    /// The worst first.
    needs: Vec<Need>,
    /// What times are told by.
    now: Now,
) -> AnyView {
    let items = needs.into_iter().map(|need| {
        let mood = match need.state {
            State::Error => "state-error",
            State::Warning => "state-warning",
            State::Ok => "state-ok",
            State::Neutral => "state-neutral",
        };
        let word = match need.state {
            State::Error => "Error: ",
            State::Warning => "Warning: ",
            State::Ok | State::Neutral => "",
        };
        let described = format!("{}: {}", need.place, need.title);
        let fix = need.fix.map(|(href, verb)| {
            view! { <a class=Tone::Plain.class() href=href>{verb}<span class="sr-only">{format!(": {described}")}</span></a> }
        });
        view! {
            <li class=mood>
                {icon(need.state.icon())}
                <div>
                    <p class="needs-title"><span class="sr-only">{word}</span>{need.title}</p>
                    <p class="needs-where">{need.place}" · "{need.more.map(|more| format!("{more} · "))}{ago(now, need.since)}</p>
                </div>
                {fix}
            </li>
        }
    });
    view! { <ul class="needs">{items.collect_view()}</ul> }.into_any()
}

/// Nothing is amiss: said calmly.
pub fn calm(words: impl Into<String>) -> AnyView {
    view! { <p class="calm">{icon(State::Ok.icon())}{words.into()}</p> }.into_any()
}
