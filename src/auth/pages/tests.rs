//! The pages as a browser meets them, on both databases.
use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
    routing::get,
};
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::{
    app::App,
    auth::{
        Actor, Administer, Configure, Grant, ListTenants, Permit, Role,
        email::Email,
        password::{self, Password},
        store::{self, NewUser},
        testing::app,
    },
    clock::Clock,
    db::{Db, testing::each},
    ids::TenantId,
    sql,
};

const PASSWORD: &str = "correct horse battery";

/// What a browser is told.
struct Answer {
    status: StatusCode,
    location: String,
    cookie: Option<String>,
    retry_after: Option<u64>,
    body: String,
}

/// A browser, as far as these pages can tell: it keeps its cookie.
struct Browser {
    router: Router,
    cookie: Option<String>,
}

impl Browser {
    fn new(app: &App) -> Self {
        async fn tenant(_: Permit<Configure>) -> &'static str {
            "in"
        }
        async fn all(_: Grant<ListTenants>) -> &'static str {
            "in"
        }
        let router = super::routes()
            .route("/test/tenants/{tenant}", get(tenant).post(tenant))
            .route("/test/tenants", get(all))
            .with_state(app.clone());
        Self { router, cookie: None }
    }

    async fn send(&mut self, request: axum::http::request::Builder, body: String) -> Answer {
        let request = match &self.cookie {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        };
        let response =
            self.router.clone().oneshot(request.body(Body::from(body)).expect("a request")).await.expect("an answer");
        let text = |name: header::HeaderName| {
            response.headers().get(name).map(|value| value.to_str().expect("a header").to_owned())
        };
        let set = text(header::SET_COOKIE);
        let (location, retry_after) = (text(header::LOCATION), text(header::RETRY_AFTER));
        if let Some(set) = &set {
            let pair = set.split(';').next().unwrap_or_default().to_owned();
            self.cookie = (!pair.ends_with('=')).then_some(pair);
        }
        let status = response.status();
        let body = response.into_body().collect().await.expect("a body").to_bytes();
        Answer {
            status,
            location: location.unwrap_or_default(),
            cookie: set,
            retry_after: retry_after.map(|seconds| seconds.parse().expect("seconds")),
            body: String::from_utf8(body.to_vec()).expect("text"),
        }
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).header(header::ACCEPT, "text/html"), String::new()).await
    }

    async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, form).await
    }

    async fn login(&mut self, email: &str, password: &str) -> Answer {
        self.post("/login", &[("email", email), ("password", password)]).await
    }

    /// Whether this browser is signed in.
    async fn is_in(&mut self) -> bool {
        self.get("/account").await.status == StatusCode::OK
    }
}

fn name(text: &str) -> crate::name::Name {
    text.parse().expect("a name")
}

async fn user(app: &App, email: &str, role: Role, tenant: Option<TenantId>) {
    let grant = Actor::cli().grant::<Administer>().expect("the command line may");
    let password_hash = password::hash(Password::given(PASSWORD)).await.expect("hashed");
    let new = NewUser {
        email: Email::parse(email).expect("an address"),
        name: name("<b>Ada</b>"),
        role,
        tenant,
        password_hash,
    };
    store::add_user(&app.db, &app.clock, &grant, new).await.expect("a user");
}

fn administrator(email: &str) -> NewUser {
    let email = Email::parse(email).expect("an address");
    NewUser { email, name: name("A"), role: Role::Administrator, tenant: None, password_hash: "x".into() }
}

async fn tenant(db: &Db, clock: &Clock) -> TenantId {
    let id = TenantId::new(clock);
    let now = clock.now();
    db.write(move |tx| {
        Box::pin(async move {
            sql!(
                exec tx,
                "INSERT INTO tenants (tenant_id, name, enabled, cors_origins, created_at) VALUES ($1, 'T', $2, '[]', $3)",
                id,
                true,
                now,
            )?;
            Ok(())
        })
    })
    .await
    .expect("a tenant");
    id
}

async fn count(db: &Db, what: &'static str) -> i64 {
    sql!(value i64, db, what).expect("a count")
}

