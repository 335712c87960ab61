//! What every test here stands on: the real server in this process, on a database of its own, reached by a socket.
pub mod browser;
pub mod hooks;
pub mod http;
pub mod oracle;
pub mod poll;
pub mod program;
pub mod shop;
pub mod smtp;

use std::{
    future::Future,
    io::Write,
    net::SocketAddr,
    str::FromStr,
    sync::{Arc, Mutex, Once},
    time::{Duration, Instant},
};

use clap::{Args, FromArgMatches};
use sqlx::{ConnectOptions, Executor, postgres::PgConnectOptions};
use tributary::{
    auth::{Actor, Configure, Permit},
    clock::Clock,
    config::Settings,
    db::Db,
    event_types::{self, Contract, UniqueFields},
    events::{self, Cursor, Event, Filter, export},
    ids::{EventTypeId, TaskId, TenantId, TokenId},
    jobs,
    server::{self, Running},
    tenants,
    tokens::{self, Secret},
};

pub use http::{Answer, Asking, Connection};

/// The contract that most tests use: an amount is needed and is a number.
pub const ORDER: &str = r#"{"type":"object","required":["Amount"],"properties":{"Amount":{"type":"number"}}}"#;

/// Runs `test` on a new SQLite file and on a new PostgreSQL database.
pub async fn each<F, Fut>(test: F)
where
    F: Fn(TestApp) -> Fut,
    Fut: Future<Output = ()>,
{
    each_address(|address| async {
        let app = TestApp::new(address).await;
        test(app.clone()).await;
        app.stop().await;
        app.db.close().await;
    })
    .await;
}

/// Runs `test` with the address of a new, empty database of either kind.
pub async fn each_address<F, Fut>(test: F)
where
    F: Fn(String) -> Fut,
    Fut: Future<Output = ()>,
{
    let folder = tempfile::tempdir().expect("a folder for the test");
    test(format!("sqlite://{}", folder.path().join("test.db").display())).await;

    let Ok(server) = std::env::var("TEST_POSTGRES_URL") else { return without_postgres() };
    let name = format!("tributary_{:032x}", rand::random::<u128>());
    let options = PgConnectOptions::from_str(&server).expect("TEST_POSTGRES_URL");
    let mut admin = options.connect().await.expect("a PostgreSQL server at TEST_POSTGRES_URL");
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    admin.execute(create).await.expect("a new PostgreSQL database");
    let mut address = url::Url::parse(&server).expect("TEST_POSTGRES_URL");
    address.set_path(&name);
    test(address.into()).await;
    let drop = sqlx::AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"));
    admin.execute(drop).await.expect("the database goes");
}

/// Says it past the test runner, which keeps what passing tests print to itself.
fn without_postgres() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let warning = "\n*** PostgreSQL was LEFT OUT: these tests ran on SQLite alone. Set TEST_POSTGRES_URL, or call \
                       scripts/postgres with cargo test …\n\n";
        let _ = std::io::stderr().write_all(warning.as_bytes());
    });
}

/// Where a server listens, and the server itself until it is stopped.
type Server = (SocketAddr, Option<Running>);

/// A tenant with a token, on a database of its own, and the servers that the test starts on it. Cheap to clone.
#[derive(Clone)]
pub struct TestApp {
    /// Of the test itself; each server opens its own, as other processes do.
    pub db: Db,
    pub clock: Clock,
    pub database: String,
    pub tenant: TenantId,
    pub token: String,
    pub servers: Arc<Mutex<Vec<Server>>>,
}

impl TestApp {
    pub async fn new(database: String) -> Self {
        let (clock, cli) = (Clock::system(), Actor::cli());
        let db = Db::open(&database).await.expect("a new database");
        let grant = cli.grant().expect("the command line may");
        let tenant = tenants::create(&db, &clock, &grant, None, "Acme".parse().unwrap()).await.expect("a tenant").id;
        let mut app = Self { db, clock, database, tenant, token: String::new(), servers: Arc::default() };
        app.token = app.token_with(|_| {}).await.1;
        app
    }

