//! Events as they come in. Rows come on top, but never under a pointer that is on the list or a focus that is
//! in it: then they wait, and say how many they are.
use super::{ACCEPTED, WARNING, grouped, local_time, model::LiveEvent};
use leptos::prelude::*;

/// The most rows kept, shown and waiting each.
const MOST: usize = 200;

/// How the connection is, in one word.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "the server only ever says that it connects"))]
enum State {
    Connecting,
    Connected,
    Reconnecting,
    Lost,
}

/// The same for people.
fn told(paused: bool, state: State) -> &'static str {
    match (paused, state) {
        (true, State::Connected) => "Paused",
        (false, State::Connected) => "Connected",
        (_, State::Connecting) => "Connecting…",
        (_, State::Reconnecting) => "Reconnecting…",
        (_, State::Lost) => "Not connected: reload the page",
    }
}

/// Puts `fresh` (newest first) before `rows` and lets go of the oldest.
fn put_before(rows: &mut Vec<LiveEvent>, mut fresh: Vec<LiveEvent>) {
    fresh.append(rows);
    fresh.truncate(MOST);
    *rows = fresh;
}

/// Whether the focus goes to another part of the element that listens.
fn stays_inside(left: &leptos::ev::FocusEvent) -> bool {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        let next = left.related_target().and_then(|next| next.dyn_into::<web_sys::Node>().ok());
        let list = left.current_target().and_then(|list| list.dyn_into::<web_sys::Node>().ok());
        list.is_some_and(|list| list.contains(next.as_ref()) && next.is_some())
    }
    #[cfg(not(feature = "hydrate"))]
    {
        let _ = left;
        false
    }
}

/// One event on one line, its time by the clock of who looks.
fn row(event: LiveEvent, clock: &str, ahead: i32) -> impl IntoView + use<> {
    let quarantined = event.verdict == "quarantined";
    let (class, shape) = if quarantined { ("state state-warning", WARNING) } else { ("state state-ok", ACCEPTED) };
    view! {
        <li class="tail-row">
            <time class="mono" datetime=event.received_at.clone()>{local_time(&event.received_at, clock, ahead)}</time>
            <span class=class><svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d=shape></path></svg>{event.verdict}</span>
            <a class="quiet-link" href=event.href>{event.event_type}</a>
            <code class="mono tail-summary">{event.summary}</code>
        </li>
    }
}

/// What bursts have left out, and where it is.
fn left_out(more: RwSignal<u64>, explorer: String) -> impl IntoView {
    let count = move || format!("{} more", grouped(more.get()));
    view! {
        <p class="tail-more" role="status" hidden=move || more.get() == 0>
            <strong>{count}</strong>" came in bursts and have no row here. "
            <a href=explorer>"Show all events"</a>
        </p>
    }
}

/// The live tail of what `stream` tells, with a button to pause it. Of a burst it shows the newest events and says how
/// many more there are; `explorer` is the page of all. Times are told by a `clock` of that name, which is `ahead` of
/// UTC by so many minutes.
#[island]
pub fn LiveTail(stream: String, explorer: String, clock: String, ahead: i32) -> impl IntoView {
    let clock = StoredValue::new(clock);
    let rows = RwSignal::new(Vec::<LiveEvent>::new());
    // newest first as well; counted apart, since only the newest of them are kept
    let waiting = RwSignal::new((0_usize, Vec::<LiveEvent>::new()));
    // of bursts: those that are in no row
    let more = RwSignal::new(0_u64);
    let paused = RwSignal::new(false);
    let hovered = RwSignal::new(false);
    let focused = RwSignal::new(false);
    let state = RwSignal::new(State::Connecting);

    let release = move || {
        let (_, fresh) = waiting.try_update(std::mem::take).unwrap_or_default();
        if !fresh.is_empty() {
            rows.update(|rows| put_before(rows, fresh));
        }
    };
    let release_if_free = move || {
        if !paused.get_untracked() && !hovered.get_untracked() && !focused.get_untracked() {
            release();
        }
    };

    #[cfg(feature = "hydrate")]
    {
        use super::stream::{Link, follow};
        let on_event = move |event| {
            if paused.get_untracked() || hovered.get_untracked() || focused.get_untracked() {
                waiting.update(|(count, fresh)| {
                    *count += 1;
                    put_before(fresh, vec![event]);
                });
            } else {
                rows.update(|rows| put_before(rows, vec![event]));
            }
        };
        let on_link = move |link| {
            state.set(match link {
                Link::Open => State::Connected,
                Link::Waiting => State::Reconnecting,
                Link::Closed => State::Lost,
            });
        };
        follow(stream, on_event, move |skipped| more.update(|more| *more += skipped), on_link);
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = stream;

    let said = move || told(paused.get(), state.get());
    let light = move || match (paused.get(), state.get()) {
        (false, State::Connected) => "pulse pulse-ok",
        (_, State::Lost) => "pulse pulse-error",
        _ => "pulse pulse-still",
    };
    let count = move || waiting.with(|(count, _)| *count);
    let new = move || match (count(), paused.get()) {
        (0, _) => String::new(),
        (n, true) => format!(" · {n} new"),
        (n, false) => format!("{n} new, held while you look"),
    };
    let button = move || {
        if paused.get() { format!("Resume{}", new()) } else { "Pause".to_owned() }
    };
    let held = move || if paused.get() { String::new() } else { new() };
    let toggle = move |_| {
        paused.update(|paused| *paused = !*paused);
        if !paused.get_untracked() {
            release();
        }
    };
    view! {
        <section class="panel tail">
            <div class="tail-bar">
                <span class=light aria-hidden="true"></span>
                <span role="status">{said}</span>
                <span class="tail-held muted" aria-live="polite">{held}</span>
                <button type="button" class="btn btn-sm btn-plain" on:click=toggle>{button}</button>
            </div>
            {left_out(more, explorer)}
            <ol
                class="tail-list"
                aria-label="Events, newest first"
                on:mouseenter=move |_| hovered.set(true)
                on:mouseleave=move |_| {
                    hovered.set(false);
                    release_if_free();
                }
                on:focusin=move |_| focused.set(true)
                on:focusout=move |left| {
                    // from one link of the list to the next is not out of it
                    if !stays_inside(&left) {
                        focused.set(false);
                        release_if_free();
                    }
                }
            >
                <For each=move || rows.get() key=|event| event.id.clone() children=move |event| clock.with_value(|clock| row(event, clock, ahead))/>
            </ol>
            <p class="tail-none muted" hidden=move || rows.with(|rows| !rows.is_empty())>"Nothing yet: events show here the moment they are accepted."</p>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: usize) -> LiveEvent {
        LiveEvent {
            id: id.to_string(),
            tenant_id: String::new(),
            event_type_id: String::new(),
            event_type: String::new(),
            received_at: String::new(),
            verdict: String::new(),
            summary: String::new(),
            href: String::new(),
        }
    }

    #[test]
    fn the_newest_stay_on_top_and_the_oldest_go() {
        let mut rows = Vec::new();
        for id in 0..MOST + 5 {
            put_before(&mut rows, vec![event(id)]);
        }
        put_before(&mut rows, vec![event(1_001), event(1_000)]);
        let ids: Vec<_> = rows.iter().take(3).map(|row| row.id.as_str()).collect();
        assert_eq!(ids, ["1001", "1000", "204"]);
        assert_eq!(rows.len(), MOST);
    }
}
