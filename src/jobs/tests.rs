//! Tasks as they are worked off: to their end, by several at once, and by whoever takes over from one that died.
use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::Instant;
use uuid::Uuid;

use super::*;
use crate::{
    auth::{Configure, ReadPayloads, testing},
    clock::Clock,
    db::{Db, testing::each},
    ids::new_id,
    sql,
};

/// Writes one piece a step: a piece that is written twice is refused by its key.
const COUNT: Kind = Kind {
    name: "test.count",
    title: "Count",
    noun: "piece",
    counters: &[("even", "Even")],
    step: |_, task| Box::pin(async { count(task) }),
    about: About::nothing,
};
const KINDS: &[Kind] = &[
    COUNT,
    Kind {
        name: "test.refuse",
        step: |_, _| Box::pin(async { Err(Error::Refused("the type is gone".into())) }),
        ..COUNT
    },
    Kind {
        name: "test.break",
        step: |_, _| Box::pin(async { Err(Error::internal(anyhow::anyhow!("no such luck"))) }),
        ..COUNT
    },
    Kind { name: "test.panic", step: |_, _| Box::pin(async { panic!("on purpose") }), ..COUNT },
];

fn count(task: &Task) -> Result<Effects> {
    let (upto, at, even) = (task.input::<i64>()?, task.cursor::<i64>()?.unwrap_or(0), task.counter("even"));
    let (tenant, id) = (task.tenant, task.id);
    assert_eq!((at, even), (task.done, (at + 1) / 2), "the cursor and the counters are of the same commit");
    Ok(Effects::new(move |tx| {
        Box::pin(async move {
            output::append(tx, tenant, id, at, vec![at.to_string().into_bytes()]).await?;
            let outcome = if at + 1 == upto { Outcome::done() } else { Outcome::more(&(at + 1))? };
            Ok(outcome.did(1).of(upto).counting("even", 1 - at % 2))
        })
    }))
}

struct Desk {
    app: App,
    tenant: TenantId,
}

impl Desk {
    fn new(db: &Db) -> Self {
        let clock = Clock::system();
        let app = App { jobs: Jobs::new(KINDS), ..testing::app(db, &clock) };
        Self { tenant: TenantId(new_id(&clock)), app }
    }

    fn permit(&self) -> Permit<ReadPayloads> {
        Actor::cli().permit(self.tenant).unwrap()
    }

    async fn queue(&self, kind: &'static str, upto: i64) -> TaskId {
        let (clock, permit) = (self.app.clock.clone(), self.permit());
        let write =
            self.app.db.write(move |tx| Box::pin(async move { enqueue(tx, &clock, &permit, kind, &upto, None).await }));
        write.await.unwrap()
    }

    async fn task(&self, id: TaskId) -> Task {
        get(&self.app.db, &self.permit(), id).await.unwrap()
    }

