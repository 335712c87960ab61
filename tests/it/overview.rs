//! Integrations from further off: what they are worth, what became of earlier ones of the same system, and what waits for
//! whoever looks; each as far as they may see it.
use tributary::{
    auth::{Actor, Role, RunImplementations, SeeQuotations},
    intake::{
        Details, SystemKind,
        implementation::store as building,
        quotation::{
            Act, Amounts, Content, Limit, address,
            store::{self as quotations},
        },
        store,
    },
};

use crate::{
    implementation::{built, whole},
    quotations::{draft, line, sent},
    support::{
        browser::{Browser, account, between},
        each,
    },
};

#[tokio::test(flavor = "multi_thread")]
async fn worth_history_and_whose_turn_it_is_are_seen_from_afar() {
    each(|app| async move {
        let (db, clock, permit) = (&app.db, &app.clock, Actor::cli().permit(app.tenant).unwrap());
        // one is offered, one waits for somebody's approval, one is being built
        let offered = sent(&app).await;
        let dear = draft(&app).await;
        let content = Content { lines: vec![line("Connect", 100)], ..dear.content.clone() };
        let dear = quotations::save(db, clock, &permit, dear.id, dear.revision, content).await.unwrap();
        let limit = Limit { approve_above: Amounts::default() };
        let asked = (Act::Submit, dear.revision, None);
        let dear = quotations::act(db, clock, &permit, limit, dear.id, asked).await.unwrap();
        let (id, planned) = built(&app).await;
        let run = Actor::cli().permit::<RunImplementations>(app.tenant).unwrap();
        let spent = ("2030-01-01".to_owned(), 90, "Call".to_owned());
        building::spend(db, clock, &run, id, planned.phases[1].id, spent).await.unwrap();
        assert!(whole(&app, id).await.sums() == (720, 90));
        app.start().await;

        let ada = account(&app, "ada@example.com", Role::Consultant, None).await;
        account(&app, "mara@example.com", Role::AccountManager, None).await;
        let mine = Details {
            name: "Mine".parse().unwrap(),
            system_name: "Fax gateway".parse().unwrap(),
            system_kind: SystemKind::Custom,
            need: "Orders by fax".into(),
            owner_id: Some(ada),
            customer_people: String::new(),
            vendor_people: String::new(),
        };
        store::create(db, clock, &permit, mine, None).await.unwrap();
        let mut ada = Browser::signed_in(&app, "ada@example.com").await;
        let mut mara = Browser::signed_in(&app, "mara@example.com").await;

        // home: what is mine, and what waits for my approval
        let home = ada.get("/").await.text();
        assert!(!home.contains("Waits for your approval"), "{home}");
        let own = between(&home, "What is yours to do stands first.", "</table>");
        assert!(own.contains(">Mine<") && !own.contains(">Members<"), "{own}");
        let home = mara.get("/").await.text();
        assert!(home.contains("Waits for your approval") && home.contains(&address(&dear)), "{home}");
        assert!(!home.contains("What is yours to do stands first."), "{home}");
        // who asked for the approval is not waited for, and neither is who sees another tenant alone
        let viewer =
            |name: &str, tenant| Actor { role: Role::AccountManager, tenant, name: name.into(), ..Actor::cli() };
        let seen = async |viewer: Actor| quotations::awaiting(db, &viewer).await.unwrap().len();
        assert_eq!(seen(viewer("mara", None)).await, 1);
        assert_eq!(seen(viewer(&Actor::cli().name, None)).await, 0);
        let foreign = app.another_tenant().await.tenant;
        assert_eq!(seen(viewer("mara", Some(foreign))).await, 0);
        assert_eq!(seen(viewer("mara", Some(app.tenant))).await, 1);

        // the board adds up by stage, the list sorts, the file tells
        let board = ada.get("/integrations/board").await.text();
        for worth in ["EUR\u{a0}1,200.00", "EUR\u{a0}15,000.00", "EUR\u{a0}16,200.00", "EUR\u{a0}1,800.00"] {
            assert!(board.contains(worth), "no {worth} in {board}");
        }
        let list = ada.get("/integrations?sort=-value").await.text();
        let place = |worth: &str| list.find(worth).unwrap_or_else(|| panic!("no {worth} in {list}"));
        assert!(
            list.find(">Mine<").unwrap() < place("EUR\u{a0}15,000.00")
                && place("EUR\u{a0}15,000.00") < place("EUR\u{a0}1,800.00")
        );
        let file = ada.get("/integrations/export.csv").await.text();
        assert!(file.lines().next().unwrap().ends_with(",createdAt,value,currency"), "{file}");
        for end in [",1200.00,EUR", ",15000.00,EUR", ",1800.00,EUR", "Z,,"] {
            assert!(file.lines().any(|line| line.ends_with(end)), "no {end} in {file}");
        }
        let page = ada.get(&tributary::intake::address(app.tenant, id)).await.text();
        assert!(page.contains("EUR\u{a0}1,800.00 without VAT"), "{page}");

        // while the next of the same system is typed, it is told what was quoted and what it took
        let new = format!("/tenants/{}/integrations/new?system=sales-force&kind=crm", app.tenant);
        let new = ada.get(&new).await.text();
        for words in ["12 h quoted, 1.5 h spent on it", "8 h quoted"] {
            assert!(new.contains(words), "no {words} in {new}");
        }
        assert!(!new.contains("100 h quoted"), "what was never sent was quoted to nobody: {new}");
        let theirs = Actor { role: Role::Customer, tenant: Some(app.tenant), ..Actor::cli() };
        let theirs = theirs.permit::<SeeQuotations>(app.tenant).unwrap();
        assert!(quotations::get(db, &theirs, offered.id).await.is_ok());
    })
    .await;
}

