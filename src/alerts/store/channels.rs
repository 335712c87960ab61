//! Channels: whom to tell. Each change is audited in its own transaction.
use chrono::{DateTime, Duration, Utc};

use super::super::{Channel, Keeper, Scope, Way, message, sign::Secret};
use crate::{
    auth::audit::{self, Entry, snapshot},
    clock::Clock,
    crypto::seal::{Keyring, Place},
    db::{Db, Tx},
    error::{Error, Result},
    ids::{ChannelId, NoticeId, TenantId},
    name::Name,
    sql, tenants,
};

/// The most channels of one tenant, and of the installation.
const MOST: i64 = 20;
/// How long the former secret signs beside a new one.
pub const OVERLAP: Duration = Duration::hours(24);

macro_rules! channels {
    ($rest:literal) => {
        concat!(
            "SELECT tenant_id, id, name, kind, address, enabled, former_ends, created_at FROM alert_channels ",
            $rest
        )
    };
}

/// The channels of a tenant, or of the installation.
///
/// # Errors
/// When the database does.
pub async fn channels(db: &Db, scope: Scope) -> Result<Vec<Channel>> {
    Ok(sql!(all Channel, db, channels!("WHERE tenant_id = $1 ORDER BY lower(name), id"), scope.tenant())?)
}

/// One of them.
///
/// # Errors
/// [`Error::NotFound`] when there is none such; when the database fails.
pub async fn channel(db: &Db, scope: Scope, id: ChannelId) -> Result<Channel> {
    let row = sql!(opt Channel, db, channels!("WHERE tenant_id = $1 AND id = $2"), scope.tenant(), id)?;
    row.ok_or(Error::NotFound("channel"))
}

/// Whom an alert of a tenant is told: its own channels and those of the installation. For what raises alerts: nobody's
/// permission is asked.
///
/// # Errors
/// When the database does.
pub async fn told(tx: &mut Tx, tenant: TenantId) -> Result<Vec<Channel>> {
    let text = channels!("WHERE tenant_id IN ($1, $2) AND enabled ORDER BY tenant_id, id");
    Ok(sql!(all Channel, tx, text, tenant, super::super::INSTALLATION)?)
}

/// A channel that was just made, and its secret: the one time that it is shown.
pub type Made = (Channel, Option<Secret>);

/// Adds a channel.
///
/// # Errors
/// [`Error::Conflict`] when there are too many; [`Error::NotFound`] without such a tenant; when the database fails, or
/// there is no key to seal the secret with.
pub async fn add(
    db: &Db,
    clock: &Clock,
    keys: &Keyring,
    keeper: &Keeper,
    way: Way,
    name: Name,
    address: String,
) -> Result<Made> {
    let (clock, keeper) = (clock.clone(), keeper.clone());
    let (id, secret) = (ChannelId::new(&clock), (way == Way::Web).then(Secret::generate));
    let channel = Channel {
        tenant_id: keeper.scope.tenant(),
        id,
        name,
        kind: way,
        address,
        enabled: true,
        former_ends: None,
        created_at: clock.now(),
    };
    let sealed = secret.as_ref().map(|secret| seal(keys, &channel, secret)).transpose()?;
    db.write(move |tx| {
        Box::pin(async move {
            if channel.tenant_id != super::super::INSTALLATION {
                tenants::store::lock(tx, channel.tenant_id).await?;
            }
            let text = "SELECT COUNT(*) FROM alert_channels WHERE tenant_id = $1";
            if sql!(value i64, tx, text, channel.tenant_id)? >= MOST {
                return Err(Error::Conflict(format!("there are {MOST} channels already: remove one first")));
            }
            sql!(
                exec tx,
                "INSERT INTO alert_channels (tenant_id, id, name, kind, address, enabled, secret, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                channel.tenant_id,
                channel.id,
                &channel.name,
                channel.kind,
                &channel.address,
                channel.enabled,
                sealed,
                channel.created_at,
            )?;
            written(tx, &clock, &keeper, "alert-channel.add", None, Some(&channel)).await?;
            Ok((channel, secret))
        })
    })
    .await
}

/// Calls it something else, or sends elsewhere.
///
/// # Errors
/// [`Error::NotFound`] when there is none such; when the database fails.
pub async fn edit(
    db: &Db,
    clock: &Clock,
    keeper: &Keeper,
    id: ChannelId,
    name: Name,
    address: String,
) -> Result<Channel> {
    let apply = move |channel: &mut Channel| {
        channel.name = name;
        channel.address = address;
    };
    change(db, clock, keeper, id, "alert-channel.change", apply).await
}

/// Tells it, or tells it no more. What waits for it is not sent then.
///
/// # Errors
/// As [`edit`].
pub async fn set_enabled(db: &Db, clock: &Clock, keeper: &Keeper, id: ChannelId, enabled: bool) -> Result<Channel> {
    let action = if enabled { "alert-channel.resume" } else { "alert-channel.pause" };
    change(db, clock, keeper, id, action, move |channel| channel.enabled = enabled).await
}

async fn change(
    db: &Db,
    clock: &Clock,
    keeper: &Keeper,
    id: ChannelId,
    action: &'static str,
    apply: impl FnOnce(&mut Channel) + Send + 'static,
) -> Result<Channel> {
    let (clock, keeper) = (clock.clone(), keeper.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let before = lock(tx, &keeper, id).await?;
            let mut after = before.clone();
            apply(&mut after);
            if after != before {
                sql!(
                    exec tx,
                    "UPDATE alert_channels SET name = $3, address = $4, enabled = $5 WHERE tenant_id = $1 AND id = $2",
                    after.tenant_id,
                    after.id,
                    &after.name,
                    &after.address,
                    after.enabled,
                )?;
                written(tx, &clock, &keeper, action, Some(&before), Some(&after)).await?;
            }
            Ok(after)
        })
    })
    .await
}

