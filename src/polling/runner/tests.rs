//! Whole lives of a source against the stand-in, on both databases: it fails, workers are killed at any point and others
//! take over, the schedule is changed, clocks go forward and back. In the end, what is stored is what it holds.
use std::{
    collections::BTreeSet,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use rand::{RngExt, SeedableRng, rngs::SmallRng, seq::IndexedRandom};
use serde_json::{Value, json};

use super::*;
use crate::{
    auth::{Actor, Configure, Permit, testing},
    clock::Clock,
    db::{Db, testing::each},
    event_types,
    http_client::{Allowed, Client},
    ids::SourceId,
    polling::{
        Entry, Source, State, Window,
        definition::{Bound, Precision, Style, TimeFormat},
        ledger,
        terms::Prepared,
    },
    sql, tenants,
    vendor::{self, Manner, Paging, Running, Trouble},
};

/// A future that is dropped after it was polled so often: whoever is killed gets no chance to tidy up.
struct Killed<F>(Pin<Box<F>>, u32);

impl<F: Future<Output = ()>> Future for Killed<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.1 == 0 {
            return Poll::Ready(());
        }
        self.1 -= 1;
        self.0.as_mut().poll(context)
    }
}

/// The hours before clocks go forward and back in Berlin, and a day on which they do not.
const BEGINS: [&str; 3] = ["2026-03-28T23:10:00Z", "2026-10-24T22:10:00Z", "2026-06-10T08:10:00Z"];
const PAGINGS: [Paging; 6] =
    [Paging::Number, Paging::Offset, Paging::Cursor, Paging::CursorHeader, Paging::Next, Paging::Link];
/// Most pages of a window; where local times are asked for, the hour that comes twice has to fit.
const CAP: usize = 4;
const CAP_OF_LOCAL: usize = 40;

struct Life {
    random: SmallRng,
    workers: [Runner; 2],
    permit: Permit<Configure>,
    vendor: Running,
    id: SourceId,
    manner: Manner,
    /// Minutes that a late record may be late.
    late: i64,
    /// It is asked without an upper bound.
    since_only: bool,
}

impl Life {
    async fn begin(db: &Db, seed: u64) -> Self {
        let mut random = SmallRng::seed_from_u64(seed);
        let clock = Clock::still();
        let begin: DateTime<Utc> = BEGINS[usize::try_from(seed % 3).unwrap()].parse().unwrap();
        clock.advance((begin - clock.now()).num_seconds());
        let late = *[0, 25].choose(&mut random).unwrap();
        let formats = [
            TimeFormat::default(),
            TimeFormat::EpochSeconds,
            TimeFormat::Iso8601 { style: Style::Local, zone: Some(Tz::Europe__Berlin) },
        ];
        let bound = |inclusive| if inclusive { Bound::Inclusive } else { Bound::Exclusive };
        let manner = Manner {
            seed,
            records: 250,
            start: clock.now(),
            step: TimeDelta::seconds(70),
            late: TimeDelta::minutes(late),
            paging: *PAGINGS.choose(&mut random).unwrap(),
            size: random.random_range(5..30),
            bounds: [bound(random.random()), bound(random.random())],
            precision: *[Precision::Milliseconds, Precision::Second, Precision::Minute].choose(&mut random).unwrap(),
            format: formats.choose(&mut random).unwrap().clone(),
            descending: random.random(),
            conditional: random.random(),
            skew: TimeDelta::seconds(*[0, 200, -200].choose(&mut random).unwrap()),
            token: Some("good".into()),
            troubles: vec![Trouble::TooMany, Trouble::Away, Trouble::Fails, Trouble::Reset, Trouble::Cut],
            every: random.random_range(3..9),
            ..Manner::default()
        };
        let vendor = vendor::start("127.0.0.1:0".parse().unwrap(), manner.clone(), clock.clone()).await.unwrap();
        let cli = Actor::cli();
        let tenant =
            tenants::create(db, &clock, &cli.grant().unwrap(), None, "Acme".parse().unwrap()).await.unwrap().id;
        let permit: Permit<Configure> = cli.permit(tenant).unwrap();
        let details = event_types::Details::named("Order".parse().unwrap());
        let event_type = event_types::create(db, &clock, &permit, None, details).await.unwrap().id;
        let client = Client::new(Allowed::new(&[vendor.address.to_string()]), clock.clone());
        let app = App { client, ..testing::app(db, &clock) };
        let directory = Directory::load(db.clone()).await.unwrap();
        let worker =
            || Runner { app: app.clone(), directory: directory.clone(), owner: new_id(&clock), bell: Arc::default() };
        let workers = [worker(), worker()];
        // in any other order, there would be nothing to go on from when there are too many pages
        let since_only = !manner.descending && manner.format.says_offset() && random.random();
        let mut life = Self { random, workers, permit, vendor, id: SourceId::default(), manner, late, since_only };
        let definition = life.definition();
        let app = &life.workers[0].app;
        let start = Some(clock.now());
        let made = store::change::create(db, &clock, &app.keys, &life.permit, event_type, definition, start).await;
        life.id = made.unwrap().id;
        life
    }

