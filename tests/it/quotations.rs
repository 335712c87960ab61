//! Quotations by the front door: from the draft to the answer, by a link and signed in; what is frozen, two at once,
//! strangers, time, and the command line.
use serde_json::Value;
use tributary::{
    auth::{
        Actor, AnswerQuotations, Permit, Role, RunIntakes, SeeQuotations,
        courier::{Courier, Delivered},
    },
    crypto::Secret,
    guests,
    ids::{IntegrationId, QuotationId},
    intake::{
        Act, Answer as Verdict, Confidence, Details, Question, Scenario, Stage, SystemKind,
        quotation::{
            Acceptance, Amounts, Content, Discount, Limit, Line, Percent, Pricing, Quotation, State,
            store::{self, Bell, Offering},
        },
        store::{self as integrations, Given, Taken},
    },
};

use crate::support::{
    Answer, TestApp,
    browser::{Browser, account, between},
    each, each_address,
    program::{Done, run, tributary},
    smtp::{Mood, Sink},
};

pub const NO_LIMIT: Limit = Limit { approve_above: Amounts::everywhere(1_000_000_000) };

/// An integration whose verdicts are both yes.
pub async fn to_be_quoted(app: &TestApp) -> IntegrationId {
    let (db, clock, permit) = (&app.db, &app.clock, Actor::cli().permit(app.tenant).unwrap());
    let details = Details {
        name: "Members".parse().unwrap(),
        system_name: "Salesforce".parse().unwrap(),
        system_kind: SystemKind::Crm,
        need: "Know members by name".into(),
        owner_id: None,
        customer_people: "Jane Doe, jane@example.com".into(),
        vendor_people: String::new(),
    };
    let id = integrations::create(db, clock, &permit, details, None).await.unwrap().id;
    for question in [Question::Technical, Question::Need] {
        let given = Given {
            question,
            answer: Verdict::Yes,
            confidence: Confidence::High,
            owner_id: None,
            evidence: String::new(),
            open_questions: if question == Question::Need { "Who keeps <b>it</b>?".into() } else { String::new() },
        };
        integrations::give_verdict(db, clock, &permit, id, given).await.unwrap();
    }
    let taken = Taken { act: Act::Choose(Scenario::Possible), reason: None, next: None };
    integrations::advance(db, clock, &permit, id, taken).await.unwrap();
    id
}

pub fn line(package: &str, hours: i64) -> Line {
    Line {
        package: package.into(),
        description: String::new(),
        role: "Consultant".into(),
        pricing: Pricing::Fixed,
        minutes: hours * 60,
        rate: 15_000,
        vat: Percent(2_500),
    }
}

/// A draft of a quotation.
pub async fn draft(app: &TestApp) -> Quotation {
    let of = to_be_quoted(app).await;
    store::begin(&app.db, &app.clock, &Actor::cli().permit(app.tenant).unwrap(), of).await.unwrap()
}

/// A version that was sent.
pub async fn sent(app: &TestApp) -> Quotation {
    let of = to_be_quoted(app).await;
    let (db, clock, permit) = (&app.db, &app.clock, Actor::cli().permit(app.tenant).unwrap());
    let draft = store::begin(db, clock, &permit, of).await.unwrap();
    let content = Content { lines: vec![line("Connect", 8)], ..draft.content.clone() };
    let draft = store::save(db, clock, &permit, draft.id, draft.revision, content).await.unwrap();
    store::send(db, clock, &permit, NO_LIMIT, draft.id, draft.revision).await.unwrap()
}

/// The secret of a link to a version.
async fn link(app: &TestApp, permit: &Permit<RunIntakes>, of: QuotationId) -> Secret {
    let wish = guests::Wish { subject: of.0, for_whom: "Jane".parse().unwrap(), send_to: None, days: None };
    let courier = Courier::by_hand("http://localhost");
    let made = guests::store::make::<Offering>(&app.db, &app.clock, permit, &courier, wish).await.unwrap();
    let Delivered::Shown(link) = made.0 else { panic!("it is shown") };
    Secret::given(link.reveal().split_once("token=").unwrap().1)
}

async fn staff(app: &TestApp, role: Role) -> Browser {
    let email = format!("{role}@example.com");
    account(app, &email, role, None).await;
    Browser::signed_in(app, &email).await
}

/// A key that all servers of the test share.
fn key() -> tempfile::NamedTempFile {
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), "A".repeat(43)).unwrap();
    key
}

