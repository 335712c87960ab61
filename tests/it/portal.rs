//! What customers see of their integrations, and what they answer: of their own tenant alone, and nobody for them.
use tributary::{
    auth::{Actor, Role, RunImplementations, SeeIntegrations},
    ids::{IntegrationId, TenantId},
    intake::{
        Side,
        implementation::{Kind, Task, Whole, store},
        store::timeline,
    },
};

use crate::{
    implementation::{built, whole},
    support::{
        Answer, TestApp,
        browser::{Browser, account, between},
        each,
    },
};

async fn signed_in(app: &TestApp, email: &str, role: Role, tenant: Option<TenantId>) -> Browser {
    account(app, email, role, tenant).await;
    Browser::signed_in(app, email).await
}

fn led(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    answer.header("location").unwrap().to_owned()
}

/// Ticks what comes before a task of the customer, and returns that.
async fn ready(app: &TestApp, id: IntegrationId, mut now: Whole) -> Task {
    let permit = Actor::cli().permit::<RunImplementations>(app.tenant).unwrap();
    let task = now
        .tasks
        .iter()
        .find(|one| one.details.side == Side::Customer)
        .expect("the customer is asked for something")
        .clone();
    loop {
        let first = now.before(&task).next().map(|first| now.before(first).next().unwrap_or(first).id);
        let Some(first) = first else { break };
        store::set_done(&app.db, &app.clock, &permit, id, first, true).await.unwrap();
        now = whole(app, id).await;
    }
    task
}

