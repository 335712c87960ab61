//! Every component on a few pages: a test that all of them render, that text stays text, and that no style
//! attribute (which the content security policy would block) slips in. The pages are left in
//! `target/gallery/` to be looked at.
use super::*;
use crate::islands::{FirstEvent, LiveTail, NewEvents};
use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use leptos::prelude::*;
use std::{fs, path::Path};

const EVIL: &str = "</textarea></title><script>alert(1)</script>\"'&";

fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 18, 13, 5, 9).single().expect("a time")
}

fn tenant(id: &str, name: &str) -> TenantRef {
    TenantRef { id: id.into(), name: name.into(), disabled: id == "3", demo: id == "2" }
}

fn frame(theme: Theme) -> Frame {
    Frame {
        viewer: Some(Viewer {
            name: "Noor de Vries".into(),
            email: "noor@example.com".into(),
            role: "administrator",
            theme,
            zone: crate::ui::Zone::parse("Europe/Berlin"),
            shortcuts: true,
        }),
        tenant: Some(tenant("1", "Museum of Water")),
        tenants: vec![tenant("1", "Museum of Water"), tenant("2", "Harbour Theatre"), tenant("3", "North Sea Ferries")],
        active: Section::EventTypes,
        open: vec![
            Section::Home,
            Section::Tenants,
            Section::Overview,
            Section::EventTypes,
            Section::Events,
            Section::Live,
            Section::Quarantine,
            Section::Tokens,
            Section::Settings,
        ],
        path: "/tenants/1/event-types?after=9".into(),
        css: "style.css".into(),
        boot: "boot.js".into(),
        notice: None,
        now: now(),
    }
}

fn crumbs() -> Vec<Crumb> {
    vec![Crumb::new("Tenants", "/tenants"), Crumb::new("Museum of Water", "/tenants/1")]
}

fn ago_s(frame: &Frame, seconds: i64) -> AnyView {
    ago(frame.moment(), now() - TimeDelta::seconds(seconds))
}

fn list(frame: &Frame) -> AnyView {
    let columns = vec![
        Column::text("Name").sorted(Sort::Ascending, "?sort=-name"),
        Column::text("State"),
        Column::number("Today").sorted(Sort::None, "?sort=today"),
        Column::number("Rejected").wide_only(),
        Column::text("Last event"),
        Column::text("Id").wide_only(),
    ];
    let data = [
        ("CRM contact updated", State::Ok, "active", 18_204, 0, 12),
        ("Order placed", State::Warning, "silent", 2_311, 14, 9_400),
        ("Ticket scanned", State::Error, "failing", 120_948, 3_022, 3),
        ("Newsletter signed up", State::Neutral, "disabled", 0, 0, 40 * 86_400),
    ];
    let rows = data.iter().map(|(name, state, word, today, rejected, seconds)| {
        vec![
            link("/tenants/1/event-types/7", *name),
            view! { <Badge state=*state word=*word/> }.into_any(),
            number(*today),
            number(*rejected),
            ago_s(frame, *seconds),
            mono("019392d2-6f0a-7cc2"),
        ]
    });
    let rows = rows.collect();
    view! {
        <PageHeader title="Event types" lead="Each is the contract of one kind of event: its fields, and which of them names a person.">
            <LinkButton href="/import" icon=Icon::Download>"Import"</LinkButton>
            <LinkButton href="/new" tone=Tone::Primary icon=Icon::Plus>"New event type"</LinkButton>
        </PageHeader>
        <Stats>
            <Stat label="Events today" figure=format::count(141_463)>"12 % more than last Tuesday"</Stat>
            <Stat label="In quarantine" figure=format::count(3_036) href="/tenants/1/quarantine">"2 groups, 1 new"</Stat>
            <Stat label="Stored" figure=format::bytes(48_318_382_080)>"90 days kept"</Stat>
        </Stats>
        <Filters action="/tenants/1/event-types" clear="/tenants/1/event-types">
            <Field name="q" label="Name" kind="search" value="e" optional=true/>
            <Select name="state" label="State" value="active" choices=vec![Choice::new("", "Any"), Choice::new("active", "Active")]/>
            <Field name="from" label="From (UTC)" kind="datetime-local" optional=true/>
        </Filters>
        <NewEvents stream="/s".to_owned() newest="/tenants/1/events".to_owned()/>
        <DataTable caption="Event types" columns=columns rows=rows/>
        <Pager newer=Some("?before=1".to_owned()) older=Some("?after=4".to_owned()) summary="4 event types"/>
    }
    .into_any()
}

