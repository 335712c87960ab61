//! Every row of the status table, the order of the checks, and the form of refusals.
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};
use tributary::{ids::EventTypeId, sql};

use crate::support::{Asking, TestApp, each};

const NOBODY: &str = "0198c0de-0000-7000-8000-0000000000ff";

fn without(mut asking: Asking, name: &str) -> Asking {
    asking.headers.retain(|(key, _)| key != name);
    asking
}

fn with(asking: Asking, name: &str, value: &str) -> Asking {
    without(asking, name).header(name, value)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_the_status_table() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        let disabled = app.event_type(|details| details.enabled = false).await;
        let limited = app.token_with(|details| details.event_types = Some(vec![disabled])).await.1;
        let foreign = app.another_tenant().await.token;
        app.start_with(&["--max-body", "100000", "--max-event", "5000", "--max-events", "10"]).await;
        let ok = || app.to_type(id, r#"{"Amount":1}"#);
        let path = |rest: &str, body: &str| app.post(rest).body(body);
        let named = |id: EventTypeId| json!({"EventTypeId": id, "Event": {"Amount": 1}}).to_string();
        let rows: Vec<(u16, &str, Asking)> = vec![
            (201, "an event", ok()),
            (201, "an array", app.to_type(id, r#"[{"Amount":1},{"Amount":2}]"#)),
            (201, "one of two", app.to_type(id, r#"[{"Amount":1},{}]"#)),
            (201, "mixed", path("/events", &format!("[{}]", named(id)))),
            (201, "mixed, a bare one", path("/events", &named(id))),
            (400, "not JSON", app.to_type(id, "{")),
            (400, "a scalar", app.to_type(id, "1")),
            (400, "an array of scalars", app.to_type(id, "[1]")),
            (400, "empty", app.to_type(id, "")),
            (400, "no event", app.to_type(id, "[]")),
            (400, "two tokens", ok().header("authorization", "Bearer other")),
            (400, "no GUID as tenant", Asking { target: "/events/v1.0/tenants/x/events".into(), ..ok() }),
            (400, "no GUID as type", path("/events/x", "{}")),
            (400, "no GUID in the body", path("/events", r#"{"EventTypeId":"x","Event":{}}"#)),
            (400, "no GUID as receipt", Asking::new("GET", app.path("/receipts/x"))),
            (400, "neither true nor false", path(&format!("/events/{id}?strict=maybe"), "{}")),
            (401, "no token", without(ok(), "x-cm-producttoken")),
            (401, "unknown", with(ok(), "x-cm-producttoken", "trb_unknown")),
            (403, "of another tenant", with(ok(), "x-cm-producttoken", &foreign)),
            (403, "not for this type", with(ok(), "x-cm-producttoken", &limited)),
            (403, "mixed, not for this type", with(path("/events", &named(id)), "x-cm-producttoken", &limited)),
            (403, "no anonymous use", path("/events/anonymousevents", &named(id))),
            (
                403,
                "no right to configure",
                path("/eventtypewhitelistings", &format!(r#"{{"EventTypeId":"{id}","IsEnabled":true}}"#)),
            ),
            (404, "unknown type", path(&format!("/events/{NOBODY}"), "{}")),
            (404, "disabled type", app.to_type(disabled, "{}")),
            (404, "mixed, disabled type", path("/events", &named(disabled))),
            (404, "unknown receipt", Asking { method: "GET".into(), ..path(&format!("/receipts/{NOBODY}"), "") }),
            (404, "unknown path", path("/nothing", "{}")),
            (404, "unknown path", path(&format!("/events/{id}/validate/more"), "{}")),
            (405, "another method", Asking { method: "PUT".into(), ..ok() }),
            (413, "a large body", app.to_type(id, format!("[{}]", vec![r#"{"Amount":1}"#; 9000].join(",")))),
            (413, "a large event", app.to_type(id, format!(r#"{{"Amount":1,"x":"{}"}}"#, "x".repeat(5000)))),
            (413, "many events", app.to_type(id, format!("[{}]", [r#"{"Amount":1}"#; 11].join(",")))),
            (415, "no media type", without(ok(), "content-type")),
            (415, "another media type", with(ok(), "content-type", "text/plain")),
            (415, "another encoding", ok().header("content-encoding", "br")),
            (422, "all break it", app.to_type(id, r#"[{},{"Amount":"1"}]"#)),
            (422, "strict, one breaks it", path(&format!("/events/{id}?strict=true"), r#"[{"Amount":1},{}]"#)),
        ];
        for (status, what, asking) in rows {
            let answer = app.ask(asking).await;
            assert_eq!(answer.status, status, "{what}: {}", answer.text());
        }
        // nothing but the five of the table that were accepted in whole or in part, and the two in quarantine
        assert_eq!(app.stored().await.len(), 1 + 2 + 2 + 1 + 1 + 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_checked_first_is_answered() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        let other = app.orders().await;
        let limited = app.token_with(|details| details.event_types = Some(vec![id])).await.1;
        let foreign = app.another_tenant().await.token;
        app.start_with(&["--max-body", "1000"]).await;
        // all is wrong with it; then one thing after the other is put right
        let mut asking = Asking::new("POST", app.path("/events/no-guid"))
            .header("content-type", "text/plain")
            .header("content-encoding", "br")
            .body("x".repeat(2000));
        let expect = async |asking: &Asking, status: u16, words: &str| {
            let answer = app.ask(asking.clone()).await;
            assert_eq!(answer.status, status, "{words}: {}", answer.text());
            assert!(answer.detail().contains(words), "{words}: {}", answer.text());
        };
        expect(&asking, 400, "event type id").await;
        asking.target = app.path(&format!("/events/{other}"));
        expect(&asking, 401, "token").await;
        asking = with(asking, "x-cm-producttoken", &foreign);
        expect(&asking, 403, "another tenant").await;
        asking = with(asking, "x-cm-producttoken", &limited);
        expect(&asking, 403, "event type").await;
        asking = with(asking, "x-cm-producttoken", &app.token);
        asking.target = app.path(&format!("/events/{NOBODY}"));
        expect(&asking, 404, "event type").await;
        asking.target = app.path(&format!("/events/{other}"));
        expect(&asking, 415, "Content-Type").await;
        asking = with(asking, "content-type", "application/json; charset=utf-8");
        expect(&asking, 415, "Content-Encoding").await;
        asking = without(asking, "content-encoding");
        expect(&asking, 413, "1000 bytes").await;
        asking = asking.body("x".repeat(500));
        expect(&asking, 400, "JSON").await;
        asking = asking.body("{}");
        expect(&asking, 422, "quarantine").await;
        asking = asking.body(r#"{"Amount":1}"#);
        assert_eq!(app.ask(asking).await.status, 201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_type_of_a_mixed_request_refuses_all_of_it_and_is_named() {
    each(async |app: TestApp| {
        let (good, disabled) = (app.orders().await, app.event_type(|details| details.enabled = false).await);
        let limited = app.token_with(|details| details.event_types = Some(vec![good])).await.1;
        app.start().await;
        let event = |id: &str| json!({"EventTypeId": id, "Event": {"Amount": 1}});
        let (good, disabled) = (good.to_string(), disabled.to_string());
        let body = json!([event(&good), event(NOBODY), event(&good), event(&disabled)]).to_string();

        let unknown = app.ask(app.post("/events").body(body.clone())).await;
        assert_eq!(unknown.status, 404);
        let breach = |message| json!([{"path": "/EventTypeId", "rule": "event-type", "message": message}]);
        let row = |index, message| json!({"index": index, "errors": breach(message)});
        assert_eq!(unknown.json()["errors"], json!([row(1, "unknown event type"), row(3, "unknown event type")]));

        let forbidden = app.ask(with(app.post("/events").body(body), "x-cm-producttoken", &limited)).await;
        assert_eq!(forbidden.status, 403);
        let not_allowed = "not allowed for this event type";
        assert_eq!(forbidden.json()["errors"], json!([row(1, not_allowed), row(3, not_allowed)]));
        assert_eq!(app.stored().await.len(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_method_is_told_which_are_possible() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        app.start().await;
        let sending = [
            format!("/events/{id}"),
            format!("/events/{id}/validate"),
            "/events".into(),
            "/events/anonymousevents".into(),
            "/eventtypewhitelistings".into(),
        ];
        for rest in sending {
            for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "BREW"] {
                let answer = app.ask(Asking { method: method.into(), ..app.post(&rest) }).await;
                assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")), "{method} {rest}");
            }
        }
        let receipt = app.post(&format!("/receipts/{NOBODY}"));
        let answer = app.ask(receipt.clone()).await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET,HEAD")));
        assert_eq!(app.ask(Asking { method: "HEAD".into(), ..receipt }).await.status, 404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_a_problem_with_the_id_of_its_request() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        app.start().await;
        let answer = app.ask(with(app.to_type(id, "{}"), "x-cm-producttoken", "wrong")).await;
        let problem = answer.json();
        let mut keys: Vec<_> = problem.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["detail", "requestId", "status", "title", "type"]);
        assert_eq!((&problem["type"], &problem["status"]), (&json!("about:blank"), &json!(401)));
        assert_eq!(problem["requestId"].as_str(), answer.header("x-request-id"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        // an id of its own for each, and also when all is well
        let (one, other) = (app.send(id, r#"{"Amount":1}"#).await, app.send(id, r#"{"Amount":1}"#).await);
        assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
        // browsers that come here get no page either
        let from_browser = app.ask(app.to_type(id, "{").header("accept", "text/html,*/*")).await;
        assert_eq!(from_browser.header("content-type"), Some("application/problem+json"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_sends_too_often_waits_and_the_others_do_not() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        let other = app.another_tenant().await;
        let others = other.orders().await;
        app.start_with(&["--tenant-rate", "3"]).await;
        let mut statuses = Vec::new();
        for _ in 0..12 {
            let answer = app.send(id, r#"{"Amount":1}"#).await;
            if answer.status == 429 {
                let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
                assert!((1..=2).contains(&wait), "{wait}");
            }
            statuses.push(answer.status);
        }
        let accepted = statuses.iter().filter(|status| **status == 201).count();
        assert!(statuses.contains(&429) && accepted >= 3, "{statuses:?}");
        assert_eq!(other.send(others, r#"{"Amount":1}"#).await.status, 201);
        assert_eq!(app.stored().await.len(), accepted, "a refused request stored something");
        // an unknown token uses nothing up
        tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
        for _ in 0..5 {
            app.ask(with(app.to_type(id, "{}"), "x-cm-producttoken", "wrong")).await;
        }
        assert_eq!(app.send(id, r#"{"Amount":1}"#).await.status, 201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_stored_now_is_503_and_stored_when_it_is_sent_again() {
    each(async |app: TestApp| {
        let id = app.unique_by(&["Order Number"]).await;
        app.start_with(&["--body-memory", "1000"]).await;
        // a body that dawdles holds all the memory there is; another waits for it, and not for ever
        let mut slow = TcpStream::connect(app.to()).await.unwrap();
        let large = format!(r#"{{"Order Number":1,"x":"{}"}}"#, "x".repeat(2000));
        let slow_bytes = app.to_type(id, large.clone()).bytes();
        let (most, rest) = slow_bytes.split_at(slow_bytes.len() - 10);
        slow.write_all(most).await.unwrap();
        let full = loop {
            // until the first has come in
            let full = app.send(id, large.clone()).await;
            if full.status != 201 {
                break full;
            }
        };
        assert_eq!((full.status, full.header("retry-after")), (503, Some("1")), "{}", full.text());
        slow.write_all(rest).await.unwrap();
        let mut line = String::new();
        BufReader::new(slow).read_line(&mut line).await.unwrap();
        assert_eq!(line, "HTTP/1.1 201 Created\r\n");

        // the database fails in the middle of the transaction
        let away = async |statement| {
            app.db.write(move |tx| Box::pin(async move { Ok(sql!(exec tx, statement)?) })).await.unwrap();
        };
        let asking = app.to_type(id, r#"{"Order Number":2}"#).header("idempotency-key", "again");
        away("ALTER TABLE batches RENAME TO batches_away").await;
        let failed = app.ask(asking.clone()).await;
        assert_eq!((failed.status, failed.header("retry-after")), (503, Some("5")), "{}", failed.text());
        away("ALTER TABLE batches_away RENAME TO batches").await;
        let before = app.stored().await.len();
        let again = app.ask(asking).await;
        assert_eq!((again.status, &again.json()["accepted"]), (201, &json!(1)), "{}", again.text());
        assert_eq!((before, app.payloads().await.len()), (1, 2));
    })
    .await;
}
