//! Contracts written as a browser without scripts does it.
use axum::http::StatusCode;
use serde_json::json;

use crate::{
    auth::{Actor, Role},
    clock::Clock,
    db::{Db, testing::each},
    event_types::{self, Contract, Details, EventType, versions},
    ids::TenantId,
    tenants::testing::{Answer, Visitor, tenant},
};

const ORDER: &str = r##"{
  "type": "object",
  "required": ["Email"],
  "x-team": "web",
  "properties": {
    "Email": { "type": "string", "format": "email", "maxLength": 200 },
    "<b>": {"$ref": "#/$defs/money"}
  },
  "$defs": {"money": {"type": "number"}}
}"##;

async fn order(db: &Db, tenant: TenantId) -> EventType {
    let details = Details { contract: Contract::parse(ORDER).unwrap(), ..Details::named("Order <i>".parse().unwrap()) };
    event_types::create(db, &Clock::system(), &Actor::cli().permit(tenant).unwrap(), None, details).await.unwrap()
}

async fn draft(db: &Db, event_type: &EventType) -> Option<String> {
    let permit = Actor::cli().permit(event_type.tenant_id).unwrap();
    let draft = versions::draft(db, &permit, event_type.id).await.unwrap();
    draft.map(|draft| draft.contract.text().to_owned())
}

fn unescaped(text: &str) -> String {
    html_escape::decode_html_entities(text).into_owned()
}

/// What the form of a page would send: its inputs as they stand, but for what `typed` says. `None` takes one away.
fn filled<'a>(page: &'a Answer, typed: &[(&'a str, Option<&'a str>)]) -> Vec<(String, String)> {
    let form = page.body.split("id=\"contract-form\"").nth(1).expect("the form").split("</form>").next().unwrap();
    let attribute = |tag: &str, name: &str| {
        tag.split(&format!(" {name}=\"")).nth(1).and_then(|rest| rest.split('"').next()).map(unescaped)
    };
    let mut fields: Vec<(String, String)> = Vec::new();
    for piece in form.split('<').skip(1) {
        let Some(name) = attribute(piece, "name") else { continue };
        let (tag, text) = piece.split_once('>').unwrap_or((piece, ""));
        let value = if tag.starts_with("input") {
            let ticked = !tag.contains("type=\"checkbox\"") || tag.contains(" checked");
            if !ticked || tag.contains("type=\"file\"") {
                continue;
            }
            attribute(tag, "value").unwrap_or_else(|| "on".into())
        } else if tag.starts_with("textarea") {
            unescaped(text.strip_prefix('\n').unwrap_or(text))
        } else if tag.starts_with("select") && !tag.contains(" disabled") {
            let whole = form.split(&format!("name=\"{name}\"")).nth(1).unwrap().split("</select>").next().unwrap();
            let chosen = whole.split("<option").skip(1).find(|option| option.contains(" selected"));
            attribute(chosen.or(whole.split("<option").nth(1)).unwrap_or_default(), "value").unwrap_or_default()
        } else {
            continue;
        };
        fields.push((name, value));
    }
    for (name, value) in typed {
        fields.retain(|(known, _)| known != name);
        fields.extend(value.map(|value| ((*name).to_owned(), value.to_owned())));
    }
    fields
}

async fn post(visitor: &Visitor, path: &str, fields: &[(String, String)]) -> Answer {
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    visitor.post(path, &fields).await
}

