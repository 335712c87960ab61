//! Implementations by the front door: an accepted quotation becomes tasks, drafts and evidence; drafts become the real
//! thing; nothing goes live unseen; who may waive; change orders, two at once, hostile text, and the command line.
use std::time::Duration;

use serde_json::{Value, json};
use tributary::{
    auth::{Actor, AnswerQuotations, Configure, Role, RunImplementations, SeeIntegrations},
    crypto::seal::Keyring,
    ids::{EventTypeId, IntegrationId},
    intake::{
        Stage, findings,
        implementation::{
            Kind, Rule, Whole,
            store::{self, Secrets},
        },
        quotation::{
            Acceptance, Content, Quotation, State,
            store::{self as quotations, Bell},
        },
        store as integrations,
    },
    polling::{self, terms::Prepared},
};

use crate::{
    quotations::{NO_LIMIT, line, sent, to_be_quoted},
    support::{
        Answer, TestApp,
        browser::{Browser, account, between},
        each, each_address,
        program::{Done, run, tributary},
    },
};

const SAMPLES: &str = r#"{"E-mail":"a@example.com","Name":"A <b>b</b>"} {"E-mail":"c@example.com","Name":"C"}"#;

async fn accept(app: &TestApp, of: &Quotation) {
    let customer = Actor { role: Role::Customer, tenant: Some(app.tenant), ..Actor::cli() };
    let permit = customer.permit::<AnswerQuotations>(app.tenant).unwrap();
    let by = Acceptance { name: "Jane".into(), role: "Head".into() };
    let digest = of.document_digest.clone().unwrap();
    quotations::accept(&app.db, &app.clock, &permit, &Bell::silent(), of.id, &digest, by).await.unwrap();
}

pub async fn whole(app: &TestApp, id: IntegrationId) -> Whole {
    store::load(&app.db, &Actor::cli().permit::<SeeIntegrations>(app.tenant).unwrap(), id).await.unwrap()
}

/// An integration that is being built: its quotation is accepted, and samples were looked at before.
pub async fn built(app: &TestApp) -> (IntegrationId, Whole) {
    let id = to_be_quoted(app).await;
    let (db, clock, permit) = (&app.db, &app.clock, Actor::cli().permit(app.tenant).unwrap());
    let found = findings::of_samples(SAMPLES, None).unwrap();
    integrations::attach(db, clock, &permit, id, found).await.unwrap();
    let draft = quotations::begin(db, clock, &permit, id).await.unwrap();
    let content = Content { lines: vec![line("Connect <i>it</i>", 8), line("Train", 4)], ..draft.content.clone() };
    let draft = quotations::save(db, clock, &permit, draft.id, draft.revision, content).await.unwrap();
    let sent = quotations::send(db, clock, &permit, NO_LIMIT, draft.id, draft.revision).await.unwrap();
    accept(app, &sent).await;
    (id, whole(app, id).await)
}

async fn staff(app: &TestApp, role: Role) -> Browser {
    let email = format!("{role}@example.com");
    account(app, &email, role, None).await;
    Browser::signed_in(app, &email).await
}

fn led(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").unwrap().split('?').next().unwrap().to_owned()
}

fn refused(answer: &Answer, words: &str) {
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert!(answer.text().contains(words), "no {words:?} in {}", answer.text());
}

fn draft(whole: &Whole, kind: Kind) -> String {
    whole.drafts.iter().find(|one| one.kind == kind).unwrap().id.to_string()
}

