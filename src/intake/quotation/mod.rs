//! Quotations: what the work of an integration costs, in numbered versions. A version is written, looked at by somebody
//! else when it is dear, sent, and from then on it is the same bytes for ever; the customer accepts or declines it.
//!
//! `money` adds up, `state` knows the way, `limit` what is dear, `content` is what a version says and how two of them
//! differ, `worth` what an integration comes to, `carry` what an intake gives to the first draft, `paper` how it looks in
//! print. `store` is all there is of I/O.
pub mod carry;
pub mod content;
mod limit;
pub mod money;
mod paper;
pub mod state;
pub mod store;
pub mod worth;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{Reason, hours};
use crate::ids::{IntegrationId, QuotationId, TenantId};
pub use content::{Content, Document, Line, Pricing};
pub use limit::{Amounts, Limit};
pub use money::{Currency, Discount, Percent, Totals};
pub use state::{Act, Facts, State, Why, step};
pub use worth::{Priced, Worth};

/// One version of a quotation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Quotation {
    /// Whose.
    pub tenant_id: TenantId,
    /// Of which integration.
    pub integration_id: IntegrationId,
    /// Its id.
    pub id: QuotationId,
    /// Which version it is, from 1 within its integration.
    pub number: i64,
    /// The accepted version that it adds to: then it is a change order.
    pub adds_to: Option<QuotationId>,
    /// Where it was left; see [`Quotation::standing`].
    pub state: State,
    /// What it says.
    pub content: Content,
    /// Counts changes.
    pub revision: i64,
    /// Who last changed what it says.
    pub written_by: String,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// When anything about it last changed.
    pub updated_at: DateTime<Utc>,
    /// Who asked for approval.
    pub submitted_by: Option<String>,
    /// Who approved.
    pub approved_by: Option<String>,
    /// When.
    pub approved_at: Option<DateTime<Utc>>,
    /// Who sent it.
    pub sent_by: Option<String>,
    /// When.
    pub sent_at: Option<DateTime<Utc>>,
    /// The digest of the document that was sent.
    pub document_digest: Option<String>,
    /// The digest of its PDF.
    pub pdf_digest: Option<String>,
    /// When the customer first looked at it.
    pub viewed_at: Option<DateTime<Utc>>,
    /// Who of the customer answered, as they write their name.
    pub decided_by: Option<String>,
    /// As what.
    pub decided_role: Option<String>,
    /// From which address.
    pub decided_from: Option<String>,
    /// When.
    pub decided_at: Option<DateTime<Utc>>,
    /// Why it was returned, declined or withdrawn.
    pub reason: String,
}

impl Quotation {
    /// What it is now: what is offered expires by itself.
    pub fn standing(&self, now: DateTime<Utc>) -> State {
        state::standing(self.state, self.content.is_past(now))
    }

    /// What it is called in a sentence.
    pub fn told(&self) -> String {
        match self.adds_to {
            Some(_) => format!("change order {}", self.number),
            None => format!("version {} of the quotation", self.number),
        }
    }
}

impl From<&Quotation> for Priced {
    fn from(of: &Quotation) -> Self {
        Self {
            tenant_id: of.tenant_id,
            integration_id: of.integration_id,
            number: of.number,
            state: of.state,
            currency: of.content.currency,
            net: of.content.totals().net,
        }
    }
}

/// The address of its page for the staff.
pub fn address(of: &Quotation) -> String {
    address_of(of.tenant_id, of.integration_id, of.id)
}

/// The address of the page of a version, of which nothing but its ids is known.
pub fn address_of(tenant: TenantId, integration: IntegrationId, id: QuotationId) -> String {
    format!("{}/quotations/{id}", super::address(tenant, integration))
}

/// Who of the customer accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// Their name.
    pub name: String,
    /// What they are there.
    pub role: String,
}
