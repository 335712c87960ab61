//! The demo, filled and removed on both databases.
use super::*;
use crate::{
    auth::{Actor, ReadConfiguration, Role},
    clock::Clock,
    db::testing::each,
    error::Error,
    event_types::{self, versions},
    events::{
        self, Cursor, FieldIs, Filter,
        testing::{Bench, Browser},
    },
    failures::{
        State,
        store::{States, Which},
    },
    intake, sql, tenants, tokens,
};

async fn count(db: &Db, verdict: &str) -> i64 {
    let text = "SELECT COUNT(*) FROM events WHERE tenant_id = $1 AND verdict = $2";
    sql!(value i64, db, text, TENANT, verdict).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_filled_shows_what_it_should_and_goes_without_a_trace_but_one() {
    each(async |db| {
        let (clock, cli) = (Clock::system(), Actor::cli());
        let other = Bench::with_tenant(&db).await;
        let kept = other.one(other.named_type("Order").await, "{}").await;
        let filled = fill(&db, &clock, &cli, |_| ()).await.unwrap();

        // what it says is there, and is counted
        assert_eq!(count(&db, "accepted").await, i64::try_from(filled.accepted + filled.mended).unwrap());
        assert_eq!(count(&db, "mended").await, i64::try_from(filled.mended).unwrap());
        assert!(filled.accepted > 10_000 && filled.duplicates > 10 && filled.mended > 20, "{filled:?}");
        let text = "SELECT CAST(SUM(accepted) AS BIGINT) FROM event_counts WHERE tenant_id = $1";
        assert_eq!(sql!(value i64, &db, text, TENANT).unwrap(), count(&db, "accepted").await);
        let oldest =
            sql!(value uuid::Uuid, &db, "SELECT id FROM events WHERE tenant_id = $1 ORDER BY id LIMIT 1", TENANT);
        let age = clock.now() - crate::ids::moment(oldest.unwrap());
        assert!(age.num_days() >= DAYS - 1 && age.num_days() <= DAYS, "{age}");

        // a broken sender, one that is known, and one that was mended
        let read: Permit<ReadPayloads> = cli.permit(TENANT).unwrap();
        let which = Which { states: States::All, ..Which::default() };
        let groups = failures::store::list(&db, &read, which, 50).await.unwrap();
        for state in [State::Open, State::Acknowledged, State::Resolved] {
            assert!(groups.iter().any(|group| group.state == state), "{state:?} {groups:?}");
        }
        let configuration: Permit<ReadConfiguration> = cli.permit(TENANT).unwrap();
        let types = event_types::list(&db, &configuration).await.unwrap();
        assert_eq!(types.len(), 4);
        let shop = types.iter().find(|one| one.details.name.as_str() == "Order placed").unwrap();
        assert_eq!(versions::active(&db, &configuration, shop.id).await.unwrap().made.number, 2);
        assert_eq!(tokens::list(&db, &configuration).await.unwrap().len(), 4);

        // what a customer calls about is found at once
        let of_shop = Filter { event_type: Some(shop.id), ..Filter::default() };
        // whole: of a full basket, a page of the list has no more than the beginning
        let newest = events::store::whole_page(&db, &read, &of_shop, Cursor::Newest, 1).await.unwrap().events.remove(0);
        let payload: serde_json::Value = serde_json::from_str(&newest.payload).unwrap();
        let asked = FieldIs::parse("Order Number", payload["Order Number"].as_str().unwrap()).unwrap();
        let found = Filter { field: Some(asked), ..of_shop };
        let found = events::store::page(&db, &read, &found, Cursor::Newest, 50).await.unwrap();
        assert!(found.events.iter().any(|event| event.id == newest.id) && found.scanned_to.is_none());
        assert_eq!(sql!(value i64, &db, "SELECT COUNT(*) FROM field_work").unwrap(), 0);
        // integrations at every stage, and nothing that has not happened yet
        let all = intake::store::list(&db, &intake::Scope::of(&cli).unwrap()).await.unwrap();
        assert_eq!(all.len() as u64, filled.integrations);
        for stage in intake::Stage::ALL {
            assert!(all.iter().any(|one| one.stage == *stage), "{stage}");
        }
        let text = "SELECT COUNT(*) FROM integration_timeline WHERE at > $1";
        assert_eq!(sql!(value i64, &db, text, clock.now()).unwrap(), 0);

        // once is enough
        let again = fill(&db, &clock, &cli, |_| ()).await;
        assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");

        // somebody who sees nothing else, with a browser signed in
        let browser = Browser::new(&other, Role::Customer, Some(TENANT)).await;
        let held = impact(&db, &cli.grant().unwrap()).await.unwrap();
        assert_eq!((held.people.len(), held.event_types, held.tokens), (1, 4, 4));
        erase(&db, &clock, &cli.grant().unwrap()).await.unwrap();
        let text = "SELECT COUNT(*) FROM sessions WHERE user_id = $1";
        assert_eq!(sql!(value i64, &db, text, browser.user).unwrap(), 0);
        for table in erase::tables(&db).await.unwrap() {
            let text = sqlx::AssertSqlSafe(format!("SELECT COUNT(*) FROM {table} WHERE tenant_id = $1"));
            let left: i64 = match db.reach() {
                crate::db::Reach::Sqlite(on) => sqlx::query_scalar(text).bind(TENANT).fetch_one(on).await,
                crate::db::Reach::Postgres(on) => sqlx::query_scalar(text).bind(TENANT).fetch_one(on).await,
            }
            .unwrap();
            assert_eq!(left, 0, "{table}");
        }
        let gone = tenants::get(&db, &cli.permit(TENANT).unwrap()).await;
        assert!(matches!(gone, Err(Error::NotFound(_))), "{gone:?}");
        let none = erase(&db, &clock, &cli.grant().unwrap()).await;
        assert!(matches!(none, Err(Error::NotFound("demo"))), "{none:?}");
        let trail = "SELECT action FROM audit WHERE tenant_id = $1 ORDER BY at DESC, id DESC LIMIT 1";
        assert_eq!(sql!(value String, &db, trail, TENANT).unwrap(), "demo.remove");
        // nothing of anybody else's
        let text = "SELECT id FROM events WHERE tenant_id = $1";
        assert_eq!(sql!(values crate::ids::EventId, &db, text, other.tenant).unwrap(), [kept]);
        other.one(other.named_type("Another").await, "{}").await;
    })
    .await;
}
