//! Writing the history: the tenant is made three weeks back, and what its systems sent since then goes through the
//! write lane in the order it happened, with the ids that it would have had.
use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

use super::{
    DAYS, NAME, Sender, TENANT, integrations,
    payloads::{Fault, World},
    rhythm, settle,
};
use crate::{
    auth::{
        Actor, Configure, Permit, ReadPayloads,
        audit::{self, Entry},
    },
    clock::Clock,
    db::{
        Db,
        lane::{Append, Lane, Mends, Outcome, Row},
    },
    error::{Error, Result},
    event_types::{self, Contract, EventType, versions},
    events,
    failures::{self, State},
    ids::{EventId, ReceiptId, TokenId},
    ingest, tenants,
    tokens::{self, Secret},
};

/// How many requests wait for the lane at once.
const AT_ONCE: usize = 200;
/// No event of the demo comes near it.
const LONGEST: u32 = 64 << 10;
/// The same town whenever it is filled.
const SEED: u64 = 1_904;

// what happened when, in days after the beginning
/// Three days, so that one of them has a show.
const BARE_NUMBERS: std::ops::Range<i64> = 4..7;
const VOUCHERS: i64 = 9;
const SILENCE: i64 = DAYS - 5;
const NEW_RELEASE: i64 = DAYS - 2;

/// What the history holds.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Filled {
    /// Events that keep their contracts.
    pub accepted: u64,
    /// Events that do not.
    pub quarantined: u64,
    /// Events that were sent twice.
    pub duplicates: u64,
    /// Events that were mended afterwards.
    pub mended: u64,
    /// Integrations, from just begun to live.
    pub integrations: u64,
}

/// Makes the demo and its history. `told` hears how many of [`DAYS`] are written.
///
/// # Errors
/// [`Error::Conflict`] when the demo is there already; when the database fails, and then it is half there: it has to
/// be removed before it is filled again.
pub async fn fill(db: &Db, clock: &Clock, actor: &Actor, told: impl Fn(i64) + Sync) -> Result<Filled> {
    let past = Clock::still();
    past.advance(-TimeDelta::days(DAYS).num_seconds() - TimeDelta::hours(1).num_seconds());
    let mut history = History::begin(db, &past, actor).await?;
    let now = clock.now();
    let mut hour = (now - TimeDelta::days(DAYS)).duration_trunc(TimeDelta::hours(1)).map_err(Error::internal)?;
    let start = hour;
    while hour < now {
        let day = (hour - start).num_days();
        if day == VOUCHERS && history.types[&Sender::Shop].details.contract.text() == Sender::Shop.contracts()[0] {
            history.allow_vouchers(hour).await?;
        }
        history.hour(hour, day, now).await?;
        hour += TimeDelta::hours(1);
        told((hour - start).num_days());
    }
    settle(db, &history.read, clock.now()).await?;
    history.mend_tickets(start + TimeDelta::days(BARE_NUMBERS.end) + TimeDelta::hours(9)).await?;
    settle(db, &history.read, clock.now()).await?;
    history.look_after_groups(now).await?;
    // a server that runs beside this one does it itself
    let mut values = events::fields::follow::Following::default();
    while values.step(db).await? {}
    history.filled.integrations = integrations::tell(db, now).await?;
    tenants::set_enabled(db, clock, &history.configure, true).await?;
    record(db, clock, &history.configure, history.filled).await?;
    Ok(history.filled)
}

async fn record(db: &Db, clock: &Clock, permit: &Permit<Configure>, filled: Filled) -> Result<()> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let entry = Entry {
                actor: permit.actor(),
                tenant: Some(TENANT),
                action: "demo.fill",
                object: TENANT.to_string(),
                before: None,
                after: Some(json!({"days": DAYS, "filled": filled})),
            };
            audit::record(tx, &clock, entry).await
        })
    })
    .await
}