    fn app(&self) -> &App {
        &self.workers[0].app
    }

    fn cap(&self) -> usize {
        if self.manner.format.says_offset() { CAP } else { CAP_OF_LOCAL }
    }

    /// A definition that is right, with some schedule.
    fn definition(&mut self) -> Prepared {
        let lookback = self.late + 5;
        let schedule = match self.random.random_range(0..4) {
            0 => json!({"everyMinutes": 5, "settleSeconds": 10, "lookbackMinutes": lookback}),
            1 => json!({"everyMinutes": 60, "settleSeconds": 0, "lookbackMinutes": lookback}),
            2 => json!({"everyMinutes": 17, "settleSeconds": 60, "lookbackMinutes": lookback}),
            _ => {
                json!({"cron": "20 * * * *", "zone": "Europe/Berlin", "settleSeconds": 0, "lookbackMinutes": lookback})
            }
        };
        let cap = self.cap();
        let pages = match self.manner.paging {
            Paging::None => json!({"kind": "none"}),
            Paging::Number => json!({"kind": "number", "parameter": "page", "cap": cap}),
            Paging::Offset => json!({"kind": "offset", "parameter": "offset", "cap": cap}),
            Paging::Cursor => {
                json!({"kind": "cursorInBody", "path": "$.meta.cursor", "parameter": "cursor", "cap": cap})
            }
            Paging::CursorHeader => {
                json!({"kind": "cursorInHeader", "header": "x-next", "parameter": "cursor", "cap": cap})
            }
            Paging::Next => json!({"kind": "nextInBody", "path": "$.meta.next", "cap": cap}),
            Paging::Link => json!({"kind": "link", "cap": cap}),
        };
        let [from, until] = self.manner.bounds;
        let mut parameters = json!({"from": "{from}"});
        if !self.since_only {
            parameters["until"] = "{until}".into();
        }
        let text = json!({
            "name": "Shop",
            "url": self.vendor.url(),
            "authentication": {"kind": "bearer"},
            "token": "good",
            "window": {
                "kind": if self.since_only { "sinceOnly" } else { "range" },
                "parameters": parameters, "format": self.manner.format,
                "precision": self.manner.precision, "fromBound": from, "untilBound": until,
            },
            "conditional": self.since_only && self.manner.conditional,
            "schedule": schedule,
            "records": "$.data.items",
            "pages": pages,
            "recordId": ["/id"],
            "version": "/version",
            "recordTime": {"pointer": "/changed", "format": self.manner.format},
        });
        Prepared::read(&text.to_string()).expect("a good definition")
    }

    /// Both workers do what there is to do, at the same time; of the windows they take, some are killed.
    async fn work(&mut self, kills: bool) {
        for worker in &self.workers {
            while worker.plan_once().await.unwrap() {}
        }
        let most = self.random.random_range(1..4);
        let app = self.app().clone();
        let [one, two] = &self.workers;
        let take = async |worker: &Runner| store::lease::take(&app.db, &app.clock, worker.owner, most).await.unwrap();
        let (first, second) = tokio::join!(take(one), take(two));
        let mut under_way = JoinSet::new();
        for (worker, taken) in [(one, first), (two, second)] {
            for window in taken {
                let polls = if kills && self.random.random() { self.random.random_range(1..60) } else { u32::MAX };
                under_way.spawn(Killed(Box::pin(read::window(worker.clone(), window)), polls));
            }
        }
        while let Some(ended) = under_way.join_next().await {
            ended.expect("no panic");
        }
        // the leases of whoever was killed run out
        let expired = app.db.write(|tx| {
            Box::pin(async move {
                Ok(sql!(exec tx, "UPDATE windows SET held_until = $1 WHERE state = 'running'", DateTime::UNIX_EPOCH)?)
            })
        });
        expired.await.unwrap();
    }

    async fn source(&self) -> Source {
        let read = Actor::cli().permit::<crate::auth::See>(self.permit.tenant()).unwrap();
        store::get(&self.app().db, &read, self.id).await.unwrap()
    }

    async fn windows(&self) -> Vec<Entry> {
        let all = Window::new(DateTime::UNIX_EPOCH, self.app().clock.now() + TimeDelta::days(9));
        store::windows(&self.app().db, &self.permit, self.id, all, None, 100_000).await.unwrap()
    }

