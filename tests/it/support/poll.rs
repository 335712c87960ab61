//! A source on its way, and the shop it asks: what tests of polling begin with.
use std::{
    collections::BTreeSet,
    path::PathBuf,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tempfile::TempDir;
use tributary::{
    auth::{Actor, Permit, ReadConfiguration},
    crypto::seal::Keyring,
    ids::SourceId,
    polling::{self, Entry, Source, Window, ledger, store, terms::Prepared},
};

use super::{TestApp, shop::Shop};

/// A source on its way, and the shop it asks.
pub struct Poll {
    pub app: TestApp,
    pub shop: Shop,
    pub source: SourceId,
    folder: TempDir,
}

impl Poll {
    /// A shop with a source that begins so long ago; no server runs yet.
    pub async fn new(app: TestApp, changes: Value, begins: TimeDelta) -> Self {
        let event_type = app.event_type(|_| {}).await;
        let shop = Shop::open(&app.clock).await;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), format!("{}\n", "A".repeat(43))).unwrap();
        let mut poll = Self { app, shop, source: SourceId::default(), folder };
        let prepared = Prepared::read(&poll.shop.source(changes).to_string()).expect("a good definition");
        let start = Some(poll.app.clock.now() - begins);
        let (db, clock, keys) = (&poll.app.db, &poll.app.clock, poll.keys());
        let made = store::change::create(db, clock, &keys, &poll.app.permit(), event_type, prepared, start).await;
        poll.source = made.expect("a source").id;
        poll
    }

    pub fn key_file(&self) -> PathBuf {
        self.folder.path().join("key")
    }

    pub fn keys(&self) -> Keyring {
        Keyring::at(Some(&self.key_file()), None)
    }

    pub async fn start(&self) {
        let key_file = self.key_file();
        self.app.start_with(&["--allow-outbound", "127.0.0.1", "--key-file", key_file.to_str().unwrap()]).await;
    }

    pub fn read(&self) -> Permit<ReadConfiguration> {
        Actor::cli().permit(self.app.tenant).unwrap()
    }

    pub async fn now(&self) -> Source {
        polling::get(&self.app.db, &self.read(), self.source).await.unwrap()
    }

    pub async fn windows(&self) -> Vec<Entry> {
        let all = Window::new(DateTime::UNIX_EPOCH, self.app.clock.now() + TimeDelta::days(99));
        store::windows(&self.app.db, &self.read(), self.source, all, None, 10_000).await.unwrap()
    }

    pub async fn edit(&self, changes: Value) {
        let prepared = Prepared::read(&self.shop.source(changes).to_string()).expect("a good definition");
        let (db, clock, keys) = (&self.app.db, &self.app.clock, self.keys());
        store::change::edit(db, clock, &keys, &self.app.permit(), self.source, prepared).await.expect("a change");
    }

    pub async fn run_now(&self) {
        store::change::run_now(&self.app.db, &self.app.clock, &self.app.permit(), self.source).await.expect("a run");
    }

    /// Waits until something is so; time goes by `seconds` for each tenth of one that the test waits.
    pub async fn until(&self, what: &str, seconds: i64, so: impl AsyncFn() -> bool) {
        let began = Instant::now();
        while !so().await {
            let limit = Duration::from_mins(1);
            assert!(began.elapsed() < limit, "not {what}: {:?} {:?}", self.now().await, self.windows().await);
            self.app.clock.advance(seconds);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until all is stored up to `until`.
    pub async fn complete(&self, until: DateTime<Utc>) {
        self.until("complete", 0, async || {
            let source = self.now().await;
            store::undone(&self.app.db, &self.read(), &source).await.unwrap().complete_until >= until
        })
        .await;
    }

    /// All that is stored, as id and version; nothing may be there twice.
    pub async fn delivered(&self) -> BTreeSet<(u32, u32)> {
        let payloads = self.app.payloads().await;
        let number = |value: &Value, key: &str| u32::try_from(value[key].as_u64().unwrap()).unwrap();
        let stored = payloads.iter().map(|payload| {
            let value: Value = serde_json::from_str(payload).unwrap();
            (number(&value, "id"), number(&value, "version"))
        });
        let set: BTreeSet<_> = stored.collect();
        assert_eq!(set.len(), payloads.len(), "something is stored twice");
        set
    }

    /// The ledger tiles, and what is stored is what the shop holds.
    pub async fn must_agree(&self) {
        let source = self.now().await;
        let windows = self.windows().await;
        let tiles: Vec<_> = windows.iter().filter(|entry| entry.tiles()).map(Entry::window).collect();
        assert_eq!(ledger::check(&tiles, source.span()), Ok(()));
        assert_eq!(self.delivered().await, self.shop.holds(source.watermark));
        let sum = |of: fn(&Entry) -> i64| windows.iter().map(of).sum::<i64>();
        assert_eq!(sum(|entry| entry.records), sum(|entry| entry.fresh + entry.duplicates + entry.quarantined));
        assert_eq!(usize::try_from(sum(|entry| entry.fresh)).unwrap(), self.delivered().await.len());
    }
}
