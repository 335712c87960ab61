//! Failures through the front door and in the browser's place: groups, mending one, replaying many.
use std::time::{Duration, Instant};

use tributary::{
    auth::{Actor, Role, email::Email, password, store},
    db::lane::Verdict,
    event_types::versions,
    events::{self, Event},
    failures::{
        self, Group,
        store::{States, Which},
    },
    ids::{EventId, ReceiptId, TenantId},
};

use crate::support::{
    Answer, Asking, ORDER, TestApp, contract, each,
    program::{run, tributary},
};

const PASSWORD: &str = "correct horse battery";

/// A browser that is signed in.
struct Browser {
    app: TestApp,
    cookie: String,
}

impl Browser {
    async fn new(app: &TestApp, role: Role, tenant: Option<TenantId>) -> Self {
        let hash = password::hash(password::Password::given(PASSWORD)).await.unwrap();
        let email = format!("{role}-{}@example.com", tenant.map_or_else(String::new, |id| id.to_string()));
        let new = store::NewUser {
            email: Email::parse(&email).unwrap(),
            name: "Jane".parse().unwrap(),
            role,
            tenant,
            password_hash: hash,
        };
        store::add_user(&app.db, &app.clock, &Actor::cli().grant().unwrap(), new).await.unwrap();
        let mut browser = Self { app: app.clone(), cookie: "none=1".into() };
        let answer = browser.post("/login", &[("email", &email), ("password", PASSWORD)]).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        answer.header("set-cookie").unwrap().split(';').next().unwrap().clone_into(&mut browser.cookie);
        browser
    }

    fn asking(&self, method: &str, path: &str) -> Asking {
        Asking::new(method, path).header("accept", "text/html").header("cookie", &self.cookie)
    }

    async fn get(&self, path: &str) -> Answer {
        self.asking("GET", path).send(self.app.to()).await
    }

    async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.text()
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.asking("POST", path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(form)
            .send(self.app.to())
            .await
    }
}

async fn groups(app: &TestApp) -> Vec<Group> {
    let permit = Actor::cli().permit(app.tenant).unwrap();
    let which = Which { states: States::All, ..Which::default() };
    failures::store::list(&app.db, &permit, which, 100).await.unwrap()
}

/// Waits until the follower has come so far.
async fn until<T>(mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "it never came so far");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn group_of(app: &TestApp, path: &str, ever: i64) -> Group {
    until(async || groups(app).await.into_iter().find(|group| group.path == path && group.failures == ever)).await
}

fn receipt_of(answer: &Answer) -> ReceiptId {
    answer.json()["receiptId"].as_str().unwrap().parse().unwrap()
}

