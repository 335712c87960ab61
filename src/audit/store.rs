//! The audit trail in the database: only read here, and written in `auth::audit`.
use bytes::Bytes;
use futures_util::{Stream, stream};
use uuid::Uuid;

use super::{Cursor, Entry, Filter};
use crate::{
    auth::{Administer, Grant, Permit, ReadConfiguration, See, audit::words},
    db::Db,
    error::{Error, Result},
    ids::{self, TenantId},
    sql,
};

/// Who reads, and so how much they are told.
#[derive(Debug, Clone)]
pub enum Eyes {
    /// Somebody who sees a tenant: who did what and when.
    Outside(Permit<See>),
    /// Somebody who reads its configuration: all of it.
    Inside(Permit<ReadConfiguration>),
    /// Somebody who looks after the installation: all tenants, and what concerns none.
    Everything(Grant<Administer>),
}

impl Eyes {
    fn tenant(&self) -> Option<TenantId> {
        match self {
            Self::Outside(permit) => Some(permit.tenant()),
            Self::Inside(permit) => Some(permit.tenant()),
            Self::Everything(_) => None,
        }
    }

    /// Whether values and addresses are told.
    pub fn see_values(&self) -> bool {
        !matches!(self, Self::Outside(_))
    }

    /// What of an entry is told.
    fn tell(&self, mut entry: Entry) -> Entry {
        entry.object = object_of(&entry);
        if !self.see_values() {
            entry.address = None;
            entry.before = None;
            entry.after = None;
            entry.request_id = None;
        }
        entry
    }
}

/// What it was done to, by the name that it had then: that of after, or of before.
fn object_of(entry: &Entry) -> Option<String> {
    let sides = [&entry.after, &entry.before].into_iter().flatten();
    let mut sides = sides.filter_map(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    sides.find_map(|side| {
        let name = ["name", "email"].into_iter().find_map(|key| side.get(key)?.as_str());
        name.filter(|_| words::of(&entry.action).is_none_or(|one| one.object != words::Object::Other))
            .map(str::to_owned)
    })
}

/// A page of the list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What it holds.
    pub entries: Vec<Entry>,
    /// Above this one there may be newer ones.
    pub newer: Option<Uuid>,
    /// Below this one there are older ones.
    pub older: Option<Uuid>,
}

/// A query of entries in one scope and order.
macro_rules! entries {
    ($scope:literal, $order:literal) => {
        concat!(
            "SELECT id, at, actor_id, actor, address, tenant_id, action, object_id, before, after, request_id
             FROM audit WHERE ",
            $scope,
            " AND id > $2 AND id < $3
              AND ($4 IS NULL OR lower(actor) LIKE lower($4) ESCAPE '\\')
              AND ($5 IS NULL OR action = $5 OR action LIKE $6)
              AND ($7 IS NULL OR object_id = $7)
              ORDER BY id ",
            $order,
            " LIMIT $8"
        )
    };
}

/// What `eyes` may see of one page.
///
/// # Errors
/// When the database fails.
pub async fn page(db: &Db, eyes: &Eyes, filter: &Filter, cursor: Cursor, size: usize) -> Result<Page> {
    let mut above = filter.from.map_or(Uuid::nil(), ids::floor);
    let mut below = filter.until.map_or(Uuid::max(), ids::floor);
    match cursor {
        Cursor::Newest => {}
        Cursor::Before(id) => below = below.min(id),
        Cursor::After(id) => above = above.max(id),
    }
    let upwards = matches!(cursor, Cursor::After(_));
    // one more than is shown, to know whether there are more
    let limit = i64::try_from(size + 1).unwrap_or(i64::MAX);
    let actor = filter.actor.as_deref().map(|part| format!("%{}%", escaped(part)));
    let kind = filter.action.as_deref().map(|action| format!("{action}.%"));
    macro_rules! ask {
        ($text:expr) => {
            sql!(
                all Entry, db, $text, eyes.tenant(), above, below, &actor, &filter.action, &kind, &filter.object, limit
            )?
        };
    }
    let mut entries = match (eyes.tenant().is_some(), upwards) {
        (true, false) => ask!(entries!("tenant_id = $1", "DESC")),
        (true, true) => ask!(entries!("tenant_id = $1", "ASC")),
        (false, false) => ask!(entries!("$1 IS NULL", "DESC")),
        (false, true) => ask!(entries!("$1 IS NULL", "ASC")),
    };
    let more = entries.len() > size;
    entries.truncate(size);
    if upwards {
        entries.reverse();
    }
    let entries: Vec<_> = entries.into_iter().map(|entry| eyes.tell(entry)).collect();
    let (first, last) = (entries.first().map(|entry| entry.id), entries.last().map(|entry| entry.id));
    let (newer, older) = match cursor {
        Cursor::Newest => (None, last.filter(|_| more)),
        Cursor::Before(_) => (first, last.filter(|_| more)),
        Cursor::After(_) => (first.filter(|_| more), last),
    };
    Ok(Page { entries, newer, older })
}

