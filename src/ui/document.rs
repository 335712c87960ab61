//! The whole HTML document around a body.
use super::{
    frame::{Crumb, Frame, Section},
    icon::mark,
    shell,
    state::{Alert, State},
};
use leptos::prelude::*;
use std::sync::Once;

/// Makes the framework ready to render; to be called once before the first page, and harmless more often.
pub fn init() {
    static READY: Once = Once::new();
    READY.call_once(|| {
        // an error says that somebody else has set an executor, which is as good
        let _ = any_spawner::Executor::init_tokio();
    });
}

/// A page inside the shell. `title` names the page in tabs and histories; the body brings its own `<h1>`.
pub fn page(frame: &Frame, title: &str, crumbs: Vec<Crumb>, body: AnyView) -> String {
    let tab = match &frame.tenant {
        Some(tenant) => format!("{title} · {} · Tributary", tenant.name),
        None => format!("{title} · Tributary"),
    };
    let view = || {
        let shell = view! {
            <a class="skip" href="#main">"Skip to the content"</a>
            {shell::header(frame)}
            <div class="body-grid">
                {shell::navigation(frame)}
                <main id="main" tabindex="-1">
                    {shell::breadcrumbs(crumbs)}
                    {notice(frame)}
                    {body}
                </main>
            </div>
            {shell::palette(frame)}
        };
        document(frame, tab, shell.into_any())
    };
    render(view)
}

/// A page that is one card in the middle: signing in, setting up, errors before signing in.
pub fn plain_page(frame: &Frame, title: &str, body: AnyView) -> String {
    let view = || {
        let card = view! {
            <main id="main" class="plain">
                <p class="plain-brand"><a class="brand" href="/">{mark()}<span>"Tributary"</span></a></p>
                <div class="plain-card">{notice(frame)}{body}</div>
            </main>
        };
        document(frame, format!("{title} · Tributary"), card.into_any())
    };
    render(view)
}

/// Draws a page that holds islands: what they make while the page is written goes with it.
pub fn with_islands<T>(draw: impl FnOnce() -> T) -> T {
    init();
    Owner::new_root(None).with(draw)
}

/// What went wrong, what to do, and the id under which the log knows it. In the shell for whoever is signed in.
pub fn error_page(frame: &Frame, status: u16, title: &str, what_to_do: &str, request_id: Option<&str>) -> String {
    let back = if frame.viewer.is_some() { "Go to your home page" } else { "Go to the start page" };
    let body = view! {
        <div class="failure">
            <p class="failure-code">{format!("Error {status}")}</p>
            <h1>{title.to_owned()}</h1>
            <p class="lead">{sentence(what_to_do)}</p>
            <p><a class="btn btn-sm btn-plain" href="/">{back}</a></p>
            {request_id.map(|id| view! { <p class="hint">"Request "<code class="mono">{id.to_owned()}</code></p> })}
        </div>
    };
    if frame.viewer.is_some() {
        // an error is nowhere in the navigation
        page(&Frame { active: Section::Nowhere, ..frame.clone() }, title, Vec::new(), body.into_any())
    } else {
        plain_page(frame, title, body.into_any())
    }
}

/// What is told to programs in lower case, as a page says it.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest.next().map(char::to_uppercase);
    let end = if text.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{}{}{end}", first.into_iter().flatten().collect::<String>(), rest.as_str())
}

fn notice(frame: &Frame) -> AnyView {
    match &frame.notice {
        Some(notice) => {
            let announce = notice.state != State::Error;
            view! { <Alert state=notice.state title=notice.text.clone() announce=announce/> }.into_any()
        }
        None => ().into_any(),
    }
}

fn document(frame: &Frame, title: String, body: AnyView) -> AnyView {
    let theme = frame.viewer.as_ref().and_then(|viewer| viewer.theme.attribute());
    let shortcuts = frame.viewer.as_ref().filter(|viewer| !viewer.shortcuts).map(|_| "off");
    let scheme = theme.unwrap_or("light dark");
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme data-shortcuts=shortcuts>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content=scheme/>
                <title>{title}</title>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="stylesheet" href=frame.css.clone()/>
                <script type="module" src=frame.boot.clone()></script>
            </head>
            <body>{body}</body>
        </html>
    }
    .into_any()
}

/// Turns a view into text. An owner of its own keeps what islands make while they are drawn.
fn render(view: impl FnOnce() -> AnyView) -> String {
    init();
    Owner::new_root(None).with(|| view().to_html())
}
