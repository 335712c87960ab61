//! The ledger in the database, on both of them: whatever happens, its windows tile it, and nobody writes but by the
//! epoch they hold.
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta};
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use uuid::Uuid;

use super::{change, lease, plan, tidy};
use crate::{
    auth::{Actor, Configure, Permit, ReadConfiguration},
    clock::Clock,
    crypto::seal::Keyring,
    db::{
        Db,
        lane::{Append, Lane, Outcome, Progress, Reached, Row, Unique, Verdict},
        testing::each,
    },
    event_types,
    ids::{EventTypeId, ReceiptId, SourceId, TenantId},
    polling::{
        Entry, Health, Source, State, Terms, Window,
        ledger::{self, Kind},
        store,
        terms::{Prepared, testing::prepared},
    },
    sql, tenants,
};

struct Desk {
    db: Db,
    clock: Clock,
    lane: Lane,
    keys: Keyring,
    permit: Permit<Configure>,
    event_type: EventTypeId,
}

impl Desk {
    async fn new(db: &Db) -> Self {
        let (clock, cli) = (Clock::system(), Actor::cli());
        let tenant =
            tenants::create(db, &clock, &cli.grant().unwrap(), None, "Acme".parse().unwrap()).await.unwrap().id;
        let permit = cli.permit(tenant).unwrap();
        let details = event_types::Details::named("Order".parse().unwrap());
        let event_type = event_types::create(db, &clock, &permit, None, details).await.unwrap().id;
        let lane = Lane::start(db, &clock);
        Self { db: db.clone(), clock, lane, keys: Keyring::in_memory(), permit, event_type }
    }

    fn tenant(&self) -> TenantId {
        self.permit.tenant()
    }

    fn read(&self) -> Permit<ReadConfiguration> {
        Actor::cli().permit(self.tenant()).unwrap()
    }

    async fn source(&self, prepared: Prepared) -> Source {
        let start = None;
        change::create(&self.db, &self.clock, &self.keys, &self.permit, self.event_type, prepared, start).await.unwrap()
    }

    async fn now(&self, id: SourceId) -> Source {
        store::get(&self.db, &self.read(), id).await.unwrap()
    }

    async fn plan(&self) -> usize {
        let due = plan::due(&self.db, self.clock.now(), 100).await.unwrap();
        let due = due.into_iter().map(|due| {
            let terms = Terms::read(&due.definition, due.id).unwrap();
            (due, terms)
        });
        plan::run(&self.db, &self.clock, due.collect()).await.unwrap()
    }

    async fn take(&self, most: usize) -> Vec<lease::Taken> {
        lease::take(&self.db, &self.clock, Uuid::nil(), most).await.unwrap()
    }

    async fn windows(&self, id: SourceId) -> Vec<Entry> {
        let all = Window::new(DateTime::UNIX_EPOCH, self.clock.now() + TimeDelta::days(9999));
        store::windows(&self.db, &self.permit, id, all, None, 100_000).await.unwrap()
    }

    async fn must_tile(&self, id: SourceId, after: &str) {
        let source = self.now(id).await;
        let tiles: Vec<_> = self.windows(id).await.iter().filter(|entry| entry.tiles()).map(Entry::window).collect();
        assert_eq!(ledger::check(&tiles, source.span()), Ok(()), "after {after}");
    }

