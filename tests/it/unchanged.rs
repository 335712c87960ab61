//! A system that cannot be asked for a span, and says when nothing has changed: it is read again only when something
//! has, and nothing is missed by that.
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta};
use serde_json::{Value, json};
use tributary::{
    auth::{Actor, Permit, ReadConfiguration},
    crypto::seal::Keyring,
    ids::SourceId,
    polling::{Entry, Window, store, terms::Prepared},
    vendor::{self, Manner, Running},
};

use crate::support::{TestApp, each};

struct Poll {
    app: TestApp,
    vendor: Running,
    source: SourceId,
}

impl Poll {
    fn read(&self) -> Permit<ReadConfiguration> {
        Actor::cli().permit(self.app.tenant).unwrap()
    }

    async fn windows(&self) -> Vec<Entry> {
        let all = Window::new(DateTime::UNIX_EPOCH, self.app.clock.now() + TimeDelta::days(99));
        store::windows(&self.app.db, &self.read(), self.source, all, None, 1_000).await.unwrap()
    }

    /// The statuses of all answers so far, once so many windows are done.
    async fn statuses(&self, done: usize) -> Vec<u16> {
        let began = Instant::now();
        let windows = loop {
            let windows = self.windows().await;
            if windows.iter().filter(|entry| entry.done_at.is_some()).count() >= done {
                break windows;
            }
            assert!(began.elapsed() < Duration::from_mins(1), "{windows:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let mut statuses = Vec::new();
        for entry in windows {
            for attempt in store::attempts(&self.app.db, &self.read(), entry.id).await.unwrap() {
                statuses.extend(attempt.requests().iter().filter_map(|request| request.status));
            }
        }
        statuses
    }

    async fn stored(&self) -> Vec<u64> {
        let payloads = self.app.payloads().await;
        let id = |text: &String| serde_json::from_str::<Value>(text).unwrap()["id"].as_u64().unwrap();
        payloads.iter().map(id).collect()
    }

    fn there(&self) -> BTreeSet<u64> {
        let now = self.app.clock.now();
        self.vendor.world().items().iter().filter(|item| item.seen <= now).map(|item| item.id).collect()
    }

    async fn must_agree(&self) {
        let stored = self.stored().await;
        assert_eq!(stored.iter().copied().collect::<BTreeSet<_>>(), self.there());
        assert_eq!(stored.len(), self.there().len(), "something is stored twice");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_changed_is_not_asked_for_in_full() {
    each(async |app: TestApp| {
        let event_type = app.event_type(|_| {}).await;
        let manner = Manner {
            records: 60,
            start: app.clock.now() - TimeDelta::hours(20),
            step: TimeDelta::hours(1),
            conditional: true,
            ..Manner::default()
        };
        let vendor = vendor::start("127.0.0.1:0".parse().unwrap(), manner, app.clock.clone()).await.unwrap();
        let definition = json!({
            "name": "Export",
            "url": vendor.url(),
            "window": {"kind": "sinceOnly", "parameters": {}},
            "conditional": true,
            "schedule": {"everyMinutes": 10, "settleSeconds": 0},
            "records": "$.data.items",
            "recordId": ["/id"],
            "version": "/version",
        });
        let prepared = Prepared::read(&definition.to_string()).expect("a good definition");
        let (db, clock, permit) = (&app.db, &app.clock, app.permit());
        let folder = tempfile::tempdir().unwrap();
        // before the first record: since then, something has changed
        let start = Some(clock.now() - TimeDelta::hours(21));
        let keys = Keyring::at(Some(&folder.path().join("key")), None);
        let made = store::change::create(db, clock, &keys, &permit, event_type, prepared, start).await;
        let poll = Poll { source: made.expect("a source").id, vendor, app: app.clone() };
        poll.app.start_with(&["--allow-outbound", "127.0.0.1"]).await;
        assert_eq!(poll.statuses(1).await, [200]);
        poll.must_agree().await;
        let run = async |seconds| {
            poll.app.clock.advance(seconds);
            store::change::run_now(db, clock, &permit, poll.source).await.unwrap();
        };
        // a minute later nothing has changed; what it said is written down a moment after the window is
        let mut done = 1;
        while poll.statuses(done).await.last() != Some(&304) {
            assert!(done < 9, "it is read in full each time");
            run(60).await;
            done += 1;
        }
        poll.must_agree().await;
        run(7_200).await;
        let statuses = poll.statuses(done + 1).await;
        assert_eq!(statuses.last(), Some(&200), "{statuses:?}");
        poll.must_agree().await;
        assert!(poll.windows().await.iter().all(|entry| entry.done_at.is_some()));
        // a window that is read once more is read
        let first = poll.windows().await[0].window();
        let before = poll.windows().await.len();
        store::change::backfill(db, clock, &permit, poll.source, first, TimeDelta::days(1)).await.unwrap();
        poll.statuses(before + 1).await;
        let again =
            poll.windows().await.into_iter().find(|entry| !entry.tiles()).expect("a window that was read again");
        assert!(again.records > 0 && again.fresh == 0, "{again:?}");
        poll.must_agree().await;
    })
    .await;
}