/// What is being written.
struct History<'a> {
    db: &'a Db,
    lane: Lane,
    /// When it is in the story.
    past: &'a Clock,
    configure: Permit<Configure>,
    read: Permit<ReadPayloads>,
    types: BTreeMap<Sender, EventType>,
    tokens: BTreeMap<Sender, TokenId>,
    world: World,
    filled: Filled,
}

impl<'a> History<'a> {
    async fn begin(db: &'a Db, past: &'a Clock, actor: &Actor) -> Result<Self> {
        let configure: Permit<Configure> = actor.permit(TENANT)?;
        let name = NAME.parse().map_err(|_| Error::internal(anyhow::anyhow!("the demo has no name")))?;
        let made = tenants::create(db, past, &actor.grant()?, Some(TENANT), name).await;
        made.map_err(|error| match error {
            Error::Conflict(_) => Error::Conflict("the demo is there already: remove it to fill it anew".into()),
            other => other,
        })?;
        // nobody sends to it before it is whole
        tenants::set_enabled(db, past, &configure, false).await?;
        let (mut types, mut ids) = (BTreeMap::new(), BTreeMap::new());
        for sender in Sender::ALL {
            let details = sender.details().map_err(Error::internal)?;
            let made = event_types::create(db, past, &configure, None, details).await?;
            let name = sender.token_name().parse().map_err(|_| Error::internal(anyhow::anyhow!("no name")))?;
            let details = tokens::Details {
                event_types: Some(vec![made.id]),
                // one that soon runs out: somebody has to roll it
                expires_at: (sender == Sender::Shop).then(|| past.now() + TimeDelta::days(DAYS + 9)),
                ..tokens::Details::named(name)
            };
            // nobody learns these secrets: whoever wants to send makes a token
            let token = tokens::create(db, past, &configure, &Secret::generate(), details).await?;
            ids.insert(sender, token.id);
            types.insert(sender, made);
        }
        Ok(Self {
            db,
            lane: Lane::start(db, past),
            past,
            read: actor.permit(TENANT)?,
            configure,
            types,
            tokens: ids,
            world: World::new(SEED, 0),
            filled: Filled::default(),
        })
    }

    fn travel(&self, to: DateTime<Utc>) {
        self.past.advance((to - self.past.now()).num_seconds());
    }

    /// The shop begins to send vouchers, and its contract knows them.
    async fn allow_vouchers(&mut self, at: DateTime<Utc>) -> Result<()> {
        self.travel(at);
        let shop = self.types[&Sender::Shop].id;
        let text = Sender::Shop.contracts()[1];
        let contract = Contract::parse(text).map_err(Error::internal)?;
        let draft = versions::save_draft(self.db, self.past, &self.configure, shop, contract).await?;
        let note = Some("Vouchers begin with the autumn sale.".to_owned());
        let seen = draft.fingerprint();
        let made = versions::activate(self.db, self.past, &self.configure, shop, note, seen).await?;
        self.types.insert(Sender::Shop, made);
        Ok(())
    }

    /// What all systems sent within an hour, in its order.
    async fn hour(&mut self, hour: DateTime<Utc>, day: i64, now: DateTime<Utc>) -> Result<()> {
        let mut moments = Vec::new();
        for sender in Sender::ALL {
            if sender == Sender::Erp && day >= SILENCE {
                continue;
            }
            // the rest of the mean is a chance of one more
            let mut left = rhythm::expected(sender, hour) * (0.8 + 0.4 * self.world.chance()) + self.world.chance();
            while left >= 1.0 {
                moments.push((self.world.below(3_600), sender));
                left -= 1.0;
            }
        }
        moments.sort_unstable();
        let mut appends = Vec::with_capacity(moments.len());
        for (second, sender) in moments {
            let at = hour + TimeDelta::seconds(i64::from(second));
            if at >= now {
                break;
            }
            self.travel(at);
            let fault = self.fault(sender, day);
            let event = sender.event(&mut self.world, at, fault);
            let mut rows = vec![self.judged(sender, &event)?];
            if sender == Sender::Crm && self.world.chance() < 0.01 {
                // it did not hear the answer, and sends it once more
                rows.push(self.judged(sender, &event)?);
            }
            for row in rows {
                appends.push(self.append(Some(self.tokens[&sender]), vec![row], None));
            }
        }
        self.write(appends).await
    }

