//! The form as it is shown: what is asked, in the order in which one knows it.
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use chrono_tz::Tz;
use leptos::prelude::*;

use super::{
    Desk, Subject, outcome,
    values::{self, FORMATS, OF_RECORD, OF_WINDOW, TimeFields, cell, rows_of},
};
use crate::{
    form::Typed,
    polling::{
        Window,
        definition::{Bound, Definition, End, TimeFormat},
        fetch,
        pages::{crumbs, words},
    },
    ui::{
        self, Alert, Button, Card, Cell, CellRows, Checkbox, Choice, CodeBlock, Desk as Table, Field, FieldErrors,
        FieldGrid, Form as PageForm, FormActions, Frame, Hidden, LinkButton, Now, PageHeader, Prose, RadioGroup,
        Seldom, Select, TextArea, Tone, Variant, Variants,
    },
};

/// Zones that are offered while one types; any other may be typed as well.
const ZONES: [&str; 14] = [
    "UTC",
    "Europe/Amsterdam",
    "Europe/Berlin",
    "Europe/London",
    "Europe/Lisbon",
    "Europe/Paris",
    "Europe/Warsaw",
    "Europe/Athens",
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Australia/Sydney",
];

fn zones() -> Vec<String> {
    ZONES.map(str::to_owned).into()
}

/// The whole page.
pub(super) fn page(frame: &Frame, desk: &Desk) -> String {
    let (title, lead, verb, action, back) = match &desk.subject {
        Subject::New { tenant, .. } => (
            "New source".to_owned(),
            "An external system that Tributary asks on an interval. Its records become events, and a ledger proves that none was missed.",
            "Create source",
            format!("/tenants/{tenant}/sources/new"),
            format!("/tenants/{tenant}/sources"),
        ),
        Subject::Edit(source) => (
            format!("Edit {}", source.name),
            "Its ledger goes on where it is. What is under way is begun again by what you save.",
            "Save",
            format!("{}/edit", words::address(source)),
            words::address(source),
        ),
    };
    let (typed, errors) = (&desk.typed, &desk.errors);
    let fill = matches!(desk.outcome, Some(outcome::Outcome::Probed(_))).then(|| {
        view! { <Button name="act" value="fill" to=action.clone()>"Fill in what was found"</Button> }
    });
    let import = matches!(desk.subject, Subject::New { .. }).then(|| {
        let href = action.replace("/new", "/import");
        view! { <LinkButton href=href tone=Tone::Quiet>"From a file…"</LinkButton> }
    });
    let carried = (!desk.carried.is_empty())
        .then(|| view! { <Hidden name="carried_token" value=desk.carried.clone()/> }.into_any());
    let form = view! {
        <PageForm action=action.clone() errors=errors wide=true>
            {carried}
            {what(desk)}
            {request(desk)}
            {window(frame.now, typed, errors)}
            {schedule(typed, errors)}
            {answer(typed, errors)}
            {records(frame.now, typed, errors)}
            {mapping(typed, errors)}
            {limits(typed, errors)}
            {attempt(desk, &action)}
            <FormActions>
                <Button tone=Tone::Primary name="act" value="save">{verb}</Button>
                {fill}
                <LinkButton href=back tone=Tone::Quiet>"Cancel"</LinkButton>
            </FormActions>
        </PageForm>
    };
    let aside = view! { {preview(frame.moment(), typed)} {explained()} };
    let source = match &desk.subject {
        Subject::Edit(source) => Some(&**source),
        Subject::New { .. } => None,
    };
    let body = view! {
        <PageHeader title=title.clone() lead=lead>{import}</PageHeader>
        {desk.note.map(|note| view! { <Alert state=ui::State::Ok title=note announce=true/> })}
        <Table main=form.into_any() aside=aside.into_any()/>
    };
    ui::page(frame, &title, crumbs(frame, source), body.into_any())
}

