//! What an alert says: in a line, in a sentence, and as the JSON of a web request.
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Ailment, Alert, Channel, Details, Kind, Resolution};
use crate::{events::chart, failures, ids::FailureGroupId, ui::format};

/// An alert is raised.
pub const OPENED: &str = "alert.opened";
/// An alert is over.
pub const RESOLVED: &str = "alert.resolved";
/// Somebody tries a channel.
pub const TEST: &str = "alert.test";

/// Names of what an alert is about.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// Of the tenant.
    pub tenant: &'a str,
    /// Of the type.
    pub event_type: &'a str,
}

fn count(value: i64, noun: &str) -> String {
    format::counted(u64::try_from(value).unwrap_or(0), noun)
}

fn share(quarantined: i64, events: i64) -> String {
    chart::share(u64::try_from(quarantined).unwrap_or(0), u64::try_from(events).unwrap_or(0))
}

/// In a line, as it is raised or over.
pub fn title(alert: &Alert, event_type: &str) -> String {
    let over = alert.resolution;
    match (&alert.details, over) {
        (Details::Source { name, ailment, .. }, over) => match (over, ailment) {
            (None | Some(Resolution::Worse), Ailment::Late) => format!("The source {name} is late"),
            (None | Some(Resolution::Worse), Ailment::Failing) => format!("The source {name} is failing"),
            (None | Some(Resolution::Worse), Ailment::Refused) => {
                format!("The source {name} is paused: its token is refused")
            }
            (None | Some(Resolution::Worse), Ailment::Stopped) => format!("The source {name} has stopped"),
            (Some(Resolution::Mended), _) => format!("The source {name} runs again"),
            (Some(Resolution::Unwatched), _) => format!("The source {name} is not asked any more"),
        },
        (_, Some(Resolution::Unwatched)) => format!("{event_type}: {} is no longer watched", what(alert.kind)),
        (Details::Silence { .. }, None) => format!("{event_type} is silent"),
        (Details::Silence { .. }, Some(_)) => format!("{event_type} sends again"),
        (Details::Rejections { events, quarantined, .. }, None) => {
            format!("{event_type}: {} of its events are rejected", share(*quarantined, *events))
        }
        (Details::Rejections { percent, .. }, Some(_)) => {
            format!("{event_type}: rejections are well below {percent} % again")
        }
        (Details::Failures { rule, path, message, came_back }, None) => {
            let again = if *came_back { "it came back: " } else { "a new failure: " };
            format!("{event_type}: {again}{}", failures::title(path, message, rule))
        }
        (Details::Failures { rule, path, message, .. }, Some(_)) => {
            format!("{event_type}: settled: {}", failures::title(path, message, rule))
        }
    }
}

fn what(kind: Kind) -> &'static str {
    match kind {
        Kind::Silence => "silence",
        Kind::Rejections => "the rejection rate",
        Kind::FailureGroup => "failures",
        Kind::Source => "the source",
    }
}

/// In a sentence or two: what is so, and what to do.
pub fn text(alert: &Alert) -> String {
    match (&alert.details, alert.resolution) {
        (Details::Source { ailment, reason, .. }, over) => of_source(*ailment, reason.as_deref(), over),
        (_, Some(Resolution::Unwatched)) => {
            "The rule was switched off, or the type or its tenant was disabled.".to_owned()
        }
        (Details::Silence { last_at, waited_minutes }, None) => format!(
            "The last event came at {}; {} is longer than was ever waited for one in the 28 days before. See whether \
             its sender runs, and whether its token still works.",
            moment(*last_at),
            chart::length(TimeDelta::minutes(*waited_minutes)),
        ),
        (Details::Silence { last_at, .. }, Some(_)) => {
            format!("Events come again; before that, the last one came at {}.", moment(*last_at))
        }
        (Details::Rejections { events, quarantined, percent, hours }, None) => format!(
            "{} of {} of the last {hours} h broke their contract; the threshold is {percent} %. The quarantine groups \
             them by cause.",
            format::count(u64::try_from(*quarantined).unwrap_or(0)),
            count(*events, "event"),
        ),
        (Details::Rejections { .. }, Some(_)) => "Fewer events break their contract, or too few come to tell.".into(),
        (Details::Failures { rule, came_back, .. }, None) => {
            let back = if *came_back { "It was resolved before. " } else { "" };
            let mut advice = failures::advice::advice(rule).sentence();
            advice.insert_str(0, back);
            advice
        }
        (Details::Failures { .. }, Some(_)) => "Its group was resolved or is ignored.".into(),
    }
}

fn of_source(ailment: Ailment, reason: Option<&str>, over: Option<Resolution>) -> String {
    let (what, todo) = match (over, ailment) {
        (Some(Resolution::Mended), _) => return "What was due is stored, or somebody has resumed it.".into(),
        (Some(Resolution::Unwatched), _) => {
            return "It was paused or removed, or its event type or tenant was disabled.".into();
        }
        (_, Ailment::Late) => (
            "What it was due to deliver has been waited for since more than one interval.",
            "Its page shows what was asked and answered; it is tried again by itself.",
        ),
        (_, Ailment::Failing) => (
            "What it was due to deliver has been waited for since more than two intervals.",
            "Its page shows what was asked and answered; it is tried again by itself.",
        ),
        (_, Ailment::Refused) => (
            "Its token was refused three times in a row, so it is asked no more.",
            "Replace the token, then resume the source: everything since then is fetched.",
        ),
        (_, Ailment::Stopped) => (
            "It cannot be read until somebody mends it.",
            "Mend its definition, then resume the source: everything since then is fetched.",
        ),
    };
    match reason {
        Some(reason) => format!("{what} {}. {todo}", reason.trim_end_matches('.')),
        None => format!("{what} {todo}"),
    }
}

