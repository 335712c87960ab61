//! What needs attention: gathered from the slices that know, each in a sentence with one way to the fix. Who may not
//! read payloads is told that something is so, and not of what stands in events.
use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    alerts::{self, Ailment, Details},
    app::App,
    auth::{Grant, ListTenants, ReadPayloads, Session},
    error::Result,
    event_types,
    events::{
        chart,
        rhythm::{self, Verdict},
    },
    failures::{self, Brief},
    ids::{EventTypeId, TenantId},
    jobs,
    polling::{self, Health},
    tenants::Tenant,
    tokens,
    ui::{Need, State, format},
};

/// How many causes of one type are told one by one.
const OF_A_TYPE: usize = 3;
/// How many groups are looked at.
const GROUPS: i64 = 500;
/// How long a task that failed is worth a look.
const LATELY: TimeDelta = TimeDelta::days(3);

/// Names of tenants and types.
struct Names {
    tenants: HashMap<TenantId, String>,
    types: HashMap<(TenantId, EventTypeId), String>,
}

impl Names {
    fn place(&self, tenant: TenantId, event_type: EventTypeId) -> Option<String> {
        let of = self.types.get(&(tenant, event_type)).cloned().unwrap_or_else(|| event_type.to_string());
        Some(format!("{} · {of}", self.tenants.get(&tenant)?))
    }
}

/// What needs attention of these tenants, the worst first.
pub(super) async fn of(
    app: &App,
    session: &Session,
    grant: &Grant<ListTenants>,
    tenants: &[Tenant],
    now: DateTime<Utc>,
) -> Result<Vec<Need>> {
    let types = event_types::store::names_of_all(&app.db, grant).await?;
    let names = Names {
        // what a disabled tenant sends is refused: nobody expects anything of it
        tenants: tenants.iter().filter(|one| one.enabled).map(|one| (one.id, one.name.to_string())).collect(),
        types: types.into_iter().map(|(tenant, id, name)| ((tenant, id), name.to_string())).collect(),
    };
    let reads = session.grant::<ReadPayloads>().is_ok();
    let mut needs = silent(&names, rhythm::of_all(&app.db, grant, now).await?, now);
    let open = alerts::store::open_of_all(&app.db, grant).await?;
    needs.extend(rejected(&names, &open, reads));
    needs.extend(astray(&names, &open));
    let groups = failures::store::open_of_all(&app.db, grant, GROUPS).await?;
    needs.extend(broken(&names, groups, reads));
    for one in tokens::store::uses::watch_all(&app.db, grant, now).await? {
        let Some(tenant) = names.tenants.get(&one.token.tenant_id) else { continue };
        needs.extend(one.warnings.iter().map(|warning| Need {
            state: if warning.is_urgent() { State::Error } else { State::Warning },
            title: of_the_token(&warning.title()),
            place: format!("{tenant} · {}", one.token.details.name),
            more: None,
            since: warning.at(),
            fix: Some((format!("/tenants/{}/tokens/{}", one.token.tenant_id, one.token.id), "See the token".into())),
        }));
    }
    let standings = polling::health(&app.db).await?;
    needs.extend(standings.into_iter().filter_map(|one| {
        let tenant = names.tenants.get(&one.tenant_id)?;
        paused(one, tenant)
    }));
    if reads {
        for task in jobs::store::failed_of_all(&app.db, grant, now - LATELY).await? {
            let Some(tenant) = names.tenants.get(&task.tenant_id) else { continue };
            let title = app.jobs.kind(&task.kind).map_or(task.kind.as_str(), |kind| kind.title);
            needs.push(Need {
                state: State::Error,
                title: format!("{title} failed: {}", task.error.unwrap_or_else(|| "nobody knows why".into())),
                place: tenant.clone(),
                more: None,
                since: task.ended_at,
                fix: Some((jobs::href(task.tenant_id, task.id), "See the task".into())),
            });
        }
    }
    // errors before warnings; of each, what is nearest in time
    needs.sort_by_key(|need| (need.state != State::Error, (now - need.since).abs()));
    Ok(needs)
}

/// What a warning says where the page is not that of its token.
fn of_the_token(title: &str) -> String {
    match (title.strip_prefix("It "), title.strip_prefix("Its ")) {
        (Some(rest), _) => format!("The token {rest}"),
        (_, Some(rest)) => format!("The token's {rest}"),
        (None, None) => title.replacen(" it", " the token", 1),
    }
}

fn silent(names: &Names, watched: Vec<rhythm::Watched>, now: DateTime<Utc>) -> Vec<Need> {
    let need = |one: rhythm::Watched| {
        let Verdict::Silent { since, waited } = one.verdict else { return None };
        let (quiet, waited) = (chart::length(now - since), chart::length(waited));
        Some(Need {
            state: State::Error,
            title: format!("Silent: no event for {quiet}, where {waited} would be long"),
            place: names.place(one.tenant, one.event_type)?,
            more: None,
            since,
            fix: Some((format!("/tenants/{}/event-types/{}", one.tenant, one.event_type), "See the type".into())),
        })
    };
    watched.into_iter().filter_map(need).collect()
}

/// A source that somebody has paused; one that does not deliver is an alert: see [`astray`].
fn paused(one: polling::store::Standing, tenant: &str) -> Option<Need> {
    (one.health == Health::Paused).then(|| Need {
        state: State::Warning,
        title: "The source is paused: nothing is asked for".into(),
        place: format!("{tenant} · {}", one.name),
        more: None,
        since: one.health_since,
        fix: Some((format!("/tenants/{}/sources/{}", one.tenant_id, one.id), "See the source".into())),
    })
}

