//! What an intake found out: answers, the technical check list, and the two verdicts.
use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;

use super::{Note, audit, lock, note};
use crate::{
    auth::{Actor, AnswerIntakes, Permit, Right, RunIntakes},
    clock::Clock,
    crypto,
    db::{Db, Tx},
    error::{Error, Result},
    ids::{IntegrationId, TenantId, UserId},
    intake::{
        Answer, Confidence, Question, Stage, Verdict,
        checks::{Item, Known, Source},
        questions::Section,
    },
    sql,
};

/// An answer, with who gave it and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Answered {
    /// To which question.
    pub question: String,
    /// The answer.
    pub answer: String,
    /// Who.
    pub answered_by: String,
    /// When.
    pub answered_at: DateTime<Utc>,
}

/// All answers of an intake.
///
/// # Errors
/// When the database fails.
pub async fn answers<R: Right>(db: &Db, permit: &Permit<R>, id: IntegrationId) -> Result<Vec<Answered>> {
    Ok(sql!(
        all Answered, db,
        "SELECT question, answer, answered_by, answered_at FROM intake_answers
         WHERE tenant_id = $1 AND integration_id = $2 ORDER BY question",
        permit.tenant(),
        id,
    )?)
}

/// Tells one state of a section's answers from another, and one integration's from another's: a form that was opened on
/// an older one, or before another link was opened in the same browser, overwrites nothing.
pub fn fingerprint(id: IntegrationId, section: &Section, answers: &[Answered]) -> String {
    let mut text = format!("{id};");
    for asked in section.questions {
        let answer = answers.iter().find(|one| one.question == asked.key).map_or("", |one| one.answer.as_str());
        let _ = write!(text, "{}:{}:{answer};", asked.key, answer.len());
    }
    let digest = crypto::sha256(text.as_bytes());
    format!("{:016x}", u64::from_be_bytes(std::array::from_fn(|n| digest[n])))
}

/// Saves the answers of one section: what is empty is no answer any more, and what is as it was keeps who gave it.
///
/// # Errors
/// [`Error::Conflict`] when somebody has saved the section meanwhile, or the intake is over; [`Error::NotFound`] when
/// the tenant has none such; when the database fails.
pub async fn save_answers(
    db: &Db,
    clock: &Clock,
    permit: &Permit<AnswerIntakes>,
    id: IntegrationId,
    section: &'static Section,
    seen: &str,
    given: Vec<(&'static str, String)>,
) -> Result<()> {
    let (permit, clock, seen) = (permit.clone(), clock.clone(), seen.to_owned());
    db.write(move |tx| {
        Box::pin(async move {
            let tenant = permit.tenant();
            let of = lock(tx, tenant, id).await?;
            must_be_open(of.stage)?;
            let before = sql!(
                all Answered, tx,
                "SELECT question, answer, answered_by, answered_at FROM intake_answers
                 WHERE tenant_id = $1 AND integration_id = $2",
                tenant,
                id,
            )?;
            let was = |key: &str| before.iter().find(|one| one.question == key).map_or("", |one| one.answer.as_str());
            let changed: Vec<_> = given.iter().filter(|(key, answer)| was(key) != answer).collect();
            if changed.is_empty() {
                return Ok(());
            }
            if fingerprint(id, section, &before) != seen {
                return Err(Error::Conflict(
                    "somebody else has answered here meanwhile, or another link was opened in this browser: see what stands \
                     here, and save again"
                        .into(),
                ));
            }
            for (key, answer) in &changed {
                if answer.is_empty() {
                    sql!(
                        exec tx,
                        "DELETE FROM intake_answers WHERE tenant_id = $1 AND integration_id = $2 AND question = $3",
                        tenant,
                        id,
                        *key,
                    )?;
                    continue;
                }
                sql!(
                    exec tx,
                    "INSERT INTO intake_answers (tenant_id, integration_id, question, answer, answered_by, answered_at)
                     VALUES ($1, $2, $3, $4, $5, $6)
                     ON CONFLICT (tenant_id, integration_id, question)
                     DO UPDATE SET answer = $4, answered_by = $5, answered_at = $6",
                    tenant,
                    id,
                    *key,
                    answer,
                    &permit.actor().name,
                    clock.now(),
                )?;
            }
            let told = |value: &dyn Fn(&str, &str) -> String| {
                let fields = changed.iter().map(|(key, answer)| ((*key).to_owned(), value(key, answer).into()));
                serde_json::Value::Object(fields.collect())
            };
            let (old, new) = (told(&|key, _| was(key).to_owned()), told(&|_, answer| answer.to_owned()));
            let what = format!("answered “{}”", section.title);
            note(tx, &clock, permit.actor(), (tenant, id), Note::of(what)).await?;
            audit::written(tx, &clock, permit.actor(), &of, "intake.answer", Some(old), new).await
        })
    })
    .await
}

/// An intake that is over is not answered any more; one under investigation or quoted may still learn something.
fn must_be_open(stage: Stage) -> Result<()> {
    if stage.is_open() {
        return Ok(());
    }
    Err(Error::Conflict(format!("the intake is over: it stands at {}", stage.title())))
}

/// What is known about one thing of the check list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// Which.
    pub item: Item,
    /// What is known.
    pub known: Known,
    /// A few words on it.
    pub note: String,
    /// From where.
    pub source: Source,
    /// Who wrote it down.
    pub set_by: String,
    /// When.
    pub set_at: DateTime<Utc>,
}