    fn fault(&mut self, sender: Sender, day: i64) -> Option<Fault> {
        let chance = self.world.chance();
        match sender {
            Sender::Crm if chance < 0.006 => Some(Fault::HalfAddress),
            Sender::Shop if day >= NEW_RELEASE && chance < 0.15 => Some(Fault::AmountAsText),
            Sender::Gates if BARE_NUMBERS.contains(&day) && chance < 0.2 => Some(Fault::BareNumber),
            _ => None,
        }
    }

    fn judged(&self, sender: Sender, event: &Value) -> Result<Row> {
        let wrong = |why: String| Error::internal(anyhow::anyhow!("an event of the demo: {why}"));
        ingest::judge_text(&self.types[&sender], &event.to_string(), LONGEST).map_err(wrong)
    }

    fn append(&self, source: Option<TokenId>, rows: Vec<Row>, mends: Option<Mends>) -> Append {
        let receipt = ReceiptId::issue(self.past);
        Append { tenant: TENANT, receipt, source, rows, strict: false, once: None, mends, progress: None }
    }

    async fn write(&mut self, appends: Vec<Append>) -> Result<()> {
        let lane = &self.lane;
        let outcomes: Vec<Outcome> = stream::iter(appends)
            .map(|append| async move {
                let bytes = append.rows.iter().map(|row| row.payload.len()).sum();
                let place = lane.admit(bytes).await.map_err(Error::Unavailable)?;
                lane.append(place, append).await
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        for outcome in outcomes {
            match outcome {
                Outcome::Stored(summary) => {
                    self.filled.accepted += summary.accepted as u64;
                    self.filled.duplicates += summary.duplicates.len() as u64;
                    self.filled.quarantined += u64::from(!summary.rejected.is_empty());
                }
                Outcome::Mended(mended) => self.filled.mended += mended.len() as u64,
                other => return Err(Error::internal(anyhow::anyhow!("an event of the demo became {other:?}"))),
            }
        }
        Ok(())
    }

    /// The gates were mended the next morning, and so were the events that they had sent.
    async fn mend_tickets(&mut self, at: DateTime<Utc>) -> Result<()> {
        self.travel(at);
        let gates = &self.types[&Sender::Gates];
        let filter = events::Filter {
            event_type: Some(gates.id),
            verdict: Some(events::Verdict::Quarantined),
            ..events::Filter::default()
        };
        let broken = events::store::whole_page(self.db, &self.read, &filter, events::Cursor::Newest, 500).await?.events;
        let mut appends = Vec::new();
        for event in broken {
            let mut value: Value = serde_json::from_str(&event.payload).map_err(Error::internal)?;
            if let Some(number) = value["Ticket Number"].as_str() {
                value["Ticket Number"] = Value::from(format!("T{number}"));
            }
            let originals: Vec<(EventId, Option<TokenId>)> = vec![(event.id, event.source_id)];
            let mends = Mends { originals, by: self.configure.actor().name.clone(), task: None, trail: None };
            appends.push(self.append(None, vec![self.judged(Sender::Gates, &value)?], Some(mends)));
        }
        self.write(appends).await
    }

    /// What is mended is resolved; what the CRM does is known.
    async fn look_after_groups(&self, now: DateTime<Utc>) -> Result<()> {
        let groups = failures::store::list(self.db, &self.read, failures::store::Which::default(), 50).await?;
        for group in groups {
            let state = if group.event_type_id == self.types[&Sender::Gates].id {
                self.travel(now - TimeDelta::days(DAYS - BARE_NUMBERS.end) + TimeDelta::hours(10));
                State::Resolved
            } else if group.event_type_id == self.types[&Sender::Crm].id {
                self.travel(now - TimeDelta::days(1));
                State::Acknowledged
            } else {
                continue;
            };
            failures::store::set_state(self.db, self.past, &self.configure, group.id, state).await?;
        }
        Ok(())
    }
}