/// What live data says of all evidence, once figures have followed the events as far as `words`.
async fn seen(app: &TestApp, id: IntegrationId, words: &str) -> Vec<String> {
    let see = Actor::cli().permit::<SeeIntegrations>(app.tenant).unwrap();
    loop {
        let whole = whole(app, id).await;
        let outcomes = store::measure(&app.db, &app.clock, &see, &whole).await.unwrap();
        let told = whole.evidence.iter().map(|one| {
            let (_, outcome) = outcomes.iter().find(|(id, _)| *id == one.id).unwrap();
            format!("{}: {} {}", one.rule.told(), outcome.met, outcome.told)
        });
        let told: Vec<_> = told.collect();
        if told.iter().any(|one| one.contains(words)) {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Takes a waiver back: by who has the right, with a reason.
async fn take_back(mara: &mut Browser, ada: &mut Browser, train: &str) {
    assert!(mara.get(train).await.text().contains("Take back a waiver"));
    let back = |reason: &'static str| [("form", "take-back"), ("reason", reason)];
    assert_eq!(ada.post(train, &back("mine")).await.status, 403);
    refused(&mara.post(train, &back(" ")).await, "Write down why");
    led(&mara.post(train, &back("They want to <u>see</u> it")).await);
    refused(&mara.post(train, &back("again")).await, "That is not waived");
    let page = ada.get(train.split("/implementation").next().unwrap()).await.text();
    assert!(page.contains("no longer go live without evidence") && page.contains("&lt;u&gt;see&lt;/u&gt;"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_quotation_is_built_and_goes_live_by_what_is_seen() {
    each(|app| async move {
        let (id, planned) = built(&app).await;
        app.start().await;
        let one = format!("/tenants/{}/integrations/{id}", app.tenant);
        let here = format!("{one}/implementation");
        let mut ada = staff(&app, Role::Consultant).await;
        let page = ada.get(&here).await.text();
        assert!(page.contains("Connect &lt;i&gt;it&lt;/i&gt;") && !page.contains("<i>it"), "{page}");
        assert!(page.contains("Settle: Who keeps &lt;b&gt;it&lt;/b&gt;?"), "{page}");
        assert!(page.contains("E-mail filled in 95 % of events or more"), "{page}");
        assert!(page.contains("0 h spent of 12 h quoted"), "{page}");
        assert!(ada.get(&one).await.text().contains("Waits for the customer"));

        // what waits for something is not done before it
        let last = planned.tasks.last().unwrap();
        let task = last.id.to_string();
        refused(&ada.post(&here, &[("form", "done"), ("task", &task)]).await, "First comes");
        let first = planned.ready()[0].id.to_string();
        led(&ada.post(&here, &[("form", "done"), ("task", &first)]).await);
        assert!(ada.get(&one).await.text().contains("Waits for us"));

        // the draft is checked, and becomes the type; its token is for it, and comes after it
        let (of_type, of_token) = (draft(&planned, Kind::EventType), draft(&planned, Kind::Token));
        let (type_form, token_form) = (format!("{here}/drafts/{of_type}"), format!("{here}/drafts/{of_token}"));
        let token = [("form", "make"), ("name", "Salesforce"), ("event_type", of_type.as_str())];
        refused(&ada.post(&token_form, &token).await, "First make the event type");
        let bad = [("form", "make"), ("name", "Members"), ("body", "{\"type\":1}")];
        refused(&ada.post(&type_form, &bad).await, "Members");
        let body = planned.drafts.iter().find(|one| one.kind == Kind::EventType).unwrap().body.clone();
        led(&ada.post(&type_form, &[("form", "make"), ("name", "Members"), ("body", &body)]).await);
        refused(&ada.post(&type_form, &[("form", "make"), ("name", "Members"), ("body", &body)]).await, "settled");
        assert_eq!(ada.get(&format!("/tenants/{}/event-types/{of_type}", app.tenant)).await.status, 200);
        let shown = ada.post(&token_form, &token).await;
        assert_eq!(shown.status, 200, "{}", shown.text());
        let secret = between(&shown.text(), "id=\"token\" class=\"mono\">", "<").to_owned();
        assert!(!ada.get(&token_form).await.text().contains(&secret));
        let now = whole(&app, id).await;
        assert_eq!(now.tasks.iter().filter(|one| one.done_at.is_some()).count(), 3);

        // three events are enough here, and a day of them
        let evidence = |rule: fn(&Rule) -> bool| {
            let found = now.evidence.iter().find(|one| rule(&one.rule)).unwrap();
            format!("{here}/evidence/{}", found.id)
        };
        let phase = now.phases[1].id.to_string();
        let named = |sort, events, percent, days| {
            vec![
                ("phase", phase.as_str()),
                ("event_type", of_type.as_str()),
                ("sort", sort),
                ("events", events),
                ("percent", percent),
                ("days", days),
            ]
        };
        let came = evidence(|rule| matches!(rule, Rule::Accepted { .. }));
        refused(&ada.post(&came, &named("accepted", "none", "", "")).await, "Give a whole number");
        led(&ada.post(&came, &named("accepted", "3", "", "")).await);
        let few = evidence(|rule| matches!(rule, Rule::Rejected { .. }));
        led(&ada.post(&few, &named("rejected", "", "40", "1")).await);
        refused(&ada.post(&here, &[("form", "go-live")]).await, "acceptance evidence is not complete");

        // events come, one of them without the field that says whom it is about, and one that is refused
        let sender = app.with_token(&secret);
        let event_type: EventTypeId = of_type.parse().unwrap();
        let good = json!([{"E-mail": "a@example.com", "Name": "A"}, {"E-mail": "b@example.com", "Name": "B"}]);
        sender.until(sender.to_type(event_type, good.to_string()), 201).await;
        // who does nothing for a day is signed out
        app.clock.advance(13 * 3600);
        ada.get(&here).await;
        app.clock.advance(12 * 3600);
        let mixed =
            json!([{"E-mail": "c@example.com", "Name": "C"}, {"Name": 7}, {"E-mail": "d@example.com", "Name": "D"}]);
        sender.send(event_type, mixed.to_string()).await;
        let words = seen(&app, id, "of 3 events rejected").await;
        assert_eq!(
            words,
            [
                "First 3 events accepted: true 3 of 3",
                "Rejection rate under 40 % for 1 day: true 1 of 3 events rejected",
                "E-mail filled in 95 % of events or more: true in 4 of the newest 4 events",
            ]
        );

        // the line that names none is waived by who has the right, with a reason; not by who builds it
        let train = format!("{here}/waive/{}", now.phases[2].id);
        refused(&ada.post(&here, &[("form", "go-live")]).await, "acceptance evidence is not complete");
        assert_eq!(ada.post(&train, &[("reason", "mine")]).await.status, 403);
        let mut mara = staff(&app, Role::AccountManager).await;
        refused(&mara.post(&train, &[("reason", " ")]).await, "Write down why");
        led(&mara.post(&train, &[("reason", "A training leaves <u>no</u> events")]).await);
        refused(&mara.post(&train, &[("reason", "again")]).await, "waived already");
        take_back(&mut mara, &mut ada, &train).await;
        refused(&ada.post(&here, &[("form", "go-live")]).await, "acceptance evidence is not complete");
        led(&mara.post(&train, &[("reason", "A training leaves <u>no</u> events")]).await);
        assert_eq!(led(&ada.post(&here, &[("form", "go-live")]).await), one);
        let page = ada.get(&here).await.text();
        assert!(page.contains("Live since") && page.contains("3 of 3"), "{page}");
        assert!(page.contains("A training leaves &lt;u&gt;no&lt;/u&gt; events"), "{page}");
        let trail = ada.get(&format!("/tenants/{}/audit", app.tenant)).await.text();
        assert!(trail.contains("Waived acceptance evidence of"), "{trail}");
        assert!(trail.contains("Took back a waiver of acceptance evidence of"), "{trail}");
        // what is live is not built on
        refused(&ada.post(&here, &[("form", "done"), ("task", &task)]).await, "no implementation under way");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_make_one_draft_make_one_thing() {
    each(|app| async move {
        let (id, planned) = built(&app).await;
        let of_type = planned.drafts.iter().find(|one| one.kind == Kind::EventType).unwrap().id;
        let of_token = planned.drafts.iter().find(|one| one.kind == Kind::Token).unwrap().id;
        let permit = Actor::cli().permit::<Configure>(app.tenant).unwrap();
        let make = |draft| {
            let (db, clock, permit) = (app.db.clone(), app.clock.clone(), permit.clone());
            let secrets = Secrets { made: Some(tributary::tokens::Secret::generate()), theirs: None };
            tokio::spawn(async move {
                let keys = Keyring::in_memory();
                store::make(&db, &clock, &keys, &permit, (id, draft), None, secrets).await.map(drop)
            })
        };
        for draft in [of_type, of_token] {
            let mut done = 0;
            for one in [make(draft), make(draft), make(draft)] {
                match one.await.unwrap() {
                    Ok(()) => done += 1,
                    Err(error) => assert!(error.to_string().contains("settled"), "{error}"),
                }
            }
            assert_eq!(done, 1);
        }
        let read = Actor::cli().permit(app.tenant).unwrap();
        // beside the one that every tenant of a test begins with
        assert_eq!(tributary::tokens::list(&app.db, &read).await.unwrap().len(), 2);
        // what was dropped can be taken up again, and what is made cannot
        let run = Actor::cli().permit::<RunImplementations>(app.tenant).unwrap();
        let again = store::drop_draft(&app.db, &app.clock, &run, id, of_token, false).await;
        assert!(again.unwrap_err().to_string().contains("settled it otherwise"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_order_adds_to_what_was_accepted_and_leaves_it_as_it_is() {
    each(|app| async move {
        let first = sent(&app).await;
        accept(&app, &first).await;
        let id = first.integration_id;
        let (db, clock, permit) = (&app.db, &app.clock, Actor::cli().permit(app.tenant).unwrap());
        let files = quotations::files(db, &permit, first.id).await.unwrap();
        let before = whole(&app, id).await;
        let run = Actor::cli().permit::<RunImplementations>(app.tenant).unwrap();
        let spent = ("2030-01-01".to_owned(), 90, "Call".to_owned());
        store::spend(db, clock, &run, id, before.phases[1].id, spent).await.unwrap();

        let order = quotations::begin(db, clock, &permit, id).await.unwrap();
        assert_eq!((order.number, order.adds_to), (2, Some(first.id)));
        assert!(order.content.lines.is_empty() && order.content.assumptions.contains("adds to version 1"));
        let content = Content { lines: vec![line("Refunds too", 6)], ..order.content.clone() };
        let order = quotations::save(db, clock, &permit, order.id, order.revision, content).await.unwrap();
        let order = quotations::send(db, clock, &permit, NO_LIMIT, order.id, order.revision).await.unwrap();
        accept(&app, &order).await;

        let after = whole(&app, id).await;
        let titles: Vec<_> = after.phases.iter().map(|one| one.title.as_str()).collect();
        assert_eq!(titles, ["Preparation", "Connect", "Refunds too", "Going live"]);
        assert_eq!((after.sums(), after.tasks.len()), ((14 * 60, 90), before.tasks.len() + 1));
        let missing = after.missing(&[]);
        assert!(missing.iter().any(|one| one == "“Refunds too” names no evidence"), "{missing:?}");
        let all = quotations::list(db, &permit, id).await.unwrap();
        assert!(all.iter().all(|one| one.state == State::Accepted), "{all:?}");
        let same = quotations::files(db, &permit, first.id).await.unwrap();
        assert_eq!((files.document, files.pdf), (same.document, same.pdf));
        let integration = integrations::get(db, &permit, id).await.unwrap();
        assert_eq!(integration.stage, Stage::Implementation);
        // the next begins anew, and not with what is accepted already
        let next = quotations::begin(db, clock, &permit, id).await.unwrap();
        assert!(next.adds_to == Some(first.id) && next.content.lines.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_never_wait_for_themselves_and_another_tenant_sees_nothing() {
    each(|app| async move {
        let (id, planned) = built(&app).await;
        let foreign = app.another_tenant().await;
        let run = Actor::cli().permit::<RunImplementations>(app.tenant).unwrap();
        let (first, last) = (&planned.tasks[0], planned.tasks.last().unwrap());
        let mut details = first.details.clone();
        details.needs = vec![last.id];
        let circle = store::save_task(&app.db, &app.clock, &run, id, Some(first.id), details).await;
        assert!(circle.unwrap_err().to_string().contains("before itself"));
        // what is removed is waited for no more
        for task in &planned.tasks[..planned.tasks.len() - 1] {
            store::remove_task(&app.db, &app.clock, &run, id, task.id).await.unwrap();
        }
        let left = whole(&app, id).await;
        assert!(left.tasks.len() == 1 && left.tasks[0].details.needs.is_empty() && left.ready().len() == 1);

        // the same id below another tenant is nothing
        app.start().await;
        let mut ada = staff(&app, Role::Administrator).await;
        for rest in ["", "/tasks/new", &format!("/drafts/{}", planned.drafts[0].id)] {
            let path = format!("/tenants/{}/integrations/{id}/implementation{rest}", foreign.tenant);
            assert_eq!(ada.get(&path).await.status, 404, "{path}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_is_what_the_sources_of_the_type_have_asked_for() {
    each(|app| async move {
        let (id, planned) = built(&app).await;
        let (db, clock, keys) = (&app.db, &app.clock, Keyring::in_memory());
        let configure = Actor::cli().permit::<Configure>(app.tenant).unwrap();
        let run = Actor::cli().permit::<RunImplementations>(app.tenant).unwrap();
        let drafted = planned.drafts.iter().find(|one| one.kind == Kind::EventType).unwrap().id;
        store::make(db, clock, &keys, &configure, (id, drafted), None, Secrets::default()).await.unwrap();
        let named = (planned.phases[1].id, EventTypeId(drafted), Rule::Ledger { days: 1 });
        store::name_evidence(db, clock, &run, id, None, named).await.unwrap();
        seen(&app, id, "Ledger complete for 1 day: false no source asks for such events yet").await;
        let definition = json!({
            "name": "Shop", "url": "https://shop.invalid/orders", "schedule": {"everyMinutes": 60},
            "window": {"parameters": {"from": "{from}", "until": "{until}"}},
        });
        let prepared = Prepared::read(&definition.to_string()).unwrap();
        let start = Some(clock.now() - chrono::TimeDelta::days(2));
        let made = polling::store::change::create(db, clock, &keys, &configure, EventTypeId(drafted), prepared, start);
        made.await.unwrap();
        seen(&app, id, "Ledger complete for 1 day: false Shop: something is missing since 48 hours").await;
    })
    .await;
}

fn command(database: &str, arguments: &[&str]) -> Done {
    let mut command = tributary(database);
    command.args(arguments);
    run(command, "")
}

fn json_of(database: &str, arguments: &[&str]) -> Value {
    let done = command(database, &[&["--json"], arguments].concat());
    assert_eq!(done.code, 0, "{arguments:?}: {}", done.err);
    done.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_plans_does_makes_and_waives() {
    each_address(async |address| {
        let app = TestApp::new(address.clone()).await;
        let (id, planned) = built(&app).await;
        let (tenant, id) = (app.tenant.to_string(), id.to_string());
        let of = |verb: &'static str| vec!["integration", verb, "--tenant", &tenant, &id];
        let with = |verb: &'static str, more: &[&str]| {
            let all: Vec<String> = of(verb).iter().chain(more).map(|one| (*one).to_owned()).collect();
            all
        };
        let ask = |verb, more: &[&str]| {
            let all = with(verb, more);
            json_of(&address, &all.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let plan = ask("plan", &[]);
        assert_eq!(plan["next"][0]["turn"], "customer");
        assert_eq!((&plan["quotedMinutes"], plan["missing"].as_array().unwrap().len()), (&720.into(), 4));
        let shown = command(&address, &of("plan"));
        assert!(
            shown.out.contains("“Train” names no evidence") && shown.out.contains("whose turn it is"),
            "{}",
            shown.out
        );

        let (first, last) = (planned.ready()[0].id.to_string(), planned.tasks.last().unwrap().id.to_string());
        let early = with("done", &[&last]);
        let early = command(&address, &early.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(early.code == 1 && early.err.contains("first comes"), "{}", early.err);
        assert_eq!(ask("done", &[&first])["turn"], "us");
        let of_type = ask("make", &[&draft(&planned, Kind::EventType)]);
        assert_eq!(
            (&of_type["kind"], &of_type["id"]),
            (&"event-type".into(), &draft(&planned, Kind::EventType).into())
        );
        assert!(ask("make", &[&draft(&planned, Kind::Token)])["token"].as_str().unwrap().starts_with("trb_"));
        for evidence in &planned.evidence {
            ask("waive", &[&evidence.id.to_string(), "--reason", "a trial"]);
        }
        let training = planned.phases[2].id.to_string();
        ask("waive", &[&training, "--reason", "a training"]);
        ask("waive", &[&training, "--undo", "--reason", "not after all"]);
        assert_eq!(ask("plan", &[])["missing"].as_array().unwrap().len(), 1);
        ask("waive", &[&training, "--reason", "a training"]);
        assert_eq!(ask("plan", &[])["missing"], json!([]));
        let live = ask("advance", &["go-live"]);
        assert_eq!(live["stage"], "live");
    })
    .await;
}
