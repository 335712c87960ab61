//! A live connection that lets go when the page is left and comes back when the page does, so that the browser
//! can keep the page for its back button.
use super::model::{LiveEvent, Skipped};
use leptos::serde_json;
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{EventSource, MessageEvent};

/// How the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// Not yet open, or lost and being opened again by the browser.
    Waiting,
    /// Open.
    Open,
    /// Given up: the server refused, so trying again takes a reload.
    Closed,
}

/// Opens `url` and keeps it open as long as the page is in sight of its reader. Of a burst, the stream tells the
/// newest events, and of the others how many they are: that goes to `on_skipped`. What it needs lives as long as the
/// page does.
pub(super) fn follow(
    url: String,
    on_event: impl Fn(LiveEvent) + 'static,
    on_skipped: impl Fn(u64) + 'static,
    on_link: impl Fn(Link) + 'static,
) {
    let Some(window) = web_sys::window() else { return };
    let source: Rc<RefCell<Option<EventSource>>> = Rc::default();

    let message = Closure::<dyn Fn(MessageEvent)>::new(move |message: MessageEvent| {
        let event = message.data().as_string().and_then(|data| serde_json::from_str(&data).ok());
        if let Some(event) = event {
            on_event(event);
        }
    });
    let burst = Closure::<dyn Fn(MessageEvent)>::new(move |message: MessageEvent| {
        let skipped = message.data().as_string().and_then(|data| serde_json::from_str(&data).ok());
        if let Some(Skipped { skipped }) = skipped {
            on_skipped(skipped);
        }
    });
    let state = {
        let source = Rc::clone(&source);
        Closure::<dyn Fn()>::new(move || {
            let ready = source.borrow().as_ref().map_or(EventSource::CLOSED, EventSource::ready_state);
            on_link(match ready {
                EventSource::OPEN => Link::Open,
                EventSource::CONNECTING => Link::Waiting,
                _ => Link::Closed,
            });
        })
    };
    let open = {
        let source = Rc::clone(&source);
        move || {
            if source.borrow().is_some() {
                return;
            }
            let Ok(opened) = EventSource::new(&url) else { return };
            opened.set_onopen(Some(state.as_ref().unchecked_ref()));
            opened.set_onerror(Some(state.as_ref().unchecked_ref()));
            // a listener that cannot be added leaves a stream that says nothing: there is no better answer here
            let _ = opened.add_event_listener_with_callback("event", message.as_ref().unchecked_ref());
            let _ = opened.add_event_listener_with_callback("skipped", burst.as_ref().unchecked_ref());
            source.replace(Some(opened));
        }
    };
    let close = move || {
        if let Some(open) = source.take() {
            open.close();
        }
    };
    open();
    let shown = Closure::<dyn Fn()>::new(open);
    let hidden = Closure::<dyn Fn()>::new(close);
    let _ = window.add_event_listener_with_callback("pageshow", shown.as_ref().unchecked_ref());
    let _ = window.add_event_listener_with_callback("pagehide", hidden.as_ref().unchecked_ref());
    // both live as long as the page
    shown.forget();
    hidden.forget();
}
