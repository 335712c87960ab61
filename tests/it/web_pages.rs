//! Web pages that send events: which origins may, and what a browser is told.
use tributary::tenants::{self, Origin};

use crate::support::{Asking, TestApp, each};

const SHOP: &str = "https://shop.example.com";

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_listed_origins_may_send() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        let other = app.another_tenant().await;
        let others = other.orders().await;
        let origins = Origin::parse_lines("https://shop.example.com\nhttp://localhost:5173").unwrap();
        tenants::set_cors_origins(&app.db, &app.clock, &app.permit(), origins).await.unwrap();
        app.start().await;
        let preflight = |app: &TestApp, id, origin: &str| {
            Asking::new("OPTIONS", app.path(&format!("/events/{id}")))
                .header("origin", origin)
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "content-type,x-cm-producttoken")
        };
        let allowed = app.ask(preflight(&app, id, SHOP)).await;
        assert_eq!((allowed.status, allowed.header("access-control-allow-origin")), (204, Some(SHOP)));
        let list = |name: &str| {
            let text = allowed.header(name).unwrap_or_default().to_lowercase();
            text.split(',').map(|item| item.trim().to_owned()).collect::<Vec<_>>()
        };
        assert!(list("access-control-allow-methods").contains(&"post".into()));
        for header in ["x-cm-producttoken", "content-type", "authorization", "idempotency-key", "content-encoding"] {
            assert!(list("access-control-allow-headers").contains(&header.into()), "{header}");
        }
        assert!(list("vary").contains(&"origin".into()));
        assert_eq!(allowed.header("access-control-allow-credentials"), None);

        let strangers = [
            "https://evil.example.com",
            "http://shop.example.com",
            "https://shop.example.com:8443",
            "https://shop.example.com.evil.com",
            "null",
            "*",
        ];
        for origin in strangers {
            for asking in [preflight(&app, id, origin), app.to_type(id, r#"{"Amount":1}"#).header("origin", origin)] {
                let answer = app.ask(asking).await;
                assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
                assert_eq!(answer.header("vary"), Some("origin"), "{origin}");
            }
        }
        let elsewhere = app.ask(preflight(&other, others, SHOP)).await;
        assert_eq!(elsewhere.header("access-control-allow-origin"), None, "each tenant has its own list");

        // on every answer, or the page could not read what was wrong
        let good = app.to_type(id, r#"{"Amount":1}"#);
        let mut without = good.clone();
        without.headers.remove(0);
        for (status, asking) in [
            (201, good.clone()),
            (422, good.clone().body("{}")),
            (400, good.clone().body("{")),
            (401, without),
            (404, Asking { target: app.path("/nothing/there"), ..good.clone() }),
            (405, Asking { method: "DELETE".into(), ..good.clone() }),
            (415, good.clone().header("content-encoding", "br")),
            (403, app.post("/events/anonymousevents").body(format!(r#"{{"EventTypeId":"{id}","Event":{{}}}}"#))),
        ] {
            let answer = app.ask(asking.header("origin", "http://localhost:5173")).await;
            let told = answer.header("access-control-allow-origin");
            assert_eq!((answer.status, told), (status, Some("http://localhost:5173")), "{}", answer.text());
            let exposed = answer.header("access-control-expose-headers").unwrap_or_default().to_lowercase();
            assert!(exposed.contains("x-request-id") && exposed.contains("retry-after"), "{exposed}");
        }
        // no page asked: no word of it
        assert_eq!(app.ask(good).await.header("access-control-allow-origin"), None);
        // asked without an origin, OPTIONS says what is possible
        let plain = app.ask(Asking::new("OPTIONS", app.path("/events"))).await;
        assert_eq!((plain.status, plain.header("allow")), (204, Some("POST")));
        let receipt = app.path("/receipts/0198c0de-0000-7000-8000-000000000000");
        assert_eq!(app.ask(Asking::new("OPTIONS", receipt)).await.header("allow"), Some("GET,HEAD"));
    })
    .await;
}
