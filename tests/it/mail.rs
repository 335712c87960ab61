//! Mail: through a real conversation with a server that takes it, refuses it, or is away. On both databases.
use tributary::{auth::Role, sql};

use crate::support::{
    TestApp,
    browser::{Browser, PASSWORD, account, between},
    each,
    smtp::{Mood, Sink},
};

/// A key that all servers of the test share.
fn key() -> tempfile::NamedTempFile {
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), "A".repeat(43)).unwrap();
    key
}

async fn start(app: &TestApp, sink: &Sink, key: &tempfile::NamedTempFile) {
    let flags = sink.flags();
    let mut all = vec!["--key-file", key.path().to_str().unwrap()];
    all.extend(flags.iter().map(String::as_str));
    app.start_with(&all).await;
}

async fn invite(browser: &mut Browser, email: &str) -> String {
    let fields = [("email", email), ("role", "consultant"), ("tenant", "")];
    let page = browser.post("/people/invite", &fields).await;
    assert_eq!(page.status, 200, "{}", page.text());
    page.text()
}

fn token(link: &str) -> &str {
    link.split_once("token=").unwrap().1
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_mailed_and_followed() {
    each(async |app: TestApp| {
        let (sink, key) = (Sink::start(Mood::Willing).await, key());
        account(&app, "ada@example.com", Role::Administrator, None).await;
        start(&app, &sink, &key).await;
        let mut ada = Browser::signed_in(&app, "ada@example.com").await;
        let page = invite(&mut ada, "grace@example.com").await;
        assert!(page.contains("on its way to grace@example.com") && !page.contains("token="), "{page}");
        let letter = sink.letter(1).await;
        assert_eq!((&*letter.from, &*letter.to), ("hub@example.com", "grace@example.com"));
        assert_eq!(letter.header("Auto-Submitted"), Some("auto-generated"));
        assert_eq!(letter.header("Subject"), Some("You are invited to Tributary"));
        assert!(letter.text.contains("text/plain") && letter.text.contains("text/html"), "{}", letter.text);
        let link = letter.link("/invitation?token=");
        assert!(link.starts_with(&format!("http://{}/", app.to())), "{link}");
        let mut grace = Browser::new(&app);
        assert_eq!(grace.get(&link).await.status, 200);
        let fields =
            [("token", token(&link)), ("name", "Grace"), ("password", PASSWORD), ("repeat_password", PASSWORD)];
        assert_eq!(grace.post("/invitation", &fields).await.status, 303);
        assert!(grace.is_in().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_for_good_is_given_up_and_said() {
    each(async |app: TestApp| {
        let (sink, key) = (Sink::start(Mood::Unknowing).await, key());
        account(&app, "ada@example.com", Role::Administrator, None).await;
        start(&app, &sink, &key).await;
        let mut ada = Browser::signed_in(&app, "ada@example.com").await;
        let page = invite(&mut ada, "typo@example.com").await;
        let page = between(&page, "/people/invitations/", "\"").to_owned();
        let shown = app.page_with(&mut ada, &format!("/people/invitations/{page}"), "given up").await;
        assert!(shown.contains("550") && shown.contains("&lt;b&gt;no") && !shown.contains("<b>no"), "{shown}");
        assert_eq!(sink.calls(), 1, "asked once, and not again");
        let body = sql!(value Option<Vec<u8>>, &app.db, "SELECT body FROM outbox").unwrap();
        assert_eq!(body, None, "the link is kept nowhere");

        // sent anew, with a server in a better mood
        sink.set(Mood::Willing);
        ada.post(&format!("/people/invitations/{page}/resend"), &[]).await;
        let link = sink.letter(1).await.link("/invitation?token=");
        assert_eq!(Browser::new(&app).get(&link).await.status, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_the_mail_server_is_away_or_this_one_stops() {
    each(async |app: TestApp| {
        let (sink, key) = (Sink::start(Mood::Busy).await, key());
        account(&app, "ada@example.com", Role::Administrator, None).await;
        start(&app, &sink, &key).await;
        let mut ada = Browser::signed_in(&app, "ada@example.com").await;
        let page = invite(&mut ada, "grace@example.com").await;
        let id = between(&page, "/people/invitations/", "\"").to_owned();
        let shown = app.page_with(&mut ada, &format!("/people/invitations/{id}"), "could not be sent yet").await;
        assert!(shown.contains("451"), "{shown}");
        // hung up upon before the answer: nobody knows whether it was taken, so it is sent again
        sink.set(Mood::Rude);
        app.clock.advance(31);
        sink.called(2).await;
        app.stop().await;
        assert!(sink.all().is_empty());
        sink.set(Mood::Willing);
        app.clock.advance(3600);
        start(&app, &sink, &key).await;
        let letter = sink.letter(1).await;
        assert_eq!(letter.to, "grace@example.com");
        let mut ada = Browser::signed_in(&app, "ada@example.com").await;
        let shown = app.page_with(&mut ada, &format!("/people/invitations/{id}"), "Mailed").await;
        assert!(!shown.contains("could not be sent"), "{shown}");
        assert_eq!(sink.all().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_forgot_gets_a_link_and_a_stranger_learns_nothing() {
    each(async |app: TestApp| {
        let (sink, key) = (Sink::start(Mood::Willing).await, key());
        account(&app, "ada@example.com", Role::Consultant, None).await;
        account(&app, "bob@example.com", Role::Consultant, None).await;
        start(&app, &sink, &key).await;
        let mut browser = Browser::new(&app);
        assert!(browser.get("/login").await.text().contains("/forgot-password"));
        assert_eq!(browser.post("/forgot-password", &[("email", "nonsense")]).await.status, 422);
        let unknown = browser.post("/forgot-password", &[("email", "nobody@example.com")]).await;
        let known = browser.post("/forgot-password", &[("email", " Ada@example.com")]).await;
        for answer in [&unknown, &known] {
            assert_eq!((answer.status, answer.header("location")), (303, Some("/forgot-password?done=sent")));
        }
        assert_eq!(unknown.body, known.body);
        let letter = sink.letter(1).await;
        assert_eq!(letter.to, "ada@example.com");
        let link = letter.link("/reset-password?token=");
        let mut ada = Browser::signed_in(&app, "ada@example.com").await;
        let new = "another horse battery";
        let fields = [("token", token(&link)), ("password", new), ("repeat_password", new)];
        let done = browser.post("/reset-password", &fields).await;
        assert_eq!(done.header("location"), Some("/login?done=password"));
        assert!(!ada.is_in().await, "all sessions end");
        assert_eq!(browser.post("/reset-password", &fields).await.status, 410);

        // a known and an unknown address are slowed down alike
        for email in ["bob@example.com", "none@example.com"] {
            for _ in 0..5 {
                assert_eq!(browser.post("/forgot-password", &[("email", email)]).await.status, 303);
            }
            let wait = browser.post("/forgot-password", &[("email", email)]).await;
            assert!(wait.status == 429 && wait.header("retry-after").is_some());
        }
        Browser::signed_in(&app, "bob@example.com").await;
        // each link takes the one before back; the letters of those may be out already
        sink.letter(2).await;
        assert!(sink.all().iter().all(|letter| letter.to != "nobody@example.com" && letter.to != "none@example.com"));
    })
    .await;
}
