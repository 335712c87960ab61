//! What had been missed: a closed window is read again, what turns up is stored, and the page tells the share of it and
//! by how many records it is measured.
use chrono::TimeDelta;
use serde_json::json;
use tributary::{
    auth::Role,
    polling::{Entry, ledger::Kind, store},
};

use crate::support::{
    TestApp,
    browser::{Browser, account},
    each,
    poll::Poll,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_reading_again_finds_is_stored_and_measured() {
    each(async |app: TestApp| {
        let time = json!({"recordTime": {"pointer": "/changed", "format": {"kind": "epochMilliseconds"}}});
        let poll = Poll::new(app.clone(), time, TimeDelta::hours(3)).await;
        let (db, clock) = (&app.db, &app.clock);
        let moment = clock.now() - TimeDelta::minutes(100);
        poll.shop.fill(1, 12, TimeDelta::hours(3));
        // its transaction was slow: it bears a time that was asked for before anybody could see it
        poll.shop.late(100, 1, moment, TimeDelta::minutes(110));
        poll.start().await;
        poll.until("complete", 0, async || {
            let windows = poll.windows().await;
            !windows.is_empty() && windows.iter().all(|entry| entry.done_at.is_some())
        })
        .await;
        assert!(!poll.delivered().await.contains(&(100, 1)));
        let before = poll.now().await;
        let stored = i64::try_from(poll.delivered().await.len()).unwrap();
        assert_eq!((before.reconciliation.loss(), before.lateness.n()), (None, stored));
        // the window that it belongs to is drawn
        clock.advance(900);
        let window = poll.windows().await.iter().map(Entry::window).find(|one| one.holds(moment));
        let source = store::plan::reconciled(db).await.unwrap().remove(0);
        assert!(store::plan::check(db, clock, source, window.unwrap(), 0.5).await.unwrap());
        poll.until("checked", 0, async || poll.now().await.reconciliation.windows == 1).await;
        assert!(poll.delivered().await.contains(&(100, 1)));
        let check = poll.windows().await.into_iter().find(|entry| entry.kind == Kind::Check).unwrap();
        let found = poll.now().await.reconciliation;
        assert_eq!((found.records, found.missed), (check.records, 1));
        assert_eq!(check.duplicates, check.records - 1);
        account(&app, "ada@example.com", Role::Consultant, None).await;
        let mut ada = Browser::signed_in(&app, "ada@example.com").await;
        let here = format!("/tenants/{}/sources/{}", app.tenant, poll.source);
        let page = ada.get(&here).await.text();
        let told = format!("1 of {} records in 1 window read again had been missed", check.records);
        assert!(page.contains(&told), "no {told:?} in {page}");
        // what the schedule brings meanwhile is counted too
        let counted = poll.now().await.lateness.n();
        let told = (stored..=counted).any(|n| page.contains(&format!("of {n} records")));
        assert!(told && page.contains("99 % at most"), "not of {stored} to {counted} records: {page}");
        // nothing is drawn any more once that is switched off
        assert_eq!(ada.post(&format!("{here}/reconcile"), &[("checks", "off")]).await.status, 303);
        assert!(store::plan::reconciled(db).await.unwrap().is_empty());
        assert!(ada.get(&here).await.text().contains("Read again at random"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_retention_may_have_forgotten_is_not_read_again() {
    each(async |app: TestApp| {
        // events are kept for 90 days
        let poll = Poll::new(app.clone(), json!({}), TimeDelta::days(95)).await;
        poll.shop.fill(1, 20, TimeDelta::days(95));
        poll.start().await;
        poll.until("complete", 0, async || {
            let windows = poll.windows().await;
            windows.len() > 90 && windows.iter().all(|entry| entry.done_at.is_some())
        })
        .await;
        account(&app, "ada@example.com", Role::Consultant, None).await;
        let mut ada = Browser::signed_in(&app, "ada@example.com").await;
        let tenant = format!("/tenants/{}", app.tenant);
        let windows = poll.windows().await;
        let (old, young) = (&windows[0], windows.last().unwrap());
        let here = format!("{tenant}/sources/{}/windows", poll.source);
        let refused = ada.post(&format!("{here}/{}/read-again", old.id), &[]).await;
        assert_eq!(refused.status, 422, "{}", refused.text());
        assert!(refused.text().contains("may be forgotten by now"), "{}", refused.text());
        let again = ada.post(&format!("{here}/{}/read-again", young.id), &[]).await;
        assert_eq!(again.status, 303, "{}", again.text());
        poll.until("read again", 0, async || {
            let windows = poll.windows().await;
            windows.iter().any(|entry| entry.kind == Kind::Reread && entry.done_at.is_some())
        })
        .await;
        poll.must_agree().await;
    })
    .await;
}