fn what(desk: &Desk) -> AnyView {
    let (typed, errors) = (&desk.typed, &desk.errors);
    let of_new = match &desk.subject {
        Subject::New { types, .. } => {
            let mut choices = vec![Choice::new("", "Choose…")];
            choices.extend(types.iter().map(|(id, name)| Choice::new(id.to_string(), name.clone())));
            Some(view! {
                <Select
                    name="event_type"
                    label="Event type"
                    choices=choices
                    value=typed.text("event_type")
                    hint="What its records become, and by which contract they are judged."
                    errors=errors
                />
                <Field
                    name="start"
                    label=format!("Begin with ({})", desk.zone.name())
                    kind="datetime-local"
                    value=typed.text("start")
                    optional=true
                    hint="Where its ledger begins. Left empty: one interval ago. Earlier records can be filled in later."
                    errors=errors
                />
            })
        }
        Subject::Edit(_) => None,
    };
    view! {
        <Card title="What it is">
            <Field
                name="name"
                label="Name"
                value=typed.text("name")
                autocomplete="off"
                focus=typed.text("name").is_empty()
                hint="As your colleagues call it: Shop orders, Ticketing visits."
                errors=errors
            />
            {of_new}
        </Card>
    }
    .into_any()
}

fn request(desk: &Desk) -> AnyView {
    let known = match &desk.subject {
        Subject::Edit(source) => source.has_secret,
        Subject::New { .. } => false,
    };
    let (optional, hint) = match (desk.carried.is_empty(), known) {
        (false, _) => (true, "It is kept, sealed, until you save. Type another one to replace it."),
        (true, true) => (
            true,
            "There is one, and it is never shown. Type another one to replace it; the old one goes on being tried for a day.",
        ),
        (true, false) => (false, "Sealed as it is stored, and never shown again."),
    };
    address(&desk.typed, &desk.errors, optional, hint)
}

/// Where a system is, and how it knows us. `optional` and `hint` are about the token.
pub(super) fn address(typed: &Typed, errors: &FieldErrors, optional: bool, hint: &'static str) -> AnyView {
    let choices = vec![
        Choice::new("bearer", "Authorization: Bearer …"),
        Choice::new("basic", "Authorization: Basic …, with a user"),
        Choice::new("header", "In a header of its own"),
        Choice::new("query", "In a parameter of the address"),
        Choice::new("none", "It asks for no token"),
    ];
    let more = ["headers", "parameters"];
    let open = more.iter().any(|name| !typed.text(name).is_empty() || errors.get(name).is_some());
    view! {
        <Card title="Where it is" lead="Each request is a GET. Addresses inside this network are refused unless the server allows the host.">
            <Field
                name="url"
                label="Address"
                kind="url"
                value=typed.text("url")
                mono=true
                autocomplete="off"
                hint="Such as https://shop.example.com/api/orders. Parameters for the time come below."
                errors=errors
            />
            <Variants>
                <Select name="authentication" label="How it knows us" choices=choices value=typed.text("authentication") errors=errors/>
                <Variant of="header">
                    <FieldGrid>
                        <Field name="auth_header" label="Header" value=typed.text("auth_header") mono=true autocomplete="off" hint="Such as X-API-Key." errors=errors/>
                        <Field name="auth_prefix" label="Before the token" value=typed.text("auth_prefix") mono=true autocomplete="off" optional=true hint="Such as Token, with the space after it." errors=errors/>
                    </FieldGrid>
                </Variant>
                <Variant of="query">
                    <Field name="auth_parameter" label="Parameter" value=typed.text("auth_parameter") mono=true autocomplete="off" hint="Such as api_key." errors=errors/>
                </Variant>
                <Variant of="basic">
                    <Field name="auth_user" label="User" value=typed.text("auth_user") mono=true autocomplete="off" errors=errors/>
                </Variant>
                <Variant of="bearer header query basic">
                    <Field name="token" label="Token" kind="password" autocomplete="off" optional=optional hint=hint errors=errors/>
                </Variant>
            </Variants>
            <Seldom summary="Further headers and parameters" open=open>
                <TextArea name="headers" label="Headers" value=typed.text("headers") rows=3 mono=true optional=true hint="One a line: X-Shop: north" errors=errors/>
                <TextArea name="parameters" label="Parameters" value=typed.text("parameters") rows=3 mono=true optional=true hint="One a line: status=paid" errors=errors/>
            </Seldom>
        </Card>
    }
    .into_any()
}

/// An hour that examples are about.
fn example(now: DateTime<Utc>) -> Window {
    let until = now.duration_trunc(TimeDelta::hours(1)).unwrap_or(now);
    Window::new(until - TimeDelta::hours(1), until)
}

