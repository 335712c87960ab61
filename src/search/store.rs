//! The SQL of finding. It reads the tables of several slices, since one question to all of them is one statement: an
//! id is looked for in every tenant that the viewer may see by that many steps along primary keys, never by a walk
//! through a table. What comes of it is only a hint where to look: whoever shows it asks for the permit first.
use uuid::Uuid;

use crate::{
    auth::{Administer, Grant, Role},
    db::Db,
    error::Result,
    ids::{EventTypeId, FailureGroupId, ReceiptId, SourceId, TaskId, TenantId, TokenId, UserId, floor, moment},
    sql,
};

/// Which tenants are looked through: one, or all. Made from a session alone.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    /// Set: bound to this one.
    pub(super) own: Option<TenantId>,
    /// The one at hand, whose things come first.
    pub(super) here: Option<TenantId>,
}

/// What has an id, in one tenant.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Holder {
    /// The tenant.
    pub tenant_id: TenantId,
    /// What it is called.
    pub name: String,
    /// Set: there is such an event.
    pub event_id: Option<Uuid>,
    /// The name of the type, if it is one.
    pub type_name: Option<String>,
    /// The name of the token, if it is one.
    pub token_name: Option<String>,
    /// The name of the source, if it is one.
    pub polled_name: Option<String>,
    /// The kind of the task, if it is one.
    pub task_kind: Option<String>,
    /// The message of the failure group, if it is one.
    pub group_message: Option<String>,
    /// Set: there is an event of such a receipt, or the receipt itself.
    pub receipt_id: Option<Uuid>,
}

/// What has this id, in the tenants of the scope.
///
/// # Errors
/// When the database does.
pub async fn holders(db: &Db, scope: Scope, id: Uuid) -> Result<Vec<Holder>> {
    let receipt = ReceiptId(id);
    // what can be no receipt has an empty range
    let last = if receipt.is_receipt() { receipt.last_event().0 } else { id };
    Ok(sql!(all Holder, db, HOLDERS, id, last, scope.own)?)
}

/// Scalar subqueries, each a step along a primary key: a planner can make no walk of them.
pub(super) const HOLDERS: &str =
    "SELECT tenant_id, name, event_id, type_name, token_name, polled_name, task_kind, group_message, receipt_id
    FROM (SELECT t.tenant_id, t.name,
        (SELECT e.id FROM events AS e WHERE e.tenant_id = t.tenant_id AND e.id = $1) AS event_id,
        (SELECT y.name FROM event_types AS y WHERE y.tenant_id = t.tenant_id AND y.id = $1) AS type_name,
        (SELECT k.name FROM tokens AS k WHERE k.tenant_id = t.tenant_id AND k.id = $1) AS token_name,
        (SELECT s.name FROM sources AS s WHERE s.tenant_id = t.tenant_id AND s.id = $1 AND s.state <> 'removed')
            AS polled_name,
        (SELECT j.kind FROM tasks AS j WHERE j.tenant_id = t.tenant_id AND j.id = $1) AS task_kind,
        (SELECT g.message FROM failure_groups AS g WHERE g.tenant_id = t.tenant_id AND g.id = $1) AS group_message,
        COALESCE(
            (SELECT e.id FROM events AS e WHERE e.tenant_id = t.tenant_id AND e.id > $1 AND e.id <= $2
             ORDER BY e.id LIMIT 1),
            (SELECT r.id FROM receipts AS r WHERE r.tenant_id = t.tenant_id AND r.id = $1)) AS receipt_id
        FROM tenants AS t WHERE $3 IS NULL OR t.tenant_id = $3) AS held
    WHERE event_id IS NOT NULL OR type_name IS NOT NULL OR token_name IS NOT NULL OR polled_name IS NOT NULL
        OR task_kind IS NOT NULL OR group_message IS NOT NULL OR receipt_id IS NOT NULL OR tenant_id = $1
    ORDER BY name, tenant_id LIMIT 20";

/// One change that a request made.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Change {
    /// Whose.
    pub tenant_id: Option<TenantId>,
    /// What was done.
    pub action: String,
    /// To what.
    pub object_id: String,
}