/// The check list of an intake, as far as it is known.
///
/// # Errors
/// When the database fails.
pub async fn checks<R: Right>(db: &Db, permit: &Permit<R>, id: IntegrationId) -> Result<Vec<Checked>> {
    Ok(sql!(
        all Checked, db,
        "SELECT item, known, note, source, set_by, set_at FROM intake_checks
         WHERE tenant_id = $1 AND integration_id = $2 ORDER BY item",
        permit.tenant(),
        id,
    )?)
}

/// Saves what somebody says of the check list; what is as it was keeps from where it is known.
///
/// # Errors
/// [`Error::Conflict`] when the intake is over; [`Error::NotFound`] when the tenant has none such; when the database
/// fails.
pub async fn save_checks(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunIntakes>,
    id: IntegrationId,
    given: Vec<(Item, Known, String)>,
) -> Result<()> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let of = lock(tx, permit.tenant(), id).await?;
            must_be_open(of.stage)?;
            let key = (of.tenant_id, id);
            let (before, after) = set_checks(tx, &clock, permit.actor(), key, Source::Person, given).await?;
            if after.is_empty() {
                return Ok(());
            }
            note(tx, &clock, permit.actor(), key, Note::of("went through the technical check list")).await?;
            audit::written(tx, &clock, permit.actor(), &of, "intake.check", Some(json!(before)), json!(after)).await
        })
    })
    .await
}

/// What the check list says, by item.
type Said = serde_json::Map<String, serde_json::Value>;

/// Sets what is different; what that was and what it is now.
pub(super) async fn set_checks(
    tx: &mut Tx,
    clock: &Clock,
    actor: &Actor,
    (tenant, id): (TenantId, IntegrationId),
    source: Source,
    given: Vec<(Item, Known, String)>,
) -> Result<(Said, Said)> {
    let found = sql!(
        all Checked, tx,
        "SELECT item, known, note, source, set_by, set_at FROM intake_checks
         WHERE tenant_id = $1 AND integration_id = $2",
        tenant,
        id,
    )?;
    let said = |known: Known, words: &str| {
        if words.is_empty() { known.word().to_owned() } else { format!("{}: {words}", known.word()) }
    };
    let (mut before, mut after) = (Said::new(), Said::new());
    for (item, known, words) in given {
        let was = found.iter().find(|one| one.item == item).map_or((Known::Unknown, ""), |one| (one.known, &*one.note));
        if was == (known, &*words) {
            continue;
        }
        before.insert(item.word().into(), said(was.0, was.1).into());
        after.insert(item.word().into(), said(known, &words).into());
        sql!(
            exec tx,
            "INSERT INTO intake_checks (tenant_id, integration_id, item, known, note, source, set_by, set_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (tenant_id, integration_id, item)
             DO UPDATE SET known = $4, note = $5, source = $6, set_by = $7, set_at = $8",
            tenant,
            id,
            item,
            known,
            words,
            source,
            &actor.name,
            clock.now(),
        )?;
    }
    Ok((before, after))
}

