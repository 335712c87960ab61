//! Waits for the first event of a type, and turns green with it.
use super::{ACCEPTED, WARNING, clock_time, model::LiveEvent};
use leptos::prelude::*;

/// "Waiting for the first event…" until one comes by `stream`; then the event, with a link to it. `explorer` is
/// the page of all events.
#[island]
pub fn FirstEvent(stream: String, explorer: String) -> impl IntoView {
    let (first, set_first) = signal(None::<LiveEvent>);
    #[cfg(feature = "hydrate")]
    super::stream::follow(
        stream,
        move |event| {
            set_first.update(|first| {
                first.get_or_insert(event);
            });
        },
        |_| (),
        |_| (),
    );
    #[cfg(not(feature = "hydrate"))]
    let _ = (stream, set_first);

    let came = move || first.with(Option::is_some);
    let waits = move || !came();
    let held = move || first.with(|first| first.as_ref().is_some_and(|event| event.verdict == "quarantined"));
    let class = move || match (came(), held()) {
        (false, _) => "first",
        (true, false) => "first first-came",
        (true, true) => "first first-held",
    };
    let shape = move || if held() { WARNING } else { ACCEPTED };
    let title = move || {
        first.with(|first| match first {
            None => "Waiting for the first event…".to_owned(),
            Some(event) if event.verdict == "quarantined" => "The first event has arrived, in quarantine".to_owned(),
            Some(_) => "The first event has arrived".to_owned(),
        })
    };
    let detail = move || first.with(|first| first.as_ref().map(|event| clock_time(&event.received_at)));
    let id = move || first.with(|first| first.as_ref().map(|event| event.id.clone()));
    let href = move || first.with(|first| first.as_ref().map_or(explorer.clone(), |event| event.href.clone()));
    let label = move || if came() { "Look at it" } else { "All events" };
    view! {
        <div class=class>
            <span class="pulse" aria-hidden="true" hidden=came></span>
            <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" class:hidden=waits><path d=shape></path></svg>
            <div class="first-words">
                <p role="status"><strong>{title}</strong>" "<span class="muted">{detail}</span></p>
                <code class="mono">{id}</code>
                <p class="without-script muted">"Reload the page to look again."</p>
            </div>
            <a class="btn btn-sm btn-plain" href=href>{label}</a>
        </div>
    }
}
