//! Events without a token, and the call that allows them.
use serde_json::json;
use tributary::{sql, tenants};

use crate::support::{Asking, TestApp, each};

fn anonymously(app: &TestApp, body: String) -> Asking {
    Asking::new("POST", app.path("/events/anonymousevents")).header("content-type", "application/json").body(body)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_types_that_allow_it_take_events_without_a_token() {
    each(async |app: TestApp| {
        let open = app.event_type(|details| details.anonymous = true).await;
        let closed = app.event_type(|_| {}).await;
        let disabled = app.event_type(|details| (details.anonymous, details.enabled) = (true, false)).await;
        let other = app.another_tenant().await;
        app.start().await;
        let event = |id: &dyn std::fmt::Display| format!(r#"{{"EventTypeId":"{id}","Event":{{"a":1}}}}"#);
        assert_eq!(app.ask(anonymously(&app, event(&open))).await.status, 201);
        assert_eq!(app.ask(anonymously(&app, format!("[{},{}]", event(&open), event(&open)))).await.status, 201);
        // a token is not needed and not looked at
        assert_eq!(app.ask(anonymously(&app, event(&open)).header("x-cm-producttoken", "wrong")).await.status, 201);
        let stored = app.stored().await;
        assert!(
            stored.len() == 4 && stored.iter().all(|event| event.source_id.is_none() && event.event_type_id == open)
        );

        let mut refused = Vec::new();
        for id in [closed.to_string(), disabled.to_string(), "0198c0de-0000-7000-8000-0000000000ff".into()] {
            refused.push(app.ask(anonymously(&app, event(&id))).await);
            let beside = app.ask(anonymously(&app, format!("[{},{}]", event(&open), event(&id)))).await;
            assert_eq!((beside.status, &beside.json()["errors"][0]["index"]), (403, &json!(1)));
        }
        // of another tenant; of a tenant that is not there; of one that is disabled
        refused.push(app.ask(anonymously(&other, event(&open))).await);
        let nobody = TestApp { tenant: "0198c0de-0000-7000-8000-0000000000ff".parse().unwrap(), ..app.clone() };
        refused.push(app.ask(anonymously(&nobody, event(&open))).await);
        for answer in refused {
            assert_eq!(answer.status, 403, "{}", answer.text());
        }
        assert_eq!(app.stored().await.len(), 4);
        tenants::set_enabled(&app.db, &app.clock, &app.permit(), false).await.unwrap();
        app.until(anonymously(&app, event(&open)), 403).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whitelisting_call_switches_anonymous_use() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        let other = app.orders().await;
        let (may_id, may) = app.token_with(|details| details.can_configure = true).await;
        let may = app.with_token(may);
        let limited =
            app.token_with(|details| (details.can_configure, details.event_types) = (true, Some(vec![other]))).await.1;
        let limited = app.with_token(limited);
        app.start().await;
        let wish = |enabled: bool| {
            format!(r#"{{"EventTypeId":"{}","IsEnabled":{enabled},"More":1}}"#, id.to_string().to_uppercase())
        };
        let call = |app: &TestApp, body: String| app.post("/eventtypewhitelistings").body(body);
        let event = anonymously(&app, format!(r#"{{"EventTypeId":"{id}","Event":{{"Amount":1}}}}"#));
        assert_eq!(app.ask(event.clone()).await.status, 403);

        let allowed = app.ask(call(&may, wish(true))).await;
        assert_eq!((allowed.status, allowed.json()), (201, json!({"EventTypeId": id, "IsEnabled": true})));
        // heard of at once where it was said
        assert_eq!(app.ask(event.clone()).await.status, 201);
        assert_eq!(app.ask(call(&may, wish(true))).await.status, 201, "again changes nothing");
        let forbidden = app.ask(call(&may, wish(false))).await;
        assert_eq!((forbidden.status, &forbidden.json()["IsEnabled"]), (201, &json!(false)));
        assert_eq!(app.ask(event).await.status, 403);
        let trail = sql!(values String, &app.db, "SELECT actor FROM audit WHERE action = 'event-type.change'").unwrap();
        assert_eq!(trail, vec![format!("token {may_id}"); 2]);

        let without =
            Asking::new("POST", app.path("/eventtypewhitelistings")).header("content-type", "application/json");
        let unknown = r#"{"EventTypeId":"0198c0de-0000-7000-8000-0000000000ff","IsEnabled":true}"#;
        let mut lines = call(&may, wish(true));
        lines.headers[1].1 = "application/x-ndjson".into();
        for (status, asking) in [
            (401, without.body(wish(true))),
            (403, call(&app, wish(true))),
            (403, call(&limited, wish(true))),
            (404, call(&may, unknown.into())),
            (400, call(&may, "{}".into())),
            (400, call(&may, r#"{"EventTypeId":"x","IsEnabled":true}"#.into())),
            (400, call(&may, wish(true).replace("true", "\"true\""))),
            (400, call(&may, format!("[{}]", wish(true)))),
            (400, call(&may, String::new())),
            (415, lines),
        ] {
            let answer = app.ask(asking.clone()).await;
            assert_eq!(answer.status, status, "{:?}: {}", String::from_utf8_lossy(&asking.body), answer.text());
        }
        let event = anonymously(&app, format!(r#"{{"EventTypeId":"{id}","Event":{{"Amount":1}}}}"#));
        assert_eq!(app.ask(event).await.status, 403);
    })
    .await;
}
