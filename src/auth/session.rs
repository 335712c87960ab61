//! The session of a request: from the cookie to an [`Actor`], and from there to permits. What a handler takes as an
//! argument here, it need not check.
use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts, RawPathParams, rejection::RawPathParamsRejection},
    http::{HeaderMap, Method, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use url::form_urlencoded;
use uuid::Uuid;

use super::{
    Actor, Administer, AnswerQuotations, AnswerTasks, Configure, Grant, InviteCustomers, ListTenants, Permit,
    ReadConfiguration, ReadPayloads, Right, See, SeeIntegrations,
    address::client_address,
    store::{self, Found, Origin},
};
use crate::{
    app::App,
    crypto::Secret,
    error::{Error, PublicError, Result},
    ids::{RequestId, TenantId, UserId},
    ui::{Section, Theme, Viewer, Zone},
};

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub struct Session {
    /// What pages call the session by.
    pub id: Uuid,
    /// Whose it is.
    pub user: UserId,
    /// What they may do, as the audit trail knows them.
    pub actor: Actor,
    /// What they are called.
    pub name: String,
    /// What they sign in with.
    pub email: String,
    /// The looks they chose.
    pub theme: Theme,
    /// The zone they are told times in.
    pub zone: Zone,
    /// Whether the keyboard's shortcuts are on.
    pub shortcuts: bool,
    /// They need a second factor and have none: until they do, nothing else is open to them.
    pub must_enrol: bool,
}

impl Session {
    fn new(found: Found, origin: &Origin) -> Self {
        Self {
            id: found.id,
            user: found.user_id,
            actor: Actor {
                user: Some(found.user_id),
                name: found.email.clone(),
                role: found.role,
                tenant: found.tenant_id,
                address: Some(origin.address),
                request: origin.request,
            },
            name: found.name,
            email: found.email,
            theme: found.theme.as_deref().map(Theme::parse).unwrap_or_default(),
            zone: found.time_zone.as_deref().map(Zone::parse).unwrap_or_default(),
            shortcuts: !found.shortcuts_off,
            must_enrol: found.must_enrol,
        }
    }

    /// As pages show them.
    pub fn viewer(&self) -> Viewer {
        Viewer {
            name: self.name.clone(),
            email: self.email.clone(),
            role: self.actor.role.word(),
            theme: self.theme,
            zone: self.zone,
            shortcuts: self.shortcuts,
        }
    }

    /// Asks for authority over one tenant.
    ///
    /// # Errors
    /// See [`Actor::permit`].
    pub fn permit<R: Right>(&self, tenant: TenantId) -> Result<Permit<R>> {
        self.actor.permit(tenant)
    }

    /// The places of the navigation that they may go to, with those of `tenant` if there is one at hand.
    pub fn sections(&self, tenant: Option<TenantId>) -> Vec<Section> {
        if self.must_enrol {
            return vec![Section::Account];
        }
        let mut open = vec![Section::Home, Section::Account, Section::Guide];
        if SeeIntegrations::granted_to(self.actor.role) {
            open.push(Section::Integrations);
        }
        if self.grant::<ListTenants>().is_ok() {
            open.push(Section::Tenants);
        }
        if self.grant::<Administer>().is_ok() {
            open.push(Section::AlertsOfAll);
            open.push(Section::AuditOfAll);
            open.push(Section::People);
            open.push(Section::Hosts);
        }
        if let Some(tenant) = tenant {
            let mut offer = |may: bool, sections: &[Section]| {
                if may {
                    open.extend(sections);
                }
            };
            offer(self.permit::<See>(tenant).is_ok(), &[Section::Overview, Section::Sources]);
            offer(self.permit::<SeeIntegrations>(tenant).is_ok(), &[Section::TenantIntegrations]);
            offer(self.permit::<AnswerTasks>(tenant).is_ok(), &[Section::Portal]);
            offer(self.permit::<AnswerQuotations>(tenant).is_ok(), &[Section::Quotations]);
            offer(
                self.permit::<ReadConfiguration>(tenant).is_ok(),
                &[Section::EventTypes, Section::Tokens, Section::Alerts],
            );
            let payloads = [Section::Events, Section::Live, Section::Quarantine, Section::Tasks];
            offer(self.permit::<ReadPayloads>(tenant).is_ok(), &payloads);
            offer(self.permit::<See>(tenant).is_ok(), &[Section::Audit]);
            offer(self.permit::<InviteCustomers>(tenant).is_ok(), &[Section::TenantPeople]);
            offer(self.permit::<Configure>(tenant).is_ok(), &[Section::Settings]);
        }
        open
    }

    /// Asks for authority over the installation as a whole.
    ///
    /// # Errors
    /// See [`Actor::grant`].
    pub fn grant<R: Right>(&self) -> Result<Grant<R>> {
        self.actor.grant()
    }
}

/// Why a request does not reach its handler.
#[derive(Debug)]
pub enum Rejection {
    /// Nobody is signed in, and a person asks for a page: to the login page, and back to here afterwards.
    SignIn(String),
    /// Nobody is signed in, and it is no page that is asked for.
    SignedOut,
    /// Signed in, but without the second factor that everybody needs here: to the page where one is set up.
    Enrol,
    /// Signed in, but not allowed, or the database cannot be asked.
    Refused(Error),
}

impl From<Error> for Rejection {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        match self {
            Self::SignIn(path) => {
                let next: String = form_urlencoded::byte_serialize(path.as_bytes()).collect();
                Redirect::to(&format!("/login?next={next}")).into_response()
            }
            Self::SignedOut => {
                PublicError::new(401, "Signed out", "there is no session, or it has ended: sign in and try again")
                    .into_response()
            }
            Self::Enrol => Redirect::to(ENROLMENT).into_response(),
            Self::Refused(error) => error.into_response(),
        }
    }
}

