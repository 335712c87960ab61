//! The pages of the trail, as a browser without scripts meets them.
use axum::http::{StatusCode, header};

use crate::{
    auth::{Actor, Role, audit},
    clock::Clock,
    db::{Db, testing::each},
    event_types,
    ids::TenantId,
    tenants::testing::{Visitor, tenant},
    tokens::{self, Details, Secret},
};

/// A tenant with a token that was made, changed and revoked.
async fn eventful(db: &Db, name: &str) -> (TenantId, tokens::Token) {
    let (tenant, clock) = (tenant(db, name).await, Clock::system());
    let ada = Actor { name: "ada@example.com".into(), address: Some([192, 0, 2, 7].into()), ..Actor::cli() };
    let permit = ada.permit(tenant).unwrap();
    let details = Details::named("web <shop>".parse().unwrap());
    let token = tokens::create(db, &clock, &permit, &Secret::generate(), details.clone()).await.unwrap();
    let changed = Details { can_configure: true, ..details.clone() };
    tokens::change(db, &clock, &permit, token.id, &details.fingerprint(), changed).await.unwrap();
    let token = tokens::revoke(db, &clock, &permit, token.id).await.unwrap();
    (tenant, token)
}

#[tokio::test]
async fn the_trail_says_who_did_what_and_what_became_different() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Consultant, None);
        let (tenant, token) = eventful(&db, "Acme").await;
        let base = format!("/tenants/{tenant}/audit");
        let page = ada.get(&base).await;
        assert_eq!(page.status, StatusCode::OK);
        for said in ["Revoked the token", "Changed the token", "Created the tenant", "web &lt;shop&gt;", "192.0.2.7"] {
            assert!(page.says(said), "{said}");
        }
        assert!(page.says("<del>no</del>") && page.says("<ins>yes</ins>") && page.says("Can configure"));
        assert!(page.says(&format!(r#"href="/tenants/{tenant}/tokens/{}""#, token.id)));
        assert!(page.says("UTC") && page.says("<time"));

        let revoked = ada.get(&format!("{base}?action=token.revoke&actor=ADA")).await;
        assert!(revoked.says("The newest 1 change") && !revoked.says("<ins>yes</ins>"));
        assert!(revoked.says(&format!("{base}/export?actor=ADA&amp;action=token.revoke")));
        assert!(ada.get(&format!("{base}?actor=nobody")).await.says("No change is as the filter asks for"));
        assert!(ada.get(&format!("{base}?from=yesterday&action=nonsense")).await.says("was not understood"));
        assert_eq!(ada.get(&format!("{base}?actor=&from=")).await.location(), base);
        let one = ada.get(&format!("{base}?object={}", token.id)).await;
        assert!(one.says("The newest 3 changes"));
    })
    .await;
}

#[tokio::test]
async fn a_customer_is_told_who_and_what_but_no_values() {
    each(|db| async move {
        let (tenant, token) = eventful(&db, "Acme").await;
        let (other, _) = eventful(&db, "Umbrella").await;
        let customer = Visitor::new(&db, Role::Customer, Some(tenant));
        let base = format!("/tenants/{tenant}/audit");
        let page = customer.get(&base).await;
        assert!(page.says("Revoked the token") && page.says("web &lt;shop&gt;") && page.says("ada@example.com"));
        assert!(!page.says("192.0.2.7") && !page.says("<ins>") && !page.says(&token.prefix));
        assert!(!page.says(&format!("/tenants/{tenant}/tokens/")), "what it may not open is no link");
        let export = customer.get(&format!("{base}/export")).await;
        assert!(export.says("token.revoke") && !export.says("192.0.2.7") && !export.says(&token.prefix));
        assert!(!export.says(&other.to_string()));
        for path in [format!("/tenants/{other}/audit"), format!("/tenants/{other}/audit/export")] {
            assert_eq!(customer.get(&path).await.status, StatusCode::NOT_FOUND);
        }
        assert_eq!(customer.get("/audit").await.status, StatusCode::FORBIDDEN);
        let nowhere = TenantId(uuid::Uuid::from_u128(1));
        let ada = Visitor::new(&db, Role::Administrator, None);
        assert_eq!(ada.get(&format!("/tenants/{nowhere}/audit")).await.status, StatusCode::NOT_FOUND);
        assert_eq!(ada.get(&format!("/tenants/{nowhere}/audit/export")).await.status, StatusCode::NOT_FOUND);
    })
    .await;
}

