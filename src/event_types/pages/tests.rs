//! The pages of event types, as a browser without scripts meets them.
use axum::http::StatusCode;

use crate::{
    auth::{Actor, Role},
    db::{Db, testing::each},
    event_types::{self, EventType, Policy},
    ids::TenantId,
    tenants::testing::{Visitor, tenant},
};

const EVIL: &str = "</textarea><script>alert(1)</script>";

async fn only(db: &Db, tenant: TenantId) -> EventType {
    event_types::list(db, &Actor::cli().permit(tenant).unwrap()).await.unwrap().remove(0)
}

fn fields<'a>(name: &'a str, contract: &'a str) -> [(&'a str, &'a str); 6] {
    [
        ("name", name),
        ("description", "What a shop sells."),
        ("contract", contract),
        ("policy", "warn"),
        ("unique_fields", "Order ID\r\n/Shop/Id\r\n"),
        ("anonymous", "on"),
    ]
}

#[tokio::test]
async fn an_event_type_is_created_shown_and_changed() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Consultant, None);
        let tenant = tenant(&db, "Acme").await;
        let list = format!("/tenants/{tenant}/event-types");
        assert!(ada.get(&list).await.says("No event types yet"));
        let contract = r#"{"required":["Order ID"],"properties":{"Order ID":{"type":"string","const":"it's"}}}"#;
        let made = ada.post(&format!("{list}/new"), &fields("Order <b>", contract)).await;
        let kept = only(&db, tenant).await;
        assert_eq!(made.location(), format!("{list}/{}?done=created", kept.id));
        assert_eq!((kept.details.policy, kept.details.anonymous), (Policy::Warn, true));
        assert_eq!(kept.details.unique_fields.pointers().collect::<Vec<_>>(), ["/Order ID", "/Shop/Id"]);
        assert_eq!(kept.details.contract.text(), contract);

        let page = ada.get(made.location()).await;
        let endpoint = format!("http://127.0.0.1:3000/events/v1.0/tenants/{tenant}/events/{}", kept.id);
        assert!(page.says(&endpoint) && page.says("Order &lt;b&gt;") && !page.says("Order <b>"));
        assert!(page.says("X-CM-PRODUCTTOKEN: $TRIBUTARY_TOKEN"));
        assert!(page.says("?X-CM-PRODUCTTOKEN=$TRIBUTARY_TOKEN"));
        assert!(page.says(&format!("{list}/{}/stream", kept.id)), "the island waits for the first event");
        assert!(page.says(&format!("/tenants/{tenant}/events?type={}", kept.id)));
        assert!(page.says(r"it'\''s"), "the shell gets the quote: {}", page.body);

        let path = format!("{list}/{}/edit", kept.id);
        assert!(
            ada.get(&path).await.says(r#"value="Order &lt;b&gt;""#)
                || ada.get(&path).await.says(r#"value="Order <b>""#)
        );
        let changed = ada.post(&path, &[("name", "Order"), ("contract", "true"), ("policy", "refuse")]).await;
        assert!(ada.get(changed.location()).await.says("Saved"));
        let kept = only(&db, tenant).await;
        assert_eq!((kept.details.name.as_str(), kept.details.policy), ("Order", Policy::Refuse));
        assert!(kept.details.unique_fields.is_empty() && !kept.details.anonymous && kept.details.enabled);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_contract_comes_back_as_it_was_typed() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Consultant, None);
        let tenant = tenant(&db, "Acme").await;
        let path = format!("/tenants/{tenant}/event-types/new");
        let wrong = format!(r#"{{"type": "strng", "title": "{EVIL}"}}"#);
        let mut typed = fields("", &wrong).to_vec();
        typed[3].1 = "whatever";
        typed[4].1 = "/a~9";
        let answer = ada.post(&path, &typed).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        for field in ["name", "contract", "policy", "unique_fields"] {
            assert!(answer.says(&format!(r##"href="#{field}""##)), "{field}");
        }
        assert!(answer.says("strng") && answer.says("&lt;/textarea&gt;") && !answer.says(EVIL));
        assert!(answer.says("/a~9"));
        let remote = ada.post(&path, &fields("Order", r#"{"$ref":"https://example.com/x.json"}"#)).await;
        assert!(remote.says("documents elsewhere are never fetched"), "{}", remote.body);
        assert!(event_types::all(&db).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn switching_off_is_asked_about_and_an_edit_does_not_switch_on() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Consultant, None);
        let tenant = tenant(&db, "Acme").await;
        let list = format!("/tenants/{tenant}/event-types");
        ada.post(&format!("{list}/new"), &fields("Order", "{}")).await;
        let id = only(&db, tenant).await.id;
        let asked = ada.get(&format!("{list}/{id}/disable")).await;
        assert!(asked.says("Disable Order") && asked.says("active tokens may send it"));
        assert!(only(&db, tenant).await.details.enabled);
        let off = ada.post(&format!("{list}/{id}/disable"), &[]).await;
        assert!(ada.get(off.location()).await.says("its events are refused"));
        ada.post(&format!("{list}/{id}/edit"), &fields("Order 2", "{}")).await;
        let kept = only(&db, tenant).await;
        assert!(!kept.details.enabled && kept.details.name.as_str() == "Order 2");
        ada.post(&format!("{list}/{id}/enable"), &[]).await;
        assert!(only(&db, tenant).await.details.enabled);
    })
    .await;
}

#[tokio::test]
async fn who_may_not_read_payloads_gets_no_stream() {
    each(|db| async move {
        let tenant = tenant(&db, "Acme").await;
        let list = format!("/tenants/{tenant}/event-types");
        Visitor::new(&db, Role::Consultant, None).post(&format!("{list}/new"), &fields("Order", "{}")).await;
        let id = only(&db, tenant).await.id;
        let reader = Visitor::new(&db, Role::AccountManager, None).get(&format!("{list}/{id}")).await;
        assert_eq!(reader.status, StatusCode::OK);
        assert!(!reader.says("/stream") && !reader.says("/edit"));
        let wrong = Visitor::new(&db, Role::Consultant, None).get(&format!("{list}/{tenant}")).await;
        assert_eq!(wrong.status, StatusCode::NOT_FOUND);
    })
    .await;
}