fn rejected(names: &Names, open: &[alerts::Alert], reads: bool) -> Vec<Need> {
    let need = |alert: &alerts::Alert| {
        let Details::Rejections { events, quarantined, hours, .. } = alert.details else { return None };
        let figure = |value: i64| u64::try_from(value).unwrap_or(0);
        let share = chart::share(figure(quarantined), figure(events));
        Some(Need {
            state: State::Error,
            title: format!("{share} of {} in {hours} h were rejected", format::counted(figure(events), "event")),
            place: names.place(alert.tenant_id, alert.event_type_id)?,
            more: None,
            since: alert.opened_at,
            fix: Some(to_quarantine(alert.tenant_id, alert.event_type_id, reads)),
        })
    };
    open.iter().filter_map(need).collect()
}

/// Polling sources that do not deliver.
fn astray(names: &Names, open: &[alerts::Alert]) -> Vec<Need> {
    let need = |alert: &alerts::Alert| {
        let Details::Source { name, ailment, .. } = &alert.details else { return None };
        let late = *ailment == Ailment::Late;
        Some(Need {
            state: if late { State::Warning } else { State::Error },
            title: alerts::message::title(alert, ""),
            place: format!("{} · {name}", names.tenants.get(&alert.tenant_id)?),
            more: None,
            since: alert.opened_at,
            fix: Some((alerts::message::path(alert), "See the source".into())),
        })
    };
    open.iter().filter_map(need).collect()
}

/// Where the failures of a type are mended; for who may not, where they are seen.
fn to_quarantine(tenant: TenantId, event_type: EventTypeId, reads: bool) -> (String, String) {
    if reads {
        (format!("/tenants/{tenant}/quarantine?type={event_type}"), "See the causes".into())
    } else {
        (format!("/tenants/{tenant}/event-types/{event_type}"), "See the type".into())
    }
}

/// The causes of one type, newest first: the first few by name, the rest by number.
fn broken(names: &Names, groups: Vec<Brief>, reads: bool) -> Vec<Need> {
    let mut types: BTreeMap<(TenantId, EventTypeId), Vec<Brief>> = BTreeMap::new();
    for group in groups {
        types.entry((group.tenant_id, group.event_type_id)).or_default().push(group);
    }
    let mut needs = Vec::new();
    for ((tenant, event_type), groups) in types {
        let Some(place) = names.place(tenant, event_type) else { continue };
        let events = |groups: &[Brief]| {
            let sum = groups.iter().map(|group| u64::try_from(group.failures).unwrap_or(0)).sum();
            format::counted(sum, "event")
        };
        let one_by_one = if reads && groups.len() <= OF_A_TYPE + 1 {
            groups.len()
        } else if reads {
            OF_A_TYPE
        } else {
            0
        };
        let (first, rest) = groups.split_at(one_by_one);
        needs.extend(first.iter().map(|group| {
            let back = if group.reopened_at.is_some() { ": it is back after it was resolved" } else { "" };
            Need {
                state: State::Warning,
                title: format!("{}{back}", group.title()),
                place: place.clone(),
                more: Some(events(std::slice::from_ref(group))),
                since: group.since(),
                fix: Some((failures::href(tenant, group.id), "Mend".into())),
            }
        }));
        if let Some(since) = rest.iter().map(Brief::since).min() {
            let (count, more) = (u64::try_from(rest.len()).unwrap_or(0), if first.is_empty() { "" } else { "more " });
            let noun = if count == 1 { "cause" } else { "causes" };
            needs.push(Need {
                state: State::Warning,
                title: format!("{count} {more}{noun} of failures"),
                place,
                more: Some(events(rest)),
                since,
                fix: Some(to_quarantine(tenant, event_type, reads)),
            });
        }
    }
    needs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{failures::State as Mending, ids::FailureGroupId};
    use uuid::Uuid;

    #[test]
    fn causes_are_named_one_by_one_to_those_who_may_read_them_and_counted_to_others() {
        let (tenant, event_type) = (TenantId(Uuid::from_u128(1)), EventTypeId(Uuid::from_u128(2)));
        let names = Names {
            tenants: [(tenant, "Acme".to_owned())].into(),
            types: [((tenant, event_type), "Order".to_owned())].into(),
        };
        let now: DateTime<Utc> = "2026-11-18T10:00:00Z".parse().unwrap();
        let group = |n: u128| Brief {
            tenant_id: tenant,
            id: FailureGroupId(Uuid::from_u128(n)),
            event_type_id: event_type,
            rule: "required".into(),
            path: format!("/Field {n}"),
            message: "is required but missing".into(),
            failures: 1_000,
            first_at: now,
            state: Mending::Open,
            reopened_at: (n == 1).then_some(now),
        };
        let told = |count: u128, reads| {
            let needs = broken(&names, (1..=count).map(group).collect(), reads);
            needs.into_iter().map(|need| format!("{}, {}", need.title, need.more.unwrap())).collect::<Vec<_>>()
        };
        assert_eq!(told(1, true), ["/Field 1 is required but missing: it is back after it was resolved, 1,000 events"]);
        assert_eq!(told(4, true).len(), 4, "no line says: one more");
        assert_eq!(told(9, true).last().unwrap(), "6 more causes of failures, 6,000 events");
        assert_eq!(told(9, false), ["9 causes of failures, 9,000 events"]);
        assert_eq!(told(1, false), ["1 cause of failures, 1,000 events"]);
        // a tenant that is disabled is not looked after
        let none = Names { tenants: HashMap::new(), types: HashMap::new() };
        assert!(broken(&none, vec![group(1)], true).is_empty());
    }
}
