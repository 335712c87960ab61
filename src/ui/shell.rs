//! What stands around every page: brand, tenants, account, navigation, the way here. All of it works without a
//! script: menus are popovers, the theme is a form.
use super::{
    frame::{Crumb, Frame, Section, TenantRef, Theme, Viewer},
    icon::{Icon, icon, mark},
};
use leptos::prelude::*;

/// The bar at the top.
pub(super) fn header(frame: &Frame) -> AnyView {
    view! {
        <header class="bar">
            <a class="brand" href="/">{mark()}<span class="brand-name">"Tributary"</span></a>
            {switcher(frame)}
            <span class="bar-gap"></span>
            {search(frame)}
            {frame.viewer.as_ref().map(|viewer| account(viewer, &frame.path))}
        </header>
    }
    .into_any()
}

/// Where search is, with the tenant at hand, for whoever may look for anything.
fn search_href(frame: &Frame) -> Option<String> {
    let may = frame.viewer.is_some() && frame.open.contains(&Section::Home);
    may.then(|| match &frame.tenant {
        Some(tenant) => format!("/search?tenant={}", tenant.id),
        None => "/search".to_owned(),
    })
}

/// The way to the page of search; the boot script opens the palette in its place.
fn search(frame: &Frame) -> Option<AnyView> {
    let href = search_href(frame)?;
    let keys = frame.viewer.as_ref().is_some_and(|viewer| viewer.shortcuts);
    let keys = keys.then(|| view! { <kbd class="bar-key" aria-hidden="true" data-mod-key="">"Ctrl K"</kbd> });
    Some(
        view! {
            <a class="bar-search" href=href data-palette="">
                {icon(Icon::Search)}
                <span class="bar-search-word">"Search"</span>
                {keys}
            </a>
        }
        .into_any(),
    )
}

/// The palette, closed: a form of the page of search, over any other page. `palette.js` fills the list.
pub(super) fn palette(frame: &Frame) -> Option<AnyView> {
    search_href(frame)?;
    let tenant = frame.tenant.as_ref().map(|tenant| {
        view! { <input type="hidden" name="tenant" value=tenant.id.clone()/> }
    });
    Some(
        view! {
            <dialog class="palette" id="palette" aria-label="Search">
                <form class="palette-form" action="/search" role="search">
                    {icon(Icon::Search)}
                    <input
                        class="palette-input"
                        type="text"
                        name="q"
                        role="combobox"
                        aria-label="Search"
                        aria-expanded="false"
                        aria-controls="palette-list"
                        aria-autocomplete="list"
                        autocomplete="off"
                        autocapitalize="off"
                        spellcheck="false"
                        maxlength="200"
                        placeholder="A name, a page, any id…"
                    />
                    {tenant}
                </form>
                <div class="palette-list" id="palette-list" role="listbox" aria-label="Results" hidden></div>
                <p class="palette-said" role="status"></p>
                <p class="palette-keys" aria-hidden="true">
                    <span><kbd>"↑"</kbd>" "<kbd>"↓"</kbd>" to choose"</span>
                    <span><kbd>"Enter"</kbd>" to open"</span>
                    <span><kbd>"Esc"</kbd>" to close"</span>
                </p>
                <template data-group="">
                    <div role="group"><p class="hits-title" role="presentation"></p></div>
                </template>
                <template data-hit="">
                    <a class="hit" role="option" tabindex="-1" aria-selected="false">
                        <span class="hit-title"></span>
                        <span class="hit-detail"></span>
                    </a>
                </template>
            </dialog>
        }
        .into_any(),
    )
}