fn led(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").unwrap().split('?').next().unwrap().to_owned()
}

fn refused(answer: &Answer, words: &str) {
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert!(answer.text().contains(words), "no {words:?} in {}", answer.text());
}

fn strs<'a>(fields: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    fields.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

fn seen(page: &str) -> String {
    between(page, "name=\"seen\" value=\"", "\"").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quotation_is_written_approved_by_another_sent_and_accepted_by_a_link() {
    each(|app| async move {
        let (sink, key) = (Sink::start(Mood::Willing).await, key());
        let id = to_be_quoted(&app).await;
        let flags = sink.flags();
        let mut all = vec!["--key-file", key.path().to_str().unwrap(), "--approve-above", "1000"];
        all.extend(flags.iter().map(String::as_str));
        app.start_with(&all).await;
        let mut grace = staff(&app, Role::SuccessManager).await;
        let list = format!("/tenants/{}/integrations/{id}/quotations", app.tenant);
        let one = led(&grace.post(&list, &[]).await);
        refused(&grace.post(&list, &[]).await, "A version is open already");
        let page = grace.get(&one).await.text();
        assert!(page.contains("Not settled by the intake: Who keeps &lt;b&gt;it&lt;/b&gt;?"), "{page}");
        let send = |page: &str| vec![("form", "send".to_owned()), ("seen", seen(page))];
        // nothing is sent that has no lines: the form is not there, and posting it all the same is refused
        refused(&grace.post(&one, &[("form", "send"), ("seen", "1")]).await, "It has no lines yet");

        let new = format!("{one}/lines/new");
        let form = grace.get(&new).await.text();
        let mut fields = vec![
            ("package", "Connect & map".to_owned()),
            ("role", "Consultant".to_owned()),
            ("pricing", "fixed".to_owned()),
            ("hours", "7:30".to_owned()),
            ("rate", "1.50,00".to_owned()),
            ("vat", "25".to_owned()),
            ("seen", seen(&form)),
        ];
        refused(&grace.post(&new, &strs(&fields)).await, "An amount is a number such as 1234.50");
        fields[4].1 = "150,00".into();
        led(&grace.post(&new, &strs(&fields)).await);
        // a second tab that still holds the page of before changes nothing
        refused(&grace.post(&new, &strs(&fields)).await, "Somebody else has changed");
        let page = grace.get(&one).await.text();
        assert!(page.contains("Connect &amp; map") && page.contains("1,125.00") && page.contains("1,406.25"), "{page}");

        // it comes to more than 1,000: somebody else looks at it, and nobody's own work is enough
        let mut with = send(&page);
        with[1].1 = "2".into();
        refused(&grace.post(&one, &strs(&with)).await, "without approval");
        let submit = [("form", "submit".to_owned()), ("seen", "2".to_owned())];
        led(&grace.post(&one, &strs(&submit)).await);
        let approve = [("form", "approve".to_owned()), ("seen", "3".to_owned())];
        assert_eq!(grace.post(&one, &strs(&approve)).await.status, 403);
        let mut boss = staff(&app, Role::AccountManager).await;
        let back = [("form", "return".to_owned()), ("seen", "3".to_owned()), ("reason", " ".to_owned())];
        refused(&boss.post(&one, &strs(&back)).await, "Write down why");
        led(&boss.post(&one, &strs(&approve)).await);
        let mut ada = staff(&app, Role::Consultant).await;
        let send = [("form", "send".to_owned()), ("seen", "4".to_owned())];
        assert_eq!(ada.post(&one, &strs(&send)).await.status, 403);
        led(&grace.post(&one, &strs(&send)).await);

        // by a link: followed as often as one likes, used once by its button
        let made = grace.post(&format!("{one}/links"), &[("for_whom", "Jane")]).await;
        let link = between(&made.text(), "id=\"link\" class=\"mono\">", "<").replace("&amp;", "&");
        let mut jane = Browser::new(&app);
        for _ in 0..2 {
            let door = jane.get(&link).await;
            assert!(door.status == 200 && !door.text().contains("Members"), "{}", door.text());
        }
        let token = link.split_once("token=").unwrap().1;
        assert_eq!(led(&jane.post("/quotation", &[("token", token)]).await), "/quotation/offer");
        let mut stranger = Browser::new(&app);
        assert_eq!(stranger.get(&link).await.status, 410);
        assert_eq!(stranger.post("/quotation", &[("token", token)]).await.status, 410);
        assert_eq!(stranger.get("/quotation/offer").await.status, 410);
        assert_eq!(stranger.get("/quotation/offer/files/pdf").await.status, 410);

        let page = jane.get("/quotation/offer").await.text();
        let digest = between(&page, "name=\"digest\" value=\"", "\"").to_owned();
        assert!(page.contains("EUR 1,406.25") && page.contains(&digest), "{page}");
        let pdf = jane.get("/quotation/offer/files/pdf").await;
        assert_eq!(pdf.header("content-type"), Some("application/pdf"));
        assert!(pdf.header("content-disposition").unwrap().starts_with("attachment;"));
        let mut accept =
            vec![("form", "accept"), ("digest", digest.as_str()), ("name", "Jane <i>Doe</i>"), ("role", "")];
        let bad = jane.post("/quotation/offer", &accept).await;
        refused(&bad, "Tick the box to accept");
        refused(&bad, "Write what you are in your company");
        accept[3].1 = "Head of membership";
        accept.push(("agree", "on"));
        let other: Vec<_> = accept.iter().map(|(n, v)| (*n, if *n == "digest" { "0000" } else { *v })).collect();
        refused(&jane.post("/quotation/offer", &other).await, "This is not what was shown to you");
        led(&jane.post("/quotation/offer", &accept).await);
        refused(&jane.post("/quotation/offer", &accept).await, "that is accepted");
        let page = jane.get("/quotation/offer?done=accepted").await.text();
        assert!(page.contains("By Jane &lt;i&gt;Doe&lt;/i&gt;, Head of membership"), "{page}");

        // the owner is told, and the implementation has begun
        let letter = sink.letter(1).await;
        assert_eq!(letter.to, "success-manager@example.com");
        assert_eq!(letter.header("Subject"), Some("Quotation accepted: Members"));
        let page = grace.get(&format!("/tenants/{}/integrations/{id}", app.tenant)).await.text();
        assert!(page.contains("processing agreement covers Salesforce") && page.contains("(by link)"), "{page}");
        // what was accepted is there for good
        let edit = [("form", "remove"), ("seen", "9")];
        refused(&grace.post(&format!("{one}/lines/1"), &edit).await, "It was sent and stands as it is");
        // what comes later adds to it
        let order = led(&grace.post(&list, &[]).await);
        assert!(grace.get(&order).await.text().contains("Change order 2 for Members"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_answer_at_once_make_one_answer() {
    each(|app| async move {
        let of = sent(&app).await;
        let digest = of.document_digest.clone().unwrap();
        let customer = Actor { role: Role::Customer, tenant: Some(app.tenant), ..Actor::cli() };
        let accept = |name: &str| {
            let (db, clock, digest) = (app.db.clone(), app.clock.clone(), digest.clone());
            let permit = customer.permit::<AnswerQuotations>(app.tenant).unwrap();
            let by = Acceptance { name: name.into(), role: "Head".into() };
            tokio::spawn(async move {
                store::accept(&db, &clock, &permit, &Bell::silent(), of.id, &digest, by).await.map(drop)
            })
        };
        let (db, clock, digest) = (app.db.clone(), app.clock.clone(), digest.clone());
        let permit = customer.permit::<AnswerQuotations>(app.tenant).unwrap();
        let decline = tokio::spawn(async move {
            let reason = tributary::intake::Reason::parse("too dear").unwrap();
            store::decline(&db, &clock, &permit, &Bell::silent(), of.id, &digest, ("Tom".into(), reason))
                .await
                .map(drop)
        });
        let mut done = 0;
        for one in [accept("Jane"), accept("Joan"), decline] {
            match one.await.unwrap() {
                Ok(()) => done += 1,
                Err(error) => assert!(error.to_string().contains("a quotation that is"), "{error}"),
            }
        }
        assert_eq!(done, 1);
        let see = Actor::cli().permit::<SeeQuotations>(app.tenant).unwrap();
        let after = store::get(&app.db, &see, of.id).await.unwrap();
        let see = Actor::cli().permit::<tributary::auth::SeeIntegrations>(app.tenant).unwrap();
        let integration = integrations::get(&app.db, &see, of.integration_id).await.unwrap();
        let stage = if after.state == State::Accepted { Stage::Implementation } else { Stage::Quotation };
        assert_eq!(integration.stage, stage);
        let timeline = integrations::timeline(&app.db, &see, of.integration_id, 100).await.unwrap();
        let answers = timeline.iter().filter(|one| one.what.contains(", as ")).count();
        assert_eq!(answers, 1, "{timeline:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_stays_and_a_new_version_takes_its_place() {
    each(|app| async move {
        let of = sent(&app).await;
        let (db, clock, permit) = (&app.db, &app.clock, Actor::cli().permit(app.tenant).unwrap());
        let before = store::files(db, &permit, of.id).await.unwrap();
        let content = Content { lines: vec![line("Less", 1)], ..of.content.clone() };
        let changed = store::save(db, clock, &permit, of.id, of.revision, content.clone()).await;
        assert!(changed.unwrap_err().to_string().contains("stands as it is"));
        let again = store::send(db, clock, &permit, NO_LIMIT, of.id, of.revision).await;
        assert!(again.unwrap_err().to_string().contains("cannot send a quotation that is sent"));
        let after = store::files(db, &permit, of.id).await.unwrap();
        assert_eq!((before.document, before.pdf), (after.document, after.pdf));

        // the next begins as the last was, and replaces it once it is sent
        let next = store::begin(db, clock, &permit, of.integration_id).await.unwrap();
        assert_eq!((next.number, &next.content.lines), (2, &of.content.lines));
        let content = Content { discount: Discount::Percent(Percent(1_000)), ..next.content.clone() };
        let next = store::save(db, clock, &permit, next.id, next.revision, content).await.unwrap();
        // a customer sees no draft, whoever they are
        let customer = Actor { role: Role::Customer, tenant: Some(app.tenant), ..Actor::cli() };
        let theirs = customer.permit::<SeeQuotations>(app.tenant).unwrap();
        assert!(store::get(db, &theirs, next.id).await.is_err());
        assert_eq!(store::of_tenant(db, &theirs).await.unwrap().len(), 1);
        store::send(db, clock, &permit, NO_LIMIT, next.id, next.revision).await.unwrap();
        let old = store::get(db, &theirs, of.id).await.unwrap();
        assert_eq!((old.state, old.reason.as_str()), (State::Withdrawn, "replaced by version 2"));
        let answer = customer.permit::<AnswerQuotations>(app.tenant).unwrap();
        let by = || Acceptance { name: "Jane".into(), role: "Head".into() };
        let digest = of.document_digest.unwrap();
        let late = store::accept(db, clock, &answer, &Bell::silent(), of.id, &digest, by()).await;
        assert!(late.unwrap_err().to_string().contains("that is withdrawn"));

        // its last day passes
        let link = link(&app, &permit, next.id).await;
        assert!(guests::store::works::<Offering>(db, clock, &link).await.unwrap());
        clock.advance(31 * 24 * 3600);
        let now = clock.now();
        let next = store::get(db, &theirs, next.id).await.unwrap();
        assert_eq!(next.standing(now), State::Expired);
        let digest = next.document_digest.clone().unwrap();
        let late = store::accept(db, clock, &answer, &Bell::silent(), next.id, &digest, by()).await;
        assert!(late.unwrap_err().to_string().contains("has passed"));
        assert!(!guests::store::works::<Offering>(db, clock, &link).await.unwrap());
        // and a new version is valid again
        let third = store::begin(db, clock, &permit, of.integration_id).await.unwrap();
        assert!(third.content.valid_until > now.date_naive());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_answers_in_the_portal_and_another_tenant_sees_nothing() {
    each(|app| async move {
        let of = sent(&app).await;
        let foreign = app.another_tenant().await;
        app.start().await;
        account(&app, "jane@example.com", Role::Customer, Some(app.tenant)).await;
        account(&app, "eve@example.com", Role::Customer, Some(foreign.tenant)).await;
        let mut jane = Browser::signed_in(&app, "jane@example.com").await;
        let mut eve = Browser::signed_in(&app, "eve@example.com").await;
        let list = format!("/tenants/{}/quotations", app.tenant);
        let one = format!("{list}/{}", of.id);
        assert!(jane.get(&list).await.text().contains("Members"));
        for path in [&list, &one, &format!("{one}/files/pdf")] {
            assert_eq!(eve.get(path).await.status, 404, "{path}");
        }
        let elsewhere = format!("/tenants/{}/quotations/{}", foreign.tenant, of.id);
        assert_eq!(eve.get(&elsewhere).await.status, 404);
        let page = jane.get(&one).await.text();
        let digest = between(&page, "name=\"digest\" value=\"", "\"").to_owned();
        let mut form = vec![("form", "decline"), ("digest", digest.as_str()), ("decline_name", "Jane"), ("reason", "")];
        refused(&jane.post(&one, &form).await, "Write down why");
        form[3].1 = "Next year perhaps";
        led(&jane.post(&one, &form).await);
        let mut grace = staff(&app, Role::SuccessManager).await;
        let page = grace.get(&tributary::intake::quotation::address(&of)).await.text();
        assert!(page.contains("Declined") && page.contains("Next year perhaps") && page.contains("First looked at"));
        let page = grace.get(&format!("/tenants/{}/integrations/{}", app.tenant, of.integration_id)).await.text();
        assert!(page.contains("Revise the quotation, or close it as lost"), "{page}");
        // the staff sees what was sent, and cannot answer it
        assert_eq!(grace.get(&one).await.status, 200);
        assert_eq!(grace.post(&one, &form).await.status, 403);
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
async fn the_command_line_lists_shows_sends_and_verifies() {
    each_address(async |address| {
        let app = TestApp::new(address.clone()).await;
        let of = to_be_quoted(&app).await;
        let (db, clock, permit) = (&app.db, &app.clock, Actor::cli().permit(app.tenant).unwrap());
        let draft = store::begin(db, clock, &permit, of).await.unwrap();
        let id: QuotationId = draft.id;
        let (tenant, id_text) = (app.tenant.to_string(), id.to_string());
        let send = ["quotation", "send", "--tenant", &tenant, &id_text];
        let early = command(&address, &send);
        assert!(early.code == 1 && early.err.contains("no lines yet"), "{}", early.err);
        let content = Content { lines: vec![line("Connect", 100)], ..draft.content.clone() };
        store::save(db, clock, &permit, id, draft.revision, content).await.unwrap();
        let dear = command(&address, &send);
        assert!(dear.code == 1 && dear.err.contains("without approval"), "{}", dear.err);
        let more = ["--approve-above", "20000", "--for", "Jane", "--url", "https://hub.example.com/"];
        let sent = json(&address, &[&send[..], &more].concat());
        assert_eq!((&sent["state"], &sent["totals"]["gross"]), (&"sent".into(), &1_875_000.into()));
        assert!(sent["link"].as_str().unwrap().starts_with("https://hub.example.com/quotation?token="));
        let listed = command(&address, &["quotation", "list", "--state", "sent"]);
        assert!(listed.out.contains(&id_text) && listed.out.contains("EUR 18,750.00"), "{}", listed.out);
        let shown = command(&address, &["quotation", "show", &id_text]);
        assert!(shown.out.contains("15,000.00  without VAT"), "{}", shown.out);

        // a file is what was accepted, or is not
        let files = store::files(db, &permit, id).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let (pdf, document) = (file("q.pdf", &files.pdf), file("q.json", files.document.as_bytes()));
        let early = command(&address, &["quotation", "verify", &pdf]);
        assert!(early.code == 1 && early.err.contains("which is sent and not accepted"), "{}", early.err);
        let customer = Actor { role: Role::Customer, tenant: Some(app.tenant), ..Actor::cli() };
        let answer = customer.permit::<AnswerQuotations>(app.tenant).unwrap();
        let by = Acceptance { name: "Jane Doe".into(), role: "Head".into() };
        let digest = sent["documentDigest"].as_str().unwrap();
        store::accept(db, clock, &answer, &Bell::silent(), id, digest, by).await.unwrap();
        for good in [&pdf, &document] {
            let done = command(&address, &["quotation", "verify", good]);
            assert!(done.code == 0 && done.out.contains("accepted by  Jane Doe, Head"), "{}{}", done.out, done.err);
        }
        let mut altered = files.pdf.clone();
        *altered.last_mut().unwrap() ^= 1;
        let cheaper = files.document.replace("1875000", "1375000");
        assert_ne!(cheaper, files.document);
        for bad in [file("a.pdf", &altered), file("a.json", cheaper.as_bytes())] {
            let done = command(&address, &["quotation", "verify", &bad]);
            assert!(done.code == 1 && done.err.contains("not byte for byte what was sent"), "{}", done.err);
        }
        let done = command(&address, &["quotation", "verify", &file("none", b"none")]);
        assert!(done.code == 1 && done.err.contains("no quotation that was sent from here"), "{}", done.err);
    })
    .await;
}
