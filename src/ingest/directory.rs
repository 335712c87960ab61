//! What the front door knows by heart: tenants, event types and tokens, as one snapshot in memory. Every change of
//! them bumps one number in the database, whoever makes it (a page, the command line, another process); that number
//! is looked at four times a second, so a revoked token is refused everywhere within one.
use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    db::Db,
    error::Result,
    event_types::{self, EventType},
    ids::{EventTypeId, TenantId},
    sql,
    tenants::{self, Origin},
    tokens::{self, Known},
};

/// How often the number is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Everything, as of one moment.
#[derive(Default)]
pub struct Snapshot {
    version: i64,
    tenants: HashMap<TenantId, Tenant>,
    /// By SHA-256. An imported token may be another tenant's too.
    tokens: HashMap<[u8; 32], Vec<Arc<Known>>>,
}

/// A tenant, as the front door knows it.
pub struct Tenant {
    /// Whether it takes events.
    pub enabled: bool,
    /// Origins of web pages that may send.
    pub cors_origins: Vec<Origin>,
    types: HashMap<EventTypeId, Arc<EventType>>,
}

impl Snapshot {
    /// The tenant, if there is one.
    pub fn tenant(&self, id: TenantId) -> Option<&Tenant> {
        self.tenants.get(&id)
    }

    /// The tokens with this digest: none, or one, or those that several tenants have imported.
    pub fn tokens(&self, digest: &[u8; 32]) -> &[Arc<Known>] {
        self.tokens.get(digest).map_or(&[], Vec::as_slice)
    }
}

impl Tenant {
    /// An event type that takes events.
    pub fn event_type(&self, id: EventTypeId) -> Option<&Arc<EventType>> {
        self.types.get(&id).filter(|event_type| event_type.details.enabled)
    }
}

/// Keeps the snapshot up to date. Cheap to clone.
#[derive(Clone)]
pub struct Directory {
    db: Db,
    snapshot: watch::Sender<Arc<Snapshot>>,
    loading: Arc<Mutex<()>>,
}

impl Directory {
    /// Reads everything for the first time.
    ///
    /// # Errors
    /// When the database does.
    pub async fn load(db: Db) -> Result<Self> {
        let directory = Self { db, snapshot: watch::Sender::default(), loading: Arc::default() };
        directory.refresh().await?;
        Ok(directory)
    }

    /// Everything, as of the last look.
    pub fn current(&self) -> Arc<Snapshot> {
        self.snapshot.borrow().clone()
    }

    /// Tells whenever anything of the configuration has changed, whether the snapshot shows it or not.
    pub fn changes(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshot.subscribe()
    }

    /// Reads everything again if anything has changed.
    ///
    /// # Errors
    /// When the database does; the snapshot stays as it was.
    pub async fn refresh(&self) -> Result<()> {
        let _one_at_a_time = self.loading.lock().await;
        // the number first: what changes while we read is read again at the next look
        let version = sql!(value i64, &self.db, "SELECT version FROM configuration WHERE id = 1")?;
        let before = self.current();
        if version == before.version {
            return Ok(());
        }
        let mut tenants: HashMap<TenantId, Tenant> = tenants::store::all(&self.db)
            .await?
            .into_iter()
            .map(|tenant| {
                let known =
                    Tenant { enabled: tenant.enabled, cors_origins: tenant.cors_origins, types: HashMap::new() };
                (tenant.id, known)
            })
            .collect();
        for event_type in event_types::store::all(&self.db).await? {
            let Some(tenant) = tenants.get_mut(&event_type.tenant_id) else { continue };
            // a contract is compiled once: a type that has not changed is taken over from the snapshot before
            let same = before.tenant(event_type.tenant_id).and_then(|tenant| tenant.types.get(&event_type.id));
            let event_type = match same.filter(|same| same.updated_at == event_type.updated_at) {
                Some(same) => same.clone(),
                None => Arc::new(event_type),
            };
            tenant.types.insert(event_type.id, event_type);
        }
        let mut tokens: HashMap<[u8; 32], Vec<Arc<Known>>> = HashMap::new();
        for token in tokens::store::all(&self.db).await? {
            tokens.entry(token.digest).or_default().push(Arc::new(token));
        }
        self.snapshot.send_replace(Arc::new(Snapshot { version, tenants, tokens }));
        Ok(())
    }

    /// Looks for changes until `stopping`.
    pub async fn run(self, stopping: CancellationToken) {
        let mut away = false;
        while stopping.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_some() {
            match self.refresh().await {
                Ok(()) => away = false,
                Err(error) if !away => {
                    away = true;
                    tracing::error!(%error, "changes of tenants, event types and tokens cannot be read");
                }
                Err(_) => {}
            }
        }
    }
}
