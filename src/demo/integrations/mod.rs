//! Integrations of the demo: as many as a house like this has under way, each at another point of its way. They are
//! begun, asked, judged and led on by the same functions as any other, at the time at which it would have happened, and
//! whoever acts is called what they are: a part of the demo.
mod stories;

use chrono::{DateTime, TimeDelta, Utc};

use super::{DAYS, TENANT};
use crate::{
    auth::{
        Actor, AnswerIntakes, AnswerQuotations, Permit, Role, RunImplementations, RunIntakes, RunInvestigations,
        WaiveEvidence,
    },
    clock::Clock,
    db::Db,
    error::{Error, Result},
    ids::{IntegrationId, QuotationId},
    intake::{
        Act, Answer, Confidence, Details, Next, Question, Reason, Scenario, Side, SystemKind,
        checks::{self, Known},
        findings,
        implementation::store as building,
        questions,
        quotation::{
            Acceptance, Amounts, Content, Limit, Line, Percent, Pricing,
            store::{self as quotations, Bell},
        },
        store::{self, Given, Plan, Taken},
    },
};
pub(super) use stories::STORIES;

/// How one integration came to be where it is.
pub(super) struct Story {
    name: &'static str,
    system: &'static str,
    kind: SystemKind,
    need: &'static str,
    customer: &'static str,
    vendor: &'static str,
    /// How many days ago it began.
    ago: i64,
    steps: &'static [Scene],
}

/// Something that happened, and how many hours after what happened before.
pub(super) struct Scene(i64, What);

