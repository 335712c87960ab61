//! Receipts: what a request became, asked for afterwards.
use serde_json::json;

use crate::support::{Asking, TestApp, each};

const NOBODY: &str = "0198c0de-0000-7000-8000-000000000000";

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_tells_what_became_of_each_event() {
    each(async |app: TestApp| {
        let id = app
            .event_type(|details| {
                details.contract = crate::support::contract(crate::support::ORDER);
                details.unique_fields = tributary::event_types::UniqueFields::parse(["Id"]).unwrap();
            })
            .await;
        let plain = app.orders().await;
        app.start().await;
        let before = app.clock.now();
        for (event_type, body, key, verdicts) in [
            (plain, r#"[{"Amount":1},{"Amount":2}]"#, false, vec!["accepted"; 2]),
            (plain, r#"[{"Amount":1},{}]"#, false, vec!["accepted", "quarantined"]),
            (plain, "[{},{}]", false, vec!["quarantined"; 2]),
            (plain, "[{},{}]", true, vec!["quarantined"; 2]),
            (plain, r#"{"Amount":1}"#, true, vec!["accepted"]),
            (
                id,
                r#"[{"Id":1,"Amount":1},{"Id":1,"Amount":1},{"Id":1,"Amount":2},{"Id":2}]"#,
                false,
                vec!["accepted", "duplicate", "quarantined", "quarantined"],
            ),
            (id, r#"[{"Id":1,"Amount":1}]"#, false, vec!["duplicate"]),
        ] {
            let mut asking = app.to_type(event_type, body);
            if key {
                asking = asking.header("idempotency-key", body);
            }
            let answer = app.ask(asking).await;
            let sent = answer.json();
            let receipt_id = sent["receiptId"].as_str().unwrap();
            let receipt = app.receipt(receipt_id).await;
            assert_eq!(receipt.status, 200, "{body}: {}", receipt.text());
            let receipt = receipt.json();
            for field in ["receiptId", "accepted", "duplicates", "rejected"] {
                assert_eq!(receipt[field], sent[field], "{field} of {body}");
            }
            let events = receipt["events"].as_array().unwrap();
            let told: Vec<_> = events.iter().map(|event| event["verdict"].as_str().unwrap()).collect();
            assert_eq!(told, verdicts, "{body}");
            let places: Vec<_> = events.iter().map(|event| event["index"].as_u64().unwrap()).collect();
            assert_eq!(places, (0..verdicts.len() as u64).collect::<Vec<_>>(), "{body}");
            let received: chrono::DateTime<chrono::Utc> = receipt["receivedAt"].as_str().unwrap().parse().unwrap();
            assert!((received - before).num_seconds().abs() < 60, "{received}");
            // each id is that of a stored event, a duplicate's that of the one it repeats
            let stored = app.stored().await;
            assert!(
                events.iter().all(|event| stored.iter().any(|stored| event["id"] == stored.id.to_string())),
                "{receipt}"
            );
        }
        let last = app.stored().await.len();
        assert_eq!(last, 2 + 2 + 2 + 2 + 1 + 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ones_own_is_unknown() {
    each(async |app: TestApp| {
        let (one, two) = (app.orders().await, app.unique_by(&["Id"]).await);
        let limited = app.with_token(app.token_with(|details| details.event_types = Some(vec![one])).await.1);
        let foreign = app.another_tenant().await;
        app.start().await;
        let receipt = async |body: String| {
            let answer = app.ask(app.post("/events").body(body)).await;
            answer.json()["receiptId"].as_str().unwrap().to_owned()
        };
        let event = |id, event: &str| format!(r#"{{"EventTypeId":"{id}","Event":{event}}}"#);
        let own = receipt(event(one, r#"{"Amount":1}"#)).await;
        let others = receipt(event(two, r#"{"Id":1}"#)).await;
        let both = receipt(format!("[{},{}]", event(one, r#"{"Amount":1}"#), event(two, r#"{"Id":2}"#))).await;
        // nothing is stored of the last two: they only repeat what is there
        let repeated = receipt(event(two, r#"{"Id":1}"#)).await;
        let half_repeated = receipt(format!("[{},{}]", event(one, r#"{"Amount":1}"#), event(two, r#"{"Id":2}"#))).await;
        for id in [&own, &others, &both, &repeated, &half_repeated] {
            assert_eq!(app.receipt(id).await.status, 200);
            assert_eq!(foreign.receipt(id).await.status, 404, "another tenant's path and token");
            let crossed =
                Asking::new("GET", app.path(&format!("/receipts/{id}"))).header("x-cm-producttoken", &foreign.token);
            assert_eq!(app.ask(crossed).await.status, 403, "another tenant's token");
        }
        assert_eq!(limited.receipt(&own).await.status, 200);
        for id in [&others, &both, &repeated, &half_repeated] {
            let answer = limited.receipt(id).await;
            assert_eq!(answer.status, 404, "of a type that the token is not good for: {}", answer.text());
        }
        let of_event = app.receipt(&own).await.json()["events"][0]["id"].as_str().unwrap().to_owned();
        for (status, id) in
            [(404, NOBODY), (404, &of_event), (404, "00000000-0000-0000-0000-000000000000"), (400, "x"), (400, "")]
        {
            let answer = app.receipt(id).await;
            let status = if id.is_empty() { 404 } else { status };
            assert_eq!(answer.status, status, "{id}");
        }
        let without = Asking::new("GET", app.path(&format!("/receipts/{own}")));
        assert_eq!(app.ask(without).await.status, 401);
        assert_eq!(json!(app.stored().await.len()), json!(5));
    })
    .await;
}
