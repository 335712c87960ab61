//! The pages of sources: one is set up, tried out, probed and proved in the browser, and its token is on no page.
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use tempfile::TempDir;
use tributary::{auth::Role, ids::EventTypeId};

use crate::support::{
    TestApp,
    browser::{Browser, account, between},
    each,
    shop::Shop,
};

const TOKEN: &str = "s3cret-token-of-the-shop";

/// A shop that asks for a token, a server that may ask it, and a consultant.
struct Desk {
    app: TestApp,
    shop: Shop,
    event_type: EventTypeId,
    ada: Browser,
    _folder: TempDir,
}

impl Desk {
    async fn new(app: TestApp) -> Self {
        let event_type = app.event_type(|_| {}).await;
        let shop = Shop::open(&app.clock).await;
        shop.mood(|mood| mood.token = Some(TOKEN.into()));
        shop.fill(1, 25, TimeDelta::hours(2));
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        std::fs::write(&key, format!("{}\n", "A".repeat(43))).unwrap();
        app.start_with(&["--allow-outbound", "127.0.0.1", "--key-file", key.to_str().unwrap()]).await;
        account(&app, "ada@example.com", Role::Consultant, None).await;
        let ada = Browser::signed_in(&app, "ada@example.com").await;
        Self { app, shop, event_type, ada, _folder: folder }
    }

    fn base(&self) -> String {
        format!("/tenants/{}/sources", self.app.tenant)
    }

    /// The form, filled in for the shop, with some of it changed.
    fn form(&self, changes: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        let usual = [
            ("name", "Orders of the <shop>".to_owned()),
            ("event_type", self.event_type.to_string()),
            ("url", format!("http://{}/orders", self.shop.address)),
            ("authentication", "bearer".into()),
            ("window_kind", "range".into()),
            ("window_parameters", "from={from}\r\nuntil={until}".into()),
            ("time_format", "epochMilliseconds".into()),
            ("from_bound", "inclusive".into()),
            ("until_bound", "exclusive".into()),
            ("precision", "milliseconds".into()),
            ("schedule", "every".into()),
            ("every_minutes", "60".into()),
            ("settle_seconds", "0".into()),
            ("lookback_minutes", "0".into()),
            ("records", "$.data.items".into()),
            ("pages", "offset".into()),
            ("pages_parameter", "offset".into()),
            ("cap", "1000".into()),
            ("record_id", "/id".into()),
            ("version", "/version".into()),
            ("record_time", "/changed".into()),
            ("record_format", "epochMilliseconds".into()),
            ("mapping", "asIs".into()),
        ];
        let kept = usual.into_iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        kept.chain(changes.iter().map(|(name, value)| (*name, (*value).to_owned()))).collect()
    }

