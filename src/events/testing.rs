//! Events for tests, brought in by the lane itself.
use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::Verdict;
use crate::{
    app::App,
    auth::{Actor, Permit, ReadPayloads, Role, session},
    clock::Clock,
    crypto::Secret,
    db::{
        Db,
        lane::{Append, Lane, Outcome, Row},
    },
    event_types,
    ids::{EventId, EventTypeId, ReceiptId, TenantId, TokenId, UserId},
    sql, tenants,
};

/// A tenant with a lane to its database.
pub struct Bench {
    pub db: Db,
    pub clock: Clock,
    pub lane: Lane,
    pub tenant: TenantId,
}

/// One event to come: type, token, payload, and what is wrong with it.
pub type Given<'a> = (EventTypeId, Option<TokenId>, &'a str, Option<&'a str>);

impl Bench {
    pub fn new(db: &Db) -> Self {
        let clock = Clock::system();
        let lane = Lane::start(db, &clock);
        let tenant = TenantId::new(&clock);
        Self { db: db.clone(), clock, lane, tenant }
    }

    pub fn permit(&self) -> Permit<ReadPayloads> {
        Actor::cli().permit(self.tenant).unwrap()
    }

    /// Sends events of one token as one request, now.
    pub async fn send(&self, events: &[Given<'_>]) -> ReceiptId {
        self.send_as(self.tenant, ReceiptId::issue(&self.clock), events).await
    }

    /// The same, for another tenant or with another receipt.
    pub async fn send_as(&self, tenant: TenantId, receipt: ReceiptId, events: &[Given<'_>]) -> ReceiptId {
        let row = |(event_type, _, payload, errors): &Given| Row {
            event_type: *event_type,
            verdict: if errors.is_some() { Verdict::Quarantined } else { Verdict::Accepted },
            payload: Bytes::copy_from_slice(payload.as_bytes()),
            errors: errors.map(str::to_owned),
            unique: None,
            refuse: false,
        };
        let rows = events.iter().map(row).collect();
        let source = events.first().and_then(|(_, source, ..)| *source);
        let append = Append { tenant, receipt, source, rows, strict: false, once: None, mends: None, progress: None };
        assert!(matches!(
            self.lane.append(self.lane.admit(1).await.unwrap(), append).await.unwrap(),
            Outcome::Stored(_)
        ));
        receipt
    }

    /// A tenant that is in the database too.
    pub async fn with_tenant(db: &Db) -> Self {
        let bench = Self::new(db);
        let grant = Actor::cli().grant().unwrap();
        tenants::create(db, &bench.clock, &grant, Some(bench.tenant), "Acme".parse().unwrap()).await.unwrap();
        bench
    }

    /// A type of it that takes anything.
    pub async fn named_type(&self, name: &str) -> EventTypeId {
        let permit = Actor::cli().permit(self.tenant).unwrap();
        let details = event_types::Details::named(name.parse().unwrap());
        event_types::create(&self.db, &self.clock, &permit, None, details).await.unwrap().id
    }

    /// One event of a type.
    pub async fn one(&self, event_type: EventTypeId, payload: &str) -> EventId {
        self.send(&[(event_type, None, payload, None)]).await.event(0)
    }
}

pub fn some_type(n: u128) -> EventTypeId {
    EventTypeId(uuid::Uuid::from_u128(n + 1))
}

pub fn some_token(n: u128) -> TokenId {
    TokenId(uuid::Uuid::from_u128(n + 1))
}

pub const WRONG: &str = r#"[{"path":"/n","rule":"type","message":"expected a number, got a string"}]"#;

/// A browser that is signed in.
pub struct Browser {
    pub app: App,
    pub cookie: String,
    pub user: UserId,
    router: Router,
}

impl Browser {
    /// One of a new account with this role.
    pub async fn new(bench: &Bench, role: Role, tenant: Option<TenantId>) -> Self {
        let app = App { lane: bench.lane.clone(), ..crate::auth::testing::app(&bench.db, &bench.clock) };
        let (user, secret, now) = (UserId::new(&bench.clock), Secret::random(), bench.clock.now());
        let (digest, far) = (secret.digest().to_vec(), now + chrono::TimeDelta::days(1));
        let session = uuid::Uuid::from_u128(rand::random());
        bench
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let text = "INSERT INTO users (id, email, name, password_hash, role, tenant_id, created_at)
                        VALUES ($1, $2, 'Ada', 'none', $3, $4, $5)";
                    sql!(exec tx, text, user, format!("{user}@example.com"), role, tenant, now)?;
                    let text = "INSERT INTO sessions
                            (digest, id, user_id, created_at, seen_at, expires_at, address, user_agent)
                        VALUES ($1, $2, $3, $4, $4, $5, '127.0.0.1', 'test')";
                    sql!(exec tx, text, digest, session, user, now, far)?;
                    Ok(())
                })
            })
            .await
            .unwrap();
        let cookie = session::set_cookie(&secret, app.is_https()).split(';').next().unwrap().to_owned();
        let router = super::routes().with_state(app.clone());
        Self { app, cookie, user, router }
    }

    /// Asks for a page or a stream.
    pub async fn ask(&self, path: &str) -> Response {
        let request = Request::get(path).header(header::COOKIE, &self.cookie).header(header::ACCEPT, "text/html");
        self.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    /// A page as text.
    pub async fn page(&self, path: &str) -> String {
        let response = self.ask(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }
}