/// Where a second factor is set up.
pub const ENROLMENT: &str = "/account/second-factor";

/// What is open to who still has to set up a second factor: doing so, leaving, and the looks of the page.
fn is_open_without_second_factor(path: &str) -> bool {
    path == ENROLMENT || path == "/account/second-factor/start" || path == "/logout" || path == "/theme"
}

impl FromRequestParts<App> for Session {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        let found = <Self as OptionalFromRequestParts<App>>::from_request_parts(parts, app).await?;
        if found.as_ref().is_some_and(|session| session.must_enrol) && !is_open_without_second_factor(parts.uri.path())
        {
            return Err(match wanted_page(parts) {
                Some(_) => Rejection::Enrol,
                None => Error::Forbidden("do anything before a second factor is set up").into(),
            });
        }
        found.ok_or_else(|| match wanted_page(parts) {
            Some(path) => Rejection::SignIn(path),
            None => Rejection::SignedOut,
        })
    }
}

impl OptionalFromRequestParts<App> for Session {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Option<Self>, Rejection> {
        // a handler that takes several permits asks the database once
        if let Some(session) = parts.extensions.get::<Self>() {
            return Ok(Some(session.clone()));
        }
        let Some(secret) = cookie(&parts.headers, app.is_https()) else { return Ok(None) };
        let Some(found) = store::find_session(&app.db, &app.clock, secret.digest()).await? else { return Ok(None) };
        if let Err(error) = store::touch_session(&app.db, &app.clock, &found).await {
            // pages can still be read while nothing can be written
            tracing::warn!(%error, "the use of a session was not written down");
        }
        let session = Self::new(found, &origin(parts, app));
        parts.extensions.insert(session.clone());
        Ok(Some(session))
    }
}

impl<R: Right> FromRequestParts<App> for Permit<R> {
    type Rejection = Rejection;

    /// Takes the tenant from the path parameter `tenant`.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        let session = <Session as FromRequestParts<App>>::from_request_parts(parts, app).await?;
        let params = RawPathParams::from_request_parts(parts, app).await.map_err(|error| match error {
            // what is no text is no id
            RawPathParamsRejection::InvalidUtf8InPathParam(_) => Error::NotFound("page"),
            error => Error::internal(anyhow::anyhow!("a permit was asked for on a path without a tenant: {error}")),
        })?;
        let tenant = params.iter().find(|(name, _)| *name == "tenant").and_then(|(_, id)| id.parse().ok());
        let tenant: TenantId = tenant.ok_or(Error::NotFound("tenant"))?;
        Ok(session.permit(tenant)?)
    }
}

impl<R: Right> FromRequestParts<App> for Grant<R> {
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Rejection> {
        let session = <Session as FromRequestParts<App>>::from_request_parts(parts, app).await?;
        Ok(session.grant()?)
    }
}

impl FromRequestParts<App> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(origin(parts, app))
    }
}