/// How moments are written, with the example of this hour.
fn time_fields(now: DateTime<Utc>, typed: &Typed, errors: &FieldErrors, names: TimeFields, label: &str) -> AnyView {
    let moment = example(now).from;
    let second = TimeDelta::seconds(1);
    let shown = |format: &TimeFormat| format.render(moment, End::From, Bound::Inclusive, second);
    let berlin = Some(Tz::Europe__Berlin);
    let iso = FORMATS.map(|(value, title, style)| {
        let zone = if value == "z" { None } else { berlin };
        Choice::new(value, format!("{title}: {}", shown(&TimeFormat::Iso8601 { style, zone })))
    });
    let mut choices = Vec::from(iso);
    choices.push(Choice::new("epochSeconds", format!("Seconds since 1970: {}", shown(&TimeFormat::EpochSeconds))));
    choices.push(Choice::new(
        "epochMilliseconds",
        format!("Milliseconds since 1970: {}", shown(&TimeFormat::EpochMilliseconds)),
    ));
    let pattern = TimeFormat::Pattern { pattern: "%d.%m.%Y %H:%M".into(), zone: berlin };
    choices.push(Choice::new("pattern", format!("By a pattern, such as %d.%m.%Y %H:%M: {}", shown(&pattern))));
    view! {
        <Variants>
            <Select name=names.kind label=label choices=choices value=typed.text(names.kind) errors=errors/>
            <Variant of="pattern">
                <Field name=names.pattern label="Pattern" value=typed.text(names.pattern) mono=true autocomplete="off" hint="As strftime has it: %Y year, %m month, %d day, %H hour, %M minute, %S second." errors=errors/>
            </Variant>
            <Variant of="offset local pattern">
                <Field name=names.zone label="Time zone" value=typed.text(names.zone) autocomplete="off" optional=true suggestions=zones() hint="The zone that the other side means, such as Europe/Berlin. Days with 23 and 25 hours are seen to." errors=errors/>
            </Variant>
        </Variants>
    }
    .into_any()
}

fn window(now: DateTime<Utc>, typed: &Typed, errors: &FieldErrors) -> AnyView {
    let bounds = |words: [&str; 2]| vec![Choice::new("inclusive", words[0]), Choice::new("exclusive", words[1])];
    let precisions = vec![
        Choice::new("milliseconds", "milliseconds"),
        Choice::new("second", "seconds"),
        Choice::new("minute", "minutes"),
        Choice::new("hour", "hours"),
        Choice::new("day", "days"),
    ];
    view! {
        <Card title="How it is asked for a span of time" lead="Not sure about the bounds? Leave them, and let the probe below find out.">
            {span(now, typed, errors, false)}
            <FieldGrid>
                <Select name="from_bound" label="A record at the very first moment" choices=bounds(["is answered", "is not answered"]) value=typed.text("from_bound") errors=errors/>
                <Select name="until_bound" label="A record at the very last moment" choices=bounds(["is answered", "is not answered"]) value=typed.text("until_bound") errors=errors/>
                <Select name="precision" label="It tells moments apart by" choices=precisions value=typed.text("precision") errors=errors/>
            </FieldGrid>
            <Prose>
                <p>"Whatever is chosen, spans are written a little too wide rather than too narrow, and what comes twice is recognised."</p>
            </Prose>
        </Card>
    }
    .into_any()
}

/// How a span of time is asked for. `optional`: nobody may know yet.
pub(super) fn span(now: DateTime<Utc>, typed: &Typed, errors: &FieldErrors, optional: bool) -> AnyView {
    let kinds = vec![
        Choice::new("range", "From a moment to another")
            .hint("It takes two bounds: windows can be split and filled in."),
        Choice::new("sinceOnly", "Since a moment")
            .hint("It has no upper bound. It is paged through by the records' own time."),
    ];
    view! {
        <Variants>
            <RadioGroup name="window_kind" label="What it can be asked" choices=kinds value=typed.text("window_kind") errors=errors/>
            <Variant of="sinceOnly">
                <Checkbox name="conditional" label="Ask it to answer only when something has changed" checked=typed.ticked("conditional") hint="By If-Modified-Since and ETag, where it knows them." errors=errors/>
            </Variant>
        </Variants>
        <TextArea
            name="window_parameters"
            label="Parameters for the span"
            value=typed.text("window_parameters")
            rows=3
            mono=true
            optional=optional
            hint="One a line, with {from} and {until} where the moments go: modified_from={from}. Both may stand in one: created_on=><{from}|{until}"
            errors=errors
        />
        {time_fields(now, typed, errors, OF_WINDOW, "How it writes moments")}
    }
    .into_any()
}