    async fn post(&mut self, path: &str, form: &[(&'static str, String)]) -> (u16, String, Option<String>) {
        let fields: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = self.ada.post(path, &fields).await;
        let text = answer.text();
        assert!(!text.contains(TOKEN), "the token is on the page that answers {path}");
        (answer.status, text, answer.header("location").map(str::to_owned))
    }

    async fn page(&mut self, path: &str) -> String {
        let answer = self.ada.get(path).await;
        let text = answer.text();
        assert_eq!(answer.status, 200, "{path}: {text}");
        assert!(!text.contains(TOKEN), "the token is on {path}");
        text
    }

    /// Creates the source; its address.
    async fn create(&mut self) -> String {
        let form = self.form(&[("token", TOKEN), ("act", "save")]);
        let (status, text, to) = self.post(&format!("{}/new", self.base()), &form).await;
        assert_eq!(status, 303, "{text}");
        to.unwrap().split('?').next().unwrap().to_owned()
    }

    /// A page, as soon as it says so.
    async fn until(&mut self, path: &str, words: &str) -> String {
        let began = Instant::now();
        loop {
            let page = self.page(path).await;
            if page.contains(words) {
                return page;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "no {words:?} in {page}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_tried_created_and_proved_and_its_token_is_on_no_page() {
    each(async |app: TestApp| {
        let mut desk = Desk::new(app).await;
        let new = format!("{}/new", desk.base());
        // what is amiss stands at its field, what was typed is kept, and the token is carried along unseen
        let form = desk.form(&[("token", TOKEN), ("act", "save"), ("url", "shop"), ("record_id", "id")]);
        let (status, text, _) = desk.post(&new, &form).await;
        assert_eq!(status, 422);
        assert!(text.contains("href=\"#url\"") && text.contains("href=\"#record_id\""), "{text}");
        assert!(text.contains("Orders of the &lt;shop&gt;") && !text.contains("<shop>"), "{text}");
        let carried = between(&text, "name=\"carried_token\" value=\"", "\"").to_owned();
        // trying shows what would come of it, and stores nothing
        let form = desk.form(&[("carried_token", &carried), ("act", "try")]);
        let (status, text, _) = desk.post(&new, &form).await;
        assert_eq!(status, 200, "{text}");
        for words in ["10 records found on the first page", "Bearer …", "The next page", "accepted", "offset=9"] {
            assert!(text.contains(words), "no {words:?} in {text}");
        }
        assert!(desk.page(&desk.base()).await.contains("No sources yet"));
        // what a probe finds can be filled in
        let form = desk.form(&[("carried_token", &carried), ("act", "probe"), ("until_bound", "inclusive")]);
        let (status, text, _) = desk.post(&new, &form).await;
        assert_eq!(status, 200, "{text}");
        assert!(text.contains("name=\"found_until_bound\" value=\"exclusive\""), "{text}");
        assert!(text.contains("certain") && text.contains("Fill in what was found"), "{text}");
        assert!(desk.app.payloads().await.is_empty());
        // created with the token that was typed at first
        let form = desk.form(&[("carried_token", &carried), ("act", "save")]);
        let (status, text, to) = desk.post(&new, &form).await;
        assert_eq!(status, 303, "{text}");
        let here = to.unwrap().split('?').next().unwrap().to_owned();
        let page = desk.until(&here, "no gap, no double").await;
        assert!(
            page.contains("working") && page.contains("authorization: Bearer") && page.contains("$TOKEN"),
            "{page}"
        );
        assert!(!desk.app.payloads().await.is_empty());
        // from the ledger to the evidence, and from an event back to it
        let window = between(&page, &format!("{here}/windows/"), "\"").to_owned();
        let evidence = desk.page(&format!("{here}/windows/{window}")).await;
        for words in ["All of it is stored", "Attempt 1", "/orders?from=", "its events"] {
            assert!(evidence.contains(words), "no {words:?} in {evidence}");
        }
        let event = desk.app.stored().await.pop().unwrap().id;
        let lineage = desk.page(&format!("/tenants/{}/events/{event}", desk.app.tenant)).await;
        assert!(lineage.contains("Where it came from") && lineage.contains(&format!("{here}/windows/")), "{lineage}");
        assert!(desk.page("/search?q=orders%20of%20the").await.contains(&here));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_changed_paused_filled_in_and_taken_along_as_a_file() {
    each(async |app: TestApp| {
        let mut desk = Desk::new(app).await;
        let here = desk.create().await;
        desk.until(&here, "no gap, no double").await;
        // the token goes to no other host unless it is typed again
        let form = desk.form(&[("act", "save"), ("url", "http://elsewhere.example.com/orders")]);
        let (status, text, _) = desk.post(&format!("{here}/edit"), &form).await;
        assert_eq!(status, 422);
        assert!(text.contains("type the token for it"), "{text}");
        let form = desk.form(&[("act", "save"), ("lookback_minutes", "30")]);
        let (status, text, _) = desk.post(&format!("{here}/edit"), &form).await;
        assert_eq!(status, 303, "{text}");
        // its file says so, without the token, and fills in the form again
        let file = desk.page(&format!("{here}/file")).await;
        let value: serde_json::Value = serde_json::from_str(&file).unwrap();
        assert_eq!(value["schedule"]["lookbackMinutes"], 30);
        let import = format!("{}/import", desk.base());
        let (status, text, _) = desk.post(&import, &[("text", file.replace("Orders of", "Copy of"))]).await;
        assert_eq!(status, 200, "{text}");
        assert!(text.contains("value=\"Copy of the &lt;shop&gt;\""), "{text}");
        let (status, text, _) = desk.post(&import, &[("text", "{\"name\": 3}".into())]).await;
        assert_eq!(status, 422);
        assert!(text.contains("/url: "), "{text}");
        // paused and resumed
        let (status, ..) = desk.post(&format!("{here}/pause"), &[]).await;
        assert_eq!(status, 303);
        assert!(desk.page(&here).await.contains("It is paused"));
        assert!(desk.page("/").await.contains("The source is paused"));
        let (status, ..) = desk.post(&format!("{here}/resume"), &[]).await;
        assert_eq!(status, 303);
        // a range of the past is told before it is asked for
        let source = desk.page(&format!("{here}/backfill")).await;
        let (from, until) = (
            between(&source, "id=\"from\" name=\"from\" value=\"", "\""),
            between(&source, "id=\"until\" name=\"until\" value=\"", "\""),
        );
        let range = |act: &str| {
            [("from", from.to_owned()), ("until", until.to_owned()), ("slice", "1d".into()), ("act", act.to_owned())]
        };
        let (status, text, _) = desk.post(&format!("{here}/backfill"), &range("estimate")).await;
        assert_eq!(status, 200, "{text}");
        assert!(text.contains("before the ledger") && text.contains("Ask for it"), "{text}");
        let (status, text, _) = desk.post(&format!("{here}/backfill"), &range("go")).await;
        assert_eq!(status, 303, "{text}");
        desk.until(&here, "by a backfill").await;
        let page = desk.until(&here, "no gap, no double").await;
        assert!(page.contains("Had a range asked for of the source"), "{page}");
        // removed, by its name
        let (status, ..) = desk.post(&format!("{here}/remove"), &[("typed_name", "Orders".into())]).await;
        assert_eq!(status, 422);
        let name = desk.form(&[])[0].1.clone();
        let (status, ..) = desk.post(&format!("{here}/remove"), &[("typed_name", name)]).await;
        assert_eq!(status, 303);
        assert_eq!(desk.ada.get(&here).await.status, 404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_sees_how_it_stands_and_not_how_it_is_set_up() {
    each(async |app: TestApp| {
        let mut desk = Desk::new(app).await;
        let here = desk.create().await;
        let page = desk.until(&here, "no gap, no double").await;
        let window = between(&page, &format!("{here}/windows/"), "\"").to_owned();
        account(&desk.app, "customer@example.com", Role::Customer, Some(desk.app.tenant)).await;
        let other = desk.app.another_tenant().await;
        account(&desk.app, "stranger@example.com", Role::Customer, Some(other.tenant)).await;
        let mut customer = Browser::new(&desk.app);
        customer.login("customer@example.com", crate::support::browser::PASSWORD).await;
        let page = customer.get(&here).await.text();
        assert!(page.contains("no gap, no double"), "{page}");
        for kept in ["/orders", &desk.shop.address.to_string(), "curl", "/windows/", "Pause", "ada@example.com"] {
            assert!(!page.contains(kept), "a customer is told {kept}: {page}");
        }
        assert_eq!(customer.get(&format!("{here}/windows/{window}")).await.status, 403);
        let mut stranger = Browser::new(&desk.app);
        stranger.login("stranger@example.com", crate::support::browser::PASSWORD).await;
        assert_eq!(stranger.get(&here).await.status, 404);
        assert!(!stranger.get("/search?q=orders").await.text().contains(&here));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_are_told_and_read_in_the_zone_of_who_looks() {
    each(async |app: TestApp| {
        let mut desk = Desk::new(app).await;
        // half an hour beside all others, and without summer time
        let zone = [("zone", "Asia/Kolkata".to_owned())];
        assert_eq!(desk.post("/account/time-zone", &zone).await.0, 303);
        // what is typed is read by its clocks, and asked for in the other side's way
        let form = desk.form(&[
            ("token", TOKEN),
            ("act", "try"),
            ("try_from", "2026-05-01T05:30"),
            ("try_until", "2026-05-01T06:30"),
        ]);
        let (status, text, _) = desk.post(&format!("{}/new", desk.base()), &form).await;
        assert_eq!(status, 200, "{text}");
        let midnight = "2026-05-01T00:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_millis();
        let words = [
            &format!("from={midnight}"),
            "1 May 2026, 05:30 to 06:30 IST",
            "Begin with (Asia/Kolkata)",
            "Asked from (Asia/Kolkata)",
        ];
        for words in words {
            assert!(text.contains(words), "no {words:?} in {text}");
        }
        let here = desk.create().await;
        let page = desk.until(&here, "no gap, no double").await;
        let proof = between(&page, "Complete from ", ": no gap");
        assert!(proof.matches(" IST").count() == 2 && page.contains("Times are in Asia/Kolkata."), "{page}");
        assert!(!page.contains("Times are in UTC"), "{page}");
        let window = between(&page, &format!("{here}/windows/"), "\"").to_owned();
        let evidence = desk.page(&format!("{here}/windows/{window}")).await;
        let title = between(&evidence, "<h1", "</h1>");
        assert!(title.contains(" IST") && evidence.contains(" UTC"), "{evidence}");
        let event = desk.app.stored().await.pop().unwrap().id;
        let lineage = desk.page(&format!("/tenants/{}/events/{event}", desk.app.tenant)).await;
        assert!(between(&lineage, &format!("{here}/windows/"), "</a>").contains(" IST"), "{lineage}");
        // the ledger grows to the very moment that was typed
        let form = desk.page(&format!("{here}/backfill")).await;
        let typed = |name: &str| between(&form, &format!("id=\"{name}\" name=\"{name}\" value=\""), "\"").to_owned();
        let (from, until) = (typed("from"), typed("until"));
        assert!(form.contains("From (Asia/Kolkata)"), "{form}");
        let range = [("from", from.clone()), ("until", until), ("slice", "1d".into()), ("act", "go".into())];
        assert_eq!(desk.post(&format!("{here}/backfill"), &range).await.0, 303);
        let moment = chrono::NaiveDateTime::parse_from_str(&from[..16], "%Y-%m-%dT%H:%M").unwrap();
        let begins = moment.format("from %-d %b %Y, %H:%M").to_string();
        let page = desk.until(&here, "no gap, no double").await;
        assert!(page.contains(&begins), "{begins}: {page}");
        let utc = (moment - TimeDelta::minutes(330)).format("(%H:%M:").to_string();
        assert!(page.contains(&utc), "{utc}: {page}");
    })
    .await;
}