    async fn ended(&self, id: TaskId) -> Task {
        let began = Instant::now();
        loop {
            let task = self.task(id).await;
            if !task.state.is_open() {
                return task;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "still {:?}", task.state);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn pieces(&self, id: TaskId) -> Vec<i64> {
        let text = "SELECT number FROM task_output WHERE task_id = $1 ORDER BY number";
        sql!(values i64, self.app.db, text, id).unwrap()
    }

    /// As when whoever had it has been gone for longer than a lease lasts.
    async fn abandon(&self, id: TaskId) {
        let long_ago = chrono::DateTime::<Utc>::UNIX_EPOCH;
        let write = self.app.db.write(move |tx| {
            Box::pin(async move {
                sql!(exec tx, "UPDATE tasks SET held_until = $2 WHERE id = $1", id, long_ago)?;
                Ok(())
            })
        });
        write.await.unwrap();
    }

    async fn claim(&self) -> Option<Task> {
        store::claim(&self.app.db, &self.app.clock).await.unwrap()
    }

    async fn step(&self, task: &Task) -> Option<Task> {
        let effects = count(task).unwrap();
        store::commit(&self.app.db, &self.app.clock, task, effects).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_processes_share_many_tasks_and_do_each_step_once() {
    each(async |db| {
        let (acme, other) = (Desk::new(&db), Desk::new(&db));
        let (app, mut ids) = (acme.app.clone(), Vec::new());
        let processes: Vec<_> = (0..3).map(|_| tokio::spawn(worker::run(app.clone()))).collect();
        for upto in [1, 7, 30] {
            ids.push((&acme, acme.queue("test.count", upto).await, upto));
            ids.push((&other, other.queue("test.count", upto).await, upto));
            app.jobs.wake();
        }
        for (desk, id, upto) in ids {
            let task = desk.ended(id).await;
            assert_eq!((task.state, task.done, task.total), (State::Done, upto, Some(upto)));
            assert_eq!(task.counter("even"), (upto + 1) / 2);
            assert_eq!(desk.pieces(id).await, (0..upto).collect::<Vec<_>>());
            assert!(task.began_at >= Some(task.created_at) && task.ended_at >= task.began_at);
        }
        app.stopping.cancel();
        for process in processes {
            process.await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn who_takes_over_goes_on_and_who_was_thought_dead_writes_nothing() {
    each(async |db| {
        let desk = Desk::new(&db);
        let id = desk.queue("test.count", 4).await;
        let first = desk.claim().await.unwrap();
        let first = desk.step(&first).await.unwrap();
        assert!(desk.claim().await.is_none(), "it is held");
        // in the middle of its second step the process stalls
        let stalled = count(&first).unwrap();
        desk.abandon(id).await;
        let second = desk.claim().await.unwrap();
        assert_eq!((second.id, second.done), (id, 1));
        assert!(!store::beat(&db, &first).await.unwrap(), "it is told that the task is another's");
        assert!(store::commit(&db, &desk.app.clock, &first, stalled).await.unwrap().is_none());
        assert_eq!(desk.pieces(id).await, [0]);
        store::give_back(&db, &first, TimeDelta::zero(), true).await.unwrap();
        assert!(desk.claim().await.is_none(), "nor can it give away what is another's");
        worker::turn(&desk.app, second).await;
        let task = desk.task(id).await;
        assert_eq!((task.state, task.done, desk.pieces(id).await), (State::Done, 4, vec![0, 1, 2, 3]));
    })
    .await;
}

#[tokio::test]
async fn effects_that_fail_leave_the_task_where_it_was() {
    each(async |db| {
        let desk = Desk::new(&db);
        let id = desk.queue("test.count", 2).await;
        let task = desk.claim().await.unwrap();
        let tenant = desk.tenant;
        let broken = Effects::new(move |tx| {
            Box::pin(async move {
                output::append(tx, tenant, id, 0, vec![vec![1]]).await?;
                Err(Error::internal(anyhow::anyhow!("the power went")))
            })
        });
        assert!(store::commit(&db, &desk.app.clock, &task, broken).await.is_err());
        assert_eq!((desk.task(id).await.done, desk.pieces(id).await), (0, vec![]));
        worker::turn(&desk.app, task).await;
        assert_eq!((desk.task(id).await.state, desk.pieces(id).await), (State::Done, vec![0, 1]));
    })
    .await;
}

#[tokio::test]
async fn a_task_is_cancelled_at_once_or_after_the_step_under_way() {
    each(async |db| {
        let desk = Desk::new(&db);
        let clock = &desk.app.clock;
        let permit = Actor::cli().permit::<Configure>(desk.tenant).unwrap();
        let waiting = desk.queue("test.count", 3).await;
        assert_eq!(cancel(&db, clock, &permit, waiting).await.unwrap(), State::Cancelled);
        assert!(desk.claim().await.is_none());

        let id = desk.queue("test.count", 3).await;
        let task = desk.claim().await.unwrap();
        assert_eq!(cancel(&db, clock, &permit, id).await.unwrap(), State::Running);
        assert_eq!(cancel(&db, clock, &permit, id).await.unwrap(), State::Running, "twice is as good as once");
        let task = desk.step(&task).await.unwrap();
        assert_eq!((task.state, task.done, desk.pieces(id).await), (State::Cancelled, 1, vec![0]));
        assert!(task.ended_at.is_some() && desk.claim().await.is_none());
        assert_eq!(cancel(&db, clock, &permit, id).await.unwrap(), State::Cancelled);

        // one whose process has died is nobody's
        let id = desk.queue("test.count", 3).await;
        let task = desk.claim().await.unwrap();
        desk.abandon(id).await;
        assert_eq!(cancel(&db, clock, &permit, id).await.unwrap(), State::Cancelled);
        assert!(desk.step(&task).await.is_none(), "it was not dead, but it comes too late");

        let stranger = Actor::cli().permit::<Configure>(TenantId(new_id(clock))).unwrap();
        assert!(matches!(cancel(&db, clock, &stranger, id).await, Err(Error::NotFound("task"))));
        let actions = sql!(values String, &db, "SELECT action FROM audit ORDER BY at, id").unwrap();
        let cancelled = actions.iter().filter(|action| *action == "task.cancel").count();
        assert_eq!((actions.len(), cancelled), (6, 3), "{actions:?}");
    })
    .await;
}

#[tokio::test]
async fn tenants_take_turns() {
    each(async |db| {
        let (acme, other) = (Desk::new(&db), Desk::new(&db));
        let mut of_acme = Vec::new();
        for _ in 0..3 {
            of_acme.push(acme.queue("test.count", 1).await);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let of_other = other.queue("test.count", 1).await;
        let mut order = Vec::new();
        while let Some(task) = acme.claim().await {
            order.push(task.id);
        }
        let place = order.iter().position(|id| *id == of_other).unwrap();
        assert!(place < 2, "behind all of a busy neighbour: {order:?}");
        assert_eq!(order.iter().filter(|id| of_acme.contains(id)).copied().collect::<Vec<_>>(), of_acme);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_done_fails_in_words_and_what_may_pass_is_tried_again() {
    each(async |db| {
        let desk = Desk::new(&db);
        let id = desk.queue("test.refuse", 1).await;
        worker::turn(&desk.app, desk.claim().await.unwrap()).await;
        let task = desk.task(id).await;
        assert_eq!((task.state, task.error.as_deref()), (State::Failed, Some("The type is gone.")));

        let id = desk.queue("test.unknown", 1).await;
        worker::turn(&desk.app, desk.claim().await.unwrap()).await;
        assert!(desk.task(id).await.error.unwrap().contains("test.unknown"));

        for kind in ["test.break", "test.panic"] {
            let id = desk.queue(kind, 1).await;
            for attempt in 0..8 {
                assert!(desk.task(id).await.state.is_open(), "{kind}, attempt {attempt}");
                desk.abandon(id).await;
                worker::turn(&desk.app, desk.claim().await.unwrap()).await;
                assert!(desk.claim().await.is_none(), "it rests first");
            }
            let task = desk.task(id).await;
            assert_eq!(task.state, State::Failed, "{kind}");
            assert!(task.error.unwrap().contains("8 times in a row"));
        }
    })
    .await;
}

#[tokio::test]
async fn a_tenant_cannot_queue_without_end() {
    each(async |db| {
        let desk = Desk::new(&db);
        for _ in 0..50 {
            desk.queue("test.count", 1).await;
        }
        let (clock, permit) = (desk.app.clock.clone(), desk.permit());
        let more =
            db.write(move |tx| Box::pin(async move { enqueue(tx, &clock, &permit, "test.count", &1, None).await }));
        assert!(matches!(more.await, Err(Error::Conflict(_))));
        Desk::new(&db).queue("test.count", 1).await;
    })
    .await;
}

#[tokio::test]
async fn files_and_tasks_are_forgotten_in_time() {
    each(async |db| {
        let desk = Desk::new(&db);
        let (kept, vain) = (desk.queue("test.count", 30).await, desk.queue("test.count", 9).await);
        worker::turn(&desk.app, desk.claim().await.unwrap()).await;
        let task = desk.step(&desk.claim().await.unwrap()).await.unwrap();
        store::fail(&db, &desk.app.clock, &task, "No.".into()).await.unwrap();
        housekeeping::forget_tasks(&desk.app).await.unwrap();
        assert_eq!((desk.pieces(kept).await.len(), desk.pieces(vain).await.len()), (30, 0));
        desk.app.clock.advance(8 * 86_400);
        housekeeping::forget_tasks(&desk.app).await.unwrap();
        assert_eq!((desk.pieces(kept).await.len(), desk.task(kept).await.done), (0, 30));
        desk.app.clock.advance(90 * 86_400);
        housekeeping::forget_tasks(&desk.app).await.unwrap();
        assert_eq!(list(&db, &desk.permit(), None).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_lease_goes_by_the_clock_of_the_database() {
    each(async |db| {
        let now = db.now().await.unwrap();
        assert!((Clock::system().now() - now).abs() < TimeDelta::seconds(2), "{now}");
        let desk = Desk::new(&db);
        let id = desk.queue("test.count", 1).await;
        desk.claim().await.unwrap();
        desk.app.clock.advance(3600);
        assert!(desk.claim().await.is_none(), "a clock of the process that is wrong frees no task");
        let text = "SELECT held_until FROM tasks WHERE id = $1";
        let until = sql!(value chrono::DateTime<Utc>, &db, text, id).unwrap();
        assert!(until > now && until <= now + store::LEASE + TimeDelta::seconds(5));
        assert_ne!(Uuid::nil(), id.0);
    })
    .await;
}