/// What the trail knows of a request. Its id says when it was, and what it changed was written down soon after.
///
/// # Errors
/// When the database does.
pub async fn changes_of_request(db: &Db, scope: Scope, request: Uuid) -> Result<Vec<Change>> {
    let at = moment(request);
    let (from, until) = (floor(at - BEFORE), floor(at + AFTER));
    Ok(sql!(all Change, db, CHANGES, from, until, request, scope.own)?)
}

/// Clocks of several processes may differ.
const BEFORE: chrono::TimeDelta = chrono::TimeDelta::minutes(1);
/// No page takes longer than half a minute.
const AFTER: chrono::TimeDelta = chrono::TimeDelta::minutes(3);

pub(super) const CHANGES: &str = "SELECT tenant_id, action, object_id FROM audit
    WHERE id >= $1 AND id < $2 AND request_id = $3 AND ($4 IS NULL OR tenant_id = $4) ORDER BY id LIMIT 9";

/// Something with a name, in a tenant.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Named<T> {
    /// Whose.
    pub tenant_id: TenantId,
    /// What the tenant is called.
    pub tenant: String,
    /// Its id.
    pub id: T,
    /// Its name.
    pub name: String,
    /// What else there is to say of it.
    pub extra: String,
}

/// What the words of a name are compared with, as `LIKE` has it. A letter that only Unicode knows in two cases stands
/// for any: the databases do not agree about them, and whoever asks looks again.
pub struct Patterns {
    words: [String; super::WORDS],
    begins: String,
    exact: String,
}

impl Patterns {
    /// Those of some words.
    pub fn of(words: &[String]) -> Self {
        let any = || "%".to_owned();
        let mut patterns = [any(), any(), any(), any()];
        for (pattern, word) in patterns.iter_mut().zip(words) {
            *pattern = format!("%{}%", escaped(word));
        }
        let whole = escaped(&words.join(" "));
        Self { words: patterns, begins: format!("{whole}%"), exact: whole }
    }
}

fn escaped(text: &str) -> String {
    let mut pattern = String::new();
    for c in text.chars() {
        match c {
            '%' | '_' | '!' => pattern.extend(['!', c]),
            _ if c.is_ascii() => pattern.push(c),
            _ => pattern.push('_'),
        }
    }
    pattern
}

/// How many rows are asked for: the best of them are shown.
const ASKED: i64 = 60;

/// `$1` the tenant one is bound to, `$2` to `$5` the words, `$6` a name that begins so, `$7` that is so, `$8` the
/// tenant at hand, `$9` rows. A name is made small once a row: that is what costs most.
macro_rules! named {
    ($columns:literal, $from:literal, $name:literal, $context:literal) => {
        concat!(
            "WITH named AS MATERIALIZED (SELECT ",
            $columns,
            ", lower(",
            $name,
            ") AS small, lower(",
            $name,
            " || ' ' || ",
            $context,
            ") AS words FROM ",
            $from,
            " WHERE ($1 IS NULL OR t.tenant_id = $1))
             SELECT tenant_id, tenant, id, name, extra FROM named
             WHERE words LIKE $2 ESCAPE '!' AND words LIKE $3 ESCAPE '!'
                AND words LIKE $4 ESCAPE '!' AND words LIKE $5 ESCAPE '!'
             ORDER BY CASE WHEN small LIKE $7 ESCAPE '!' THEN 0 WHEN small LIKE $6 ESCAPE '!' THEN 1 ELSE 2 END,
                CASE WHEN tenant_id = $8 THEN 0 ELSE 1 END, small, tenant_id LIMIT $9"
        )
    };
}

const TENANTS: &str = named!(
    "t.tenant_id, t.name AS tenant, t.tenant_id AS id, t.name, CASE WHEN t.enabled THEN '' ELSE 'disabled' END AS extra",
    "tenants AS t",
    "t.name",
    "''"
);
const EVENT_TYPES: &str = named!(
    "t.tenant_id, t.name AS tenant, y.id, y.name, CASE WHEN y.enabled THEN '' ELSE 'disabled' END AS extra",
    "event_types AS y JOIN tenants AS t ON t.tenant_id = y.tenant_id",
    "y.name",
    "t.name"
);
const TOKENS: &str = named!(
    "t.tenant_id, t.name AS tenant, k.id, k.name, k.prefix AS extra",
    "tokens AS k JOIN tenants AS t ON t.tenant_id = k.tenant_id",
    "k.name",
    "t.name"
);

