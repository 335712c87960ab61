//! Versions and drafts, on both databases.
use super::*;
use crate::{
    db::testing::each,
    event_types::{Details, create, update},
};

const ONE: &str = r#"{"type":"object"}"#;
const TWO: &str = r#"{"type":"object","required":["Amount"]}"#;
const THREE: &str = r#"{"type":"object","required":["Amount","Email"]}"#;

/// A type of a tenant, and who works on it.
struct Desk {
    db: Db,
    clock: Clock,
    permit: Permit<Configure>,
    read: Permit<ReadConfiguration>,
    id: EventTypeId,
}

impl Desk {
    async fn new(db: &Db) -> Self {
        let (clock, cli) = (Clock::system(), Actor::cli());
        let name = "Acme".parse().unwrap();
        let tenant = tenants::create(db, &clock, &cli.grant().unwrap(), None, name).await.unwrap().id;
        let (permit, read) = (cli.permit(tenant).unwrap(), cli.permit(tenant).unwrap());
        let made = create(db, &clock, &permit, None, Details::named("Sale".parse().unwrap())).await.unwrap();
        Self { db: db.clone(), clock, permit, read, id: made.id }
    }

    async fn save(&self, text: &str) -> Draft {
        let contract = Contract::parse(text).unwrap();
        save_draft(&self.db, &self.clock, &self.permit, self.id, contract).await.unwrap()
    }

    async fn activate(&self, draft: &Draft) -> Result<EventType> {
        activate(&self.db, &self.clock, &self.permit, self.id, None, draft.fingerprint()).await
    }

    async fn roll_back(&self, to: i64, active: i64) -> Result<EventType> {
        roll_back(&self.db, &self.clock, &self.permit, self.id, to, active, None).await
    }

    async fn draft(&self) -> Option<Draft> {
        draft(&self.db, &self.read, self.id).await.unwrap()
    }

    /// Number and text of each version, oldest first. The last of them is what the front door judges by.
    async fn versions(&self) -> Vec<(i64, String)> {
        let mut all = Vec::new();
        for made in list(&self.db, &self.read, self.id, None, 100).await.unwrap() {
            let version = get(&self.db, &self.read, self.id, made.number).await.unwrap();
            assert_eq!(version.made, made);
            all.insert(0, (made.number, version.contract.text().to_owned()));
        }
        let active = types::get(&self.db, &self.read, self.id).await.unwrap();
        assert_eq!(all.last().unwrap().1, active.details.contract.text());
        all
    }

    async fn actions(&self) -> Vec<String> {
        let object = self.id.to_string();
        sql!(values String, &self.db, "SELECT action FROM audit WHERE object_id = $1 ORDER BY id", object).unwrap()
    }

    async fn configuration(&self) -> i64 {
        sql!(value i64, &self.db, "SELECT version FROM configuration").unwrap()
    }
}

fn numbered(texts: &[&str]) -> Vec<(i64, String)> {
    (1..).zip(texts.iter().map(|text| (*text).to_owned())).collect()
}

