//! Replaying many, on both databases, by processes that die.
use std::time::Duration;

use super::{
    super::tests::{all, app, configure, contract, event, groups, orders, row, send, settle, told},
    Asked, KIND, count, start,
};
use crate::{
    app::App,
    db::{Db, lane::Lane, testing::each},
    event_types,
    events::{
        self, Filter, Source, Verdict,
        testing::{Bench, some_token},
    },
    ids::{EventTypeId, TaskId},
    jobs, sql,
};

async fn ask(app: &App, bench: &Bench, event_type: Option<EventTypeId>) -> (TaskId, i64) {
    let filter = Filter { event_type, ..Filter::default() };
    let asked = Asked::new(&filter, bench.clock.now(), "all".into());
    let total = count(app, &bench.permit(), &asked).await.unwrap();
    (start(app, &configure(bench), asked, total).await.unwrap(), total)
}

/// As if whoever had the tasks were gone for longer than they may.
async fn lease_runs_out(db: &Db) {
    let out = db.write(|tx| {
        Box::pin(async move {
            let long_ago = chrono::DateTime::<chrono::Utc>::UNIX_EPOCH;
            sql!(exec tx, "UPDATE tasks SET held_until = $1 WHERE state = 'running'", long_ago)?;
            Ok(())
        })
    });
    out.await.unwrap();
}

