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
    page.match_indices("trb_")
        .find_map(|(at, _)| page.get(at..at + 53).filter(|text| text[4..].bytes().all(|c| c.is_ascii_alphanumeric())))
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
        assert!(ada.get(&format!("{list}/{id}")).await.says(&path));
        assert!(ada.get(&path).await.says("Type web shop to confirm"));
        let wrong = ada.post(&path, &[("typed_name", "shop")]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(all(&db, tenant).await[0].revoked_at.is_none());
        let gone = ada.post(&path, &[("typed_name", "web shop")]).await;
        let page = ada.get(gone.location()).await;
        assert!(page.says("The token is revoked") && !page.says(&path));
        assert!(all(&db, tenant).await[0].revoked_at.is_some());
        for act in ["revoke", "edit", "roll"] {
            assert_eq!(ada.get(&format!("{list}/{id}/{act}")).await.status, StatusCode::SEE_OTHER, "{act}");
        }
        let other = tenant_of_others(&db).await;
        let foreign = ada.post(&format!("/tenants/{other}/tokens/{id}/revoke"), &[("typed_name", "web shop")]).await;
        assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    })
    .await;
}

/// A tenant with a token that is called so.
async fn with_token(db: &Db, ada: &Visitor, name: &str) -> (TenantId, Token, String) {
    let tenant = tenant(db, "Acme").await;
    ada.post(&format!("/tenants/{tenant}/tokens/new"), &[("name", name)]).await;
    let token = all(db, tenant).await.remove(0);
    let path = format!("/tenants/{tenant}/tokens/{}", token.id);
    (tenant, token, path)
}

#[tokio::test]
async fn a_token_is_rolled_and_its_overlap_changed() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Consultant, None);
        let (tenant, old, path) = with_token(&db, &ada, "web <shop>").await;
        assert!(ada.get(&format!("{path}/roll")).await.says("In a week"));
        for bad in ["", "1y", "31d"] {
            let wrong = ada.post(&format!("{path}/roll"), &[("overlap", bad), ("expires_at", "soon")]).await;
            assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(
                wrong.says(r##"href="#overlap""##)
                    && wrong.says(r##"href="#expires_at""##)
                    && wrong.says(r#"value="soon""#)
            );
        }
        let made = ada.post(&format!("{path}/roll"), &[("overlap", "1h"), ("expires_at", "")]).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.body);
        assert_eq!(made.headers[header::CACHE_CONTROL], "no-store");
        let secret = secret_on(&made.body).expect("the secret").to_owned();
        let known = tokens::all(&db).await.unwrap();
        let new = known.iter().find(|known| known.digest == tokens::digest(&secret)).expect("it works").id;
        // a second press of the button
        let twice = ada.post(&format!("{path}/roll"), &[("overlap", "1h"), ("expires_at", "")]).await;
        assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(twice.says("rolled already") && secret_on(&twice.body).is_none());
        assert_eq!(all(&db, tenant).await.len(), 2);

        let page = ada.get(&path).await;
        assert!(page.says("Being replaced") && page.says(&new.to_string()) && page.says("web &lt;shop&gt;"));
        assert!(!page.says(&format!("{path}/roll")), "it has a successor");
        let successor = ada.get(&format!("/tenants/{tenant}/tokens/{new}")).await;
        assert!(successor.says("Took the place of another") && successor.says(&old.id.to_string()));
        assert!(secret_on(&successor.body).is_none());

        let ended = ada.post(&format!("{path}/overlap"), &[("overlap", "now")]).await;
        let page = ada.get(ended.location()).await;
        assert!(page.says("The overlap has ended") && page.says("Give it more time") && page.says("replaced"));
        let prolonged = ada.post(&format!("{path}/overlap"), &[("overlap", "7d")]).await;
        assert!(ada.get(prolonged.location()).await.says("being replaced"));
        // the successor has none
        assert_eq!(ada.get(&format!("/tenants/{tenant}/tokens/{new}/overlap")).await.status, StatusCode::SEE_OTHER);
        let none = ada.post(&format!("/tenants/{tenant}/tokens/{new}/overlap"), &[("overlap", "1d")]).await;
        assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    })
    .await;
}

#[tokio::test]
async fn a_token_is_edited_and_keeps_what_was_typed() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Consultant, None);
        let (tenant, token, path) = with_token(&db, &ada, "shop").await;
        let sale = event_type(&db, tenant, "Sale").await.to_string();
        let form = ada.get(&format!("{path}/edit")).await;
        assert!(form.says(r#"value="shop""#) && form.says("Sale"));
        let seen = token.details.fingerprint();
        let fields = |seen: &'static str| vec![("seen", seen), ("name", "web shop"), ("addresses", "192.0.2.0/24")];
        let stale = ada.post(&format!("{path}/edit"), &fields("stale")).await;
        assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(stale.says("somebody else") || stale.says("Somebody else"));
        let wrong = [("seen", &*seen), ("name", ""), ("addresses", "nowhere"), ("event_types", &*sale)];
        let wrong = ada.post(&format!("{path}/edit"), &wrong).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.says("nowhere") && wrong.says(r##"href="#name""##) && wrong.says("checked"));
        assert_eq!(all(&db, tenant).await[0], token);

        let good = [("seen", &*seen), ("name", "web shop"), ("event_types", &*sale), ("expires_at", "90d")];
        let saved = ada.post(&format!("{path}/edit"), &good).await;
        let page = ada.get(saved.location()).await;
        assert!(page.says("Saved") && page.says("web shop") && page.says("Sale"));
        // its history says what, with names in the place of ids
        assert!(page.says("Changed the token") && page.says("<del>shop</del>") && page.says("<ins>Sale</ins>"));
        // an expiry that has passed stays as it is when something else is changed
        let token = all(&db, tenant).await.remove(0);
        let end = token.details.expires_at.unwrap();
        ada.app.clock.advance(100 * 86_400);
        let typed = end.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
        assert!(ada.get(&format!("{path}/edit")).await.says(&format!(r#"value="{typed}""#)));
        let seen = token.details.fingerprint();
        let fields = [("seen", &*seen), ("name", "old shop"), ("event_types", &*sale), ("expires_at", &*typed)];
        assert_eq!(ada.post(&format!("{path}/edit"), &fields).await.status, StatusCode::SEE_OTHER);
        assert_eq!(all(&db, tenant).await[0].details.expires_at, Some(end));
    })
    .await;
}

#[tokio::test]
async fn whoever_may_not_configure_is_offered_nothing_to_do() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Consultant, None);
        let (tenant, _, path) = with_token(&db, &ada, "shop").await;
        let grace = Visitor::new(&db, Role::SuccessManager, None);
        let page = grace.get(&path).await;
        assert_eq!(page.status, StatusCode::OK);
        for act in ["roll", "edit", "revoke", "overlap"] {
            assert!(!page.says(&format!("{path}/{act}")), "{act}");
        }
        let other = tenant_of_others(&db).await;
        let foreign = Visitor::new(&db, Role::Consultant, Some(other));
        let id = path.rsplit('/').next().unwrap();
        for (visitor, path) in [(&foreign, path.clone()), (&ada, format!("/tenants/{other}/tokens/{id}"))] {
            for act in ["", "/roll", "/edit", "/overlap"] {
                assert_eq!(visitor.get(&format!("{path}{act}")).await.status, StatusCode::NOT_FOUND, "{path}{act}");
            }
        }
        assert_eq!(ada.get(&format!("/tenants/{tenant}/tokens/nonsense")).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}