#[tokio::test]
async fn administrators_see_all_and_take_it_away() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Administrator, None);
        let (tenant, _) = eventful(&db, "Acme").await;
        eventful(&db, "Umbrella").await;
        let page = ada.get("/audit").await;
        assert!(page.says("Acme") && page.says("Umbrella") && page.says("Tenant"));
        let export = ada.get("/audit/export?action=token").await;
        assert_eq!(export.headers[header::CONTENT_TYPE], "application/x-ndjson");
        assert!(export.headers[header::CONTENT_DISPOSITION].to_str().unwrap().contains("attachment"));
        let lines: Vec<serde_json::Value> =
            export.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 6);
        let revoked =
            lines.iter().find(|line| line["tenantId"] == *tenant.to_string() && line["action"] == "token.revoke");
        let revoked = revoked.expect("the revoking");
        assert_eq!((&revoked["actor"], &revoked["object"]), (&"ada@example.com".into(), &"web <shop>".into()));
        assert!(revoked["before"]["revokedAt"].is_null() && revoked["after"]["revokedAt"].is_string());
        assert_eq!(ada.get("/audit/export?from=yesterday").await.status, StatusCode::BAD_REQUEST);
    })
    .await;
}

/// Writes down what somebody did to something, as the slices do.
async fn written(db: &Db, tenant: TenantId, action: &'static str, object: String, after: serde_json::Value) {
    let clock = Clock::still();
    db.write(move |tx| {
        Box::pin(async move {
            let (actor, after) = (Actor::cli(), Some(after));
            for action in [action, "token.change"] {
                let (object, after, tenant) = (object.clone(), after.clone(), Some(tenant));
                let entry = audit::Entry { actor: &actor, tenant, action, object, before: None, after };
                audit::record(tx, &clock, entry).await?;
            }
            Ok(())
        })
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn the_trail_names_and_links_what_was_changed_to_whom_may_open_it() {
    each(|db| async move {
        let (tenant, clock) = (tenant(&db, "Acme").await, Clock::system());
        let permit = Actor::cli().permit(tenant).unwrap();
        let details = event_types::Details::named("Order <b>".parse().unwrap());
        let made = event_types::create(&db, &clock, &permit, None, details).await.unwrap();
        written(&db, tenant, "contract.activate", made.id.to_string(), serde_json::json!({"version": 2})).await;
        let (group, event) = (uuid::Uuid::from_u128(7).to_string(), uuid::Uuid::from_u128(8).to_string());
        written(&db, tenant, "failure-group.acknowledge", group.clone(), serde_json::json!({"state": "x"})).await;
        written(&db, tenant, "event.mend", event.clone(), serde_json::json!({"unchanged": true})).await;
        let type_link =
            format!(r#"href="/tenants/{tenant}/event-types/{}" class="quiet-link">Order &lt;b&gt;"#, made.id);
        for (role, path) in
            [(Role::Consultant, format!("/tenants/{tenant}/audit")), (Role::Administrator, "/audit".to_owned())]
        {
            let page = Visitor::new(&db, role, None).get(&format!("{path}?action=contract")).await;
            assert!(page.says("Activated a contract of the event type") && page.says(&type_link), "{}", page.body);
            let page = Visitor::new(&db, role, None).get(&path).await;
            for link in [format!("quarantine/groups/{group}"), format!("events/{event}")] {
                assert!(page.says(&format!("/tenants/{tenant}/{link}\"")), "{link}");
            }
        }
        // no payloads, no pages of them
        let reader = Visitor::new(&db, Role::AccountManager, None).get(&format!("/tenants/{tenant}/audit")).await;
        assert!(reader.says(&type_link) && !reader.says("/quarantine/groups/") && reader.says(&group));
        let customer = Visitor::new(&db, Role::Customer, Some(tenant)).get(&format!("/tenants/{tenant}/audit")).await;
        assert!(customer.says("Order &lt;b&gt;") && !customer.says(&type_link));
    })
    .await;
}

#[tokio::test]
async fn what_happened_in_one_moment_stands_in_its_order() {
    each(|db| async move {
        let tenant = tenant(&db, "Acme").await;
        for _ in 0..20 {
            written(&db, tenant, "event.mend", uuid::Uuid::from_u128(8).to_string(), serde_json::json!({})).await;
        }
        let actions =
            crate::sql!(values String, &db, "SELECT action FROM audit WHERE action <> 'tenant.create' ORDER BY id");
        let actions = actions.unwrap();
        assert!(actions.chunks(2).all(|two| two == ["event.mend", "token.change"]), "{actions:?}");
    })
    .await;
}
