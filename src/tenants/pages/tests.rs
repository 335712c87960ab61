//! The pages of tenants, as a browser without scripts meets them.
use axum::http::StatusCode;

use crate::{
    auth::Role,
    db::testing::each,
    ids::TenantId,
    tenants::{
        self,
        testing::{Visitor, tenant},
    },
};

const EVIL: &str = "<script>alert('x')</script>&\"";
const ESCAPED: &str = "&lt;script&gt;";

#[tokio::test]
async fn a_tenant_is_created_and_looked_at() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Consultant, None);
        assert!(ada.get("/tenants").await.says("No tenants yet"));
        assert!(ada.get("/tenants/new").await.says(r#"action="/tenants/new""#));
        let made = ada.post("/tenants/new", &[("name", EVIL), ("id", "")]).await;
        let page = ada.get(made.location()).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.says(ESCAPED) && !page.says(EVIL), "{}", page.body);
        assert!(page.says("From here to the first event"));
        assert!(ada.get("/tenants").await.says(ESCAPED));
    })
    .await;
}

#[tokio::test]
async fn a_wrong_form_keeps_what_was_typed() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Administrator, None);
        let answer = ada.post("/tenants/new", &[("name", " "), ("id", "not-a-guid")]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            answer.says("2 things need mending") && answer.says(r##"href="#name""##) && answer.says(r##"href="#id""##)
        );
        assert!(answer.says(r#"value="not-a-guid""#));

        let id = tenant(&db, "Acme").await;
        let answer = ada.post("/tenants/new", &[("name", "Twin"), ("id", &id.to_string())]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.says("already") && answer.says(r#"value="Twin""#));

        let path = format!("/tenants/{id}/settings");
        let answer = ada.post(&path, &[("name", "New"), ("cors_origins", "https://a.example\r\n*")]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.says("a star would let every page") && answer.says("https://a.example\n*"), "{}", answer.body);
        assert!(!ada.get(&format!("/tenants/{id}")).await.says("New<"), "half of it was saved");
    })
    .await;
}

#[tokio::test]
async fn settings_are_saved_and_a_tenant_switched_off_and_on() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Consultant, None);
        let id = tenant(&db, "Acme").await;
        let path = format!("/tenants/{id}");
        let saved = ada
            .post(&format!("{path}/settings"), &[("name", "Acme 2"), ("cors_origins", "https://Shop.example:443/\r\n")])
            .await;
        let page = ada.get(saved.location()).await;
        assert!(page.says("The settings are saved") && page.says("https://shop.example") && page.says("Acme 2"));

        let asked = ada.get(&format!("{path}/disable")).await;
        assert!(asked.says("Disable Acme 2") && asked.says("event types stop accepting events"));
        assert!(tenants::all(&db).await.unwrap()[0].enabled, "asking changes nothing");
        let page = ada.post(&format!("{path}/disable"), &[]).await;
        assert!(ada.get(page.location()).await.says("The tenant is disabled"));
        assert!(!tenants::all(&db).await.unwrap()[0].enabled);
        let page = ada.post(&format!("{path}/enable"), &[]).await;
        assert!(ada.get(page.location()).await.says("The tenant is enabled"));
        assert!(tenants::all(&db).await.unwrap()[0].enabled);
    })
    .await;
}

/// Every page of the three slices.
fn pages(tenant: TenantId) -> Vec<(String, bool)> {
    let some = "0198c0de-0000-7000-8000-000000000001";
    let of_tenant = [
        ("", false),
        ("/settings", true),
        ("/disable", true),
        ("/event-types", false),
        ("/event-types/new", true),
        (&format!("/event-types/{some}"), false),
        (&format!("/event-types/{some}/edit"), true),
        (&format!("/event-types/{some}/disable"), true),
        ("/tokens", false),
        ("/tokens/new", true),
        (&format!("/tokens/{some}/revoke"), true),
    ];
    of_tenant.into_iter().map(|(path, changes)| (format!("/tenants/{tenant}{path}"), changes)).collect()
}

#[tokio::test]
async fn what_belongs_to_another_tenant_is_not_found() {
    each(|db| async move {
        let (own, other) = (tenant(&db, "Own").await, tenant(&db, "Secret other").await);
        for role in Role::ALL {
            let bound = Visitor::new(&db, role, Some(own));
            for (path, _) in pages(other) {
                let answer = bound.get(&path).await;
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{role} {path}");
                let answer = bound.post(&path, &[("name", "x")]).await;
                let refused = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED];
                assert!(refused.contains(&answer.status), "{role} {path}: {}", answer.status);
            }
            let page = bound.get(&format!("/tenants/{own}")).await;
            assert_eq!(page.status, StatusCode::OK, "{role}");
            assert!(!page.says("Secret other"), "{role} sees another tenant in the menu");
            assert_eq!(bound.get("/tenants").await.location(), format!("/tenants/{own}"));
        }
    })
    .await;
}

