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
        let in_address = ada.get(&format!("{list}/{}?snippet=curl&token=address", kept.id)).await;
        assert!(in_address.says("?X-CM-PRODUCTTOKEN=&#x27;") || in_address.says("?X-CM-PRODUCTTOKEN='"));
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

/// A type with the contract `{}`, made by its page.
async fn made(ada: &Visitor, tenant: TenantId, db: &Db) -> String {
    ada.post(&format!("/tenants/{tenant}/event-types/new"), &fields("Order <b>", r#"{"type":"object"}"#)).await;
    format!("/tenants/{tenant}/event-types/{}", only(db, tenant).await.id)
}

async fn draft(db: &Db, tenant: TenantId, text: &str) -> String {
    let permit = Actor::cli().permit(tenant).unwrap();
    let (id, clock) = (only(db, tenant).await.id, crate::clock::Clock::system());
    let contract = event_types::Contract::parse(text).unwrap();
    event_types::versions::save_draft(db, &clock, &permit, id, contract).await.unwrap().fingerprint().to_string()
}

#[tokio::test]
async fn a_draft_is_reviewed_activated_and_rolled_back() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Consultant, None);
        let tenant = tenant(&db, "Acme").await;
        let here = made(&ada, tenant, &db).await;
        let review = format!("{here}/contract/review");
        assert!(ada.get(&review).await.says("No draft to review"));
        assert!(ada.get(&here).await.says("Version 1"));

        let evil = format!(r#"{{"type":"object","required":["Amount"],"title":"{EVIL}"}}"#);
        let seen = draft(&db, tenant, &evil).await;
        let page = ada.get(&review).await;
        assert!(page.says("became required") && page.says("Activate version 2") && page.says(&seen), "{}", page.body);
        assert!(!page.says(EVIL) && page.says("There are no events of this type yet"));
        assert!(ada.get(&here).await.says("A draft waits: saved by cli"));

        // another consultant saves meanwhile: the button does not activate what was not seen
        draft(&db, tenant, r#"{"type":"object","required":["Email"]}"#).await;
        let refused = ada.post(&review, &[("fingerprint", &seen), ("note", "it's <ok>")]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            refused.says("has changed since you looked") && refused.says("it&#39;s") | refused.says("it's &lt;ok&gt;")
        );
        assert_eq!(only(&db, tenant).await.details.contract.text(), r#"{"type":"object"}"#);
        let seen = draft(&db, tenant, r#"{"type":"object","required":["Email"]}"#).await;
        let done = ada.post(&review, &[("fingerprint", &seen), ("note", "<i>why</i>")]).await;
        assert_eq!(done.location(), format!("{here}/contract/versions?done=activated"));
        let list = ada.get(done.location()).await;
        assert!(list.says("Version 2 is active") && list.says("&lt;i&gt;why") && list.says("ada@example.com"));

        let versions = format!("{here}/contract/versions");
        let one = ada.get(&format!("{versions}/1")).await;
        assert!(one.says("It is the first version") && one.says("no longer required"), "{}", one.body);
        assert!(ada.get(&format!("{versions}/2")).await.says("became required"));
        for missing in ["0", "3", "x", "-1"] {
            assert_eq!(ada.get(&format!("{versions}/{missing}")).await.status, StatusCode::NOT_FOUND, "{missing}");
        }
        let back = format!("{versions}/1/roll-back");
        let asked = ada.get(&format!("{back}?trial=100")).await;
        assert!(asked.says("Roll back to version 1") && asked.says("no longer required"));
        assert!(asked.says("Trial") && asked.says("nothing to try it on"), "it is tried as a draft is");
        let outdated = ada.post(&back, &[("active", "1")]).await;
        assert!(outdated.says("Version 2 has become active meanwhile"), "{}", outdated.body);
        let done = ada.post(&back, &[("active", "2")]).await;
        assert!(ada.get(done.location()).await.says("brought back as version 3"));
        assert_eq!(only(&db, tenant).await.details.contract.text(), r#"{"type":"object"}"#);

        draft(&db, tenant, "true").await;
        let discard = format!("{here}/contract/discard");
        assert!(ada.get(&discard).await.says("Discard the draft of Order &lt;b&gt;"));
        let unseen = ada.post(&discard, &[]).await;
        assert_eq!(unseen.location(), review, "what was not seen is not thrown away");
        let seen = draft(&db, tenant, "true").await;
        let gone = ada.post(&format!("{discard}?fingerprint={seen}"), &[]).await;
        assert!(ada.get(gone.location()).await.says("No draft to review"));
    })
    .await;
}

#[tokio::test]
async fn a_test_event_is_checked_stored_once_and_named() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Consultant, None);
        let tenant = tenant(&db, "Acme").await;
        ada.post(&format!("/tenants/{tenant}/event-types/new"), &fields("Order", r#"{"required":["Order ID"]}"#)).await;
        let here = format!("/tenants/{tenant}/event-types/{}", only(&db, tenant).await.id);
        let path = format!("{here}/test");
        assert!(ada.get(&path).await.says("Validate only"));
        let good = format!(r#"{{"Order ID": 1, "Shop": {{"Id": 2}}, "x": "{EVIL}"}}"#);
        let stored = || async { crate::sql!(value i64, &db, "SELECT COUNT(*) FROM events").unwrap() };

        let checked = ada.post(&path, &[("payload", &good), ("act", "check")]).await;
        assert!(checked.says("It keeps the contract") && !checked.says(EVIL), "{}", checked.body);
        let wrong = ada.post(&path, &[("payload", "{}"), ("act", "check")]).await;
        assert!(wrong.says("It breaks the contract") && wrong.says("is required but missing"));
        for bad in ["", "[1]", "{", "nonsense"] {
            let answer = ada.post(&path, &[("payload", bad), ("act", "send")]).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
        }
        assert_eq!(stored().await, 0);

        // two clicks on one form are one event
        let send = |payload: String, form: &'static str| {
            let (ada, path) = (&ada, &path);
            async move { ada.post(path, &[("payload", &payload), ("act", "send"), ("form", form)]).await }
        };
        let (one, other) = (send(good.clone(), "f1").await, send(good.clone(), "f1").await);
        assert_eq!(one.location(), other.location());
        assert_eq!(stored().await, 1);
        let page = ada.get(one.location()).await;
        assert!(page.says("Accepted") && page.says("Look at the event") && !page.says(EVIL));
        assert!(send(good.clone(), "f2").await.location().contains("?repeats="), "its unique value is known");
        let reused = send(good.replace(": 1", ": 9"), "f1").await;
        assert!(reused.says("sent before, with another event"), "{}", reused.body);
        let by = crate::sql!(values String, &db, "SELECT actor FROM audit WHERE action = 'event.test'").unwrap();
        assert!(by.len() >= 2 && by.iter().all(|by| by == "ada@example.com"));

        let refusing = [("name", "Order"), ("policy", "refuse"), ("unique_fields", "Order ID\r\n/Shop/Id\r\n")];
        ada.post(&format!("{here}/edit"), &refusing).await;
        let kept = only(&db, tenant).await;
        assert_eq!(kept.details.contract.text(), r#"{"required":["Order ID"]}"#, "a form without a contract keeps it");
        let refused = send("{}".into(), "f3").await;
        assert!(refused.says("this type refuses such requests") && stored().await == 1);
        let conflicting = send(r#"{"Order ID": 1, "Shop": {"Id": 2}, "more": true}"#.into(), "f5").await;
        assert!(conflicting.says("this type refuses such requests"), "{}", conflicting.body);
        assert!(conflicting.says("has the same value with another payload") && stored().await == 1);
        ada.post(&format!("{here}/disable"), &[]).await;
        assert!(send(r#"{"Order ID":5}"#.into(), "f4").await.says("The event type is disabled"));
        assert_eq!(stored().await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_copy_goes_only_where_one_may_configure() {
    each(|db| async move {
        let (own, other) = (tenant(&db, "Acme").await, tenant(&db, "Umbrella").await);
        let ada = Visitor::new(&db, Role::Consultant, None);
        let here = made(&ada, own, &db).await;
        assert!(ada.get(&format!("{here}/copy")).await.says("Umbrella"));
        // bound to the one tenant, the other is not there
        let bound = Visitor::new(&db, Role::Consultant, Some(own));
        assert!(!bound.get(&format!("{here}/copy")).await.says("Umbrella"));
        let to = other.to_string();
        let refused = bound.post(&format!("{here}/copy"), &[("tenant", &to), ("name", "Copy")]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.says("Choose one of the tenants"));
        let done = ada.post(&format!("{here}/copy"), &[("tenant", &to), ("name", "Copy")]).await;
        assert!(done.location().starts_with(&format!("/tenants/{other}/event-types/")));
        assert!(ada.get(done.location()).await.says("This is the copy"));
        assert_eq!(only(&db, other).await.details.name.as_str(), "Copy");
    })
    .await;
}

#[tokio::test]
async fn snippets_stand_in_the_address() {
    each(|db| async move {
        let tenant = tenant(&db, "Acme").await;
        let ada = Visitor::new(&db, Role::Consultant, None);
        let here = made(&ada, tenant, &db).await;
        for (query, said) in [
            ("", "curl -X POST"),
            ("?snippet=javascript", "await fetch("),
            ("?snippet=python&token=address", "params={"),
            ("?snippet=csharp", "CM.Cdp.Events.Sdk"),
            ("?snippet=php", "curl_setopt_array"),
            ("?snippet=nonsense&token=x", "curl -X POST"),
        ] {
            assert!(ada.get(&format!("{here}{query}")).await.says(said), "{query}");
        }
    })
    .await;
}