fn origin(parts: &Parts, app: &App) -> Origin {
    let user_agent = parts.headers.get(header::USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let user_agent = user_agent.map(|text| text.chars().filter(|c| !c.is_control()).take(300).collect());
    Origin {
        address: client_address(parts, &app.settings),
        user_agent: user_agent.unwrap_or_default(),
        request: parts.extensions.get::<RequestId>().copied(),
    }
}

/// The path to come back to after signing in, when what is asked for is a page.
fn wanted_page(parts: &Parts) -> Option<String> {
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return None;
    }
    let accept = parts.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for accept in accept {
        if ["text/event-stream", "application/json"].iter().any(|kind| accept.contains(kind)) {
            return None;
        }
    }
    let path = match parts.uri.query() {
        // a token that strayed into the address of a page must not get into the next address, and into the page there
        Some(query) if query.to_ascii_lowercase().contains("producttoken") => parts.uri.path(),
        _ => parts.uri.path_and_query().map_or("/", |path| path.as_str()),
    };
    Some(local_path(path).unwrap_or("/").to_owned())
}

/// `path`, if a browser that is sent there stays on this server. Two slashes, or a slash and a backslash, would name
/// another host; white space and control characters are dropped by browsers, and could hide the second slash.
pub fn local_path(path: &str) -> Option<&str> {
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (plain && path.starts_with('/') && !path.starts_with("//")).then_some(path)
}

/// The name of the cookie. Over https, the prefix makes browsers insist that no other host has set it.
fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-tributary" } else { "tributary" }
}

/// The same, of half a login.
fn half_cookie_name(https: bool) -> &'static str {
    if https { "__Host-tributary-half" } else { "tributary-half" }
}

/// What a request's cookie says, well-formed or not.
pub fn cookie(headers: &HeaderMap, https: bool) -> Option<Secret> {
    named_cookie(headers, cookie_name(https))
}

/// The same, of half a login.
pub fn half_cookie(headers: &HeaderMap, https: bool) -> Option<Secret> {
    named_cookie(headers, half_cookie_name(https))
}

/// What the cookie of this name says, well-formed or not.
pub fn named_cookie(headers: &HeaderMap, wanted: &str) -> Option<Secret> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, value)| Secret::given(value))
}

/// The header that hands a session's secret to its browser.
pub fn set_cookie(secret: &Secret, https: bool) -> String {
    let (name, secure) = (cookie_name(https), if https { "; Secure" } else { "" });
    let age = store::LIFETIME.num_seconds();
    format!("{name}={}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}", secret.reveal())
}

/// The header that hands half a login to its browser; it is gone with the browser, or with the first that completes it.
pub fn set_half_cookie(secret: &Secret, https: bool) -> String {
    let (name, secure) = (half_cookie_name(https), if https { "; Secure" } else { "" });
    format!("{name}={}; Path=/; Max-Age=600; HttpOnly; SameSite=Lax{secure}", secret.reveal())
}

/// The header that takes it away again.
pub fn clear_half_cookie(https: bool) -> String {
    let (name, secure) = (half_cookie_name(https), if https { "; Secure" } else { "" });
    format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{secure}")
}

/// The header that takes it away again.
pub fn clear_cookie(https: bool) -> String {
    let (name, secure) = (cookie_name(https), if https { "; Secure" } else { "" });
    format!("{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_paths_of_this_server_are_local() {
        for good in ["/", "/tenants/1?tab=a&x=%2F", "/a//b"] {
            assert_eq!(local_path(good), Some(good));
        }
        for bad in [
            "",
            "tenants",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "https://evil.example",
            "/a\nb",
            "/ä",
            "/a b",
        ] {
            assert_eq!(local_path(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; xtributary=no; tributary=plain"));
        headers.append(header::COOKIE, HeaderValue::from_static("__Host-tributary=secure"));
        let value = |https| cookie(&headers, https).map(|secret| secret.reveal().to_owned());
        assert_eq!(value(false).as_deref(), Some("plain"));
        assert_eq!(value(true).as_deref(), Some("secure"));
        assert!(cookie(&HeaderMap::new(), true).is_none());
    }

    #[test]
    fn the_cookie_is_kept_from_scripts_and_other_sites() {
        let secret = Secret::given("s");
        assert_eq!(
            set_cookie(&secret, true),
            "__Host-tributary=s; Path=/; Max-Age=1209600; HttpOnly; SameSite=Lax; Secure"
        );
        assert_eq!(set_cookie(&secret, false), "tributary=s; Path=/; Max-Age=1209600; HttpOnly; SameSite=Lax");
    }
}
