//! Grouping and mending, on both databases.
use super::{
    Cause, ELSEWHERE, Group, MOST, SAMPLES, State, follow, general,
    mend::{self, Judged, Mend},
    store::{self, States, Which},
};
use crate::{
    app::App,
    auth::{Actor, Configure, Permit},
    db::{Db, testing::each},
    event_types::{self, Breach, Contract, UniqueFields},
    events::{self, Cursor, Event, Filter, Verdict, follower, testing::Bench},
    ids::{EventId, EventTypeId, ReceiptId},
    ingest::judge_text,
    jobs::Jobs,
    server, sql,
};

const ORDER: &str = r#"{"type":"object","required":["Amount"],"properties":{"Amount":{"type":"number"},
    "lines":{"type":"array","items":{"type":"object","properties":{"sku":{"type":"string"}}}}}}"#;

pub(super) fn app(bench: &Bench) -> App {
    let jobs = Jobs::new(server::KINDS);
    App { lane: bench.lane.clone(), jobs, ..crate::auth::testing::app(&bench.db, &bench.clock) }
}

pub(super) fn configure(bench: &Bench) -> Permit<Configure> {
    Actor::cli().permit(bench.tenant).unwrap()
}

pub(super) async fn orders(bench: &Bench) -> EventTypeId {
    let event_type = bench.named_type("Order").await;
    contract(bench, event_type, ORDER).await;
    event_type
}

pub(super) async fn contract(bench: &Bench, event_type: EventTypeId, schema: &str) {
    let schema = Contract::parse(schema).unwrap();
    let change = move |details: &mut event_types::Details| details.contract = schema;
    event_types::update(&bench.db, &bench.clock, &configure(bench), event_type, change).await.unwrap();
}

/// Sends events as the front door does: judged by their contract.
pub(super) async fn send(bench: &Bench, event_type: EventTypeId, payloads: &[&str]) -> ReceiptId {
    let read = Actor::cli().permit(bench.tenant).unwrap();
    let event_type = event_types::get(&bench.db, &read, event_type).await.unwrap();
    let longest = crate::auth::testing::settings(&[]).limits.max_event;
    let judged: Vec<_> =
        payloads.iter().map(|payload| judge_text(&event_type, payload, longest).unwrap().errors).collect();
    let given: Vec<_> = payloads
        .iter()
        .zip(&judged)
        .map(|(payload, errors)| (event_type.id, None, *payload, errors.as_deref()))
        .collect();
    bench.send(&given).await
}

pub(super) async fn settle(db: &Db) {
    while follower::step(db).await.unwrap() > 0 {}
    while follow::step(db).await.unwrap() {}
}

pub(super) async fn groups(bench: &Bench) -> Vec<Group> {
    let which = Which { states: States::All, ..Which::default() };
    let mut groups = store::list(&bench.db, &bench.permit(), which, 1000).await.unwrap();
    groups.sort_by(|a, b| (&a.path, &a.rule).cmp(&(&b.path, &b.rule)));
    groups
}

/// Path, rule, and how many ever and in quarantine.
pub(super) async fn told(bench: &Bench) -> Vec<(String, String, i64, i64)> {
    let waiting = store::waiting(&bench.db, &bench.permit()).await.unwrap();
    let bounded = store::waiting_up_to(&bench.db, &bench.permit(), 2).await.unwrap();
    assert!(bounded.iter().all(|(id, count)| *count == waiting.get(id).copied().unwrap_or(0).min(2)), "{bounded:?}");
    let of = |group: &Group| waiting.get(&group.id).copied().unwrap_or(0);
    let groups = groups(bench).await;
    groups.iter().map(|group| (group.path.clone(), group.rule.clone(), group.failures, of(group))).collect()
}

pub(super) fn row(path: &str, rule: &str, ever: i64, waiting: i64) -> (String, String, i64, i64) {
    (path.to_owned(), rule.to_owned(), ever, waiting)
}

pub(super) async fn event(bench: &Bench, id: EventId) -> Event {
    events::store::one(&bench.db, &bench.permit(), id).await.unwrap().unwrap()
}