/// The tenants one may switch to. Staying on the same section, if it is one of a tenant.
fn switcher(frame: &Frame) -> Option<AnyView> {
    if frame.tenants.is_empty() {
        return None;
    }
    let section = if frame.active.is_of_tenant() && frame.open.contains(&frame.active) {
        frame.active
    } else {
        Section::Overview
    };
    let here = frame.tenant.as_ref().map(|tenant| tenant.id.as_str());
    let items = frame.tenants.iter().map(|tenant| {
        let current = (Some(tenant.id.as_str()) == here).then_some("true");
        view! {
            <li>
                <a href=section.href(&tenant.id) aria-current=current>
                    <span class="clip">{tenant.name.clone()}</span>
                    {tags(tenant)}
                </a>
            </li>
        }
    });
    let all = frame.open.contains(&Section::Tenants).then(|| {
        view! { <ul class="sheet-list sheet-foot"><li><a href="/tenants">"All tenants"</a></li></ul> }
    });
    let label = frame.tenant.as_ref().map_or_else(|| "All tenants".to_owned(), |tenant| tenant.name.clone());
    Some(
        view! {
            <div class="switch">
                <span class="bar-slash" aria-hidden="true">"/"</span>
                <button class="bar-button" type="button" popovertarget="menu-tenants">
                    <span class="sr-only">"Tenant: "</span>
                    <span class="clip">{label}</span>
                    {icon(Icon::ChevronDown)}
                </button>
                <div class="sheet sheet-left" id="menu-tenants" popover="auto">
                    <p class="sheet-title">"Tenants"</p>
                    <ul class="sheet-list">{items.collect_view()}</ul>
                    {all}
                </div>
            </div>
        }
        .into_any(),
    )
}

/// What one has to know about a tenant wherever its name stands.
fn tags(tenant: &TenantRef) -> AnyView {
    let demo = tenant.demo.then(|| view! { <span class="tag">"invented"</span> });
    let disabled = tenant.disabled.then(|| view! { <span class="tag">"disabled"</span> });
    view! { {demo}{disabled} }.into_any()
}

/// The first letters of a name, for the round button.
fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().next());
    let first = words.next();
    first.into_iter().chain(words.next_back()).flat_map(char::to_uppercase).collect()
}

fn account(viewer: &Viewer, path: &str) -> AnyView {
    let theme = |theme: Theme, label: &'static str| {
        let pressed = if viewer.theme == theme { "true" } else { "false" };
        view! { <button type="submit" name="theme" value=theme.as_str() aria-pressed=pressed>{label}</button> }
    };
    let back: String = url::form_urlencoded::byte_serialize(path.as_bytes()).collect();
    let zone = format!("/account/time-zone?return={back}");
    view! {
        <button class="bar-button bar-round" type="button" popovertarget="menu-account">
            <span class="initials" aria-hidden="true">{initials(&viewer.name)}</span>
            <span class="sr-only">{format!("Account of {}", viewer.name)}</span>
        </button>
        <div class="sheet sheet-right" id="menu-account" popover="auto">
            <div class="sheet-who">
                <strong class="clip">{viewer.name.clone()}</strong>
                <span class="clip muted">{viewer.email.clone()}</span>
                <span class="muted">{viewer.role}</span>
            </div>
            <form class="theme" method="post" action="/theme">
                <input type="hidden" name="return" value=path.to_owned()/>
                <fieldset>
                    <legend>"Theme"</legend>
                    <div class="segments">{theme(Theme::System, "System")}{theme(Theme::Light, "Light")}{theme(Theme::Dark, "Dark")}</div>
                </fieldset>
            </form>
            <ul class="sheet-list sheet-foot">
                <li>
                    <a href=zone>
                        {icon(Icon::Clock)}"Times in "<span class="clip">{viewer.zone.name()}</span>
                        <span class="sheet-verb">"Change"</span>
                    </a>
                </li>
                <li><a href="/account">{icon(Icon::Account)}"Your account"</a></li>
                <li><a href="/help">{icon(Icon::Help)}"Help"</a></li>
                <li><a href="/shortcuts">{icon(Icon::Keyboard)}"Keyboard shortcuts"</a></li>
            </ul>
            <form class="sheet-list sheet-foot" method="post" action="/logout">
                <button type="submit">{icon(Icon::SignOut)}"Sign out"</button>
            </form>
        </div>
    }
    .into_any()
}

/// The key that leads to a place, after a g.
pub(super) fn key(section: Section) -> Option<&'static str> {
    KEYS.iter().find(|(of, ..)| *of == section).map(|(_, key, _)| *key)
}

