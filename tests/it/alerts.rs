//! Alerts from the event that is missing or broken to the receiver that is told: once when it begins, once when it is
//! over, whoever else looks, and whatever the receiver does. On both databases.
use std::{collections::BTreeMap, process::Command, time::Duration};

use chrono::TimeDelta;
use serde_json::json;
use tributary::{
    auth::Role,
    crypto::seal::Keyring,
    ids::EventTypeId,
    polling::{store::change, terms::Prepared},
    sql,
};

use crate::support::{
    TestApp,
    browser::{Browser, account, between},
    each,
    hooks::{Hook, Mood, Receiver},
    program::{run, tributary},
    shop::Shop,
    smtp::{self, Sink},
};

/// How long nothing more may come before it is taken that nothing does: a dozen looks.
const QUIET: Duration = Duration::from_millis(1_500);

/// A key that all servers of the test share.
fn key() -> tempfile::NamedTempFile {
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), "A".repeat(43)).unwrap();
    key
}

async fn start(app: &TestApp, key: &tempfile::NamedTempFile, more: &[&str]) {
    let mut flags = vec!["--key-file", key.path().to_str().unwrap(), "--alert-interval", "0.1"];
    flags.extend(["--allow-outbound", "127.0.0.1"]);
    flags.extend(more);
    app.start_with(&flags).await;
}

async fn consultant(app: &TestApp) -> Browser {
    account(app, &email(app), Role::Consultant, None).await;
    again(app).await
}

fn email(app: &TestApp) -> String {
    format!("ada-{}@example.com", app.tenant)
}

/// Signs in once more: a session does not outlast a day without use, nor a server that is gone.
async fn again(app: &TestApp) -> Browser {
    Browser::signed_in(app, &email(app)).await
}

fn alerts(app: &TestApp) -> String {
    format!("/tenants/{}/alerts", app.tenant)
}

