//! A browser, as far as forms and cookies go.
use std::{collections::BTreeMap, net::SocketAddr};

use tributary::{
    auth::{Actor, Role, email::Email, password, store},
    ids::{TenantId, UserId},
};

use super::{Answer, Asking, TestApp};

pub const PASSWORD: &str = "correct horse battery";

/// It keeps its cookies and follows nothing by itself.
#[derive(Clone)]
pub struct Browser {
    to: SocketAddr,
    pub cookies: BTreeMap<String, String>,
}

impl Browser {
    pub fn new(app: &TestApp) -> Self {
        Self { to: app.to(), cookies: BTreeMap::new() }
    }

    /// One that is signed in with the usual password.
    pub async fn signed_in(app: &TestApp, email: &str) -> Self {
        let mut browser = Self::new(app);
        let answer = browser.login(email, PASSWORD).await;
        assert_eq!((answer.status, answer.header("location")), (303, Some("/")), "{email}: {}", answer.text());
        browser
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        let asking = Asking::new("GET", Self::local(path)).header("accept", "text/html");
        self.ask(asking).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let asking = Asking::new("POST", Self::local(path))
            .header("accept", "text/html")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.ask(asking.body(form)).await
    }

    /// A form with a file: the field, the name and the content of that.
    pub async fn upload(&mut self, path: &str, fields: &[(&str, &str)], file: (&str, &str, &[u8])) -> Answer {
        const BOUNDARY: &str = "----tributary-test";
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend(
                format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes(),
            );
        }
        let (field, name, content) = file;
        let head = format!("Content-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"");
        body.extend(format!("--{BOUNDARY}\r\n{head}\r\nContent-Type: text/html\r\n\r\n").bytes());
        body.extend(content);
        body.extend(format!("\r\n--{BOUNDARY}--\r\n").bytes());
        let asking = Asking::new("POST", Self::local(path))
            .header("accept", "text/html")
            .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"))
            .header("sec-fetch-site", "same-origin");
        self.ask(asking.body(body)).await
    }

    pub async fn login(&mut self, email: &str, password: &str) -> Answer {
        self.post("/login", &[("email", email), ("password", password)]).await
    }

    /// Whether it is signed in.
    pub async fn is_in(&mut self) -> bool {
        self.get("/account").await.status == 200
    }

    fn local(path: &str) -> String {
        match path.strip_prefix("http://").and_then(|rest| rest.split_once('/')) {
            Some((_, rest)) => format!("/{rest}"),
            None => path.to_owned(),
        }
    }

    async fn ask(&mut self, mut asking: Asking) -> Answer {
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            asking = asking.header("cookie", pairs.join("; "));
        }
        let answer = asking.send(self.to).await;
        for (_, set) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, value) = set.split(';').next().unwrap().split_once('=').expect("a cookie");
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

/// Makes an account with the usual password.
pub async fn account(app: &TestApp, email: &str, role: Role, tenant: Option<TenantId>) -> UserId {
    named_account(app, email, "Jane", role, tenant).await
}

pub async fn named_account(app: &TestApp, email: &str, name: &str, role: Role, tenant: Option<TenantId>) -> UserId {
    let new = store::NewUser {
        email: Email::parse(email).unwrap(),
        name: name.parse().unwrap(),
        role,
        tenant,
        password_hash: password::hash(password::Password::given(PASSWORD)).await.unwrap(),
    };
    store::add_user(&app.db, &app.clock, &Actor::cli().grant().unwrap(), new).await.unwrap()
}

/// What stands between two pieces of a page.
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}")).1;
    rest.split_once(after).unwrap_or_else(|| panic!("no {after} in {rest}")).0
}
