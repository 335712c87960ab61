//! Polling, from the other side's records to stored events: what is there is delivered, all of it and once.
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tributary::polling::{State, Window, ledger, store};

use crate::support::{
    TestApp, each,
    poll::Poll,
    program::{run, tributary},
    shop::{PAGE, Shop},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_is_delivered_late_or_changed_or_by_another_interval() {
    each(async |app: TestApp| {
        let late = json!({"schedule": {"everyMinutes": 60, "settleSeconds": 0, "lookbackMinutes": 120}});
        let poll = Poll::new(app, late, TimeDelta::hours(6)).await;
        let now = poll.app.clock.now();
        poll.shop.fill(1, 95, TimeDelta::hours(6));
        // seen only after its hour was read
        poll.shop.late(500, 1, now - TimeDelta::minutes(70), TimeDelta::hours(2));
        poll.start().await;
        poll.until("begun", 0, async || poll.now().await.watermark > now - TimeDelta::hours(2)).await;
        poll.complete(poll.now().await.watermark).await;
        poll.must_agree().await;
        // an order changes: another event; and two hours later, the late one is there
        poll.shop.order(3, 2, now + TimeDelta::minutes(1));
        let due = poll.now().await.watermark + TimeDelta::minutes(60);
        poll.until("asked again", 300, async || poll.now().await.watermark >= due).await;
        poll.complete(due).await;
        let due = due + TimeDelta::minutes(60);
        poll.until("asked again", 300, async || poll.now().await.watermark >= due).await;
        poll.complete(due).await;
        assert!(poll.delivered().await.is_superset(&BTreeSet::from([(3, 1), (3, 2), (500, 1)])));
        poll.must_agree().await;
        assert!(poll.now().await.lateness.n() > 0);
        // asked more often from now on
        poll.edit(json!({"schedule": {"everyMinutes": 5, "settleSeconds": 0, "lookbackMinutes": 10}})).await;
        poll.shop.fill(600, 20, TimeDelta::minutes(10));
        poll.run_now().await;
        let end = poll.app.clock.now() - TimeDelta::seconds(1);
        poll.until("run", 1, async || poll.now().await.watermark >= end).await;
        poll.complete(end).await;
        poll.must_agree().await;
        // from an event back to what was asked
        let event = poll.app.stored().await.pop().unwrap();
        let origin = store::origin(&poll.app.db, &poll.read(), event.id).await.unwrap().expect("an origin");
        assert_eq!(origin.source_id, poll.source);
        let attempts = store::attempts(&poll.app.db, &poll.read(), origin.window_id).await.unwrap();
        let attempt = attempts.iter().find(|attempt| attempt.number == origin.attempt).expect("its attempt");
        let requests: Value = serde_json::from_str(&attempt.requests).unwrap();
        let at = usize::try_from(origin.request).unwrap();
        assert!(requests[at]["url"].as_str().unwrap().contains("/orders?"), "{requests}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_was_cut_off_goes_on_where_it_was() {
    each(async |app: TestApp| {
        let poll = Poll::new(app, json!({}), TimeDelta::hours(5)).await;
        poll.shop.fill(1, 200, TimeDelta::hours(5));
        poll.shop.mood(|mood| mood.slow = Duration::from_millis(60));
        poll.start().await;
        poll.until("half of it", 0, async || poll.delivered().await.len() >= 60).await;
        poll.app.stop().await;
        let (before, stored) = (poll.shop.asked().len(), poll.delivered().await.len());
        assert!(stored < 150, "it was cut off: {stored}");
        poll.shop.mood(|mood| mood.slow = Duration::ZERO);
        poll.start().await;
        poll.complete(poll.now().await.watermark).await;
        poll.must_agree().await;
        let asked = poll.shop.asked().split_off(before);
        assert!(asked[0].offset >= stored - 2 * PAGE, "it began again at {}, with {stored} stored", asked[0].offset);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_with_too_many_pages_is_split_until_it_fits() {
    each(async |app: TestApp| {
        let capped = json!({"pages": {"kind": "offset", "parameter": "offset", "cap": 4}});
        let poll = Poll::new(app, capped, TimeDelta::hours(20)).await;
        poll.shop.fill(1, 300, TimeDelta::hours(20));
        poll.start().await;
        poll.until("begun", 0, async || !poll.windows().await.is_empty()).await;
        poll.complete(poll.now().await.watermark).await;
        poll.must_agree().await;
        let windows = poll.windows().await;
        assert!(windows.iter().any(|entry| entry.state == ledger::State::Split));
        assert!(windows.iter().all(|entry| entry.requests <= 5), "{windows:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_share_the_windows_and_store_nothing_twice() {
    each(async |app: TestApp| {
        let poll = Poll::new(app, json!({}), TimeDelta::hours(3)).await;
        poll.shop.fill(1, 400, TimeDelta::days(4));
        poll.shop.mood(|mood| mood.slow = Duration::from_millis(20));
        let range = Window::new(poll.app.clock.now() - TimeDelta::days(4), poll.app.clock.now());
        let (db, clock, permit) = (&poll.app.db, &poll.app.clock, poll.app.permit());
        let slice = TimeDelta::hours(2);
        let filled = store::change::backfill(db, clock, &permit, poll.source, range, slice).await.unwrap();
        assert!(filled.before.len() > 40);
        poll.start().await;
        // SQLite is for one server alone
        if poll.app.database.starts_with("postgres") {
            poll.start().await;
        }
        poll.until("begun", 0, async || poll.now().await.watermark > range.until - TimeDelta::hours(2)).await;
        poll.complete(poll.now().await.watermark).await;
        poll.must_agree().await;
        assert!(poll.shop.most() > 1, "windows are read beside each other");
        assert!(poll.shop.most() <= 4, "but no more of a source than may be: {}", poll.shop.most());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_refuses_the_token_is_asked_three_times_and_then_no_more() {
    each(async |app: TestApp| {
        let bearer = json!({"authentication": {"kind": "bearer"}, "token": "stale"});
        let poll = Poll::new(app, bearer, TimeDelta::hours(3)).await;
        poll.shop.fill(1, 15, TimeDelta::hours(3));
        poll.shop.mood(|mood| mood.token = Some("good".into()));
        poll.start().await;
        poll.until("refused", 3, async || poll.now().await.state == State::Refused).await;
        assert_eq!(poll.shop.asked().len(), 3);
        assert!(poll.now().await.reason.unwrap().contains("401"));
        poll.app.clock.advance(7200);
        tokio::time::sleep(Duration::from_millis(1200)).await;
        assert_eq!(poll.shop.asked().len(), 3, "nobody asks any more");
        let (db, clock, keys, permit) = (&poll.app.db, &poll.app.clock, poll.keys(), poll.app.permit());
        // the new one is not good yet over there: the one before is tried as well
        poll.shop.mood(|mood| mood.token = Some("stale".into()));
        store::change::set_secret(db, clock, &keys, &permit, poll.source, "good", TimeDelta::days(2)).await.unwrap();
        store::change::resume(db, clock, &permit, poll.source).await.unwrap();
        poll.until("complete", 0, async || poll.windows().await.iter().all(|entry| entry.done_at.is_some())).await;
        poll.must_agree().await;
        // no secret is anywhere in what is kept of it
        for entry in poll.windows().await {
            for attempt in store::attempts(db, &poll.read(), entry.id).await.unwrap() {
                assert!(!attempt.requests.contains("stale") && !attempt.requests.contains("good"));
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_to_be_left_alone_is_left_alone_by_all() {
    each(async |app: TestApp| {
        let poll = Poll::new(app.clone(), json!({}), TimeDelta::hours(3)).await;
        poll.shop.fill(1, 15, TimeDelta::hours(3));
        let until = app.clock.now() + TimeDelta::seconds(120);
        poll.shop.mood(|mood| mood.busy = Some((429, until)));
        poll.start().await;
        poll.until("asked", 0, async || poll.windows().await.iter().any(|entry| entry.fault.is_some())).await;
        poll.run_now().await;
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert_eq!(poll.shop.asked().len(), 1, "not even when somebody wants it now");
        assert!(poll.delivered().await.is_empty());
        app.clock.advance(125);
        poll.until("complete", 0, async || poll.windows().await.iter().all(|entry| entry.done_at.is_some())).await;
        poll.must_agree().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_settled_by_their_clock_is_read_again() {
    each(async |app: TestApp| {
        let poll = Poll::new(app.clone(), json!({}), TimeDelta::hours(3)).await;
        poll.shop.mood(|mood| mood.behind = 600);
        let now = app.clock.now();
        poll.shop.fill(1, 30, TimeDelta::hours(3));
        // what they will write in the minutes that are over for us
        for n in 0..5 {
            poll.shop.order(100 + n, 1, now - TimeDelta::seconds(60 * i64::from(n) + 30));
        }
        poll.run_now().await;
        poll.start().await;
        poll.until("read too early", 0, async || {
            poll.windows().await.iter().any(|entry| entry.fault.as_deref().is_some_and(|fault| fault.contains("clock")))
        })
        .await;
        poll.until("complete", 20, async || poll.windows().await.iter().all(|entry| entry.done_at.is_some())).await;
        assert!(poll.now().await.watermark > now - TimeDelta::seconds(30));
        poll.must_agree().await;
        let skew = poll.now().await.skew.num_seconds();
        assert!((-640..=-590).contains(&skew), "{skew}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_with_an_hour_too_few_loses_nothing() {
    each(async |app: TestApp| {
        // on to the evening before the clocks go forward in Amsterdam
        let evening: DateTime<Utc> = "2027-03-27T20:00:00Z".parse().unwrap();
        app.clock.advance((evening - app.clock.now()).num_seconds());
        let nightly = json!({"schedule": {"cron": "30 2 * * *", "zone": "Europe/Amsterdam", "settleSeconds": 0}});
        let poll = Poll::new(app, nightly, TimeDelta::hours(30)).await;
        for hour in 0..60 {
            poll.shop.order(hour, 1, evening - TimeDelta::hours(12) + TimeDelta::hours(i64::from(hour)));
        }
        poll.start().await;
        let end = evening + TimeDelta::hours(36);
        poll.until("two nights", 1800, async || poll.now().await.watermark > end - TimeDelta::hours(10)).await;
        poll.complete(end - TimeDelta::hours(10)).await;
        poll.must_agree().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_sets_a_source_up_and_shows_its_ledger() {
    each(async |app: TestApp| {
        let event_type = app.event_type(|_| {}).await;
        let shop = Shop::open(&app.clock).await;
        shop.fill(1, 25, TimeDelta::hours(1));
        let folder = tempfile::tempdir().unwrap();
        let (file, key) = (folder.path().join("SOURCE.json"), folder.path().join("key"));
        std::fs::write(&file, shop.source(json!({"authentication": {"kind": "bearer"}, "token": "hush"})).to_string())
            .unwrap();
        std::fs::write(&key, format!("{}\n", "A".repeat(43))).unwrap();
        let call = |arguments: &[&str]| {
            let mut command = tributary(&app.database);
            command.env("TRIBUTARY_KEY_FILE", &key).arg("--json").args(arguments);
            run(command, "")
        };
        app.start_with(&["--allow-outbound", "127.0.0.1", "--key-file", key.to_str().unwrap()]).await;
        let (tenant, event_type) = (app.tenant.to_string(), event_type.to_string());
        let file = file.to_str().unwrap();
        let add = call(&["source", "add", "--tenant", &tenant, "--event-type", &event_type, "--file", file]);
        assert_eq!(add.code, 0, "{}", add.err);
        let id = add.json()["id"].as_str().expect("an id").to_owned();
        assert_eq!(call(&["source", "run", "--id", &id]).code, 0);
        let began = Instant::now();
        let rows = loop {
            let rows = call(&["source", "ledger", "--id", &id]).lines();
            let new: i64 = rows.iter().map(|row| row["new"].as_i64().unwrap()).sum();
            if new == 25 && rows.iter().all(|row| row["state"] == "done") {
                break rows;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "{rows:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        for pair in rows.windows(2) {
            assert_eq!(pair[0]["to"], pair[1]["from"]);
        }
        let sum = |key: &str| rows.iter().map(|row| row[key].as_i64().unwrap()).sum::<i64>();
        assert_eq!(sum("records"), sum("new") + sum("duplicates"));
        let list = call(&["source", "list", "--tenant", &tenant]);
        assert_eq!(list.json()["health"], "fresh");
        let export = call(&["source", "export", "--id", &id]);
        assert!(!export.out.contains("hush") && export.json()["name"] == "Orders", "{}", export.out);
        let window = rows[0]["id"].as_str().unwrap();
        let evidence = call(&["source", "evidence", "--id", &id, window]).json();
        assert_eq!(evidence["requests"][0]["status"], 200);
        // far into the past, estimated first
        let range =
            ["source", "backfill", "--id", &id, "--from", "2026-01-01", "--until", "2026-01-11", "--slice", "7d"];
        let dry = call(&[&range[..], &["--dry-run"]].concat()).json();
        assert_eq!((&dry["dryRun"], &dry["reread"]), (&json!(true), &json!(0)));
        assert_eq!(call(&["source", "ledger", "--id", &id]).lines().len(), rows.len());
        for (verb, state) in [("pause", "paused"), ("resume", "active"), ("remove", "removed")] {
            assert_eq!(call(&["source", verb, "--id", &id]).json()["state"], state);
        }
        let gone = call(&["source", "show", "--id", &id]);
        assert_eq!(gone.code, 1);
        assert!(gone.err.contains("no such source"), "{}", gone.err);
    })
    .await;
}
