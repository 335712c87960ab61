//! How things stand on a page: its head, cards, columns, groups.
use super::Slot;
use leptos::prelude::*;

/// The head of a page: its name, one sentence, and what can be done here (the children).
#[component]
pub fn PageHeader(
    /// The name of the page or of its object: the one `<h1>`.
    #[prop(into)]
    title: String,
    /// One sentence on what this is.
    #[prop(into, optional)]
    lead: Option<String>,
    /// A state beside the name.
    #[prop(optional)]
    badge: Option<AnyView>,
    /// The actions.
    #[prop(optional)]
    children: Slot,
) -> AnyView {
    view! {
        <header class="page-head">
            <div class="page-title">
                <div class="page-name"><h1>{title}</h1>{badge}</div>
                {lead.map(|lead| view! { <p class="lead">{lead}</p> })}
            </div>
            <div class="page-actions">{children.0}</div>
        </header>
    }
    .into_any()
}

/// A bordered box with a heading, for what belongs together.
#[component]
pub fn Card(
    /// Its heading.
    #[prop(into, optional)]
    title: Option<String>,
    /// One sentence under the heading.
    #[prop(into, optional)]
    lead: Option<String>,
    /// An action at the right of the heading.
    #[prop(optional)]
    action: Option<AnyView>,
    /// Content that reaches the borders, such as a table.
    #[prop(optional)]
    flush: bool,
    /// What it holds.
    children: Slot,
) -> AnyView {
    let head = (title.is_some() || action.is_some()).then(|| {
        view! {
            <div class="card-head">
                <div>
                    {title.map(|title| view! { <h2>{title}</h2> })}
                    {lead.map(|lead| view! { <p class="lead">{lead}</p> })}
                </div>
                {action}
            </div>
        }
    });
    let body = if flush { "card-flush" } else { "card-inner" };
    view! { <section class="panel">{head}<div class=body>{children.0}</div></section> }.into_any()
}

/// A heading and what follows it, without a box.
#[component]
pub fn Group(
    /// Its heading.
    #[prop(into)]
    title: String,
    /// One sentence under it.
    #[prop(into, optional)]
    lead: Option<String>,
    /// What follows.
    children: Slot,
) -> AnyView {
    view! {
        <section class="group-block">
            <h2>{title}</h2>
            {lead.map(|lead| view! { <p class="lead">{lead}</p> })}
            {children.0}
        </section>
    }
    .into_any()
}

/// Two columns where there is room, the first one wider; one below the other where there is not.
#[component]
pub fn Columns(
    /// The main matter.
    main: AnyView,
    /// What stands beside it.
    aside: AnyView,
) -> AnyView {
    view! { <div class="columns"><div class="stack">{main}</div><div class="stack">{aside}</div></div> }.into_any()
}

/// A desk: a form that takes all the room there is, and what stands beside it.
#[component]
pub fn Desk(
    /// The form.
    main: AnyView,
    /// What stands beside it.
    aside: AnyView,
) -> AnyView {
    view! { <div class="desk"><div class="stack">{main}</div><div class="stack">{aside}</div></div> }.into_any()
}

/// Things side by side that wrap.
#[component]
pub fn Row(
    /// The things.
    children: Slot,
) -> AnyView {
    view! { <div class="cluster">{children.0}</div> }.into_any()
}

/// Running text at a readable width.
#[component]
pub fn Prose(
    /// Paragraphs.
    children: Slot,
) -> AnyView {
    view! { <div class="words">{children.0}</div> }.into_any()
}

/// Things below each other that belong close together; the first may be their heading.
#[component]
pub fn Near(
    /// What they are called: a heading below that of a [`Card`].
    #[prop(into, optional)]
    title: Option<String>,
    /// The things.
    children: Slot,
) -> AnyView {
    view! { <div class="near">{title.map(|title| view! { <h3>{title}</h3> })}{children.0}</div> }.into_any()
}
