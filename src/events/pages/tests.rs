//! The pages as a browser meets them, on both databases.
use axum::http::StatusCode;

use crate::{
    auth::{Actor, Role},
    db::testing::each,
    events::testing::{Bench, Browser, WRONG, some_token},
    ids::TenantId,
    tokens,
};

/// The links of a page whose address begins so.
fn links(page: &str, beginning: &str) -> Vec<String> {
    let ends = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    ends.filter(|href| href.starts_with(beginning))
        .map(|href| html_escape::decode_html_entities(href).into_owned())
        .collect()
}

#[tokio::test]
async fn who_may_read_payloads_sees_the_pages_and_nobody_else() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        let event_type = bench.named_type("Order").await;
        let event = bench.one(event_type, "{}").await;
        let tenant = bench.tenant;
        let own = Some(tenant);
        let stranger = Some(TenantId::new(&bench.clock));
        for (role, bound, expected) in [
            (Role::Administrator, None, StatusCode::OK),
            (Role::Consultant, None, StatusCode::OK),
            (Role::Consultant, own, StatusCode::OK),
            (Role::Consultant, stranger, StatusCode::NOT_FOUND),
            (Role::SuccessManager, None, StatusCode::FORBIDDEN),
            (Role::AccountManager, None, StatusCode::FORBIDDEN),
            (Role::Customer, own, StatusCode::FORBIDDEN),
            (Role::Customer, stranger, StatusCode::NOT_FOUND),
        ] {
            let browser = Browser::new(&bench, role, bound).await;
            for page in ["events", &format!("events/{event}"), "live", "quarantine/events", "stream"] {
                let answer = browser.ask(&format!("/tenants/{tenant}/{page}")).await;
                assert_eq!(answer.status(), expected, "{role} {bound:?} {page}");
            }
            let of_type = browser.ask(&format!("/tenants/{tenant}/event-types/{event_type}/stream")).await.status();
            let reads = !matches!(role, Role::Customer) && bound != stranger;
            assert_eq!(of_type, if reads { StatusCode::OK } else { expected }, "{role} {bound:?}");
        }
        let mut nobody = Browser::new(&bench, Role::Customer, own).await;
        nobody.cookie = "none=1".into();
        assert_eq!(nobody.ask(&format!("/tenants/{tenant}/events")).await.status(), StatusCode::SEE_OTHER);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_there_or_another_tenants_is_not_found() {
    each(async |db| {
        let (bench, other) = (Bench::with_tenant(&db).await, Bench::with_tenant(&db).await);
        let foreign = other.one(other.named_type("Order").await, r#"{"secret":1}"#).await;
        let foreign_type = other.named_type("Theirs").await;
        let browser = Browser::new(&bench, Role::Consultant, None).await;
        let base = format!("/tenants/{}", bench.tenant);
        for path in [
            format!("{base}/events/{foreign}"),
            format!("{base}/events/nonsense"),
            format!("{base}/event-types/{foreign_type}/stream"),
            format!("{base}/event-types/nonsense/stream"),
            format!("/tenants/{}/events", TenantId::new(&bench.clock)),
            "/tenants/nonsense/events".to_owned(),
        ] {
            assert_eq!(browser.ask(&path).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
        let page = browser.page(&format!("{base}/events?type={foreign_type}")).await;
        assert!(!page.contains("secret") && !page.contains("Theirs"));
    })
    .await;
}

#[tokio::test]
async fn an_empty_tenant_is_told_how_to_begin() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        let browser = Browser::new(&bench, Role::Consultant, None).await;
        let base = format!("/tenants/{}", bench.tenant);
        let page = browser.page(&format!("{base}/events")).await;
        assert!(page.contains("No events yet") && page.contains("Go to the event types"));
        let event_type = bench.named_type("Order").await;
        let page = browser.page(&format!("{base}/events")).await;
        assert!(page.contains("curl -X POST") && page.contains(&event_type.to_string()));
        assert!(browser.page(&format!("{base}/quarantine/events")).await.contains("Nothing in quarantine"));

        bench.one(event_type, "{}").await;
        let page = browser.page(&format!("{base}/events?verdict=quarantined")).await;
        assert!(page.contains("No event matches") && page.contains("Clear the filter"));
    })
    .await;
}