/// Works tasks off until this one has ended.
async fn work_off(app: &App, bench: &Bench, id: TaskId) -> jobs::Task {
    let app = App { stopping: tokio_util::sync::CancellationToken::new(), ..app.clone() };
    let worker = tokio::spawn(jobs::worker::run(app.clone()));
    let task = loop {
        let task = jobs::get(&bench.db, &bench.permit(), id).await.unwrap();
        if !task.state.is_open() {
            break task;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    app.stopping.cancel();
    worker.await.unwrap();
    task
}

/// Another process on the same database.
fn another(bench: &Bench) -> App {
    App { lane: Lane::start(&bench.db, &bench.clock), ..app(bench) }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_replayed_by_the_contract_in_force_and_nothing_twice_however_often_it_is_killed() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        let event_type = orders(&bench).await;
        let (text, number) = (r#"{"Amount":"1"}"#, r#"{"Amount":null}"#);
        let mut payloads = vec![text; 240];
        payloads.extend([number; 40]);
        let receipt = send(&bench, event_type, &payloads).await;
        settle(&db).await;
        contract(&bench, event_type, r#"{"required":["Amount"],"properties":{"Amount":{"type":"string"}}}"#).await;
        bench.clock.advance(1);
        let (id, total) = ask(&app(&bench), &bench, Some(event_type)).await;
        assert_eq!(total, 280);
        // one that came later is not meant
        send(&bench, event_type, &["{}"]).await;

        // killed between what the lane has committed and what the task commits: the step is done, and lost
        let task = jobs::get(&db, &bench.permit(), id).await.unwrap();
        drop((KIND.step)(&app(&bench), &task).await.unwrap());
        assert_eq!(all(&bench, Verdict::Accepted).await.len(), 50);
        // and at any other time
        for patience in [0, 1, 3, 7, 15, 20] {
            let worker = tokio::spawn(jobs::worker::run(another(&bench)));
            tokio::time::sleep(Duration::from_millis(patience)).await;
            worker.abort();
            let _ = worker.await;
            lease_runs_out(&db).await;
        }
        let done = work_off(&another(&bench), &bench, id).await;
        assert_eq!((done.state, done.error.as_deref()), (jobs::State::Done, None));
        assert_eq!((done.counter("mended"), done.counter("failing"), done.done), (240, 40, 280));

        assert_eq!(all(&bench, Verdict::Accepted).await.len(), 240);
        assert_eq!(all(&bench, Verdict::Mended).await.len(), 240);
        assert_eq!(all(&bench, Verdict::Quarantined).await.len(), 41);
        let text = "SELECT COUNT(DISTINCT mended_id) FROM mended";
        assert_eq!(sql!(value i64, &db, text).unwrap(), 240);
        settle(&db).await;
        // those that fail still are in the group of what is wrong with them by now
        let still = event(&bench, receipt.event(279)).await;
        assert_eq!(still.breaches()[0].message, "expected a string, got null");
        let groups = told(&bench).await;
        assert_eq!(groups, [row("/Amount", "required", 1, 1), row("/Amount", "type", 280, 40)]);

        // once more does no harm
        let (again, total) = ask(&app(&bench), &bench, Some(event_type)).await;
        assert_eq!(total, 41);
        let done = work_off(&another(&bench), &bench, again).await;
        assert_eq!((done.counter("mended"), done.counter("failing")), (0, 41));
        assert_eq!(told(&bench).await, groups);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_otherwise_changes_its_group_and_its_receipt_stays_what_was_answered() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        let event_type = orders(&bench).await;
        let receipt = send(&bench, event_type, &[r#"{"Amount":"1"}"#, r#"{"Amount":1}"#]).await;
        settle(&db).await;
        contract(&bench, event_type, r#"{"required":["Total"]}"#).await;
        bench.clock.advance(1);
        let group = groups(&bench).await.remove(0).id;
        let filter = Filter { group: Some(group), ..Filter::default() };
        let asked = Asked::new(&filter, bench.clock.now(), "it".into());
        let app = app(&bench);
        assert_eq!(count(&app, &bench.permit(), &asked).await.unwrap(), 1);
        let id = start(&app, &configure(&bench), asked, 1).await.unwrap();
        let done = work_off(&app, &bench, id).await;
        assert_eq!((done.counter("mended"), done.counter("failing")), (0, 1));
        assert_eq!(told(&bench).await, [row("/Amount", "type", 1, 0), row("/Total", "required", 1, 1)]);
        assert_eq!(event(&bench, receipt.event(0)).await.breaches()[0].path, "/Total");
        let kept = events::store::receipt_row(&db, bench.tenant, receipt).await.unwrap().expect("it is kept");
        assert!(kept.rejected.contains("/Amount") && !kept.rejected.contains("/Total"), "{}", kept.rejected);
        assert_eq!((kept.status, kept.accepted), (201, 1));

        // a type that takes no events: nothing is accepted, and nothing else happens to them
        let off = |details: &mut event_types::Details| details.enabled = false;
        event_types::update(&db, &bench.clock, &configure(&bench), event_type, off).await.unwrap();
        let (id, _) = ask(&app, &bench, None).await;
        let done = work_off(&app, &bench, id).await;
        assert_eq!((done.state, done.counter("failing")), (jobs::State::Done, 1));
        assert_eq!(event(&bench, receipt.event(0)).await.breaches()[0].path, "/Total");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_is_replayed_than_the_whole_filter_asks_for() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        let (event_type, other) = (orders(&bench).await, orders(&bench).await);
        let (mine, yours) = (some_token(1), some_token(2));
        let wrong = r#"[{"path":"/Amount","rule":"type","message":"expected a number, got a string"}]"#;
        let text = r#"{"Amount":"1"}"#;
        let send = async |event_type, source, count: usize| {
            bench.clock.advance(60);
            let before = bench.clock.now();
            bench.send(&vec![(event_type, source, text, Some(wrong)); count]).await;
            before
        };
        send(event_type, Some(mine), 3).await;
        let from = send(event_type, Some(mine), 60).await;
        send(event_type, Some(yours), 5).await;
        send(other, Some(mine), 7).await;
        let until = send(event_type, None, 11).await;
        send(event_type, Some(mine), 13).await;
        bench.clock.advance(1);
        settle(&db).await;
        let any = r#"{"required":["Amount"]}"#;
        contract(&bench, event_type, any).await;
        contract(&bench, other, any).await;
        let group = groups(&bench).await.into_iter().find(|group| group.event_type_id == event_type).unwrap().id;

        let of_group = Filter { group: Some(group), ..Filter::default() };
        let (mine, yours) = (Some(Source::Token(mine)), Some(Source::Token(yours)));
        let app = app(&bench);
        for (filter, expected) in [
            (Filter { source: Some(Source::Anonymous), ..of_group.clone() }, 11),
            (Filter { event_type: Some(other), ..of_group.clone() }, 0),
            (Filter { source: mine, from: Some(from), until: Some(until), ..of_group.clone() }, 60),
            (Filter { source: mine, event_type: Some(other), ..Filter::default() }, 7),
            (Filter { source: yours, until: Some(from), ..Filter::default() }, 0),
            (Filter { until: Some(from), ..Filter::default() }, 3),
            (Filter::default(), 18),
        ] {
            let asked = Asked::new(&filter, bench.clock.now(), "it".into());
            let total = count(&app, &bench.permit(), &asked).await.unwrap();
            let id = start(&app, &configure(&bench), asked, total).await.unwrap();
            let done = work_off(&app, &bench, id).await;
            assert_eq!((total, done.counter("mended"), done.error), (expected, expected, None), "{filter:?}");
        }
    })
    .await;
}

#[test]
fn tasks_queued_before_there_were_filters_still_read() {
    let id = "00000000-0000-0000-0000-000000000007";
    let old = format!(r#"{{"group":null,"event_type":"{id}","until":"2026-11-18T10:00:00Z","of":"Order"}}"#);
    let asked: Asked = serde_json::from_str(&old).unwrap();
    assert_eq!(asked.filter.event_type, Some(id.parse().unwrap()));
    assert_eq!(asked.filter.until.map(|at| at.to_rfc3339()).as_deref(), Some("2026-11-18T10:00:00+00:00"));
    assert_eq!((asked.filter.source, asked.filter.from, asked.of()), (None, None, "Order"));
    let again: Asked = serde_json::from_value(serde_json::to_value(&asked).unwrap()).unwrap();
    assert_eq!(again, asked);
}
