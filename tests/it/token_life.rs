//! A token's life at the front door: how its use is noted, and how soon a change of it holds.
use std::time::Duration;

use chrono::TimeDelta;
use tributary::{
    auth::{Actor, email::Email, password, store},
    sql,
    tokens::{
        self, Overlap, Watched,
        uses::{Place, Why},
    },
};

use crate::support::{Asking, TestApp, each};

const EVENT: &str = r#"{"Amount":1}"#;

async fn watched(app: &TestApp, name: &str) -> Watched {
    let permit = Actor::cli().permit(app.tenant).unwrap();
    let all = tokens::watch(&app.db, &permit, app.clock.now()).await.unwrap();
    all.into_iter().find(|one| one.token.details.name.as_str() == name).expect("the token")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_use_of_a_token_is_noted_with_all_that_shows_who_uses_it() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        let named = async |name: &str| {
            let name = name.to_owned();
            app.token_with(|details| details.name = name.parse().unwrap()).await.1
        };
        let (page, bearer, trier, unused) =
            (named("page").await, named("bearer").await, named("dry run").await, named("unused").await);
        let ended = app
            .token_with(|details| {
                details.name = "ended".parse().unwrap();
                details.expires_at = Some(app.clock.now() + TimeDelta::seconds(1));
            })
            .await
            .1;
        let bound = app
            .token_with(|details| {
                details.name = "bound".parse().unwrap();
                details.addresses = tokens::parse_networks(["203.0.113.0/24"]).unwrap();
            })
            .await
            .1;
        app.start_with(&["--trusted-proxy", "127.0.0.0/8"]).await;
        let ask = async |rest: &str, headers: &[(&str, &str)]| {
            let mut asking = Asking::new("POST", app.path(&format!("/events/{id}{rest}")))
                .header("content-type", "application/json")
                .header("x-forwarded-for", "192.0.2.77");
            for (name, value) in headers {
                asking = asking.header(name, *value);
            }
            app.ask(asking.body(EVENT)).await.status
        };
        let origin = ("origin", "https://shop.example.com");
        let query = format!("?X-CM-PRODUCTTOKEN={page}");
        assert_eq!(ask(&query, &[origin, ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")]).await, 201);
        let authorization = format!("Bearer {bearer}");
        assert_eq!(ask("", &[("authorization", &authorization), ("user-agent", "curl/8.14.1")]).await, 201);
        assert_eq!(ask("/validate", &[("x-cm-producttoken", &trier)]).await, 200);
        assert_eq!(ask("", &[("x-cm-producttoken", &bound)]).await, 403);
        app.clock.advance(2);
        assert_eq!(ask("", &[("x-cm-producttoken", &ended)]).await, 401);
        // whoever stops in order forgets nothing
        app.stop().await;

        let seen = watched(&app, "page").await;
        let last = seen.last_use.unwrap();
        assert_eq!((last.address.as_deref(), last.agent.as_deref()), (Some("192.0.2.77"), Some("Firefox on Linux")));
        assert_eq!((last.place, last.origin.as_deref()), (Some(Place::Query), Some("https://shop.example.com")));
        assert_eq!(seen.networks[0].network, "192.0.2.0/24");
        let words: Vec<_> = seen.warnings.iter().map(tokens::Warning::word).collect();
        assert_eq!(words, ["sent in an address", "sent by a browser"]);
        let last = watched(&app, "bearer").await.last_use.unwrap();
        assert_eq!((last.agent.as_deref(), last.place, last.query_at), (Some("curl"), Some(Place::Bearer), None));
        let tried = watched(&app, "dry run").await;
        assert_eq!(tried.token.last_used_at, tried.last_use.unwrap().used_at);
        assert!(tried.token.last_used_at.is_some(), "a dry run opens the door too");
        for (name, why, word) in [("ended", Why::Ended, "still tried"), ("bound", Why::Network, "tried from elsewhere")]
        {
            let seen = watched(&app, name).await;
            let last = seen.last_use.unwrap();
            assert_eq!((last.refused_why, last.refused_address.as_deref()), (Some(why), Some("192.0.2.77")), "{name}");
            assert_eq!((seen.token.last_used_at, seen.warnings[0].word()), (None, word));
        }
        assert!(watched(&app, "unused").await.last_use.is_none());
        // and the secrets stay where they are
        let text = "SELECT COALESCE(origin, '') || COALESCE(agent, '') || COALESCE(address, '') FROM token_uses";
        let kept = sql!(values String, &app.db, text).unwrap();
        assert!(
            [page, bearer, trier, unused, ended, bound].iter().all(|secret| !kept.concat().contains(secret.as_str()))
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_use_shows_within_seconds_while_the_server_runs() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        app.start().await;
        let asking = app.to_type(id, EVENT).header("user-agent", "curl/8.14.1");
        assert_eq!(app.ask(asking).await.status, 201);
        let began = std::time::Instant::now();
        while watched(&app, "CRM").await.last_use.is_none() {
            assert!(began.elapsed() < Duration::from_secs(10));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_to_a_token_holds_within_a_second() {
    each(async |app: TestApp| {
        const SECOND: Duration = Duration::from_secs(1);
        let id = app.orders().await;
        let (old_id, old) = app.token_with(|_| {}).await;
        let secret = tokens::Secret::generate();
        app.start().await;
        let (old, new) = (app.with_token(old), app.with_token(secret.expose()));
        let permit = app.permit();
        assert_eq!(old.send(id, EVENT).await.status, 201);
        let day: Overlap = "1d".parse().unwrap();
        tokens::roll(&app.db, &app.clock, &permit, old_id, &secret, day, None).await.unwrap();
        assert!(app.until(new.to_type(id, EVENT), 201).await < SECOND);
        assert_eq!(old.send(id, EVENT).await.status, 201, "both work");
        tokens::set_overlap(&app.db, &app.clock, &permit, old_id, Overlap::NONE).await.unwrap();
        assert!(app.until(old.to_type(id, EVENT), 401).await < SECOND);
        tokens::set_overlap(&app.db, &app.clock, &permit, old_id, day).await.unwrap();
        assert!(app.until(old.to_type(id, EVENT), 201).await < SECOND);
        // it ends by itself, everywhere at once
        app.clock.advance(86_401);
        assert_eq!(old.send(id, EVENT).await.status, 401);
        assert_eq!(new.send(id, EVENT).await.status, 201);

        let before = tokens::get(&app.db, &Actor::cli().permit(app.tenant).unwrap(), old_id).await.unwrap();
        let successor = before.successor_id.unwrap();
        let details = tokens::get(&app.db, &Actor::cli().permit(app.tenant).unwrap(), successor).await.unwrap().details;
        let narrow =
            tokens::Details { addresses: tokens::parse_networks(["203.0.113.0/24"]).unwrap(), ..details.clone() };
        let seen = details.fingerprint();
        tokens::change(&app.db, &app.clock, &permit, successor, &seen, narrow.clone()).await.unwrap();
        assert!(app.until(new.to_type(id, EVENT), 403).await < SECOND);
        let seen = narrow.fingerprint();
        tokens::change(&app.db, &app.clock, &permit, successor, &seen, details).await.unwrap();
        assert!(app.until(new.to_type(id, EVENT), 201).await < SECOND);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_names_the_request_that_made_a_change() {
    each(async |app: TestApp| {
        let hash = password::hash(password::Password::given("correct horse battery")).await.unwrap();
        let new = store::NewUser {
            email: Email::parse("ada@example.com").unwrap(),
            name: "Ada".parse().unwrap(),
            role: tributary::auth::Role::Administrator,
            tenant: None,
            password_hash: hash,
        };
        store::add_user(&app.db, &app.clock, &Actor::cli().grant().unwrap(), new).await.unwrap();
        let id = app.orders().await;
        let (_, secret) = app.token_with(|details| details.can_configure = true).await;
        app.start().await;
        let by = async |action: &'static str| {
            let text = "SELECT request_id FROM audit WHERE action = $1 ORDER BY id DESC LIMIT 1";
            sql!(value Option<uuid::Uuid>, &app.db, text, action).unwrap().map(|id| id.to_string())
        };
        assert_eq!(by("user.add").await, None, "no request made it");
        let signed_in = Asking::new("POST", "/login")
            .header("content-type", "application/x-www-form-urlencoded")
            .body("email=ada%40example.com&password=correct+horse+battery")
            .send(app.to())
            .await;
        assert_eq!(signed_in.status, 303);
        assert_eq!(by("session.start").await.as_deref(), signed_in.header("x-request-id"));
        // a token that may configure is an actor too
        let wish = format!(r#"{{"EventTypeId":"{id}","IsEnabled":true}}"#);
        let allowed = app.with_token(secret).post("/eventtypewhitelistings").body(wish).send(app.to()).await;
        assert_eq!(allowed.status, 201, "{}", allowed.text());
        assert_eq!(by("event-type.change").await.as_deref(), allowed.header("x-request-id"));
    })
    .await;
}
