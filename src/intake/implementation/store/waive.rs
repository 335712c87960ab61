//! Evidence that need not be seen: who has the right says so, and why.
use serde_json::json;
use uuid::Uuid;

use super::load_in;
use crate::{
    auth::{Permit, WaiveEvidence},
    clock::Clock,
    db::Db,
    error::{Error, Result},
    ids::IntegrationId,
    intake::{
        Reason, Stage,
        store::{self as integrations, Note, audit, note},
    },
    sql,
};

/// Waives a piece of evidence, or that a phase names any: `point` is the id of either. With `undo`, a waiver is taken back,
/// and it has to be seen again.
///
/// # Errors
/// [`Error::Invalid`] when there is no reason; [`Error::Conflict`] when that is so already, the phase names some, or it is
/// not under way; [`Error::NotFound`] when there is no such point; when the database fails.
pub async fn waive(
    db: &Db,
    clock: &Clock,
    permit: &Permit<WaiveEvidence>,
    of: IntegrationId,
    (point, undo): (Uuid, bool),
    reason: Option<Reason>,
) -> Result<()> {
    let Some(reason) = reason else {
        return Err(Error::invalid("reason", "write down why: whoever looks at it later will ask"));
    };
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let integration = integrations::lock(tx, permit.tenant(), of).await?;
            if integration.stage != Stage::Implementation {
                return Err(Error::Conflict(format!("it stands at {}", integration.stage.title())));
            }
            let whole = load_in(tx, integration.tenant_id, of).await?;
            let evidence = whole.evidence.iter().find(|one| one.id == point);
            let phase = whole.phases.iter().find(|one| one.id == point && one.quotation_id.is_some());
            let (name, text, is) = match (evidence, phase) {
                (Some(one), _) => (
                    one.rule.told(),
                    "UPDATE acceptance_evidence SET waived_by = $4, waived_at = $5, waived_why = $6
                     WHERE tenant_id = $1 AND integration_id = $2 AND id = $3",
                    one.waived.is_set(),
                ),
                (None, Some(one)) => {
                    if !undo && whole.evidence.iter().any(|other| other.phase_id == point) {
                        return Err(Error::Conflict("it names evidence: waive that".into()));
                    }
                    (
                        one.title.clone(),
                        "UPDATE implementation_phases SET waived_by = $4, waived_at = $5, waived_why = $6
                         WHERE tenant_id = $1 AND integration_id = $2 AND id = $3",
                        one.waived.is_set(),
                    )
                }
                (None, None) => return Err(Error::NotFound("evidence")),
            };
            match (undo, is) {
                (false, true) => return Err(Error::Conflict("that is waived already".into())),
                (true, false) => return Err(Error::Conflict("that is not waived".into())),
                _ => {}
            }
            let (actor, why) = (permit.actor(), reason.as_str());
            let (who, when, said) =
                if undo { (None, None, None) } else { (Some(actor.name.as_str()), Some(clock.now()), Some(why)) };
            sql!(exec tx, text, integration.tenant_id, of, point, who, when, said)?;
            let what = match (undo, evidence.is_some()) {
                (false, true) => format!("waived “{name}”"),
                (false, false) => format!("let “{name}” go live without evidence"),
                (true, true) => format!("took back the waiver of “{name}”"),
                (true, false) => format!("let “{name}” no longer go live without evidence"),
            };
            let (action, after) = if undo {
                ("evidence.unwaive", json!({ "takenBack": what, "reason": why }))
            } else {
                ("evidence.waive", json!({ "waived": what, "reason": why }))
            };
            note(tx, &clock, actor, (integration.tenant_id, of), Note { what, why, step: None }).await?;
            audit::written(tx, &clock, actor, &integration, action, None, after).await
        })
    })
    .await
}
