//! The second factor: set up, asked for, lost, demanded. On both databases.
use chrono::{DateTime, Utc};
use tributary::{
    auth::{Role, totp::SharedSecret},
    db::Db,
    server,
};

use crate::support::{
    Answer, Asking, TestApp,
    browser::{Browser, PASSWORD, account, between},
    each, settings,
};

/// An authenticator application.
struct Application(SharedSecret);

impl Application {
    /// It reads the secret off the page.
    fn reading(page: &Answer) -> Self {
        let page = page.text();
        let written = between(&page, r#"id="secret" class="mono">"#, "<");
        let (mut bits, mut held, mut bytes) = (0_u64, 0, Vec::new());
        for c in written.chars().filter(|c| !c.is_whitespace()) {
            let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(c).expect("base32");
            bits = bits << 5 | value as u64;
            held += 5;
            if held >= 8 {
                held -= 8;
                bytes.push((bits >> held & 0xFF) as u8);
            }
        }
        assert_eq!(bytes.len(), 20);
        Self(SharedSecret::stored(bytes))
    }

    fn shows(&self, now: DateTime<Utc>) -> String {
        self.0.code_at(now)
    }
}

/// A server with a key, whatever the database.
async fn start(app: &TestApp) -> tempfile::NamedTempFile {
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), "A".repeat(43)).unwrap();
    app.start_with(&["--key-file", key.path().to_str().unwrap()]).await;
    key
}

/// Sets up a second factor; the application and the recovery codes.
async fn enrol(app: &TestApp, browser: &mut Browser) -> (Application, Vec<String>) {
    let begun = browser.post("/account/second-factor/start", &[]).await;
    assert_eq!(begun.header("location"), Some("/account/second-factor"), "{}", begun.text());
    let page = browser.get("/account/second-factor").await;
    let application = Application::reading(&page);
    assert!(page.text().contains("class=\"qr\"") && !page.text().contains("style="));
    let wrong = browser.post("/account/second-factor", &[("code", "000000")]).await;
    assert_eq!(wrong.status, 422);
    let confirmed = browser.post("/account/second-factor", &[("code", &application.shows(app.clock.now()))]).await;
    assert_eq!(confirmed.status, 200, "{}", confirmed.text());
    (application, codes(&confirmed))
}

