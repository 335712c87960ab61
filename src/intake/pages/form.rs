//! What people decide about an integration, as a form asks for it; and small fields that several forms share.
use leptos::prelude::*;

use crate::{
    auth::store::Colleague,
    form::Typed,
    ids::{TenantId, UserId},
    intake::{Details, Next, Side, SystemKind, parse_line, parse_text},
    ui::{Choice, Field, FieldErrors, Select, TextArea},
};

/// The longest need and the longest list of people, in characters.
const LONGEST: usize = 4_000;

/// What was typed.
pub(super) fn read(typed: &Typed, staff: &[Colleague], tenant: TenantId, errors: &mut FieldErrors) -> Option<Details> {
    let name = errors.keep("name", typed.text("name").parse());
    let system_name = errors.keep("system", typed.text("system").parse());
    let system_kind = errors.keep("kind", typed.text("kind").parse().map_err(|_: String| "choose a kind of system"));
    let need = parse_text(&typed.text("need"), LONGEST).and_then(|need| {
        if need.is_empty() { Err("say in a sentence or two what the customer needs".into()) } else { Ok(need) }
    });
    let need = errors.keep("need", need);
    let owner_id = owner(typed, staff, tenant, "owner", errors);
    let customer_people = errors.keep("customer_people", parse_text(&typed.text("customer_people"), LONGEST));
    let vendor_people = errors.keep("vendor_people", parse_text(&typed.text("vendor_people"), LONGEST));
    Some(Details {
        name: name?,
        system_name: system_name?,
        system_kind: system_kind?,
        need: need?,
        owner_id: owner_id?,
        customer_people: customer_people?,
        vendor_people: vendor_people?,
    })
}

/// Who was chosen out of the staff.
#[expect(clippy::option_option, reason = "not understood, or understood as nobody")]
pub(super) fn owner(
    typed: &Typed,
    staff: &[Colleague],
    tenant: TenantId,
    field: &'static str,
    errors: &mut FieldErrors,
) -> Option<Option<UserId>> {
    let text = typed.text(field);
    if text.is_empty() {
        return Some(None);
    }
    let known = text.parse::<UserId>().ok().filter(|id| staff.iter().any(|one| one.id == *id && may_own(one, tenant)));
    errors.keep(field, known.ok_or("choose somebody from the list")).map(Some)
}

fn may_own(one: &Colleague, tenant: TenantId) -> bool {
    one.active && one.tenant_id.is_none_or(|own| own == tenant)
}

/// What can be chosen as an owner. Who is it already stays in the list, account or not.
pub(super) fn owners(staff: &[Colleague], tenant: TenantId) -> Vec<Choice> {
    let nobody = Choice::new("", "Nobody yet");
    let staff = staff.iter().filter(|one| may_own(one, tenant));
    std::iter::once(nobody).chain(staff.map(|one| Choice::new(one.id.to_string(), one.name.as_str()))).collect()
}

/// What a form would send that leaves all as it is.
pub(super) fn typed(details: &Details) -> Typed {
    let owner = details.owner_id.map(|id| id.to_string()).unwrap_or_default();
    [
        ("name", details.name.to_string()),
        ("system", details.system_name.to_string()),
        ("kind", details.system_kind.word().to_owned()),
        ("need", details.need.clone()),
        ("owner", owner),
        ("customer_people", details.customer_people.clone()),
        ("vendor_people", details.vendor_people.clone()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
    .collect()
}

/// The kinds of systems.
pub(super) fn kinds() -> Vec<Choice> {
    SystemKind::ALL.iter().map(|kind| Choice::new(kind.word(), kind.title())).collect()
}

/// The fields.
pub(super) fn fields(typed: &Typed, staff: &[Colleague], tenant: TenantId, errors: &FieldErrors) -> AnyView {
    view! {
        <Field name="system" label="External system" value=typed.text("system") autocomplete="off" errors=errors/>
        <Select
            name="kind"
            label="Kind of system"
            choices=kinds()
            value=typed.text("kind")
            hint="The intake begins with what is usual for it."
            errors=errors
        />
        <Field
            name="name"
            label="Name of the integration"
            value=typed.text("name")
            autocomplete="off"
            hint="What it brings: Ticket sales, Newsletter clicks"
            errors=errors
        />
        <TextArea
            name="need"
            label="What the customer needs"
            value=typed.text("need")
            rows=3
            hint="In their words, in a sentence or two. The intake asks for the rest."
            errors=errors
        />
        <Select name="owner" label="Owner" choices=owners(staff, tenant) value=typed.text("owner") hint="Who keeps it moving." errors=errors/>
        <TextArea
            name="customer_people"
            label="People of the customer"
            value=typed.text("customer_people")
            rows=2
            optional=true
            hint="One a line: name, what they do, how to reach them"
            errors=errors
        />
        <TextArea
            name="vendor_people"
            label="People of the vendor"
            value=typed.text("vendor_people")
            rows=2
            optional=true
            hint="Whoever makes or runs the external system"
            errors=errors
        />
    }
    .into_any()
}

/// What is to be done next, as it was typed.
pub(super) fn read_next(typed: &Typed, errors: &mut FieldErrors) -> Option<Next> {
    let step = parse_line(&typed.text("next_step"), 300)
        .and_then(|step| if step.is_empty() { Err("say what is to be done next".into()) } else { Ok(step) });
    let next_step = errors.keep("next_step", step);
    let turn = errors.keep("turn", typed.text("turn").parse().map_err(|_: String| "choose whose turn it is"));
    Some(Next { next_step: next_step?, turn: turn? })
}

/// The fields that ask for it.
pub(super) fn next_fields(next_step: String, turn: String, errors: &FieldErrors) -> AnyView {
    let sides = Side::ALL.iter().map(|side| Choice::new(side.word(), side.title())).collect();
    view! {
        <Field name="next_step" label="Next step" value=next_step autocomplete="off" errors=errors/>
        <crate::ui::RadioRow name="turn" label="Whose turn" choices=sides value=turn errors=errors/>
    }
    .into_any()
}