fn detail(frame: &Frame) -> AnyView {
    let payload = r#"{"Email Address":"jane@example","Amount":"12,50","Lines":[{"sku":"TKT-ADULT","n":2,"price":1e3},{"sku":null,"gift":true}],"ReceivedFrom":"https://shop.example.com/api/orders/88123?expand=lines"}"#;
    let marks = vec![
        Mark::new("/Email Address", "must be an e-mail address"),
        Mark::new("/Amount", "must be a number"),
        Mark::new("", "OrderId is required"),
    ];
    let curl = "curl -X POST http://127.0.0.1:3000/events/v1.0/tenants/0193-1/events/0193-7 \\\n  -H 'Authorization: Bearer trb_…' \\\n  -H 'Content-Type: application/json' \\\n  -d '{\"Email Address\":\"jane@example.com\"}'";
    let tabs = vec![
        Tab { label: "Overview".into(), href: "/a".into(), count: None },
        Tab { label: "Contract".into(), href: "/b".into(), count: None },
        Tab { label: "Quarantine".into(), href: "/c".into(), count: Some(3_022) },
        Tab::new("Settings", "/d"),
    ];
    let facts = vec![
        ("Verdict", view! { <Badge state=State::Warning word="quarantined"/> }.into_any()),
        ("Event", mono("019392d2-6f0a-7cc2-b1f4-0c5c2f3f1a90")),
        ("Received", at(frame.moment(), now() - TimeDelta::seconds(200))),
        ("Type", link("/x", "Order placed")),
        ("Token", text("Shop production")),
        ("Size", text(format::bytes(231))),
    ];
    let badge = view! { <Badge state=State::Warning word="quarantined"/> }.into_any();
    let aside = view! {
        <Card title="Receipt"><Facts items=facts/></Card>
        <Card title="Why it is here" lead="Three rules of version 4 were broken.">
            <Prose><p>"Mend the sender, or relax the fields; then replay this event or all 3,022 like it."</p></Prose>
            <Row><Button tone=Tone::Primary>"Replay this event"</Button><Button>"Replay all 3,022"</Button></Row>
        </Card>
    };
    let main = view! {
        <Json label="Payload" text=payload marks=marks/>
        <CodeBlock id="curl" label="curl" code=curl/>
        <CopyField id="endpoint" label="Endpoint" value="http://127.0.0.1:3000/events/v1.0/tenants/0193-1/events/0193-7" hint="Put the token in the Authorization header."/>
        <FirstEvent stream="/s".to_owned() explorer="/e".to_owned()/>
        <LiveTail stream="/s".to_owned() explorer="/e".to_owned() clock="CET".to_owned() ahead=60/>
    };
    view! {
        <PageHeader title="Order placed" badge=badge>
            <PostButton action="/x" tone=Tone::Quiet fields=vec![("id", "7".to_owned())]>"Disable"</PostButton>
            <LinkButton href="/x" tone=Tone::Danger icon=Icon::Trash>"Delete"</LinkButton>
        </PageHeader>
        <Tabs label="Event type" tabs=tabs current="/c"/>
        <Columns main=main.into_any() aside=aside.into_any()/>
    }
    .into_any()
}

fn form(errors: &FieldErrors) -> AnyView {
    view! {
        <PageHeader title="New token" lead="A secret with which a system sends events. It is shown once."/>
        <Alert state=State::Neutral title="Tokens are stored as a digest"><p>"Nobody can read one again, so keep it where the sender keeps its secrets."</p></Alert>
        <Alert state=State::Warning title="Two tokens were never used"><p><a href="/t">"Look at them"</a></p></Alert>
        <Form action="/tenants/1/tokens/new" errors=errors>
            <Field name="name" label="Name" value="CRM production" hint="So that you know it again in a year." errors=errors/>
            <Field name="expires" label="Expires (UTC)" kind="datetime-local" optional=true errors=errors/>
            <Field name="email" label="E-mail" kind="email" value="jane@" autocomplete="email" errors=errors/>
            <Select name="scope" label="Event types" choices=vec![Choice::new("all", "All of them"), Choice::new("7", "Order placed")] errors=errors/>
            <TextArea name="networks" label="Allowed networks" mono=true rows=4 optional=true value="10.0.0.0/8\n192.0.2.7" hint="One a line; empty allows all." errors=errors/>
            <RadioGroup name="policy" label="When an event breaks its contract" value="quarantine" errors=errors choices=vec![
                Choice::new("quarantine", "Quarantine it").hint("The sender gets 202, and you can mend and replay it."),
                Choice::new("refuse", "Refuse it").hint("The sender gets 422 with the reasons."),
            ]/>
            <Checkbox name="configure" label="May configure" hint="For the whitelisting call only." checked=true errors=errors/>
            <Hidden name="step" value="2"/>
            <FormActions><Button tone=Tone::Primary>"Create token"</Button><LinkButton href="/x" tone=Tone::Quiet>"Cancel"</LinkButton></FormActions>
        </Form>
    }
    .into_any()
}