/// A text to be looked for as it is: none of its characters stands for others.
fn escaped(part: &str) -> String {
    let mut text = String::with_capacity(part.len());
    for c in part.chars() {
        if matches!(c, '%' | '_' | '\\') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

/// The newest changes of one thing of a tenant.
///
/// # Errors
/// When the database fails.
pub async fn of_object(
    db: &Db,
    permit: &Permit<ReadConfiguration>,
    object: impl ToString,
    count: i64,
) -> Result<Vec<Entry>> {
    let entries = sql!(
        all Entry, db,
        "SELECT id, at, actor_id, actor, address, tenant_id, action, object_id, before, after, request_id
         FROM audit WHERE tenant_id = $1 AND object_id = $2 ORDER BY id DESC LIMIT $3",
        permit.tenant(),
        object.to_string(),
        count,
    )?;
    let eyes = Eyes::Inside(permit.clone());
    Ok(entries.into_iter().map(|entry| eyes.tell(entry)).collect())
}

/// How many entries an export reads at once.
const CHUNK: usize = 200;

/// What `eyes` may see, newest first, as lines of JSON. However much it is, no more than a chunk of it is in memory;
/// what is written meanwhile is not a part of it.
pub fn export(db: Db, eyes: Eyes, filter: Filter) -> impl Stream<Item = Result<Bytes>> + Send {
    stream::try_unfold(Some(Cursor::Newest), move |cursor| {
        let (db, eyes, filter) = (db.clone(), eyes.clone(), filter.clone());
        async move {
            let Some(cursor) = cursor else { return Ok(None) };
            let page = page(&db, &eyes, &filter, cursor, CHUNK).await?;
            let mut lines = Vec::new();
            for entry in &page.entries {
                serde_json::to_writer(&mut lines, &entry.line()).map_err(Error::internal)?;
                lines.push(b'\n');
            }
            Ok(Some((Bytes::from(lines), page.older.map(Cursor::Before))))
        }
    })
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;
    use crate::{
        audit::Asked,
        auth::{
            Actor,
            audit::{self, record},
        },
        clock::Clock,
        db::testing::each,
        tenants::testing::tenant,
    };

    async fn write(db: &Db, clock: &Clock, actor: &str, tenant: Option<TenantId>, action: &'static str, name: &str) {
        let actor = Actor { name: actor.into(), address: Some([192, 0, 2, 7].into()), ..Actor::cli() };
        let (clock, name) = (clock.clone(), name.to_owned());
        db.write(move |tx| {
            Box::pin(async move {
                let after = Some(serde_json::json!({ "name": name }));
                let object = Uuid::from_u128(7).to_string();
                record(tx, &clock, audit::Entry { actor: &actor, tenant, action, object, before: None, after }).await
            })
        })
        .await
        .unwrap();
    }

    fn inside(tenant: TenantId) -> Eyes {
        Eyes::Inside(Actor::cli().permit(tenant).unwrap())
    }

    async fn names(db: &Db, eyes: &Eyes, query: &str) -> Vec<String> {
        let asked = Asked::parse(query);
        assert_eq!(asked.wrong, []);
        let page = page(db, eyes, &asked.filter, asked.cursor, 50).await.unwrap();
        page.entries.into_iter().filter_map(|entry| entry.object).collect()
    }

    #[tokio::test]
    async fn everybody_is_told_what_they_may_know() {
        each(async |db| {
            let clock = Clock::system();
            let (own, other) = (tenant(&db, "Acme").await, tenant(&db, "Umbrella").await);
            write(&db, &clock, "ada@example.com", Some(own), "token.revoke", "shop").await;
            write(&db, &clock, "ada@example.com", Some(other), "token.revoke", "theirs").await;
            write(&db, &clock, "ada@example.com", None, "user.add", "grace").await;
            assert_eq!(names(&db, &inside(own), "action=token").await, ["shop"]);
            let all = Eyes::Everything(Actor::cli().grant().unwrap());
            assert_eq!(names(&db, &all, "").await.len(), 5);

            let customer = Actor { tenant: Some(own), role: crate::auth::Role::Customer, ..Actor::cli() };
            let outside = Eyes::Outside(customer.permit(own).unwrap());
            let seen = page(&db, &outside, &Filter::default(), Cursor::Newest, 50).await.unwrap();
            let entry = &seen.entries[0];
            assert_eq!((entry.words(), entry.object.as_deref()), ("revoked the token", Some("shop")));
            assert_eq!((&entry.address, &entry.before, &entry.after), (&None, &None, &None));
            let lines: Vec<Bytes> = export(db.clone(), outside, Filter::default()).try_collect().await.unwrap();
            assert!(!String::from_utf8(lines.concat()).unwrap().contains("192.0.2.7"));
        })
        .await;
    }

    #[tokio::test]
    async fn the_filter_finds_what_it_says_and_nothing_else() {
        each(async |db| {
            let clock = Clock::still();
            let own = tenant(&db, "Acme").await;
            write(&db, &clock, "Ada@example.com", Some(own), "token.revoke", "first").await;
            clock.advance(60);
            let middle = crate::ui::in_address(clock.now());
            write(&db, &clock, "a_b%c@example.com", Some(own), "event-type.change", "second").await;
            clock.advance(60);
            write(&db, &clock, "cli", Some(own), "token.create", "third").await;
            let object = format!("object={}", Uuid::from_u128(7));
            for (query, found) in [
                (&*object, vec!["third", "second", "first"]),
                ("actor=ada@", vec!["first"]),
                ("actor=_b%25c", vec!["second"]),
                ("actor=_", vec!["second"]),
                ("actor=%25", vec!["second"]),
                ("action=token.revoke", vec!["first"]),
                ("action=token", vec!["third", "first"]),
                ("action=event-type&actor=cli", vec![]),
                (&format!("from={middle}&{object}"), vec!["third", "second"]),
                (&format!("until={middle}&{object}"), vec!["first"]),
                (&format!("from={middle}&until={middle}"), vec![]),
                (&format!("object={}", Uuid::from_u128(8)), vec![]),
            ] {
                assert_eq!(names(&db, &inside(own), query).await, found, "{query}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn pages_and_exports_neither_repeat_nor_skip_while_more_is_written() {
        each(async |db| {
            let clock = Clock::system();
            let own = tenant(&db, "Acme").await;
            for n in 0..CHUNK + 30 {
                write(&db, &clock, "cli", Some(own), "token.create", &n.to_string()).await;
            }
            let filter = Filter { action: Some("token.create".into()), ..Filter::default() };
            let (mut down, mut cursor) = (Vec::new(), Cursor::Newest);
            loop {
                let page = page(&db, &inside(own), &filter, cursor, 17).await.unwrap();
                down.extend(page.entries.iter().map(|entry| entry.id));
                write(&db, &clock, "cli", Some(own), "token.create", "meanwhile").await;
                let Some(older) = page.older else { break };
                cursor = Cursor::Before(older);
            }
            assert_eq!(down.len(), CHUNK + 30);
            assert!(down.is_sorted_by(|a, b| a > b));
            // and up again from the oldest
            let (mut up, mut cursor) = (vec![down[down.len() - 1]], Cursor::After(down[down.len() - 1]));
            loop {
                let page = page(&db, &inside(own), &filter, cursor, 17).await.unwrap();
                up.extend(page.entries.iter().rev().map(|entry| entry.id));
                let Some(newer) = page.newer else { break };
                cursor = Cursor::After(newer);
            }
            assert_eq!(up[..down.len()].iter().rev().copied().collect::<Vec<_>>(), down);

            let lines: Vec<Bytes> = export(db.clone(), inside(own), filter).try_collect().await.unwrap();
            assert!(lines.len() > 1, "more than one chunk");
            let text = String::from_utf8(lines.concat()).unwrap();
            let ids: Vec<Uuid> = text
                .lines()
                .map(|line| {
                    serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().parse().unwrap()
                })
                .collect();
            assert_eq!(ids.len(), up.len());
            assert!(ids.is_sorted_by(|a, b| a > b));
        })
        .await;
    }

    #[tokio::test]
    async fn the_database_itself_lets_nobody_change_the_trail() {
        each(async |db| {
            let own = tenant(&db, "Acme").await;
            for text in ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"] {
                let refused = db.write(move |tx| Box::pin(async move { Ok(sql!(exec tx, text)?) })).await;
                let why = refused.expect_err("refused").to_string();
                assert!(why.contains("append-only"), "{text}: {why}");
            }
            assert_eq!(names(&db, &inside(own), "").await, ["Acme"]);
        })
        .await;
    }

    #[test]
    fn no_statement_of_the_source_changes_the_trail() {
        fn walk(folder: &std::path::Path) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path);
                } else if path.extension().is_some_and(|kind| kind == "rs" || kind == "sql") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
                    let words: Vec<_> = code.split_whitespace().map(str::to_lowercase).collect();
                    let bare = |word: &str| word.trim_matches(['"', ';', '(', ')', ',']).to_owned();
                    for three in words.windows(3) {
                        let [first, second, third] = [&three[0], &three[1], &three[2]].map(|word| bare(word));
                        let changes = first == "update" && second == "audit"
                            || first == "delete" && second == "from" && third == "audit"
                            || first == "truncate" && (second == "audit" || second == "table" && third == "audit")
                            || first == "drop" && second == "table" && third == "audit";
                        assert!(!changes, "{}: {first} {second} {third}", path.display());
                    }
                }
            }
        }
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        walk(&root.join("src"));
        walk(&root.join("migrations"));
    }
}
