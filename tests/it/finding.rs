//! Finding anything, through the pages and by the command line, on both databases.
use std::time::Duration;

use serde_json::{Value, json};
use tributary::{
    auth::Role,
    event_types::SearchableFields,
    ids::{EventTypeId, ReceiptId},
};

use crate::support::{
    Answer, Asking, TestApp,
    browser::{Browser, account, named_account},
    each,
    program::{run, tributary},
};

const NOTHING: &str = "Nothing that you may see has this id";

async fn signed_in(app: &TestApp, role: Role, bound: Option<&TestApp>) -> Browser {
    let whose = bound.map_or("all".to_owned(), |bound| bound.tenant.to_string());
    let email = format!("{role}-{whose}@example.com");
    account(app, &email, role, bound.map(|bound| bound.tenant)).await;
    Browser::signed_in(app, &email).await
}

/// What the palette is told: group, title, address.
async fn suggested(browser: &mut Browser, query: &str) -> Vec<(String, String, String)> {
    let answer = browser.get(&format!("/search/suggest?{query}")).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let told = answer.json();
    let groups = told["groups"].as_array().unwrap().iter();
    groups
        .flat_map(|group| {
            let hits = group["hits"].as_array().unwrap();
            assert!((1..=8).contains(&hits.len()), "{group}");
            hits.iter().map(|hit| (text(&group["title"]), text(&hit["title"]), text(&hit["href"]))).collect::<Vec<_>>()
        })
        .collect()
}

fn q(text: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new()).append_pair("q", text).finish()
}