fn schedule(typed: &Typed, errors: &FieldErrors) -> AnyView {
    let kinds = vec![
        Choice::new("every", "Every so many minutes"),
        Choice::new("cron", "At certain times").hint("By a cron pattern in a time zone."),
    ];
    view! {
        <Card title="When it is asked" lead="The schedule says when. What for, the ledger says: whatever was missed meanwhile is asked for too.">
            <Variants>
                <RadioGroup name="schedule" label="Schedule" choices=kinds value=typed.text("schedule") errors=errors/>
                <Variant of="every">
                    <Field name="every_minutes" label="Minutes between two runs" kind="number" value=typed.text("every_minutes") hint="1 to 1440. 60: each hour, all new data of the past hour." errors=errors/>
                </Variant>
                <Variant of="cron">
                    <FieldGrid>
                        <Field name="cron" label="Cron pattern" value=typed.text("cron") mono=true autocomplete="off" hint="Minute, hour, day, month, weekday: 0 6 * * 1-5 is six in the morning from Monday to Friday." errors=errors/>
                        <Field name="cron_zone" label="Zone of the pattern" value=typed.text("cron_zone") autocomplete="off" suggestions=zones() errors=errors/>
                    </FieldGrid>
                </Variant>
            </Variants>
            <FieldGrid>
                <Field name="settle_seconds" label="Seconds to settle" kind="number" value=typed.text("settle_seconds") hint="A span is asked for this long after its end, by the other side's clock: until then, records may still appear in it." errors=errors/>
                <Field name="lookback_minutes" label="Minutes to look back" kind="number" value=typed.text("lookback_minutes") hint="Each time, so much before the span is read again, for records that appear late. The page of the source proposes a value once it knows." errors=errors/>
            </FieldGrid>
        </Card>
    }
    .into_any()
}

fn answer(typed: &Typed, errors: &FieldErrors) -> AnyView {
    let kinds = vec![
        Choice::new("none", "It answers everything at once"),
        Choice::new("number", "Pages have numbers"),
        Choice::new("offset", "A page begins after so many records"),
        Choice::new("nextInBody", "The answer holds the address of the next page"),
        Choice::new("link", "The header Link holds it (RFC 8288)"),
        Choice::new("cursorInBody", "The answer holds a token for the next page"),
        Choice::new("cursorInHeader", "A header holds a token for the next page"),
    ];
    view! {
        <Card title="What it answers" lead="JSON. Large answers are read as they come, never held in memory.">
            <Field name="records" label="Where the records are" value=typed.text("records") mono=true autocomplete="off" hint="$ when the answer is the list itself, $.data.items for a list within it. Any other JSONPath works too, for answers of up to 16 MB." errors=errors/>
            <Variants>
                <Select name="pages" label="How an answer goes on" choices=kinds value=typed.text("pages") errors=errors/>
                <Variant of="cursorInBody nextInBody">
                    <Field name="pages_path" label="Where it stands in the answer" value=typed.text("pages_path") mono=true autocomplete="off" hint="Such as $.meta.next." errors=errors/>
                </Variant>
                <Variant of="cursorInHeader">
                    <Field name="pages_header" label="Which header" value=typed.text("pages_header") mono=true autocomplete="off" errors=errors/>
                </Variant>
                <Variant of="number offset cursorInBody cursorInHeader">
                    <Field name="pages_parameter" label="Parameter it is asked by" value=typed.text("pages_parameter") mono=true autocomplete="off" hint="Such as page, offset or cursor." errors=errors/>
                </Variant>
                <Variant of="number">
                    <Field name="pages_start" label="Number of the first page" kind="number" value=typed.text("pages_start") errors=errors/>
                </Variant>
                <Variant of="number offset">
                    <FieldGrid>
                        <Field name="size_parameter" label="Parameter for the size of a page" value=typed.text("size_parameter") mono=true autocomplete="off" optional=true errors=errors/>
                        <Field name="size_value" label="Records a page" kind="number" value=typed.text("size_value") optional=true errors=errors/>
                    </FieldGrid>
                </Variant>
                <Variant of="number offset cursorInBody cursorInHeader nextInBody link">
                    <Field name="cap" label="Most pages of a span" kind="number" value=typed.text("cap") hint="A span that has more is split in two and tried again." errors=errors/>
                </Variant>
            </Variants>
        </Card>
    }
    .into_any()
}

