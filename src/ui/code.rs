//! Text to be copied exactly. The boot script copies; without scripts the text can still be selected.
use super::icon::{Icon, icon};
use leptos::prelude::*;

/// A button that copies the text of the element with id `from`; `what` is for those who do not see it.
pub(super) fn copy_from(from: String, what: &str) -> AnyView {
    view! {
        <button type="button" class="btn btn-xs btn-plain copy" data-copy-from=from>
            {icon(Icon::Copy)}<span data-copy-label="">"Copy"</span><span class="sr-only">{format!(" {what}")}</span>
        </button>
    }
    .into_any()
}

/// A button that copies `text`.
pub(super) fn copy_text(text: String, what: &str) -> AnyView {
    view! {
        <button type="button" class="btn btn-xs btn-plain copy" data-copy=text>
            {icon(Icon::Copy)}<span data-copy-label="">"Copy"</span><span class="sr-only">{format!(" {what}")}</span>
        </button>
    }
    .into_any()
}

/// A command or a piece of code, with its copy button.
#[component]
pub fn CodeBlock(
    /// Its id, unique on the page: what the button copies from.
    #[prop(into)]
    id: String,
    /// What it is: "curl", "Header form".
    #[prop(into)]
    label: String,
    /// The text.
    #[prop(into)]
    code: String,
) -> AnyView {
    let region = label.clone();
    view! {
        <figure class="code">
            <figcaption>{label.clone()}{copy_from(id.clone(), &label)}</figcaption>
            <pre tabindex="0" role="region" aria-label=region><code id=id>{code}</code></pre>
        </figure>
    }
    .into_any()
}

/// One value with its name and its copy button: an address, a token shown once.
#[component]
pub fn CopyField(
    /// Its id, unique on the page.
    #[prop(into)]
    id: String,
    /// Its name.
    #[prop(into)]
    label: String,
    /// The value.
    #[prop(into)]
    value: String,
    /// A sentence under it.
    #[prop(into, optional)]
    hint: Option<String>,
) -> AnyView {
    view! {
        <div class="field">
            <span class="field-label">{label.clone()}</span>
            <div class="copy-field"><code class="mono" id=id.clone()>{value}</code>{copy_from(id, &label)}</div>
            {hint.map(|hint| view! { <p class="hint">{hint}</p> })}
        </div>
    }
    .into_any()
}