/// Where a question arises, the page leads to the section of the guide that answers it.
#[tokio::test(flavor = "multi_thread")]
async fn pages_lead_to_what_the_guide_says_of_them() {
    each(|app| async move {
        let (id, planned) = built(&app).await;
        let early = crate::intake::under_investigation(&app).await.0;
        app.start().await;
        account(&app, "admin@example.com", Role::Administrator, None).await;
        let mut ada = Browser::signed_in(&app, "admin@example.com").await;
        let base = format!("/tenants/{}/integrations", app.tenant);
        let train = planned.phases.iter().find(|phase| phase.title == "Train").unwrap().id;
        for (path, section) in [
            (format!("{base}/new"), "intake"),
            (format!("{base}/{id}/intake"), "intake"),
            (format!("{base}/{id}/evidence"), "intake"),
            (format!("{base}/{id}/evidence/probe"), "ways"),
            (format!("{base}/{id}/checks"), "ways"),
            (format!("{base}/{early}/verdicts"), "scenarios"),
            (format!("{base}/{id}/scenario"), "scenarios"),
            (format!("{base}/{early}/investigation"), "scenarios"),
            (format!("{base}/{id}/quotations"), "quotation"),
            (format!("{base}/{id}/implementation"), "implementation"),
            (format!("{base}/{id}/implementation/evidence/new"), "implementation"),
            (format!("{base}/{id}/implementation/waive/{train}"), "implementation"),
        ] {
            let page = ada.get(&path).await;
            assert_eq!(page.status, 200, "{path}");
            assert!(page.text().contains(&format!("href=\"/guide#{section}\"")), "{path} does not lead to {section}");
        }
        for audience in ["success-managers", "consultants", "account-managers", "customers"] {
            let page = Browser::new(&app).get(&format!("/guide/{audience}")).await.text();
            for section in ["ways", "intake", "scenarios", "quotation", "implementation", "live"] {
                assert!(page.contains(&format!("id=\"{section}\"")), "{audience}: {section}");
            }
        }
    })
    .await;
}
