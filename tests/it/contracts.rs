//! What becomes of events that break their contract: quarantine, refusal, warning, and the dry run.
use serde_json::json;
use tributary::event_types::Policy;

use crate::support::{ORDER, TestApp, contract, each, rules};

fn verdicts(stored: &[tributary::events::Event]) -> Vec<&str> {
    stored.iter().map(|event| event.verdict.word()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_its_contract_is_kept_aside_and_named() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        app.start().await;
        let some = app.send(id, r#"[{"Amount":1},{"Amount":"x"},{},{"Amount":2}]"#).await;
        assert_eq!(some.status, 201);
        let body = some.json();
        assert_eq!((&body["accepted"], &body["duplicates"]), (&json!(2), &json!(0)));
        assert_eq!(rules(&body["rejected"]), [(1, vec!["type".into()]), (2, vec!["required".into()])]);
        assert_eq!(body["rejected"][0]["errors"][0]["path"], "/Amount");
        assert_eq!(body["rejected"][0]["errors"][0]["message"], "expected a number, got a string");
        assert!(body.get("warnings").is_none());
        let stored = app.stored().await;
        assert_eq!(verdicts(&stored), ["accepted", "quarantined", "quarantined", "accepted"]);
        let errors: serde_json::Value = serde_json::from_str(stored[1].errors.as_deref().unwrap()).unwrap();
        assert_eq!(errors, body["rejected"][0]["errors"]);

        let all = app.send(id, "[{},{}]").await;
        assert_eq!(all.status, 422);
        let problem = all.json();
        assert_eq!(rules(&problem["rejected"]), [(0, vec!["required".into()]), (1, vec!["required".into()])]);
        assert_eq!(problem["errors"], problem["rejected"]);
        assert!(problem["receiptId"].is_string());
        assert_eq!(app.stored().await.len(), 6, "all in quarantine all the same");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strict_requests_and_refusing_types_take_all_or_nothing() {
    each(async |app: TestApp| {
        let order = app.orders().await;
        let refusing = app
            .event_type(|details| {
                details.contract = contract(ORDER);
                details.policy = Policy::Refuse;
            })
            .await;
        app.start().await;
        let mixed = |first: &str, second: &str| {
            format!(r#"[{{"EventTypeId":"{order}","Event":{first}}},{{"EventTypeId":"{refusing}","Event":{second}}}]"#)
        };
        let good = r#"{"Amount":1}"#;
        for (asking, refused) in [
            (app.post(&format!("/events/{order}?strict=true")).body(format!("[{good},{{}}]")), vec![1]),
            (app.post(&format!("/events/{order}?Strict=TRUE")).body("{}"), vec![0]),
            (app.post(&format!("/events/{order}?strict=1")).body("[{},{}]"), vec![0, 1]),
            (app.to_type(refusing, format!("[{good},{{}},{good}]")), vec![1]),
            (app.post("/events").body(mixed(good, "{}")), vec![1]),
            (app.post("/events").body(mixed("{}", "{}")), vec![0, 1]),
            (app.post("/events?strict=true").body(mixed("{}", good)), vec![0]),
        ] {
            let answer = app.ask(asking.clone()).await;
            assert_eq!(answer.status, 422, "{}: {}", asking.target, answer.text());
            let problem = answer.json();
            let indices: Vec<_> = rules(&problem["rejected"]).into_iter().map(|(index, _)| index).collect();
            assert_eq!(indices, refused, "{}", asking.target);
            assert_eq!(problem["errors"], problem["rejected"]);
            assert!(problem.get("receiptId").is_none(), "what left nothing has no receipt");
        }
        assert_eq!(app.stored().await.len(), 0);
        // those that keep it are stored, strict or not; and only the type that refuses refuses
        assert_eq!(app.ask(app.post(&format!("/events/{order}?strict=true")).body(good)).await.status, 201);
        assert_eq!(
            app.ask(app.post(&format!("/events/{order}?strict=false")).body(format!("[{good},{{}}]"))).await.status,
            201
        );
        assert_eq!(app.ask(app.post("/events").body(mixed("{}", good))).await.status, 201);
        assert_eq!(app.stored().await.len(), 5);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warning_type_accepts_and_says_what_is_wrong() {
    each(async |app: TestApp| {
        let id = app
            .event_type(|details| {
                details.contract = contract(ORDER);
                details.policy = Policy::Warn;
            })
            .await;
        app.start().await;
        let body = r#"[{"Amount":1},{}]"#;
        let answer = app.send(id, body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let told = answer.json();
        assert_eq!((&told["accepted"], &told["rejected"]), (&json!(2), &json!([])));
        assert_eq!(rules(&told["warnings"]), [(1, vec!["required".into()])]);
        let receipt = app.receipt(told["receiptId"].as_str().unwrap()).await.json();
        assert_eq!(receipt["warnings"], told["warnings"]);
        // the dry run says the same
        let dry = app.ask(app.post(&format!("/events/{id}/validate")).body(body)).await.json();
        assert_eq!(dry, json!({"valid": 2, "rejected": [], "warnings": told["warnings"]}));
        // who sends strictly wants all of it right
        let strict = app.ask(app.post(&format!("/events/{id}?strict=true")).body(body)).await;
        assert_eq!((strict.status, &strict.json()["rejected"]), (422, &told["warnings"]));
        assert_eq!(verdicts(&app.stored().await), ["accepted"; 2]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn some_faults_break_every_contract_on_both_databases() {
    each(async |app: TestApp| {
        let any = app.event_type(|_| {}).await;
        app.start().await;
        let bad = [
            (r#"{"a":"\u0000"}"#, "encoding", "/a"),
            (r#"{"a":["x","y\u0000z"]}"#, "encoding", "/a/1"),
            (r#"{"a\u0000":1}"#, "encoding", "/a\u{0}"),
            (r#"{"a":"\ud800"}"#, "encoding", "/a"),
            (r#"{"a":"\udc00\ud800"}"#, "encoding", "/a"),
            (r#"{"a":"\uD83D-\uDE00"}"#, "encoding", "/a"),
            (r#"{"a":1,"a":1}"#, "duplicate-key", "/a"),
            (r#"{"x":{"a/b":1,"\u0061\/b":2}}"#, "duplicate-key", "/x/a~1b"),
        ];
        for (event, rule, path) in bad {
            let answer = app.send(any, event).await;
            assert_eq!(answer.status, 422, "{event}: {}", answer.text());
            let errors = &answer.json()["rejected"][0]["errors"];
            assert_eq!((&errors[0]["rule"], &errors[0]["path"]), (&json!(rule), &json!(path)), "{event}");
        }
        // beside good ones, with an idempotency key, and found again, text and reasons alike
        let body = format!(r#"[{{"ok":1}},{}]"#, bad.map(|(event, ..)| event).join(","));
        let asking = app.to_type(any, body).header("idempotency-key", "k");
        let first = app.ask(asking.clone()).await;
        assert_eq!((first.status, &first.json()["accepted"]), (201, &json!(1)));
        assert_eq!(app.ask(asking).await.json()["rejected"], first.json()["rejected"]);
        let receipt = app.receipt(first.json()["receiptId"].as_str().unwrap()).await.json();
        assert_eq!(receipt["rejected"], first.json()["rejected"]);
        let mut stored = app.payloads().await;
        let mut expected: Vec<_> = bad.iter().flat_map(|(event, ..)| vec![(*event).to_owned(); 2]).collect();
        expected.push(r#"{"ok":1}"#.into());
        stored.sort();
        expected.sort();
        assert_eq!(stored, expected);
        for good in [r#"{"a":"\\u0000 \ud83d\ude00"}"#, r#"{"a":{"b":1},"b":{"b":2}}"#] {
            assert_eq!(app.send(any, good).await.status, 201, "{good}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_judges_and_stores_nothing() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        app.start().await;
        let asking = app.post(&format!("/events/{id}/validate"));
        let checked = app.ask(asking.clone().body(r#"[{"Amount":1},{},{"Amount":2}]"#)).await;
        assert_eq!(checked.status, 200);
        assert_eq!(checked.json()["valid"], 2);
        assert_eq!(rules(&checked.json()["rejected"]), [(1, vec!["required".into()])]);
        let none = app.ask(asking.clone().header("idempotency-key", "k").body("{}")).await;
        assert_eq!((none.status, &none.json()["valid"]), (200, &json!(0)));
        assert_eq!(app.ask(asking.clone().body("[")).await.status, 400);
        assert_eq!(app.stored().await.len(), 0);
        // and uses no key up
        assert_eq!(app.ask(app.to_type(id, r#"{"Amount":1}"#).header("idempotency-key", "k")).await.status, 201);
    })
    .await;
}
