//! Readings against the stand-in, over real sockets.
use std::{collections::BTreeSet, time::Duration};

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::*;
use crate::{
    clock::Clock,
    http_client::Allowed,
    polling::definition::{Precision, testing::definition},
    vendor::{self, Manner, Paging, Running, Trouble},
};

async fn vendor(manner: Manner) -> (Running, Client) {
    let running = vendor::start("127.0.0.1:0".parse().unwrap(), manner, Clock::system()).await.unwrap();
    let client = Client::new(Allowed::new(&[running.address.to_string()]), Clock::system());
    (running, client)
}

fn pages(paging: Paging) -> Value {
    let size = json!({"parameter": "size", "value": 20});
    match paging {
        Paging::None => json!({"kind": "none"}),
        Paging::Number => json!({"kind": "number", "parameter": "page", "size": size}),
        Paging::Offset => json!({"kind": "offset", "parameter": "offset", "size": size}),
        Paging::Cursor => json!({"kind": "cursorInBody", "path": "$.meta.cursor", "parameter": "cursor"}),
        Paging::CursorHeader => json!({"kind": "cursorInHeader", "header": "x-next", "parameter": "cursor"}),
        Paging::Next => json!({"kind": "nextInBody", "path": "$.meta.next"}),
        Paging::Link => json!({"kind": "link"}),
    }
}

fn all(manner: &Manner) -> Window {
    Window::new(manner.start, manner.start + manner.step * i32::try_from(manner.records + 1).unwrap())
}

/// Reads to the end; the ids, and the fault, if there is one.
async fn drain(reading: &mut Reading) -> (Vec<u64>, Option<Fault>) {
    let mut ids = Vec::new();
    loop {
        match reading.next().await {
            Ok(Some(chunk)) => {
                assert!(!chunk.records.is_empty() && chunk.records.len() <= CHUNK_RECORDS);
                ids.extend(chunk.records.iter().map(|record| {
                    assert_eq!(record.fault, None);
                    serde_json::from_str::<Value>(&record.event).unwrap()["id"].as_u64().unwrap()
                }));
            }
            Ok(None) => return (ids, None),
            Err(fault) => return (ids, Some(fault)),
        }
    }
}

const PAGINGS: [Paging; 7] =
    [Paging::None, Paging::Number, Paging::Offset, Paging::Cursor, Paging::CursorHeader, Paging::Next, Paging::Link];

#[tokio::test]
async fn everything_is_read_by_every_kind_of_page() {
    for paging in PAGINGS {
        for records in [0, 1, 19, 20, 21, 137] {
            // it gives fewer than it is asked for
            let manner = Manner { records, paging, size: 17, ..Manner::default() };
            let (running, client) = vendor(manner.clone()).await;
            let definition = definition(&running.url(), json!({"pages": pages(paging)}));
            let mut reading = Reading::new(&client, &definition, None, all(&manner), None);
            let (ids, fault) = drain(&mut reading).await;
            assert_eq!(fault, None, "{paging:?}");
            let expected: Vec<_> = running.world().items().iter().map(|item| item.id).collect();
            assert_eq!(ids, expected, "{paging:?} {records}");
            assert_eq!(reading.evidence().len() as u64, running.requests());
            assert!(reading.evidence().iter().all(|one| one.sha256.is_some() && one.error.is_none()));
            assert!(reading.skew().unwrap().abs() < TimeDelta::seconds(2));
        }
    }
}

#[tokio::test]
async fn a_killed_reading_goes_on_where_it_was() {
    for paging in [Paging::None, Paging::Offset, Paging::Cursor, Paging::Link] {
        let manner = Manner { records: 1300, paging, size: 600, ..Manner::default() };
        let (running, client) = vendor(manner.clone()).await;
        let definition = definition(&running.url(), json!({"pages": pages(paging)}));
        let (mut ids, mut position) = (Vec::new(), None);
        loop {
            // killed after every chunk
            let mut reading = Reading::new(&client, &definition, None, all(&manner), position);
            let Some(chunk) = reading.next().await.unwrap() else { break };
            ids.extend(chunk.records.iter().map(|record| record.unique.clone()));
            let kept = serde_json::to_string(&chunk.position).unwrap();
            position = Some(serde_json::from_str(&kept).unwrap());
        }
        assert_eq!((ids.len(), ids.iter().collect::<BTreeSet<_>>().len()), (1300, 1300), "{paging:?}");
    }
}