#[tokio::test]
async fn who_may_not_change_is_told_so() {
    each(|db| async move {
        let own = tenant(&db, "Own").await;
        for role in [Role::SuccessManager, Role::AccountManager, Role::Customer] {
            let bound = (role == Role::Customer).then_some(own);
            let reader = Visitor::new(&db, role, bound);
            for (path, changes) in pages(own) {
                if changes {
                    assert_eq!(reader.get(&path).await.status, StatusCode::FORBIDDEN, "{role} {path}");
                    let posted = reader.post(&path, &[("name", "x")]).await;
                    assert_eq!(posted.status, StatusCode::FORBIDDEN, "{role} {path}");
                }
            }
            assert!(!reader.get(&format!("/tenants/{own}")).await.says("New event type"), "{role}");
        }
        let customer = Visitor::new(&db, Role::Customer, Some(own));
        for path in ["event-types", "tokens"] {
            assert_eq!(customer.get(&format!("/tenants/{own}/{path}")).await.status, StatusCode::FORBIDDEN);
        }
        let nobody = TenantId::new(&crate::clock::Clock::system());
        let ada = Visitor::new(&db, Role::Administrator, None);
        assert_eq!(ada.get(&format!("/tenants/{nobody}")).await.status, StatusCode::NOT_FOUND);
        assert_eq!(ada.get("/tenants/nonsense").await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn times_are_lengthened_at_once_and_shortened_after_a_question() {
    each(|db| async move {
        let bench = crate::events::testing::Bench::with_tenant(&db).await;
        let id = bench.tenant;
        let ada = Visitor::new(&db, Role::Consultant, None);
        let (settings, path) = (format!("/tenants/{id}/settings"), format!("/tenants/{id}/retention"));
        assert!(ada.get(&settings).await.says("How long events are kept"));
        let times =
            |accepted, quarantined, unique| [("accepted", accepted), ("quarantined", quarantined), ("unique", unique)];
        let longer = ada.post(&path, &times("1,000", "30", "1000")).await;
        assert_eq!(longer.location(), format!("{settings}?done=kept"));
        assert!(ada.get(&settings).await.says(r#"value="1000""#));

        let wrong = ada.post(&path, &times("0", "soon", "5")).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.says(r##"href="#quarantined""##) && wrong.says(r#"value="soon""#), "{}", wrong.body);
        let outlived = ada.post(&path, &times("40", "30", "39")).await;
        assert!(outlived.says("outlive") && outlived.says(r##"href="#unique""##));

        // one event is older than the new time
        let old = crate::ids::EventId::floor(bench.clock.now() - chrono::TimeDelta::days(50));
        let receipt = crate::ids::ReceiptId(uuid::Uuid::from_u128(old.0.as_u128() & !0xFFFF));
        let of = crate::events::testing::some_type(0);
        bench.send_as(id, receipt, &[(of, None, "{}", None)]).await;
        let asked = ada.post(&path, &times("40", "30", "1000")).await.location().to_owned();
        let page = ada.get(&asked).await;
        assert!(
            page.says("<strong>1</strong>") && page.says("of the accepted events is older than 40 days"),
            "{}",
            page.body
        );
        let confirmed = format!("{path}?confirmed=yes&accepted=40&quarantined=30&unique=1000");
        assert!(page.says(&confirmed.replace('&', "&amp;")) || page.says(&confirmed), "{}", page.body);
        let unnamed = ada.post(&confirmed, &[("typed_name", "Umbrella")]).await;
        assert_eq!(unnamed.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(ada.get(&settings).await.says(r#"value="1000""#), "nothing has changed");
        let done = ada.post(&confirmed, &[("typed_name", "Acme")]).await;
        assert_eq!(done.location(), format!("{settings}?done=kept"));
        assert!(ada.get(&settings).await.says(r#"value="40""#));
        // what removes nothing need not be asked
        assert_eq!(ada.post(&path, &times("40", "7", "1000")).await.location(), format!("{settings}?done=kept"));
        // but what makes repeats new again is
        assert!(ada.post(&path, &times("40", "7", "60")).await.location().contains("unique=60"));
    })
    .await;
}
