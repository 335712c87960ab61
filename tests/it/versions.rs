//! Versions of contracts from end to end: a draft is tried, activated and rolled back, and the front door follows.
use tributary::{
    auth::{Actor, Configure, Permit, ReadConfiguration, ReadPayloads},
    event_types::{
        self, Policy,
        trial::{self, Change, Ended},
        versions,
    },
    ids::EventTypeId,
};

use crate::support::{ORDER, TestApp, contract, each, settings};

const STRICT: &str = r#"{"type":"object","required":["Amount","Email"],"properties":{"Amount":{"type":"number"},"Lines":{"type":"array","items":{"type":"string"}}}}"#;
const LOOSE: &str = r#"{"type":"object","properties":{"Amount":{"type":["number","string"]}}}"#;

async fn save(app: &TestApp, id: EventTypeId, text: &str) -> versions::Draft {
    versions::save_draft(&app.db, &app.clock, &app.permit(), id, contract(text)).await.unwrap()
}

async fn tried(app: &TestApp, id: EventTypeId, draft: &str, count: usize) -> trial::Trial {
    let read: Permit<ReadConfiguration> = Actor::cli().permit(app.tenant).unwrap();
    let payloads: Permit<ReadPayloads> = Actor::cli().permit(app.tenant).unwrap();
    let event_type = event_types::get(&app.db, &read, id).await.unwrap();
    let longest = settings(&[]).limits.max_event;
    trial::trial(&app.db, &payloads, longest, &event_type, &contract(draft), count).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_front_door_follows_what_is_activated_and_rolled_back() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        app.start().await;
        assert_eq!(app.send(id, r#"{"Amount":1}"#).await.status, 201);
        let draft = save(&app, id, STRICT).await;
        assert_eq!(app.send(id, r#"{"Amount":1}"#).await.status, 201, "a draft judges nothing");
        let permit: Permit<Configure> = app.permit();
        versions::activate(&app.db, &app.clock, &permit, id, None, draft.fingerprint()).await.unwrap();
        app.until(app.to_type(id, r#"{"Amount":1}"#), 422).await;
        versions::roll_back(&app.db, &app.clock, &permit, id, 1, 2, None).await.unwrap();
        app.until(app.to_type(id, r#"{"Amount":1}"#), 201).await;
    })
    .await;
}

/// What the trial says is what the front door does with the very same events once the draft is active.
#[tokio::test(flavor = "multi_thread")]
async fn a_trial_says_what_the_front_door_will_do() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        let other = app.orders().await;
        app.start().await;
        let bodies = [
            r#"{"Amount":1,"Email":"a"}"#,
            r#"{"Amount":2}"#,
            r#"{"Amount":3,"Lines":[1,2,"x"]}"#,
            r#"{"Amount":"4"}"#,
            r#"{"Amount":"5","Email":"a"}"#,
            r#"{"Amount":true}"#,
            r#"{"Amount":6,"Amount":7}"#,
        ];
        app.send(id, format!("[{}]", bodies.join(","))).await;
        app.send(other, "[{},{}]").await;
        let before = app.stored().await.len();

        let strict = tried(&app, id, STRICT, 1_000).await;
        assert_eq!((strict.looked_at, strict.ended), (7, Ended::All));
        assert_eq!((strict.accepted, strict.would_break, strict.break_already), (3, 2, 0));
        assert_eq!((strict.quarantined, strict.would_pass), (4, 0));
        let groups: Vec<_> = strict.groups.iter().map(|g| (g.rule.as_str(), g.path.as_str(), g.events)).collect();
        assert_eq!(groups, [("required", "/Email", 2), ("type", "/Lines/*", 1)]);

        let loose = tried(&app, id, LOOSE, 1_000).await;
        assert_eq!((loose.would_break, loose.would_pass), (0, 2));
        assert!(loose.groups.iter().all(|group| group.change == Change::WouldPass && group.path == "/Amount"));
        assert_eq!(loose.groups[0].samples.len(), 2);
        assert_eq!(app.stored().await.len(), before, "a trial stores nothing");

        let two = tried(&app, id, STRICT, 2).await;
        assert_eq!((two.looked_at, two.ended), (2, Ended::Count));

        let draft = save(&app, id, LOOSE).await;
        versions::activate(&app.db, &app.clock, &app.permit(), id, None, draft.fingerprint()).await.unwrap();
        app.until(app.to_type(id, r#"{"Amount":"9"}"#), 201).await;
        let again = app.send(id, format!("[{}]", bodies.join(","))).await.json();
        assert_eq!(again["accepted"], loose.accepted - loose.would_break + loose.would_pass);

        // those that broke the contract when they came, and were let pass
        app.change_type(id, |details| {
            details.contract = contract(ORDER);
            details.policy = Policy::Warn;
        })
        .await;
        let warned = tried(&app, id, ORDER, 1_000).await;
        assert!(warned.would_break > 0 && warned.would_break == warned.break_already, "{warned:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_conflicts_is_not_said_to_pass() {
    each(async |app: TestApp| {
        let id = app.unique_by(&["Id"]).await;
        app.start().await;
        app.send(id, r#"[{"Id":1,"a":1},{"Id":1,"a":2}]"#).await;
        let trial = tried(&app, id, "true", 1_000).await;
        assert_eq!((trial.quarantined, trial.would_pass, trial.conflicts), (1, 0, 1));
    })
    .await;
}