#[tokio::test]
async fn every_trouble_is_told_by_its_name() {
    let back_off = Class::BackOff { retry_after: None };
    let rest = |seconds| Class::BackOff { retry_after: Some(Duration::from_secs(seconds)) };
    for (trouble, class, words) in [
        (Trouble::Unauthorized, Class::Pause, "401"),
        (Trouble::Forbidden, Class::Pause, "403"),
        (Trouble::TooMany, rest(1), "429"),
        (Trouble::Fails, back_off, "it hurts"),
        (Trouble::Cut, back_off, "ends in the middle"),
        (Trouble::Reset, back_off, ""),
        (Trouble::Drip, Class::Split, "in time"),
        (Trouble::Bomb, Class::Split, "larger than"),
        (Trouble::Repeat, Class::Stop, "two pages alike"),
        (Trouble::Inside, Class::Stop, "another origin"),
        (Trouble::Html, back_off, "text/html"),
    ] {
        let manner = Manner {
            records: 90,
            paging: Paging::Cursor,
            size: 20,
            troubles: vec![trouble],
            every: 1,
            ..Manner::default()
        };
        let (running, client) = vendor(manner.clone()).await;
        let changes = json!({"pages": pages(Paging::Cursor), "limits": {"seconds": if trouble == Trouble::Drip { 1 } else { 60 }, "bytes": 1 << 20}});
        let definition = definition(&running.url(), changes);
        let mut reading = Reading::new(&client, &definition, None, all(&manner), None);
        let (_, fault) = drain(&mut reading).await;
        let fault = fault.unwrap_or_else(|| panic!("{trouble:?} passed"));
        assert_eq!(fault.class(), class, "{trouble:?}: {fault}");
        assert!(fault.to_string().contains(words), "{trouble:?}: {fault}");
        assert!(reading.evidence().last().unwrap().error.is_some());
        // once failed, it stays so, and asks no more
        let asked = running.requests();
        assert_eq!(reading.next().await.unwrap_err(), fault);
        assert_eq!(running.requests(), asked);
    }
}

#[tokio::test]
async fn a_list_that_moves_loses_nothing() {
    let manner = Manner {
        records: 90,
        paging: Paging::Offset,
        size: 20,
        troubles: vec![Trouble::Shift],
        every: 4,
        ..Manner::default()
    };
    let (running, client) = vendor(manner.clone()).await;
    let definition = definition(&running.url(), json!({"pages": pages(Paging::Offset)}));
    let mut reading = Reading::new(&client, &definition, None, all(&manner), None);
    let (ids, fault) = drain(&mut reading).await;
    match fault {
        None => assert_eq!(ids.into_iter().collect::<BTreeSet<_>>().len(), 90),
        Some(fault) => assert!(fault.what().contains("moves"), "{fault}"),
    }
}

#[tokio::test]
async fn too_many_pages_and_records_are_too_much() {
    let manner = Manner { records: 90, paging: Paging::Link, size: 20, ..Manner::default() };
    let (running, client) = vendor(manner.clone()).await;
    for changes in
        [json!({"pages": {"kind": "link", "cap": 3}}), json!({"pages": {"kind": "link"}, "limits": {"records": 50}})]
    {
        let definition = definition(&running.url(), changes);
        let mut reading = Reading::new(&client, &definition, None, all(&manner), None);
        assert_eq!(drain(&mut reading).await.1.unwrap().class(), Class::Split);
    }
    // without an upper bound, it goes on by the records' own time
    let since = json!({"pages": {"kind": "link", "cap": 3}, "recordTime": {"pointer": "/changed"},
        "window": {"kind": "sinceOnly", "parameters": {"from": "{from}"}, "precision": "milliseconds"}});
    let definition = definition(&running.url(), since);
    let mut reading = Reading::new(&client, &definition, None, all(&manner), None);
    let (ids, fault) = drain(&mut reading).await;
    assert_eq!((ids.into_iter().collect::<BTreeSet<_>>().len(), fault), (90, None));
}

#[tokio::test]
async fn the_secret_is_sent_and_never_shown() {
    let manner = Manner { records: 3, token: Some("tok/en ü".replace(' ', "")), ..Manner::default() };
    let (running, client) = vendor(Manner { token: Some("tok/en".into()), ..manner.clone() }).await;
    for authentication in [
        json!({"kind": "bearer"}),
        json!({"kind": "query", "name": "key"}),
        json!({"kind": "header", "name": "Authorization", "prefix": "Bearer "}),
    ] {
        let definition =
            definition(&running.url(), json!({"authentication": authentication, "parameters": {"echo": "tok/en"}}));
        let secret = Secret::given("tok/en");
        let mut reading = Reading::new(&client, &definition, Some(&secret), all(&manner), None);
        let fault = drain(&mut reading).await.1;
        assert_eq!(fault.is_some(), authentication["kind"] == "query");
        let shown = serde_json::to_string(reading.evidence()).unwrap()
            + &fault.map(|fault| fault.to_string()).unwrap_or_default();
        assert!(!shown.contains("tok/en") && !shown.contains("tok%2Fen"), "{shown}");
        let mut without = Reading::new(&client, &definition, None, all(&manner), None);
        assert_eq!(without.next().await.unwrap_err().class(), Class::Stop);
    }
}