pub(super) async fn all(bench: &Bench, verdict: Verdict) -> Vec<Event> {
    let filter = Filter { verdict: Some(verdict), ..Filter::default() };
    events::store::whole_page(&bench.db, &bench.permit(), &filter, Cursor::Newest, 10_000).await.unwrap().events
}

const WRONG_TWICE: &str = r#"{"Amount":"1","lines":[{"sku":1},{"sku":"a"},{"sku":2}]}"#;

#[tokio::test]
async fn events_are_grouped_by_what_is_wrong_with_them_and_each_once() {
    each(async |db| {
        let (bench, other) = (Bench::with_tenant(&db).await, Bench::with_tenant(&db).await);
        let (mine, theirs) = (orders(&bench).await, orders(&other).await);
        send(&bench, mine, &["{}", WRONG_TWICE, r#"{"Amount":1}"#, WRONG_TWICE]).await;
        send(&other, theirs, &["{}"]).await;
        bench.clock.advance(7200);
        let last = send(&bench, mine, &["{}", r#"{"Amount":true}"#]).await;
        settle(&db).await;
        let expected =
            [row("/Amount", "required", 2, 2), row("/Amount", "type", 3, 3), row("/lines/*/sku", "type", 2, 2)];
        assert_eq!(told(&bench).await, expected);
        assert_eq!(told(&other).await, [row("/Amount", "required", 1, 1)]);

        // what was in quarantine before there were groups, and a range that is looked through twice
        let tenant = bench.tenant;
        let again = db.write(move |tx| {
            Box::pin(async move {
                let text = "INSERT INTO failure_work (tenant_id, id, low, high) VALUES ($1, $1, NULL, NULL)";
                sql!(exec tx, text, tenant)?;
                follow::note(tx, tenant, last.event(0), last.last_event()).await
            })
        });
        again.await.unwrap();
        settle(&db).await;
        assert_eq!(told(&bench).await, expected);

        let group = &groups(&bench).await[1];
        assert_eq!(group.message, "expected a number, got a boolean", "of the newest");
        assert_eq!((group.samples.len(), group.samples[0]), (3, last.event(1)));
        assert_eq!(group.last_at, last.received_at());
        let hours = store::hours(&db, &bench.permit(), group.first_at - chrono::TimeDelta::hours(1)).await.unwrap();
        let hours: Vec<_> = hours.iter().filter(|(of, ..)| *of == group.id).map(|(.., failures)| *failures).collect();
        assert_eq!((hours.len(), hours.iter().sum::<i64>()), (2, 3));
        let all = Filter { group: Some(group.id), ..Filter::default() };
        let page = events::store::page(&db, &bench.permit(), &all, Cursor::Newest, 2).await.unwrap();
        assert_eq!(page.events.len(), 2);
        let rest = Cursor::Before(page.older.unwrap());
        assert_eq!(events::store::page(&db, &bench.permit(), &all, rest, 2).await.unwrap().events.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_large_request_is_grouped_a_little_at_a_time() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        let event_type = orders(&bench).await;
        send(&bench, event_type, &["{}"; 450]).await;
        while follower::step(&db).await.unwrap() > 0 {}
        let mut steps = 0;
        while follow::step(&db).await.unwrap() {
            steps += 1;
            let ever: i64 = told(&bench).await.iter().map(|(.., ever, _)| ever).sum();
            assert_eq!(ever, (steps * 200).min(450));
        }
        assert_eq!(steps, 3);
        let group = &groups(&bench).await[0];
        assert_eq!(group.samples.len(), SAMPLES);
        assert!(group.samples.is_sorted_by(|a, b| a > b));
    })
    .await;
}

#[tokio::test]
async fn a_sender_that_makes_up_fields_does_not_make_groups_without_end() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        let event_type = bench.named_type("Order").await;
        contract(&bench, event_type, r#"{"additionalProperties":false,"properties":{"a":{}}}"#).await;
        let most = usize::try_from(MOST).unwrap();
        let payloads: Vec<_> = (0..most + 30).map(|n| format!(r#"{{"made-up-{n}":1}}"#)).collect();
        send(&bench, event_type, &payloads.iter().map(String::as_str).collect::<Vec<_>>()).await;
        settle(&db).await;
        let groups = groups(&bench).await;
        assert_eq!(groups.len(), most + 1);
        let rest = groups.iter().find(|group| group.path == ELSEWHERE).expect("the rest");
        assert_eq!((rest.failures, rest.rule.as_str()), (30, "additionalProperties"));
    })
    .await;
}

#[tokio::test]
async fn a_resolved_group_comes_back_and_an_ignored_one_only_counts() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        let event_type = orders(&bench).await;
        send(&bench, event_type, &["{}", r#"{"Amount":"1"}"#]).await;
        settle(&db).await;
        let [missing, mistyped] = <[Group; 2]>::try_from(groups(&bench).await).unwrap();
        let set = async |group: &Group, state| {
            store::set_state(&db, &bench.clock, &configure(&bench), group.id, state).await.unwrap();
        };
        // one that came before, and is grouped after
        send(&bench, event_type, &["{}"]).await;
        bench.clock.advance(60);
        set(&missing, State::Resolved).await;
        set(&mistyped, State::Ignored).await;
        settle(&db).await;
        assert_eq!(groups(&bench).await[0].state, State::Resolved, "nothing new has failed");

        bench.clock.advance(60);
        let back = send(&bench, event_type, &["{}", r#"{"Amount":"1"}"#]).await;
        settle(&db).await;
        let [missing, mistyped] = <[Group; 2]>::try_from(groups(&bench).await).unwrap();
        assert_eq!((missing.state, missing.failures), (State::Open, 3));
        assert_eq!(missing.reopened_at, Some(back.received_at()));
        assert!(missing.resolved_at.unwrap() < back.received_at());
        assert_eq!((mistyped.state, mistyped.failures, mistyped.reopened_at), (State::Ignored, 2, None));

        bench.clock.advance(60);
        set(&missing, State::Acknowledged).await;
        set(&missing, State::Acknowledged).await;
        set(&missing, State::Resolved).await;
        let missing = groups(&bench).await.remove(0);
        assert_eq!((missing.reopened_at, missing.changed_by.as_deref()), (None, Some("cli")));
        let text = "SELECT action FROM audit WHERE action LIKE 'failure-group.%' ORDER BY at, id";
        let audited = sql!(values String, &db, text).unwrap();
        assert_eq!(
            audited,
            ["failure-group.resolve", "failure-group.ignore", "failure-group.acknowledge", "failure-group.resolve"]
        );
    })
    .await;
}

#[tokio::test]
async fn an_event_is_mended_once_and_its_original_stays() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        let app = app(&bench);
        let event_type = orders(&bench).await;
        let receipt = send(&bench, event_type, &[WRONG_TWICE, r#"{"Amount":1}"#]).await;
        settle(&db).await;
        let original = event(&bench, receipt.event(0)).await;
        let read = Actor::cli().permit(bench.tenant).unwrap();
        let found = mend::type_in_force(&app, &read, &original).await.unwrap();
        let keep = |text: &str| match mend::judge(&app, &found, text) {
            Judged::Kept(row, _) => *row,
            other => panic!("{other:?}"),
        };
        assert!(matches!(mend::judge(&app, &found, WRONG_TWICE), Judged::Broken(breaches) if breaches.len() == 3));
        for nonsense in ["", "[1]", "{", "{} {}", "7"] {
            assert!(matches!(mend::judge(&app, &found, nonsense), Judged::NoEvent(_)), "{nonsense}");
        }
        let mended = r#" { "Amount" : 1.50 }"#;
        let permit = configure(&bench);
        let (one, two) = tokio::join!(
            mend::one(&app, &permit, &original, keep(mended)),
            mend::one(&app, &permit, &original, keep(r#"{"Amount":2}"#)),
        );
        let (Mend::New(new), Mend::Before(same)) = (one.unwrap(), two.unwrap()) else { panic!("mended twice") };
        assert_eq!(new, same);
        assert_eq!(mend::one(&app, &permit, &original, keep(mended)).await.unwrap(), Mend::Before(new));

        let now = event(&bench, original.id).await;
        assert_eq!(now, Event { verdict: Verdict::Mended, ..original.clone() });
        let new = event(&bench, new).await;
        assert_eq!((new.verdict, new.payload.as_str()), (Verdict::Accepted, r#"{ "Amount" : 1.50 }"#));
        assert_eq!((new.event_type_id, new.source_id), (original.event_type_id, original.source_id));
        let link = store::mended(&db, &bench.permit(), original.id).await.unwrap().unwrap();
        assert_eq!((link.mended_id, link.mended_by.as_str()), (new.id, "cli"));
        assert_eq!(store::origins(&db, &bench.permit(), new.id).await.unwrap(), [link]);
        settle(&db).await;
        assert_eq!(told(&bench).await, [row("/Amount", "type", 1, 0), row("/lines/*/sku", "type", 1, 0)]);
        let count = async |verdict| {
            let filter = Filter { verdict: Some(verdict), ..Filter::default() };
            events::store::count(&db, &bench.permit(), &filter).await.unwrap()
        };
        let counts = (count(Verdict::Accepted).await, count(Verdict::Quarantined).await, count(Verdict::Mended).await);
        assert_eq!(counts, (2, 0, 1));
        let text = "SELECT object_id, after FROM audit WHERE action = 'event.mend'";
        let [(object, after)] =
            <[(String, String); 1]>::try_from(sql!(all(String, String), &db, text).unwrap()).unwrap();
        let after: serde_json::Value = serde_json::from_str(&after).unwrap();
        assert_eq!((object, after["mended"].as_str()), (original.id.to_string(), Some(&*new.id.to_string())));
    })
    .await;
}

#[tokio::test]
async fn nothing_is_mended_that_cannot_be_written_down() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        let app = app(&bench);
        let event_type = orders(&bench).await;
        let original = event(&bench, send(&bench, event_type, &["{}"]).await.event(0)).await;
        let read = Actor::cli().permit(bench.tenant).unwrap();
        let found = mend::type_in_force(&app, &read, &original).await.unwrap();
        let Judged::Kept(row, _) = mend::judge(&app, &found, r#"{"Amount":1}"#) else { panic!("it keeps it") };
        let full = db.write(|tx| {
            Box::pin(async move {
                sql!(exec tx, "ALTER TABLE audit RENAME TO lost")?;
                Ok(())
            })
        });
        full.await.unwrap();
        mend::one(&app, &configure(&bench), &original, *row).await.unwrap_err();
        assert_eq!(event(&bench, original.id).await, original);
        assert!(store::mended(&db, &bench.permit(), original.id).await.unwrap().is_none());
        assert_eq!(all(&bench, Verdict::Accepted).await.len(), 0);
    })
    .await;
}

#[tokio::test]
async fn unique_values_hold_for_mended_events_too() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        let app = app(&bench);
        let event_type = orders(&bench).await;
        let unique = |details: &mut event_types::Details| details.unique_fields = UniqueFields::parse(["Id"]).unwrap();
        let permit = configure(&bench);
        event_types::update(&db, &bench.clock, &permit, event_type, unique).await.unwrap();
        let receipt = send(&bench, event_type, &["{}", r#"{"Id":1}"#, r#"{"Id":2}"#, r#"{"Id":3}"#]).await;
        let read = Actor::cli().permit(bench.tenant).unwrap();
        let mend = async |index: usize, text: &str| {
            let original = event(&bench, receipt.event(index)).await;
            let found = mend::type_in_force(&app, &read, &original).await.unwrap();
            let Judged::Kept(row, _) = mend::judge(&app, &found, text) else { panic!("{text}") };
            mend::one(&app, &permit, &original, *row).await.unwrap()
        };
        let Mend::New(first) = mend(0, r#"{"Id":7,"Amount":1}"#).await else { panic!("not new") };
        let conflict = mend(1, r#"{"Id":7,"Amount":2}"#).await;
        assert!(matches!(&conflict, Mend::Still(errors) if errors.contains(&first.to_string())), "{conflict:?}");
        assert_eq!(event(&bench, receipt.event(1)).await.verdict, Verdict::Quarantined);
        assert_eq!(mend(2, r#"{"Id":7,"Amount":1}"#).await, Mend::Same(first));
        assert!(matches!(mend(1, r#"{"Id":8,"Amount":2}"#).await, Mend::New(_)));
        assert_eq!(store::origins(&db, &bench.permit(), first).await.unwrap().len(), 2);
        assert_eq!(all(&bench, Verdict::Accepted).await.len(), 2);
        assert_eq!(all(&bench, Verdict::Quarantined).await.len(), 1);
    })
    .await;
}

#[test]
fn places_are_told_in_general() {
    for (path, expected) in [
        ("", ""),
        ("/Amount", "/Amount"),
        ("/lines/3/sku", "/lines/*/sku"),
        ("/lines/12", "/lines/*"),
        ("/a/0/b/1", "/a/*/b/*"),
        ("/2nd/x2", "/2nd/x2"),
        ("/", "/"),
    ] {
        assert_eq!(general(path), expected);
    }
}

#[test]
fn a_group_is_named_by_what_its_events_have_in_common() {
    let of = |event_type: u128, rule: &str, path: &str| {
        let event_type = EventTypeId(uuid::Uuid::from_u128(event_type));
        Cause::of(event_type, &Breach::new(path, rule, "words do not count")).group()
    };
    assert_eq!(of(1, "type", "/lines/3/sku"), of(1, "type", "/lines/44/sku"));
    let different = [of(1, "type", "/a"), of(2, "type", "/a"), of(1, "required", "/a"), of(1, "type", "/a/b")];
    for (n, one) in different.iter().enumerate() {
        assert!(different[n + 1..].iter().all(|other| one != other));
    }
    assert_ne!(of(1, "a", "/b"), of(1, "a/", "b"));
}

#[tokio::test]
async fn groups_long_past_are_forgotten_and_make_room_for_new_causes() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        let event_type = bench.named_type("Order").await;
        contract(&bench, event_type, r#"{"additionalProperties":false,"properties":{"a":{}}}"#).await;
        let most = usize::try_from(MOST).unwrap();
        let payloads: Vec<_> = (0..most).map(|n| format!(r#"{{"made-up-{n}":1}}"#)).collect();
        send(&bench, event_type, &payloads.iter().map(String::as_str).collect::<Vec<_>>()).await;
        settle(&db).await;
        let all = groups(&bench).await;
        let (ignored, seen_again) = (all[0].clone(), all[1].clone());
        store::set_state(&db, &bench.clock, &configure(&bench), ignored.id, State::Ignored).await.unwrap();
        bench.clock.advance(20 * 86_400);
        let again = format!("{{\"{}\":1}}", seen_again.path.trim_start_matches('/'));
        send(&bench, event_type, &[again.as_str()]).await;
        settle(&db).await;
        let sweep = async || events::retention::Sweeper::default().sweep(&app(&bench)).await.unwrap();
        sweep().await;
        assert_eq!(groups(&bench).await.len(), most, "their time is not over");
        bench.clock.advance(15 * 86_400);
        sweep().await;
        let left: Vec<_> = groups(&bench).await.into_iter().map(|group| group.id).collect();
        assert!(left.len() == 2 && left.contains(&ignored.id) && left.contains(&seen_again.id), "{left:?}");
        let hours = sql!(value i64, &db, "SELECT COUNT(DISTINCT group_id) FROM failure_hours").unwrap();
        assert_eq!(hours, 2);
        send(&bench, event_type, &[r#"{"something-new":1}"#]).await;
        settle(&db).await;
        assert!(groups(&bench).await.iter().any(|group| group.path == "/something-new"), "there is room again");
    })
    .await;
}
