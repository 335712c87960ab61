//! The pages of tasks, as a browser without scripts meets them.
use crate::{
    auth::{Actor, ReadPayloads, Role},
    clock::Clock,
    db::{Db, testing::each},
    ids::{TaskId, TenantId},
    jobs::{self, store, worker},
    tenants::testing::{Visitor, tenant},
};
use axum::http::StatusCode;

const EVIL: &str = "<script>alert('x')</script>&\"";

async fn queue(db: &Db, tenant: TenantId, kind: &'static str) -> TaskId {
    let (clock, permit) = (Clock::system(), Actor::cli().permit::<ReadPayloads>(tenant).unwrap());
    let write =
        db.write(move |tx| Box::pin(async move { jobs::enqueue(tx, &clock, &permit, kind, &EVIL, Some(1_204)).await }));
    write.await.unwrap()
}

#[tokio::test]
async fn a_task_is_listed_shown_and_cancelled() {
    each(async |db| {
        let acme = tenant(&db, "Acme").await;
        let ada = Visitor::new(&db, Role::Consultant, None);
        let list = format!("/tenants/{acme}/tasks");
        assert!(ada.get(&list).await.says("No tasks"));
        let id = queue(&db, acme, EVIL).await;
        let (listed, page) = (ada.get(&list).await, ada.get(&format!("{list}/{id}")).await);
        for answer in [&listed, &page] {
            assert!(answer.says("queued") && answer.says("0 of 1,204"), "{}", answer.body);
            assert!(answer.says("&lt;script&gt;alert") && !answer.says(EVIL));
            assert!(answer.says("data-follow"), "it follows what happens");
        }
        assert!(page.says("<progress") && page.says(&format!("{list}/{id}/cancel")));
        let to = ada.post(&format!("{list}/{id}/cancel"), &[]).await.location().to_owned();
        let page = ada.get(&to).await;
        assert!(page.says("The task is cancelled.") && page.says("Cancelled after 0 of 1,204"), "{}", page.body);
        assert!(!page.says("data-follow") && !page.says("/cancel\""));
    })
    .await;
}

#[tokio::test]
async fn a_failure_is_told_in_words() {
    each(async |db| {
        let acme = tenant(&db, "Acme").await;
        let ada = Visitor::new(&db, Role::Consultant, None);
        let id = queue(&db, acme, "of.the.future").await;
        let task = store::claim(&db, &Clock::system()).await.unwrap().unwrap();
        worker::turn(&ada.app, task).await;
        let page = ada.get(&format!("/tenants/{acme}/tasks/{id}")).await;
        assert!(page.says("It could not be done") && page.says("knows no tasks of the kind of.the.future"));
    })
    .await;
}

#[tokio::test]
async fn another_tenants_task_does_not_exist() {
    each(async |db| {
        let (acme, other) = (tenant(&db, "Acme").await, tenant(&db, "Other").await);
        let id = queue(&db, acme, "test").await;
        let ada = Visitor::new(&db, Role::Consultant, None);
        let bound = Visitor::new(&db, Role::Consultant, Some(other));
        for path in [format!("/tenants/{other}/tasks/{id}"), format!("/tenants/{other}/tasks/nonsense")] {
            assert_eq!(ada.get(&path).await.status, StatusCode::NOT_FOUND);
            assert_eq!(ada.post(&format!("{path}/cancel"), &[]).await.status, StatusCode::NOT_FOUND);
        }
        assert_eq!(bound.get(&format!("/tenants/{acme}/tasks/{id}")).await.status, StatusCode::NOT_FOUND);
        assert!(!ada.get(&format!("/tenants/{other}/tasks")).await.says(&id.to_string()));
        let customer = Visitor::new(&db, Role::Customer, Some(acme));
        assert_eq!(customer.get(&format!("/tenants/{acme}/tasks")).await.status, StatusCode::FORBIDDEN);
    })
    .await;
}
