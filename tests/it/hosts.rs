//! What of the own network may be asked: nothing, until an administrator allows it, and no longer than that.
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use tributary::{
    auth::{Actor, Role},
    hosts::store as hosts,
    intake::{Details, SystemKind, store},
};

use crate::support::{
    TestApp,
    browser::{Browser, account},
    each,
    shop::Shop,
};

async fn signed_in(app: &TestApp, role: Role) -> Browser {
    let email = format!("{role}@example.com");
    account(app, &email, role, None).await;
    Browser::signed_in(app, &email).await
}

/// Probes the shop again and again until the newest evidence says `words`.
async fn until(ada: &mut Browser, evidence: &str, fields: &[(&str, &str)], words: &str) {
    let begin = Instant::now();
    loop {
        let done = ada.post(&format!("{evidence}/probe"), fields).await;
        assert_eq!(done.status, 303, "{}", done.text());
        let page = ada.get(evidence).await.text();
        // the newest stands first
        let newest = page.split("seen by a probe").nth(1).unwrap_or_default();
        if newest.contains(words) {
            return;
        }
        assert!(begin.elapsed() < Duration::from_secs(10), "no {words:?} in {newest}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_of_this_network_is_asked_once_it_is_allowed_and_no_longer_than_that() {
    each(|app| async move {
        let details = Details {
            name: "Orders".parse().unwrap(),
            system_name: "Shop".parse().unwrap(),
            system_kind: SystemKind::WebShop,
            need: "Know orders".into(),
            owner_id: None,
            customer_people: String::new(),
            vendor_people: String::new(),
        };
        let permit = Actor::cli().permit(app.tenant).unwrap();
        let id = store::create(&app.db, &app.clock, &permit, details, None).await.unwrap().id;
        let shop = Shop::open(&app.clock).await;
        shop.fill(1, 8, TimeDelta::days(2));
        app.start().await;
        let (mut grace, mut ada) =
            (signed_in(&app, Role::Administrator).await, signed_in(&app, Role::Consultant).await);
        let evidence = format!("/tenants/{}/integrations/{id}/evidence", app.tenant);
        let url = format!("http://{}/orders", shop.address);
        let fields = [
            ("url", url.as_str()),
            ("authentication", "none"),
            ("window_kind", "range"),
            ("window_parameters", "from={from}\r\nuntil={until}"),
            ("time_format", "epochMilliseconds"),
        ];
        until(&mut ada, &evidence, &fields, "an address of this network").await;
        assert!(shop.asked().is_empty());

        for bad in ["", "http://127.0.0.1", "127.0.0.1/x", "127.1", "a b", "<b>"] {
            let refused = grace.post("/hosts/allow", &[("host", bad)]).await;
            assert_eq!(refused.status, 422, "{bad}");
            assert!(!refused.text().contains("<b>\""), "{}", refused.text());
        }
        let host = shop.address.to_string();
        assert_eq!(ada.post("/hosts/allow", &[("host", &host)]).await.status, 403);
        assert_eq!(grace.post("/hosts/allow", &[("host", &host)]).await.status, 303);
        assert_eq!(grace.post("/hosts/allow", &[("host", &host)]).await.status, 422, "twice is told");
        until(&mut ada, &evidence, &fields, "8 records at $.data.items").await;
        let page = grace.get("/hosts").await.text();
        assert!(page.contains(&host) && page.contains("administrator@example.com"), "{page}");
        // it is that port alone
        let elsewhere = Shop::open(&app.clock).await;
        let other = format!("http://{}/orders", elsewhere.address);
        let mut others = fields;
        others[0].1 = &other;
        until(&mut ada, &evidence, &others, "an address of this network").await;

        let grant = Actor::cli().grant().unwrap();
        hosts::withdraw(&app.db, &app.clock, &grant, host.parse().unwrap()).await.unwrap();
        until(&mut ada, &evidence, &fields, "an address of this network").await;
        assert!(hosts::withdraw(&app.db, &app.clock, &grant, host.parse().unwrap()).await.is_err());
        assert!(grace.get("/audit").await.text().contains("Allowed the host inside this network"));
    })
    .await;
}
