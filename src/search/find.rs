//! What answers to a question, best first.
use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    Group, Hit, Kind, SHOWN, Sought, places, rank,
    store::{self, Holder, Named, Patterns, Scope},
};
use crate::{
    app::App,
    auth::{Administer, Permit, ReadConfiguration, ReadPayloads, Right, See, Session, audit::words},
    error::{Error, Result},
    events::{self, Cursor, Filter},
    ids::{EventId, ReceiptId, TenantId},
    tenants::{self, Tenant},
    ui::Section,
};

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// By kind, in their order; none of them is empty.
    pub groups: Vec<Group>,
}

impl Found {
    /// Where an id or a token that was asked for stands, when it stands at one place alone.
    pub fn only(&self) -> Option<&str> {
        match self.groups.as_slice() {
            [Group { kind: Kind::Exact, hits, .. }] if hits.len() == 1 => hits.first().map(|hit| hit.href.as_str()),
            _ => None,
        }
    }
}

/// Looks for something, on behalf of whoever's session this is. `here` is the tenant at hand.
///
/// # Errors
/// When the database does.
pub async fn find(app: &App, session: &Session, here: Option<TenantId>, sought: &Sought) -> Result<Found> {
    let here = at_hand(app, session, here).await?;
    let scope = Scope { own: session.actor.tenant, here: here.as_ref().map(|tenant| tenant.id) };
    let mut finding = Finding { app, session, scope, hits: BTreeMap::new() };
    match sought {
        Sought::Nothing => finding.offered(here.as_ref(), &[]),
        Sought::Id(id) => finding.id(*id).await?,
        Sought::Token(prefix) => finding.token(prefix).await?,
        Sought::Words(words) => {
            finding.offered(here.as_ref(), words);
            finding.names(words).await?;
        }
    }
    Ok(finding.found())
}

