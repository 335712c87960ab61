//! What was sent stands: no page, no second tab and no command changes it, two who accept at once make one acceptance, and
//! links to it end, are used once, and tell a stranger nothing.
use chrono::Days;
use sha2::{Digest, Sha256};
use tributary::{
    auth::{Actor, Role, SeeIntegrations},
    intake::{
        Stage,
        quotation::{
            Content, Quotation, State, address,
            store::{self, Files},
        },
        store as integrations,
    },
};

use crate::{
    implementation::whole,
    quotations::{draft, line, sent},
    support::{
        TestApp,
        browser::{Browser, account, between},
        each,
        program::{run, tributary},
    },
};

async fn staff(app: &TestApp, role: Role) -> Browser {
    let email = format!("{role}@example.com");
    account(app, &email, role, None).await;
    Browser::signed_in(app, &email).await
}

async fn files(app: &TestApp, of: &Quotation) -> Files {
    store::files(&app.db, &Actor::cli().permit::<SeeIntegrations>(app.tenant).unwrap(), of.id).await.unwrap()
}

async fn now(app: &TestApp, of: &Quotation) -> Quotation {
    store::get(&app.db, &Actor::cli().permit::<SeeIntegrations>(app.tenant).unwrap(), of.id).await.unwrap()
}

/// The fields of the page's form, as a browser would send them back.
fn line_form<'a>(seen: &'a str, hours: &'a str, then: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("form", then),
        ("seen", seen),
        ("package", "Cheaper"),
        ("description", ""),
        ("role", "Consultant"),
        ("pricing", "fixed"),
        ("hours", hours),
        ("rate", "1"),
        ("vat", "0"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_changed_by_no_page_no_second_tab_and_no_command() {
    each(|app| async move {
        let of = draft(&app).await;
        let permit = Actor::cli().permit(app.tenant).unwrap();
        let content = Content { lines: vec![line("Connect", 8)], ..of.content.clone() };
        let of = store::save(&app.db, &app.clock, &permit, of.id, of.revision, content).await.unwrap();
        app.start().await;
        // an administrator may do all that anybody may
        let mut ada = staff(&app, Role::Administrator).await;
        let one = address(&of);
        let seen = |page: &str| between(page, "name=\"seen\" value=\"", "\"").to_owned();
        // the tabs that are open while it is sent
        let (edit, first, new) = (format!("{one}/edit"), format!("{one}/lines/1"), format!("{one}/lines/new"));
        let old = seen(&ada.get(&first).await.text());
        assert_eq!(seen(&ada.get(&edit).await.text()), old);
        assert_eq!(ada.post(&one, &[("form", "send"), ("seen", &old)]).await.status, 303);
        let (frozen, bytes) = (now(&app, &of).await, files(&app, &of).await);
        let digest = frozen.document_digest.clone().unwrap();
        let sha256 = Sha256::digest(&bytes.document);
        assert!(
            sha256
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .eq(digest.as_bytes().chunks(2).map(String::from_utf8_lossy))
        );

        let current = frozen.revision.to_string();
        let until = frozen.content.valid_until.checked_add_days(Days::new(30)).unwrap().to_string();
        for seen in [old.as_str(), current.as_str(), "0", "99", ""] {
            let terms = [
                ("seen", seen),
                ("title", "Cheaper"),
                ("addressee", "Somebody else"),
                ("currency", "eur"),
                ("discount", "percent"),
                ("off", "50"),
                ("assumptions", "none"),
                ("valid_until", until.as_str()),
            ];
            let mut tries = vec![ada.post(&edit, &terms).await];
            for then in ["", "more", "remove"] {
                tries.push(ada.post(&first, &line_form(seen, "1", then)).await);
            }
            tries.push(ada.post(&new, &line_form(seen, "1", "")).await);
            for act in ["send", "submit", "approve", "return", "edit", "view", "accept", "decline"] {
                tries.push(ada.post(&one, &[("form", act), ("seen", seen), ("reason", "because")]).await);
            }
            for (place, answer) in tries.iter().enumerate() {
                assert!(matches!(answer.status, 403 | 422), "{seen:?} {place}: {}", answer.status);
            }
        }
        assert!(ada.post(&edit, &[("seen", current.as_str())]).await.status == 422, "not even an empty form");

        // no command changes one, and sending it again sends nothing
        let command = |arguments: &[&str]| {
            let mut command = tributary(&app.database);
            command.args(arguments);
            run(command, "")
        };
        let help = command(&["quotation", "--help"]).out;
        let commands = between(&help, "Commands:\n", "\n\n").lines();
        // what a command is told by may go on in the next line, further to the right
        let commands =
            commands.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
        assert_eq!(commands.collect::<Vec<_>>(), ["list", "show", "send", "verify", "help"]);
        let (tenant, id) = (app.tenant.to_string(), of.id.to_string());
        let again = command(&["quotation", "send", "--tenant", &tenant, &id]);
        assert!(again.code == 1 && again.err.contains("cannot send a quotation that is sent"), "{}", again.err);

        let unchanged = async |state| {
            let (after, after_bytes) = (now(&app, &of).await, files(&app, &of).await);
            assert_eq!(after, Quotation { state, ..frozen.clone() });
            assert_eq!((&after_bytes.document, &after_bytes.pdf), (&bytes.document, &bytes.pdf));
        };
        unchanged(State::Sent).await;
        // what is handed out are these bytes
        let pdf = ada.get(&format!("{one}/files/pdf")).await;
        let json = ada.get(&format!("{one}/files/json")).await;
        assert_eq!((pdf.body.as_slice(), json.body.as_slice()), (bytes.pdf.as_slice(), bytes.document.as_bytes()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_accept_at_once_by_their_pages_make_one_acceptance() {
    each(|app| async move {
        let of = sent(&app).await;
        // two processes on one database, as behind a proxy
        app.start().await;
        let mut grace = staff(&app, Role::SuccessManager).await;
        let made = grace.post(&format!("{}/links", address(&of)), &[("for_whom", "Joan")]).await.text();
        let token = between(&made, "id=\"link\" class=\"mono\">", "<").split_once("token=").unwrap().1.to_owned();
        let mut joan = Browser::new(&app);
        assert_eq!(joan.post("/quotation", &[("token", &token)]).await.status, 303);
        app.start().await;
        account(&app, "jane@example.com", Role::Customer, Some(app.tenant)).await;
        account(&app, "tom@example.com", Role::Customer, Some(app.tenant)).await;
        let mut jane = Browser::signed_in(&app, "jane@example.com").await;
        let mut tom = Browser::signed_in(&app, "tom@example.com").await;
        let one = format!("/tenants/{}/quotations/{}", app.tenant, of.id);
        let digest = of.document_digest.clone().unwrap();
        let form =
            |name| [("form", "accept"), ("digest", digest.as_str()), ("name", name), ("role", "Head"), ("agree", "on")];
        let (theirs, hers, his) = (form("Joan"), form("Jane"), form("Tom"));
        let answers =
            tokio::join!(joan.post("/quotation/offer", &theirs), jane.post(&one, &hers), tom.post(&one, &his));
        let mut accepted = Vec::new();
        for (answer, name) in [(answers.0, "Joan"), (answers.1, "Jane"), (answers.2, "Tom")] {
            if answer.status == 303 {
                accepted.push(name);
            } else {
                assert_eq!(answer.status, 422, "{name}: {}", answer.text());
                assert!(answer.text().contains("a quotation that is accepted"), "{name}: {}", answer.text());
            }
        }
        let [name] = accepted[..] else { panic!("{accepted:?} all accepted") };
        let after = now(&app, &of).await;
        assert_eq!((after.state, after.decided_by.as_deref()), (State::Accepted, Some(name)));
        // one implementation of it was begun: a phase for its line, and those around
        let see = Actor::cli().permit::<SeeIntegrations>(app.tenant).unwrap();
        let phases = whole(&app, of.integration_id).await.phases;
        assert_eq!(phases.iter().filter(|phase| phase.title == "Connect").count(), 1, "{phases:?}");
        let timeline = integrations::timeline(&app.db, &see, of.integration_id, 100).await.unwrap();
        let steps: Vec<_> = timeline.iter().filter(|one| one.stage == Some(Stage::Implementation)).collect();
        assert_eq!(steps.len(), 1, "{timeline:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_to_a_quotation_end_are_used_once_and_tell_a_stranger_nothing() {
    each(|app| async move {
        let of = sent(&app).await;
        app.start().await;
        let mut grace = staff(&app, Role::SuccessManager).await;
        let (one, app) = (address(&of), &app);
        let made = async |grace: &mut Browser| {
            let page = grace.post(&format!("{one}/links"), &[("for_whom", "Jane")]).await;
            let link = between(&page.text(), "id=\"link\" class=\"mono\">", "<").to_owned();
            let token = link.split_once("token=").unwrap().1.to_owned();
            (link, token)
        };
        let stranger = async |link: &str, token: &str| {
            let mut stranger = Browser::new(app);
            let (door, enter) = (stranger.get(link).await, stranger.post("/quotation", &[("token", token)]).await);
            assert_eq!((door.status, enter.status), (410, 410));
            let words = |answer: &crate::support::Answer| between(&answer.text(), "<main", "</main>").to_owned();
            assert_eq!(words(&door), words(&enter));
            words(&door)
        };
        // whatever is the matter with a link, the page is the same
        let nothing = stranger("/quotation?token=none", "none").await;
        assert!(!nothing.contains("Members") && !nothing.contains("Acme"), "{nothing}");
        let (used, token) = made(&mut grace).await;
        let mut jane = Browser::new(app);
        assert_eq!(jane.post("/quotation", &[("token", &token)]).await.status, 303);
        assert_eq!(jane.get("/quotation/offer").await.status, 200);
        assert_eq!(stranger(&used, &token).await, nothing);

        // of two who press the button at once, one is let in
        let (_, token) = made(&mut grace).await;
        let (mut a, mut b) = (Browser::new(app), Browser::new(app));
        let form = [("token", token.as_str())];
        let (one_in, other_in) = tokio::join!(a.post("/quotation", &form), b.post("/quotation", &form));
        let mut statuses = [one_in.status, other_in.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 410]);

        // taken back, opened or not
        let (unopened, token) = made(&mut grace).await;
        let page = grace.get(&one).await.text();
        for rest in page.split(&format!("action=\"{one}/links/")).skip(1) {
            let path = format!("{one}/links/{}", rest.split('"').next().unwrap());
            assert_eq!(grace.post(&path, &[]).await.status, 303, "{path}");
        }
        assert_eq!(stranger(&unopened, &token).await, nothing);
        for path in ["/quotation/offer", "/quotation/offer/files/pdf", "/quotation/offer/files/json"] {
            assert_eq!(jane.get(path).await.status, 410, "{path}");
        }
        let digest = of.document_digest.clone().unwrap();
        let accept = [("form", "accept"), ("digest", digest.as_str()), ("name", "J"), ("role", "H"), ("agree", "on")];
        assert_eq!(jane.post("/quotation/offer", &accept).await.status, 410);
        assert_eq!(now(app, &of).await.decided_at, None);

        // and its last day passes
        let (late, token) = made(&mut grace).await;
        let end = of.content.valid_until.succ_opt().unwrap().and_hms_opt(0, 0, 0).unwrap().and_utc();
        app.clock.advance((end - app.clock.now()).num_seconds() - 60);
        let early = Browser::new(app).get(&late).await;
        assert_eq!(early.status, 200, "until the end of its last day");
        app.clock.advance(61);
        assert_eq!(stranger(&late, &token).await, nothing);
    })
    .await;
}
