//! What a token is good for, as a form asks for it: a new one's, and one that is there.
use chrono::{DateTime, SecondsFormat, Utc};
use leptos::prelude::*;

use crate::{
    event_types::EventType,
    form::Typed,
    ids::EventTypeId,
    tokens::{Details, parse_expiry, parse_networks},
    ui::{Checkbox, Checkboxes, Field, FieldErrors, TextArea},
};

/// What was typed. An expiry that stands as it was need not lie in the future.
pub(super) fn read(
    typed: &Typed,
    now: DateTime<Utc>,
    before: Option<&Details>,
    errors: &mut FieldErrors,
) -> Option<Details> {
    let name = errors.keep("name", typed.text("name").parse());
    let chosen: Result<Vec<EventTypeId>, _> = typed.all("event_types").map(str::parse).collect();
    let event_types = errors.keep("event_types", chosen.map_err(|_| "choose event types of this tenant"));
    let expires_at = expiry(typed, now, before.and_then(|before| before.expires_at), errors);
    let addresses = errors.keep("addresses", parse_networks(typed.text("addresses").lines()));
    Some(Details {
        name: name?,
        event_types: Some(event_types?).filter(|types| !types.is_empty()),
        addresses: addresses?,
        can_configure: typed.ticked("can_configure"),
        expires_at: expires_at?,
    })
}

/// When it ends, as it was typed.
#[expect(clippy::option_option, reason = "not understood, or understood as never")]
pub(super) fn expiry(
    typed: &Typed,
    now: DateTime<Utc>,
    before: Option<DateTime<Utc>>,
    errors: &mut FieldErrors,
) -> Option<Option<DateTime<Utc>>> {
    let text = typed.text("expires_at");
    match text.trim() {
        "" => Some(None),
        text if before.is_some_and(|before| moment(before) == text) => Some(before),
        text => errors.keep("expires_at", parse_expiry(text, now)).map(Some),
    }
}

/// A moment as the form writes it.
pub(super) fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// What a form would send that leaves all as it is.
pub(super) fn typed(details: &Details) -> Typed {
    let mut fields = vec![("name".to_owned(), details.name.to_string())];
    fields.extend(details.event_types.iter().flatten().map(|id| ("event_types".to_owned(), id.to_string())));
    fields.extend(details.expires_at.map(|at| ("expires_at".to_owned(), moment(at))));
    let networks: Vec<_> = details.addresses.iter().flatten().map(ToString::to_string).collect();
    fields.push(("addresses".to_owned(), networks.join("\n")));
    fields.extend(details.can_configure.then(|| ("can_configure".to_owned(), "on".to_owned())));
    fields.into_iter().collect()
}

/// The fields.
pub(super) fn fields(available: &[EventType], typed: &Typed, errors: &FieldErrors, focus: bool) -> AnyView {
    let chosen: Vec<_> = typed.all("event_types").collect();
    let boxes = available.iter().enumerate().map(|(n, event_type)| {
        let id = event_type.id.to_string();
        let ticked = chosen.contains(&id.as_str());
        // the first carries the name as its id, for the summary of errors
        let own = if n == 0 { "event_types".to_owned() } else { format!("event_types-{n}") };
        view! { <Checkbox name="event_types" id=own label=event_type.details.name.as_str() value=id checked=ticked/> }
    });
    let limits = (!available.is_empty()).then(|| {
        view! {
            <Checkboxes name="event_types" label="Good for" hint="Tick none for all event types, those to come included." errors=errors>
                {boxes.collect_view()}
            </Checkboxes>
        }
    });
    view! {
        <Field
            name="name"
            label="Name"
            value=typed.text("name")
            autocomplete="off"
            focus=focus
            hint="The system that sends with it: web shop, cash desks"
            errors=errors
        />
        {limits}
        {expires("Expires", typed, errors)}
        <TextArea
            name="addresses"
            label="Networks it may come from"
            value=typed.text("addresses")
            rows=3
            mono=true
            optional=true
            hint="One a line: 192.0.2.0/24, 2001:db8::/32, or a single address. Empty: any."
            errors=errors
        />
        <Checkbox
            name="can_configure"
            label="May allow anonymous events"
            checked=typed.ticked("can_configure")
            hint="Lets its holder switch anonymous use of event types on and off by the API. Few systems need it."
            errors=errors
        />
    }
    .into_any()
}

/// The field that asks when it ends.
pub(super) fn expires(label: &'static str, typed: &Typed, errors: &FieldErrors) -> AnyView {
    view! {
        <Field
            name="expires_at"
            label=label
            value=typed.text("expires_at")
            autocomplete="off"
            optional=true
            hint="A day such as 2027-01-31 (its end, in UTC), or a time from now such as 90d. Empty: never."
            errors=errors
        />
    }
    .into_any()
}