fn onboarding() -> AnyView {
    view! {
        <PageHeader title="Museum of Water" lead="Three steps to the first event."/>
        <Card title="Begin here" action=view! { <LinkButton href="/x" tone=Tone::Quiet>"Dismiss"</LinkButton> }.into_any()>
            <Steps label="From here to the first event">
                <Step state=StepState::Done title="Create an event type"><p>"Order placed"</p></Step>
                <Step state=StepState::Current title="Create a token">
                    <p>"The sender shows it with every request."</p>
                    <Row><LinkButton href="/x" tone=Tone::Primary>"New token"</LinkButton></Row>
                </Step>
                <Step state=StepState::Ahead title="Send an event"/>
            </Steps>
        </Card>
        <Card title="Tokens" flush=true>
            <Empty icon=Icon::Token title="No tokens yet" why="A token lets one system send events of this tenant. Give each system its own, so that one can be revoked without the others.">
                <LinkButton href="/x" tone=Tone::Primary icon=Icon::Plus>"New token"</LinkButton>
            </Empty>
        </Card>
        <Group title="Recent" lead="What happened here."><p>{muted("nothing")}" "{strong("yet")}</p></Group>
    }
    .into_any()
}

fn confirm(errors: &FieldErrors) -> AnyView {
    let impact = vec![
        ("2 senders".to_owned(), "used it in the last hour and will get 401".to_owned()),
        ("141,463 events".to_owned(), "it has sent stay where they are".to_owned()),
    ];
    view! {
        <Confirm
            title="Revoke the token CRM production"
            consequence="It stops working everywhere within a second. It cannot be brought back; a new one can be made."
            impact=impact type_name="CRM production" verb="Revoke token" action="/revoke" cancel="/back" errors=errors
        />
    }
    .into_any()
}

fn login() -> AnyView {
    view! {
        <PageHeader title="Sign in"/>
        <Form action="/login">
            <Field name="email" label="E-mail" kind="email" autocomplete="username" focus=true/>
            <Field name="password" label="Password" kind="password" autocomplete="current-password"/>
            <FormActions><Button tone=Tone::Primary>"Sign in"</Button></FormActions>
        </Form>
    }
    .into_any()
}

fn errors() -> FieldErrors {
    let mut errors = FieldErrors::new();
    errors.push("name", "Another token is called CRM production: choose a different name");
    errors.push("networks", "Line 2 is not a network: write it like 192.0.2.0/24");
    errors.push("policy", "Choose what happens to such an event");
    errors
}

/// All pages, by name.
fn pages(theme: Theme) -> Vec<(&'static str, String)> {
    let shell = frame(theme);
    let noticed = Frame { notice: Some(Notice::ok("Event type Order placed was created.")), ..shell.clone() };
    let failed = errors();
    let mut typed = FieldErrors::new();
    typed.push("typed_name", "That is not its name: type CRM production");
    let out = Frame { viewer: None, tenant: None, tenants: Vec::new(), ..shell.clone() };
    vec![
        ("list", page(&noticed, "Event types", crumbs(), list(&shell))),
        ("detail", page(&shell, "Order placed", crumbs(), detail(&shell))),
        ("form", page(&shell, "New token", crumbs(), form(&failed))),
        ("onboarding", page(&shell, "Museum of Water", crumbs(), onboarding())),
        ("confirm", page(&shell, "Revoke", crumbs(), confirm(&typed))),
        ("login", plain_page(&out, "Sign in", login())),
        ("error", error_page(&shell, 404, "There is no such page", "Look for it in the navigation.", Some("019392d2"))),
        ("error-out", error_page(&out, 500, "Something broke", "Try again in a minute.", Some("019392d2"))),
    ]
}

#[test]
fn every_component_renders() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/gallery");
    fs::create_dir_all(&folder).expect("a folder");
    for (theme, suffix) in [(Theme::System, ""), (Theme::Light, "-light"), (Theme::Dark, "-dark")] {
        for (name, html) in pages(theme) {
            assert!(html.starts_with("<!DOCTYPE html><html lang=\"en\""), "{name}: {}", &html[..80]);
            assert!(!html.contains(" style="), "{name} has a style attribute");
            assert_eq!(html.matches("<h1").count(), 1, "{name} has one name");
            assert_eq!(
                html.contains("data-theme"),
                theme != Theme::System && !html.contains("class=\"plain\""),
                "{name}"
            );
            fs::write(folder.join(format!("{name}{suffix}.html")), html).expect("a page");
        }
    }
}

