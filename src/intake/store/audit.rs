//! The audit trail of integrations: one way to write into it for the whole slice.
use crate::{
    auth::{Actor, audit},
    clock::Clock,
    db::Tx,
    error::Result,
    intake::Integration,
};

/// Writes into the audit trail. Values without a `name` are given that of the integration, by which the trail calls it.
pub(crate) async fn written(
    tx: &mut Tx,
    clock: &Clock,
    actor: &Actor,
    of: &Integration,
    action: &'static str,
    before: Option<serde_json::Value>,
    after: serde_json::Value,
) -> Result<()> {
    let named = |value: serde_json::Value| match value {
        serde_json::Value::Object(mut fields) => {
            fields.entry("name").or_insert_with(|| of.details.name.as_str().into());
            serde_json::Value::Object(fields)
        }
        other => other,
    };
    let entry = audit::Entry {
        actor,
        tenant: Some(of.tenant_id),
        action,
        object: of.id.to_string(),
        before: before.map(named),
        after: Some(named(after)),
    };
    audit::record(tx, clock, entry).await
}