#[tokio::test]
async fn a_contract_is_edited_in_its_table_and_kept_as_a_draft() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Consultant, None);
        let event_type = order(&db, tenant(&db, "Acme").await).await;
        let path = format!("/tenants/{}/event-types/{}/contract", event_type.tenant_id, event_type.id);
        let page = ada.get(&path).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.says("maxLength 200") && page.says("x-team web") && !page.says("<b>") && !page.says("<i>"));

        // sent as it came, it is what it was
        let saved = post(&ada, &path, &filled(&page, &[("do", Some("save"))])).await;
        assert_eq!(saved.location(), format!("{path}/review"));
        assert_eq!(draft(&db, &event_type).await.as_deref(), Some(ORDER));

        let page = ada.get(&path).await;
        let typed = filled(&page, &[
            ("do", Some("add")), ("f0-required", None), ("f0-identifies", Some("email")), ("new-name", Some("Status")),
            ("new-kind", Some("text")), ("new-required", Some("on")),
        ]);
        let looked = post(&ada, &path, &typed).await;
        assert_eq!(looked.status, StatusCode::OK, "{}", looked.body);
        assert!(looked.says("value=\"Status\""));
        assert_eq!(draft(&db, &event_type).await.as_deref(), Some(ORDER), "looking saves nothing");
        let typed = filled(&looked, &[("do", Some("save")), ("f2-allowed", Some("paid\r\nopen")), ("f1-remove", Some("on"))]);
        post(&ada, &path, &typed).await.location();
        let kept: serde_json::Value = serde_json::from_str(&draft(&db, &event_type).await.unwrap()).unwrap();
        assert_eq!(kept, json!({
            "type": "object", "required": ["Status"], "x-team": "web", "$defs": {"money": {"type": "number"}},
            "properties": {"Email": {"type": "string", "format": "email", "maxLength": 200, "x-identifies": "email"},
                "Status": {"type": "string", "enum": ["paid", "open"]}}
        }));
    })
    .await;
}

#[tokio::test]
async fn the_two_sides_never_disagree() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Consultant, None);
        let event_type = order(&db, tenant(&db, "Acme").await).await;
        let path = format!("/tenants/{}/event-types/{}/contract", event_type.tenant_id, event_type.id);
        let table = ada.get(&path).await;
        let json = post(&ada, &path, &filled(&table, &[("do", Some("json")), ("f0-name", Some("E-mail"))])).await;
        let text = filled(&json, &[]).into_iter().find(|(name, _)| name == "contract").unwrap().1;
        assert_eq!(text, ORDER.replace("\"Email\"", "\"E-mail\""));

        let wrong =
            post(&ada, &path, &filled(&json, &[("do", Some("table")), ("contract", Some("{\"type\": </textarea>"))]))
                .await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.says("This is not JSON") && wrong.says("&lt;/textarea&gt;"));

        let changed = text.replace("200", "100");
        let back = post(&ada, &path, &filled(&json, &[("do", Some("table")), ("contract", Some(&changed))])).await;
        assert!(back.says("maxLength 100") && back.says("value=\"E-mail\""), "{}", back.body);
        post(&ada, &path, &filled(&back, &[("do", Some("save"))])).await.location();
        assert_eq!(draft(&db, &event_type).await, Some(changed.clone()));

        let file = ada.get(&format!("{path}/schema.json")).await;
        assert_eq!((file.headers["content-type"].to_str().unwrap(), &file.body), ("application/schema+json", &changed));
        assert!(file.headers["content-disposition"].to_str().unwrap().contains("order-i.schema.json"));
    })
    .await;
}

#[tokio::test]
async fn what_is_amiss_comes_back_at_its_field() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Consultant, None);
        let event_type = order(&db, tenant(&db, "Acme").await).await;
        let path = format!("/tenants/{}/event-types/{}/contract", event_type.tenant_id, event_type.id);
        let page = ada.get(&path).await;
        let typed = filled(
            &page,
            &[
                ("do", Some("save")),
                ("f0-name", Some(" ")),
                ("f0-kind", Some("number")),
                ("f0-allowed", Some("1\r\n\"><script>")),
                ("new-name", Some("<b>")),
            ],
        );
        let wrong = post(&ada, &path, &typed).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        for field in ["f0-name", "f0-allowed", "new-name"] {
            assert!(wrong.says(&format!("href=\"#{field}\"")), "{field}: {}", wrong.body);
        }
        assert!(!wrong.says("<script>") && wrong.says("There is a field called"));
        assert!(filled(&wrong, &[]).contains(&("f0-kind".into(), "number".into())), "what was chosen is kept");
        assert_eq!(draft(&db, &event_type).await, None);
    })
    .await;
}