    pub fn permit(&self) -> Permit<Configure> {
        Actor::cli().permit(self.tenant).expect("the command line may")
    }

    /// The same database, seen by another tenant with a token of its own.
    pub async fn another_tenant(&self) -> Self {
        let grant = Actor::cli().grant().expect("the command line may");
        let name = "Umbrella".parse().unwrap();
        let tenant = tenants::create(&self.db, &self.clock, &grant, None, name).await.expect("a tenant").id;
        let mut other = Self { tenant, ..self.clone() };
        other.token = other.token_with(|_| {}).await.1;
        other
    }

    /// The same, but requests carry another token.
    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self { token: token.into(), ..self.clone() }
    }

    /// A new event type; without `change` it takes any object.
    pub async fn event_type(&self, change: impl FnOnce(&mut event_types::Details)) -> EventTypeId {
        let mut details = event_types::Details::named("Order".parse().unwrap());
        change(&mut details);
        let made = event_types::create(&self.db, &self.clock, &self.permit(), None, details).await;
        made.expect("an event type").id
    }

    /// An event type with the contract [`ORDER`].
    pub async fn orders(&self) -> EventTypeId {
        self.event_type(|details| details.contract = contract(ORDER)).await
    }

    /// An event type of any object that is unique by `fields`.
    pub async fn unique_by(&self, fields: &[&str]) -> EventTypeId {
        self.event_type(|details| details.unique_fields = UniqueFields::parse(fields).unwrap()).await
    }

    pub async fn change_type(&self, id: EventTypeId, change: impl FnOnce(&mut event_types::Details) + Send + 'static) {
        event_types::update(&self.db, &self.clock, &self.permit(), id, change).await.expect("a changed event type");
    }

    /// A new token; without `change` it is good for everything.
    pub async fn token_with(&self, change: impl FnOnce(&mut tokens::Details)) -> (TokenId, String) {
        let secret = Secret::generate();
        (self.token_of(&secret, change).await, secret.expose().to_owned())
    }

    /// A token with a given secret.
    pub async fn token_of(&self, secret: &Secret, change: impl FnOnce(&mut tokens::Details)) -> TokenId {
        let mut details = tokens::Details::named("CRM".parse().unwrap());
        change(&mut details);
        tokens::create(&self.db, &self.clock, &self.permit(), secret, details).await.expect("a token").id
    }

    /// Starts a server that knows everything created so far.
    pub async fn start(&self) -> SocketAddr {
        self.start_with(&[]).await
    }

    /// The same, with flags of `tributary serve`.
    pub async fn start_with(&self, flags: &[&str]) -> SocketAddr {
        let db = Db::open(&self.database).await.expect("the database opens again");
        let running = server::start(settings(flags), db, self.clock.clone()).await.expect("a server");
        let to = running.address;
        self.servers.lock().unwrap().push((to, Some(running)));
        to
    }

    /// Stops all servers in order.
    pub async fn stop(&self) {
        while let Some(running) = self.running() {
            running.stop().await;
        }
    }

    /// The newest server, taken away to be stopped by the test.
    pub fn running(&self) -> Option<Running> {
        self.servers.lock().unwrap().iter_mut().rev().find_map(|(_, running)| running.take())
    }

    /// Where the newest server listens.
    pub fn to(&self) -> SocketAddr {
        self.servers.lock().unwrap().last().expect("the test has started a server").0
    }

    /// `/events/v1.0/tenants/…` and the rest.
    pub fn path(&self, rest: &str) -> String {
        format!("/events/v1.0/tenants/{}{rest}", self.tenant)
    }

    /// A POST of JSON with the token.
    pub fn post(&self, rest: &str) -> Asking {
        Asking::new("POST", self.path(rest))
            .header("x-cm-producttoken", &self.token)
            .header("content-type", "application/json")
    }

    /// Sending one event type's events.
    pub fn to_type(&self, id: EventTypeId, body: impl Into<Vec<u8>>) -> Asking {
        self.post(&format!("/events/{id}")).body(body)
    }

    /// Sends a request to the newest server, and keeps the answer to the published document.
    pub async fn ask(&self, asking: Asking) -> Answer {
        let answer = asking.send(self.to()).await;
        oracle::check(&asking, &answer);
        answer
    }

    /// Sends events of one type.
    pub async fn send(&self, id: EventTypeId, body: impl Into<Vec<u8>>) -> Answer {
        self.ask(self.to_type(id, body)).await
    }

    pub async fn receipt(&self, id: &str) -> Answer {
        let path = self.path(&format!("/receipts/{id}"));
        self.ask(Asking::new("GET", path).header("x-cm-producttoken", &self.token)).await
    }

    /// Everything that is stored of the tenant, in the order of the events' ids.
    pub async fn stored(&self) -> Vec<Event> {
        let permit = Actor::cli().permit(self.tenant).expect("the command line may");
        let (mut stored, mut cursor) = (Vec::new(), Cursor::Newest);
        loop {
            let page = events::store::whole_page(&self.db, &permit, &Filter::default(), cursor, 1000).await;
            let page = page.expect("the events");
            stored.extend(page.events);
            let Some(older) = page.older else { break };
            cursor = Cursor::Before(older);
        }
        stored.reverse();
        stored
    }

    /// The payloads of everything that is stored, in order.
    pub async fn payloads(&self) -> Vec<String> {
        self.stored().await.into_iter().map(|event| event.payload).collect()
    }

    /// All events, exported by a running server: the task, once it is done.
    pub async fn exported(&self, format: export::Format) -> TaskId {
        let permit = Actor::cli().permit(self.tenant).expect("the command line may");
        let order = export::Order::new(&Filter::default(), format, None, None);
        let started = export::start(&self.db, &self.clock, &permit, order, export::Estimate::More).await;
        let id = started.expect("an export");
        let began = Instant::now();
        while jobs::get(&self.db, &permit, id).await.expect("the task").state != jobs::State::Done {
            assert!(began.elapsed() < Duration::from_secs(30), "the export does not end");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        id
    }

    /// A page, as soon as it says something that happens behind it.
    pub async fn page_with(&self, browser: &mut browser::Browser, path: &str, words: &str) -> String {
        let began = Instant::now();
        loop {
            let page = browser.get(path).await.text();
            if page.contains(words) {
                return page;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "no {words:?} in {page}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until the server has heard of a change: until `asking` is answered with `status`. How long it took.
    pub async fn until(&self, asking: Asking, status: u16) -> Duration {
        let began = Instant::now();
        loop {
            let answer = self.ask(asking.clone()).await;
            if answer.status == status {
                return began.elapsed();
            }
            assert!(began.elapsed() < Duration::from_secs(10), "still {}: {}", answer.status, answer.text());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Settings as `tributary serve` reads them, on a free port.
pub fn settings(flags: &[&str]) -> Settings {
    let command = Settings::augment_args(clap::Command::new("serve").no_binary_name(true).args_override_self(true));
    let all = ["--listen", "127.0.0.1:0"].iter().chain(flags);
    let matches = command.try_get_matches_from(all).expect("the flags are good");
    Settings::from_arg_matches(&matches).expect("the flags are good")
}

pub fn contract(schema: &str) -> Contract {
    Contract::parse(schema).expect("a contract")
}

/// The rules that an answer names, event by event: `[(index, [rule, …]), …]`.
pub fn rules(listed: &serde_json::Value) -> Vec<(u64, Vec<String>)> {
    let rows = listed.as_array().expect("a list of events");
    rows.iter()
        .map(|row| {
            let errors = row["errors"].as_array().expect("their errors");
            let rules = errors.iter().map(|error| error["rule"].as_str().expect("a rule").to_owned());
            (row["index"].as_u64().expect("their place"), rules.collect())
        })
        .collect()
}