fn codes(page: &Answer) -> Vec<String> {
    between(&page.text(), r#"<code id="codes">"#, "</code>").lines().map(str::to_owned).collect()
}

async fn half(app: &TestApp, email: &str) -> Browser {
    let mut browser = Browser::new(app);
    let answer = browser.login(email, PASSWORD).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/login/code")), "{}", answer.text());
    browser
}

async fn give(browser: &mut Browser, code: &str) -> Answer {
    browser.post("/login/code", &[("code", code)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_takes_a_code_that_is_good_once() {
    each(async |app: TestApp| {
        account(&app, "ada@example.com", Role::Consultant, None).await;
        let _key = start(&app).await;
        let mut ada = Browser::signed_in(&app, "ada@example.com").await;
        assert!(ada.get("/account").await.text().contains("Your password alone lets one in."));
        let (application, recovery) = enrol(&app, &mut ada).await;
        assert_eq!(recovery.len(), 10);
        let page = ada.get("/account/second-factor").await.text();
        assert!(page.contains("10 of 10 left") && !page.contains("id=\"secret\""), "the secret is shown no more");
        assert_eq!(ada.post("/account/second-factor/start", &[]).await.status, 409);
        let stored = tributary::sql!(value Vec<u8>, &app.db, "SELECT secret FROM second_factors").unwrap();
        assert!(!stored.windows(20).any(|bytes| bytes == application.0.bytes()), "sealed");

        // the code that confirmed is used up
        let mut there = half(&app, "ada@example.com").await;
        assert_eq!(give(&mut there, &application.shows(app.clock.now())).await.status, 422);
        app.clock.advance(30);
        // half a login is good for nothing else
        for path in ["/account", "/", "/account/second-factor", &format!("/tenants/{}", app.tenant)] {
            let away = there.get(path).await;
            assert!(away.status == 303 && away.header("location").unwrap().starts_with("/login?next="), "{path}");
        }
        assert_eq!(there.post("/account/second-factor/off", &[("password", PASSWORD)]).await.status, 401);
        let swapped = there.cookies["tributary-half"].clone();
        let mut forged = Browser::new(&app);
        forged.cookies.insert("tributary".into(), swapped);
        assert!(!forged.is_in().await, "nor as a session");

        let code = application.shows(app.clock.now());
        let mut other = half(&app, "ada@example.com").await;
        let spaced = format!("{} {}", &code[..3], &code[3..]);
        let answers = tokio::join!(give(&mut there, &spaced), give(&mut other, &code));
        let mut statuses = [answers.0.status, answers.1.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 422], "of two at once, one");
        assert!(there.is_in().await != other.is_in().await);
        let mut winner = if there.is_in().await { there } else { other };
        assert!(!winner.cookies.contains_key("tributary-half"));
        // back to where one came from
        app.clock.advance(30);
        let mut third = Browser::new(&app);
        let fields = [("email", "ada@example.com"), ("password", PASSWORD), ("next", "/account?done=password")];
        let asked = third.post("/login", &fields).await;
        assert_eq!(asked.header("location"), Some("/login/code?next=%2Faccount%3Fdone%3Dpassword"));
        let code = application.shows(app.clock.now());
        let answer = third.post("/login/code", &[("code", &code), ("next", "/account?done=password")]).await;
        assert_eq!(answer.header("location"), Some("/account?done=password"));

        // recovery codes work once, however they are typed
        let mut lost = half(&app, "ada@example.com").await;
        assert_eq!(give(&mut lost, &recovery[0].to_uppercase()).await.status, 303);
        let mut again = half(&app, "ada@example.com").await;
        assert_eq!(give(&mut again, &recovery[0]).await.status, 422);
        assert!(lost.get("/account/second-factor").await.text().contains("9 of 10 left"));

        // new ones end the old, for the password alone
        let asked = winner.post("/account/second-factor/codes", &[("password", "not the password")]).await;
        assert_eq!(asked.status, 422);
        let new = codes(&winner.post("/account/second-factor/codes", &[("password", PASSWORD)]).await);
        assert_eq!(give(&mut again, &recovery[1]).await.status, 422);
        assert_eq!(give(&mut again, &new[1]).await.status, 303);

        assert_eq!(winner.post("/account/second-factor/off", &[("password", "no")]).await.status, 422);
        let off = winner.post("/account/second-factor/off", &[("password", PASSWORD)]).await;
        assert_eq!(off.header("location"), Some("/account/second-factor?done=off"));
        Browser::signed_in(&app, "ada@example.com").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_are_slowed_down_and_half_a_login_does_not_last() {
    each(async |app: TestApp| {
        account(&app, "ada@example.com", Role::Consultant, None).await;
        let _key = start(&app).await;
        let mut ada = Browser::signed_in(&app, "ada@example.com").await;
        let (application, _) = enrol(&app, &mut ada).await;
        let mut guesser = half(&app, "ada@example.com").await;
        for guess in 0..5 {
            assert_eq!(give(&mut guesser, "nonsense").await.status, 422, "guess {guess}");
        }
        let wait = give(&mut guesser, "000001").await;
        assert!(wait.status == 429 && wait.header("retry-after").is_some(), "{}", wait.status);
        // the right password does not begin the count anew
        let mut guesser = half(&app, "ada@example.com").await;
        assert_eq!(give(&mut guesser, &application.shows(app.clock.now())).await.status, 429);
        app.clock.advance(60);
        assert_eq!(give(&mut guesser, &application.shows(app.clock.now())).await.status, 303);

        app.clock.advance(60);
        let mut slow = half(&app, "ada@example.com").await;
        app.clock.advance(601);
        assert_eq!(slow.get("/login/code").await.header("location"), Some("/login"));
        let mut slow = half(&app, "ada@example.com").await;
        app.clock.advance(601);
        let late = give(&mut slow, &application.shows(app.clock.now())).await;
        assert_eq!(late.header("location"), Some("/login"));
        assert_eq!(Browser::new(&app).get("/login/code").await.status, 303, "nor without the password");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_by_link_leaves_the_second_factor_and_only_an_administrator_takes_it_away() {
    each(async |app: TestApp| {
        account(&app, "ada@example.com", Role::Administrator, None).await;
        let bob = account(&app, "bob@example.com", Role::Consultant, None).await;
        let _key = start(&app).await;
        let mut admin = Browser::signed_in(&app, "ada@example.com").await;
        let mut browser = Browser::signed_in(&app, "bob@example.com").await;
        enrol(&app, &mut browser).await;
        let mut waiting = half(&app, "bob@example.com").await;
        let page = admin.post(&format!("/people/{bob}/reset-password"), &[]).await.text();
        let token = between(&page, "?token=", "<").to_owned();
        let new = "another horse battery";
        let fields = [("token", &*token), ("password", new), ("repeat_password", new)];
        assert_eq!(browser.post("/reset-password", &fields).await.header("location"), Some("/login?done=password"));
        assert!(!browser.is_in().await);
        assert_eq!(waiting.get("/login/code").await.status, 303, "half a login ends too");
        assert_eq!(browser.login("bob@example.com", new).await.header("location"), Some("/login/code"));

        assert!(admin.get("/people").await.text().contains("state-ok"));
        let reset = format!("/people/{bob}/reset-second-factor");
        assert!(admin.get(&reset).await.text().contains("Reset the second factor of Jane"));
        let done = admin.post(&reset, &[]).await;
        assert_eq!(done.header("location"), Some(&*format!("/people/{bob}?done=second-factor")));
        assert_eq!(browser.get("/login/code").await.status, 303);
        assert_eq!(browser.login("bob@example.com", new).await.header("location"), Some("/"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_needs_a_second_factor_gets_nothing_else_until_then() {
    each(async |app: TestApp| {
        account(&app, "ada@example.com", Role::Administrator, None).await;
        account(&app, "bob@example.com", Role::Consultant, None).await;
        account(&app, "eve@customer.example", Role::Customer, Some(app.tenant)).await;
        let _key = start(&app).await;
        let mut admin = Browser::signed_in(&app, "ada@example.com").await;
        let mut bob = Browser::signed_in(&app, "bob@example.com").await;
        let mut eve = Browser::signed_in(&app, "eve@customer.example").await;
        let refused = admin.post("/people/second-factor?required=yes", &[]).await;
        assert!(refused.status == 422 && refused.text().contains("your own second factor first"));
        enrol(&app, &mut admin).await;
        let done = admin.post("/people/second-factor?required=yes", &[]).await;
        assert_eq!(done.header("location"), Some("/people?done=required"));

        let tenant = format!("/tenants/{}", app.tenant);
        for path in ["/", "/account", "/tenants", &tenant, &format!("{tenant}/events"), "/account/second-factor/off"] {
            let led = bob.get(path).await;
            assert_eq!((led.status, led.header("location")), (303, Some("/account/second-factor")), "{path}");
        }
        assert_eq!(bob.post("/tenants/new", &[("name", "X")]).await.status, 403);
        let stream = Asking::new("GET", format!("{tenant}/stream"))
            .header("accept", "text/event-stream")
            .header("cookie", format!("tributary={}", bob.cookies["tributary"]));
        assert_eq!(stream.send(app.to()).await.status, 403);
        let page = bob.get("/account/second-factor").await.text();
        assert!(page.contains("Everybody here needs a second factor") && !page.contains("href=\"/tenants\""), "{page}");
        assert!(eve.is_in().await, "customers are not asked");
        enrol(&app, &mut bob).await;
        assert_eq!(bob.get(&tenant).await.status, 200);

        let done = admin.post("/people/second-factor?required=no", &[]).await;
        assert_eq!(done.header("location"), Some("/people?done=not-required"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_beside_sqlite_and_demanded_with_postgres() {
    each(async |app: TestApp| {
        account(&app, "ada@example.com", Role::Consultant, None).await;
        app.start().await;
        let mut ada = Browser::signed_in(&app, "ada@example.com").await;
        let page = ada.get("/account/second-factor").await.text();
        let begun = ada.post("/account/second-factor/start", &[]).await;
        let mail = ["--smtp-url", "smtp://127.0.0.1:9", "--mail-from", "hub@example.com"];
        let db = Db::open(&app.database).await.unwrap();
        let with_mail = server::start(settings(&mail), db, app.clock.clone()).await;
        if app.db.is_sqlite() {
            assert_eq!(begun.status, 303);
            let file = app.db.file().unwrap().with_extension("key");
            let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(file).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
            with_mail.unwrap().stop().await;
        } else {
            assert!(page.contains("TRIBUTARY_KEY_FILE") && !page.contains("/account/second-factor/start"), "{page}");
            assert_eq!(begun.status, 400);
            assert!(begun.text().contains("TRIBUTARY_KEY_FILE"), "{}", begun.text());
            let refused = with_mail.err().expect("no key, no mail");
            assert!(format!("{refused:#}").contains("TRIBUTARY_KEY_FILE"), "{refused:#}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_the_key_says_so_and_lets_recovery_codes_in() {
    each(async |app: TestApp| {
        account(&app, "ada@example.com", Role::Consultant, None).await;
        let _key = start(&app).await;
        let mut ada = Browser::signed_in(&app, "ada@example.com").await;
        let (application, recovery) = enrol(&app, &mut ada).await;
        app.stop().await;

        // a backup was restored, or all was copied, and the key stayed behind
        let other = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(other.path(), "B".repeat(43)).unwrap();
        app.start_with(&["--key-file", other.path().to_str().unwrap()]).await;
        app.clock.advance(30);
        let mut there = half(&app, "ada@example.com").await;
        let answer = give(&mut there, &application.shows(app.clock.now())).await;
        let page = answer.text();
        assert_eq!(answer.status, 503, "{page}");
        assert!(page.contains("lacks the key") && page.contains("recovery code"), "{page}");
        assert_eq!(give(&mut there, &recovery[0]).await.status, 303);
        assert!(there.is_in().await);
    })
    .await;
}
