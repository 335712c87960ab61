//! Guests: one integration in the portal by a link, for whom it was made, as long as it is good, and nothing else; and
//! links of older databases, which go on working.
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{Connection, PgConnection, SqliteConnection, migrate::Migrator};
use tributary::{
    auth::{Actor, Role, RunImplementations, SeeIntegrations},
    clock::Clock,
    crypto::Secret,
    ids::{EventTypeId, IntegrationId},
    intake::{
        Side,
        implementation::{Kind, store},
        store::timeline,
    },
};
use uuid::Uuid;

use crate::{
    implementation::{built, whole},
    support::{
        Answer, TestApp,
        browser::{Browser, account, between},
        each, each_address,
        program::{run, tributary},
        smtp::{Mood, Sink},
    },
};

async fn staff(app: &TestApp, role: Role) -> Browser {
    let email = format!("{role}@example.com");
    account(app, &email, role, None).await;
    Browser::signed_in(app, &email).await
}

/// The two who make links, signed in again: sessions do not outlast a day of silence.
async fn again(app: &TestApp) -> [Browser; 2] {
    let grace = Browser::signed_in(app, "success-manager@example.com").await;
    [grace, Browser::signed_in(app, "consultant@example.com").await]
}

fn led(answer: &Answer) -> &str {
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").unwrap()
}

/// The page, without what is of the moment.
fn main_of(answer: &Answer) -> String {
    between(&answer.text(), "<main", "</main>").to_owned()
}

/// Makes a link in the browser; where it leads, and its secret.
async fn made(by: &mut Browser, links: &str, days: &str) -> (String, String) {
    let page = by.post(links, &[("for_whom", "Jane <i>Doe</i>"), ("days", days)]).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let text = page.text();
    assert!(text.contains("Copy it now") && !text.contains("<i>Doe"), "{text}");
    let token = between(&text, "/portal?token=", "<").to_owned();
    (format!("/portal?token={token}"), token)
}

