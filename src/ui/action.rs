//! Buttons, and links that look like them.
use super::{
    Slot,
    icon::{Icon, icon},
};
use leptos::prelude::*;

/// How much a button wants to be pressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// The one thing to do on this page.
    Primary,
    /// One of several.
    #[default]
    Plain,
    /// There when looked for.
    Quiet,
    /// Takes something away.
    Danger,
}

impl Tone {
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Primary => "btn btn-sm btn-primary",
            Self::Plain => "btn btn-sm btn-plain",
            Self::Quiet => "btn btn-sm btn-ghost",
            Self::Danger => "btn btn-sm btn-danger",
        }
    }
}

/// A button that sends the form it stands in.
#[component]
pub fn Button(
    /// How much it wants to be pressed.
    #[prop(optional)]
    tone: Tone,
    /// A picture before the word.
    #[prop(into, optional)]
    icon: Option<Icon>,
    /// The name of a value it sends along.
    #[prop(into, optional)]
    name: Option<String>,
    /// That value.
    #[prop(into, optional)]
    value: Option<String>,
    /// The id of the form it sends, when it stands outside of it.
    #[prop(optional)]
    form: Option<&'static str>,
    /// Where the form goes by this button, when that is not where it goes by others.
    #[prop(into, optional)]
    to: Option<String>,
    /// The word: a verb.
    children: Slot,
) -> AnyView {
    view! {
        <button class=tone.class() type="submit" name=name value=value form=form formaction=to>{icon.map(self::icon)}{children.0}</button>
    }
    .into_any()
}

/// A link that looks like a button.
#[component]
pub fn LinkButton(
    /// Where it leads.
    #[prop(into)]
    href: String,
    /// How much it wants to be pressed.
    #[prop(optional)]
    tone: Tone,
    /// A picture before the word.
    #[prop(into, optional)]
    icon: Option<Icon>,
    /// The word.
    children: Slot,
) -> AnyView {
    view! { <a class=tone.class() href=href>{icon.map(self::icon)}{children.0}</a> }.into_any()
}

/// The way to a section of the guide, where the question arises that it answers; the guide speaks to whoever reads.
pub fn guide(section: &str, label: &'static str) -> AnyView {
    let href = format!("/guide#{section}");
    view! { <LinkButton href=href tone=Tone::Quiet icon=Icon::Guide>{label}</LinkButton> }.into_any()
}

/// A form that is nothing but its button: an act that just happens and can be undone.
#[component]
pub fn PostButton(
    /// Where it posts to.
    #[prop(into)]
    action: String,
    /// How much it wants to be pressed.
    #[prop(optional)]
    tone: Tone,
    /// A picture before the word.
    #[prop(into, optional)]
    icon: Option<Icon>,
    /// Values it sends along.
    #[prop(optional)]
    fields: Vec<(&'static str, String)>,
    /// The word: a verb.
    children: Slot,
) -> AnyView {
    let fields = fields.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> });
    view! {
        <form method="post" action=action class="inline-form">
            {fields.collect_view()}
            <button class=tone.class() type="submit">{icon.map(self::icon)}{children.0}</button>
        </form>
    }
    .into_any()
}
