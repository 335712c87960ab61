//! Searching: the field, what was found, and the keys that lead there.
use leptos::prelude::*;

use super::{
    action::Tone,
    icon::{Icon, icon},
    shell,
};

/// The field of the page of search.
#[component]
pub fn SearchBox(
    /// The page it asks.
    #[prop(into)]
    action: String,
    /// What is in it.
    #[prop(into)]
    value: String,
    /// What is sent along unseen: name and value.
    #[prop(optional)]
    with: Vec<(&'static str, String)>,
) -> AnyView {
    let with = with.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> });
    view! {
        <form class="search-box" action=action role="search">
            <div class="search-field">
                {icon(Icon::Search)}
                <input
                    class="input"
                    type="search"
                    id="q"
                    name="q"
                    aria-label="Search"
                    value=value
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    maxlength="200"
                    placeholder="A name, a page, any id…"
                    autofocus
                />
            </div>
            {with.collect_view()}
            <button class=Tone::Primary.class() type="submit">"Search"</button>
        </form>
    }
    .into_any()
}

/// Things of one kind that were found: title, what it is, address.
#[component]
pub fn Hits(
    /// What kind they are of.
    #[prop(into)]
    title: String,
    /// The things.
    hits: Vec<(String, String, String)>,
    /// What is said below them: that there are more.
    note: Option<String>,
) -> AnyView {
    let hits = hits.into_iter().map(|(title, detail, href)| {
        let detail = (!detail.is_empty()).then(|| view! { <span class="hit-detail">{detail}</span> });
        view! { <li><a class="hit" href=href><span class="hit-title">{title}</span>{detail}</a></li> }
    });
    view! {
        <section class="hits">
            <h2 class="hits-title">{title}</h2>
            <ul>{hits.collect_view()}</ul>
            {note.map(|note| view! { <p class="hits-note">{note}</p> })}
        </section>
    }
    .into_any()
}

/// Keys to be pressed, one after the other or, with a plus between, together.
#[component]
pub fn Keys(
    /// The keys.
    keys: Vec<&'static str>,
    /// Whether they are pressed together.
    #[prop(optional)]
    together: bool,
) -> AnyView {
    let between = if together { " + " } else { " then " };
    let keys = keys.into_iter().enumerate().map(|(n, key)| {
        let between = (n > 0).then(|| view! { <span class="muted">{between}</span> });
        view! { {between}<kbd>{key}</kbd> }
    });
    view! { <span class="keys">{keys.collect_view()}</span> }.into_any()
}

/// All shortcuts, as rows: what each does, and its keys.
#[component]
pub fn Shortcuts() -> AnyView {
    let row = |keys: AnyView, does: &'static str| {
        view! { <div class="shortcut"><dt>{does}</dt><dd>{keys}</dd></div> }
    };
    let keys = |keys: Vec<&'static str>, together| view! { <Keys keys=keys together=together/> }.into_any();
    let either = view! { {keys(vec!["Ctrl", "K"], true)}<span class="muted">" or "</span>{keys(vec!["⌘", "K"], true)}<span class="muted">" or "</span>{keys(vec!["/"], false)} };
    let places = shell::KEYS.iter().map(|(_, key, name)| row(keys(vec!["g", key], false), name));
    view! {
        <div class="shortcuts">
            <section>
                <h2>"Anywhere"</h2>
                <dl>
                    {row(either.into_any(), "Search")}
                    {row(keys(vec!["?"], false), "This page")}
                </dl>
            </section>
            <section>
                <h2>"Go to"</h2>
                <dl>{places.collect_view()}</dl>
            </section>
        </div>
    }
    .into_any()
}