#[tokio::test]
async fn of_two_who_save_at_once_the_second_is_told() {
    each(|db| async move {
        let (ada, bob) = (Visitor::new(&db, Role::Consultant, None), Visitor::new(&db, Role::Administrator, None));
        let event_type = order(&db, tenant(&db, "Acme").await).await;
        let path = format!("/tenants/{}/event-types/{}/contract", event_type.tenant_id, event_type.id);
        let (of_ada, of_bob) = (ada.get(&path).await, bob.get(&path).await);
        post(&ada, &path, &filled(&of_ada, &[("do", Some("save")), ("f0-description", Some("Ada's"))]))
            .await
            .location();
        let told =
            post(&bob, &path, &filled(&of_bob, &[("do", Some("save")), ("f0-description", Some("Bob's"))])).await;
        assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(told.says("has saved another draft since you began"));
        assert!(draft(&db, &event_type).await.unwrap().contains("Ada's"));
        post(&bob, &path, &filled(&told, &[("do", Some("save"))])).await.location();
        assert!(draft(&db, &event_type).await.unwrap().contains("Bob's"));
    })
    .await;
}

#[tokio::test]
async fn samples_become_a_draft_or_a_new_type() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Consultant, None);
        let tenant = tenant(&db, "Acme").await;
        let event_type = order(&db, tenant).await;
        let samples = "{\"Klantnummer\": \"0012\", \"E-mail\": \"jane@example.com\", \"<b>\": 1.5}\n{\"Klantnummer\": \"0013\", \"E-mail\": \"x@example.com\"}";
        let list = format!("/tenants/{tenant}/event-types");
        for path in [format!("{list}/new/sample"), format!("{list}/{}/contract/propose", event_type.id)] {
            let nothing = ada.post(&path, &[("sample", " ")]).await;
            assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(nothing.says("at least one event"));
            let wrong = ada.post(&path, &[("sample", "{\n\"a\": </textarea>")]).await;
            assert!(wrong.says("from line 2 on") && wrong.says("&lt;/textarea&gt;"), "{}", wrong.body);
            let page = ada.post(&path, &[("sample", samples)]).await;
            assert_eq!(page.status, StatusCode::OK, "{}", page.body);
            assert!(page.says("in 2 of 2") && page.says("in 1 of 2") && page.says("jane@example.com") && page.says("leading zeros"));
            assert!(!page.says("<b>"));
            let typed = filled(&page, &[("do", Some("save")), ("name", Some("Klant")), ("policy", Some("refuse")), ("f2-name", Some("Bedrag"))]);
            let saved = post(&ada, &path, &typed).await;
            let (text, next) = if path.ends_with("propose") {
                (draft(&db, &event_type).await.unwrap(), format!("{list}/{}/contract/review", event_type.id))
            } else {
                let all = event_types::all(&db).await.unwrap();
                let made = all.into_iter().find(|made| made.details.name.as_str() == "Klant").unwrap();
                assert_eq!(made.details.policy, event_types::Policy::Refuse);
                assert!(made.details.unique_fields.is_empty(), "what identifies a person is no number of the event");
                (made.details.contract.text().to_owned(), format!("{list}/{}?done=created", made.id))
            };
            assert_eq!(saved.location(), next);
            let kept: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(kept, json!({"type": "object", "required": ["Klantnummer", "E-mail"], "properties": {
                "Klantnummer": {"type": "string", "x-identifies": "id"},
                "E-mail": {"type": "string", "format": "email", "x-identifies": "email"}, "Bedrag": {"type": "number"}}}));
        }
        let nameless = ada.post(&format!("{list}/new/sample"), &[("side", "json"), ("contract", "{}"), ("do", "save")]).await;
        assert!(nameless.status == StatusCode::UNPROCESSABLE_ENTITY && nameless.says("href=\"#name\""));
    })
    .await;
}