async fn event(app: &TestApp, id: EventId) -> Event {
    let permit = Actor::cli().permit(app.tenant).unwrap();
    events::store::one(&app.db, &permit, id).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_grouped_and_a_resolved_group_comes_back() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        app.start().await;
        let browser = Browser::new(&app, Role::Consultant, None).await;
        let base = format!("/tenants/{}/quarantine", app.tenant);
        assert!(browser.page(&base).await.contains("Nothing in quarantine"));
        app.send(id, r#"[{"Amount":"1"},{"Amount":"2"},{"Amount":3}]"#).await;
        let group = group_of(&app, "/Amount", 2).await;
        let page = browser.page(&base).await;
        let href = format!("{base}/groups/{}", group.id);
        assert!(page.contains(&href) && page.contains("/Amount: expected a number, got a string"), "{page}");
        let page = browser.page(&href).await;
        for expected in
            ["What is wrong", "Relax the contract", "Mend the sender", "Evidence", "<mark>", "In quarantine"]
        {
            assert!(page.contains(expected), "{expected}: {page}");
        }
        let contract = format!("/tenants/{}/event-types/{id}/contract", app.tenant);
        assert!(page.contains(&contract));

        let answer = browser.post(&href, &[("state", "resolved")]).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some(&*format!("{href}?was=open"))));
        let page = browser.page(&format!("{href}?was=open")).await;
        assert!(page.contains("Resolved.") && page.contains("Undo"));
        assert!(browser.page(&base).await.contains("Nothing to do"));
        assert!(browser.page(&format!("{base}?state=resolved")).await.contains(&href));
        // what was resolved in the same millisecond is not new
        tokio::time::sleep(Duration::from_millis(5)).await;
        app.send(id, r#"{"Amount":"4"}"#).await;
        group_of(&app, "/Amount", 3).await;
        assert!(browser.page(&base).await.contains("came back"));
        assert!(browser.page(&href).await.contains("It came back after it was resolved on"));
        assert_eq!(browser.post(&href, &[("state", "nonsense")]).await.status, 400);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_is_mended_from_two_tabs_once_and_its_receipt_stays() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        app.start().await;
        let browser = Browser::new(&app, Role::Consultant, None).await;
        let sent = r#"{ "Amount" : "1.50", "Note":"</textarea><script>alert(1)</script>" }"#;
        let receipt = receipt_of(&app.send(id, sent).await);
        let answered = app.receipt(&receipt.to_string()).await.json();
        let original = receipt.event(0);
        let page = format!("/tenants/{}/events/{original}", app.tenant);
        let mend = format!("{page}/mend");
        assert!(browser.page(&page).await.contains(&mend));
        let form = browser.page(&mend).await;
        assert!(form.contains("expected a number, got a string") && !form.contains("<script>alert"), "{form}");

        // wrong again: the page again, with what was typed
        for (text, why) in
            [(r#"{"Amount":"still"}"#, "expected a number"), ("{", "This is not JSON"), ("[]", "must be a JSON object")]
        {
            for act in ["check", "replay"] {
                let answer = browser.post(&mend, &[("payload", text), ("act", act)]).await;
                assert_eq!(answer.status, 422, "{text}");
                let shown = html_escape::decode_html_entities(&answer.text()).into_owned();
                assert!(shown.contains(why) && shown.contains(&format!("\n{text}</textarea>")), "{shown}");
            }
        }
        let checked = browser.post(&mend, &[("payload", r#"{"Amount":1.50}"#), ("act", "check")]).await;
        assert!(checked.status == 200 && checked.text().contains("It keeps the contract"), "{}", checked.text());
        assert_eq!(app.stored().await.len(), 1, "checking stores nothing");

        let fields = |text| [("payload", text), ("act", "replay")];
        let (mine, yours) = (fields(r#"{"Amount":1.50}"#), fields(r#"{"Amount":2}"#));
        let (one, two) = tokio::join!(browser.post(&mend, &mine), browser.post(&mend, &yours));
        assert_eq!((one.status, two.status), (303, 303));
        let stored = app.stored().await;
        assert_eq!(stored.len(), 2, "one of the two");
        assert_eq!((stored[0].id, stored[0].verdict, stored[0].payload.as_str()), (original, Verdict::Mended, sent));
        assert_eq!(stored[1].verdict, Verdict::Accepted);
        let new = format!("/tenants/{}/events/{}", app.tenant, stored[1].id);
        let led = [one, two].map(|answer| answer.header("location").unwrap().to_owned());
        assert!(led.contains(&format!("{new}?done=mended")), "{led:?}");
        assert!(led.iter().any(|to| to.starts_with(&format!("{page}?done=mended-before"))), "{led:?}");
        assert!(browser.page(&page).await.contains(&new) && browser.page(&new).await.contains(&page));
        assert_eq!(browser.get(&mend).await.status, 303, "it is not in quarantine any more");
        assert_eq!(app.receipt(&receipt.to_string()).await.json(), answered);

        let list = format!("/tenants/{}/quarantine/events", app.tenant);
        assert!(!browser.page(&list).await.contains(&original.to_string()));
        assert!(browser.page(&format!("{list}?verdict=mended")).await.contains(&original.to_string()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_replayed_as_it_was_once_the_contract_is_relaxed() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        app.start().await;
        let browser = Browser::new(&app, Role::Consultant, None).await;
        let sent = "{ \"Amount\" :\r\n\"1\" }";
        let receipt = receipt_of(&app.send(id, sent).await);
        let mend = format!("/tenants/{}/events/{}/mend", app.tenant, receipt.event(0));
        assert_eq!(browser.post(&mend, &[("act", "unchanged")]).await.status, 422);
        app.change_type(id, |details| details.contract = contract(r#"{"required":["Amount"]}"#)).await;
        assert!(browser.page(&mend).await.contains("Replay unchanged"));
        assert_eq!(browser.post(&mend, &[("act", "unchanged")]).await.status, 303);
        let payloads = app.payloads().await;
        assert_eq!(payloads, [sent, sent], "to the last space");

        app.change_type(id, |details| details.enabled = false).await;
        app.change_type(id, |details| details.contract = contract(ORDER)).await;
        app.change_type(id, |details| details.enabled = true).await;
        let other = app.orders().await;
        app.until(app.to_type(other, "{}"), 422).await;
        let broken = app.stored().await.pop().unwrap();
        app.change_type(other, |details| details.enabled = false).await;
        let mend = format!("/tenants/{}/events/{}/mend", app.tenant, broken.id);
        assert!(browser.page(&mend).await.contains("It cannot be replayed now"));
        let answer = browser.post(&mend, &[("act", "replay"), ("payload", r#"{"Amount":1}"#)]).await;
        assert_eq!(answer.status, 422);
        assert_eq!(event(&app, broken.id).await.verdict, Verdict::Quarantined);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_a_group_are_replayed_and_counted() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        app.start().await;
        let browser = Browser::new(&app, Role::Consultant, None).await;
        let body = format!("[{}]", [r#"{"Amount":"1"}"#; 120].join(","));
        app.send(id, body).await;
        app.send(id, "[{},{}]").await;
        let base = format!("/tenants/{}/quarantine", app.tenant);
        let group =
            until(async || groups(&app).await.into_iter().find(|group| group.rule == "type" && group.failures == 120))
                .await;
        app.change_type(id, |details| details.contract = contract(r#"{"required":["Amount"]}"#)).await;
        let ask = browser.page(&format!("{base}/replay?group={}", group.id)).await;
        assert!(ask.contains("Replay 120 events of Order: /Amount"), "{ask}");
        assert!(browser.page(&format!("{base}/replay")).await.contains("Replay 122 events of all types"));
        let answer = browser.post(&format!("{base}/replay"), &[("group", &group.id.to_string())]).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let task = answer.header("location").unwrap().to_owned();
        until(async || browser.page(&task).await.contains("done").then_some(())).await;
        until(async || {
            let stored = app.stored().await;
            let of = |verdict| stored.iter().filter(|event| event.verdict == verdict).count();
            (of(Verdict::Accepted) == 120)
                .then(|| assert_eq!((of(Verdict::Mended), of(Verdict::Quarantined)), (120, 2)))
        })
        .await;
        let page = browser.page(&format!("{base}/replay?group={}", group.id)).await;
        assert!(page.contains("Nothing to replay"), "{page}");
        assert_eq!(browser.post(&format!("{base}/replay"), &[("group", &group.id.to_string())]).await.status, 422);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_drafts_its_fix_and_what_then_passes_is_offered_for_replay() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        app.start().await;
        let browser = Browser::new(&app, Role::Consultant, None).await;
        app.send(id, r#"[{"Amount":"1"},{"Amount":"2"},{}]"#).await;
        let group = until(async || groups(&app).await.into_iter().find(|group| group.failures == 2)).await;
        let base = format!("/tenants/{}", app.tenant);
        let page = format!("{base}/quarantine/groups/{}", group.id);
        let shown = browser.page(&page).await;
        assert!(shown.contains("may also be a string") && shown.contains("Draft this change"), "{shown}");
        let review = format!("{base}/event-types/{id}/contract/review");
        // clicked twice, it is one draft
        for _ in 0..2 {
            let answer = browser.post(&format!("{page}/relax"), &[]).await;
            assert_eq!((answer.status, answer.header("location")), (303, Some(&*review)), "{}", answer.text());
        }
        let read = Actor::cli().permit(app.tenant).unwrap();
        let draft = versions::draft(&app.db, &read, id).await.unwrap().expect("a draft");
        assert_eq!(draft.contract.text(), ORDER.replace(r#""number""#, r#"["number","string"]"#));
        assert!(browser.page(&page).await.contains("A draft of the contract takes such events"));

        let configure = Actor::cli().permit(app.tenant).unwrap();
        let made = versions::activate(&app.db, &app.clock, &configure, id, None, draft.fingerprint()).await;
        made.unwrap();
        let list = format!("{base}/event-types/{id}/contract/versions");
        let shown = browser.page(&format!("{list}?done=activated")).await;
        assert!(shown.contains("2 events in quarantine keep this version"), "{shown}");
        assert!(
            shown.contains(&format!("{base}/quarantine/replay?type={id}")) && shown.contains("Replay 2 that pass now")
        );
        assert!(!browser.page(&list).await.contains("that pass now"));
        assert!(!browser.page(&page).await.contains("Resolve the group"));
        let answer = browser.post(&format!("{base}/quarantine/replay"), &[("type", &id.to_string())]).await;
        let task = answer.header("location").unwrap().to_owned();
        until(async || browser.page(&task).await.contains("All done").then_some(())).await;
        assert!(browser.page(&page).await.contains("Resolve the group"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_keeps_to_the_whole_filter_and_a_group_is_exported() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        app.start().await;
        let browser = Browser::new(&app, Role::Consultant, None).await;
        app.send(id, r#"[{"Amount":"1"},{"Amount":"2"},{}]"#).await;
        let group = until(async || groups(&app).await.into_iter().find(|group| group.failures == 2)).await.id;
        let base = format!("/tenants/{}", app.tenant);
        for (query, said) in [
            (
                format!("type={id}&from=2020-01-01T00:00Z"),
                "Replay 3 events of Order, received from 2020-01-01 00:00 UTC on",
            ),
            (format!("group={group}&source=anonymous"), "Nothing to replay"),
            (format!("type={id}&until=2020-01-01T00:00Z"), "Nothing to replay"),
            (format!("group={group}&until=2100-01-01T00:00Z"), "received before 2100-01-01 00:00 UTC"),
        ] {
            let page = browser.page(&format!("{base}/quarantine/replay?{query}")).await;
            assert!(page.contains(said), "{query}: {page}");
            let list = browser.page(&format!("{base}/quarantine/events?{query}")).await;
            let link = format!("{base}/quarantine/replay?");
            let none = said.starts_with("Nothing");
            assert_eq!(list.contains(&link), !none, "{query}: {list}");
        }
        // what is not understood is not left out: more would be replayed than was asked for
        let fields = [("type", &*id.to_string()), ("from", "yesterday")];
        assert_eq!(browser.post(&format!("{base}/quarantine/replay"), &fields).await.status, 400);
        let fields = [("type", &*id.to_string()), ("until", "2020-01-01T00:00")];
        assert_eq!(browser.post(&format!("{base}/quarantine/replay"), &fields).await.status, 422);

        let export = format!("{base}/exports/new?verdict=quarantined&group={group}");
        let page = browser.page(&export).await;
        assert!(page.contains("2 events") && page.contains("/Amount: expected a number"), "{page}");
        let task = browser.post(&export, &[("format", "jsonl")]).await.header("location").unwrap().to_owned();
        let file = task.replace("/tasks/", "/exports/");
        until(async || browser.page(&task).await.contains("All done: 2 events").then_some(())).await;
        assert_eq!(browser.page(&file).await.lines().count(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_another_tenants_is_not_there() {
    each(async |app: TestApp| {
        let other = app.another_tenant().await;
        let (id, theirs) = (app.orders().await, other.orders().await);
        app.start().await;
        let foreign = Browser::new(&app, Role::Consultant, Some(other.tenant)).await;
        let free = Browser::new(&app, Role::Consultant, None).await;
        let receipt = receipt_of(&app.send(id, "{}").await);
        other.send(theirs, "{}").await;
        let group = group_of(&app, "/Amount", 1).await;
        let event = receipt.event(0);
        let (own, theirs) = (format!("/tenants/{}", app.tenant), format!("/tenants/{}", other.tenant));
        for path in [
            format!("quarantine/groups/{}", group.id),
            format!("quarantine/replay?group={}", group.id),
            format!("quarantine/replay?type={id}"),
            format!("events/{event}/mend"),
        ] {
            assert_eq!(free.get(&format!("{own}/{path}")).await.status, 200, "{path}");
            // by the address of its tenant, and by one's own
            assert_eq!(foreign.get(&format!("{own}/{path}")).await.status, 404, "{path}");
            assert_eq!(foreign.get(&format!("{theirs}/{path}")).await.status, 404, "{path}");
        }
        for (path, fields) in [
            (format!("quarantine/groups/{}", group.id), ("state", "ignored".to_owned())),
            (format!("quarantine/groups/{}/relax", group.id), ("state", String::new())),
            ("quarantine/replay".to_owned(), ("group", group.id.to_string())),
            ("quarantine/replay".to_owned(), ("type", id.to_string())),
            (format!("events/{event}/mend"), ("act", "replay".to_owned())),
        ] {
            for base in [&own, &theirs] {
                let answer = foreign.post(&format!("{base}/{path}"), &[(fields.0, &fields.1)]).await;
                assert_eq!(answer.status, 404, "{base}/{path}");
            }
        }
        let page = foreign.page(&format!("{theirs}/quarantine/events?group={}", group.id)).await;
        assert!(page.contains("is left out") && !page.contains(&event.to_string()), "{page}");
        assert_eq!(groups(&app).await[0].state, failures::State::Open);
        assert_eq!(app.stored().await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_text_in_a_payload_stays_text_on_the_page_of_its_group() {
    each(async |app: TestApp| {
        let schema = r#"{"additionalProperties":false,"properties":{"a":{"type":"number"}}}"#;
        let id = app.event_type(|details| details.contract = contract(schema)).await;
        app.start().await;
        let browser = Browser::new(&app, Role::Consultant, None).await;
        let hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u{202e}";
        let payload = serde_json::json!({hostile: hostile, "a": hostile}).to_string();
        app.send(id, payload).await;
        until(async || (groups(&app).await.len() == 2).then_some(())).await;
        let base = format!("/tenants/{}/quarantine", app.tenant);
        for group in groups(&app).await {
            for path in [
                base.clone(),
                format!("{base}/groups/{}", group.id),
                format!("{base}/events?group={}", group.id),
                format!("{base}/replay?group={}", group.id),
            ] {
                let page = browser.page(&path).await;
                assert!(!page.contains("<script>alert") && !page.contains("<img"), "{path}: {page}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_lists_and_replays_with_a_server_or_without() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        app.start().await;
        app.send(id, r#"[{"Amount":"1"},{"Amount":"2"},{}]"#).await;
        let group = group_of(&app, "/Amount", 2).await;
        let tenant = app.tenant.to_string();
        let command = |arguments: &[&str]| {
            let mut command = tributary(&app.database);
            command.args(["--json", "quarantine"]).args(arguments).args(["--tenant", &tenant]);
            run(command, "")
        };
        let listed = command(&["groups"]).lines();
        assert_eq!(listed.len(), 2);
        let typed = listed.iter().find(|line| line["rule"] == "type").unwrap();
        assert_eq!((typed["failures"].as_i64(), typed["inQuarantine"].as_i64()), (Some(2), Some(2)));
        assert_eq!((typed["state"].as_str(), typed["path"].as_str()), (Some("open"), Some("/Amount")));
        assert!(command(&["groups", "--state", "resolved"]).lines().is_empty());
        let of_group = group.id.to_string();
        let events = command(&["list", "--group", &of_group]).lines();
        assert_eq!(events.len(), 2);
        assert!(events.iter().all(|event| event["errors"][0]["rule"] == "type"), "{events:?}");
        assert_eq!(command(&["list"]).lines().len(), 3);

        app.change_type(id, |details| details.contract = contract(r#"{"required":["Amount"]}"#)).await;
        let done = command(&["replay", "--group", &of_group]);
        assert_eq!(done.code, 0, "{}", done.err);
        let said = done.json();
        assert_eq!((said["mended"].as_i64(), said["failing"].as_i64()), (Some(2), Some(0)), "{said}");
        // nobody serves: the command does it all by itself
        app.stop().await;
        let said = command(&["replay", "--event-type", &id.to_string()]).json();
        assert_eq!((said["mended"].as_i64(), said["failing"].as_i64()), (Some(0), Some(1)), "{said}");
        assert_eq!(command(&["replay", "--group", &of_group]).json()["total"], 0);
        let unknown = command(&["replay", "--group", "00000000-0000-8000-8000-000000000001"]);
        assert!(unknown.code == 1 && unknown.err.contains("there is no such group"), "{}", unknown.err);
        assert_eq!(app.stored().await.len(), 5);
    })
    .await;
}