/// The places that a key leads to, and what they are called.
pub(super) const KEYS: &[(Section, &str, &str)] = &[
    (Section::Home, "h", "Home"),
    (Section::Tenants, "c", "Tenants"),
    (Section::Overview, "o", "Overview of the tenant"),
    (Section::EventTypes, "t", "Event types"),
    (Section::Events, "e", "Events"),
    (Section::Live, "l", "Live"),
    (Section::Quarantine, "q", "Quarantine"),
    (Section::Sources, "p", "Sources that are polled"),
    (Section::Tokens, "k", "Tokens"),
    (Section::Alerts, "a", "Alerts"),
    (Section::Settings, "s", "Settings of the tenant"),
];

/// The navigation: a column where there is room, a strip under the bar where there is not.
pub(super) fn navigation(frame: &Frame) -> AnyView {
    if frame.viewer.is_none() {
        return ().into_any();
    }
    let item = |section: Section, tenant: &str, glyph, label: &'static str| {
        let current = (frame.active == section).then_some("page");
        frame.open.contains(&section).then(|| {
            view! { <li><a href=section.href(tenant) aria-current=current data-key=key(section)>{icon(glyph)}{label}</a></li> }
        })
    };
    let of_tenant = frame.tenant.as_ref().map(|tenant| {
        let item = |section, glyph, label| item(section, &tenant.id, glyph, label);
        view! {
            <div class="side-group">
                <p class="side-title">{tenant.name.clone()}{tags(tenant)}</p>
                <ul>
                    {item(Section::Overview, Icon::Overview, "Overview")}
                    {item(Section::TenantIntegrations, Icon::Join, "Integrations")}
                    {item(Section::Portal, Icon::Join, "Integrations")}
                    {item(Section::Quotations, Icon::Audit, "Quotations")}
                    {item(Section::EventTypes, Icon::Contract, "Event types")}
                    {item(Section::Events, Icon::Events, "Events")}
                    {item(Section::Live, Icon::Live, "Live")}
                    {item(Section::Quarantine, Icon::Quarantine, "Quarantine")}
                    {item(Section::Tasks, Icon::Tasks, "Tasks")}
                    {item(Section::Sources, Icon::Source, "Sources")}
                    {item(Section::Tokens, Icon::Token, "Tokens")}
                    {item(Section::Alerts, Icon::Bell, "Alerts")}
                    {item(Section::Audit, Icon::Audit, "Audit trail")}
                    {item(Section::TenantPeople, Icon::People, "People")}
                    {item(Section::Settings, Icon::Settings, "Settings")}
                </ul>
            </div>
        }
    });
    view! {
        <nav class="side" aria-label="Main">
            {of_tenant}
            <div class="side-group">
                <p class="side-title">"Tributary"</p>
                <ul>
                    {item(Section::Home, "", Icon::Home, "Home")}
                    {item(Section::Tenants, "", Icon::Tenants, "Tenants")}
                    {item(Section::AlertsOfAll, "", Icon::Bell, "Alerts")}
                    {item(Section::Integrations, "", Icon::Join, "Integrations")}
                    {item(Section::Guide, "", Icon::Guide, "Guide")}
                    {item(Section::AuditOfAll, "", Icon::Audit, "All changes")}
                    {item(Section::People, "", Icon::People, "People")}
                    {item(Section::Hosts, "", Icon::Source, "Hosts")}
                </ul>
            </div>
        </nav>
    }
    .into_any()
}

/// The way to this page; its own name is its heading and not said again.
pub(super) fn breadcrumbs(crumbs: Vec<Crumb>) -> AnyView {
    if crumbs.is_empty() {
        return ().into_any();
    }
    let crumbs = crumbs.into_iter().map(|crumb| view! { <li><a href=crumb.href>{crumb.label}</a></li> });
    view! { <nav class="crumbs" aria-label="Breadcrumbs"><ol>{crumbs.collect_view()}</ol></nav> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn initials_take_the_first_and_the_last_word() {
        for (name, letters) in [("Ada Lovelace", "AL"), ("Vincent van Gogh", "VG"), ("ada", "A"), ("", "")] {
            assert_eq!(initials(name), letters);
        }
    }
}