#[tokio::test]
async fn the_first_administrator_comes_by_a_link_that_works_once() {
    each(|db| async move {
        let app = app(&db, &Clock::system());
        let mut browser = Browser::new(&app);
        let link = store::setup_link(&db, &app.clock).await.expect("asked").expect("a link");
        let token = link.strip_prefix("/setup?token=").expect("a token").to_owned();
        assert_eq!(browser.get("/setup?token=wrong").await.status, StatusCode::GONE);
        let form = browser.get(&link).await;
        assert_eq!(form.status, StatusCode::OK);
        assert!(form.body.contains(&token), "the form brings the token along");

        let fields = |password: &'static str, again: &'static str| {
            [
                ("token", token.clone()),
                ("name", "Ada".into()),
                ("email", " Ada@Example.com".into()),
                ("password", password.to_owned()),
                ("repeat_password", again.to_owned()),
            ]
        };
        for (password, again) in [("short", "short"), (PASSWORD, "another"), ("ada@example.com", "ada@example.com")] {
            let fields = fields(password, again);
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let again = browser.post("/setup", &fields).await;
            assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(again.body.contains("Ada@Example.com") && !again.body.contains(&format!("value=\"{password}\"")));
        }
        let good = fields(PASSWORD, PASSWORD);
        let good: Vec<(&str, &str)> = good.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let done = browser.post("/setup", &good).await;
        assert_eq!((done.status, &*done.location), (StatusCode::SEE_OTHER, "/"));
        assert!(browser.is_in().await);
        assert!(browser.get("/account").await.body.contains("ada@example.com"));

        assert_eq!(browser.post("/setup", &good).await.status, StatusCode::GONE);
        assert!(store::setup_link(&db, &app.clock).await.expect("asked").is_none());
        assert_eq!(count(&db, "SELECT COUNT(*) FROM users WHERE role = 'administrator'").await, 1);
        assert_eq!(count(&db, "SELECT COUNT(*) FROM audit WHERE action = 'user.add'").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_set_up_link_runs_out_after_an_hour() {
    each(|db| async move {
        let app = app(&db, &Clock::system());
        let link = store::setup_link(&db, &app.clock).await.expect("asked").expect("a link");
        app.clock.advance(3599);
        assert_eq!(Browser::new(&app).get(&link).await.status, StatusCode::OK);
        app.clock.advance(2);
        let gone = Browser::new(&app).get(&link).await;
        assert_eq!(gone.status, StatusCode::GONE);
        assert!(gone.body.contains("tributary user add"));
        // not only the page says so
        for token in [link.trim_start_matches("/setup?token="), "made up"] {
            let token = crate::crypto::Secret::given(token);
            let origin = store::Origin { address: [127, 0, 0, 1].into(), user_agent: String::new(), request: None };
            let new = administrator("ada@example.com");
            let made = store::first_administrator(&db, &app.clock, &token, new, origin).await.expect("asked");
            assert!(made.is_none());
        }
        assert_eq!(count(&db, "SELECT COUNT(*) FROM setup_links").await, 1, "a refusal takes no link");
    })
    .await;
}

#[tokio::test]
async fn two_set_ups_at_once_make_one_administrator() {
    each(|db| async move {
        let app = app(&db, &Clock::system());
        let mut links = Vec::new();
        for n in 0..8 {
            // some share a link, some have their own
            if n % 2 == 0 {
                links.push(store::setup_link(&db, &app.clock).await.expect("asked").expect("a link"));
            } else {
                links.push(links[n - 1].clone());
            }
        }
        let tries = links.into_iter().enumerate().map(|(n, link)| {
            let app = app.clone();
            tokio::spawn(async move {
                let token = crate::crypto::Secret::given(link.trim_start_matches("/setup?token="));
                let new = administrator(&format!("admin{n}@example.com"));
                let origin = store::Origin { address: [127, 0, 0, 1].into(), user_agent: String::new(), request: None };
                store::first_administrator(&app.db, &app.clock, &token, new, origin).await
            })
        });
        let mut made = 0;
        for outcome in futures_util::future::join_all(tries).await {
            // losing the race may also be an error of the moment, never a second account
            if matches!(outcome.expect("no panic"), Ok(Some(_))) {
                made += 1;
            }
        }
        assert_eq!(made, 1);
        assert_eq!(count(&db, "SELECT COUNT(*) FROM users").await, 1);
        assert_eq!(count(&db, "SELECT COUNT(*) FROM setup_links").await, 0);
    })
    .await;
}

#[tokio::test]
async fn unknown_and_wrong_are_answered_alike() {
    each(|db| async move {
        let app = app(&db, &Clock::system());
        user(&app, "ada@example.com", Role::Consultant, None).await;
        let mut browser = Browser::new(&app);
        let wrong = browser.login("ada@example.com", "not the password").await;
        for unknown in ["bob@example.com", "no address", "nul\0@example.com"] {
            let answer = browser.login(unknown, "not the password").await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert_eq!(answer.body.replace(unknown, "ada@example.com"), wrong.body);
        }
        assert!(wrong.body.contains("E-mail or password is not right") && !wrong.body.contains("not the password"));
        assert!(!browser.is_in().await);
    })
    .await;
}

#[tokio::test]
async fn signing_in_and_out() {
    each(|db| async move {
        let app = app(&db, &Clock::system());
        user(&app, "ada@example.com", Role::Consultant, None).await;
        let mut browser = Browser::new(&app);
        let asked = browser.get("/account?done=session").await;
        assert_eq!(
            (asked.status, &*asked.location),
            (StatusCode::SEE_OTHER, "/login?next=%2Faccount%3Fdone%3Dsession")
        );
        for (next, expected) in [("/account?a=b", "/account?a=b"), ("//evil.example", "/"), ("", "/")] {
            let fields = [("email", "ADA@example.com "), ("password", PASSWORD), ("next", next)];
            let answer = browser.post("/login", &fields).await;
            assert_eq!((answer.status, &*answer.location), (StatusCode::SEE_OTHER, expected));
        }
        let account = browser.get("/account").await;
        assert!(account.body.contains("&lt;b&gt;Ada") && !account.body.contains("<b>Ada"));
        assert_eq!(browser.get("/login?next=/x").await.location, "/x");

        // each login replaced the session that came with it
        assert_eq!(count(&db, "SELECT COUNT(*) FROM sessions").await, 1);
        let planted = browser.cookie.clone();
        browser.login("ada@example.com", PASSWORD).await;
        assert_ne!(planted, browser.cookie);
        let mut thief = Browser { cookie: planted, ..Browser::new(&app) };
        assert!(!thief.is_in().await && browser.is_in().await);

        let kept = browser.cookie.clone();
        let out = browser.post("/logout", &[]).await;
        assert_eq!((out.status, &*out.location), (StatusCode::SEE_OTHER, "/login"));
        assert!(out.cookie.is_some_and(|cookie| cookie.contains("Max-Age=0")));
        browser.cookie = kept;
        assert!(!browser.is_in().await);
        assert_eq!(count(&db, "SELECT COUNT(*) FROM audit WHERE action = 'session.end'").await, 1);
    })
    .await;
}

#[tokio::test]
async fn failures_make_one_wait_longer_and_longer() {
    each(|db| async move {
        let app = app(&db, &Clock::still());
        user(&app, "ada@example.com", Role::Consultant, None).await;
        let mut browser = Browser::new(&app);
        for _ in 0..5 {
            assert_eq!(browser.login("ada@example.com", "wrong").await.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
        for seconds in [2, 4, 8] {
            // the right password is of no use either, and asking again does not make it longer
            for _ in 0..2 {
                let later = browser.login("ada@example.com", PASSWORD).await;
                assert_eq!(later.status, StatusCode::TOO_MANY_REQUESTS);
                assert_eq!(later.retry_after, Some(seconds));
                assert!(later.body.contains("Too many attempts"));
            }
            app.clock.advance(i64::try_from(seconds).expect("small"));
            assert_eq!(browser.login("ada@example.com", "wrong").await.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
        app.clock.advance(16);
        assert_eq!(browser.login("ada@example.com", PASSWORD).await.status, StatusCode::SEE_OTHER);
        assert_eq!(browser.login("ada@example.com", "wrong").await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(browser.login("ada@example.com", PASSWORD).await.status, StatusCode::SEE_OTHER);
    })
    .await;
}

#[tokio::test]
async fn guesses_side_by_side_count_like_guesses_one_by_one() {
    each(|db| async move {
        let app = app(&db, &Clock::system());
        let try_at_once = |emails: Vec<String>| {
            let tries = emails.into_iter().map(|email| {
                let app = app.clone();
                tokio::spawn(async move {
                    store::reserve(&app.db, &app.clock, &email, [192, 0, 2, 1].into()).await.expect("asked")
                })
            });
            async {
                let all = futures_util::future::join_all(tries).await;
                all.into_iter().filter(|one| matches!(one, Ok(store::Reserved::Go(_)))).count()
            }
        };
        assert_eq!(try_at_once(vec!["ada@example.com".into(); 12]).await, 5);
        app.clock.advance(3);
        assert_eq!(try_at_once(vec!["ada@example.com".into(); 12]).await, 1);
        // twenty from one address, whatever the account: six are used up
        assert_eq!(try_at_once((0..30).map(|n| format!("bob{n}@example.com")).collect()).await, 14);
        app.clock.advance(24 * 3600 + 5);
        assert_eq!(try_at_once((0..30).map(|n| format!("bob{n}@example.com")).collect()).await, 20);
    })
    .await;
}

#[tokio::test]
async fn an_own_account_does_not_buy_guesses_at_others() {
    each(|db| async move {
        let app = app(&db, &Clock::system());
        user(&app, "eve@example.com", Role::Customer, Some(tenant(&db, &app.clock).await)).await;
        let mut browser = Browser::new(&app);
        let mut refused = 0;
        for n in 0..25 {
            let guess = browser.login(&format!("victim{n}@example.com"), "wrong").await;
            refused += i32::from(guess.status == StatusCode::TOO_MANY_REQUESTS);
            if n % 6 == 5 {
                browser.login("eve@example.com", PASSWORD).await;
            }
        }
        assert!(refused >= 3, "{refused} of 25 refused");
    })
    .await;
}

#[tokio::test]
async fn sessions_end_by_idleness_and_by_age() {
    each(|db| async move {
        let app = app(&db, &Clock::system());
        user(&app, "ada@example.com", Role::Consultant, None).await;
        let mut idle = Browser::new(&app);
        idle.login("ada@example.com", PASSWORD).await;
        let mut busy = Browser::new(&app);
        busy.login("ada@example.com", PASSWORD).await;
        app.clock.advance(24 * 3600 - 60);
        assert!(busy.is_in().await);
        app.clock.advance(120);
        assert!(busy.is_in().await, "its use was not written down");
        assert!(!idle.is_in().await);
        for _ in 0..13 {
            app.clock.advance(23 * 3600);
            assert!(busy.is_in().await);
        }
        app.clock.advance(13 * 3600);
        assert!(!busy.is_in().await);

        assert_eq!(count(&db, "SELECT COUNT(*) FROM sessions").await, 2);
        store::purge(&db, &app.clock).await.expect("purged");
        assert_eq!(count(&db, "SELECT COUNT(*) FROM sessions").await, 0);
        assert_eq!(count(&db, "SELECT COUNT(*) FROM login_attempts").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_new_password_signs_out_everywhere_else() {
    each(|db| async move {
        let app = app(&db, &Clock::system());
        user(&app, "ada@example.com", Role::Consultant, None).await;
        let mut here = Browser::new(&app);
        here.login("ada@example.com", PASSWORD).await;
        let mut there = Browser::new(&app);
        there.login("ada@example.com", PASSWORD).await;
        let change = |current, new| [("current_password", current), ("new_password", new), ("repeat_password", new)];
        let wrong = here.post("/account", &change("wrong", "a new pass phrase")).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.body.contains("not your current password") && !wrong.body.contains("a new pass phrase"));
        let short = here.post("/account", &change(PASSWORD, "short")).await;
        assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(there.is_in().await);
        let done = here.post("/account", &change(PASSWORD, "a new pass phrase")).await;
        assert_eq!((done.status, &*done.location), (StatusCode::SEE_OTHER, "/account?done=password"));
        assert!(here.is_in().await && !there.is_in().await);
        assert_eq!(there.login("ada@example.com", PASSWORD).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(there.login("ada@example.com", "a new pass phrase").await.status, StatusCode::SEE_OTHER);
        for _ in 0..6 {
            here.post("/account", &change("wrong", "a new pass phrase")).await;
        }
        let later = here.post("/account", &change("wrong", "a new pass phrase")).await;
        assert_eq!(later.status, StatusCode::TOO_MANY_REQUESTS, "an open browser may guess without end");
    })
    .await;
}

#[tokio::test]
async fn a_login_that_a_change_of_password_overtakes_fails() {
    each(|db| async move {
        let app = app(&db, &Clock::system());
        user(&app, "ada@example.com", Role::Consultant, None).await;
        let email = Email::parse("ada@example.com").expect("an address");
        let (id, checked) = store::credentials(&db, &email).await.expect("asked").expect("an account");
        let store::Reserved::Go(attempt) =
            store::reserve(&db, &app.clock, "ada@example.com", [192, 0, 2, 1].into()).await.expect("asked")
        else {
            panic!("blocked")
        };
        db.write(|tx| {
            Box::pin(async move {
                sql!(exec tx, "UPDATE users SET password_hash = 'other'")?;
                Ok(())
            })
        })
        .await
        .expect("changed");
        let origin = store::Origin { address: [192, 0, 2, 1].into(), user_agent: String::new(), request: None };
        let session = store::start_session(&db, &app.clock, id, checked, origin, attempt, None).await.expect("asked");
        assert!(session.is_none());
        assert_eq!(count(&db, "SELECT COUNT(*) FROM sessions").await, 0);
    })
    .await;
}

#[tokio::test]
async fn only_own_sessions_can_be_revoked() {
    each(|db| async move {
        let app = app(&db, &Clock::system());
        user(&app, "ada@example.com", Role::Consultant, None).await;
        user(&app, "bob@example.com", Role::Consultant, None).await;
        let mut browsers = Vec::new();
        for email in ["ada@example.com", "ada@example.com", "ada@example.com", "bob@example.com"] {
            let mut browser = Browser::new(&app);
            browser.login(email, PASSWORD).await;
            browsers.push(browser);
        }
        let [mut ada, mut second, mut third, mut bob] = <[Browser; 4]>::try_from(browsers).ok().expect("four");
        let digest = |browser: &Browser| {
            let value = browser.cookie.as_deref().and_then(|cookie| cookie.split_once('=')).expect("a cookie").1;
            crate::crypto::Secret::given(value).digest().to_vec()
        };
        let id = async |browser: &Browser| {
            let digest = digest(browser);
            sql!(value uuid::Uuid, db, "SELECT id FROM sessions WHERE digest = $1", digest).expect("an id").to_string()
        };
        let of_bob = id(&bob).await;
        assert_eq!(ada.post("/account/sessions", &[("session", &of_bob)]).await.status, StatusCode::NOT_FOUND);
        assert_eq!(ada.post("/account/sessions", &[("session", "x")]).await.status, StatusCode::NOT_FOUND);
        let of_second = id(&second).await;
        let list = ada.get("/account").await.body;
        assert!(list.contains(&of_second) && !list.contains(&of_bob) && list.contains("this one"));
        assert_eq!(ada.post("/account/sessions", &[("session", &of_second)]).await.status, StatusCode::SEE_OTHER);
        assert!(!second.is_in().await && third.is_in().await);
        assert_eq!(ada.post("/account/sessions", &[]).await.status, StatusCode::SEE_OTHER);
        assert!(!third.is_in().await && ada.is_in().await && bob.is_in().await);
        assert_eq!(count(&db, "SELECT COUNT(*) FROM audit WHERE action = 'session.revoke'").await, 2);
    })
    .await;
}

#[tokio::test]
async fn permits_come_from_the_session_and_the_path() {
    each(|db| async move {
        let app = app(&db, &Clock::system());
        let own = tenant(&db, &app.clock).await;
        let (own_path, foreign_path) =
            (format!("/test/tenants/{own}"), format!("/test/tenants/{}", TenantId::new(&app.clock)));
        let mut browser = Browser::new(&app);
        assert_eq!(browser.get(&own_path).await.status, StatusCode::SEE_OTHER);
        assert_eq!(browser.post(&own_path, &[]).await.status, StatusCode::UNAUTHORIZED);
        for accept in ["text/event-stream", "application/json"] {
            let answer = browser.send(Request::get(&own_path).header(header::ACCEPT, accept), String::new()).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        }
        let cases = [
            (Role::Consultant, None, [200, 200, 404, 200]),
            (Role::Consultant, Some(own), [200, 404, 404, 403]),
            (Role::SuccessManager, None, [403, 403, 404, 200]),
            (Role::Customer, Some(own), [403, 404, 404, 403]),
        ];
        for (n, (role, tenant, expected)) in cases.into_iter().enumerate() {
            let email = format!("user{n}@example.com");
            user(&app, &email, role, tenant).await;
            browser.login(&email, PASSWORD).await;
            let mut statuses = Vec::new();
            for path in [&*own_path, &*foreign_path, "/test/tenants/no-id", "/test/tenants"] {
                statuses.push(browser.get(path).await.status.as_u16());
            }
            assert_eq!(statuses, expected, "{role} of {tenant:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn accounts_are_unique_and_customers_bound() {
    each(|db| async move {
        let app = app(&db, &Clock::system());
        let grant = Actor::cli().grant::<Administer>().expect("the command line may");
        let new = |email: &str, role, tenant| NewUser {
            email: Email::parse(email).expect("an address"),
            name: name("A"),
            role,
            tenant,
            password_hash: "x".into(),
        };
        let add = async |new| store::add_user(&app.db, &app.clock, &grant, new).await;
        let unknown = TenantId::new(&app.clock);
        add(new("ada@example.com", Role::Consultant, None)).await.expect("added");
        let taken = add(new("ADA@example.com", Role::Consultant, None)).await;
        assert!(matches!(taken, Err(crate::error::Error::Conflict(_))), "{taken:?}");
        assert!(add(new("bob@example.com", Role::Customer, None)).await.is_err());
        assert!(add(new("bob@example.com", Role::Customer, Some(unknown))).await.is_err());
        let tenant = tenant(&db, &app.clock).await;
        add(new("bob@example.com", Role::Customer, Some(tenant))).await.expect("added");
        let all = store::list_people(&db, &grant, store::Filter::default()).await.expect("listed");
        let listed: Vec<_> = all.iter().map(|user| (user.email.as_str(), user.role, user.tenant_id)).collect();
        assert_eq!(
            listed,
            [("ada@example.com", Role::Consultant, None), ("bob@example.com", Role::Customer, Some(tenant))]
        );
        assert_eq!(count(&db, "SELECT COUNT(*) FROM audit WHERE action = 'user.add' AND actor = 'cli'").await, 2);
    })
    .await;
}

#[tokio::test]
async fn the_looks_are_remembered() {
    each(|db| async move {
        let app = app(&db, &Clock::system());
        user(&app, "ada@example.com", Role::Consultant, None).await;
        let mut browser = Browser::new(&app);
        browser.login("ada@example.com", PASSWORD).await;
        for (theme, back, to, shown) in [
            ("dark", "/account", "/account", true),
            ("system", "//evil.example", "/", false),
            ("<script>", "/account", "/account", false),
        ] {
            let answer = browser.post("/theme", &[("theme", theme), ("return", back)]).await;
            assert_eq!((answer.status, &*answer.location), (StatusCode::SEE_OTHER, to));
            assert_eq!(browser.get("/account").await.body.contains(r#"data-theme="dark""#), shown, "{theme}");
        }
        let mut nobody = Browser::new(&app);
        assert_eq!(nobody.post("/theme", &[("theme", "dark")]).await.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test]
async fn the_time_zone_is_remembered_followed_and_audited() {
    each(|db| async move {
        let app = app(&db, &Clock::system());
        user(&app, "ada@example.com", Role::Consultant, None).await;
        let mut browser = Browser::new(&app);
        browser.login("ada@example.com", PASSWORD).await;
        let path = "/account/time-zone";
        for (zone, back, to) in [
            ("Asia/Kathmandu", "/account?x=1", "/account?x=1"),
            ("Asia/Kathmandu", "//evil.example", "/account?done=time-zone"),
        ] {
            let answer = browser.post(path, &[("zone", zone), ("return", back)]).await;
            assert_eq!((answer.status, &*answer.location), (StatusCode::SEE_OTHER, to));
            let page = browser.get("/account").await.body;
            assert!(page.contains("Times in") && page.contains("Asia/Kathmandu") && page.contains("+0545 ("), "{page}");
        }
        for wrong in ["", "Asia/Nowhere", "<script>alert(1)</script>"] {
            let answer = browser.post(path, &[("zone", wrong)]).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
            assert!(answer.body.contains("Choose a zone of the list") && !answer.body.contains("<script>alert"));
        }
        // what changes nothing is not written down
        let trail = crate::sql!(values String, &db, "SELECT after FROM audit WHERE action = 'user.set-time-zone'");
        assert_eq!(trail.unwrap(), [r#"{"timeZone":"Asia/Kathmandu"}"#]);
        assert_eq!(Browser::new(&app).get(path).await.status, StatusCode::SEE_OTHER);
    })
    .await;
}

#[tokio::test]
async fn over_https_the_cookie_is_bound_to_this_host() {
    each(|db| async move {
        let app = App { public_base: "https://hub.example.com".into(), ..app(&db, &Clock::system()) };
        user(&app, "ada@example.com", Role::Consultant, None).await;
        let mut browser = Browser::new(&app);
        let cookie = browser.login("ada@example.com", PASSWORD).await.cookie.expect("a cookie");
        assert!(cookie.starts_with("__Host-tributary=") && cookie.ends_with("; Secure"), "{cookie}");
        assert!(browser.is_in().await);
        let value = browser.cookie.clone().expect("a cookie").split_off("__Host-".len());
        browser.cookie = Some(value);
        assert!(!browser.is_in().await, "a cookie without the prefix may be anybody's");
    })
    .await;
}
