//! From intake on, by the front door: the first two scenarios by the pages, the link that a customer answers by, the
//! temporary endpoint, two at once, hostile text, another tenant, and the command line.
use chrono::TimeDelta;
use serde_json::{Value, json};
use tributary::{
    auth::{Actor, Role},
    event_types::Contract,
    ids::IntegrationId,
    intake::{
        Act, Answer as Verdict, Confidence, Details, Question, Scenario, SystemKind,
        store::{self, Given, Taken},
    },
};
use uuid::Uuid;

use crate::support::{
    Answer, TestApp,
    browser::{Browser, account, between},
    each, each_address,
    program::{Done, run, tributary},
    shop::Shop,
};

fn details(name: &str, system: &str) -> Details {
    Details {
        name: name.parse().unwrap(),
        system_name: system.parse().unwrap(),
        system_kind: SystemKind::Crm,
        need: "Know members by name".into(),
        owner_id: None,
        customer_people: String::new(),
        vendor_people: String::new(),
    }
}

async fn begin(app: &TestApp, name: &str) -> IntegrationId {
    let permit = Actor::cli().permit(app.tenant).unwrap();
    store::create(&app.db, &app.clock, &permit, details(name, "Salesforce"), None).await.unwrap().id
}

async fn judge(app: &TestApp, id: IntegrationId, question: Question, answer: Verdict, open: &str) {
    let given = Given {
        question,
        answer,
        confidence: Confidence::High,
        owner_id: None,
        evidence: String::new(),
        open_questions: open.into(),
    };
    let permit = Actor::cli().permit(app.tenant).unwrap();
    store::give_verdict(&app.db, &app.clock, &permit, id, given).await.unwrap();
}

/// An integration under investigation, and its one question.
pub async fn under_investigation(app: &TestApp) -> (IntegrationId, Uuid) {
    let id = begin(app, "Members").await;
    judge(app, id, Question::Technical, Verdict::Unsure, "Is there a window of time?").await;
    judge(app, id, Question::Need, Verdict::Yes, "").await;
    let taken = Taken { act: Act::Choose(Scenario::Investigation), reason: None, next: None };
    let permit = Actor::cli().permit(app.tenant).unwrap();
    store::advance(&app.db, &app.clock, &permit, id, taken).await.unwrap();
    let see = Actor::cli().permit::<tributary::auth::SeeIntegrations>(app.tenant).unwrap();
    let questions = store::questions(&app.db, &see, id).await.unwrap();
    assert_eq!(questions.len(), 1, "what a verdict leaves open is what an investigation asks");
    (id, questions[0].id)
}

async fn staff(app: &TestApp, role: Role) -> Browser {
    let email = format!("{role}@example.com");
    account(app, &email, role, None).await;
    Browser::signed_in(app, &email).await
}

/// Where a form that went well leads to.
fn led(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").unwrap().to_owned()
}

fn refused(answer: &Answer, words: &str) {
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert!(answer.text().contains(words), "no {words:?} in {}", answer.text());
}

const VERDICT: [(&str, &str); 4] =
    [("technical_confidence", "high"), ("need_confidence", "high"), ("technical_owner", ""), ("need_owner", "")];

