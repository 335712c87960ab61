//! Pages and actions, as they are found by name. Only what the viewer may open is offered.
use super::{Hit, ONLY_AROUND, rank};
use crate::{
    auth::{Administer, Configure, CreateTenants, InviteCustomers, ReadPayloads, Session},
    ids::TenantId,
    ui::Section,
};

/// A place: its name, and other words that people look for it by.
fn name(section: Section) -> Option<(&'static str, &'static str)> {
    Some(match section {
        Section::Nowhere => return None,
        Section::Home => ("Home", "start dashboard"),
        Section::Tenants => ("Tenants", "customers all"),
        Section::Overview => ("Overview", "tenant"),
        Section::EventTypes => ("Event types", "contracts schemas"),
        Section::Integrations => ("All integrations", "intakes board funnel"),
        Section::TenantIntegrations => ("Integrations", "intakes scenarios investigations"),
        Section::Quotations => ("Quotations", "offers prices accept"),
        Section::Portal => ("Your integrations", "portal status tasks health"),
        Section::Guide => ("Guide", "help integrating scenarios"),
        Section::Events => ("Events", "explorer payloads"),
        Section::Live => ("Live", "tail stream watch"),
        Section::Quarantine => ("Quarantine", "failures errors broken rejected"),
        Section::Tasks => ("Tasks", "jobs background exports"),
        Section::Sources => ("Sources", "polling external systems windows ledger pull"),
        Section::Tokens => ("Tokens", "secrets keys"),
        Section::Audit => ("Audit trail", "changes history log"),
        Section::AuditOfAll => ("All changes", "audit trail history log"),
        Section::TenantPeople => ("People of the tenant", "customers accounts users"),
        Section::Alerts => ("Alerts", "notifications channels silence webhooks mail"),
        Section::AlertsOfAll => ("Alerts of all tenants", "notifications channels silence webhooks mail"),
        Section::Settings => ("Settings", "retention origins name"),
        Section::People => ("People", "accounts users invitations"),
        Section::Hosts => ("Hosts", "outbound network allow limits polling systems"),
        Section::Account => ("Your account", "password second factor sessions profile"),
    })
}

/// The places of a tenant and those of the installation, best first; all of them when nothing is asked.
pub(super) fn places(session: &Session, tenant: Option<(TenantId, &str)>, words: &[String]) -> Vec<(u8, Hit)> {
    let id = tenant.map(|(id, _)| id);
    let (own, of) = (id.map(|id| id.to_string()).unwrap_or_default(), tenant.map_or("", |(_, name)| name));
    let mut sections = session.sections(id);
    // what is at hand before what is always there
    sections.sort_by_key(|section| !section.is_of_tenant());
    let mut found: Vec<_> = sections
        .into_iter()
        .filter_map(|section| {
            let (title, others) = name(section)?;
            let of = if section.is_of_tenant() { of } else { "" };
            Some((best(words, title, others, of)?, Hit::new(title, of, section.href(&own))))
        })
        .collect();
    found.extend(ASIDE.iter().filter_map(|(title, others, href)| {
        let rank = best(words, title, others, "")?;
        Some((rank, Hit::new(*title, "", *href)))
    }));
    found
}

/// Pages outside the navigation, which are open to everybody.
const ASIDE: &[(&str, &str, &str)] = &[
    ("Help", "words glossary documentation api", "/help"),
    ("Keyboard shortcuts", "help keys", "/shortcuts"),
    ("Time zone", "clock times utc", "/account/time-zone"),
];

fn best(words: &[String], title: &str, others: &str, of: &str) -> Option<u8> {
    if words.is_empty() {
        return Some(0);
    }
    rank(words, title, &format!("{others} {of}")).filter(|rank| *rank < ONLY_AROUND || answers(words, others))
}

/// Whether anything but the tenant's name is meant: else all of its places would answer to that.
fn answers(words: &[String], others: &str) -> bool {
    words.iter().any(|word| others.split(' ').any(|other| other.starts_with(word)))
}

/// What can be done here.
pub(super) fn actions(session: &Session, tenant: Option<(TenantId, &str)>, words: &[String]) -> Vec<(u8, Hit)> {
    let mut offered: Vec<(&str, &str, &str, String)> = Vec::new();
    if let Some((id, of)) = tenant {
        let base = format!("/tenants/{id}");
        if session.permit::<Configure>(id).is_ok() {
            offered.push(("New event type", "create add contract", of, format!("{base}/event-types/new")));
            offered.push(("New event type from a sample", "create", of, format!("{base}/event-types/new/sample")));
            offered.push(("New source", "create add poll external system", of, format!("{base}/sources/new")));
            offered.push(("New token", "create add secret", of, format!("{base}/tokens/new")));
        }
        if session.permit::<ReadPayloads>(id).is_ok() {
            offered.push(("Export events", "download csv json", of, format!("{base}/exports/new")));
        }
        if session.permit::<InviteCustomers>(id).is_ok() {
            offered.push(("Invite a customer", "add person account", of, format!("{base}/people/invite")));
        }
    }
    if session.grant::<CreateTenants>().is_ok() {
        offered.push(("New tenant", "create add customer", "", "/tenants/new".into()));
    }
    if session.grant::<Administer>().is_ok() {
        offered.push(("Invite somebody", "add person account user", "", "/people/invite".into()));
    }
    offered
        .into_iter()
        .filter_map(|(title, others, of, href)| Some((best(words, title, others, of)?, Hit::new(title, of, href))))
        .collect()
}
