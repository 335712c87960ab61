//! The pages of tokens, as a browser without scripts meets them.
use axum::http::{StatusCode, header};

use crate::{
    auth::{Actor, Role},
    clock::Clock,
    db::{Db, testing::each},
    event_types,
    ids::{EventTypeId, TenantId},
    tenants::testing::{Visitor, tenant},
    tokens::{self, Token},
};

async fn all(db: &Db, tenant: TenantId) -> Vec<Token> {
    tokens::list(db, &Actor::cli().permit(tenant).unwrap()).await.unwrap()
}

async fn event_type(db: &Db, tenant: TenantId, name: &str) -> EventTypeId {
    let details = event_types::Details::named(name.parse().unwrap());
    let permit = Actor::cli().permit(tenant).unwrap();
    event_types::create(db, &Clock::system(), &permit, None, details).await.unwrap().id
}

/// The secret that stands on a page, if one does.
fn secret_on(page: &str) -> Option<&str> {
    page.match_indices("trb_").find_map(|(at, _)| page.get(at..at + 53).filter(|text| !text.contains('…')))
}

#[tokio::test]
async fn a_secret_is_shown_once() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Consultant, None);
        let tenant = tenant(&db, "Acme").await;
        let (sale, visit) = (event_type(&db, tenant, "Sale").await, event_type(&db, tenant, "Visit").await);
        let list = format!("/tenants/{tenant}/tokens");
        assert!(ada.get(&list).await.says("No tokens yet"));
        assert!(ada.get(&format!("{list}/new")).await.says("Sale"));
        let fields = [
            ("name", "web <shop>"),
            ("event_types", &*sale.to_string()),
            ("event_types", &*visit.to_string()),
            ("expires_at", "90d"),
            ("addresses", "192.0.2.0/24\r\n2001:db8::1\r\n"),
            ("can_configure", "on"),
        ];
        let made = ada.post(&format!("{list}/new"), &fields).await;
        assert_eq!(made.status, StatusCode::OK);
        assert_eq!(made.headers[header::CACHE_CONTROL], "no-store");
        assert!(made.says("will not be shown again") && made.says("web &lt;shop&gt;"));
        let secret = secret_on(&made.body).expect("the secret").to_owned();
        assert!(made.says(&format!("X-CM-PRODUCTTOKEN: {secret}")), "the command is ready");
        let known = tokens::all(&db).await.unwrap();
        assert_eq!(known[0].digest, tokens::digest(&secret));
        assert!(known[0].covers(sale) && known[0].covers(visit) && known[0].can_configure);
        assert_eq!(known[0].addresses.as_ref().unwrap().len(), 2);
        assert!(known[0].expires_at.is_some());

        let page = ada.get(&list).await;
        assert!(page.says("web &lt;shop&gt;") && page.says("Sale, Visit") && page.says(&secret[..12]));
        assert!(!page.says(&secret[..14]) && secret_on(&page.body).is_none());
    })
    .await;
}

#[tokio::test]
async fn a_wrong_form_creates_nothing_and_keeps_what_was_typed() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Consultant, None);
        let tenant = tenant(&db, "Acme").await;
        let sale = event_type(&db, tenant, "Sale").await.to_string();
        let path = format!("/tenants/{tenant}/tokens/new");
        let fields = [("name", ""), ("event_types", &*sale), ("expires_at", "yesterday"), ("addresses", "example.com")];
        let answer = ada.post(&path, &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        for field in ["name", "expires_at", "addresses"] {
            assert!(answer.says(&format!(r##"href="#{field}""##)), "{field}");
        }
        assert!(answer.says(r#"value="yesterday""#) && answer.says("example.com") && answer.says("checked"));
        let foreign = event_type(&db, tenant_of_others(&db).await, "Foreign").await.to_string();
        let answer = ada.post(&path, &[("name", "x"), ("event_types", &foreign)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(all(&db, tenant).await.is_empty());
    })
    .await;
}

async fn tenant_of_others(db: &Db) -> TenantId {
    tenant(db, "Others").await
}

#[tokio::test]
async fn revoking_asks_for_the_name() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Consultant, None);
        let tenant = tenant(&db, "Acme").await;
        let list = format!("/tenants/{tenant}/tokens");
        ada.post(&format!("{list}/new"), &[("name", "web shop")]).await;
        let id = all(&db, tenant).await[0].id;
        let path = format!("{list}/{id}/revoke");
        assert!(ada.get(&list).await.says(&path));
        assert!(ada.get(&path).await.says("Type web shop to confirm"));
        let wrong = ada.post(&path, &[("typed_name", "shop")]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(all(&db, tenant).await[0].revoked_at.is_none());
        let gone = ada.post(&path, &[("typed_name", "web shop")]).await;
        let page = ada.get(gone.location()).await;
        assert!(page.says("revoked") && !page.says(&path));
        assert!(all(&db, tenant).await[0].revoked_at.is_some());
        assert_eq!(ada.get(&path).await.location(), format!("{list}?done=revoked"));
        let other = tenant_of_others(&db).await;
        let foreign = ada.post(&format!("/tenants/{other}/tokens/{id}/revoke"), &[("typed_name", "web shop")]).await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    })
    .await;
}