#[tokio::test]
async fn pages_of_the_explorer_hold_every_event_once() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        let (one, two) = (bench.named_type("One").await, bench.named_type("Two").await);
        let mut sent = Vec::new();
        for n in 0..120 {
            let event_type = if n % 3 == 0 { two } else { one };
            sent.push((event_type, bench.one(event_type, &format!(r#"{{"n":{n}}}"#)).await));
        }
        let browser = Browser::new(&bench, Role::Consultant, None).await;
        let base = format!("/tenants/{}/events", bench.tenant);
        for of_type in [None, Some(one)] {
            sent.sort_by_key(|(_, id)| std::cmp::Reverse(*id));
            let query = of_type.map(|id| format!("?type={id}")).unwrap_or_default();
            let expected: Vec<_> = sent
                .iter()
                .filter(|(event_type, _)| of_type.is_none_or(|of| of == *event_type))
                .map(|(_, id)| id.to_string())
                .collect();
            let (mut path, mut found, mut pages) = (format!("{base}{query}"), Vec::new(), Vec::new());
            loop {
                let page = browser.page(&path).await;
                let events = links(&page, &format!("{base}/"));
                found.extend(events.iter().map(|href| href[base.len() + 1..].to_owned()));
                pages.push(path);
                // an event that comes meanwhile changes nothing
                sent.push((one, bench.one(one, "{}").await));
                match links(&page, &base).into_iter().find(|href| href.contains("before=")) {
                    Some(older) => path = older,
                    None => break,
                }
            }
            assert_eq!(found, expected);
            assert_eq!(pages.len(), expected.len().div_ceil(50));
            if !query.is_empty() {
                assert!(pages.iter().all(|page| page.contains(&query[1..])), "the filter stays: {pages:?}");
            }
            // and back to the newest
            let mut newer = pages.pop().unwrap();
            let mut steps = 0;
            while let Some(href) =
                links(&browser.page(&newer).await, &base).into_iter().find(|href| href.contains("after="))
            {
                newer = href;
                steps += 1;
                assert!(steps < 6, "it leads in a circle");
            }
            assert!(steps >= 2);
        }
    })
    .await;
}

#[tokio::test]
async fn an_event_shows_what_is_wrong_and_how_to_mend_it() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        let event_type = bench.named_type("<b>Order</b>").await;
        let permit = Actor::cli().permit(bench.tenant).unwrap();
        let details = tokens::Details::named("Shop <i>".parse().unwrap());
        let secret = tokens::Secret::generate();
        let token = tokens::create(&db, &bench.clock, &permit, &secret, details).await.unwrap();
        let payload = r#"{ "n" :"</code><script>alert('1')</script>" }"#;
        let sent =
            [(event_type, Some(token.id), r#"{"n":1}"#, None), (event_type, Some(token.id), payload, Some(WRONG))];
        let receipt = bench.send(&sent).await;
        let browser = Browser::new(&bench, Role::Consultant, None).await;
        let base = format!("/tenants/{}", bench.tenant);
        let address = format!("{base}/events/{}", receipt.event(1));

        let page = browser.page(&address).await;
        for expected in ["Why it is in quarantine", "expected a number, got a string", "Let the sender write the value"]
        {
            assert!(page.contains(expected), "{expected}");
        }
        for expected in [&token.prefix, &receipt.to_string(), "&lt;b&gt;Order"] {
            assert!(page.contains(expected), "{expected} in {page}");
        }
        assert!(page.contains("<mark>"), "the place is marked in the payload");
        let as_sent = browser.page(&format!("{address}?payload=as-sent")).await;
        assert!(as_sent.contains(r#"{ "n" :"&lt;/code&gt;&lt;script&gt;"#), "spaces are kept");
        for page in [&page, &as_sent, &browser.page(&format!("{base}/events")).await] {
            assert!(!page.contains("<script>alert") && !page.contains("<b>Order") && !page.contains("<i>"), "{page}");
        }
        let siblings = format!("{base}/events?receipt={receipt}");
        assert!(page.contains(&siblings));
        assert_eq!(links(&browser.page(&siblings).await, &format!("{base}/events/")).len(), 2);

        let quarantine = browser.page(&format!("{base}/quarantine/events?type={event_type}")).await;
        assert_eq!(links(&quarantine, &format!("{base}/events/")), [address]);
        assert!(quarantine.contains("expected a number, got a string"));
        let other = bench.named_type("Other").await;
        assert!(browser.page(&format!("{base}/quarantine/events?type={other}")).await.contains("Nothing here"));
    })
    .await;
}

#[tokio::test]
async fn every_filter_stays_in_the_form_and_nonsense_is_named() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        let event_type = bench.named_type("Order").await;
        bench.send(&[(event_type, Some(some_token(3)), "{}", None)]).await;
        let browser = Browser::new(&bench, Role::Consultant, None).await;
        let base = format!("/tenants/{}/events", bench.tenant);
        let query = format!(
            "?type={event_type}&source=anonymous&verdict=accepted&from=2026-01-02T03:04Z&until=2126-01-02T03:04:05Z"
        );
        let page = browser.page(&format!("{base}{query}")).await;
        for expected in [r#"value="2026-01-02T03:04""#, r#"value="2126-01-02T03:04:05""#] {
            assert!(page.contains(expected), "{expected}");
        }
        assert_eq!(page.matches(" selected").count(), 3, "{page}");
        assert!(page.contains("No event matches"));
        let page = browser.page(&format!("{base}?type=%3Cscript%3E&from=never")).await;
        assert!(page.contains("is left out") && !page.contains("<script>\u{201d}"));
        assert_eq!(links(&page, &format!("{base}/")).len(), 1, "the rest of the page is there");
    })
    .await;
}

#[tokio::test]
async fn a_page_of_long_events_stays_small() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        let event_type = bench.named_type("Order").await;
        let long = format!(r#"{{"long":"{}"}}"#, "x".repeat(200_000));
        bench.send(&[(event_type, None, long.as_str(), None); 30]).await;
        let browser = Browser::new(&bench, Role::Consultant, None).await;
        let page = browser.page(&format!("/tenants/{}/events", bench.tenant)).await;
        assert!(page.len() < 100_000, "{} bytes", page.len());
    })
    .await;
}