#[test]
fn text_stays_text() {
    let mut wrong = FieldErrors::new();
    for field in ["a", "b", "c", "d", "e", ""] {
        wrong.push(field, EVIL);
    }
    let wrong = &wrong;
    let hostile = Frame {
        viewer: Some(Viewer {
            name: EVIL.into(),
            email: EVIL.into(),
            role: "consultant",
            theme: Theme::Dark,
            zone: crate::ui::Zone::parse(EVIL),
            shortcuts: true,
        }),
        tenant: Some(tenant(EVIL, EVIL)),
        tenants: vec![tenant(EVIL, EVIL)],
        path: EVIL.into(),
        notice: Some(Notice { state: State::Error, text: EVIL.into() }),
        ..frame(Theme::Dark)
    };
    let choices = || vec![Choice::new(EVIL, EVIL).hint(EVIL)];
    let body = view! {
        <PageHeader title=EVIL lead=EVIL badge=view! { <Badge state=State::Ok word=EVIL/> }.into_any()>{EVIL}</PageHeader>
        <Alert state=State::Error title=EVIL>{EVIL}</Alert>
        <Tabs label=EVIL tabs=vec![Tab::new(EVIL, EVIL)] current=EVIL/>
        <Stats><Stat label=EVIL figure=EVIL href=EVIL>{EVIL}</Stat></Stats>
        <Card title=EVIL lead=EVIL><Facts items=vec![("x", text(EVIL)), ("y", mono(EVIL)), ("z", link(EVIL, EVIL))]/></Card>
        <Group title=EVIL lead=EVIL>{strong(EVIL)}{muted(EVIL)}</Group>
        <Empty icon=Icon::Events title=EVIL why=EVIL>{EVIL}</Empty>
        <CodeBlock id="code" label=EVIL code=EVIL/>
        <CopyField id="copy" label=EVIL value=EVIL hint=EVIL/>
        <Json label=EVIL text=format!("{{\"{EVIL}\":\"x</code>{EVIL}") marks=vec![Mark::new(EVIL, EVIL)]/>
        <DataTable caption=EVIL show_caption=true columns=vec![Column::text(EVIL).sorted(Sort::Descending, EVIL)] rows=vec![vec![text(EVIL)]]/>
        <Pager newer=Some(EVIL.to_owned()) older=None summary=EVIL/>
        <Filters action=EVIL clear=EVIL>{EVIL}</Filters>
        <Steps label=EVIL><Step state=StepState::Done title=EVIL>{EVIL}</Step></Steps>
        <Form action=EVIL errors=wrong>
            <Field name="a" label=EVIL value=EVIL hint=EVIL autocomplete=EVIL errors=wrong/>
            <TextArea name="b" label=EVIL value=EVIL hint=EVIL errors=wrong/>
            <Select name="c" label=EVIL value=EVIL hint=EVIL choices=choices() errors=wrong/>
            <Checkbox name="d" label=EVIL value=EVIL hint=EVIL errors=wrong/>
            <RadioGroup name="e" label=EVIL value=EVIL choices=choices() errors=wrong/>
            <Hidden name="f" value=EVIL/>
            <Button name=EVIL value=EVIL>{EVIL}</Button>
        </Form>
        <Needs needs=vec![Need { state: State::Error, title: EVIL.into(), place: EVIL.into(), more: Some(EVIL.into()), since: now(), fix: Some((EVIL.into(), EVIL.into())) }] now=hostile.moment()/>
        <PostButton action=EVIL fields=vec![("g", EVIL.to_owned())]>{EVIL}</PostButton>
        <LinkButton href=EVIL>{EVIL}</LinkButton>
        <Confirm title=EVIL consequence=EVIL impact=vec![(EVIL.to_owned(), EVIL.to_owned())] type_name=EVIL verb=EVIL action=EVIL cancel=EVIL/>
        <FirstEvent stream=EVIL.to_owned() explorer=EVIL.to_owned()/>
        <NewEvents stream=EVIL.to_owned() newest=EVIL.to_owned()/>
        <LiveTail stream=EVIL.to_owned() explorer=EVIL.to_owned() clock=EVIL.to_owned() ahead=0/>
    };
    let pages = [
        page(&hostile, EVIL, vec![Crumb::new(EVIL, EVIL)], body.into_any()),
        plain_page(&hostile, EVIL, text(EVIL)),
        error_page(&hostile, 403, EVIL, EVIL, Some(EVIL)),
    ];
    for html in pages {
        assert!(!html.contains("<script>"), "{}", &html[html.find("<script>").unwrap_or(0)..]);
        assert_eq!(html.matches("</textarea>").count(), html.matches("<textarea").count());
        assert_eq!(html.matches("</title>").count(), 1);
        assert!(!html.contains("\"'&\""), "an attribute ends early");
    }
}

#[test]
fn a_text_area_keeps_its_leading_newline() {
    let html = view! { <TextArea name="t" label="T" value="\nfirst"/> }.to_html();
    assert!(html.contains(">\n\nfirst</textarea>"), "{html}");
}