/// Adds a web channel: its page, and its secret.
async fn web_channel(app: &TestApp, ada: &mut Browser, name: &str, url: &str) -> (String, String) {
    let fields = [("kind", "web"), ("name", name), ("address", url)];
    let made = ada.post(&format!("{}/channels/new", alerts(app)), &fields).await;
    assert_eq!(made.status, 200, "{}", made.text());
    let text = made.text();
    let secret = between(&text, r#"id="secret" class="mono">"#, "<").to_owned();
    assert!(secret.starts_with("whsec_"), "{secret}");
    let rest = &text[text.find("I have copied it").expect("the way on") - 200..];
    let page = between(rest, "href=\"", "\"").to_owned();
    (page, secret)
}

/// What a receiver was told, by alert: how often raised, how often over.
fn told(hooks: &[Hook]) -> BTreeMap<String, (usize, usize)> {
    let mut all: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (id, kind) in hooks.iter().map(Hook::of) {
        let one = all.entry(id).or_default();
        match kind.as_str() {
            "alert.opened" => one.0 += 1,
            "alert.resolved" => one.1 += 1,
            _ => {}
        }
    }
    all
}

async fn broken(app: &TestApp, id: EventTypeId) {
    assert_eq!(app.send(id, r#"{"Amount":"12,50"}"#).await.status, 422);
}

/// Waits until everything that came is counted.
async fn counted(app: &TestApp) {
    for _ in 0..1_000 {
        if sql!(value i64, app.db, "SELECT COUNT(*) FROM batches").unwrap() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the follower does not follow");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_group_is_told_signed_and_once_until_it_is_resolved() {
    each(async |app: TestApp| {
        let (receiver, key) = (Receiver::start(Mood::Willing).await, key());
        let orders = app.orders().await;
        start(&app, &key, &[]).await;
        let mut ada = consultant(&app).await;
        let (page, secret) = web_channel(&app, &mut ada, "Desk", &receiver.url()).await;

        assert_eq!(ada.post(&format!("{page}/test"), &[]).await.status, 303);
        let test = receiver.sent(1).await.remove(0);
        assert!(test.kind() == "alert.test" && test.is_signed_with(&secret), "{test:?}");
        assert!(!test.is_signed_with("whsec_AAAA"));
        let shown = app.page_with(&mut ada, &page, "delivered").await;
        assert!(!shown.contains(&secret) && shown.contains("thank you"), "{shown}");

        broken(&app, orders).await;
        broken(&app, orders).await;
        let opened = receiver.sent(2).await.remove(1);
        let data = &opened.json()["data"];
        assert_eq!((opened.kind().as_str(), data["kind"].as_str()), ("alert.opened", Some("failure-group")));
        assert_eq!(data["title"], "Order: a new failure: /Amount: expected a number, got a string");
        assert_eq!((&data["tenant"]["name"], &data["eventType"]["name"]), (&"Acme".into(), &"Order".into()));
        assert!(opened.is_signed_with(&secret) && opened.id.starts_with("msg_"));
        assert_eq!(app.clock.now().timestamp() / 60, opened.timestamp / 60);

        // the address in it leads to the group, and what is done there is told
        let url = data["url"].as_str().unwrap().to_owned();
        assert_eq!(ada.get(&url).await.status, 200);
        assert_eq!(ada.post(&url, &[("state", "acknowledged")]).await.status, 303);
        tokio::time::sleep(QUIET).await;
        assert_eq!(receiver.all().len(), 2);
        assert_eq!(ada.post(&url, &[("state", "resolved")]).await.status, 303);
        let over = receiver.sent(3).await.remove(2);
        assert_eq!(over.of(), (opened.of().0, "alert.resolved".to_owned()));
        // and back: that is another one
        broken(&app, orders).await;
        let back = receiver.sent(4).await.remove(3);
        assert!(back.of().0 != opened.of().0 && back.json()["data"]["details"]["cameBack"] == true, "{back:?}");

        // a restart repeats nothing, and loses nothing
        app.stop().await;
        start(&app, &key, &[]).await;
        tokio::time::sleep(QUIET).await;
        assert_eq!(receiver.all().len(), 4);
        let mut ada = again(&app).await;
        let page = ada.get(&alerts(&app)).await.text();
        assert!(page.contains("it came back") && page.contains("settled"), "{page}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_told_after_three_of_the_longest_gaps_and_over_with_the_next_event() {
    each(async |app: TestApp| {
        let (receiver, key) = (Receiver::start(Mood::Willing).await, key());
        let orders = app.orders().await;
        start(&app, &key, &[]).await;
        let mut ada = consultant(&app).await;
        web_channel(&app, &mut ada, "Desk", &receiver.url()).await;
        for _ in 0..6 {
            assert_eq!(app.send(orders, r#"{"Amount":1}"#).await.status, 201);
            counted(&app).await;
            app.clock.advance(6 * 3600);
        }
        // six hours are gone by since the last; eighteen would be long
        app.clock.advance(11 * 3600);
        tokio::time::sleep(QUIET).await;
        assert!(receiver.all().is_empty(), "{:?}", receiver.all());
        app.clock.advance(2 * 3600);
        let opened = receiver.sent(1).await.remove(0);
        assert_eq!(opened.json()["data"]["title"], "Order is silent");
        assert_eq!(opened.json()["data"]["details"]["waitedMinutes"], 18 * 60);
        let mut ada = again(&app).await;
        let page = ada.get(&format!("/tenants/{}", app.tenant)).await.text();
        assert!(page.contains("silent for 19 h"), "{page}");
        let home = ada.get("/").await.text();
        assert!(home.contains("Silent: no event for 19 h"), "{home}");
        app.clock.advance(24 * 3600);
        tokio::time::sleep(QUIET).await;
        assert_eq!(receiver.all().len(), 1);

        assert_eq!(app.send(orders, r#"{"Amount":1}"#).await.status, 201);
        let over = receiver.sent(2).await.remove(1);
        assert_eq!((over.of().0, over.json()["data"]["title"].as_str()), (opened.of().0, Some("Order sends again")));

        // not watched, not told
        let mut ada = again(&app).await;
        let rules = format!("{}/rules/{orders}", alerts(&app));
        let fields = [("percent", "10"), ("hours", "1"), ("minimum", "50")];
        assert_eq!(ada.post(&rules, &fields).await.status, 303);
        counted(&app).await;
        app.clock.advance(40 * 24 * 3600);
        tokio::time::sleep(QUIET).await;
        assert_eq!(receiver.all().len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_is_told_by_the_rule_of_its_type() {
    each(async |app: TestApp| {
        let (receiver, key) = (Receiver::start(Mood::Willing).await, key());
        let orders = app.orders().await;
        start(&app, &key, &[]).await;
        let mut ada = consultant(&app).await;
        web_channel(&app, &mut ada, "Desk", &receiver.url()).await;
        let rules = format!("{}/rules/{orders}", alerts(&app));
        let bad = [("rejections", "on"), ("percent", "101"), ("hours", "5"), ("minimum", "<b>0")];
        let page = ada.post(&rules, &bad).await;
        let text = page.text();
        assert_eq!(page.status, 422, "{text}");
        assert!(text.contains("3 things need mending") && !text.contains("><b>0"));
        let fields = [("rejections", "on"), ("percent", "20"), ("hours", "1"), ("minimum", "10")];
        assert_eq!(ada.post(&rules, &fields).await.status, 303);

        let some = |good: usize, bad: usize| {
            let events =
                std::iter::repeat_n(r#"{"Amount":1}"#, good).chain(std::iter::repeat_n(r#"{"Amount":"x"}"#, bad));
            format!("[{}]", events.collect::<Vec<_>>().join(","))
        };
        app.send(orders, some(16, 3)).await;
        counted(&app).await;
        tokio::time::sleep(QUIET).await;
        assert!(receiver.all().is_empty(), "{:?}", receiver.all());
        app.send(orders, some(0, 1)).await;
        let opened = receiver.sent(1).await.remove(0);
        assert_eq!(opened.json()["data"]["details"]["quarantined"], 4);
        app.send(orders, some(20, 0)).await;
        let over = receiver.sent(2).await.remove(1);
        assert_eq!(over.of(), (opened.of().0, "alert.resolved".to_owned()));
        let shown = ada.get(&alerts(&app)).await.text();
        assert!(shown.contains("from 20 % in 1 h"), "{shown}");
    })
    .await;
}

/// Waits until a receiver was told so often; time goes by `seconds` for each tenth of one that the test waits.
async fn told_as_time_goes_by(app: &TestApp, receiver: &Receiver, count: usize, seconds: i64) -> Hook {
    for _ in 0..400 {
        if let Some(hook) = receiver.all().into_iter().nth(count - 1) {
            return hook;
        }
        app.clock.advance(seconds);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("told {} times instead of {count}", receiver.all().len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_does_not_deliver_is_told_as_it_becomes_worse_and_when_it_runs_again() {
    each(async |app: TestApp| {
        let (receiver, key) = (Receiver::start(Mood::Willing).await, key());
        let orders = app.event_type(|_| {}).await;
        let shop = Shop::open(&app.clock).await;
        shop.mood(|mood| mood.token = Some("good".into()));
        start(&app, &key, &[]).await;
        let mut ada = consultant(&app).await;
        web_channel(&app, &mut ada, "Desk", &receiver.url()).await;
        let definition = shop.source(json!({"authentication": {"kind": "bearer"}, "token": "stale"})).to_string();
        let (keys, permit) = (Keyring::at(Some(key.path()), None), app.permit());
        let prepared = Prepared::read(&definition).expect("a good definition");
        let start = Some(app.clock.now() - TimeDelta::hours(2));
        let made = change::create(&app.db, &app.clock, &keys, &permit, orders, prepared, start).await;
        let source = made.expect("a source").id;

        // refused three times, with waits between
        let refused = told_as_time_goes_by(&app, &receiver, 1, 2).await;
        let data = refused.json()["data"].clone();
        assert_eq!((&data["kind"], &data["details"]["ailment"]), (&"source".into(), &"refused".into()));
        assert_eq!(data["title"], "The source Orders is paused: its token is refused");
        let text = data["text"].as_str().unwrap();
        assert!(text.contains("401") && text.contains("Replace the token"), "{text}");
        assert!(data["url"].as_str().unwrap().ends_with(&format!("/tenants/{}/sources/{source}", app.tenant)));
        app.page_with(&mut ada, &alerts(&app), "its token is refused").await;
        let home = ada.get("/").await.text();
        assert!(home.contains("its token is refused") && home.contains("See the source"), "{home}");

        let day = TimeDelta::days(1);
        change::set_secret(&app.db, &app.clock, &keys, &permit, source, "good", day).await.unwrap();
        change::resume(&app.db, &app.clock, &permit, source).await.unwrap();
        let over = receiver.sent(2).await.remove(1);
        assert_eq!(over.of(), (refused.of().0, "alert.resolved".to_owned()));
        assert_eq!(over.json()["data"]["title"], "The source Orders runs again");

        // away for hours: late first, then failing, and that it was late is over without a word
        let away = app.clock.now() + TimeDelta::hours(5);
        shop.mood(|mood| mood.busy = Some((503, away)));
        let late = told_as_time_goes_by(&app, &receiver, 3, 60).await;
        assert_eq!(late.json()["data"]["details"]["ailment"], "late");
        let failing = told_as_time_goes_by(&app, &receiver, 4, 60).await;
        assert_eq!(failing.json()["data"]["title"], "The source Orders is failing");
        assert!(app.clock.now() < away, "it was told while it lasted");
        let over = told_as_time_goes_by(&app, &receiver, 5, 300).await;
        assert_eq!(over.of(), (failing.of().0, "alert.resolved".to_owned()));
        tokio::time::sleep(QUIET).await;
        assert_eq!(told(&receiver.all())[&late.of().0], (1, 0));
        let mut ada = again(&app).await;
        app.page_with(&mut ada, &alerts(&app), "became worse").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_tell_each_change_once() {
    each(async |app: TestApp| {
        let (receiver, key) = (Receiver::start(Mood::Willing).await, key());
        let mut types = Vec::new();
        for n in 0..6 {
            let name = format!("Type {n}").parse().unwrap();
            let contract = crate::support::contract(crate::support::ORDER);
            types.push(app.event_type(|details| (details.name, details.contract) = (name, contract)).await);
        }
        for _ in 0..3 {
            start(&app, &key, &[]).await;
        }
        let mut ada = consultant(&app).await;
        web_channel(&app, &mut ada, "Desk", &receiver.url()).await;
        for id in &types {
            broken(&app, *id).await;
        }
        receiver.sent(6).await;
        // one is killed, another begins
        app.running().expect("a server").stop().await;
        start(&app, &key, &[]).await;
        let mut ada = again(&app).await;
        for hook in receiver.all() {
            let url = hook.json()["data"]["url"].as_str().unwrap().to_owned();
            assert_eq!(ada.post(&url, &[("state", "ignored")]).await.status, 303);
        }
        receiver.sent(12).await;
        tokio::time::sleep(QUIET).await;
        let told = told(&receiver.all());
        assert_eq!(told.len(), 6, "{told:?}");
        assert!(told.values().all(|times| *times == (1, 1)), "{told:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_receiver_does_is_written_down_and_tried_again() {
    each(async |app: TestApp| {
        let key = key();
        start(&app, &key, &[]).await;
        let mut ada = consultant(&app).await;
        let failing = Receiver::start(Mood::Failing).await;
        let elsewhere = Receiver::start(Mood::Willing).await;
        let redirecting = Receiver::start(Mood::Redirecting(elsewhere.url())).await;
        let endless = Receiver::start(Mood::Endless).await;
        let slow = Receiver::start(Mood::Slow(Duration::from_mins(1))).await;
        let inside = format!("http://localhost:{}/hook", elsewhere.address.port());
        let mut pages = BTreeMap::new();
        for (name, url) in [
            ("slow", slow.url()),
            ("failing", failing.url()),
            ("redirecting", redirecting.url()),
            ("endless", endless.url()),
            ("inside", inside),
            ("closed", "http://127.0.0.1:1/".to_owned()),
        ] {
            let (page, _) = web_channel(&app, &mut ada, name, &url).await;
            assert_eq!(ada.post(&format!("{page}/test"), &[]).await.status, 303);
            pages.insert(name, page);
        }
        for (name, says) in [
            ("failing", "it answered 500, not 2xx"),
            ("redirecting", "redirect, which is not followed"),
            ("endless", "delivered"),
            ("inside", "an address of this network"),
            ("closed", "no connection"),
            ("slow", "no answer in time"),
        ] {
            let page = app.page_with(&mut ada, &pages[name], says).await;
            assert!(!page.contains("<b>way</b>"), "{name}: {page}");
        }
        assert!(elsewhere.all().is_empty(), "what was sent elsewhere came there");

        // after its wait it is tried again, as the same message, and then it is taken
        failing.set(Mood::Willing);
        slow.set(Mood::Willing);
        let before = failing.all().len();
        app.clock.advance(60);
        let hooks = failing.sent(before + 1).await;
        assert_eq!(hooks[0].id, hooks[before].id);
        assert!(hooks[before].timestamp > hooks[0].timestamp, "a signature is as old as its attempt");
        app.page_with(&mut ada, &pages["failing"], "delivered").await;

        // and when it never is, it is given up
        let left = async || {
            let text = "SELECT COUNT(*) FROM alert_notices WHERE state = 'waiting'";
            sql!(value i64, app.db, text).unwrap()
        };
        for _ in 0..60 {
            if left().await == 0 {
                break;
            }
            app.clock.advance(2 * 86_400);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let mut ada = again(&app).await;
        app.page_with(&mut ada, &pages["closed"], "given up").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_rolled_with_an_overlap_and_is_sealed() {
    each(async |app: TestApp| {
        let (receiver, key) = (Receiver::start(Mood::Willing).await, key());
        start(&app, &key, &[]).await;
        let mut ada = consultant(&app).await;
        let (page, old) = web_channel(&app, &mut ada, "Desk <b>", &receiver.url()).await;
        let asked = ada.get(&format!("{page}/roll")).await;
        assert_eq!(asked.status, 200);
        assert!(!asked.text().contains("<b>"), "text stays text");
        let rolled = ada.post(&format!("{page}/roll"), &[]).await.text();
        let new = between(&rolled, r#"id="secret" class="mono">"#, "<").to_owned();
        assert_ne!(old, new);
        ada.post(&format!("{page}/test"), &[]).await;
        let both = receiver.sent(1).await.remove(0);
        assert!(both.is_signed_with(&old) && both.is_signed_with(&new));
        app.clock.advance(25 * 3600);
        let mut ada = again(&app).await;
        ada.post(&format!("{page}/test"), &[]).await;
        let one = receiver.sent(2).await.remove(1);
        assert!(!one.is_signed_with(&old) && one.is_signed_with(&new));

        for secret in [&old, &new] {
            let trail = sql!(values Option<String>, app.db, "SELECT after FROM audit").unwrap();
            assert!(!trail.iter().flatten().any(|after| after.contains(secret.as_str())));
        }
        let sealed = sql!(values Vec<u8>, app.db, "SELECT secret FROM alert_channels").unwrap();
        assert!(sealed[0].len() > 60, "nonce, tag and 32 bytes");

        // paused, it is told nothing but tests; removed, it is gone
        assert_eq!(ada.post(&format!("{page}/switch"), &[("tell", "off")]).await.status, 303);
        let orders = app.orders().await;
        app.until(app.to_type(orders, r#"{"Amount":1}"#), 201).await;
        broken(&app, orders).await;
        app.page_with(&mut ada, &alerts(&app), "a new failure").await;
        tokio::time::sleep(QUIET).await;
        assert_eq!(receiver.all().len(), 2);
        assert_eq!(ada.post(&format!("{page}/remove"), &[("typed_name", "Desk")]).await.status, 422);
        assert_eq!(ada.post(&format!("{page}/remove"), &[("typed_name", "Desk <b>")]).await.status, 303);
        assert_eq!(ada.get(&page).await.status, 404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_gather_what_is_amiss_of_every_tenant_for_the_installation() {
    each(async |app: TestApp| {
        let (sink, key) = (Sink::start(smtp::Mood::Willing).await, key());
        let other = app.another_tenant().await;
        let (orders, theirs) = (app.orders().await, other.orders().await);
        let flags = sink.flags();
        start(&app, &key, &flags.iter().map(String::as_str).collect::<Vec<_>>()).await;
        account(&app, "root@example.com", Role::Administrator, None).await;
        let mut root = Browser::signed_in(&app, "root@example.com").await;
        for (base, name, to) in
            [("/alerts".to_owned(), "On duty", "duty@example.com"), (alerts(&app), "Acme's", "acme@example.com")]
        {
            let bad =
                root.post(&format!("{base}/channels/new"), &[("kind", "mail"), ("name", ""), ("address", "x")]).await;
            assert_eq!(bad.status, 422);
            let fields = [("kind", "mail"), ("name", name), ("address", to)];
            let made = root.post(&format!("{base}/channels/new"), &fields).await;
            assert_eq!(made.status, 303, "{}", made.text());
        }
        broken(&app, orders).await;
        broken(&other, theirs).await;
        let to = |to: &str| {
            sink.all()
                .into_iter()
                .filter(|letter| letter.to == to)
                .map(|letter| letter.text.replace("=\r\n", ""))
                .collect::<String>()
        };
        for _ in 0..500 {
            if to("duty@example.com").contains("Acme")
                && to("duty@example.com").contains("Umbrella")
                && !to("acme@example.com").is_empty()
            {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let (duty, acme) = (to("duty@example.com"), to("acme@example.com"));
        assert!(duty.contains("Acme") && duty.contains("Umbrella"), "{duty}");
        assert!(acme.contains("/Amount") && !acme.contains("Umbrella"), "another tenant's in {acme}");
        assert!(acme.contains("/quarantine/groups/"), "{acme}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_of_another_tenant_sees_or_changes_a_channel() {
    each(async |app: TestApp| {
        let (receiver, key) = (Receiver::start(Mood::Willing).await, key());
        let other = app.another_tenant().await;
        start(&app, &key, &[]).await;
        let mut ada = consultant(&app).await;
        let (page, _) = web_channel(&app, &mut ada, "Desk", &receiver.url()).await;
        // the channel under another tenant's address
        let moved = page.replace(&app.tenant.to_string(), &other.tenant.to_string());
        for rest in ["", "/edit", "/roll", "/remove"] {
            assert_eq!(ada.get(&format!("{moved}{rest}")).await.status, 404, "{rest}");
        }
        for rest in ["/test", "/switch", "/edit", "/roll", "/remove"] {
            let fields = [("name", "x"), ("address", "https://example.com/"), ("typed_name", "Desk")];
            assert_eq!(ada.post(&format!("{moved}{rest}"), &fields).await.status, 404, "{rest}");
        }
        let bound = "bound@example.com";
        account(&app, bound, Role::Consultant, Some(other.tenant)).await;
        let mut bound = Browser::signed_in(&app, bound).await;
        assert_eq!(bound.get(&page).await.status, 404);
        assert_eq!(bound.get(&alerts(&app)).await.status, 404);
        assert!(receiver.all().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_lists_and_tests() {
    each(async |app: TestApp| {
        let (receiver, key) = (Receiver::start(Mood::Willing).await, key());
        let orders = app.orders().await;
        start(&app, &key, &[]).await;
        let mut ada = consultant(&app).await;
        web_channel(&app, &mut ada, "Desk", &receiver.url()).await;
        broken(&app, orders).await;
        receiver.sent(1).await;
        let ask = async |arguments: &[&str]| {
            let (mut command, tenant) = (tributary(&app.database), app.tenant.to_string());
            command.args(["--json", "alert"]).args(arguments).args(["--tenant", &tenant]);
            tokio::task::spawn_blocking(move || run(command, "")).await.unwrap()
        };
        let listed = ask(&["list"]).await.json();
        assert_eq!((listed["kind"].as_str(), listed["state"].as_str()), (Some("failure-group"), Some("open")));
        let channel = ask(&["channels"]).await.json()["id"].as_str().unwrap().to_owned();
        let tested = ask(&["test", &channel]).await;
        assert_eq!((tested.code, tested.json()["status"].as_i64()), (0, Some(200)), "{}", tested.err);
        receiver.set(Mood::Failing);
        let failed = ask(&["test", &channel]).await;
        assert_eq!(failed.code, 1);
        assert!(failed.err.contains("it answered 500"), "{}", failed.err);
        let none = ask(&["test", "0198c0de-6f1e-7a53-9c55-0f5d3f8a1b2c"]).await;
        assert!(none.code == 1 && none.err.contains("no such channel"), "{}", none.err);
    })
    .await;
}

/// The programs of docs/alerts.md, run as they stand there by whichever interpreter is there.
#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_the_docs_take_what_is_signed_and_nothing_else() {
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/alerts.md")).unwrap();
    let secret = tributary::alerts::sign::Secret::generate();
    let (id, body) = ("msg_0198c0de", r#"{"type":"alert.opened","data":{"title":"Über"}}"#);
    #[expect(clippy::disallowed_methods, reason = "the programs ask the system's clock too")]
    let now = chrono::Utc::now().timestamp();
    for (language, program, flag) in [("python", "python3", "-c"), ("js", "node", "-e")] {
        if Command::new(program).arg("--version").output().is_err() {
            continue;
        }
        let code = between(&docs, &format!("```{language}\n"), "```").to_owned();
        let other = tributary::alerts::sign::Secret::generate();
        let good = secret.signature(id, now, body);
        for (signature, timestamp, text, taken) in [
            (good.clone(), now, body, true),
            (format!("{} {good}", other.signature(id, now, body)), now, body, true),
            (other.signature(id, now, body), now, body, false),
            (good.clone(), now, "{}", false),
            (good.clone(), now + 1, body, false),
            (secret.signature(id, now - 3_600, body), now - 3_600, body, false),
            (String::new(), now, body, false),
        ] {
            let call = if language == "python" {
                format!(
                    "{code}\nimport sys\na = sys.argv[1:]\nheaders = {{'webhook-id': a[1], 'webhook-timestamp': a[2], 'webhook-signature': a[3]}}\nprint('taken' if is_from_tributary(a[0], headers, a[4].encode()) else 'refused')"
                )
            } else {
                format!(
                    "{code}\nconst a = process.argv.slice(1);\nconst headers = {{'webhook-id': a[1], 'webhook-timestamp': a[2], 'webhook-signature': a[3]}};\nconsole.log(isFromTributary(a[0], headers, Buffer.from(a[4])) ? 'taken' : 'refused');"
                )
            };
            let arguments = [secret.reveal(), id.to_owned(), timestamp.to_string(), signature, text.to_owned()];
            let mut command = Command::new(program);
            command.arg(flag).arg(call);
            if language == "js" {
                command.arg("--");
            }
            let done = run(command_with(command, &arguments), "");
            let said = if taken { "taken" } else { "refused" };
            assert_eq!(done.out.trim(), said, "{language}: {}", done.err);
        }
    }
}

fn command_with(mut command: Command, arguments: &[String]) -> Command {
    command.args(arguments);
    command
}
