//! Who may send: where a token may stand, and when it is refused.
use std::time::Duration;

use tributary::{
    auth::Actor,
    tenants,
    tokens::{self, Secret, parse_networks},
};

use crate::support::{Asking, Connection, TestApp, each, oracle};

/// A status, a query string and headers.
type Row<'a> = (u16, String, Vec<(&'a str, String)>);

const EVENT: &str = r#"{"Amount":1}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_may_stand_in_three_places_and_only_one_may_be_sent() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        let second = app.token_with(|_| {}).await.1;
        app.start().await;
        let (one, two) = (app.token.as_str(), second.as_str());
        let path = app.path(&format!("/events/{id}"));
        let bearer = |token: &str| ("Authorization", format!("Bearer {token}"));
        let rows: Vec<Row> = vec![
            (201, String::new(), vec![("X-CM-PRODUCTTOKEN", one.into())]),
            (201, String::new(), vec![("x-cm-producttoken", one.into())]),
            (201, String::new(), vec![("X-Cm-ProductToken", format!("  {one} "))]),
            (201, format!("?X-CM-PRODUCTTOKEN={one}"), vec![]),
            (201, format!("?x-cm-productToken={one}&utm=1"), vec![]),
            (201, String::new(), vec![bearer(one)]),
            (201, String::new(), vec![("authorization", format!("bearer {one}"))]),
            (201, format!("?X-CM-PRODUCTTOKEN={one}"), vec![("X-CM-PRODUCTTOKEN", one.into()), bearer(one)]),
            (201, String::new(), vec![("X-CM-PRODUCTTOKEN", one.into()), ("x-cm-producttoken", one.into())]),
            (201, String::new(), vec![("X-CM-PRODUCTTOKEN", one.into()), ("Authorization", "Basic eDp5".into())]),
            (400, String::new(), vec![("X-CM-PRODUCTTOKEN", one.into()), bearer(two)]),
            (400, String::new(), vec![("X-CM-PRODUCTTOKEN", one.into()), ("X-CM-PRODUCTTOKEN", two.into())]),
            (400, format!("?X-CM-PRODUCTTOKEN={one}"), vec![("X-CM-PRODUCTTOKEN", two.into())]),
            (400, format!("?X-CM-PRODUCTTOKEN={one}"), vec![bearer(two)]),
            (400, format!("?X-CM-PRODUCTTOKEN={one}&x-cm-producttoken={two}"), vec![]),
            (400, format!("?X-CM-PRODUCTTOKEN={one}"), vec![bearer("wrong")]),
            (401, String::new(), vec![]),
            (401, "?X-CM-PRODUCTTOKEN=".into(), vec![("X-CM-PRODUCTTOKEN", String::new())]),
            (401, String::new(), vec![("X-CM-PRODUCTTOKEN", "wrong".into())]),
            (401, String::new(), vec![("X-CM-PRODUCTTOKEN", one[..one.len() - 1].into())]),
            (401, String::new(), vec![("X-CM-PRODUCTTOKEN", one.to_lowercase())]),
            (401, String::new(), vec![("X-CM-PRODUCTTOKEN", "ünbekannt".into())]),
            (401, "?X-CM-PRODUCTTOKEN=wrong".into(), vec![]),
            (401, String::new(), vec![bearer("wrong")]),
            (401, String::new(), vec![("Authorization", one.into())]),
            (401, String::new(), vec![("X-PRODUCTTOKEN", one.into())]),
        ];
        let mut stored = 0;
        for (status, query, headers) in rows {
            let mut asking = Asking::new("POST", format!("{path}{query}"));
            asking = asking.header("content-type", "application/json").body(EVENT);
            for (name, value) in &headers {
                asking = asking.header(name, value);
            }
            let answer = app.ask(asking).await;
            assert_eq!(answer.status, status, "{query} {headers:?}: {}", answer.text());
            stored += usize::from(status == 201);
            for token in [one, two] {
                assert!(!answer.text().contains(token), "the answer repeats a token");
            }
        }
        assert_eq!(app.stored().await.len(), stored);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reason_for_401_reads_the_same() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        let expiring =
            app.token_with(|details| details.expires_at = Some(app.clock.now() + chrono::Duration::hours(1))).await.1;
        let (revoked_id, revoked) = app.token_with(|_| {}).await;
        tokens::revoke(&app.db, &app.clock, &app.permit(), revoked_id).await.unwrap();
        app.start().await;
        let with = |token: &str| app.with_token(token).to_type(id, EVENT);
        assert_eq!(app.ask(with(&expiring)).await.status, 201);
        app.clock.advance(3601);
        let mut words = Vec::new();
        for token in [&*expiring, &revoked, "unknown", ""] {
            let answer = app.ask(with(token)).await;
            assert_eq!(answer.status, 401, "{token}");
            let mut problem = answer.json();
            problem["requestId"].take();
            words.push(problem);
        }
        assert!(words.windows(2).all(|two| two[0] == two[1]), "{words:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_revoked_elsewhere_is_refused_within_a_second() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        let (token_id, token) = app.token_with(|_| {}).await;
        // two processes, and a third (the test's own connection) that revokes
        let (first, second) = (app.start().await, app.start().await);
        let asking = app.with_token(token).to_type(id, EVENT);
        let mut open = [Connection::open(first).await, Connection::open(second).await];
        for connection in &mut open {
            assert_eq!(connection.ask(&asking).await.unwrap().status, 201);
        }
        tokens::revoke(&app.db, &app.clock, &app.permit(), token_id).await.unwrap();
        let began = std::time::Instant::now();
        for connection in &mut open {
            loop {
                let sent_after = began.elapsed();
                let answer = connection.ask(&asking).await.unwrap();
                oracle::check(&asking, &answer);
                if answer.status == 401 {
                    break;
                }
                assert!(sent_after < Duration::from_secs(1), "still accepted a second after it was revoked");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_made_elsewhere_are_heard_of() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        app.start().await;
        let asking = app.to_type(id, EVENT);
        assert_eq!(app.ask(asking.clone()).await.status, 201);
        app.change_type(id, |details| details.enabled = false).await;
        app.until(asking.clone(), 404).await;
        app.change_type(id, |details| details.enabled = true).await;
        app.until(asking.clone(), 201).await;
        tenants::set_enabled(&app.db, &app.clock, &app.permit(), false).await.unwrap();
        app.until(asking.clone(), 403).await;
        // a disabled tenant's unknown token is not told about the tenant
        let unknown = app.with_token("unknown");
        assert_eq!(unknown.send(id, EVENT).await.status, 401);
        tenants::set_enabled(&app.db, &app.clock, &app.permit(), true).await.unwrap();
        app.until(asking, 201).await;
        let later = app.with_token(app.token_with(|_| {}).await.1);
        app.until(later.to_type(id, EVENT), 201).await;
        app.change_type(id, |details| details.contract = crate::support::contract(r#"{"required":["Other"]}"#)).await;
        app.until(later.to_type(id, EVENT), 422).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_good_for_its_tenant_its_types_and_its_addresses() {
    each(async |app: TestApp| {
        let (one, two) = (app.orders().await, app.orders().await);
        let networks = |texts: &[&str]| parse_networks(texts).unwrap();
        let limited = app.token_with(|details| details.event_types = Some(vec![one])).await.1;
        let here = app.token_with(|details| details.addresses = networks(&["::1", "127.0.0.0/8"])).await.1;
        let elsewhere =
            app.token_with(|details| details.addresses = networks(&["192.0.2.0/24", "2001:db8::/32"])).await.1;
        let other = app.another_tenant().await;
        app.start_with(&["--trusted-proxy", "127.0.0.0/8"]).await;
        let with = |token: &str, id| app.with_token(token).to_type(id, EVENT);
        for (status, asking) in [
            (201, with(&limited, one)),
            (403, with(&limited, two)),
            (403, with(&other.token, one)),
            (201, with(&here, one)),
            (403, with(&elsewhere, one)),
            (201, with(&elsewhere, one).header("x-forwarded-for", "192.0.2.7")),
            (201, with(&elsewhere, one).header("x-forwarded-for", "::ffff:192.0.2.7")),
            (201, with(&elsewhere, one).header("x-forwarded-for", "2001:db8::5")),
            // the proxy adds its client at the end; what stands before it, anybody can write
            (403, with(&elsewhere, one).header("x-forwarded-for", "192.0.2.7, 198.51.100.1")),
        ] {
            let answer = app.ask(asking.clone()).await;
            assert_eq!(answer.status, status, "{:?}: {}", asking.headers, answer.text());
        }
        // nobody is believed where no proxy is named; and IPv4 that arrives on an IPv6 socket is still IPv4
        let listen = if std::net::TcpListener::bind("[::]:0").is_ok() { "[::]:0" } else { "127.0.0.1:0" };
        let to = app.start_with(&["--listen", listen]).await;
        let to = ([127, 0, 0, 1], to.port()).into();
        let forged = with(&elsewhere, one).header("x-forwarded-for", "192.0.2.7");
        assert_eq!(forged.send(to).await.status, 403);
        assert_eq!(with(&here, one).send(to).await.status, 201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_moved_here_is_each_tenants_own() {
    each(async |app: TestApp| {
        let other = app.another_tenant().await;
        let (here, there) = (app.orders().await, other.orders().await);
        let secret = Secret::import("8C1F0F0E-5A5C-4A5D-9A3E-0123456789AB").unwrap();
        app.token_of(&secret, |_| {}).await;
        let theirs = other.token_of(&secret, |_| {}).await;
        app.start().await;
        let token = secret.expose().to_owned();
        let (mine, other) = (app.with_token(token.clone()), other.with_token(token));
        assert_eq!(mine.send(here, EVENT).await.status, 201);
        assert_eq!(other.send(there, EVENT).await.status, 201);
        // revoked there, it is still good here
        let permit = Actor::cli().permit(other.tenant).unwrap();
        tokens::revoke(&app.db, &app.clock, &permit, theirs).await.unwrap();
        app.until(other.to_type(there, EVENT), 403).await;
        assert_eq!(mine.send(here, EVENT).await.status, 201);
        // as it was issued, not in another case
        let lower = app.with_token(mine.token.to_lowercase());
        assert_eq!(lower.send(here, EVENT).await.status, 401);
    })
    .await;
}
