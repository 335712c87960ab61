//! Fields whose values make an event unique: repeats are recognised, conflicts are kept aside.
use serde_json::{Value, json};
use tributary::event_types::Policy;

use crate::support::{TestApp, each, rules};

/// Accepted, duplicates, and the places that were rejected with the rule of each.
fn fared(body: &Value) -> (u64, u64, Vec<(u64, Vec<String>)>) {
    (body["accepted"].as_u64().unwrap(), body["duplicates"].as_u64().unwrap(), rules(&body["rejected"]))
}

fn conflict(index: u64) -> (u64, Vec<String>) {
    (index, vec!["conflict".into()])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_is_a_duplicate_and_another_payload_a_conflict() {
    each(async |app: TestApp| {
        let id = app.unique_by(&["Order ID"]).await;
        let same_elsewhere = app.unique_by(&["Order ID"]).await;
        app.start().await;
        let (one, other) = (r#"{"Order ID":"A1","x":1}"#, r#"{"Order ID":"A1","x":2}"#);
        assert_eq!(fared(&app.send(id, one).await.json()), (1, 0, vec![]));
        let repeated = app.send(id, one).await;
        assert_eq!((repeated.status, fared(&repeated.json())), (201, (0, 1, vec![])));
        let conflicting = app.send(id, other).await;
        assert_eq!((conflicting.status, fared(&conflicting.json())), (422, (0, 0, vec![conflict(0)])));
        assert_eq!(conflicting.json()["rejected"][0]["errors"][0]["path"], "/Order ID");
        // never dropped
        let stored = app.stored().await;
        let told: Vec<_> = stored.iter().map(|event| (event.payload.as_str(), event.verdict.word())).collect();
        assert_eq!(told, [(one, "accepted"), (other, "quarantined")]);
        // another type has its own values; and the text of the value counts, not what it looks like
        assert_eq!(fared(&app.send(same_elsewhere, other).await.json()), (1, 0, vec![]));
        for different in [
            r#"{"Order ID":"a1"}"#,
            r#"{"Order ID":1}"#,
            r#"{"Order ID":"1"}"#,
            r#"{"Order ID":true}"#,
            r#"{"Order ID":["A1"]}"#,
        ] {
            assert_eq!(fared(&app.send(id, different).await.json()), (1, 0, vec![]), "{different}");
        }
        // the same value, written otherwise, is another payload
        let conflicting = app.send(id, r#"{"Order ID":"\u0041\u0031","x":1}"#).await;
        assert_eq!(fared(&conflicting.json()), (0, 0, vec![conflict(0)]));
        // an event without the value
        for missing in ["{}", r#"{"Order ID":null}"#] {
            let answer = app.send(id, missing).await;
            assert_eq!(
                (answer.status, rules(&answer.json()["rejected"])),
                (422, vec![(0, vec!["required".into()])]),
                "{missing}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_recognised_in_one_request_and_after_a_restart() {
    each(async |app: TestApp| {
        let id = app.unique_by(&["Shop", "/Order/Id"]).await;
        app.start().await;
        let event = |shop: &str, order: u32, x: u32| format!(r#"{{"Shop":"{shop}","Order":{{"Id":{order}}},"x":{x}}}"#);
        let body = format!(
            "[{}]",
            [event("a", 1, 0), event("a", 1, 0), event("b", 1, 0), event("a", 1, 9), event("a", 2, 0)].join(",")
        );
        let first = app.send(id, body.clone()).await;
        assert_eq!((first.status, fared(&first.json())), (201, (3, 1, vec![conflict(3)])));
        app.stop().await;
        app.start().await;
        let second = app.send(id, body).await;
        assert_eq!((second.status, fared(&second.json())), (201, (0, 4, vec![conflict(3)])));
        assert_eq!(fared(&app.send(id, event("b", 2, 0)).await.json()), (1, 0, vec![]));
        assert_eq!(app.stored().await.len(), 4 + 1 + 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_refuses_what_is_strict_and_an_event_kept_aside_claims_nothing() {
    each(async |app: TestApp| {
        let id = app.unique_by(&["Id"]).await;
        let refusing = app
            .event_type(|details| {
                details.unique_fields = tributary::event_types::UniqueFields::parse(["Id"]).unwrap();
                details.policy = Policy::Refuse;
            })
            .await;
        app.start().await;
        for one in [id, refusing] {
            assert_eq!(app.send(one, r#"{"Id":1}"#).await.status, 201);
        }
        let conflicting = r#"[{"Id":2},{"Id":1,"x":1}]"#;
        let strict = app.ask(app.post(&format!("/events/{id}?strict=true")).body(conflicting)).await;
        assert_eq!((strict.status, rules(&strict.json()["rejected"])), (422, vec![conflict(1)]));
        let refused = app.send(refusing, conflicting).await;
        assert_eq!((refused.status, rules(&refused.json()["rejected"])), (422, vec![conflict(1)]));
        assert_eq!(app.stored().await.len(), 2);
        // what was refused has not claimed its value; a repeat is none that strict minds
        for one in [id, refusing] {
            assert_eq!(fared(&app.send(one, r#"{"Id":2,"new":1}"#).await.json()), (1, 0, vec![]));
        }
        let repeat = app.ask(app.post(&format!("/events/{id}?strict=true")).body(r#"{"Id":1}"#)).await;
        assert_eq!((repeat.status, fared(&repeat.json())), (201, (0, 1, vec![])));
        // broken first and mended then
        assert_eq!(app.send(id, r#"{"Id":3,"bad":"\u0000"}"#).await.status, 422);
        assert_eq!(fared(&app.send(id, r#"{"Id":3,"bad":"good"}"#).await.json()), (1, 0, vec![]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_told_apart_by_their_last_digit() {
    each(async |app: TestApp| {
        let id = app.unique_by(&["/a/0/n", "/b"]).await;
        app.start().await;
        let event = |n: &str| format!(r#"{{"b":{{"z":[{n}],"y":"x"}}, "a":[{{"n": {n} , "m":0}}]}}"#);
        // each its own
        let numbers = [
            "12345678901234567890123",
            "12345678901234567890124",
            "0.1",
            "0.10000000000000000001",
            "9007199254740993",
            "9007199254740993.0",
            "9007199254740992.0",
            "1",
            "1.0",
            "-0.0",
            "0",
            "1e-400",
            "1e-99999999999999999999",
            "18446744073709551616",
            "18446744073709551617",
        ];
        let body = format!("[{}]", numbers.map(event).join(","));
        for (accepted, duplicates) in [(numbers.len() as u64, 0), (0, numbers.len() as u64)] {
            assert_eq!(fared(&app.send(id, body.clone()).await.json()), (accepted, duplicates, vec![]));
        }
        // written otherwise, the same value: and so another payload with it
        for (same, of) in [("1e0", "1.0"), ("10.00e-1", "1.0"), ("0.10", "0.1"), ("1E-1", "0.1")] {
            assert_eq!(fared(&app.send(id, event(same)).await.json()), (0, 0, vec![conflict(0)]), "{same} {of}");
        }
        let long = "1234567890123456789012300e-2";
        assert_eq!(fared(&app.send(id, event(long)).await.json()), (0, 0, vec![conflict(0)]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_names_what_breaks_the_contract_and_what_conflicts() {
    each(async |app: TestApp| {
        let plain = app.unique_by(&["Id"]).await;
        let refusing = app
            .event_type(|details| {
                details.contract = crate::support::contract(crate::support::ORDER);
                details.unique_fields = tributary::event_types::UniqueFields::parse(["Id"]).unwrap();
                details.policy = Policy::Refuse;
            })
            .await;
        app.start().await;
        assert_eq!(app.send(refusing, r#"{"Id":1,"Amount":1}"#).await.status, 201);
        assert_eq!(app.send(plain, r#"{"Id":1}"#).await.status, 201);
        let body = r#"[{"Id":2,"Amount":2},{"Id":1,"Amount":2},{"Id":3}]"#;
        let refused = app.send(refusing, body).await;
        let both = vec![conflict(1), (2, vec!["required".into()])];
        assert_eq!((refused.status, rules(&refused.json()["rejected"])), (422, both));
        assert!(refused.json().get("receiptId").is_none());
        let keys = refused.text();
        let at = |word: &str| keys.find(word).unwrap();
        assert!(at(r#""path""#) < at(r#""rule""#) && at(r#""rule""#) < at(r#""message""#), "{keys}");
        // in a mixed request, one refusing type names what is wrong with the others too
        let named = |id, event: &str| format!(r#"{{"EventTypeId":"{id}","Event":{event}}}"#);
        let mixed = [
            named(plain, r#"{"Id":1,"x":1}"#),
            named(refusing, r#"{"Id":4}"#),
            named(plain, "{}"),
            named(plain, r#"{"Id":9}"#),
        ];
        let refused = app.ask(app.post("/events").body(format!("[{}]", mixed.join(",")))).await;
        let all = vec![conflict(0), (1, vec!["required".into()]), (2, vec!["required".into()])];
        assert_eq!((refused.status, rules(&refused.json()["rejected"])), (422, all));
        assert_eq!(app.stored().await.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_value_sent_many_times_at_once_is_stored_once() {
    each(async |app: TestApp| {
        let id = app.unique_by(&["Id"]).await;
        let first = app.start().await;
        // on PostgreSQL two processes share the work; SQLite has one
        let second = if app.db.is_sqlite() { first } else { app.start().await };
        let tasks = (0..24).map(|n| {
            let asking = app.to_type(id, r#"[{"Id":7},{"Id":8}]"#);
            let to = if n % 2 == 0 { first } else { second };
            tokio::spawn(async move { asking.send(to).await })
        });
        let mut sums = (0, 0);
        for task in tasks.collect::<Vec<_>>() {
            let answer = task.await.unwrap();
            assert_eq!(answer.status, 201, "{}", answer.text());
            let (accepted, duplicates, rejected) = fared(&answer.json());
            assert!(rejected.is_empty());
            sums = (sums.0 + accepted, sums.1 + duplicates);
        }
        assert_eq!(sums, (2, 46));
        assert_eq!(app.stored().await.len(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_event_is_unique_by_its_source_and_id() {
    each(async |app: TestApp| {
        let plain = app.event_type(|_| {}).await;
        let own = app.unique_by(&["Id"]).await;
        app.start().await;
        let cloud = |id: &str, source: &str, data: &str| {
            format!(r#"{{"specversion":"1.0","id":"{id}","source":"{source}","type":"t","data":{data}}}"#)
        };
        let send = async |event_type, body: String| {
            let mut asking = app.to_type(event_type, body);
            asking.headers[1].1 = "application/cloudevents+json".into();
            fared(&app.ask(asking).await.json())
        };
        assert_eq!(send(plain, cloud("bc", "a", "{}")).await, (1, 0, vec![]));
        assert_eq!(send(plain, cloud("bc", "a", "{}")).await, (0, 1, vec![]));
        assert_eq!(send(plain, cloud("bc", "a", r#"{"x":1}"#)).await, (0, 0, vec![conflict(0)]));
        assert_eq!(send(plain, cloud("c", "ab", "{}")).await, (1, 0, vec![]));
        // the type's own unique fields go before
        assert_eq!(send(own, cloud("1", "s", r#"{"Id":1}"#)).await, (1, 0, vec![]));
        assert_eq!(send(own, cloud("2", "s", r#"{"Id":1}"#)).await, (0, 1, vec![]));
        assert_eq!(send(own, cloud("1", "s", r#"{"Id":2}"#)).await, (1, 0, vec![]));
        // without ce attributes the plain type takes the same again
        assert_eq!(fared(&app.send(plain, "[{},{}]").await.json()), (2, 0, vec![]));
        assert_eq!(json!(app.stored().await.len()), json!(3 + 2 + 2));
    })
    .await;
}
