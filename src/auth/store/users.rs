//! Accounts of people.
use super::sessions;
use crate::{
    auth::{
        Actor, Administer, Grant, Role,
        audit::{self, Entry},
        email::Email,
        session::Session,
    },
    clock::Clock,
    db::{Db, Tx},
    error::{Error, Result, is_taken},
    ids::{TenantId, UserId},
    name::Name,
    sql,
    ui::{Theme, Zone},
};

/// An account to be made.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// What its owner signs in with.
    pub email: Email,
    /// What its owner is called.
    pub name: Name,
    /// What it may do.
    pub role: Role,
    /// The one tenant it sees.
    pub tenant: Option<TenantId>,
    /// From [`password::hash`](crate::auth::password::hash).
    pub password_hash: String,
}

/// Makes an account.
///
/// # Errors
/// [`Error::Invalid`] for a customer without a tenant or a tenant that does not exist; [`Error::Conflict`] when the
/// address has an account.
pub async fn add_user(db: &Db, clock: &Clock, grant: &Grant<Administer>, new: NewUser) -> Result<UserId> {
    let (actor, clock) = (grant.actor().clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let id = UserId::new(&clock);
            insert(tx, &clock, &actor, id, &new).await?;
            Ok(id)
        })
    })
    .await
}

/// Writes an account and its line in the audit trail.
pub(super) async fn insert(tx: &mut Tx, clock: &Clock, actor: &Actor, id: UserId, new: &NewUser) -> Result<()> {
    check_binding(tx, new.role, new.tenant).await?;
    let inserted = sql!(
        exec tx,
        "INSERT INTO users (id, email, name, password_hash, role, tenant_id, theme, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, NULL, $7)",
        id,
        new.email.as_str(),
        &new.name,
        &new.password_hash,
        new.role,
        new.tenant,
        clock.now(),
    );
    match inserted {
        Err(error) if is_taken(&error) => {
            return Err(Error::Conflict("This e-mail address has an account already".into()));
        }
        other => other?,
    };
    let after = serde_json::json!({
        "email": new.email.as_str(), "name": &new.name, "role": new.role.word(), "tenant": new.tenant,
    });
    let entry = Entry {
        actor,
        tenant: new.tenant,
        action: "user.add",
        object: id.to_string(),
        before: None,
        after: Some(after),
    };
    audit::record(tx, clock, entry).await
}

/// Whether an account may have this role and this tenant: a customer is bound to one, and it has to exist.
pub(super) async fn check_binding(tx: &mut Tx, role: Role, tenant: Option<TenantId>) -> Result<()> {
    if role == Role::Customer && tenant.is_none() {
        return Err(Error::invalid("tenant", "A customer sees one tenant: say which"));
    }
    if let Some(tenant) = tenant {
        // the one look at another slice's table: accounts stand below tenants and cannot ask them
        let known = sql!(value i64, tx, "SELECT COUNT(*) FROM tenants WHERE tenant_id = $1", tenant)?;
        if known == 0 {
            return Err(Error::invalid("tenant", "There is no such tenant"));
        }
    }
    Ok(())
}

/// The account of an address that can sign in, and the hash of its password: asked by whoever signs in, so no
/// authority is needed.
///
/// # Errors
/// When the database does.
pub async fn credentials(db: &Db, email: &Email) -> Result<Option<(UserId, String)>> {
    let found = sql!(
        opt(UserId, String),
        db,
        "SELECT id, password_hash FROM users WHERE email = $1 AND deactivated_at IS NULL",
        email.as_str()
    )?;
    Ok(found)
}

/// The hash of the password of the owner of `session`.
///
/// # Errors
/// [`Error::NotFound`] when the account is gone.
pub async fn own_password_hash(db: &Db, session: &Session) -> Result<String> {
    let found = sql!(opt(String,), db, "SELECT password_hash FROM users WHERE id = $1", session.user)?;
    found.map(|(hash,)| hash).ok_or(Error::NotFound("account"))
}