/// What the timeline of an integration says.
async fn told(app: &TestApp, id: IntegrationId) -> String {
    let see = Actor::cli().permit::<SeeIntegrations>(app.tenant).unwrap();
    let happened = timeline(&app.db, &see, id, 50).await.unwrap();
    happened.into_iter().map(|one| one.what).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_sees_their_own_integrations_and_answers_what_they_are_asked_for() {
    each(|app| async move {
        let (id, planned) = built(&app).await;
        app.start().await;
        let task = ready(&app, id, planned).await;
        let base = format!("/tenants/{}/portal", app.tenant);
        let (here, one) = (format!("{base}/{id}"), format!("{base}/{id}/tasks/{}", task.id));
        let mut jane = signed_in(&app, "jane@example.com", Role::Customer, Some(app.tenant)).await;
        let page = jane.get(&base).await.text();
        assert!(page.contains(&here) && page.contains("Being set up"), "{page}");
        let page = jane.get(&here).await.text();
        assert!(page.contains("What we need from you") && page.contains(&one), "{page}");

        // nothing is said, too much is said, a file is too long: told, and nothing is kept
        let refused = jane.post(&one, &[("words", " ")]).await;
        assert_eq!(refused.status, 422, "{}", refused.text());
        assert_eq!(jane.post(&one, &[("words", &"x".repeat(4_001))]).await.status, 422);
        assert_eq!(jane.post(&one, &[("words", "a\0b")]).await.status, 422);
        let long = jane.upload(&one, &[("words", "")], ("file", "long.bin", &vec![0; (10 << 20) + 1])).await;
        assert_eq!(long.status, 422, "{}", long.text());
        // words with hostile text, and a page that would run if it were shown
        let file: &[u8] = b"<script>alert(1)</script>";
        let sent = jane.upload(&one, &[("words", "See <b>this</b>")], ("file", "../pl\u{e4}n.html", file)).await;
        assert!(led(&sent).ends_with("?done=answered"));
        let page = jane.get(&one).await.text();
        assert!(page.contains("See &lt;b&gt;this&lt;/b&gt;") && page.contains("pl\u{e4}n.html"), "{page}");
        let at = page.find(&format!("{here}/files/")).expect("a link to the file");
        let href = page[at..].split('"').next().unwrap().to_owned();
        let got = jane.get(&href).await;
        assert_eq!((got.status, got.body.as_slice()), (200, file));
        assert_eq!(got.header("content-type"), Some("application/octet-stream"));
        assert!(got.header("content-disposition").unwrap().starts_with("attachment"));
        assert_eq!(got.header("x-content-type-options"), Some("nosniff"));

        // ticked, by the customer alone, and once
        led(&jane.post(&one, &[("words", ""), ("done", "on")]).await);
        let done = whole(&app, id).await.tasks.into_iter().find(|one| one.id == task.id).unwrap();
        assert!(done.done_at.is_some() && done.done_by.unwrap().contains("jane@example.com"));
        assert!(jane.get(&here).await.text().contains("done"));

        assert!(told(&app, id).await.contains("with pl\u{e4}n.html"), "an answer is on the timeline");

        // a colleague sees the same, marked and written down, and answers nothing for them
        let mut ada = signed_in(&app, "ada@example.com", Role::Consultant, None).await;
        let page = ada.get(&here).await.text();
        assert!(page.contains("You see what the customer sees"), "{page}");
        assert_eq!(ada.post(&one, &[("words", "me"), ("done", "on")]).await.status, 403);
        assert!(!jane.get(&here).await.text().contains("You see what the customer sees"));
        assert!(jane.get(&format!("/tenants/{}/audit", app.tenant)).await.text().contains("Looked as its customer at"));

        // what was answered does not go with the task: it is not removed any more
        let form = format!("/tenants/{}/integrations/{id}/implementation/tasks/{}", app.tenant, task.id);
        let refused = ada.post(&form, &[("form", "remove")]).await;
        assert!(refused.status == 422 && refused.text().contains("The customer has answered it"), "{}", refused.text());
        let left = whole(&app, id).await.tasks;
        assert!(left.iter().any(|one| one.id == task.id));
        let unanswered = left.iter().find(|one| one.id != task.id).unwrap().id;
        led(&ada.post(&form.replace(&task.id.to_string(), &unanswered.to_string()), &[("form", "remove")]).await);

        // nobody of another tenant sees any of it, nor whether it is there
        let other = app.another_tenant().await.tenant;
        let mut eve = signed_in(&app, "eve@example.com", Role::Customer, Some(other)).await;
        for path in [&base, &here, &one, &href] {
            assert_eq!(eve.get(path).await.status, 404, "{path}");
            let own = path.replace(&app.tenant.to_string(), &other.to_string());
            assert_eq!(eve.get(&own).await.status, if *path == base { 200 } else { 404 }, "{own}");
        }
        assert_eq!(eve.post(&one, &[("words", "me")]).await.status, 404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_integration_says_in_plain_words_how_it_fares() {
    each(|app| async move {
        let (id, planned) = built(&app).await;
        app.start().await;
        let here = format!("/tenants/{}/portal/{id}", app.tenant);
        let mut jane = signed_in(&app, "jane@example.com", Role::Customer, Some(app.tenant)).await;
        assert!(!jane.get(&here).await.text().contains("How it fares"), "nothing is connected yet");
        let mut ada = signed_in(&app, "ada@example.com", Role::Consultant, None).await;
        let draft = planned.drafts.iter().find(|one| one.kind == Kind::EventType).unwrap();
        let form = format!("/tenants/{}/integrations/{id}/implementation/drafts/{}", app.tenant, draft.id);
        led(&ada.post(&form, &[("form", "make"), ("name", "Members"), ("body", &draft.body)]).await);
        assert!(jane.get(&here).await.text().contains("Waiting for first data"));

        let of = draft.id.to_string().parse().unwrap();
        app.until(app.post(&format!("/events/{of}")).body(&br#"{"E-mail":"a@example.com","Name":"A"}"#[..]), 201).await;
        let page = app.page_with(&mut jane, &here, "Working").await;
        assert!(page.contains("1 event in 90 days, on 1 of them; none was kept aside."), "{page}");
        // whoever has the link sees how it fares, and nothing else; in a frame too, and no longer than it is shared
        let shared = jane.post(&format!("{here}/status"), &[]).await;
        let address = between(&shared.text(), "id=\"link\" class=\"mono\">", "<").to_owned();
        let path = address[address.find("/status").unwrap()..].to_owned();
        let mut anybody = Browser::new(&app);
        let status = anybody.get(&path).await;
        assert_eq!(status.status, 200, "{}", status.text());
        assert!(status.text().contains("Working") && !status.text().contains("What we need"), "{}", status.text());
        assert!(status.header("content-security-policy").unwrap().contains("frame-ancestors *"));
        assert_eq!(status.header("x-frame-options"), None);
        assert_eq!(jane.get(&here).await.header("x-frame-options"), Some("DENY"));
        assert_eq!(ada.post(&format!("{here}/status"), &[]).await.status, 403, "it is the customer's to share");
        let back = between(&jane.get(&here).await.text(), &format!("action=\"{here}/status/"), "\"").to_owned();
        led(&jane.post(&format!("{here}/status/{back}"), &[]).await);
        assert_eq!(anybody.get(&path).await.status, 404);
        assert_eq!(anybody.get("/status?token=none").await.status, 404);

        // one that breaks the contract: what is wrong, in words, and nothing of what it holds
        assert_eq!(app.send(of, r#"{"Name":"Secret Person"}"#).await.status, 422);
        app.page_with(&mut jane, &here, "“E-mail” is missing.").await;
        let page = app.page_with(&mut jane, &here, "Failing").await;
        assert!(page.contains("What you can do") && !page.contains("Secret Person"), "{page}");
    })
    .await;
}