/// Takes over what an earlier intake of the same system knows. Whom a record is about depends on the customer: that is
/// found out anew.
pub(super) async fn copy_checks(
    tx: &mut Tx,
    clock: &Clock,
    actor: &Actor,
    (from_tenant, from): (TenantId, IntegrationId),
    to: (TenantId, IntegrationId),
) -> Result<()> {
    let known = sql!(
        all Checked, tx,
        "SELECT item, known, note, source, set_by, set_at FROM intake_checks
         WHERE tenant_id = $1 AND integration_id = $2",
        from_tenant,
        from,
    )?;
    // notes may speak of another customer
    let known = known.into_iter().filter(|one| one.item != Item::Identifier && one.known != Known::Unknown);
    let given = known.map(|one| (one.item, one.known, String::new())).collect();
    set_checks(tx, clock, actor, to, Source::Earlier, given).await?;
    note(tx, clock, actor, to, Note::of("took over the check list of an earlier intake")).await
}

/// The verdicts that were given.
///
/// # Errors
/// When the database fails.
pub async fn verdicts<R: Right>(db: &Db, permit: &Permit<R>, id: IntegrationId) -> Result<Vec<Verdict>> {
    Ok(sql!(
        all Verdict, db,
        "SELECT question, answer, confidence, owner_id, evidence, open_questions, given_by, given_at
         FROM intake_verdicts WHERE tenant_id = $1 AND integration_id = $2 ORDER BY question DESC",
        permit.tenant(),
        id,
    )?)
}

/// A verdict to be given.
#[derive(Debug, Clone)]
pub struct Given {
    /// On which question.
    pub question: Question,
    /// The answer.
    pub answer: Answer,
    /// How sure.
    pub confidence: Confidence,
    /// Who stands for it.
    pub owner_id: Option<UserId>,
    /// What it rests on.
    pub evidence: String,
    /// What is still to be found out, one a line.
    pub open_questions: String,
}

/// Gives a verdict, or another one.
///
/// # Errors
/// [`Error::Conflict`] when the scenario is chosen already; [`Error::NotFound`] when the tenant has none such; when the
/// database fails.
pub async fn give_verdict(
    db: &Db,
    clock: &Clock,
    permit: &Permit<RunIntakes>,
    id: IntegrationId,
    given: Given,
) -> Result<()> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let of = lock(tx, permit.tenant(), id).await?;
            if of.stage != Stage::Intake {
                return Err(Error::Conflict(format!(
                    "the scenario is chosen, and the verdicts stand: it is at {} now",
                    of.stage.title()
                )));
            }
            let before = sql!(
                opt Verdict, tx,
                "SELECT question, answer, confidence, owner_id, evidence, open_questions, given_by, given_at
                 FROM intake_verdicts WHERE tenant_id = $1 AND integration_id = $2 AND question = $3",
                of.tenant_id,
                id,
                given.question,
            )?;
            let before = before.map(|was| {
                json!({
                    "question": was.question, "answer": was.answer, "confidence": was.confidence,
                    "evidence": was.evidence, "openQuestions": was.open_questions,
                })
            });
            sql!(
                exec tx,
                "INSERT INTO intake_verdicts (tenant_id, integration_id, question, answer, confidence, owner_id, evidence,
                    open_questions, given_by, given_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                 ON CONFLICT (tenant_id, integration_id, question)
                 DO UPDATE SET answer = $4, confidence = $5, owner_id = $6, evidence = $7, open_questions = $8,
                    given_by = $9, given_at = $10",
                of.tenant_id,
                id,
                given.question,
                given.answer,
                given.confidence,
                given.owner_id,
                &given.evidence,
                &given.open_questions,
                &permit.actor().name,
                clock.now(),
            )?;
            let (title, answer) = (given.question.title(), given.answer.title());
            let what = format!("answered “{title}” with {answer}, confidence {}", given.confidence.word());
            let told = Note { what, why: &given.evidence, step: None };
            note(tx, &clock, permit.actor(), (of.tenant_id, id), told).await?;
            let after = json!({
                "question": given.question, "answer": given.answer, "confidence": given.confidence,
                "evidence": given.evidence, "openQuestions": given.open_questions,
            });
            audit::written(tx, &clock, permit.actor(), &of, "intake.verdict", before, after).await
        })
    })
    .await
}