fn records(now: DateTime<Utc>, typed: &Typed, errors: &FieldErrors) -> AnyView {
    view! {
        <Card title="What a record is known by" lead="So that one that is read twice is stored once, and one that has changed is a new event.">
            <TextArea name="record_id" label="Its id" value=typed.text("record_id") rows=2 mono=true optional=true hint="Where it stands in the record: /id. Several fields, one a line, make one id. Without any, its content identifies it." errors=errors/>
            <FieldGrid>
                <Field name="version" label="Its version" value=typed.text("version") mono=true autocomplete="off" optional=true hint="What changes with every change of it, such as /updated_at. Without it, its content tells." errors=errors/>
                <Field name="record_time" label="Its own time" value=typed.text("record_time") mono=true autocomplete="off" optional=true hint="Such as /updated_at. By it, lateness is measured and the probe works." errors=errors/>
            </FieldGrid>
            {time_fields(now, typed, errors, OF_RECORD, "How its time is written")}
        </Card>
    }
    .into_any()
}

fn mapping(typed: &Typed, errors: &FieldErrors) -> AnyView {
    let kinds = vec![
        Choice::new("asIs", "The record as it is"),
        Choice::new("rows", "Field by field").hint("For each field of the event, where it comes from."),
        Choice::new("template", "By a template").hint("In MiniJinja, which writes the event as JSON."),
    ];
    let converters = [
        ("", "as it is"),
        ("string", "to text"),
        ("number", "to a number"),
        ("integer", "to a whole number"),
        ("boolean", "to true or false"),
        ("trim", "without space around"),
        ("lower", "to small letters"),
        ("upper", "to capitals"),
        ("json", "read as JSON"),
        ("dateTime", "to a moment"),
        ("join", "joined to text"),
    ];
    let converters: Vec<_> = converters.map(|(value, label)| Choice::new(value, label)).into();
    let rows = (0..rows_of(typed)).map(|n| {
        let one = |part: &str, example: &'static str, choices| {
            let name = cell(n, part);
            let error = errors.get(&name).map(str::to_owned);
            Cell { value: typed.text(&name), error, example: if n == 0 { example } else { "" }, choices, name }
        };
        vec![
            one("to", "email", None),
            one("from", "/customer/mail", None),
            one("converter", "", Some(converters.clone())),
            one("with", "", None),
        ]
    });
    let rows: Vec<_> = rows.collect();
    view! {
        <Card title="What becomes of a record" lead="The event is then judged by the contract of its type, like any other: what breaks it goes to quarantine, and nothing is lost.">
            <Variants>
                <RadioGroup name="mapping" label="The event is" choices=kinds value=typed.text("mapping") errors=errors/>
                <Variant of="rows">
                    <CellRows row="Field of the event" heads=vec!["Field", "From", "Becomes", "With"] rows=rows/>
                    {ui::hint("From is a place in the record (/customer/mail or a JSONPath), or = and a value: =shop. With is what stands between the parts of a list, or how a moment is written: %d.%m.%Y in Europe/Berlin. Try it makes room for more rows.")}
                </Variant>
                <Variant of="template">
                    <TextArea name="template" label="Template" value=typed.text("template") rows=10 mono=true hint="The record is record, and values are written as JSON: {\"email\": {{ record.mail }}}" errors=errors/>
                </Variant>
            </Variants>
        </Card>
    }
    .into_any()
}

