//! A system whose certificate is by an authority of its own: it is asked only where that authority was added.
use chrono::TimeDelta;
use serde_json::json;
use tributary::polling::{State, store};

use crate::support::{TestApp, each, poll::Poll};

const ITS_OWN: &str = include_str!("support/tls/ca.pem");
const ANOTHER: &str = include_str!("support/tls/other.pem");

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_believed_by_the_authority_of_its_source_alone() {
    each(async |app: TestApp| {
        let poll = Poll::new(app.clone(), json!({}), TimeDelta::hours(3)).await;
        poll.shop.fill(1, 15, TimeDelta::hours(3));
        let url = format!("https://{}/orders", poll.shop.behind_tls().await);
        poll.edit(json!({"url": url})).await;
        poll.start().await;
        let (db, clock, permit) = (&app.db, &app.clock, app.permit());
        // not by those of the system, and not by that of somebody else: nothing was told to it, the token least of all
        for ca in [None, Some(ANOTHER)] {
            let mut changes = json!({"url": url});
            if let Some(ca) = ca {
                changes["ca"] = ca.into();
            }
            poll.edit(changes).await;
            store::change::resume(db, clock, &permit, poll.source).await.unwrap();
            poll.until("stopped", 0, async || poll.now().await.state == State::Stopped).await;
            let reason = poll.now().await.reason.unwrap();
            assert!(reason.contains("certificate"), "{reason}");
            assert!(poll.shop.asked().is_empty());
        }
        poll.edit(json!({"url": url, "ca": ITS_OWN})).await;
        store::change::resume(db, clock, &permit, poll.source).await.unwrap();
        poll.until("complete", 0, async || poll.windows().await.iter().all(|entry| entry.done_at.is_some())).await;
        assert!(!poll.shop.asked().is_empty());
        poll.must_agree().await;
    })
    .await;
}