    /// Something happens.
    async fn act(&mut self) {
        let (app, permit) = (self.app().clone(), self.permit.clone());
        match self.random.random_range(0..10) {
            0 => {
                let definition = self.definition();
                store::change::edit(&app.db, &app.clock, &app.keys, &permit, self.id, definition).await.unwrap();
            }
            1 if self.source().await.state == State::Active => {
                store::change::run_now(&app.db, &app.clock, &permit, self.id).await.unwrap();
            }
            2 => {
                store::change::pause(&app.db, &app.clock, &permit, self.id).await.unwrap();
                app.clock.advance(self.random.random_range(60..3000));
                store::change::resume(&app.db, &app.clock, &permit, self.id).await.unwrap();
            }
            3 => {
                let source = self.source().await;
                let range = Window::new(source.starts_at - TimeDelta::minutes(40), source.watermark);
                let slice = TimeDelta::minutes(30);
                // nothing to read again yet is no fault
                drop(store::change::backfill(&app.db, &app.clock, &permit, self.id, range, slice).await);
            }
            _ => app.clock.advance(self.random.random_range(20..1500)),
        }
        self.work(true).await;
    }

    /// Nothing happens any more, until all is stored.
    async fn settle(&mut self) {
        let app = self.app().clone();
        let last = self.vendor.world().items().last().unwrap().changed;
        for _ in 0..400 {
            let source = self.source().await;
            if source.state != State::Active {
                store::change::resume(&app.db, &app.clock, &self.permit, self.id).await.unwrap();
            }
            let undone = store::undone(&app.db, &self.permit, &source).await.unwrap();
            let behind = last + TimeDelta::minutes(self.late * 2 + 150);
            // what is read beside the ledger is to be done as well
            let all = async || self.windows().await.iter().all(|entry| entry.done_at.is_some());
            if source.watermark > behind && undone.complete_until >= source.watermark && all().await {
                return;
            }
            app.clock.advance(240);
            self.work(false).await;
        }
        let hosts = sql!(all(String, DateTime<Utc>), app.db, "SELECT host, not_before FROM poll_hosts").unwrap();
        let undone: Vec<_> = self.windows().await.into_iter().filter(|entry| entry.done_at.is_none()).collect();
        panic!("it does not come to an end: {hosts:?} {:?} {:?} {undone:?}", self.manner, self.source().await);
    }

    /// Nobody asks for it any more. The next one begins at another time, and may be given the same port.
    async fn end(self) {
        let app = self.app();
        store::change::remove(&app.db, &app.clock, &self.permit, self.id).await.unwrap();
        let forget = app.db.write(|tx| Box::pin(async move { Ok(sql!(exec tx, "DELETE FROM poll_hosts")?) }));
        forget.await.unwrap();
    }

    async fn must_agree(&self) {
        let (app, source, windows) = (self.app(), self.source().await, self.windows().await);
        let tiles: Vec<_> = windows.iter().filter(|entry| entry.tiles()).map(Entry::window).collect();
        assert_eq!(ledger::check(&tiles, source.span()), Ok(()));
        let text = "SELECT payload FROM events WHERE tenant_id = $1 AND verdict = 'accepted'";
        let payloads = sql!(values String, app.db, text, self.permit.tenant()).unwrap();
        let delivered: Vec<(u64, u64)> = payloads
            .iter()
            .map(|payload| {
                let value: Value = serde_json::from_str(payload).unwrap();
                (value["id"].as_u64().unwrap(), value["version"].as_u64().unwrap())
            })
            .collect();
        let set: BTreeSet<_> = delivered.iter().copied().collect();
        assert_eq!(set.len(), delivered.len(), "something is stored twice");
        let there: BTreeSet<_> = self.vendor.world().items().iter().map(|item| (item.id, item.version)).collect();
        let missing: Vec<_> =
            self.vendor.world().items().iter().filter(|item| !set.contains(&(item.id, item.version))).collect();
        assert_eq!(set, there, "missing: {missing:?}; {:?} {windows:#?}", self.manner);
        // pages with numbers are read there and back
        let most = self.cap() * if self.manner.paging == Paging::Number { 2 } else { 1 };
        let sum = |of: fn(&Entry) -> i64| windows.iter().map(of).sum::<i64>();
        assert_eq!(sum(|entry| entry.records), sum(|entry| entry.fresh + entry.duplicates + entry.quarantined));
        assert_eq!(usize::try_from(sum(|entry| entry.fresh)).unwrap(), set.len());
        for entry in &windows {
            for attempt in store::attempts(&app.db, &self.permit, entry.id).await.unwrap() {
                let requests: Vec<Value> = serde_json::from_str(&attempt.requests).unwrap();
                // without an upper bound it goes on from the newest record instead
                assert!(self.since_only || requests.len() <= most, "{} requests of one attempt", requests.len());
            }
        }
    }
}

#[tokio::test]
async fn whatever_happens_what_is_stored_in_the_end_is_what_is_there() {
    each(async |db: Db| {
        for seed in 0..18 {
            let life = async {
                let mut life = Life::begin(&db, seed).await;
                for _ in 0..14 {
                    life.act().await;
                }
                life.settle().await;
                life.must_agree().await;
                life.end().await;
            };
            println!("seed {seed}");
            life.await;
        }
    })
    .await;
}
