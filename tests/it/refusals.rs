//! What was refused at the address of a type leaves a count by type, hour and status, and nothing else.
use std::time::Duration;

use tributary::{
    auth::{Actor, Permit, ReadConfiguration, Role},
    events::refusals,
    ids::EventTypeId,
};

use crate::support::{
    TestApp,
    browser::{Browser, account},
    contract, each,
};

const EVENT: &str = r#"{"Amount":1}"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_counted_by_type_and_told_on_its_page() {
    each(async |app: TestApp| {
        let id = app.orders().await;
        let (disabled, strict) = (
            app.event_type(|details| details.enabled = false).await,
            app.event_type(|details| {
                details.policy = "refuse".parse().unwrap();
                details.contract = contract(r#"{"required":["Coupon"]}"#);
            })
            .await,
        );
        app.start().await;
        assert_eq!(app.send(id, EVENT).await.status, 201);
        let stranger = app.with_token("nobody");
        for _ in 0..2 {
            assert_eq!(stranger.send(id, EVENT).await.status, 401);
        }
        assert_eq!(app.send(id, "{").await.status, 400);
        assert_eq!(app.send(disabled, EVENT).await.status, 404);
        assert_eq!(app.send(strict, EVENT).await.status, 422);
        // whoever knows nothing leaves nothing, and a dry run is no loss
        assert_eq!(stranger.send(EventTypeId::default(), EVENT).await.status, 401);
        assert_eq!(stranger.ask(stranger.post(&format!("/events/{id}/validate")).body(EVENT)).await.status, 401);

        account(&app, "ada@example.com", Role::Consultant, None).await;
        let mut ada = Browser::signed_in(&app, "ada@example.com").await;
        let page = format!("/tenants/{}/event-types/{id}", app.tenant);
        let began = std::time::Instant::now();
        while !ada.get(&page).await.text().contains("2 no valid token (401), 1 not understood (400)") {
            assert!(began.elapsed() < Duration::from_secs(12), "{}", ada.get(&page).await.text());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        assert_eq!(app.send(id, "[").await.status, 400);
        // whoever stops in order forgets nothing
        app.stop().await;
        let permit: Permit<ReadConfiguration> = Actor::cli().permit(app.tenant).unwrap();
        let told = async |id| {
            let told = refusals::of_type(&app.db, &permit, id, app.clock.now()).await.unwrap();
            told.into_iter().map(|one| (one.status, one.requests)).collect::<Vec<_>>()
        };
        assert_eq!(told(id).await, [(400, 2), (401, 2)]);
        assert_eq!(told(disabled).await, [(404, 1)]);
        assert_eq!(told(strict).await, [(422, 1)]);
        assert_eq!(told(EventTypeId::default()).await, []);
    })
    .await;
}
