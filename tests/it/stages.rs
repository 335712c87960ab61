//! The way of an integration, walked by the pages: every stage × act × role, and nothing gets further by any page than the
//! table of docs/intake.md says.
use std::fmt::Write as _;

use tributary::{
    auth::{Actor, AnswerQuotations, Role, SeeIntegrations, WaiveEvidence},
    ids::IntegrationId,
    intake::{
        Act, Answer as Verdict, Confidence, Details, Question, Reason, Scenario, Stage, SystemKind,
        implementation::store as building,
        quotation::{
            Acceptance, Content, Quotation,
            store::{self as quotations, Bell},
        },
        store::{self, Given, Taken},
    },
};

use crate::{
    quotations::{NO_LIMIT, line},
    support::{
        TestApp,
        browser::{Browser, account},
        each,
    },
};

fn reason() -> Option<Reason> {
    Reason::parse("because").unwrap()
}

async fn step(app: &TestApp, id: IntegrationId, act: Act) {
    let taken = Taken { act, reason: reason(), next: None };
    store::advance(&app.db, &app.clock, &Actor::cli().permit(app.tenant).unwrap(), id, taken).await.unwrap();
}

/// An integration at a stage, with all in favour of whatever comes next, and its quotation, if it got so far.
async fn at(app: &TestApp, stage: Stage) -> (IntegrationId, Option<Quotation>) {
    let (db, clock, permit) = (&app.db, &app.clock, Actor::cli().permit(app.tenant).unwrap());
    let details = Details {
        name: "Members".parse().unwrap(),
        system_name: "Salesforce".parse().unwrap(),
        system_kind: SystemKind::Crm,
        need: "Know members by name".into(),
        owner_id: None,
        customer_people: String::new(),
        vendor_people: String::new(),
    };
    let id = store::create(db, clock, &permit, details, None).await.unwrap().id;
    for question in [Question::Technical, Question::Need] {
        let given = Given {
            question,
            answer: Verdict::Yes,
            confidence: Confidence::High,
            owner_id: None,
            evidence: String::new(),
            open_questions: String::new(),
        };
        store::give_verdict(db, clock, &permit, id, given).await.unwrap();
    }
    match stage {
        Stage::Intake => return (id, None),
        Stage::NotPossible => step(app, id, Act::Choose(Scenario::NotPossible)).await,
        Stage::Investigation => step(app, id, Act::Choose(Scenario::Investigation)).await,
        Stage::Retired => step(app, id, Act::Retire).await,
        Stage::Quotation | Stage::Implementation | Stage::Live | Stage::Lost => {
            step(app, id, Act::Choose(Scenario::Possible)).await;
            return (id, Some(quoted(app, id, stage).await));
        }
    }
    (id, None)
}

/// Sends a quotation, and goes on as far as `stage`.
async fn quoted(app: &TestApp, id: IntegrationId, stage: Stage) -> Quotation {
    let (db, clock, permit) = (&app.db, &app.clock, Actor::cli().permit(app.tenant).unwrap());
    let draft = quotations::begin(db, clock, &permit, id).await.unwrap();
    let content = Content { lines: vec![line("Connect", 8)], ..draft.content.clone() };
    let draft = quotations::save(db, clock, &permit, draft.id, draft.revision, content).await.unwrap();
    let sent = quotations::send(db, clock, &permit, NO_LIMIT, draft.id, draft.revision).await.unwrap();
    if stage == Stage::Lost {
        step(app, id, Act::Close).await;
    }
    if matches!(stage, Stage::Implementation | Stage::Live) {
        let customer = Actor { role: Role::Customer, tenant: Some(app.tenant), ..Actor::cli() };
        let answers = customer.permit::<AnswerQuotations>(app.tenant).unwrap();
        let by = Acceptance { name: "Jane".into(), role: "Head".into() };
        let digest = sent.document_digest.clone().unwrap();
        quotations::accept(db, clock, &answers, &Bell::silent(), sent.id, &digest, by).await.unwrap();
        let waives = Actor::cli().permit::<WaiveEvidence>(app.tenant).unwrap();
        let whole = building::load(db, &waives, id).await.unwrap();
        let lines = whole.phases.iter().filter(|phase| phase.quotation_id.is_some()).map(|phase| phase.id);
        for point in whole.evidence.iter().map(|one| one.id).chain(lines) {
            // a line that names evidence of its own need not be waived
            let _ = building::waive(db, clock, &waives, id, (point, false), reason()).await;
        }
    }
    if stage == Stage::Live {
        step(app, id, Act::GoLive).await;
    }
    sent
}

/// Tries an act by its page; the status of the answer.
async fn attempt(app: &TestApp, who: &mut Browser, (id, sent): (IntegrationId, Option<&Quotation>), act: Act) -> u16 {
    let one = format!("/tenants/{}/integrations/{id}", app.tenant);
    let because = ("reason", "because");
    let answer = match act {
        Act::Choose(scenario) => who.post(&format!("{one}/scenario"), &[("scenario", scenario.word()), because]).await,
        Act::Conclude(possible) => {
            let outcome = if possible { "possible" } else { "not-possible" };
            who.post(&format!("{one}/investigation"), &[("form", "conclude"), ("outcome", outcome), because]).await
        }
        Act::Accept => {
            let (of, digest) = match sent {
                Some(of) => (of.id.to_string(), of.document_digest.clone().unwrap()),
                // there is none yet: whatever one asks for
                None => (id.to_string(), "0".repeat(64)),
            };
            let path = format!("/tenants/{}/quotations/{of}", app.tenant);
            let form = [("form", "accept"), ("digest", &digest), ("name", "Jane"), ("role", "Head"), ("agree", "on")];
            who.post(&path, &form).await
        }
        Act::GoLive => who.post(&format!("{one}/implementation"), &[("form", "go-live")]).await,
        Act::Close | Act::Reopen | Act::Retire => who.post(&format!("{one}/acts/{}", act.word()), &[because]).await,
    };
    answer.status
}

#[tokio::test(flavor = "multi_thread")]
async fn every_stage_act_and_role_by_the_pages() {
    each(|app| async move {
        app.start().await;
        let mut people = Vec::new();
        for (role, letter) in Role::ALL.into_iter().zip("ACSMK".chars()) {
            let email = format!("{role}@example.com");
            account(&app, &email, role, (role == Role::Customer).then_some(app.tenant)).await;
            people.push((Browser::signed_in(&app, &email).await, letter));
        }
        let see = Actor::cli().permit::<SeeIntegrations>(app.tenant).unwrap();
        let mut table = String::new();
        for stage in Stage::ALL {
            let (mut id, mut sent) = at(&app, *stage).await;
            for act in Act::ALL {
                let mut who = String::new();
                for (browser, letter) in &mut people {
                    let status = attempt(&app, browser, (id, sent.as_ref()), act).await;
                    let now = store::get(&app.db, &see, id).await.unwrap().stage;
                    if status == 303 {
                        assert_eq!(now, act.to(), "{letter} {act:?} at {stage}");
                        who.push(*letter);
                        (id, sent) = at(&app, *stage).await;
                    } else {
                        assert!(matches!(status, 403 | 404 | 409 | 422), "{letter} {act:?} at {stage}: {status}");
                        assert_eq!(now, *stage, "{letter} {act:?} at {stage}: refused, and done all the same");
                    }
                }
                if !who.is_empty() {
                    writeln!(table, "{stage} {} {} {who}", act.word(), act.to()).unwrap();
                }
            }
        }
        // A administrator, C consultant, S success manager, M account manager, K customer
        assert_eq!(table, include_str!("../../src/intake/stages.txt"));
    })
    .await;
}