#[test]
fn a_command_asks_the_same_and_holds_no_secret() {
    let window = Window::new("2026-03-01T10:00:00Z".parse().unwrap(), "2026-03-01T11:00:00Z".parse().unwrap());
    let of = |authentication: Value| {
        let changes = json!({"authentication": authentication, "headers": {"x-note": "it's"}});
        curl(&definition("https://shop.example.com/orders", changes), window).unwrap()
    };
    let bearer = of(json!({"kind": "bearer"}));
    assert!(bearer.contains(r#"--header 'authorization: Bearer '"$TOKEN""#), "{bearer}");
    assert!(bearer.contains(r"'x-note: it'\''s'") && bearer.contains("from=2026-03-01T10%3A00%3A00.000Z"), "{bearer}");
    let query = of(json!({"kind": "query", "name": "key"}));
    assert!(query.ends_with(r#"&key='"$TOKEN""#), "{query}");
    let basic = of(json!({"kind": "basic", "user": "ada"}));
    assert!(basic.contains(r#"--user 'ada:'"$TOKEN""#) && !basic.contains("Basic"), "{basic}");
    let shown =
        preview(&definition("https://shop.example.com/orders", json!({"authentication": {"kind": "bearer"}})), window);
    assert!(shown.unwrap().headers.contains(&("authorization".to_owned(), "Bearer …".to_owned())));
}

#[tokio::test]
async fn what_has_not_changed_is_not_read_again() {
    let clock = Clock::still();
    let manner = Manner {
        records: 40,
        start: clock.now() - TimeDelta::minutes(10),
        step: TimeDelta::minutes(1),
        conditional: true,
        ..Manner::default()
    };
    let running = vendor::start("127.0.0.1:0".parse().unwrap(), manner.clone(), clock.clone()).await.unwrap();
    let client = Client::new(Allowed::new(&[running.address.to_string()]), clock.clone());
    let since_only = |parameters| {
        let changes = json!({"conditional": true, "window": {"kind": "sinceOnly", "parameters": parameters}});
        definition(&running.url(), changes)
    };
    let all = Window::new(manner.start, clock.now());
    let read = async |definition: &Definition, window, known: Option<Validator>| {
        let mut reading = Reading::new(&client, definition, None, window, None).unless(known);
        let (ids, fault) = drain(&mut reading).await;
        assert_eq!(fault, None);
        (ids.len(), reading.evidence()[0].status.unwrap(), reading.validator().cloned())
    };
    // one that cannot be asked for a span at all says so by its ETag
    let whole = since_only(json!({}));
    let (first, status, known) = read(&whole, all, None).await;
    assert!(first >= 9 && status == 200 && known.is_some(), "{first} {status} {known:?}");
    assert_eq!(read(&whole, all, known.clone()).await, (0, 304, known.clone()));
    clock.advance(300);
    let (more, status, newer) = read(&whole, all, known.clone()).await;
    assert!(more > first && status == 200 && newer.is_some() && newer != known);
    // it speaks of the question that it answered, and of no other
    let spans = since_only(json!({"from": "{from}"}));
    assert_eq!(read(&spans, all, newer).await.1, 200);
    // and one that can, by the time that it is asked since
    let after = Window::new(clock.now() + TimeDelta::hours(1), clock.now() + TimeDelta::hours(2));
    assert_eq!(read(&whole, after, None).await.1, 304);
    // by the minute, what it keeps of 10:00:40 is 10:00: it was changed since 10:00:30 all the same
    let minutes = Manner { precision: Precision::Minute, ..manner.clone() };
    let running = vendor::start("127.0.0.1:0".parse().unwrap(), minutes.clone(), clock.clone()).await.unwrap();
    client.allowed().grant(vec![running.address.to_string()]);
    let coarse = json!({"kind": "sinceOnly", "parameters": {"from": "{from}"}, "precision": "minute"});
    let coarse = definition(&running.url(), json!({"conditional": true, "window": coarse}));
    let kept = running.world().items().iter().rfind(|item| item.seen <= clock.now()).unwrap().changed;
    let later = Window::new(kept + TimeDelta::seconds(30), kept + TimeDelta::minutes(5));
    assert_eq!(read(&coarse, later, None).await.0, 1);
    // of several pages, the first one says nothing about the others
    let paged = Manner { paging: Paging::Next, size: 3, ..manner };
    let running = vendor::start("127.0.0.1:0".parse().unwrap(), paged, clock.clone()).await.unwrap();
    client.allowed().grant(vec![running.address.to_string()]);
    let changes = json!({"conditional": true, "pages": pages(Paging::Next),
        "window": {"kind": "sinceOnly", "parameters": {}}});
    let (read, _, known) = read(&definition(&running.url(), changes), all, None).await;
    assert!(read > 3 && known.is_none());
}