    /// Commits records by their unique values, the last bit of each saying whether it keeps its contract.
    async fn commit(&self, taken: &lease::Taken, records: &[u8], done: bool) -> Outcome {
        let row = |value: &u8| Row {
            event_type: self.event_type,
            verdict: if value.is_multiple_of(2) { Verdict::Accepted } else { Verdict::Quarantined },
            payload: Bytes::from(format!(r#"{{"id":{value}}}"#)),
            errors: (!value.is_multiple_of(2)).then(|| r#"[{"path":"","rule":"type","message":"m"}]"#.to_owned()),
            unique: Some(Unique { value: [*value; 16], content: [*value; 16], path: Arc::from("") }),
            refuse: false,
        };
        let progress = Progress {
            source: taken.source,
            window: taken.id,
            epoch: taken.epoch,
            request: 0,
            reached: Some(Reached {
                position: Some("1".into()),
                done,
                records: i64::try_from(records.len()).unwrap(),
                requests: 1,
                bytes: 10,
                evidence: r#"[{"number":0}]"#.into(),
            }),
        };
        let append = Append {
            tenant: self.tenant(),
            receipt: ReceiptId::issue(&self.clock),
            source: None,
            rows: records.iter().map(row).collect(),
            strict: false,
            once: None,
            mends: None,
            progress: Some(Box::new(progress)),
        };
        let place = self.lane.admit(1).await.unwrap();
        self.lane.append(place, append).await.unwrap()
    }

    async fn end(&self, taken: &lease::Taken, ending: lease::Ending) -> bool {
        let said = ("fault".to_owned(), "[]".to_owned(), 1);
        lease::end(&self.db, &self.clock, taken.clone(), ending, said).await.unwrap()
    }

    /// As if nobody had renewed any lease for long.
    async fn expire(&self) {
        let done = self.db.write(|tx| {
            Box::pin(async move {
                Ok(sql!(exec tx, "UPDATE windows SET held_until = $1 WHERE state = 'running'", DateTime::UNIX_EPOCH)?)
            })
        });
        done.await.unwrap();
    }

    async fn events(&self) -> Vec<(String, String)> {
        sql!(
            all(String, String),
            self.db,
            "SELECT payload, verdict FROM events WHERE tenant_id = $1 ORDER BY payload",
            self.tenant()
        )
        .unwrap()
    }
}

#[tokio::test]
async fn whatever_happens_the_ledger_tiles() {
    each(|db| async move {
        let desk = Desk::new(&db).await;
        let id = desk.source(prepared(5, 0)).await.id;
        let mut held: Vec<lease::Taken> = Vec::new();
        for seed in 0..220_u64 {
            let mut random = SmallRng::seed_from_u64(seed);
            let pick = |random: &mut SmallRng, n: usize| random.random_range(0..n.max(1));
            let act = random.random_range(0..12);
            let any = (!held.is_empty()).then(|| held.swap_remove(pick(&mut random, held.len())));
            match (act, any) {
                (0..=3, any) => {
                    held.extend(any);
                    desk.clock.advance(random.random_range(10..4000));
                    desk.plan().await;
                    held.extend(desk.take(3).await);
                }
                (4 | 5, Some(taken)) => drop(desk.commit(&taken, &[random.random()], true).await),
                (6, Some(taken)) => {
                    desk.commit(&taken, &[random.random()], false).await;
                    desk.end(&taken, lease::Ending::Again { at: desk.clock.now(), failed: true }).await;
                }
                (7, Some(taken)) => {
                    let shape = Terms::read(&taken.of.definition, id).unwrap().shape;
                    if let Some(halves) = ledger::halves(taken.window, shape) {
                        desk.end(&taken, lease::Ending::Split(halves)).await;
                    }
                }
                (8, Some(taken)) => {
                    desk.end(&taken, lease::Ending::Stopped).await;
                    change::resume(&desk.db, &desk.clock, &desk.permit, id).await.unwrap();
                }
                (9, any) => {
                    held.extend(any);
                    desk.expire().await;
                    held.extend(desk.take(2).await);
                }
                (10, any) => {
                    held.extend(any);
                    let source = desk.now(id).await;
                    let range =
                        Window::new(source.starts_at - TimeDelta::hours(3), source.starts_at + TimeDelta::hours(2));
                    let slice = TimeDelta::minutes(50);
                    change::backfill(&desk.db, &desk.clock, &desk.permit, id, range, slice).await.unwrap();
                }
                (11, any) => {
                    held.extend(any);
                    let every = [1, 5, 60][pick(&mut random, 3)];
                    change::edit(&desk.db, &desk.clock, &desk.keys, &desk.permit, id, prepared(every, 0))
                        .await
                        .unwrap();
                    change::run_now(&desk.db, &desk.clock, &desk.permit, id).await.unwrap();
                    desk.plan().await;
                }
                (_, any) => held.extend(any),
            }
            desk.must_tile(id, &format!("act {act} of seed {seed}")).await;
        }
        assert!(desk.windows(id).await.len() > 60, "that was a walk");
        // and once all of it is old, it is one span, or a few
        while let [_, ..] = &held[..] {
            held.clear();
        }
        desk.expire().await;
        loop {
            let taken = desk.take(50).await;
            if taken.is_empty() {
                break;
            }
            for taken in taken {
                desk.commit(&taken, &[], true).await;
            }
        }
        let sum =
            |entries: &[Entry]| entries.iter().filter(|entry| entry.tiles()).map(|entry| entry.records).sum::<i64>();
        let before = desk.windows(id).await;
        desk.clock.advance(40 * 86_400);
        assert_eq!(tidy::sources(&desk.db, desk.clock.now()).await.unwrap(), [(desk.tenant(), id)]);
        let mut from = Some(DateTime::UNIX_EPOCH);
        while let Some(begin) = from {
            from = tidy::spans(&desk.db, desk.tenant(), id, desk.clock.now(), begin).await.unwrap();
        }
        tidy::tidied(&desk.db, desk.tenant(), id, desk.clock.now()).await.unwrap();
        assert!(tidy::sources(&desk.db, desk.clock.now()).await.unwrap().is_empty());
        let after = desk.windows(id).await;
        desk.must_tile(id, "merging").await;
        assert_eq!(sum(&before), sum(&after));
        assert!(after.len() < 12 && after.iter().any(|entry| entry.merged > 10), "{after:?}");
    })
    .await;
}

#[tokio::test]
async fn only_whoever_holds_a_window_writes_for_it() {
    each(|db| async move {
        let desk = Desk::new(&db).await;
        let id = desk.source(prepared(5, 0)).await.id;
        assert_eq!(desk.plan().await, 1, "the past interval, at once");
        assert_eq!(desk.plan().await, 0);
        let [first] = &desk.take(9).await[..] else { panic!("one window") };
        assert!(desk.take(9).await.is_empty(), "it is held");
        assert!(matches!(desk.commit(first, &[2, 3], false).await, Outcome::Stored(_)));
        // it dies, and another goes on where it was
        desk.expire().await;
        let [second] = &desk.take(9).await[..] else { panic!("it is taken over") };
        assert_eq!((second.epoch, second.position.as_deref(), second.so_far), (2, Some("1"), (2, 1)));
        // the first was only slow
        assert!(matches!(desk.commit(first, &[4], true).await, Outcome::Fenced));
        assert!(!lease::beat(&desk.db, first).await.unwrap());
        assert!(!desk.end(first, lease::Ending::Stopped).await);
        assert!(lease::beat(&desk.db, second).await.unwrap());
        // read again: what is known is a duplicate, in quarantine or not
        assert!(matches!(desk.commit(second, &[2, 3, 4], true).await, Outcome::Stored(_)));
        assert!(matches!(desk.commit(second, &[6], true).await, Outcome::Fenced), "done is done");
        let [entry] = &desk.windows(id).await[..] else { panic!("one window") };
        assert_eq!(entry.state, ledger::State::Done);
        assert_eq!((entry.records, entry.fresh, entry.duplicates, entry.quarantined), (5, 2, 2, 1));
        let stored = desk.events().await;
        assert_eq!(
            stored.iter().map(|(payload, _)| payload.as_str()).collect::<Vec<_>>(),
            [r#"{"id":2}"#, r#"{"id":3}"#, r#"{"id":4}"#]
        );
        // from any event back to its window and request
        let events = sql!(values crate::ids::EventId, desk.db, "SELECT id FROM events").unwrap();
        for event in events {
            let origin = store::origin(&desk.db, &desk.permit, event).await.unwrap().expect("an origin");
            assert_eq!((origin.source_id, origin.window_id), (id, entry.id));
        }
        assert_eq!(store::attempts(&desk.db, &desk.permit, entry.id).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_host_is_asked_by_all_together_no_more_than_it_may_be() {
    each(|db| async move {
        let desk = Desk::new(&db).await;
        let grant = Actor::cli().grant().unwrap();
        let host = desk.source(prepared(5, 0)).await.host;
        for _ in 0..5 {
            desk.source(prepared(5, 0)).await;
        }
        desk.plan().await;
        change::limit_host(&desk.db, &desk.clock, &grant, host.clone(), 4, 0).await.unwrap();
        // two processes at once
        let (one, two) = tokio::join!(desk.take(3), desk.take(3));
        let mut held: Vec<_> = one.into_iter().chain(two).collect();
        assert_eq!(held.len(), 4);
        let sources: std::collections::BTreeSet<_> = held.iter().map(|taken| taken.source).collect();
        assert_eq!(sources.len(), 4, "each has had one window, and nobody has taken one twice");
        desk.commit(&held.pop().unwrap(), &[], true).await;
        let next = desk.take(9).await;
        assert_eq!(next.len(), 1);
        // it wants to be left alone: so do the windows of all others on it
        desk.end(&next[0], lease::Ending::Rest(desk.clock.now() + TimeDelta::seconds(90))).await;
        desk.commit(&held.pop().unwrap(), &[], true).await;
        assert!(desk.take(9).await.is_empty());
        desk.clock.advance(91);
        assert!(!desk.take(9).await.is_empty());
        // a rate: six a minute are one at once, and one each ten seconds
        desk.expire().await;
        change::limit_host(&desk.db, &desk.clock, &grant, host, 100, 6).await.unwrap();
        assert_eq!(desk.take(9).await.len(), 1);
        assert!(desk.take(9).await.is_empty());
        desk.clock.advance(11);
        assert_eq!(desk.take(9).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_asked_is_asked_no_more_until_somebody_has_mended_it() {
    each(|db| async move {
        let desk = Desk::new(&db).await;
        let id = desk.source(prepared(5, 0)).await.id;
        desk.plan().await;
        for n in 1..=lease::REFUSALS {
            let [taken] = &desk.take(9).await[..] else { panic!("attempt {n}") };
            desk.end(taken, lease::Ending::Refused(desk.clock.now())).await;
        }
        let source = desk.now(id).await;
        assert_eq!(
            (source.state, source.health, source.reason.as_deref()),
            (State::Refused, Health::Failing, Some("fault"))
        );
        desk.clock.advance(3600);
        assert_eq!((desk.plan().await, desk.take(9).await.len()), (0, 0));
        let source = change::resume(&desk.db, &desk.clock, &desk.permit, id).await.unwrap();
        assert_eq!((source.state, source.reason), (State::Active, None));
        // what was missed meanwhile is one ask
        desk.plan().await;
        let [taken] = &desk.take(9).await[..] else { panic!("one window") };
        assert!(taken.window.length() > TimeDelta::minutes(60), "{:?}", taken.window);
        desk.end(taken, lease::Ending::Stopped).await;
        assert_eq!(desk.now(id).await.state, State::Stopped);
        change::resume(&desk.db, &desk.clock, &desk.permit, id).await.unwrap();
        assert_eq!(desk.take(9).await.len(), 1, "what has failed is tried again");
        // paused: what is under way is let go, and nothing else begins
        let paused = change::pause(&desk.db, &desk.clock, &desk.permit, id).await.unwrap();
        assert_eq!((paused.state, paused.health), (State::Paused, Health::Paused));
        desk.expire().await;
        assert!(desk.take(9).await.is_empty());
        // removed: nobody finds it any more
        change::remove(&desk.db, &desk.clock, &desk.permit, id).await.unwrap();
        assert!(store::get(&desk.db, &desk.read(), id).await.is_err());
        assert!(store::list(&desk.db, &desk.read()).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_source_is_late_after_one_interval_and_fails_after_two() {
    each(|db| async move {
        let desk = Desk::new(&db).await;
        let id = desk.source(prepared(5, 0)).await.id;
        desk.plan().await;
        let mut changes = Vec::new();
        for _ in 0..4 {
            let judged = plan::judge_health(&desk.db, desk.clock.now()).await.unwrap();
            changes.extend(judged.into_iter().map(|(.., before, now)| (before, now)));
            desk.clock.advance(200);
            desk.plan().await;
        }
        assert_eq!(changes, [(Health::Fresh, Health::Late), (Health::Late, Health::Failing)]);
        let standing = store::health(&desk.db).await.unwrap();
        assert_eq!((standing[0].id, standing[0].health), (id, Health::Failing));
        for taken in desk.take(9).await {
            desk.commit(&taken, &[], true).await;
        }
        let judged = plan::judge_health(&desk.db, desk.clock.now()).await.unwrap();
        assert_eq!(judged.len(), 1);
        assert_eq!(desk.now(id).await.health, Health::Fresh);
    })
    .await;
}

#[tokio::test]
async fn what_retention_has_forgotten_is_not_read_again_and_a_closed_window_is() {
    each(|db| async move {
        let desk = Desk::new(&db).await;
        let source = desk.source(prepared(5, 0)).await;
        desk.plan().await;
        for taken in desk.take(9).await {
            desk.commit(&taken, &[2], true).await;
        }
        let now = desk.now(source.id).await;
        let among = Window::new(now.starts_at, now.watermark);
        let checked = plan::reconciled(&desk.db).await.unwrap().remove(0);
        assert!(plan::check(&desk.db, &desk.clock, checked.clone(), among, 0.99).await.unwrap());
        assert!(!plan::check(&desk.db, &desk.clock, checked, among, 0.5).await.unwrap(), "one at a time");
        let [taken] = &desk.take(9).await[..] else { panic!("the window once more") };
        assert_eq!((taken.kind, taken.window), (Kind::Check, among));
        desk.commit(taken, &[2, 4], true).await;
        let learned = plan::Learned { checked: Some((2, 1)), ..plan::Learned::default() };
        plan::learn(&desk.db, desk.tenant(), source.id, learned).await.unwrap();
        let found = desk.now(source.id).await.reconciliation;
        assert_eq!((found.windows, found.records, found.missed, found.loss()), (1, 2, 1, Some(0.5)));
        desk.must_tile(source.id, "a check").await;

        desk.clock.advance(2000 * 86_400);
        let range = Window::new(now.starts_at, now.watermark);
        let again = change::backfill(&desk.db, &desk.clock, &desk.permit, source.id, range, TimeDelta::days(1)).await;
        assert!(again.unwrap_err().to_string().contains("forgotten"));
    })
    .await;
}

#[tokio::test]
async fn a_secret_is_sealed_for_its_source_alone() {
    each(|db| async move {
        let desk = Desk::new(&db).await;
        let secret = |secret: &str| Prepared { secret: Some(secret.into()), ..prepared(5, 0) };
        let (one, two) = (desk.source(secret("hunter-one")).await, desk.source(secret("hunter-three")).await);
        change::set_secret(&db, &desk.clock, &desk.keys, &desk.permit, one.id, "hunter-two", TimeDelta::hours(1))
            .await
            .unwrap();
        let text = "SELECT secret, old_secret, definition FROM sources WHERE id = $1";
        let (new, old, definition) = sql!(one(Vec<u8>, Vec<u8>, String), db, text, one.id).unwrap();
        let open = |id, sealed: &[u8]| change::open(&desk.keys, desk.tenant(), id, sealed);
        assert_eq!(
            (open(one.id, &new).unwrap(), open(one.id, &old).unwrap()),
            ("hunter-two".into(), "hunter-one".into())
        );
        assert!(open(two.id, &new).is_err());
        assert!(!definition.contains("hunter"));
        let trail: Vec<Option<String>> = sql!(values Option<String>, db, "SELECT after FROM audit").unwrap();
        assert!(trail.iter().flatten().all(|after| !after.contains("hunter")));
    })
    .await;
}
