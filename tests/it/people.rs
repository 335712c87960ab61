//! People: invited, let in, changed, shut out. Through the pages, on both databases.
use tributary::{auth::Role, ids::UserId};

use crate::support::{
    Answer, TestApp,
    browser::{Browser, PASSWORD, account, between, named_account},
    each,
};

const WEEK: i64 = 7 * 24 * 3600;

/// A server with an administrator, who is signed in.
async fn begun(app: &TestApp) -> (Browser, UserId) {
    let ada = account(app, "ada@example.com", Role::Administrator, None).await;
    app.start().await;
    (Browser::signed_in(app, "ada@example.com").await, ada)
}

async fn invite(browser: &mut Browser, email: &str, role: &str, tenant: &str) -> Answer {
    browser.post("/people/invite", &[("email", email), ("name", ""), ("role", role), ("tenant", tenant)]).await
}

/// The link that the page shows once.
fn link(page: &Answer) -> String {
    let page = page.text();
    let shown = between(&page, r#"id="link" class="mono">"#, "<");
    assert!(shown.contains("?token="), "{shown}");
    shown.to_owned()
}

fn token(link: &str) -> &str {
    link.split_once("token=").unwrap().1
}

fn acceptance(link: &str) -> [(&str, &str); 4] {
    [("token", token(link)), ("name", "Grace"), ("password", PASSWORD), ("repeat_password", PASSWORD)]
}

async fn count(app: &TestApp, what: &'static str) -> i64 {
    tributary::sql!(value i64, &app.db, what).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_invited_by_a_link_that_works_once() {
    each(async |app: TestApp| {
        let (mut ada, _) = begun(&app).await;
        let tenant = app.tenant.to_string();
        for (email, role, bound) in [
            ("nonsense", "consultant", ""),
            ("grace@example.com", "king", ""),
            ("grace@example.com", "customer", ""),
            ("grace@example.com", "customer", "0198c0de-0000-7000-8000-0000000000ff"),
            ("Ada@Example.com", "consultant", ""),
        ] {
            let again = invite(&mut ada, email, role, bound).await;
            assert_eq!(again.status, 422, "{email} {role} {bound}");
            assert!(again.text().contains(&format!("value=\"{email}\"")), "what was typed is kept");
        }
        let made = invite(&mut ada, "Grace@example.com", "customer", &tenant).await;
        assert_eq!(made.status, 200, "{}", made.text());
        let link = link(&made);
        assert!(!ada.get("/people").await.text().contains(token(&link)), "shown once");
        let twice = invite(&mut ada, "grace@example.com", "consultant", "").await;
        assert!(twice.status == 422 && twice.text().contains("invited already"), "{}", twice.text());

        // whoever opens it, and however often, uses nothing up
        let mut grace = Browser::new(&app);
        for _ in 0..3 {
            let page = grace.get(&link).await;
            assert_eq!(page.status, 200);
            assert!(page.text().contains("grace@example.com"));
        }
        for (password, again) in
            [("short", "short"), (PASSWORD, "another one altogether"), ("grace@example.com", "grace@example.com")]
        {
            let fields =
                [("token", token(&link)), ("name", "Grace"), ("password", password), ("repeat_password", again)];
            let page = grace.post("/invitation", &fields).await;
            assert_eq!(page.status, 422, "{password}");
            let kept = page.text().matches(&format!("value=\"{password}\"")).count();
            assert_eq!(kept, usize::from(password == "grace@example.com"), "no password, but the address");
        }
        let stranger = Browser::new(&app).get("/invitation?token=nobody").await;
        assert_eq!(stranger.status, 410);

        let done = grace.post("/invitation", &acceptance(&link)).await;
        assert_eq!((done.status, done.header("location")), (303, Some("/")));
        assert!(grace.is_in().await);
        let own = format!("/tenants/{tenant}");
        assert_eq!(grace.get(&own).await.status, 200);
        assert_eq!(grace.get("/people").await.status, 403);
        let other = app.another_tenant().await;
        assert_eq!(grace.get(&format!("/tenants/{}", other.tenant)).await.status, 404);

        // used, unknown and expired look the same
        for page in [grace.get(&link).await, grace.post("/invitation", &acceptance(&link)).await] {
            assert_eq!((page.status, page.text()), (410, stranger.text()));
        }
        let taken = invite(&mut ada, "grace@example.com", "consultant", "").await;
        assert!(taken.status == 422 && taken.text().contains("has an account already"));
        let list = ada.get("/people").await.text();
        assert!(list.contains("Grace") && list.contains("Customer") && list.contains("Acme"), "{list}");
        assert_eq!(count(&app, "SELECT COUNT(*) FROM audit WHERE action IN ('invitation.add', 'user.add')").await, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_runs_out_is_sent_anew_and_taken_back() {
    each(async |app: TestApp| {
        let (mut ada, _) = begun(&app).await;
        let first = link(&invite(&mut ada, "grace@example.com", "consultant", "").await);
        let list = ada.get("/people?state=invited").await.text();
        let id = between(&list, "/people/invitations/", "\"").to_owned();
        assert!(list.contains("grace@example.com") && !list.contains("ada@example.com</span></div>"), "{list}");
        let page = format!("/people/invitations/{id}");
        assert_eq!(ada.get(&page).await.status, 200);

        let second = link(&ada.post(&format!("{page}/resend"), &[]).await);
        let mut grace = Browser::new(&app);
        assert_eq!(grace.get(&first).await.status, 410, "the old one works no more");
        assert_eq!(grace.get(&second).await.status, 200);
        app.clock.advance(WEEK + 1);
        assert_eq!(grace.get(&second).await.status, 410, "nor the new one after a week");
        assert_eq!(grace.post("/invitation", &acceptance(&second)).await.status, 410);

        let mut ada = Browser::signed_in(&app, "ada@example.com").await;
        assert!(ada.get(&page).await.text().contains("invitation expired"));
        // one that ran out is in nobody's way
        let third = link(&invite(&mut ada, "grace@example.com", "consultant", "").await);
        let list = ada.get("/people").await.text();
        let id = between(&list, "/people/invitations/", "\"").to_owned();
        let revoked = ada.post(&format!("/people/invitations/{id}/revoke"), &[]).await;
        assert_eq!(revoked.header("location"), Some("/people?done=revoked"));
        assert_eq!(grace.get(&third).await.status, 410);
        assert_eq!(ada.post(&format!("/people/invitations/{id}/revoke"), &[]).await.status, 404);
        assert_eq!(ada.get("/people/invitations/nonsense").await.status, 404);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM users").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_accept_at_once_one_gets_in() {
    each(async |app: TestApp| {
        let (mut ada, _) = begun(&app).await;
        let link = link(&invite(&mut ada, "grace@example.com", "consultant", "").await);
        let fields = acceptance(&link);
        let (mut one, mut other) = (Browser::new(&app), Browser::new(&app));
        let answers = tokio::join!(one.post("/invitation", &fields), other.post("/invitation", &fields));
        let mut statuses = [answers.0.status, answers.1.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 410]);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM users WHERE email = 'grace@example.com'").await, 1);
        assert_eq!(count(&app, "SELECT COUNT(*) FROM sessions").await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn consultants_invite_customers_of_their_tenant_and_nobody_else() {
    each(async |app: TestApp| {
        let (mut ada, _) = begun(&app).await;
        let other = app.another_tenant().await;
        account(&app, "bound@example.com", Role::Consultant, Some(app.tenant)).await;
        account(&app, "manager@example.com", Role::SuccessManager, None).await;
        let (here, there) = (format!("/tenants/{}/people", app.tenant), format!("/tenants/{}/people", other.tenant));
        let mut bound = Browser::signed_in(&app, "bound@example.com").await;
        // a role that comes along in the form is not asked for
        let fields = [("email", "grace@customer.example"), ("name", "<b>Grace</b>"), ("role", "administrator")];
        assert_eq!(bound.post(&format!("{there}/invite"), &fields).await.status, 404);
        assert_eq!(bound.get("/people").await.status, 403);
        let first = link(&bound.post(&format!("{here}/invite"), &fields).await);
        let page = bound.get(&here).await.text();
        assert!(page.contains("&lt;b&gt;Grace") && !page.contains("<b>Grace"), "{page}");
        let id = between(&page, &format!("action=\"{here}/"), "/").to_owned();

        let mut grace = Browser::new(&app);
        assert_eq!(grace.post("/invitation", &acceptance(&first)).await.status, 303);
        let role = tributary::sql!(
            value String, &app.db, "SELECT role FROM users WHERE email = 'grace@customer.example'",
        );
        assert_eq!(role.unwrap(), "customer");
        assert_eq!(bound.post(&format!("{here}/{id}/resend"), &[]).await.status, 404, "accepted");

        // what is not a customer's, or another tenant's, is not theirs to touch
        let staff = invite(&mut ada, "staff@example.com", "consultant", &app.tenant.to_string()).await;
        let foreign = invite(&mut ada, "eve@customer.example", "customer", &other.tenant.to_string()).await;
        assert_eq!((staff.status, foreign.status), (200, 200));
        let ids =
            tributary::sql!(values String, &app.db, "SELECT object_id FROM audit WHERE action = 'invitation.add'");
        for id in ids.unwrap() {
            for act in ["resend", "revoke"] {
                assert_eq!(bound.post(&format!("{here}/{id}/{act}"), &[]).await.status, 404, "{act}");
                assert_eq!(bound.post(&format!("{there}/{id}/{act}"), &[]).await.status, 404, "{act}");
            }
        }
        assert_eq!(count(&app, "SELECT COUNT(*) FROM invitations").await, 2);
        let page = bound.get(&here).await.text();
        assert!(!page.contains("staff@example.com") && !page.contains("eve@customer.example"), "{page}");
        let mut manager = Browser::signed_in(&app, "manager@example.com").await;
        assert_eq!(manager.get(&here).await.status, 403);
        assert!(!manager.get("/").await.text().contains("/people"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_role_ends_sessions_and_holds_at_once() {
    each(async |app: TestApp| {
        let (mut ada, _) = begun(&app).await;
        let id = named_account(&app, "bob@example.com", "<i>Bob</i>", Role::Consultant, None).await;
        let mut bob = Browser::signed_in(&app, "bob@example.com").await;
        let page = format!("/people/{id}");
        let shown = ada.get(&page).await.text();
        assert!(shown.contains("&lt;i&gt;Bob") && !shown.contains("<i>Bob"), "{shown}");
        assert!(ada.get(&format!("{page}/role")).await.text().contains("signed out of the one browser"));
        let amiss = ada.post(&format!("{page}/role"), &[("role", "customer"), ("tenant", "")]).await;
        assert_eq!(amiss.status, 422);
        assert!(bob.is_in().await, "nothing happened yet");
        // what changes nothing ends nothing
        ada.post(&format!("{page}/role"), &[("role", "consultant"), ("tenant", "")]).await;
        assert!(bob.is_in().await);
        let tenant = app.tenant.to_string();
        let changed = ada.post(&format!("{page}/role"), &[("role", "customer"), ("tenant", &tenant)]).await;
        assert_eq!(changed.header("location"), Some(&*format!("{page}?done=role")));
        assert!(!bob.is_in().await);
        let mut bob = Browser::signed_in(&app, "bob@example.com").await;
        assert_eq!(bob.get("/tenants/new").await.status, 403);

        // an administrator ends one session, or all
        let mut second = Browser::signed_in(&app, "bob@example.com").await;
        let shown = ada.get(&page).await.text();
        let session = between(&shown, r#"name="session" value=""#, "\"").to_owned();
        let ended = ada.post(&format!("{page}/sessions"), &[("session", &session)]).await;
        assert_eq!(ended.header("location"), Some(&*format!("{page}?done=session")));
        assert!(bob.is_in().await != second.is_in().await, "one of them");
        assert_eq!(ada.post(&format!("{page}/sessions"), &[("session", &session)]).await.status, 404);
        ada.post(&format!("{page}/sessions"), &[]).await;
        assert!(!bob.is_in().await && !second.is_in().await);
        assert_eq!(ada.get("/people/0198c0de-0000-7000-8000-0000000000ff").await.status, 404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deactivated_account_is_out_at_once_and_looks_like_none() {
    each(async |app: TestApp| {
        let (mut ada, _) = begun(&app).await;
        let id = account(&app, "bob@example.com", Role::Consultant, None).await;
        let mut bob = Browser::signed_in(&app, "bob@example.com").await;
        let page = format!("/people/{id}");
        let reset = link(&ada.post(&format!("{page}/reset-password"), &[]).await);
        assert!(ada.get(&format!("{page}/deactivate")).await.text().contains("browser is signed out at once"));
        let done = ada.post(&format!("{page}/deactivate"), &[]).await;
        assert_eq!(done.header("location"), Some(&*format!("{page}?done=deactivated")));
        assert!(!bob.is_in().await);
        let mut stranger = Browser::new(&app);
        let unknown = stranger.login("nobody@example.com", PASSWORD).await;
        let shut = stranger.login("bob@example.com", PASSWORD).await;
        assert_eq!((shut.status, shut.text()), (422, unknown.text().replace("nobody@", "bob@")));
        assert_eq!(stranger.get(&reset).await.status, 410, "an older link does not let them in");
        assert_eq!(ada.post(&format!("{page}/reset-password"), &[]).await.status, 409);
        let again = invite(&mut ada, "bob@example.com", "consultant", "").await;
        assert!(again.status == 422 && again.text().contains("reactivate"));
        let list = ada.get("/people?state=deactivated").await.text();
        assert!(list.contains("bob@example.com") && !list.contains("<div><span class=\"muted\">ada@"), "{list}");
        ada.post(&format!("{page}/reactivate"), &[]).await;
        Browser::signed_in(&app, "bob@example.com").await;
        assert_eq!(stranger.get(&reset).await.status, 410, "nor later");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_administrator_stays() {
    each(async |app: TestApp| {
        let (mut ada, id) = begun(&app).await;
        // bound to a tenant, or deactivated, one administers nothing
        account(&app, "bound@example.com", Role::Administrator, Some(app.tenant)).await;
        let bob = account(&app, "bob@example.com", Role::Administrator, None).await;
        ada.post(&format!("/people/{bob}/deactivate"), &[]).await;
        let page = format!("/people/{id}");
        for (path, fields) in [
            (format!("{page}/deactivate"), vec![]),
            (format!("{page}/role"), vec![("role", "consultant"), ("tenant", "")]),
            (format!("{page}/role"), vec![("role", "administrator"), ("tenant", &*app.tenant.to_string())]),
        ] {
            let refused = ada.post(&path, &fields).await;
            assert_eq!(refused.status, 422, "{path}");
            assert!(refused.text().contains("last active administrator"), "{}", refused.text());
        }
        assert!(ada.is_in().await);
        ada.post(&format!("/people/{bob}/reactivate"), &[]).await;
        assert_eq!(ada.post(&format!("{page}/deactivate"), &[]).await.status, 303);
        assert!(!ada.is_in().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_administrators_who_shut_each_other_out_at_once_do_not_both_succeed() {
    each(async |app: TestApp| {
        let (_, ada_id) = begun(&app).await;
        let bob_id = account(&app, "bob@example.com", Role::Administrator, None).await;
        for round in 0..8 {
            let mut ada = Browser::signed_in(&app, "ada@example.com").await;
            let mut bob = Browser::signed_in(&app, "bob@example.com").await;
            let (to_bob, to_ada) = (format!("/people/{bob_id}"), format!("/people/{ada_id}"));
            let consultant = [("role", "consultant"), ("tenant", "")];
            if round % 2 == 0 {
                let (at_bob, at_ada) = (format!("{to_bob}/deactivate"), format!("{to_ada}/role"));
                tokio::join!(ada.post(&at_bob, &[]), bob.post(&at_ada, &consultant));
            } else {
                let (at_bob, at_ada) = (format!("{to_bob}/role"), format!("{to_ada}/deactivate"));
                tokio::join!(ada.post(&at_bob, &consultant), bob.post(&at_ada, &[]));
            }
            let left = count(
                &app,
                "SELECT COUNT(*) FROM users WHERE role = 'administrator' AND deactivated_at IS NULL AND tenant_id IS NULL",
            );
            assert_eq!(left.await, 1, "round {round}");
            app.db
                .write(|tx| {
                    Box::pin(async move {
                        tributary::sql!(exec tx, "UPDATE users SET role = 'administrator', deactivated_at = NULL")?;
                        Ok(())
                    })
                })
                .await
                .unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_reset_by_a_link_of_an_administrator() {
    each(async |app: TestApp| {
        let (mut ada, _) = begun(&app).await;
        let id = account(&app, "bob@example.com", Role::Consultant, None).await;
        let mut bob = Browser::signed_in(&app, "bob@example.com").await;
        let page = format!("/people/{id}/reset-password");
        let old = link(&ada.post(&page, &[]).await);
        let link = link(&ada.post(&page, &[]).await);
        assert!(bob.is_in().await, "nothing happens before the link is used");
        let mut anywhere = Browser::new(&app);
        assert_eq!(anywhere.get(&old).await.status, 410, "the newest alone works");
        assert!(anywhere.get(&link).await.text().contains("bob@example.com"));
        let fields =
            |password: &'static str| [("token", token(&link)), ("password", password), ("repeat_password", password)];
        assert_eq!(anywhere.post("/reset-password", &fields("short")).await.status, 422);
        // whoever is locked out for having guessed may use the new one at once
        for _ in 0..7 {
            anywhere.login("bob@example.com", "wrong guess indeed").await;
        }
        let done = anywhere.post("/reset-password", &fields("another horse battery")).await;
        assert_eq!(done.header("location"), Some("/login?done=password"));
        assert!(!anywhere.is_in().await && !bob.is_in().await, "signed out everywhere, and in nowhere");
        assert_eq!(anywhere.post("/reset-password", &fields("yet another battery")).await.status, 410);
        let mut bob = Browser::new(&app);
        assert_eq!(bob.login("bob@example.com", PASSWORD).await.status, 422);
        assert_eq!(bob.login("bob@example.com", "another horse battery").await.status, 303);

        let late = self::link(&ada.post(&page, &[]).await);
        app.clock.advance(3601);
        assert_eq!(anywhere.get(&late).await.status, 410);
        assert!(anywhere.get("/forgot-password").await.text().contains("Ask an administrator"));
        let asked = anywhere.post("/forgot-password", &[("email", "bob@example.com")]).await;
        assert_eq!(asked.status, 422, "no mail, no link");
        assert_eq!(count(&app, "SELECT COUNT(*) FROM outbox").await, 0);
    })
    .await;
}