enum What {
    /// Answers of the customer, by question.
    Answered(&'static [(&'static str, &'static str)]),
    /// What is known of the check list.
    Checked(&'static [checks::Item], &'static [checks::Item]),
    /// Samples that somebody pasted.
    Samples(&'static str),
    /// A verdict: what it rests on, and what is open, one a line.
    Judged(Question, Answer, Confidence, &'static str, &'static str),
    /// The scenario, and why, where a reason is wanted.
    Chose(Scenario, &'static str),
    /// The time box, in hours, what for, and when it is due, in days from the beginning.
    Planned(i64, &'static str, i64),
    /// The question that begins so is answered: by what method, how, and on what evidence.
    Found(&'static str, &'static str, &'static str, &'static str),
    /// Time, in minutes.
    Spent(i64, &'static str),
    /// The investigation ends.
    Concluded(bool, &'static str),
    /// A quotation is sent: work packages, each with its hours.
    Quoted(&'static [(&'static str, i64)]),
    /// The customer accepts it.
    Accepted,
    /// The customer declines it, and why.
    Declined(&'static str),
    /// The task that begins so is done.
    Did(&'static str),
    /// Time on the phase that begins so, in minutes, and on what.
    Worked(&'static str, i64, &'static str),
    /// All is done, and it goes live without evidence: this happened before any was measured here.
    WentLive,
    /// It is given up.
    Ended(Act, &'static str),
    /// Whose turn it is, and for what.
    Waits(Side, &'static str),
}

/// Somebody of the demo.
fn somebody(name: &str, role: Role) -> Actor {
    let tenant = (role == Role::Customer).then_some(TENANT);
    Actor { user: None, name: format!("{name} (demo)"), role, tenant, address: None, request: None }
}

/// The people of the demo, by what they may do.
struct Cast {
    manager: Permit<RunIntakes>,
    engineer: Permit<RunIntakes>,
    investigator: Permit<RunInvestigations>,
    builder: Permit<RunImplementations>,
    account_manager: Permit<WaiveEvidence>,
    customer: Permit<AnswerIntakes>,
    decides: Permit<AnswerQuotations>,
}

impl Cast {
    fn gather() -> Result<Self> {
        let tom = somebody("Tom", Role::Consultant);
        Ok(Self {
            manager: somebody("Ines", Role::SuccessManager).permit(TENANT)?,
            engineer: tom.permit(TENANT)?,
            investigator: tom.permit(TENANT)?,
            builder: tom.permit(TENANT)?,
            account_manager: somebody("Ruth", Role::AccountManager).permit(TENANT)?,
            customer: somebody("Mara of the box office", Role::Customer).permit(TENANT)?,
            decides: somebody("Mara of the box office", Role::Customer).permit(TENANT)?,
        })
    }
}

/// Tells all stories, as of `now`.
///
/// # Errors
/// When the database fails.
pub(super) async fn tell(db: &Db, now: DateTime<Utc>) -> Result<u64> {
    let cast = Cast::gather()?;
    for story in STORIES {
        let past = Clock::still();
        let begins = now - TimeDelta::days(story.ago.min(DAYS)) - TimeDelta::minutes(7);
        past.advance((begins - past.now()).num_seconds());
        Telling { db, past: &past, cast: &cast, begins }.tell(story).await?;
    }
    Ok(STORIES.len() as u64)
}

struct Telling<'a> {
    db: &'a Db,
    past: &'a Clock,
    cast: &'a Cast,
    begins: DateTime<Utc>,
}

impl Telling<'_> {
    async fn tell(&self, story: &'static Story) -> Result<()> {
        let wrong = |_| Error::internal(anyhow::anyhow!("the demo's {} has no name", story.name));
        let details = Details {
            name: story.name.parse().map_err(wrong)?,
            system_name: story.system.parse().map_err(wrong)?,
            system_kind: story.kind,
            need: story.need.into(),
            owner_id: None,
            customer_people: story.customer.into(),
            vendor_people: story.vendor.into(),
        };
        let made = store::create(self.db, self.past, &self.cast.manager, details, None).await?;
        for Scene(hours, what) in story.steps {
            self.past.advance(hours * 3_600 + 11 * 60);
            self.happens(made.id, what).await?;
        }
        Ok(())
    }

    async fn happens(&self, id: IntegrationId, what: &What) -> Result<()> {
        let (db, past, cast) = (self.db, self.past, self.cast);
        match what {
            What::Answered(given) => self.answered(id, given).await,
            What::Checked(yes, no) => {
                let said = |items: &[checks::Item], known| {
                    items.iter().map(move |item| (*item, known, String::new())).collect::<Vec<_>>()
                };
                let all = [said(yes, Known::Yes), said(no, Known::No)].concat();
                store::save_checks(db, past, &cast.engineer, id, all).await
            }
            What::Samples(text) => {
                let found = findings::of_samples(text, None).map_err(Error::internal)?;
                store::attach(db, past, &cast.engineer, id, found).await
            }
            What::Judged(question, answer, confidence, evidence, open) => {
                let given = Given {
                    question: *question,
                    answer: *answer,
                    confidence: *confidence,
                    owner_id: None,
                    evidence: (*evidence).into(),
                    open_questions: (*open).into(),
                };
                let who = if *question == Question::Technical { &cast.engineer } else { &cast.manager };
                store::give_verdict(db, past, who, id, given).await
            }
            What::Chose(scenario, why) => self.step(&cast.manager, id, Act::Choose(*scenario), why).await,
            What::Planned(hours, goal, days) => {
                let due_on = (self.begins + TimeDelta::days(*days)).format("%Y-%m-%d").to_string();
                let plan = Plan { goal: (*goal).into(), minutes: hours * 60, due_on };
                store::plan(db, past, &cast.investigator, id, plan).await
            }
            What::Found(begins, method, answer, evidence) => {
                let all = store::questions(db, &cast.investigator, id).await?;
                let Some(mut open) = all.into_iter().find(|one| one.question.starts_with(begins)) else {
                    return Ok(());
                };
                open.method = (*method).into();
                open.owner = "Tom".into();
                open.answer = (*answer).into();
                open.evidence = (*evidence).into();
                store::answer_question(db, past, &cast.investigator, id, open).await
            }
            What::Spent(minutes, what) => {
                let day = past.now().format("%Y-%m-%d").to_string();
                store::spend(db, past, &cast.investigator, id, (day, *minutes, (*what).into())).await
            }
            What::Concluded(possible, why) => self.step(&cast.engineer, id, Act::Conclude(*possible), why).await,
            What::Quoted(work) => self.quoted(id, work).await,
            What::Accepted => {
                let (of, digest) = self.offered(id).await?;
                let by = Acceptance { name: "Mara Lind".into(), role: "Head of the box office".into() };
                quotations::accept(db, past, &cast.decides, &Bell::silent(), of, &digest, by).await.map(drop)
            }
            What::Declined(why) => {
                let (of, digest) = self.offered(id).await?;
                let why = Reason::parse(why).map_err(|why| Error::internal(anyhow::anyhow!(why)))?;
                let no = ("Mara Lind".to_owned(), why);
                quotations::decline(db, past, &cast.decides, &Bell::silent(), of, &digest, no).await.map(drop)
            }
            What::Did(begins) => {
                let whole = building::load(db, &cast.builder, id).await?;
                match whole.tasks.iter().find(|one| one.details.title.starts_with(begins)) {
                    Some(task) => building::set_done(db, past, &cast.builder, id, task.id, true).await,
                    None => Ok(()),
                }
            }
            What::Worked(begins, minutes, what) => {
                let whole = building::load(db, &cast.builder, id).await?;
                let Some(phase) = whole.phases.iter().find(|one| one.title.starts_with(begins)) else { return Ok(()) };
                let day = past.now().format("%Y-%m-%d").to_string();
                building::spend(db, past, &cast.builder, id, phase.id, (day, *minutes, (*what).into())).await
            }
            What::WentLive => self.went_live(id).await,
            What::Ended(act, why) => self.step(&cast.manager, id, *act, why).await,
            What::Waits(turn, next) => {
                let next = Next { next_step: (*next).into(), turn: *turn };
                store::set_next(db, past, &cast.manager, id, next, String::new()).await.map(drop)
            }
        }
    }

    async fn answered(&self, id: IntegrationId, given: &[(&'static str, &'static str)]) -> Result<()> {
        for section in questions::SECTIONS {
            let mut here = Vec::new();
            for asked in section.questions {
                let Some((key, answer)) = given.iter().find(|(key, _)| asked.key == *key) else { continue };
                // what no form would take is told by nobody
                let answer = asked.read(answer).map_err(|why| Error::internal(anyhow::anyhow!("{key}: {why}")))?;
                here.push((*key, answer));
            }
            if here.is_empty() {
                continue;
            }
            let before = store::answers(self.db, &self.cast.customer, id).await?;
            let seen = store::fingerprint(id, section, &before);
            store::save_answers(self.db, self.past, &self.cast.customer, id, section, &seen, here).await?;
        }
        Ok(())
    }

    /// Drafts the next version, and sends it.
    async fn quoted(&self, id: IntegrationId, work: &[(&str, i64)]) -> Result<()> {
        let (db, past, who) = (self.db, self.past, &self.cast.manager);
        let draft = quotations::begin(db, past, who, id).await?;
        let line = |(package, hours): &(&str, i64)| Line {
            package: (*package).into(),
            description: String::new(),
            role: "Consultant".into(),
            pricing: Pricing::Fixed,
            minutes: hours * 60,
            rate: 14_000,
            vat: Percent(2_500),
        };
        let content = Content { lines: work.iter().map(line).collect(), ..draft.content };
        let draft = quotations::save(db, past, who, draft.id, draft.revision, content).await?;
        let limit = Limit { approve_above: Amounts::default() };
        quotations::send(db, past, who, limit, draft.id, draft.revision).await.map(drop)
    }

    /// What the customer can answer, and its digest.
    async fn offered(&self, id: IntegrationId) -> Result<(QuotationId, String)> {
        let all = quotations::list(self.db, &self.cast.decides, id).await?;
        let of = all.into_iter().find(|one| one.state.is_offered()).ok_or(Error::NotFound("quotation"))?;
        Ok((of.id, of.document_digest.unwrap_or_default()))
    }

    async fn step(&self, who: &Permit<RunIntakes>, id: IntegrationId, act: Act, why: &str) -> Result<()> {
        let reason = Reason::parse(why).map_err(|why| Error::internal(anyhow::anyhow!(why)))?;
        store::advance(self.db, self.past, who, id, Taken { act, reason, next: None }).await.map(drop)
    }

    /// Does what is left, and goes live. What was drafted had been configured by hand.
    async fn went_live(&self, id: IntegrationId) -> Result<()> {
        let (db, past, cast) = (self.db, self.past, self.cast);
        for draft in building::load(db, &cast.builder, id).await?.drafts {
            building::drop_draft(db, past, &cast.builder, id, draft.id, true).await?;
        }
        loop {
            let whole = building::load(db, &cast.builder, id).await?;
            let Some(task) = whole.ready().first().map(|task| task.id) else { break };
            past.advance(3_600);
            building::set_done(db, past, &cast.builder, id, task, true).await?;
        }
        let whole = building::load(db, &cast.builder, id).await?;
        let bare = whole
            .phases
            .iter()
            .filter(|phase| phase.quotation_id.is_some() && whole.evidence.iter().all(|one| one.phase_id != phase.id));
        for point in whole.evidence.iter().map(|one| one.id).chain(bare.map(|one| one.id)) {
            let why = Reason::parse("It was seen to work before evidence was measured here.");
            let why = why.map_err(|why| Error::internal(anyhow::anyhow!(why)))?;
            building::waive(db, past, &cast.account_manager, id, (point, false), why).await?;
        }
        self.step(&cast.engineer, id, Act::GoLive, "").await
    }
}