fn verdict<'a>(question: &'a str, answer: &'a str, open: &'a str) -> Vec<(&'a str, &'a str)> {
    let (name, field) =
        if question == "technical" { ("technical_answer", "technical_open") } else { ("need_answer", "need_open") };
    VERDICT.into_iter().chain([("question", question), (name, answer), (field, open)]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_scenario_is_not_possible_and_says_why() {
    each(|app| async move {
        app.start().await;
        let mut grace = staff(&app, Role::SuccessManager).await;
        let base = format!("/tenants/{}/integrations", app.tenant);
        let mut form = vec![("system", "Old <b>ERP</b>"), ("kind", "erp"), ("name", "Invoices"), ("owner", "")];
        refused(&grace.post(&format!("{base}/new"), &form).await, "what the customer needs");
        form.push(("need", "See who has not paid"));
        let one = led(&grace.post(&format!("{base}/new"), &form).await);
        let one = one.split('?').next().unwrap().to_owned();
        let page = grace.get(&one).await.text();
        assert!(page.contains("Old &lt;b&gt;ERP&lt;/b&gt;") && !page.contains("<b>ERP"), "{page}");

        // no scenario without both verdicts
        let choose = [("scenario", "not-possible"), ("reason", "")];
        refused(&grace.post(&format!("{one}/scenario"), &choose).await, "First answer");
        let bad = grace.post(&format!("{one}/verdicts"), &verdict("technical", "perhaps", "")).await;
        refused(&bad, "Choose yes, unsure or no");
        led(&grace.post(&format!("{one}/verdicts"), &verdict("technical", "no", "")).await);
        refused(&grace.post(&format!("{one}/scenario"), &choose).await, "First answer");
        led(&grace.post(&format!("{one}/verdicts"), &verdict("need", "yes", "")).await);
        // what follows still wants a reason; what does not, all the more
        refused(&grace.post(&format!("{one}/scenario"), &choose).await, "Write down why");
        refused(
            &grace.post(&format!("{one}/scenario"), &[("scenario", "possible")]).await,
            "To choose otherwise".to_lowercase().as_str(),
        );
        let why = "It has no interface & none is planned";
        led(&grace.post(&format!("{one}/scenario"), &[("scenario", "not-possible"), ("reason", why)]).await);
        let page = grace.get(&one).await.text();
        assert!(page.contains("Not possible") && page.contains("no interface &amp; none is planned"), "{page}");
        // the verdicts stand, and nobody's turn it is
        refused(&grace.post(&format!("{one}/verdicts"), &verdict("need", "no", "")).await, "The scenario is chosen");
        let next = [("next_step", "Call"), ("turn", "vendor")];
        refused(&grace.post(&one, &next).await, "nothing is to be done any more");
        refused(&grace.post(&format!("{one}/acts/reopen"), &[("reason", " ")]).await, "Write down why");
        led(&grace.post(&format!("{one}/acts/reopen"), &[("reason", "A new version has one")]).await);
        led(&grace.post(&one, &next).await);
        assert!(grace.get(&format!("{base}?turn=vendor")).await.text().contains("Invoices"));
        assert!(!grace.get(&format!("{base}?turn=us")).await.text().contains(">Invoices<"));

        // while the next intake of the same system is typed, what became of this one is told, however it is spelled
        let page = grace.get(&format!("{base}/new?system=old+%3CB%3Eerp%3C/b%3E&kind=erp")).await.text();
        assert!(page.contains("Earlier with") && page.contains("Invoices"), "{page}");
        let file = grace.get("/integrations/export.csv").await;
        assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
        assert!(file.text().contains(",Invoices,"), "{}", file.text());
        let trail = grace.get(&format!("/tenants/{}/audit?action=integration", app.tenant)).await.text();
        assert!(trail.contains("Took to another stage the integration"), "{trail}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_scenario_is_an_investigation_that_leads_to_a_quotation() {
    each(|app| async move {
        let id = begin(&app, "Members").await;
        app.start().await;
        let mut grace = staff(&app, Role::AccountManager).await;
        let mut ada = staff(&app, Role::Consultant).await;
        let one = format!("/tenants/{}/integrations/{id}", app.tenant);
        refused(
            &grace.post(&format!("{one}/verdicts"), &verdict("technical", "unsure", "")).await,
            "Say what is not known",
        );
        let open = "Is there a static token?\nIs the window honoured?";
        led(&grace.post(&format!("{one}/verdicts"), &verdict("technical", "unsure", open)).await);
        led(&grace.post(&format!("{one}/verdicts"), &verdict("need", "yes", "")).await);
        let to = led(&grace.post(&format!("{one}/scenario"), &[("scenario", "investigation")]).await);
        let page = grace.get(&to).await.text();
        assert!(page.contains("Is there a static token?") && page.contains("Is the window honoured?"), "{page}");

        // managers see it, consultants work on it
        let here = format!("{one}/investigation");
        assert_eq!(grace.post(&here, &[("form", "time")]).await.status, 403);
        let plan = |hours| [("form", "plan"), ("goal", "Know it"), ("hours", hours), ("due_on", "2030-01-31")];
        refused(&ada.post(&here, &plan("many")).await, "Hours are a number");
        led(&ada.post(&here, &plan("8,5")).await);
        led(&ada.post(&here, &[("form", "time"), ("day", "2026-11-24"), ("time", "1:30"), ("what", "Asked")]).await);
        let page = ada.get(&here).await.text();
        assert!(page.contains("1.5 h spent of 8.5 h"), "{page}");
        let possible = [("form", "conclude"), ("outcome", "possible"), ("reason", "")];
        refused(&ada.post(&here, &possible).await, "2 of the investigation's questions have no answer yet");
        for rest in page.split("/investigation/questions/").skip(1) {
            let at = format!("{here}/questions/{}", rest.split('"').next().unwrap());
            let answer = [("question", "Is it so?"), ("answer", "Yes"), ("evidence", "Seen in their sandbox")];
            led(&ada.post(&at, &answer).await);
        }
        led(&ada.post(&here, &possible).await);
        let page = ada.get(&one).await.text();
        assert!(
            page.contains("Draft the quotation") && page.contains("concluded the investigation: possible"),
            "{page}"
        );
        let report = ada.get(&format!("{here}/report")).await.text();
        assert!(report.contains("Seen in their sandbox") && report.contains("1.5 h of 8.5 h"), "{report}");
        // nobody has accepted anything, and the page offers no way around that; lost is a way, with a reason
        refused(&ada.post(&format!("{one}/acts/close"), &[("reason", "")]).await, "Write down why");
        led(&ada.post(&format!("{one}/acts/close"), &[("reason", "Too dear")]).await);
        let funnel = ada.get("/integrations/funnel").await.text();
        assert!(funnel.contains("To be quoted"), "{funnel}");
        // what a question was before it was changed stands in the trail
        let trail = ada.get(&format!("/tenants/{}/audit?action=investigation", app.tenant)).await.text();
        assert!(trail.contains("Is there a static token?") && trail.contains("Is it so?"), "{trail}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_used_once_opens_one_intake_and_tells_a_stranger_nothing() {
    each(|app| async move {
        let (id, other) = (begin(&app, "Members").await, begin(&app, "Secret plans").await);
        app.start().await;
        let mut grace = staff(&app, Role::SuccessManager).await;
        let one = format!("/tenants/{}/integrations/{id}", app.tenant);
        let made = async |grace: &mut Browser| {
            let page = grace.post(&format!("{one}/links"), &[("for_whom", "Jane")]).await;
            assert_eq!(page.status, 200);
            let url = between(&page.text(), "/answer?token=", "<").to_owned();
            (format!("/answer?token={url}"), url)
        };
        let (path, token) = made(&mut grace).await;
        assert!(!grace.get(&format!("{one}/intake")).await.text().contains(&token), "shown once");

        let mut jane = Browser::new(&app);
        assert_eq!(jane.get("/answer/intake").await.status, 410);
        // scanners follow links: that uses nothing up, and tells nothing
        for _ in 0..2 {
            let page = jane.get(&path).await;
            assert_eq!(page.status, 200);
            assert!(!page.text().contains("Members") && !page.text().contains("Salesforce"), "{}", page.text());
        }
        let useless = jane.get("/answer?token=nothing").await;
        assert_eq!(useless.status, 410);
        assert_eq!(led(&jane.post("/answer", &[("token", &token)]).await), "/answer/intake");
        let again = Browser::new(&app).post("/answer", &[("token", &token)]).await;
        assert_eq!(
            (again.status, between(&again.text(), "<main", "</main>")),
            (410, between(&useless.text(), "<main", "</main>"))
        );
        assert_eq!(Browser::new(&app).get(&path).await.status, 410);

        let page = jane.get("/answer/intake").await.text();
        assert!(page.contains("Members") && !page.contains("Secret plans") && !page.contains("Acme"), "{page}");
        let section = jane.get("/answer/intake/data").await.text();
        let seen = between(&section, "name=\"seen\" value=\"", "\"").to_owned();
        let bad =
            jane.post("/answer/intake/data", &[("seen", &seen), ("per-day", "lots"), ("records", "Contacts")]).await;
        refused(&bad, "Give a whole number");
        assert!(bad.text().contains("lots") && bad.text().contains("Contacts"), "values are kept");
        let good = [("seen", seen.as_str()), ("per-day", "2.500"), ("records", "<i>Contacts</i>"), ("then", "next")];
        assert_eq!(led(&jane.post("/answer/intake/data", &good).await), "/answer/intake/identifiers");
        let told = grace.get(&format!("{one}/intake/data")).await.text();
        assert!(
            told.contains("Jane (by link)") && told.contains("&lt;i&gt;Contacts") && told.contains("2500"),
            "{told}"
        );
        // who answers from an older page overwrites nothing, and may look and try again
        let stale = [("seen", seen.as_str()), ("per-day", "1"), ("records", "Orders")];
        refused(&grace.post(&format!("{one}/intake/data"), &stale).await, "Somebody else has answered here meanwhile");

        // the session is good for nothing else
        for path in [one.as_str(), &format!("/tenants/{}", app.tenant), "/integrations", "/"] {
            assert_eq!(jane.get(path).await.status, 303, "{path}");
        }
        let foreign = format!("/tenants/{}/integrations/{other}/intake/need", app.tenant);
        assert_eq!(jane.post(&foreign, &[("goal", "x")]).await.status, 401);

        // taken back, it ends at once
        let page = grace.get(&format!("{one}/intake")).await.text();
        let revoke = format!("{one}/links/{}", between(&page, &format!("{one}/links/"), "\""));
        led(&grace.post(&revoke, &[]).await);
        assert_eq!(jane.get("/answer/intake").await.status, 410);

        // one that nobody opens runs out, and so does a session
        let (path, token) = made(&mut grace).await;
        let (_, second) = made(&mut grace).await;
        led(&jane.post("/answer", &[("token", &second)]).await);
        app.clock.advance(14 * 24 * 3600);
        assert_eq!(Browser::new(&app).get(&path).await.status, 410);
        assert_eq!(Browser::new(&app).post("/answer", &[("token", &token)]).await.status, 410);
        assert_eq!(jane.get("/answer/intake").await.status, 200);
        app.clock.advance(17 * 24 * 3600);
        assert_eq!(jane.get("/answer/intake").await.status, 410);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_of_their_system_becomes_evidence_and_the_draft_of_a_source() {
    const TOKEN: &str = "s3cret-token-of-the-shop";
    each(|app| async move {
        let id = begin(&app, "Orders").await;
        let shop = Shop::open(&app.clock).await;
        shop.mood(|mood| mood.token = Some(TOKEN.into()));
        shop.fill(1, 8, TimeDelta::days(2));
        app.start_with(&["--allow-outbound", "127.0.0.1"]).await;
        let mut grace = staff(&app, Role::SuccessManager).await;
        let one = format!("/tenants/{}/integrations/{id}", app.tenant);
        let probe = format!("{one}/evidence/probe");
        assert_eq!(grace.get(&probe).await.status, 200);
        let url = format!("http://{}/orders", shop.address);
        let form = |token: &'static str, url: &str| {
            let fields = [
                ("url", url.to_owned()),
                ("authentication", "bearer".into()),
                ("token", token.into()),
                ("window_kind", "range".into()),
                ("window_parameters", "from={from}\r\nuntil={until}".into()),
                ("time_format", "epochMilliseconds".into()),
            ];
            Vec::from(fields)
        };
        let mut post = async |fields: Vec<(&'static str, String)>| {
            let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            grace.post(&probe, &fields).await
        };
        refused(&post(form("", &url)).await, "Type the token");
        refused(&post(form(TOKEN, "ftp://shop.example.com")).await, "https");
        let backwards = [("from", "2026-05-02T00:00".to_owned()), ("until", "2026-05-01T00:00".to_owned())];
        refused(&post([form(TOKEN, &url), backwards.into()].concat()).await, "after the moment");
        // a wrong token is told, and settles nothing about tokens
        led(&post(form("another", &url)).await);
        led(&post(form(TOKEN, &url)).await);
        let mut ada = staff(&app, Role::Consultant).await;
        let page = ada.get(&format!("{one}/evidence")).await.text();
        for words in [
            "refused: status 401",
            "it is enough; without it the status is 401",
            "8 records at $.data.items",
            "windows long before and long after the record do not hold it",
            "/id: different in every record, and the same when asked again",
            "none: the token and the records travel where others can read them",
        ] {
            assert!(page.contains(words), "no {words:?} in {page}");
        }
        assert!(!page.contains(TOKEN), "the token is kept");
        let checks = ada.get(&format!("{one}/checks")).await.text();
        assert!(checks.contains("We can ask their system.") && checks.contains("seen by a probe"), "{checks}");
        // what it found out begins a source, and the form to probe again
        assert!(ada.get(&probe).await.text().contains(&url));
        let text = between(&page, "name=\"text\" value=\"", "\"").replace("&quot;", "\"");
        let begun = ada.post(&format!("/tenants/{}/sources/import", app.tenant), &[("text", &text)]).await;
        assert!(begun.text().contains("This is what the file holds"), "{}", begun.text());
        // nobody gets inside by it, and what cannot be reached is not called impossible
        led(&post(form(TOKEN, "http://169.254.169.254/latest/meta-data")).await);
        let page = ada.get(&format!("{one}/evidence")).await.text();
        assert!(page.contains("an address of this network"), "{page}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_their_system_sends_becomes_evidence_and_proposes_the_verdict() {
    each(|app| async move {
        let id = begin(&app, "Members").await;
        let other = app.event_type(|_| {}).await;
        let contract = Contract::parse(r#"{"type":"object","required":["mail"]}"#).unwrap();
        let strict = app.event_type(|details| details.contract = contract).await;
        app.start().await;
        let mut ada = staff(&app, Role::Consultant).await;
        let one = format!("/tenants/{}/integrations/{id}", app.tenant);
        let opened = ada.post(&format!("{one}/endpoint"), &[]).await;
        assert_eq!(opened.status, 200, "{}", opened.text());
        let secret = between(&opened.text(), "id=\"token\" class=\"mono\">", "<").to_owned();
        assert_eq!(ada.post(&format!("{one}/endpoint"), &[]).await.status, 409);
        let code = between(&opened.text(), "id=\"curl\">", "</code>").to_owned();
        let of = code.split_once(&format!("/tenants/{}/events/", app.tenant)).unwrap().1[..36].to_owned();
        let door = app.with_token(&secret);
        let send = |payload: &str| door.post(&format!("/events/{of}")).body(payload.as_bytes());
        door.until(send(r#"{"Email Address":"jane@example.com","Member":7}"#), 201).await;
        let elsewhere = door.post(&format!("/events/{other}")).body(&b"{}"[..]);
        assert_eq!(door.ask(elsewhere).await.status, 403, "it is good for this type alone");
        let page = ada.get(&format!("{one}/evidence")).await.text();
        assert!(page.contains("jane@example.com"), "{page}");
        led(&ada.post(&format!("{one}/endpoint/evidence"), &[]).await);
        let page = ada.get(&format!("{one}/checks")).await.text();
        assert!(
            page.contains("Their system can send to us.") && page.contains("seen in what their system sent"),
            "{page}"
        );
        // the verdict is proposed, and whoever stands for it gives it
        let page = ada.get(&format!("{one}/verdicts")).await.text();
        assert!(page.contains("Filled in by what the check list says"), "{page}");
        // who may not read payloads sees what was found, and not what came in
        let mut grace = staff(&app, Role::SuccessManager).await;
        let page = grace.get(&format!("{one}/evidence")).await.text();
        assert!(page.contains("/Email Address") && !page.contains("jane@example.com"), "{page}");

        // names that no database would take as they are
        let odd = format!(r#"{{"\u0000 mail":"jane@example.com","{}":1}}"#, "long".repeat(2_000));
        led(&grace.post(&format!("{one}/evidence"), &[("samples", &odd)]).await);

        let samples = (0..20).map(|n| format!("{{\"phone\":\"+3161234567{n:02}\"}}")).collect::<Vec<_>>().join("\n");
        refused(&grace.post(&format!("{one}/evidence"), &[("samples", "{\"a\":")]).await, "This is not JSON");
        led(&grace.post(&format!("{one}/evidence"), &[("samples", &samples)]).await);
        let page = grace.get(&format!("{one}/evidence")).await.text();
        assert!(page.contains("20 sample payloads") && !page.contains("+31612345670"), "{page}");

        // held against a contract: what would be refused is known before anybody builds on it
        let evidence = format!("{one}/evidence");
        led(&grace.post(&evidence, &[("samples", &samples), ("samples_keep", &format!("type:{strict}"))]).await);
        let page = grace.get(&evidence).await.text();
        assert!(page.contains("kept by 0 of 20") && page.contains("breaks the rule “required” in 20 of 20"), "{page}");
        let proposed = between(&page, "value=\"evidence:", "\"").to_owned();
        led(&grace.post(&evidence, &[("samples", &samples), ("samples_keep", &format!("evidence:{proposed}"))]).await);
        assert!(grace.get(&evidence).await.text().contains("kept by 20 of 20"));
        let gone = grace.post(&evidence, &[("samples", &samples), ("samples_keep", &format!("draft:{strict}"))]).await;
        refused(&gone, "It is not there any more");

        led(&ada.post(&format!("{one}/endpoint/close"), &[]).await);
        door.until(send("{}"), 401).await;
        // opened again, it is the same type with another token
        let again = ada.post(&format!("{one}/endpoint"), &[]).await;
        assert!(again.status == 200 && again.text().contains(&of), "{}", again.text());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_choose_at_once_take_one_step() {
    each(|app| async move {
        let id = begin(&app, "Members").await;
        judge(&app, id, Question::Technical, Verdict::Yes, "").await;
        judge(&app, id, Question::Need, Verdict::Yes, "").await;
        let choose = |scenario| {
            let (db, clock, permit) = (app.db.clone(), app.clock.clone(), Actor::cli().permit(app.tenant).unwrap());
            let reason = tributary::intake::Reason::parse("because").unwrap();
            let taken = Taken { act: Act::Choose(scenario), reason, next: None };
            tokio::spawn(async move { store::advance(&db, &clock, &permit, id, taken).await })
        };
        let all = [choose(Scenario::Possible), choose(Scenario::NotPossible), choose(Scenario::Investigation)];
        let mut done = 0;
        for one in all {
            match one.await.unwrap() {
                Ok(_) => done += 1,
                Err(error) => assert!(error.to_string().contains("one cannot choose a scenario"), "{error}"),
            }
        }
        assert_eq!(done, 1);
        let see = Actor::cli().permit::<tributary::auth::SeeIntegrations>(app.tenant).unwrap();
        let timeline = store::timeline(&app.db, &see, id, 100).await.unwrap();
        assert_eq!(timeline.iter().filter(|one| one.stage.is_some()).count(), 2, "{timeline:?}");

        // each waits for somebody, in sight of those who may see it alone
        let viewer = |role, tenant| Actor { role, tenant, ..Actor::cli() };
        let own = viewer(Role::Consultant, Some(app.tenant));
        let seen = tributary::intake::waiting(&app.db, &own).await.unwrap();
        assert!(seen.len() <= 1 && seen.iter().all(|one| one.id == id));
        let foreign = app.another_tenant().await;
        assert!(
            tributary::intake::waiting(&app.db, &viewer(Role::Consultant, Some(foreign.tenant)))
                .await
                .unwrap()
                .is_empty()
        );
        assert!(tributary::intake::waiting(&app.db, &viewer(Role::Customer, Some(app.tenant))).await.is_err());
    })
    .await;
}

fn command(database: &str, arguments: &[&str]) -> Done {
    let mut command = tributary(database);
    command.args(arguments);
    run(command, "")
}

fn json(database: &str, arguments: &[&str]) -> Value {
    let done = command(database, &[&["--json"], arguments].concat());
    assert_eq!(done.code, 0, "{arguments:?}: {}", done.err);
    done.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_takes_the_same_way_as_the_pages() {
    each_address(async |db| {
        let tenant = json(&db, &["tenant", "add", "Acme"])["id"].as_str().unwrap().to_owned();
        let empty = command(&db, &["integration", "list"]);
        assert!(empty.out.starts_with("there are no integrations"), "{}", empty.out);
        let add = [
            "integration",
            "add",
            "--tenant",
            tenant.as_str(),
            "--system",
            "Lightspeed",
            "--kind",
            "web-shop",
            "--need",
        ];
        let made = json(&db, &[&add[..], &["Sales", "Shop"]].concat());
        let id = made["id"].as_str().unwrap();
        assert_eq!(
            (&made["stage"], &made["systemKind"], &made["turn"]),
            (&json!("intake"), &json!("web-shop"), &json!("us"))
        );
        let none = command(&db, &[&add[..], &[" ", "Shop"]].concat());
        assert_eq!(none.code, 2, "{}", none.err);

        let advance = |rest: &[&str]| {
            command(&db, &[&["integration", "advance", "--tenant", tenant.as_str(), id], rest].concat())
        };
        let refused = advance(&["choose", "--scenario", "possible"]);
        assert!(
            refused.code == 1 && refused.err.contains("the scenario follows from both verdicts"),
            "{}",
            refused.err
        );
        assert_eq!(advance(&["choose"]).code, 2);
        assert_eq!(advance(&["conclude"]).code, 2);
        let early = advance(&["go-live"]);
        assert!(early.code == 1 && early.err.contains("only at Implementation"), "{}", early.err);
        let why = advance(&["retire"]);
        assert!(why.code == 1 && why.err.contains("write down why"), "{}", why.err);
        let retired = advance(&["retire", "--reason", "typed by mistake"]);
        assert_eq!(retired.code, 0, "{}", retired.err);

        let shown = json(&db, &["integration", "show", id]);
        assert_eq!(shown["stage"], "retired");
        assert_eq!(shown["timeline"][0]["why"], "typed by mistake");
        let listed = command(&db, &["integration", "list", "--tenant", &tenant, "--stage", "retired"]);
        assert!(listed.out.contains(id) && listed.out.contains("Shop"), "{}", listed.out);
        let exported = command(&db, &["intake", "export", id]);
        assert!(exported.out.starts_with("# Intake of Shop (Lightspeed)"), "{}", exported.out);
        assert_eq!(json(&db, &["intake", "show", "--tenant", &tenant, id])["proposal"]["answer"], "unsure");
        let foreign = json(&db, &["tenant", "add", "Umbrella"])["id"].as_str().unwrap().to_owned();
        let hidden = command(&db, &["integration", "show", "--tenant", &foreign, id]);
        assert!(hidden.code == 1 && hidden.err.contains("there is no such integration"), "{}", hidden.err);
        let audit = command(&db, &["--json", "audit", "list", "--tenant", &tenant]);
        assert!(audit.out.contains("integration.advance"), "{}{}", audit.out, audit.err);
    })
    .await;
}
