//! Copies a text exactly and says so, to the screen reader too.
use leptos::prelude::*;

/// A button that copies `text` to the clipboard; `what` names it for a screen reader ("Copy the token").
#[island]
pub fn CopyButton(text: String, what: String) -> impl IntoView {
    let (label, set_label) = signal("Copy");
    let on_click = move |_| {
        #[cfg(feature = "hydrate")]
        {
            let text = text.clone();
            leptos::task::spawn_local(async move {
                let Some(window) = web_sys::window() else { return };
                let written =
                    wasm_bindgen_futures::JsFuture::from(window.navigator().clipboard().write_text(&text)).await;
                set_label.set(if written.is_ok() { "Copied" } else { "Copy failed" });
            });
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = (&text, set_label);
    };
    view! { <button type="button" class="btn btn-xs" aria-label=what on:click=on_click>{label}</button> }
}