/// The tenant at hand, if the viewer may see it; for whoever is bound to one, that one.
async fn at_hand(app: &App, session: &Session, here: Option<TenantId>) -> Result<Option<Tenant>> {
    let Some(id) = session.actor.tenant.or(here) else { return Ok(None) };
    let Ok(permit) = session.permit::<See>(id) else { return Ok(None) };
    match tenants::get(&app.db, &permit).await {
        Ok(tenant) => Ok(Some(tenant)),
        Err(Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

struct Finding<'a> {
    app: &'a App,
    session: &'a Session,
    scope: Scope,
    hits: BTreeMap<Kind, Vec<(u8, Hit)>>,
}

impl Finding<'_> {
    /// Adds a hit whose page asks for this right over this tenant, if the viewer has it.
    fn add<R: Right>(&mut self, kind: Kind, tenant: TenantId, rank: u8, hit: impl FnOnce(Permit<R>) -> Hit) {
        if let Ok(permit) = self.session.permit::<R>(tenant) {
            self.hits.entry(kind).or_default().push((rank, hit(permit)));
        }
    }

    /// Pages and actions.
    fn offered(&mut self, here: Option<&Tenant>, words: &[String]) {
        let here = here.map(|tenant| (tenant.id, tenant.name.as_str()));
        self.hits.entry(Kind::Place).or_default().extend(places::places(self.session, here, words));
        self.hits.entry(Kind::Action).or_default().extend(places::actions(self.session, here, words));
    }

    async fn names(&mut self, words: &[String]) -> Result<()> {
        let (db, asked) = (&self.app.db, Patterns::of(words));
        let (tenants, types, tokens, sources) = tokio::try_join!(
            store::tenants(db, self.scope, &asked),
            store::event_types(db, self.scope, &asked),
            store::tokens(db, self.scope, &asked),
            store::sources(db, self.scope, &asked),
        )?;
        for found in tenants {
            if let Some(rank) = self.rank(words, &found, "") {
                let href = Section::Overview.href(&found.tenant_id.to_string());
                self.add::<See>(Kind::Tenant, found.tenant_id, rank, |_| Hit::new(found.name, found.extra, href));
            }
        }
        for found in types {
            if let Some(rank) = self.rank(words, &found, &found.tenant) {
                let href = format!("/tenants/{}/event-types/{}", found.tenant_id, found.id);
                let detail = joined(&found.tenant, &found.extra);
                self.add::<ReadConfiguration>(Kind::EventType, found.tenant_id, rank, |_| {
                    Hit::new(found.name, detail, href)
                });
            }
        }
        for found in tokens {
            if let Some(rank) = self.rank(words, &found, &found.tenant) {
                self.add_token(Kind::Token, rank, &found);
            }
        }
        for found in sources {
            if let Some(rank) = self.rank(words, &found, &found.tenant) {
                let href = format!("/tenants/{}/sources/{}", found.tenant_id, found.id);
                // what is well need not be said
                let extra = if found.extra == "fresh" { "" } else { found.extra.as_str() };
                let detail = joined(&found.tenant, extra);
                self.add::<See>(Kind::Source, found.tenant_id, rank, |_| Hit::new(found.name, detail, href));
            }
        }
        self.other_tenants(words).await?;
        self.people(words, &asked).await
    }

    /// A name's place among the others; what belongs to the tenant at hand goes before its equals.
    fn rank<T>(&self, words: &[String], found: &Named<T>, context: &str) -> Option<u8> {
        let away = u8::from(self.scope.here.is_some_and(|here| here != found.tenant_id));
        rank(words, &found.name, context).map(|rank| rank + away)
    }

    /// "settings acme": a place of a tenant that is not at hand.
    async fn other_tenants(&mut self, words: &[String]) -> Result<()> {
        if words.len() < 2 || self.session.actor.tenant.is_some() {
            return Ok(());
        }
        for at in [1, words.len() - 1] {
            let (first, last) = words.split_at(at);
            for (place, of) in [(first, last), (last, first)] {
                let named = store::tenants(&self.app.db, self.scope, &Patterns::of(of)).await?;
                for tenant in named.into_iter().take(3).filter(|tenant| Some(tenant.tenant_id) != self.scope.here) {
                    let places = places::places(self.session, Some((tenant.tenant_id, &tenant.name)), place);
                    let hits = self.hits.entry(Kind::Place).or_default();
                    let of_tenant = places.into_iter().filter(|(_, hit)| hit.detail == tenant.name);
                    for (rank, hit) in of_tenant {
                        if hits.iter().all(|(_, known)| known.href != hit.href) {
                            hits.push((rank + 1, hit));
                        }
                    }
                }
            }
        }
        Ok(())
    }

    async fn people(&mut self, words: &[String], asked: &Patterns) -> Result<()> {
        let Ok(grant) = self.session.grant::<Administer>() else { return Ok(()) };
        for found in store::people(&self.app.db, &grant, asked).await? {
            if let Some(rank) = rank(words, &found.name, &found.email) {
                let hit = Hit::new(found.name, found.email, format!("/people/{}", found.id));
                self.hits.entry(Kind::Person).or_default().push((rank, hit));
            }
        }
        Ok(())
    }

    async fn token(&mut self, prefix: &str) -> Result<()> {
        let found = store::tokens_by_prefix(&self.app.db, self.scope, prefix).await?;
        // SQLite's LIKE does not tell a from A
        for found in found.into_iter().filter(|found| found.extra.starts_with(prefix)) {
            let whole = found.extra == prefix;
            self.add_token(if whole { Kind::Exact } else { Kind::Token }, 0, &found);
        }
        Ok(())
    }

    fn add_token(&mut self, kind: Kind, rank: u8, found: &Named<crate::ids::TokenId>) {
        let href = format!("/tenants/{}/tokens/{}", found.tenant_id, found.id);
        let what = if kind == Kind::Exact {
            format!("Token {}… · ", found.extra)
        } else {
            format!("{}… · ", found.extra)
        };
        let detail = format!("{what}{}", found.tenant);
        self.add::<ReadConfiguration>(kind, found.tenant_id, rank, |_| Hit::new(&found.name, detail, href));
    }

    async fn id(&mut self, id: Uuid) -> Result<()> {
        for holder in store::holders(&self.app.db, self.scope, id).await? {
            self.held(id, &holder).await?;
        }
        if let Ok(grant) = self.session.grant::<Administer>()
            && let Some(found) = store::person(&self.app.db, &grant, id).await?
        {
            let hit =
                Hit::new(found.name, format!("{} · {}", found.role.title(), found.email), format!("/people/{id}"));
            self.hits.entry(Kind::Exact).or_default().push((0, hit));
        }
        self.request(id).await
    }

    /// What a tenant has of this id.
    async fn held(&mut self, id: Uuid, holder: &Holder) -> Result<()> {
        let (tenant, of) = (holder.tenant_id, holder.name.as_str());
        let base = format!("/tenants/{tenant}");
        let exact = Kind::Exact;
        if tenant.0 == id {
            self.add::<See>(exact, tenant, 0, |_| Hit::new(of, "Tenant", &base));
        }
        if let (Some(event), Ok(permit)) = (holder.event_id, self.session.permit::<ReadPayloads>(tenant)) {
            let title = self.name_of_event(&permit, EventId(event)).await?;
            self.add::<ReadPayloads>(exact, tenant, 0, |_| {
                Hit::new(title, format!("Event · {of}"), format!("{base}/events/{event}"))
            });
        }
        if let Some(name) = &holder.type_name {
            self.add::<ReadConfiguration>(exact, tenant, 0, |_| {
                Hit::new(name, format!("Event type · {of}"), format!("{base}/event-types/{id}"))
            });
        }
        if let Some(name) = &holder.token_name {
            self.add::<ReadConfiguration>(exact, tenant, 0, |_| {
                Hit::new(name, format!("Token · {of}"), format!("{base}/tokens/{id}"))
            });
        }
        if let Some(name) = &holder.polled_name {
            self.add::<See>(exact, tenant, 0, |_| {
                Hit::new(name, format!("Source · {of}"), format!("{base}/sources/{id}"))
            });
        }
        if let Some(kind) = &holder.task_kind {
            let title = self.app.jobs.kind(kind).map_or(kind.as_str(), |kind| kind.title);
            self.add::<ReadPayloads>(exact, tenant, 0, |_| {
                Hit::new(title, format!("Task · {of}"), store::task_href(tenant, id))
            });
        }
        if let Some(message) = &holder.group_message {
            self.add::<ReadPayloads>(exact, tenant, 0, |_| {
                Hit::new(message, format!("Group of failures · {of}"), store::group_href(tenant, id))
            });
        }
        if holder.receipt_id.is_some() {
            let filter = Filter { receipt: Some(ReceiptId(id)), ..Filter::default() };
            self.add::<ReadPayloads>(exact, tenant, 0, |_| {
                let href = format!("{base}/events{}", filter.query(Cursor::Newest));
                Hit::new("Events of one request", format!("Receipt · {of}"), href)
            });
        }
        Ok(())
    }

    async fn name_of_event(&self, permit: &Permit<ReadPayloads>, id: EventId) -> Result<String> {
        let Some(event) = events::store::start_of(&self.app.db, permit.tenant(), id, 0).await? else {
            return Ok("Event".into());
        };
        let names = crate::event_types::store::names(&self.app.db, permit.tenant()).await?;
        let name = names.into_iter().find(|(known, _)| *known == event.event_type_id);
        Ok(name.map_or_else(|| "Event".into(), |(_, name)| name.to_string()))
    }

    /// What a request changed. Most changed nothing.
    async fn request(&mut self, id: Uuid) -> Result<()> {
        if id.get_version_num() != 7 {
            return Ok(());
        }
        for change in store::changes_of_request(&self.app.db, self.scope, id).await? {
            let known = words::ALL.iter().find(|words| words.action == change.action);
            let title = known.map_or(change.action.as_str(), |words| words.words);
            let title = format!("A request that {title}");
            let query = format!("audit?object={}", change.object_id);
            match change.tenant_id {
                Some(tenant) => self.add::<See>(Kind::Exact, tenant, 0, |_| {
                    Hit::new(title, "Request", format!("/tenants/{tenant}/{query}"))
                }),
                None if self.session.grant::<Administer>().is_ok() => {
                    let hit = Hit::new(title, "Request", format!("/{query}"));
                    self.hits.entry(Kind::Exact).or_default().push((0, hit));
                }
                None => {}
            }
        }
        Ok(())
    }

    fn found(self) -> Found {
        let groups = self.hits.into_iter().filter(|(_, hits)| !hits.is_empty()).map(|(kind, mut hits)| {
            // the places that answer equally well keep the order of the navigation, names stand by name
            let by_name = |hit: &Hit| match kind {
                Kind::Exact | Kind::Place | Kind::Action => String::new(),
                _ => hit.title.to_lowercase(),
            };
            hits.sort_by_cached_key(|(rank, hit)| (*rank, by_name(hit)));
            let (best, more) = (hits.first().map_or(0, |(rank, _)| *rank), hits.len() > SHOWN);
            let hits = hits.into_iter().take(SHOWN).map(|(_, hit)| hit).collect();
            (best, Group { kind, title: kind.title(), hits, more })
        });
        // what was named goes before what merely has such a word
        let mut groups: Vec<_> = groups.collect();
        groups.sort_by_key(|(best, group)| (*best, group.kind));
        Found { groups: groups.into_iter().map(|(_, group)| group).collect() }
    }
}

fn joined(of: &str, extra: &str) -> String {
    if extra.is_empty() { of.to_owned() } else { format!("{of} · {extra}") }
}
