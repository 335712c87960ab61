//! A visitor of the pages of tenants, event types and tokens: somebody signed in, as a test wants them.
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use http_body_util::BodyExt;
use tower::ServiceExt;
use uuid::Uuid;

use crate::{
    app::App,
    audit,
    auth::{Actor, Role, Session, testing::app},
    clock::Clock,
    db::Db,
    event_types,
    ids::{TenantId, UserId},
    jobs, tenants, tokens,
    ui::Theme,
};

/// What a page answers.
pub struct Answer {
    /// How it went.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its text.
    pub body: String,
}

impl Answer {
    /// Where it leads to.
    ///
    /// # Panics
    /// When it leads nowhere.
    pub fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        self.headers[header::LOCATION].to_str().expect("an address")
    }

    /// Whether its text holds this.
    pub fn says(&self, text: &str) -> bool {
        self.body.contains(text)
    }
}

/// Somebody who is signed in.
pub struct Visitor {
    /// The server.
    pub app: App,
    router: Router,
    session: Session,
}

impl Visitor {
    /// Somebody of this role, bound to `tenant` or to none.
    pub fn new(db: &Db, role: Role, tenant: Option<TenantId>) -> Self {
        let app = app(db, &Clock::system());
        let router = tenants::routes()
            .merge(event_types::routes())
            .merge(tokens::routes())
            .merge(jobs::routes())
            .merge(audit::routes())
            .with_state(app.clone());
        let user = UserId(Uuid::from_u128(7));
        let session = Session {
            id: Uuid::from_u128(8),
            user,
            actor: Actor {
                user: Some(user),
                name: "ada@example.com".into(),
                role,
                tenant,
                address: None,
                request: None,
            },
            name: "Ada".into(),
            email: "ada@example.com".into(),
            theme: Theme::System,
            zone: crate::ui::Zone::default(),
            shortcuts: true,
            must_enrol: false,
        };
        Self { app, router, session }
    }

    /// Asks for a page.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty())).await
    }

    /// Posts a form.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let kind = "application/x-www-form-urlencoded";
        self.send(Request::post(path).header(header::CONTENT_TYPE, kind).body(Body::from(form))).await
    }

    async fn send(&self, request: axum::http::Result<Request<Body>>) -> Answer {
        let mut request = request.expect("a request");
        request.extensions_mut().insert(self.session.clone());
        let answer = self.router.clone().oneshot(request).await.expect("an answer");
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.into_body().collect().await.expect("a body").to_bytes();
        Answer { status, headers, body: String::from_utf8(body.to_vec()).expect("text") }
    }
}

/// A tenant, made by the command line.
///
/// # Panics
/// When it cannot be made.
pub async fn tenant(db: &Db, name: &str) -> TenantId {
    let grant = Actor::cli().grant().expect("the command line may");
    let name = name.parse().expect("a name");
    tenants::create(db, &Clock::system(), &grant, None, name).await.expect("a tenant").id
}