#[tokio::test]
async fn a_draft_becomes_the_next_version_and_an_old_one_comes_back_on_top() {
    each(|db| async move {
        let desk = Desk::new(&db).await;
        assert_eq!(desk.versions().await, numbered(&[ONE]));
        assert_eq!(desk.draft().await, None);

        let before = desk.configuration().await;
        let first = desk.save(TWO).await;
        assert_eq!((first.base, first.active, first.updated_by.as_str()), (1, 1, "cli"));
        assert_eq!(desk.draft().await.as_ref(), Some(&first));
        assert_eq!(desk.save(TWO).await, first, "the same text changes nothing");
        assert_eq!(desk.versions().await, numbered(&[ONE]), "a draft judges nothing");
        assert_eq!(desk.configuration().await, before, "a draft is no matter of the front door");

        let note = Some("sales are paid".to_owned());
        let fingerprint = first.fingerprint();
        activate(&db, &desk.clock, &desk.permit, desk.id, note.clone(), fingerprint).await.unwrap();
        assert_eq!(desk.configuration().await, before + 1);
        assert_eq!(desk.draft().await, None);
        assert_eq!(desk.versions().await, numbered(&[ONE, TWO]));
        let second = active(&db, &desk.read, desk.id).await.unwrap().made;
        assert_eq!((second.number, second.by.as_deref(), second.note), (2, Some("cli"), note));

        desk.roll_back(1, 2).await.unwrap();
        assert_eq!(desk.versions().await, numbered(&[ONE, TWO, ONE]));
        assert_eq!(active(&db, &desk.read, desk.id).await.unwrap().made.restores, Some(1));
        assert!(matches!(desk.roll_back(1, 3).await, Err(Error::Conflict(_))), "it is active already");
        assert!(matches!(desk.roll_back(9, 3).await, Err(Error::NotFound(_))));

        update(&db, &desk.clock, &desk.permit, desk.id, |details| details.contract = Contract::parse(THREE).unwrap())
            .await
            .unwrap();
        assert_eq!(desk.versions().await, numbered(&[ONE, TWO, ONE, THREE]));
        let renamed = |details: &mut Details| details.description = "what was sold".into();
        update(&db, &desk.clock, &desk.permit, desk.id, renamed).await.unwrap();
        assert_eq!(desk.versions().await.len(), 4, "other changes are no versions");

        let numbers = |made: Vec<Made>| made.iter().map(|made| made.number).collect::<Vec<_>>();
        assert_eq!(numbers(list(&db, &desk.read, desk.id, None, 2).await.unwrap()), [4, 3]);
        assert_eq!(numbers(list(&db, &desk.read, desk.id, Some(3), 2).await.unwrap()), [2, 1]);
        assert_eq!(
            desk.actions().await,
            [
                "event-type.create",
                "contract.draft",
                "contract.activate",
                "contract.roll-back",
                "event-type.change",
                "event-type.change"
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn of_two_consultants_the_second_is_told_what_the_first_did() {
    each(|db| async move {
        let desk = Desk::new(&db).await;
        // somebody saves another draft after this one was reviewed
        let seen = desk.save(TWO).await;
        let newer = desk.save(THREE).await;
        assert_eq!(newer.base, 1);
        assert!(matches!(desk.activate(&seen).await, Err(Error::Conflict(_))));
        let discarded = discard_draft(&db, &desk.clock, &desk.permit, desk.id, Some(seen.fingerprint())).await;
        assert!(matches!(discarded, Err(Error::Conflict(_))));
        // somebody activates another contract meanwhile: the difference that was reviewed is another one now
        update(&db, &desk.clock, &desk.permit, desk.id, |details| details.contract = Contract::parse(TWO).unwrap())
            .await
            .unwrap();
        let refused = desk.activate(&newer).await.unwrap_err().to_string();
        assert!(refused.contains("version 2 is active"), "{refused}");
        assert_eq!(desk.versions().await, numbered(&[ONE, TWO]));
        let seen_again = desk.draft().await.unwrap();
        assert_eq!((seen_again.base, seen_again.active), (1, 2));
        assert_ne!(seen_again.fingerprint(), newer.fingerprint());

        // both press the button at once
        let (one, other) = tokio::join!(desk.activate(&seen_again), desk.activate(&seen_again));
        let done = [one, other].iter().flatten().count();
        assert_eq!((done, desk.versions().await), (1, numbered(&[ONE, TWO, THREE])));
        assert!(matches!(desk.activate(&seen_again).await, Err(Error::Conflict(_))), "there is no draft any more");

        let (one, other) = tokio::join!(desk.roll_back(1, 3), desk.roll_back(2, 3));
        assert_eq!([one.is_ok(), other.is_ok()].iter().filter(|ok| **ok).count(), 1);
        assert_eq!(desk.versions().await.len(), 4);

        // a draft of what is active already is nothing to activate, but can be thrown away
        let same = desk.versions().await[3].1.clone();
        let same = desk.save(&same).await;
        assert!(matches!(desk.activate(&same).await, Err(Error::Conflict(_))));
        discard_draft(&db, &desk.clock, &desk.permit, desk.id, None).await.unwrap();
        assert_eq!(desk.draft().await, None);
        assert!(discard_draft(&db, &desk.clock, &desk.permit, desk.id, None).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_type_of_another_tenant_is_not_found() {
    each(|db| async move {
        let (desk, other) = (Desk::new(&db).await, Desk::new(&db).await);
        let seen = desk.save(TWO).await;
        let not_found = |error: Error| matches!(error, Error::NotFound("event type" | "version of this contract"));
        assert!(not_found(draft(&db, &other.read, desk.id).await.unwrap_err()));
        assert!(not_found(list(&db, &other.read, desk.id, None, 9).await.unwrap_err()));
        assert!(not_found(get(&db, &other.read, desk.id, 1).await.unwrap_err()));
        let foreign = Desk { id: desk.id, ..other };
        let saved = save_draft(&db, &foreign.clock, &foreign.permit, desk.id, Contract::default()).await;
        assert!(not_found(saved.unwrap_err()));
        assert!(not_found(discard_draft(&db, &foreign.clock, &foreign.permit, desk.id, None).await.unwrap_err()));
        assert!(not_found(foreign.activate(&seen).await.unwrap_err()));
        assert!(not_found(foreign.roll_back(1, 1).await.unwrap_err()));
        assert_eq!(desk.draft().await, Some(seen));
    })
    .await;
}