/// Browsers send every line break as CR LF, and a contract may hold either.
#[tokio::test]
async fn line_breaks_are_kept_too() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Consultant, None);
        let tenant = tenant(&db, "Acme").await;
        let text = ORDER.replace('\n', "\r\n").replace("x-team\": ", "x-team\":\n ");
        let details = Details { contract: Contract::parse(&text).unwrap(), ..Details::named("Order".parse().unwrap()) };
        let permit = Actor::cli().permit(tenant).unwrap();
        let made = event_types::create(&db, &Clock::system(), &permit, None, details).await.unwrap();
        let path = format!("/tenants/{tenant}/event-types/{}/contract", made.id);
        let page = ada.get(&path).await;
        let sent: Vec<_> = filled(&page, &[("do", Some("save"))])
            .into_iter()
            .map(|(name, value)| (name, value.replace("\r\n", "\n").replace('\n', "\r\n")))
            .collect();
        post(&ada, &path, &sent).await.location();
        assert_eq!(draft(&db, &made).await, Some(text));
    })
    .await;
}

#[tokio::test]
async fn a_contract_without_a_table_is_edited_as_json() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Consultant, None);
        let tenant = tenant(&db, "Acme").await;
        let details =
            Details { contract: Contract::parse("false").unwrap(), ..Details::named("None".parse().unwrap()) };
        let permit = Actor::cli().permit(tenant).unwrap();
        let made = event_types::create(&db, &Clock::system(), &permit, None, details).await.unwrap();
        let path = format!("/tenants/{tenant}/event-types/{}/contract", made.id);
        let page = ada.get(&path).await;
        assert!(page.says("takes no event at all"));
        let turned = post(&ada, &path, &filled(&page, &[("do", Some("table"))])).await;
        assert_eq!(turned.status, StatusCode::UNPROCESSABLE_ENTITY);
        post(&ada, &path, &filled(&page, &[("do", Some("save")), ("contract", Some("{}"))])).await.location();
        let page = ada.get(&path).await;
        assert!(page.says("No fields yet") && page.says("/propose"));
    })
    .await;
}

#[tokio::test]
async fn a_new_type_is_made_field_by_field_or_numbered_by_its_samples() {
    each(|db| async move {
        let ada = Visitor::new(&db, Role::Consultant, None);
        let tenant = tenant(&db, "Acme").await;
        let path = format!("/tenants/{tenant}/event-types/new");
        let page = ada.get(&path).await;
        assert!(page.says("No fields yet") && page.says("new/sample") && page.says("?as=json"));
        let typed =
            [("do", Some("add")), ("name", Some("Sold")), ("new-name", Some("Ticket")), ("new-required", Some("on"))];
        let page = post(&ada, &path, &filled(&page, &typed)).await;
        assert!(page.status == StatusCode::OK && page.says(r#"value="Sold""#) && page.says("Field /Ticket"));
        assert!(event_types::all(&db).await.unwrap().is_empty(), "nothing is made before it is created");
        let settled =
            [("do", Some("save")), ("unique_fields", Some("Ticket")), ("policy", Some("warn")), ("id", Some(ID))];
        post(&ada, &path, &filled(&page, &settled)).await.location();
        let made = event_types::all(&db).await.unwrap().remove(0);
        assert_eq!((made.id.to_string(), made.details.policy), (ID.to_owned(), event_types::Policy::Warn));
        assert_eq!(made.details.unique_fields.pointers().collect::<Vec<_>>(), ["/Ticket"]);
        let schema = json!({"type": "object", "properties": {"Ticket": {"type": "string"}}, "required": ["Ticket"]});
        assert_eq!(made.details.contract.schema(), schema);

        let samples = r#"{"Customer Number": "7", "OrderID": "a1", "Total": 1}"#;
        let page = ada.post(&format!("{path}/sample"), &[("sample", samples)]).await;
        let text = page.body.split("id=\"unique_fields\"").nth(1).unwrap().split("</textarea>").next().unwrap();
        assert!(text.ends_with("/OrderID"), "{text}");
    })
    .await;
}

const ID: &str = "3f0c0b0a-6f1e-4a53-9c55-0f5d3f8a1b2c";