async fn sent(app: &TestApp, event_type: EventTypeId, payload: &str) -> (Answer, ReceiptId) {
    let answer = app.post(&format!("/events/{event_type}")).body(payload.to_owned()).send(app.to()).await;
    let receipt = answer.json()["receiptId"].as_str().unwrap().parse().unwrap();
    (answer, receipt)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_opens_its_page_for_whoever_may_see_it_and_is_unknown_to_everybody_else() {
    each(async |app: TestApp| {
        let other = app.another_tenant().await;
        let event_type = app.event_type(|_| {}).await;
        let (token, secret) = app.token_with(|_| {}).await;
        app.start().await;
        let (answer, receipt) = sent(&app, event_type, r#"{"a":1}"#).await;
        let base = format!("/tenants/{}", app.tenant);
        let (event, type_page) = (receipt.event(0), format!("{base}/event-types/{event_type}"));
        let (tenant_page, token_page) = (base.clone(), format!("{base}/tokens/{token}"));
        let event_page = format!("{base}/events/{event}");
        let ids = [
            (app.tenant.to_string(), tenant_page.as_str()),
            (event_type.to_string(), &type_page),
            (token.to_string().to_uppercase(), &token_page),
            (secret[..12].to_owned(), &token_page),
            (event.to_string(), &event_page),
            (receipt.to_string(), &format!("{base}/events?receipt={receipt}")),
        ];
        let every = [0, 1, 2, 3, 4, 5];
        for (role, bound, sees) in [
            (Role::Administrator, None, &every[..]),
            (Role::Consultant, Some(&app), &every),
            (Role::SuccessManager, None, &[0, 1, 2, 3]),
            (Role::Customer, Some(&app), &[0]),
            (Role::Consultant, Some(&other), &[]),
            (Role::Customer, Some(&other), &[]),
        ] {
            let mut browser = signed_in(&app, role, bound).await;
            for (n, (id, page)) in ids.iter().enumerate() {
                let answer = browser.get(&format!("/search?{}&tenant={}", q(id), app.tenant)).await;
                let told = suggested(&mut browser, &q(id)).await;
                if sees.contains(&n) {
                    assert_eq!((answer.status, answer.header("location")), (303, Some(*page)), "{role} {id}");
                    assert_eq!(told.len(), 1);
                    assert_eq!((told[0].0.as_str(), told[0].2.as_str()), ("Exactly this", *page));
                    assert_eq!(browser.get(page).await.status, 200, "{role} {page}");
                } else {
                    let unknown = if n == 3 { "No token that you may see begins with" } else { NOTHING };
                    assert_eq!(answer.status, 200, "{role} {id}");
                    assert!(answer.text().contains(unknown), "{role} {id}: {}", answer.text());
                    assert!(told.is_empty(), "{role} {id}: {told:?}");
                }
            }
        }
        // the id of a request: known by what it changed, and by its time
        let mut ada = signed_in(&app, Role::Administrator, Some(&app)).await;
        let made = ada
            .post(&format!("{base}/event-types/new"), &[("name", "Visit"), ("policy", "warn"), ("contract", "{}")])
            .await;
        assert_eq!(made.status, 303, "{}", made.text());
        let request = made.header("x-request-id").unwrap().to_owned();
        let found = ada.get(&format!("/search?{}", q(&request))).await;
        assert!(found.header("location").unwrap().starts_with(&format!("{base}/audit?object=")), "{}", found.text());
        let nothing = ada.get(&format!("/search?{}", q(answer.header("x-request-id").unwrap()))).await.text();
        assert!(nothing.contains(NOTHING) && nothing.contains("It was made on"), "{nothing}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_pasted_whole_is_known_by_its_beginning_and_said_nowhere_again() {
    each(async |app: TestApp| {
        let (token, secret) = app.token_with(|_| {}).await;
        app.start().await;
        let mut ada = signed_in(&app, Role::Consultant, None).await;
        for text in [secret.clone(), format!("Authorization: Bearer {secret}")] {
            let answer = ada.get(&format!("/search?{}", q(&text))).await;
            let to = answer.header("location").unwrap().to_owned();
            assert_eq!((answer.status, to.as_str()), (303, format!("/search?q={}", &secret[..12]).as_str()));
            assert!(!answer.text().contains(&secret[12..]));
            let opened = ada.get(&to).await;
            let page = format!("/tenants/{}/tokens/{token}", app.tenant);
            assert_eq!(opened.header("location"), Some(page.as_str()));
            assert_eq!(suggested(&mut ada, &q(&text)).await[0].2, page);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_found_by_any_part_and_only_ones_own() {
    each(async |app: TestApp| {
        let other = app.another_tenant().await;
        let named = async |app: &TestApp, name: &str| {
            let name = name.parse().unwrap();
            app.event_type(|details| details.name = name).await
        };
        let (own, foreign) = (named(&app, "Órder placed").await, named(&other, "Órder placed").await);
        for n in 0..12 {
            named(&app, &format!("100% <b>Sale_{n}</b>")).await;
        }
        named_account(&app, "grace@example.com", "Grace Hopper", Role::Consultant, None).await;
        app.start().await;
        let page = |app: &TestApp, id: EventTypeId| format!("/tenants/{}/event-types/{id}", app.tenant);
        let (own, foreign) = (page(&app, own), page(&other, foreign));
        let mut ada = signed_in(&app, Role::Administrator, None).await;
        let mut bound = signed_in(&app, Role::Consultant, Some(&app)).await;
        let mut customer = signed_in(&app, Role::Customer, Some(&app)).await;
        let types = |told: &[(String, String, String)]| {
            told.iter().filter(|hit| hit.0 == "Event types").map(|hit| hit.2.clone()).collect::<Vec<_>>()
        };

        for text in ["órder", "ÓRDER", "placed", "rder pl", "órder acme"] {
            let told = suggested(&mut ada, &format!("{}&tenant={}", q(text), other.tenant)).await;
            let expected = if text.contains("acme") { vec![own.clone()] } else { vec![foreign.clone(), own.clone()] };
            assert_eq!(types(&told), expected, "{text}: the tenant at hand first");
            // whoever is bound to a tenant is at hand there, whatever they say
            let told = suggested(&mut bound, &format!("{}&tenant={}", q(text), other.tenant)).await;
            assert_eq!(types(&told), std::slice::from_ref(&own), "{text}");
            assert!(types(&suggested(&mut customer, &q(text)).await).is_empty());
        }
        // a sign that means something to a database means itself
        for (text, count) in [("100%", 8), ("_1", 3), ("e_11", 1), ("%", 8), ("'; DROP TABLE users --", 0), ("\\", 0)] {
            assert_eq!(types(&suggested(&mut bound, &q(text)).await).len(), count, "{text}");
        }
        let hostile = bound.get(&format!("/search?{}", q("<b>sale"))).await.text();
        assert!(hostile.contains("There are more") && hostile.contains("100% &lt;b&gt;Sale_"), "{hostile}");
        assert!(!hostile.contains("<b>"), "escaped");
        let nothing = bound.get(&format!("/search?{}", q("<script>alert(1)</script>"))).await.text();
        assert!(
            nothing.contains("Nothing is called “&lt;script&gt;") && !nothing.contains("<script>alert"),
            "{nothing}"
        );

        // people, pages and actions: as far as one may go there
        let titles = |told: Vec<(String, String, String)>| told.into_iter().map(|hit| hit.1).collect::<Vec<_>>();
        assert_eq!(titles(suggested(&mut ada, &q("hopper")).await), ["Grace Hopper"]);
        assert!(suggested(&mut bound, &q("hopper")).await.is_empty());
        assert_eq!(titles(suggested(&mut bound, &q("new event type")).await)[0], "New event type");
        assert!(suggested(&mut customer, &q("new event type")).await.is_empty());
        let settings = format!("/tenants/{}/settings", app.tenant);
        let told = suggested(&mut ada, &q("settings acme")).await;
        assert!(told.iter().any(|hit| hit.2 == settings), "{told:?}");
        assert_eq!(suggested(&mut bound, &q("Settings")).await[0].2, settings);
        for (group, title, href) in suggested(&mut customer, &q("")).await {
            let status = customer.get(&href).await.status;
            // home is another page for whoever has one tenant alone
            assert!(status == 200 || href == "/" && status == 303, "{group}: {title} is offered to a customer");
        }
        let tenants = suggested(&mut customer, &q("umbrella")).await;
        assert!(tenants.is_empty(), "{tenants:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_found_by_what_a_field_holds() {
    each(async |app: TestApp| {
        let other = app.another_tenant().await;
        let searchable = |details: &mut tributary::event_types::Details| {
            details.searchable_fields = SearchableFields::parse(["Email Address"]).unwrap();
        };
        let (own, plain, foreign) =
            (app.event_type(searchable).await, app.event_type(|_| {}).await, other.event_type(searchable).await);
        app.start().await;
        let event = r#"{"Email Address":"Jane@Example.com","Number":12345678901234567890}"#;
        let (_, receipt) = sent(&app, own, event).await;
        let (_, unmarked) = sent(&app, plain, event).await;
        sent(&other, foreign, event).await;
        sent(&app, own, r#"{"Email Address":"john@example.com"}"#).await;
        let mut ada = signed_in(&app, Role::Consultant, Some(&app)).await;
        let events = format!("/tenants/{}/events", app.tenant);
        let by = |query: &str| format!("{events}?field=Email+Address&value=jane%40example.com{query}");
        let row = |receipt: ReceiptId| format!("{events}/{}", receipt.event(0));
        let one = |page: &str| page.matches(&format!("href=\"{events}/")).count();

        // the follower comes within about a second
        let patience = std::time::Instant::now();
        let page = loop {
            let page = ada.get(&by(&format!("&type={own}"))).await.text();
            if page.contains(&row(receipt)) {
                break page;
            }
            assert!(patience.elapsed() < Duration::from_secs(20), "{page}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        assert_eq!(one(&page), 1, "{page}");
        assert!(page.contains(r#"value="jane@example.com""#) && page.contains("<datalist"), "what was asked is kept");
        let scanned = ada.get(&by(&format!("&type={plain}"))).await.text();
        assert!(scanned.contains(&row(unmarked)) && one(&scanned) == 1, "{scanned}");
        let both = ada.get(&by("")).await.text();
        assert!(both.contains(&row(receipt)) && both.contains(&row(unmarked)) && one(&both) == 2, "{both}");
        let number =
            ada.get(&format!("{events}?type={plain}&field=Number&value=1.2345678901234567890e19")).await.text();
        assert_eq!(one(&number), 1, "every digit counts, however it is written");
        let near = ada.get(&format!("{events}?type={plain}&field=Number&value=12345678901234567891")).await.text();
        assert_eq!(one(&near), 0);
        let half = ada.get(&format!("{events}?field=%3Cb%3E")).await.text();
        assert!(half.contains("say what “&lt;b&gt;” is to be") && half.contains(r#"value="&lt;b&gt;""#), "{half}");

        // the same by the command line
        let command = |arguments: &[&str]| {
            let mut command = tributary(&app.database);
            command.arg("--json").args(arguments);
            run(command, "")
        };
        let (tenant, of) = (app.tenant.to_string(), own.to_string());
        let list = ["events", "list", "--tenant", &tenant, "--event-type", &of, "--field", "Email Address"];
        let listed = command(&[&list[..], &["--value", "JANE@example.com"]].concat());
        assert_eq!(listed.code, 0, "{}", listed.err);
        assert_eq!(listed.json()["id"], json!(receipt.event(0)));
        assert_eq!(command(&list).code, 2, "a field without a value");
        let counted =
            command(&["events", "count", "--tenant", &tenant, "--field", "/Number", "--value", "12345678901234567890"]);
        assert_eq!(counted.json(), json!({"count": 2}));

        // marked on the page, filled in by the server, told by both
        let edit = format!("/tenants/{}/event-types/{plain}/edit", app.tenant);
        let saved = ada
            .post(&edit, &[("name", "Order"), ("policy", "quarantine"), ("searchable_fields", "Email Address\nNumber")])
            .await;
        assert_eq!(saved.status, 303, "{}", saved.text());
        let too_many = ["a", "b", "c", "d", "e", "f", "g", "h", "i"].join("\n");
        let amiss =
            ada.post(&edit, &[("name", "Order"), ("policy", "quarantine"), ("searchable_fields", &too_many)]).await;
        assert!(amiss.status == 422 && amiss.text().contains("At most 8 fields of a type"), "{}", amiss.text());
        let ready = || {
            let told = command(&[
                "event-type",
                "searchable",
                "--tenant",
                &tenant,
                &plain.to_string(),
                "Email Address",
                "Number",
            ]);
            assert_eq!(told.code, 0, "{}", told.err);
            told.json()["fields"].as_array().unwrap().iter().all(|field| field["ready"] == true)
        };
        while !ready() {
            assert!(patience.elapsed() < Duration::from_mins(1));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let indexed = ada.get(&by(&format!("&type={plain}"))).await.text();
        assert!(indexed.contains(&row(unmarked)) && one(&indexed) == 1, "{indexed}");
        let shown = ada.get(&format!("/tenants/{}/event-types/{plain}", app.tenant)).await.text();
        assert!(shown.contains("Found by") && !shown.contains("not complete"), "{shown}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shortcuts_are_switched_off_for_an_account_and_nobody_else() {
    each(async |app: TestApp| {
        app.start().await;
        let (mut ada, mut bob) =
            (signed_in(&app, Role::Administrator, None).await, signed_in(&app, Role::Consultant, None).await);
        let off =
            async |browser: &mut Browser| browser.get("/account").await.text().contains(r#"data-shortcuts="off""#);
        assert!(!off(&mut ada).await);
        for (word, is_off) in [("off", true), ("off", true), ("on", false)] {
            let answer = ada.post("/shortcuts", &[("shortcuts", word)]).await;
            assert_eq!((answer.status, answer.header("location").unwrap().ends_with(word)), (303, true));
            assert_eq!((off(&mut ada).await, off(&mut bob).await), (is_off, false));
        }
        let written = tributary::sql!(
            value i64, &app.db, "SELECT COUNT(*) FROM audit WHERE action = 'user.set-shortcuts'"
        );
        assert_eq!(written.unwrap(), 2, "what changes nothing leaves no trace");
        let nobody =
            Asking::new("GET", "/search/suggest?q=x").header("accept", "application/json").send(app.to()).await;
        assert_eq!(nobody.status, 401);
    })
    .await;
}
