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