const SOURCES: &str = named!(
    "t.tenant_id, t.name AS tenant, s.id, s.name, s.health AS extra",
    "sources AS s JOIN tenants AS t ON t.tenant_id = s.tenant_id AND s.state <> 'removed'",
    "s.name",
    "t.name"
);

macro_rules! by_name {
    ($(#[$doc:meta])* $name:ident, $id:ty, $text:expr) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// When the database does.
        pub async fn $name(db: &Db, scope: Scope, asked: &Patterns) -> Result<Vec<Named<$id>>> {
            let [a, b, c, d] = &asked.words;
            Ok(sql!(
                all Named<$id>, db, $text, scope.own, a, b, c, d, &asked.begins, &asked.exact, scope.here, ASKED,
            )?)
        }
    };
}

by_name!(
    /// Tenants by name.
    tenants, TenantId, TENANTS
);
by_name!(
    /// Event types by name, and by that of their tenant.
    event_types, EventTypeId, EVENT_TYPES
);
by_name!(
    /// Tokens by name, and by that of their tenant.
    tokens, TokenId, TOKENS
);

by_name!(
    /// Sources by name, and by that of their tenant.
    sources, SourceId, SOURCES
);

/// Tokens that begin so.
///
/// # Errors
/// When the database does.
pub async fn tokens_by_prefix(db: &Db, scope: Scope, prefix: &str) -> Result<Vec<Named<TokenId>>> {
    let like = format!("{}%", prefix.replace('!', "!!").replace('%', "!%").replace('_', "!_"));
    Ok(sql!(
        all Named<TokenId>, db,
        "SELECT t.tenant_id, t.name AS tenant, k.id, k.name, k.prefix AS extra
         FROM tokens AS k JOIN tenants AS t ON t.tenant_id = k.tenant_id
         WHERE ($1 IS NULL OR t.tenant_id = $1) AND k.prefix LIKE $2 ESCAPE '!'
         ORDER BY k.prefix, k.tenant_id, k.id LIMIT $3",
        scope.own,
        like,
        ASKED,
    )?)
}

/// Somebody with an account.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Somebody {
    /// Their id.
    pub id: UserId,
    /// What they are called.
    pub name: String,
    /// What they sign in with.
    pub email: String,
    /// What they may do.
    pub role: Role,
}

/// People by name and address.
///
/// # Errors
/// When the database does.
pub async fn people(db: &Db, _: &Grant<Administer>, asked: &Patterns) -> Result<Vec<Somebody>> {
    let [a, b, c, d] = &asked.words;
    Ok(sql!(
        all Somebody, db,
        "SELECT id, name, email, role FROM users
         WHERE lower(name || ' ' || email) LIKE $1 ESCAPE '!' AND lower(name || ' ' || email) LIKE $2 ESCAPE '!'
            AND lower(name || ' ' || email) LIKE $3 ESCAPE '!' AND lower(name || ' ' || email) LIKE $4 ESCAPE '!'
         ORDER BY lower(name), id LIMIT $5",
        a,
        b,
        c,
        d,
        ASKED,
    )?)
}

/// The person of this id.
///
/// # Errors
/// When the database does.
pub async fn person(db: &Db, _: &Grant<Administer>, id: Uuid) -> Result<Option<Somebody>> {
    Ok(sql!(opt Somebody, db, "SELECT id, name, email, role FROM users WHERE id = $1", id)?)
}

/// The address of a task.
pub(super) fn task_href(tenant: TenantId, id: Uuid) -> String {
    crate::jobs::href(tenant, TaskId(id))
}

/// The address of a failure group.
pub(super) fn group_href(tenant: TenantId, id: Uuid) -> String {
    crate::failures::href(tenant, FailureGroupId(id))
}
