//! What is different between two texts: sentences with what they mean, and lines that are gone and new. Each is told
//! by a sign and a word as well as by its colour.
use super::{
    format,
    state::{Badge, State},
};
use leptos::prelude::*;

/// A sentence about a change.
#[derive(Clone, Debug)]
pub struct ChangeItem {
    /// What it means: how that looks, and the word for it.
    pub effect: (State, &'static str),
    /// Our own words, and between them (true) what is quoted.
    pub words: Vec<(bool, String)>,
}

/// Sentences about changes.
#[component]
pub fn Changes(
    /// The sentences.
    items: Vec<ChangeItem>,
) -> AnyView {
    let items = items.into_iter().map(|item| {
        let (state, word) = item.effect;
        let words = item.words.into_iter().map(|(quoted, text)| {
            if quoted { view! { <code class="mono">{text}</code> }.into_any() } else { text.into_any() }
        });
        view! { <li><Badge state=state word=word/><p>{words.collect_view()}</p></li> }
    });
    view! { <ul class="change-words">{items.collect_view()}</ul> }.into_any()
}

/// One line of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiffLine {
    /// In both.
    Same(String),
    /// Only in the old one.
    Gone(String),
    /// Only in the new one.
    New(String),
    /// So many lines that both have are left out.
    Left(usize),
}

/// Two texts, line by line.
#[component]
pub fn Diff(
    /// What is compared: "Version 2 and the draft".
    #[prop(into)]
    label: String,
    /// The lines.
    lines: Vec<DiffLine>,
) -> AnyView {
    let lines = lines.into_iter().map(|line| match line {
        DiffLine::Same(text) => view! { <span class="diff-line">{format!("  {text}\n")}</span> }.into_any(),
        DiffLine::Gone(text) => view! { <del class="diff-line">{format!("- {text}\n")}</del> }.into_any(),
        DiffLine::New(text) => view! { <ins class="diff-line">{format!("+ {text}\n")}</ins> }.into_any(),
        DiffLine::Left(count) => {
            let said = format!("… {} the same\n", format::counted(count as u64, "line"));
            view! { <span class="diff-line diff-left">{said}</span> }.into_any()
        }
    });
    let region = label.clone();
    view! {
        <figure class="code">
            <figcaption>{label}</figcaption>
            <pre class="diff" tabindex="0" role="region" aria-label=region><code>{lines.collect_view()}</code></pre>
        </figure>
    }
    .into_any()
}