/// Ticks what comes before the first task of the customer, and returns that.
async fn ready(app: &TestApp, id: IntegrationId) -> Uuid {
    let permit = Actor::cli().permit::<RunImplementations>(app.tenant).unwrap();
    loop {
        let now = whole(app, id).await;
        let task = now.tasks.iter().find(|one| one.details.side == Side::Customer).unwrap();
        let first = now.before(task).next().map(|first| now.before(first).next().unwrap_or(first).id);
        let Some(first) = first else { return task.id };
        store::set_done(&app.db, &app.clock, &permit, id, first, true).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_one_integration_of_the_portal_once_and_tells_a_stranger_nothing() {
    each(|app| async move {
        let ((id, _), (other, _)) = (built(&app).await, built(&app).await);
        app.start().await;
        let (task, foreign) = (ready(&app, id).await, ready(&app, other).await);
        let mut grace = staff(&app, Role::SuccessManager).await;
        let links = format!("/tenants/{}/portal/{id}/links", app.tenant);
        for days in ["0", "91", "many", ""] {
            let refused = grace.post(&links, &[("for_whom", "Jane"), ("days", days)]).await;
            assert!(refused.status == 422 && refused.text().contains("from 1 to 90"), "{days}: {}", refused.text());
        }
        assert_eq!(grace.post(&links, &[("for_whom", " "), ("days", "7")]).await.status, 422);
        let (door, token) = made(&mut grace, &links, "7").await;
        let list = grace.get(&links).await.text();
        assert!(list.contains("not opened yet") && !list.contains(&token), "shown once: {list}");

        // scanners of mail follow links: that uses nothing up, and tells nothing
        let mut jane = Browser::new(&app);
        for _ in 0..2 {
            let page = jane.get(&door).await;
            assert_eq!(page.status, 200);
            assert!(!page.text().contains("Members") && !page.text().contains("Acme"), "{}", page.text());
        }
        assert_eq!(led(&jane.post("/portal", &[("token", &token)]).await), "/portal/integration");
        assert!(grace.get(&links).await.text().contains("opened"));

        // the integration as its customer sees it: what is asked for, and no way to anything else
        let page = jane.get("/portal/integration").await.text();
        for words in ["Being set up", "Whose turn", "What we need from you", "Salesforce", "Jane &lt;i&gt;Doe"] {
            assert!(page.contains(words), "no {words:?} in {page}");
        }
        for secret in ["EUR", "1,200", "/tenants/", "You see what the customer sees", "Status page"] {
            assert!(!page.contains(secret), "{secret:?} in {page}");
        }
        let one = format!("/portal/integration/tasks/{task}");
        assert!(page.contains(&one), "{page}");
        let form = jane.get(&one).await.text();
        assert!(form.contains("In words") && !form.contains("/tenants/"), "{form}");
        assert_eq!(jane.post(&one, &[("words", " ")]).await.status, 422);
        let sent =
            jane.upload(&one, &[("words", "See <b>this</b>")], ("file", "plan.html", b"<script>1</script>")).await;
        assert_eq!(led(&sent), format!("{one}?done=answered"));
        let page = jane.get(&one).await.text();
        assert!(page.contains("See &lt;b&gt;this&lt;/b&gt;") && page.contains("(by link)"), "{page}");
        let href = format!("/portal/integration/files/{}", between(&page, "/portal/integration/files/", "\""));
        let got = jane.get(&href).await;
        assert!(got.status == 200 && got.header("content-disposition").unwrap().starts_with("attachment"));
        assert_eq!(led(&jane.post(&one, &[("words", ""), ("done", "on")]).await), "/portal/integration?done=done");

        // on the timeline and in the audit trail, as by link, and for whom
        let see = Actor::cli().permit::<SeeIntegrations>(app.tenant).unwrap();
        let told = timeline(&app.db, &see, id, 50).await.unwrap();
        let by = |what: &str| told.iter().find(|one| one.what.contains(what)).map(|one| one.who.clone());
        let jane_by_link = Some("Jane <i>Doe</i> (by link)".to_owned());
        assert_eq!(by("opened the link to the portal"), jane_by_link);
        assert_eq!(by("answered “"), jane_by_link);
        let mut boss = staff(&app, Role::Administrator).await;
        let trail = boss.get(&format!("/tenants/{}/audit", app.tenant)).await.text();
        for words in ["Made a link to the portal for", "Opened a link to the portal for", "(by link)"] {
            assert!(trail.contains(words), "no {words:?} in {trail}");
        }

        // nothing of another integration, nor of what needs an account; and nobody else's cookie opens it
        assert_eq!(jane.get(&format!("/portal/integration/tasks/{foreign}")).await.status, 404);
        assert_eq!(jane.post(&format!("/portal/integration/tasks/{foreign}"), &[("done", "on")]).await.status, 404);
        for path in [&links, &format!("/tenants/{}/portal/{id}", app.tenant), "/answer/intake", "/quotation/offer"] {
            assert_ne!(jane.get(path).await.status, 200, "{path}");
        }
        let mut ada = staff(&app, Role::Consultant).await;
        let theirs = format!("/tenants/{}/portal/{other}/links", app.tenant);
        let id_of_link = between(&grace.get(&links).await.text(), &format!("{links}/"), "/revoke").to_owned();
        assert_eq!(ada.post(&format!("{theirs}/{id_of_link}/revoke"), &[]).await.status, 404, "not of that one");

        // used, unknown, run out, taken back, of another kind: the same page
        let mut stranger = Browser::new(&app);
        let unknown = stranger.get("/portal?token=nothing").await;
        let mut useless = vec![stranger.get(&door).await, stranger.post("/portal", &[("token", &token)]).await];
        useless.push(stranger.get("/portal/integration").await);
        useless.push(stranger.get(&one).await);
        let (late, late_token) = made(&mut grace, &links, "1").await;
        let (back, back_token) = made(&mut grace, &links, "1").await;
        let newest = between(&grace.get(&links).await.text(), &format!("{links}/"), "/revoke").to_owned();
        led(&ada.post(&format!("{links}/{newest}/revoke"), &[]).await);
        useless.push(stranger.get(&back).await);
        useless.push(stranger.post("/portal", &[("token", &back_token)]).await);
        app.clock.advance(24 * 3600);
        let [mut grace, mut ada] = again(&app).await;
        useless.push(stranger.get(&late).await);
        useless.push(stranger.post("/portal", &[("token", &late_token)]).await);
        for answer in &useless {
            assert_eq!((answer.status, main_of(answer)), (410, main_of(&unknown)));
        }
        let page = ada.get(&links).await.text();
        assert!(page.contains("run out") && page.contains("taken back"), "{page}");
        for kind in ["/answer", "/quotation"] {
            let (_, token) = made(&mut grace, &links, "1").await;
            assert_eq!(stranger.get(&format!("{kind}?token={token}")).await.status, 410, "{kind}");
            assert_eq!(stranger.post(kind, &[("token", &token)]).await.status, 410, "{kind}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_a_guest_ends_with_the_days_of_its_link_and_when_that_is_taken_back() {
    each(|app| async move {
        let (id, _) = built(&app).await;
        app.start().await;
        let one = format!("/portal/integration/tasks/{}", ready(&app, id).await);
        let mut grace = staff(&app, Role::SuccessManager).await;
        staff(&app, Role::Consultant).await;
        let links = format!("/tenants/{}/portal/{id}/links", app.tenant);
        let (_, token) = made(&mut grace, &links, "7").await;
        let mut jane = Browser::new(&app);
        led(&jane.post("/portal", &[("token", &token)]).await);
        app.clock.advance(24 * 3600);
        assert_eq!(jane.get("/portal/integration").await.status, 200);
        app.clock.advance(6 * 24 * 3600);
        assert_eq!(jane.get("/portal/integration").await.status, 410);
        let [mut grace, _] = again(&app).await;
        let (_, token) = made(&mut grace, &links, "90").await;
        led(&jane.post("/portal", &[("token", &token)]).await);
        app.clock.advance(60 * 24 * 3600);
        assert_eq!(jane.get("/portal/integration").await.status, 200);
        let [mut grace, _] = again(&app).await;
        let newest = between(&grace.get(&links).await.text(), &format!("{links}/"), "/revoke").to_owned();
        led(&grace.post(&format!("{links}/{newest}/revoke"), &[]).await);
        for path in ["/portal/integration", &one, "/portal/integration/intake"] {
            assert_eq!(jane.get(path).await.status, 410, "{path}");
        }
        assert_eq!(jane.post(&one, &[("words", "still here")]).await.status, 410);
        // again, from another tab: as it should be, and written down once
        led(&grace.post(&format!("{links}/{newest}/revoke"), &[]).await);
        let see = Actor::cli().permit::<SeeIntegrations>(app.tenant).unwrap();
        let told = timeline(&app.db, &see, id, 50).await.unwrap();
        assert_eq!(told.iter().filter(|one| one.what.contains("took back")).count(), 1, "{told:?}");
        let unknown = format!("{links}/{}/revoke", Uuid::nil());
        assert_eq!(grace.post(&unknown, &[]).await.status, 404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_sees_how_a_live_integration_fares_and_nobody_follows_what_is_over() {
    each(|app| async move {
        let (id, planned) = built(&app).await;
        app.start().await;
        let mut ada = staff(&app, Role::Consultant).await;
        let draft = planned.drafts.iter().find(|one| one.kind == Kind::EventType).unwrap();
        let form = format!("/tenants/{}/integrations/{id}/implementation/drafts/{}", app.tenant, draft.id);
        led(&ada.post(&form, &[("form", "make"), ("name", "Members"), ("body", &draft.body)]).await);
        let of: EventTypeId = draft.id.to_string().parse().unwrap();
        app.until(app.post(&format!("/events/{of}")).body(&br#"{"E-mail":"a@example.com","Name":"A"}"#[..]), 201).await;
        let links = format!("/tenants/{}/portal/{id}/links", app.tenant);
        let (_, token) = made(&mut ada, &links, "30").await;
        let mut jane = Browser::new(&app);
        led(&jane.post("/portal", &[("token", &token)]).await);
        // what was quoted on is read, and not answered any more
        let page = jane.get("/portal/integration/intake/data").await.text();
        assert!(!page.contains("name=\"seen\""), "{page}");
        assert_eq!(jane.post("/portal/integration/intake/data", &[("records", "More")]).await.status, 422);
        let page = app.page_with(&mut jane, "/portal/integration", "Working").await;
        assert!(page.contains("1 event in 90 days") && !page.contains("Share a link"), "{page}");

        led(&ada.post(&format!("/tenants/{}/integrations/{id}/acts/retire", app.tenant), &[("reason", "done")]).await);
        assert!(jane.get("/portal/integration").await.text().contains("Retired"));
        assert!(ada.get(&links).await.text().contains("There is nothing to follow any more"));
        let refused = ada.post(&links, &[("for_whom", "Jane"), ("days", "7")]).await;
        assert!(refused.status == 422 && refused.text().contains("There is nothing to follow"), "{}", refused.text());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_questions_of_an_intake_are_answered_in_the_portal() {
    each(|app| async move {
        let (id, _) = crate::intake::under_investigation(&app).await;
        app.start().await;
        let mut grace = staff(&app, Role::SuccessManager).await;
        let (_, token) = made(&mut grace, &format!("/tenants/{}/portal/{id}/links", app.tenant), "7").await;
        let mut joan = Browser::new(&app);
        led(&joan.post("/portal", &[("token", &token)]).await);
        account(&app, "jane@example.com", Role::Customer, Some(app.tenant)).await;
        let mut jane = Browser::signed_in(&app, "jane@example.com").await;
        let here = format!("/tenants/{}/portal/{id}", app.tenant);
        for (who, base, name) in
            [(&mut jane, here.as_str(), "jane@example.com"), (&mut joan, "/portal/integration", "(by link)")]
        {
            let page = who.get(base).await.text();
            assert!(page.contains("Questions about your system") && page.contains(&format!("{base}/intake")), "{page}");
            let page = who.get(&format!("{base}/intake")).await.text();
            assert!(page.contains(&format!("{base}/intake/data")), "{page}");
            let section = who.get(&format!("{base}/intake/data")).await.text();
            let seen = between(&section, "name=\"seen\" value=\"", "\"").to_owned();
            let form = |records: &'static str, per_day: &'static str| {
                [
                    ("seen", seen.clone()),
                    ("per-day", per_day.into()),
                    ("records", records.into()),
                    ("then", "next".into()),
                ]
            };
            let strs = |form: [(&'static str, String); 4]| form;
            let amiss = strs(form("Contacts", "lots"));
            let fields: Vec<_> = amiss.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let bad = who.post(&format!("{base}/intake/data"), &fields).await;
            assert!(bad.status == 422 && bad.text().contains("lots"), "{}", bad.text());
            let good = strs(form(if name.starts_with("jane") { "<i>Contacts</i>" } else { "Orders" }, "2500"));
            let fields: Vec<_> = good.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let saved = who.post(&format!("{base}/intake/data"), &fields).await;
            assert_eq!(led(&saved), format!("{base}/intake/identifiers"));
            let told = grace.get(&format!("/tenants/{}/integrations/{id}/intake/data", app.tenant)).await.text();
            assert!(told.contains(name) && !told.contains("<i>Contacts"), "{told}");
        }
        // a colleague sees the answers, and gives none for them
        let page = grace.get(&format!("{here}/intake/data")).await.text();
        assert!(page.contains("Orders") && !page.contains("name=\"seen\""), "{page}");
        assert_eq!(grace.post(&format!("{here}/intake/data"), &[("records", "Ours")]).await.status, 403);
        // what is over is read, and not answered any more
        let permit = Actor::cli().permit(app.tenant).unwrap();
        let act = tributary::intake::Act::Retire;
        let reason = tributary::intake::Reason::parse("over").unwrap();
        let step = tributary::intake::store::Taken { act, reason, next: None };
        tributary::intake::store::advance(&app.db, &app.clock, &permit, id, step).await.unwrap();
        let page = joan.get("/portal/integration/intake/data").await.text();
        assert!(page.contains("Orders") && !page.contains("name=\"seen\""), "{page}");
        assert!(!joan.get("/portal/integration").await.text().contains("Questions about your system"));
        assert_eq!(joan.post("/portal/integration/intake/data", &[("records", "More")]).await.status, 422);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_one_integration_is_not_saved_into_another_that_was_opened_after_it() {
    each(|app| async move {
        let (one, _) = crate::intake::under_investigation(&app).await;
        let (other, _) = crate::intake::under_investigation(&app).await;
        app.start().await;
        let mut grace = staff(&app, Role::SuccessManager).await;
        let links = |id: IntegrationId| format!("/tenants/{}/portal/{id}/links", app.tenant);
        let (first, token) = made(&mut grace, &links(one), "7").await;
        let mut joan = Browser::new(&app);
        assert!(!joan.get(&first).await.text().contains("in another browser"));
        led(&joan.post("/portal", &[("token", &token)]).await);
        let section = joan.get("/portal/integration/intake/data").await.text();
        let seen = between(&section, "name=\"seen\" value=\"", "\"").to_owned();

        let (second, token) = made(&mut grace, &links(other), "7").await;
        assert!(joan.get(&second).await.text().contains("in another browser"));
        led(&joan.post("/portal", &[("token", &token)]).await);
        let form = [("seen", seen.as_str()), ("records", "Of the first")];
        let refused = joan.post("/portal/integration/intake/data", &form).await;
        assert!(refused.status == 422 && refused.text().contains("another link was opened in this browser"));
        for id in [one, other] {
            let told = grace.get(&format!("/tenants/{}/integrations/{id}/intake/data", app.tenant)).await.text();
            assert!(!told.contains("Of the first"), "{told}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_mailed_when_there_is_mail_and_not_shown_then() {
    each(|app| async move {
        let (sink, key) = (Sink::start(Mood::Willing).await, tempfile::NamedTempFile::new().unwrap());
        std::fs::write(key.path(), "A".repeat(43)).unwrap();
        let of = crate::quotations::sent(&app).await;
        let id = of.integration_id;
        let flags = sink.flags();
        let mut all = vec!["--key-file", key.path().to_str().unwrap()];
        all.extend(flags.iter().map(String::as_str));
        app.start_with(&all).await;
        let mut grace = staff(&app, Role::SuccessManager).await;
        let one = format!("/tenants/{}/integrations/{id}", app.tenant);
        let ways = [
            (format!("{one}/links"), "/answer", "asks you to answer some questions about"),
            (format!("{one}/quotations/{}/links", of.id), "/quotation", "sends you a quotation for"),
            (format!("/tenants/{}/portal/{id}/links", app.tenant), "/portal", "invites you to follow and help along"),
        ];
        for (n, (form, door, words)) in ways.iter().enumerate() {
            assert!(grace.get(form).await.text().contains("Send it to"), "{form}");
            let bad = grace.post(form, &[("for_whom", "Jane"), ("days", "7"), ("send_to", "jane")]).await;
            assert!(bad.status == 422 && bad.text().contains("name@example.com"), "{}", bad.text());
            let sent = grace.post(form, &[("for_whom", "Jane"), ("days", "7"), ("send_to", "Jane@example.com")]).await;
            let page = sent.text();
            assert!(sent.status == 200 && page.contains("On its way to jane@example.com"), "{page}");
            assert!(!page.contains("token="), "{page}");
            let letter = sink.letter(n + 1).await;
            assert_eq!(letter.to, "jane@example.com");
            let text = letter.text.replace("=\r\n", "");
            assert!(text.contains("success-manager@example.com") && text.contains(words), "{text}");
            assert!(text.contains("Members") && !text.contains("EUR"), "{text}");
            let url = letter.link(&format!("{door}?token"));
            let path = &url[url.find(door).unwrap()..];
            assert_eq!(Browser::new(&app).get(path).await.status, 200, "{path}");
        }
        // who made it sees what became of the letter, as long as nobody has opened the link
        let portal = &ways[2].0;
        app.page_with(&mut grace, portal, "mailed to jane@example.com").await;
        sink.set(Mood::Unknowing);
        grace.post(portal, &[("for_whom", "Typo"), ("days", "7"), ("send_to", "typo@example.com")]).await;
        let page = app.page_with(&mut grace, portal, "mail to typo@example.com was given up").await;
        assert!(page.contains("550") && page.contains("&lt;b&gt;no") && !page.contains("<b>no"), "{page}");
        // left empty, it is shown
        let shown = grace.post(portal, &[("for_whom", "Jane"), ("days", "7"), ("send_to", "")]).await;
        assert!(shown.text().contains("/portal?token="), "{}", shown.text());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_makes_lists_and_takes_back_links() {
    each_address(|address| async move {
        let app = TestApp::new(address.clone()).await;
        let (id, _) = built(&app).await;
        app.start().await;
        let (tenant, id) = (app.tenant.to_string(), id.to_string());
        let call = |rest: &[&str]| {
            let mut all = vec!["--json", "integration"];
            all.extend(rest);
            let mut command = tributary(&address);
            command.args(all);
            run(command, "")
        };
        let url = "https://hub.example.com/";
        let bad = call(&["link", "--tenant", &tenant, "--url", url, "--for", "Jane", "--days", "91", &id]);
        assert_eq!(bad.code, 2, "{}", bad.err);
        let made = call(&["link", "--tenant", &tenant, "--url", url, "--for", "Jane", "--days", "7", &id]).json();
        let link = made["link"].as_str().unwrap();
        let token = link.strip_prefix("https://hub.example.com/portal?token=").unwrap();
        let mut jane = Browser::new(&app);
        assert_eq!(jane.post("/portal", &[("token", token)]).await.status, 303);
        let listed = call(&["links", "--tenant", &tenant, &id]).json();
        assert_eq!((listed["standing"].as_str(), listed["forWhom"].as_str()), (Some("opened"), Some("Jane")));
        assert!(!listed.to_string().contains("digest"), "{listed}");
        let link = listed["id"].as_str().unwrap();
        call(&["unlink", "--tenant", &tenant, &id, link]).json();
        assert_eq!(jane.get("/portal/integration").await.status, 410);
        assert_eq!(call(&["links", "--tenant", &tenant, &id]).json()["standing"], "taken-back");
        app.stop().await;
        app.db.close().await;
    })
    .await;
}

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Runs a text on a database as migration 14 left it; what the databases write differently stands in braces.
async fn at_fourteen(address: &str, text: impl Fn(&dyn Fn(&[u8]) -> String, &dyn Fn(Uuid) -> String) -> String) {
    if address.starts_with("sqlite:") {
        let file = address.trim_start_matches("sqlite://");
        std::fs::File::create(file).unwrap();
        let mut on = SqliteConnection::connect(address).await.unwrap();
        MIGRATIONS.run_to(14, &mut on).await.unwrap();
        let bytes = |bytes: &[u8]| format!("X'{}'", hex(bytes));
        let text = text(&bytes, &|id| bytes(id.as_bytes()));
        sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut on).await.unwrap();
        on.close().await.unwrap();
    } else {
        let mut on = PgConnection::connect(address).await.unwrap();
        MIGRATIONS.run_to(14, &mut on).await.unwrap();
        let text = text(&|bytes| format!("'\\x{}'", hex(bytes)), &|id| format!("'{id}'"));
        sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut on).await.unwrap();
        on.close().await.unwrap();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_were_made_before_there_was_one_table_go_on_working() {
    each_address(|address| async move {
        let [tenant, integration, quotation] = [1, 2, 3].map(Uuid::from_u128);
        let now = Clock::system().now();
        let at = |days: i64| -> DateTime<Utc> { now + TimeDelta::days(days) };
        at_fourteen(&address, |bytes, id| {
            let time = |at: DateTime<Utc>| format!("'{}'", at.to_rfc3339());
            let (t, i, q, now) = (id(tenant), id(integration), id(quotation), time(at(0)));
            let digest = |secret: &str| bytes(&Secret::given(secret).digest().to_vec());
            let link = |table: &str, column: &str, subject: &str, secret: &str, rest: &str| {
                let number = Uuid::from_u128(secret.bytes().map(u128::from).sum());
                format!(
                    "INSERT INTO {table} (tenant_id, id, {column}, digest, for_whom, made_by, made_at, expires_at, used_at,
                        revoked_at, session_digest, session_expires_at)
                     VALUES ({t}, {}, {subject}, {}, 'Jane', 'ada@example.com', {now}, {}, {rest});",
                    id(number),
                    digest(secret),
                    time(at(5))
                )
            };
            let begun = format!("{now}, NULL, {}, {}", digest("a session"), time(at(20)));
            let begun_too = format!("{now}, NULL, {}, {}", digest("another session"), time(at(20)));
            let back = format!("NULL, {now}, NULL, NULL");
            [
                format!(
                    "INSERT INTO integrations (tenant_id, id, name, system_name, system_key, system_kind, need,
                        customer_people, vendor_people, stage, stage_since, next_step, turn, turn_since, created_by,
                        created_at, updated_at)
                     VALUES ({t}, {i}, 'Members', 'Salesforce', 'salesforce', 'crm', 'Know them', '', '', 'intake', {now},
                        'Ask', 'us', {now}, 'ada@example.com', {now}, {now});"
                ),
                link("intake_links", "integration_id", &i, "new intake", "NULL, NULL, NULL, NULL"),
                link("intake_links", "integration_id", &i, "begun intake", &begun),
                link("intake_links", "integration_id", &i, "intake taken back", &back),
                link("quotation_links", "quotation_id", &q, "new quotation", "NULL, NULL, NULL, NULL"),
                link("quotation_links", "quotation_id", &q, "begun quotation", &begun_too),
            ]
            .concat()
        })
        .await;
        let app = TestApp::new(address).await;
        app.start().await;
        // the tenant of the rows is not one that pages know: they need none
        let mut jane = Browser::new(&app);
        for (path, status) in [
            ("/answer?token=new%20intake", 200),
            ("/answer?token=begun%20intake", 410),
            ("/answer?token=intake%20taken%20back", 410),
            ("/quotation?token=new%20intake", 410),
            ("/quotation?token=new%20quotation", 200),
            ("/quotation?token=begun%20quotation", 410),
        ] {
            assert_eq!(jane.get(path).await.status, status, "{path}");
        }
        let asking = |path: &str, cookie: &str| {
            crate::support::Asking::new("GET", path.to_owned()).header("cookie", cookie).header("accept", "text/html")
        };
        let answer = asking("/answer/intake", "tributary-intake=a session").send(app.to()).await;
        assert!(answer.status == 200 && answer.text().contains("Members"), "{}", answer.text());
        let answer = asking("/quotation/offer", "tributary-quotation=a session").send(app.to()).await;
        assert_eq!(answer.status, 410);
        // its quotation is not there, but its session is
        let answer = asking("/quotation/offer", "tributary-quotation=another session").send(app.to()).await;
        assert_eq!(answer.status, 404, "{}", answer.text());
        app.stop().await;
        app.db.close().await;
    })
    .await;
}