fn limits(typed: &Typed, errors: &FieldErrors) -> AnyView {
    let usual = values::blank();
    let names = ["limit_seconds", "limit_megabytes", "limit_records", "ca"];
    let open = names.iter().any(|name| typed.text(name) != usual.text(name) || errors.get(name).is_some());
    view! {
        <Card>
            <Seldom summary="Limits, and a certificate authority of its own" open=open>
                <FieldGrid>
                    <Field name="limit_seconds" label="Seconds for an answer" kind="number" value=typed.text("limit_seconds") hint="1 to 900." errors=errors/>
                    <Field name="limit_megabytes" label="MB of an answer" kind="number" value=typed.text("limit_megabytes") hint="Up to 1024; 16 where the records are found by more than plain steps." errors=errors/>
                    <Field name="limit_records" label="Records of a span" kind="number" value=typed.text("limit_records") hint="A span that has more is split in two." errors=errors/>
                </FieldGrid>
                <TextArea name="ca" label="Certificate authority" value=typed.text("ca") rows=4 mono=true optional=true hint="In PEM, when the other side's certificate is by one that nobody else knows." errors=errors/>
            </Seldom>
        </Card>
    }
    .into_any()
}

fn attempt(desk: &Desk, action: &str) -> AnyView {
    let (typed, errors) = (&desk.typed, &desk.errors);
    let to = format!("{action}#result");
    view! {
        <Card title="Try it" lead="A real GET with what is typed above. Nothing is stored.">
            <FieldGrid>
                <Field name="try_from" label=format!("Asked from ({})", desk.zone.name()) kind="datetime-local" value=typed.text("try_from") optional=true hint="Left empty: one interval before." errors=errors/>
                <Field name="try_until" label=format!("Asked until ({})", desk.zone.name()) kind="datetime-local" value=typed.text("try_until") optional=true hint="Left empty: as the schedule would." errors=errors/>
            </FieldGrid>
            <FormActions>
                <Button name="act" value="try" icon=ui::Icon::Play to=to.clone()>"Try it"</Button>
                <Button name="act" value="probe" icon=ui::Icon::Search to=to>"Probe the boundary"</Button>
            </FormActions>
            {ui::hint("The probe asks up to some dozen times around one record, and finds out whether bounds are inclusive, how finely it tells moments apart, which zone it means and how it sorts.")}
            {desk.outcome.as_ref().map(|outcome| outcome::view(outcome, desk.zone))}
        </Card>
    }
    .into_any()
}

/// The request that it would make for the last hour, as far as what is typed can be read.
fn preview(now: Now, typed: &Typed) -> AnyView {
    let mut filled = Vec::new();
    if typed.text("url").trim().is_empty() {
        filled.push(("url", "https://shop.example.com/api/orders".to_owned()));
    }
    if typed.text("name").trim().is_empty() {
        filled.push(("name", "Example".to_owned()));
    }
    let invented = !filled.is_empty();
    let definition = values::read(&values::with(typed, &filled), &mut FieldErrors::new());
    let window = example(now.at);
    let hour = window.told(now.zone);
    let asked = |definition: &Definition| {
        let shown = fetch::preview(definition, window).ok()?;
        let mut lines = vec![format!("{} {}", shown.method, shown.url)];
        lines.extend(shown.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        Some(lines.join("\n"))
    };
    let (lead, body) = match definition.as_ref().and_then(asked) {
        Some(text) => {
            let when = definition.as_ref().map(|definition| words::schedule(&definition.schedule)).unwrap_or_default();
            let lead = if invented {
                format!("For an invented address, and for {hour}.")
            } else {
                format!("As it was last read from the form, for {hour}. {when}.")
            };
            (lead, view! { <CodeBlock id="preview" label="Request" code=text/> }.into_any())
        }
        None => {
            ("It stands here once nothing is amiss with what is typed.".to_owned(), ui::muted("Try it tells what is."))
        }
    };
    view! { <Card title="What it asks" lead=lead>{body}</Card> }.into_any()
}

fn explained() -> AnyView {
    view! {
        <Card title="How polling works">
            <Prose>
                <p>"Time is cut into windows, each beginning where the one before it ends. Each is asked for until all of it is stored."</p>
                <p>"After a failure or a night without network, what was missed is asked for first. So the page of the source can say: complete from here to there, no gap, no double."</p>
            </Prose>
        </Card>
    }
    .into_any()
}