/// Gives the owner of `session` a new password and signs out everywhere else. `old` is the hash that the current
/// password was checked against.
///
/// # Errors
/// [`Error::Conflict`] when the password was changed by somebody else in between.
pub async fn change_password(db: &Db, clock: &Clock, session: &Session, old: String, new: String) -> Result<()> {
    let (session, clock) = (session.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            // first the account, then its sessions: a login at the same moment waits here and finds another hash
            let changed = sql!(
                exec tx,
                "UPDATE users SET password_hash = $1 WHERE id = $2 AND password_hash = $3",
                &new,
                session.user,
                &old,
            )?;
            if changed == 0 {
                return Err(Error::Conflict("The password was changed by somebody else just now".into()));
            }
            let ended = sessions::end_all(tx, session.user, Some(session.id)).await?;
            let after = serde_json::json!({ "sessionsEnded": ended });
            let entry = Entry {
                actor: &session.actor,
                tenant: session.actor.tenant,
                action: "user.change-password",
                object: session.user.to_string(),
                before: None,
                after: Some(after),
            };
            audit::record(tx, &clock, entry).await
        })
    })
    .await
}

/// Remembers the looks that the owner of `session` chose.
///
/// # Errors
/// When the database does.
pub async fn set_theme(db: &Db, clock: &Clock, session: &Session, theme: Theme) -> Result<()> {
    let theme = (theme != Theme::System).then_some(theme.as_str());
    let (session, clock) = (session.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let before = sql!(value Option<String>, tx, "SELECT theme FROM users WHERE id = $1", session.user)?;
            sql!(exec tx, "UPDATE users SET theme = $1 WHERE id = $2", theme, session.user)?;
            let entry = Entry {
                actor: &session.actor,
                tenant: session.actor.tenant,
                action: "user.set-theme",
                object: session.user.to_string(),
                before: Some(serde_json::json!({ "theme": before })),
                after: Some(serde_json::json!({ "theme": theme })),
            };
            audit::record(tx, &clock, entry).await
        })
    })
    .await
}

/// Remembers the zone that the owner of `session` chose to be told times in.
///
/// # Errors
/// When the database does.
pub async fn set_time_zone(db: &Db, clock: &Clock, session: &Session, zone: Zone) -> Result<()> {
    let name = (zone != Zone::default()).then(|| zone.name());
    let (session, clock) = (session.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let before = sql!(value Option<String>, tx, "SELECT time_zone FROM users WHERE id = $1", session.user)?;
            if before.as_deref() == name {
                return Ok(());
            }
            sql!(exec tx, "UPDATE users SET time_zone = $1 WHERE id = $2", name, session.user)?;
            let told = |name: Option<&str>| Some(serde_json::json!({ "timeZone": name.unwrap_or("UTC") }));
            let entry = Entry {
                actor: &session.actor,
                tenant: session.actor.tenant,
                action: "user.set-time-zone",
                object: session.user.to_string(),
                before: told(before.as_deref()),
                after: told(name),
            };
            audit::record(tx, &clock, entry).await
        })
    })
    .await
}

/// Remembers whether the owner of `session` wants the keyboard's shortcuts.
///
/// # Errors
/// When the database does.
pub async fn set_shortcuts(db: &Db, clock: &Clock, session: &Session, on: bool) -> Result<()> {
    let (session, clock) = (session.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let text = "UPDATE users SET shortcuts_off = $1 WHERE id = $2 AND shortcuts_off <> $1";
            if sql!(exec tx, text, !on, session.user)? == 0 {
                return Ok(());
            }
            let entry = Entry {
                actor: &session.actor,
                tenant: session.actor.tenant,
                action: "user.set-shortcuts",
                object: session.user.to_string(),
                before: Some(serde_json::json!({ "shortcuts": !on })),
                after: Some(serde_json::json!({ "shortcuts": on })),
            };
            audit::record(tx, &clock, entry).await
        })
    })
    .await
}