/// A moment as letters tell it.
fn moment(at: DateTime<Utc>) -> String {
    at.format("%-d %b %Y, %H:%M UTC").to_string()
}

fn machine(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The page that leads to the fix.
pub fn path(alert: &Alert) -> String {
    let (tenant, event_type) = (alert.tenant_id, alert.event_type_id);
    match alert.kind {
        Kind::Silence => format!("/tenants/{tenant}/event-types/{event_type}"),
        Kind::Rejections => format!("/tenants/{tenant}/quarantine?type={event_type}"),
        Kind::FailureGroup => failures::href(tenant, FailureGroupId(alert.subject)),
        Kind::Source => format!("/tenants/{tenant}/sources/{}", alert.subject),
    }
}

/// What a web channel is sent when an alert is raised or over.
pub fn body(alert: &Alert, names: Names, base: &str, now: DateTime<Utc>) -> Value {
    let event = if alert.resolved_at.is_some() { RESOLVED } else { OPENED };
    json!({
        "type": event,
        "timestamp": machine(now),
        "data": {
            "id": alert.id,
            "kind": alert.kind,
            "tenant": { "id": alert.tenant_id, "name": names.tenant },
            "eventType": { "id": alert.event_type_id, "name": names.event_type },
            "title": title(alert, names.event_type),
            "text": text(alert),
            "url": format!("{base}{}", path(alert)),
            "openedAt": machine(alert.opened_at),
            "resolvedAt": alert.resolved_at.map(machine),
            "resolution": alert.resolution,
            "details": alert.details,
        },
    })
}

/// What a channel is sent when somebody tries it.
pub fn test(channel: &Channel, now: DateTime<Utc>) -> Value {
    json!({
        "type": TEST,
        "timestamp": machine(now),
        "data": {
            "channel": { "id": channel.id, "name": channel.name },
            "title": TEST_TITLE,
            "text": TEST_TEXT,
        },
    })
}

/// The line of a test.
pub const TEST_TITLE: &str = "A test: nothing is amiss";
const TEST_TEXT: &str = "Somebody tries whether alerts get through to here. They do.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{AlertId, EventTypeId, TenantId};
    use uuid::Uuid;

    #[test]
    fn an_alert_says_what_is_so_and_when_it_is_over() {
        let at: DateTime<Utc> = "2026-11-18T10:30:00Z".parse().unwrap();
        let alert = |kind, details, resolution: Option<Resolution>| Alert {
            tenant_id: TenantId(Uuid::from_u128(1)),
            id: AlertId(Uuid::from_u128(2)),
            kind,
            event_type_id: EventTypeId(Uuid::from_u128(3)),
            subject: Uuid::from_u128(4),
            details,
            opened_at: at,
            resolved_at: resolution.map(|_| at),
            resolution,
        };
        let silence = || Details::Silence { last_at: at, waited_minutes: 300 };
        let rate = || Details::Rejections { events: 1_000, quarantined: 124, percent: 10, hours: 1 };
        let failures = |came_back| Details::Failures {
            rule: "required".into(),
            path: "/Amount".into(),
            message: "is required but missing".into(),
            came_back,
        };
        let source = |ailment| Details::Source { name: "Shop".into(), ailment, reason: Some("it says 401.".into()) };
        for (kind, details, resolution, says) in [
            (Kind::Silence, silence(), None, "Order is silent"),
            (Kind::Silence, silence(), Some(Resolution::Mended), "Order sends again"),
            (Kind::Silence, silence(), Some(Resolution::Unwatched), "Order: silence is no longer watched"),
            (Kind::Rejections, rate(), None, "Order: 12 % of its events are rejected"),
            (Kind::Rejections, rate(), Some(Resolution::Mended), "Order: rejections are well below 10 % again"),
            (Kind::FailureGroup, failures(false), None, "Order: a new failure: /Amount is required but missing"),
            (Kind::Source, source(Ailment::Late), None, "The source Shop is late"),
            (Kind::Source, source(Ailment::Refused), None, "The source Shop is paused: its token is refused"),
            (Kind::Source, source(Ailment::Stopped), Some(Resolution::Mended), "The source Shop runs again"),
            (Kind::Source, source(Ailment::Late), Some(Resolution::Unwatched), "The source Shop is not asked any more"),
            (Kind::FailureGroup, failures(true), None, "Order: it came back: /Amount is required but missing"),
        ] {
            let alert = alert(kind, details, resolution);
            assert_eq!(title(&alert, "Order"), says);
            let body = body(&alert, Names { tenant: "Acme", event_type: "Order" }, "https://hub", at);
            assert_eq!(body["data"]["title"], says);
            assert_eq!(body["type"], if resolution.is_some() { RESOLVED } else { OPENED });
            assert!(body["data"]["url"].as_str().unwrap().starts_with("https://hub/tenants/"));
            assert!(!text(&alert).is_empty());
        }
    }
}
