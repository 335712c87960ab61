//! Copying an event type: what people decided about it begins a new one, in the same tenant or in another.
use serde_json::json;

use super::{Details, EventType, store};
use crate::{
    auth::{
        Configure, Permit, ReadConfiguration,
        audit::{self, Entry, snapshot},
    },
    clock::Clock,
    db::Db,
    error::Result,
    ids::EventTypeId,
    name::Name,
    tenants,
};

/// Makes a new type with the active contract, the policy, the unique fields and the description of another. Tokens,
/// events and older versions do not come along, and it takes no anonymous events: who may send is decided anew.
///
/// Both trails tell of it by the ids of the two types, which say nothing of a foreign tenant to those who read one.
///
/// # Errors
/// [`crate::error::Error::NotFound`] when there is no such type, or no such tenant to copy to; when the database fails.
pub async fn copy(
    db: &Db,
    clock: &Clock,
    from: &Permit<ReadConfiguration>,
    id: EventTypeId,
    to: &Permit<Configure>,
    name: Name,
) -> Result<EventType> {
    let (from, to, clock) = (from.clone(), to.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            tenants::store::lock(tx, to.tenant()).await?;
            let original = store::get_in(tx, from.tenant(), id).await?;
            let now = clock.now();
            let details = Details { name, anonymous: false, enabled: true, ..original.details };
            let made = EventType {
                tenant_id: to.tenant(),
                id: EventTypeId::new(&clock),
                details,
                created_at: now,
                updated_at: now,
            };
            store::insert(tx, to.actor(), &made).await?;
            let mut after = snapshot(&made);
            if let Some(after) = &mut after {
                after["copyOf"] = json!(original.id);
            }
            let entry = Entry {
                actor: to.actor(),
                tenant: Some(to.tenant()),
                action: "event-type.create",
                object: made.id.to_string(),
                before: None,
                after,
            };
            audit::record(tx, &clock, entry).await?;
            let entry = Entry {
                actor: from.actor(),
                tenant: Some(from.tenant()),
                action: "event-type.copy",
                object: original.id.to_string(),
                before: None,
                after: Some(json!({"copy": made.id})),
            };
            audit::record(tx, &clock, entry).await?;
            audit::configuration_changed(tx).await?;
            Ok(made)
        })
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        auth::Actor,
        db::testing::each,
        error::Error,
        event_types::{Contract, Policy, UniqueFields, create, get, list, versions},
        ids::TenantId,
        sql,
        tenants::testing::tenant,
    };

    #[tokio::test]
    async fn what_was_decided_comes_along_and_who_may_send_does_not() {
        each(|db| async move {
            let (clock, cli) = (Clock::system(), Actor::cli());
            let (own, other) = (tenant(&db, "Acme").await, tenant(&db, "Umbrella").await);
            let details = Details {
                description: "What a shop sells.".into(),
                contract: Contract::parse(r#"{"required":["Order ID"]}"#).unwrap(),
                policy: Policy::Refuse,
                unique_fields: UniqueFields::parse(["Order ID"]).unwrap(),
                anonymous: true,
                enabled: false,
                ..Details::named("Sale".parse().unwrap())
            };
            let original = create(&db, &clock, &cli.permit(own).unwrap(), None, details).await.unwrap();
            let (from, to) = (cli.permit(own).unwrap(), cli.permit(other).unwrap());
            let name = || "Sale 2".parse::<Name>().unwrap();
            let made = copy(&db, &clock, &from, original.id, &to, name()).await.unwrap();
            assert_ne!(made.id, original.id);
            let read = cli.permit(other).unwrap();
            let kept = get(&db, &read, made.id).await.unwrap();
            let expected = Details { name: name(), anonymous: false, enabled: true, ..original.details.clone() };
            assert_eq!((&kept, &kept.details), (&made, &expected));
            assert_eq!(versions::active(&db, &read, made.id).await.unwrap().made.number, 1);
            assert_eq!(get(&db, &from, original.id).await.unwrap(), original, "the original is as it was");

            let trail = sql!(
                all(TenantId, String, String),
                &db,
                "SELECT tenant_id, action, after FROM audit WHERE action <> 'tenant.create' ORDER BY id"
            );
            let trail = trail.unwrap();
            let told: Vec<_> = trail.iter().map(|(tenant, action, _)| (*tenant, action.as_str())).collect();
            assert!(
                told.contains(&(other, "event-type.create")) && told.contains(&(own, "event-type.copy")),
                "{told:?}"
            );
            for (tenant, _, after) in &trail {
                let foreign = if *tenant == own { other } else { own };
                assert!(!after.contains(&foreign.to_string()), "one tenant's trail names the other: {after}");
            }

            // nothing comes of what is not there
            let nobody = cli.permit(TenantId::new(&clock)).unwrap();
            let missing = copy(&db, &clock, &from, made.id, &to, name()).await;
            assert!(matches!(missing, Err(Error::NotFound("event type"))), "it is the other tenant's");
            assert!(matches!(
                copy(&db, &clock, &from, original.id, &nobody, name()).await,
                Err(Error::NotFound("tenant"))
            ));
            assert_eq!(list(&db, &read).await.unwrap().len(), 1);
        })
        .await;
    }
}