/// Gives a web channel a new secret; the former one signs beside it for a day.
///
/// # Errors
/// [`Error::Refused`] for one that has none; as [`edit`].
pub async fn roll(db: &Db, clock: &Clock, keys: &Keyring, keeper: &Keeper, id: ChannelId) -> Result<(Channel, Secret)> {
    let (clock, keys, keeper) = (clock.clone(), keys.clone(), keeper.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let before = lock(tx, &keeper, id).await?;
            if before.kind != Way::Web {
                return Err(Error::Refused("mail is not signed: this channel has no secret".into()));
            }
            let (secret, ends) = (Secret::generate(), clock.now() + OVERLAP);
            let sealed = seal(&keys, &before, &secret)?;
            sql!(
                exec tx,
                "UPDATE alert_channels SET former = secret, former_ends = $3, secret = $4
                 WHERE tenant_id = $1 AND id = $2",
                before.tenant_id,
                before.id,
                ends,
                sealed,
            )?;
            let after = Channel { former_ends: Some(ends), ..before.clone() };
            written(tx, &clock, &keeper, "alert-channel.roll", Some(&before), Some(&after)).await?;
            Ok((after, secret))
        })
    })
    .await
}

/// Takes it away, with what waits for it and what it was told.
///
/// # Errors
/// As [`edit`].
pub async fn remove(db: &Db, clock: &Clock, keeper: &Keeper, id: ChannelId) -> Result<()> {
    let (clock, keeper) = (clock.clone(), keeper.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let before = lock(tx, &keeper, id).await?;
            let tenant = before.tenant_id;
            sql!(exec tx, "DELETE FROM alert_notices WHERE tenant_id = $1 AND channel_id = $2", tenant, id)?;
            sql!(exec tx, "DELETE FROM alert_channels WHERE tenant_id = $1 AND id = $2", tenant, id)?;
            written(tx, &clock, &keeper, "alert-channel.remove", Some(&before), None).await
        })
    })
    .await
}

/// Sends a test to it.
///
/// # Errors
/// As [`edit`].
pub async fn test(db: &Db, clock: &Clock, keeper: &Keeper, id: ChannelId) -> Result<NoticeId> {
    let (clock, keeper) = (clock.clone(), keeper.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let channel = lock(tx, &keeper, id).await?;
            let body = message::test(&channel, clock.now());
            let notice = super::notices::enqueue(tx, &clock, &channel, None, message::TEST, message::TEST_TITLE, &body);
            let notice = notice.await?;
            written(tx, &clock, &keeper, "alert-channel.test", None, Some(&channel)).await?;
            Ok(notice)
        })
    })
    .await
}

/// Reads a channel inside a transaction that changes it; no other can change it meanwhile.
async fn lock(tx: &mut Tx, keeper: &Keeper, id: ChannelId) -> Result<Channel> {
    let tenant = keeper.scope.tenant();
    let text = "UPDATE alert_channels SET enabled = enabled WHERE tenant_id = $1 AND id = $2";
    sql!(exec tx, text, tenant, id)?;
    let row = sql!(opt Channel, tx, channels!("WHERE tenant_id = $1 AND id = $2"), tenant, id)?;
    row.ok_or(Error::NotFound("channel"))
}

async fn written(
    tx: &mut Tx,
    clock: &Clock,
    keeper: &Keeper,
    action: &'static str,
    before: Option<&Channel>,
    after: Option<&Channel>,
) -> Result<()> {
    let Some(object) = after.or(before).map(|channel| channel.id.to_string()) else { return Ok(()) };
    let tenant = Some(keeper.scope.tenant()).filter(|tenant| *tenant != super::super::INSTALLATION);
    let entry = Entry {
        actor: &keeper.actor,
        tenant,
        action,
        object,
        before: before.and_then(snapshot),
        after: after.and_then(snapshot),
    };
    audit::record(tx, clock, entry).await
}

fn row_of(tenant: TenantId, id: ChannelId) -> String {
    format!("{tenant}/{id}")
}

/// Both secrets are sealed for the same place: the former one was the newer before.
const COLUMN: &str = "alert_channels.secret";

fn seal(keys: &Keyring, channel: &Channel, secret: &Secret) -> Result<Vec<u8>> {
    let row = row_of(channel.tenant_id, channel.id);
    Ok(keys.seal(Place { column: COLUMN, row: &row }, secret.bytes())?)
}

/// The secrets that sign for a channel now, the newest first: for what sends. Nothing that answers to a person may call
/// this.
///
/// # Errors
/// When the database does, or they were sealed with a key that is not here.
pub async fn secrets(db: &Db, keys: &Keyring, channel: &Channel, now: DateTime<Utc>) -> Result<Vec<Secret>> {
    let text = "SELECT secret, former, former_ends FROM alert_channels WHERE tenant_id = $1 AND id = $2";
    let row =
        sql!(opt(Option<Vec<u8>>, Option<Vec<u8>>, Option<DateTime<Utc>>), db, text, channel.tenant_id, channel.id,)?;
    let Some((newest, former, ends)) = row else { return Ok(Vec::new()) };
    let former = former.filter(|_| ends.is_some_and(|ends| now < ends));
    let row = row_of(channel.tenant_id, channel.id);
    let open = |sealed: Vec<u8>| -> Result<Secret> {
        let plain = keys.open(Place { column: COLUMN, row: &row }, &sealed)?;
        Ok(Secret::from_bytes(plain))
    };
    newest.into_iter().chain(former).map(open).collect()
}
