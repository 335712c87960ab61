//! Idempotency keys: what is sent again has its effect once.
use serde_json::{Value, json};

use crate::support::{Asking, TestApp, each};

fn keyed(asking: Asking, key: &str) -> Asking {
    asking.header("Idempotency-Key", key)
}

/// What a repeat answers: as the first, but nothing accepted, and what the first accepted as duplicates.
fn as_repeated(first: &Value) -> Value {
    let mut expected = first.clone();
    expected["duplicates"] = first["accepted"].clone();
    expected["accepted"] = json!(0);
    expected
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_answers_as_the_first_and_stores_nothing() {
    each(async |app: TestApp| {
        let (id, other) = (app.orders().await, app.orders().await);
        let second = app.another_tenant().await;
        let theirs = second.orders().await;
        app.start().await;
        let body = r#"[{"Amount":1},{},{"Amount":2}]"#;
        let asking = keyed(app.to_type(id, body), "order 17");
        let first = app.ask(asking.clone()).await;
        assert_eq!((first.status, &first.json()["accepted"]), (201, &json!(2)));
        let expected = as_repeated(&first.json());
        for _ in 0..2 {
            let repeated = app.ask(asking.clone()).await;
            assert_eq!((repeated.status, repeated.json()), (201, expected.clone()));
        }
        // compressed it is still the same body; and after a restart the key is still known
        let packed = asking.clone().header("content-encoding", "gzip").body(crate::bodies::gzip(body.as_bytes()));
        assert_eq!(app.ask(packed).await.json(), expected);
        app.stop().await;
        app.start().await;
        assert_eq!(app.ask(asking.clone()).await.json(), expected);
        assert_eq!(app.stored().await.len(), 3);
        // the receipt tells what the first one did
        let receipt = app.receipt(first.json()["receiptId"].as_str().unwrap()).await.json();
        assert_eq!((&receipt["accepted"], &receipt["duplicates"]), (&json!(2), &json!(0)));

        let reused = app.ask(asking.clone().body(r#"{"Amount":1}"#)).await;
        assert_eq!((reused.status, reused.json()["title"].as_str()), (422, Some("Idempotency key reused")));
        assert_eq!(app.stored().await.len(), 3);
        // the key is the path's and the tenant's own
        assert_eq!(app.ask(keyed(app.to_type(other, body), "order 17")).await.json()["accepted"], 2);
        assert_eq!(app.ask(keyed(second.to_type(theirs, body), "order 17")).await.json()["accepted"], 2);
        let mixed = format!(r#"{{"EventTypeId":"{id}","Event":{{"Amount":1}}}}"#);
        assert_eq!(app.ask(keyed(app.post("/events").body(mixed), "order 17")).await.json()["accepted"], 1);
        // and without a key, or with another, the same body is stored again
        for again in [app.to_type(id, body), keyed(app.to_type(id, body), "order 18")] {
            assert_eq!(app.ask(again).await.json()["accepted"], 2);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_repeated_or_forgotten_by_what_it_stored() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        app.start().await;
        // all in quarantine: stored, and so answered the same again
        let asking = keyed(app.to_type(id, "[{},{}]"), "all wrong");
        let first = app.ask(asking.clone()).await;
        assert_eq!(first.status, 422);
        let again = app.ask(asking).await;
        assert_eq!(again.status, 422);
        for field in ["receiptId", "accepted", "duplicates", "rejected", "errors"] {
            assert_eq!(again.json()[field], first.json()[field], "{field}");
        }
        assert_eq!(app.stored().await.len(), 2);
        // refused as a whole or not understood: nothing was stored, so the key is free for the mended request
        let strict = app.post(&format!("/events/{id}?strict=true"));
        assert_eq!(app.ask(keyed(strict.clone().body("{}"), "strict")).await.status, 422);
        assert_eq!(app.ask(keyed(strict.body(r#"{"Amount":1}"#), "strict")).await.status, 201);
        assert_eq!(app.ask(keyed(app.to_type(id, "{"), "broken")).await.status, 400);
        assert_eq!(app.ask(keyed(app.to_type(id, r#"{"Amount":2}"#), "broken")).await.status, 201);
        assert_eq!(app.stored().await.len(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_answers_as_the_first_whatever_would_refuse_it_now() {
    each(async |app: TestApp| {
        let id = app.event_type(|details| details.policy = tributary::event_types::Policy::Refuse).await;
        let orders = app.orders().await;
        app.start().await;
        let (body, broken) = ("[{},{\"Amount\":1}]", "{\"x\":1}");
        let first = app.ask(keyed(app.to_type(id, body), "before")).await;
        assert_eq!(first.status, 201);
        app.change_type(id, |details| details.contract = crate::support::contract(crate::support::ORDER)).await;
        app.until(app.to_type(id, broken), 422).await;
        let before = app.stored().await.len();
        let again = app.ask(keyed(app.to_type(id, body), "before")).await;
        assert_eq!((again.status, again.json()), (201, as_repeated(&first.json())));
        // the key stays the first one's, whatever else the request is
        let reused = app.ask(keyed(app.to_type(id, broken), "before")).await;
        assert_eq!((reused.status, reused.json()["title"].as_str()), (422, Some("Idempotency key reused")));

        let part = app.ask(keyed(app.to_type(orders, body), "part")).await;
        assert_eq!((part.status, &part.json()["accepted"]), (201, &json!(1)));
        let strict = app.post(&format!("/events/{orders}?strict=true")).body(body);
        let again = app.ask(keyed(strict.clone(), "part")).await;
        assert_eq!((again.status, again.json()), (201, as_repeated(&part.json())));
        assert_eq!(app.ask(keyed(strict, "another")).await.status, 422);
        assert_eq!(app.stored().await.len(), before + 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_has_1_to_255_characters_and_stands_once() {
    each(async |app: TestApp| {
        let id = app.event_type(|_| {}).await;
        app.start().await;
        for (status, key) in [(201, "k".repeat(255)), (400, "k".repeat(256)), (400, String::new()), (400, "  ".into())]
        {
            let answer = app.ask(keyed(app.to_type(id, "{}"), &key)).await;
            assert_eq!(answer.status, status, "{} characters: {}", key.len(), answer.text());
        }
        let twice = |second| keyed(keyed(app.to_type(id, "{}"), "one"), second);
        assert_eq!(app.ask(twice("two")).await.status, 400);
        assert_eq!(app.ask(twice("one")).await.status, 201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twins_sent_at_once_are_stored_once_and_answered_alike() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        let first = app.start().await;
        let second = if app.db.is_sqlite() { first } else { app.start().await };
        for round in 0..5 {
            let asking = keyed(app.to_type(id, r#"[{"Amount":1},{},{"Amount":2}]"#), &format!("round {round}"));
            let twins: Vec<_> = (0..16)
                .map(|n| {
                    let (asking, to) = (asking.clone(), if n % 2 == 0 { first } else { second });
                    tokio::spawn(async move { asking.send(to).await })
                })
                .collect();
            let mut bodies = Vec::new();
            for twin in twins {
                let answer = twin.await.unwrap();
                assert_eq!(answer.status, 201, "{}", answer.text());
                bodies.push(answer.json());
            }
            let winners: Vec<_> = bodies.iter().filter(|body| body["accepted"] == 2).cloned().collect();
            assert_eq!(winners.len(), 1, "{bodies:?}");
            let expected = as_repeated(&winners[0]);
            assert!(bodies.iter().all(|body| *body == winners[0] || *body == expected), "{bodies:?}");
        }
        assert_eq!(app.stored().await.len(), 15);
    })
    .await;
}
