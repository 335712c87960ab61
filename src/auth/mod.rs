//! Who may do what. Authority is a value: a store function that reads or changes something of a tenant takes a
//! [`Permit`], one that concerns the installation takes a [`Grant`], and neither can be made but by asking an
//! [`Actor`] for it.
pub mod address;
pub mod audit;
pub mod courier;
pub mod email;
pub mod login;
mod pages;
pub mod password;
mod role;
pub mod session;
pub mod store;
#[cfg(test)]
pub mod testing;
pub mod totp;
pub mod user_agent;

use std::{marker::PhantomData, net::IpAddr};

use crate::{
    error::{Error, Result},
    ids::{RequestId, TenantId, UserId},
};
pub use pages::routes;
pub use role::Role;
pub use session::Session;
pub use store::{purge, setup_link};

/// Somebody who acts: a person with a session, or the command line.
#[derive(Debug, Clone)]
pub struct Actor {
    /// The account; the command line has none.
    pub user: Option<UserId>,
    /// As the audit trail names it: an e-mail address, or `cli`.
    pub name: String,
    /// What kind of work it does.
    pub role: Role,
    /// Set: bound to this tenant, and blind to all others.
    pub tenant: Option<TenantId>,
    /// Where from.
    pub address: Option<IpAddr>,
    /// By which request.
    pub request: Option<RequestId>,
}

impl Actor {
    /// The command line: whoever can open the database may do everything, and is audited as `cli`.
    pub fn cli() -> Self {
        Self { user: None, name: "cli".into(), role: Role::Administrator, tenant: None, address: None, request: None }
    }

    /// Asks for authority over one tenant. Whether the tenant exists is the store's to find out.
    ///
    /// # Errors
    /// [`Error::NotFound`] when bound to another tenant; [`Error::Forbidden`] when the role does not include it.
    pub fn permit<R: Right>(&self, tenant: TenantId) -> Result<Permit<R>> {
        if self.tenant.is_some_and(|own| own != tenant) {
            return Err(Error::NotFound("tenant"));
        }
        if !R::granted_to(self.role) {
            return Err(Error::Forbidden(R::WORDS));
        }
        Ok(Permit { actor: self.clone(), tenant, right: PhantomData })
    }

    /// Asks for authority over the installation as a whole.
    ///
    /// # Errors
    /// [`Error::Forbidden`] when the role does not include it, or when bound to a tenant.
    pub fn grant<R: Right>(&self) -> Result<Grant<R>> {
        if self.tenant.is_some() || !R::granted_to(self.role) {
            return Err(Error::Forbidden(R::WORDS));
        }
        Ok(Grant { actor: self.clone(), right: PhantomData })
    }
}

/// Authority over one tenant.
#[derive(Debug, Clone)]
pub struct Permit<R> {
    actor: Actor,
    tenant: TenantId,
    right: PhantomData<R>,
}

impl<R> Permit<R> {
    /// Who acts.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The tenant that it holds for.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }
}

/// Authority over the installation as a whole.
#[derive(Debug, Clone)]
pub struct Grant<R> {
    actor: Actor,
    right: PhantomData<R>,
}

impl<R> Grant<R> {
    /// Who acts.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }
}

/// Something that roles may or may not do. Each is a type, so that a function can say which it needs.
pub trait Right: Send + Sync + 'static {
    /// What is refused when it is not granted: "change the configuration of a tenant".
    const WORDS: &'static str;
    /// Whether a role includes it.
    fn granted_to(role: Role) -> bool;
}

macro_rules! rights {
    ($($(#[$doc:meta])* $name:ident, $words:literal: $($role:ident)|+;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;
        impl Right for $name {
            const WORDS: &'static str = $words;
            fn granted_to(role: Role) -> bool {
                matches!(role, $(Role::$role)|+)
            }
        }
    )+};
}

rights! {
    /// See that a tenant exists, its name, and how its integrations stand in figures.
    See, "see this tenant": Administrator | Consultant | SuccessManager | AccountManager | Customer;
    /// Read event types and tokens (never their secrets).
    ReadConfiguration, "read the configuration of a tenant": Administrator | Consultant | SuccessManager | AccountManager;
    /// Read what events hold.
    ReadPayloads, "read the payloads of events": Administrator | Consultant;
    /// Change event types, tokens and settings of a tenant.
    Configure, "change the configuration of a tenant": Administrator | Consultant;
    /// See the list of all tenants.
    ListTenants, "list all tenants": Administrator | Consultant | SuccessManager | AccountManager;
    /// Create tenants.
    CreateTenants, "create tenants": Administrator | Consultant;
    /// Invite customers of a tenant, and see who they are.
    InviteCustomers, "invite customers of a tenant": Administrator | Consultant;
    /// See integrations: their intakes, verdicts, investigations and timelines.
    SeeIntegrations, "see integrations": Administrator | Consultant | SuccessManager | AccountManager;
    /// Run intakes: ask, judge, choose the scenario, say whose turn it is.
    RunIntakes, "run intakes": Administrator | Consultant | SuccessManager | AccountManager;
    /// Answer what an intake asks; a customer does so by a link, which is good for nothing else.
    AnswerIntakes, "answer an intake": Administrator | Consultant | SuccessManager | AccountManager | Customer;
    /// See what was quoted; a customer sees what was sent.
    SeeQuotations, "see quotations": Administrator | Consultant | SuccessManager | AccountManager | Customer;
    /// Accept or decline what was quoted: the customer's alone.
    AnswerQuotations, "answer a quotation": Customer;
    /// See integrations as their customer does.
    SeePortal, "see the integrations of a tenant as its customer": Administrator | Consultant | SuccessManager | AccountManager | Customer;
    /// Answer what a customer is asked for, and tick it: the customer's alone.
    AnswerTasks, "answer what a customer is asked for": Customer;
    /// Plan an investigation and answer its questions.
    RunInvestigations, "work on an investigation": Administrator | Consultant;
    /// Work on an implementation: its tasks, drafts, evidence and hours.
    RunImplementations, "work on an implementation": Administrator | Consultant;
    /// Let an integration go live without having seen what was asked for: not who builds it.
    WaiveEvidence, "waive acceptance evidence": Administrator | AccountManager;
    /// Accounts of people and settings of the installation.
    Administer, "manage people and settings": Administrator;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(role: Role, tenant: Option<u128>) -> Actor {
        let tenant = tenant.map(|id| TenantId(uuid::Uuid::from_u128(id)));
        Actor { role, tenant, ..Actor::cli() }
    }

    #[test]
    fn another_tenant_is_not_found_whatever_the_role() {
        let own = TenantId(uuid::Uuid::from_u128(1));
        let foreign = TenantId(uuid::Uuid::from_u128(2));
        for role in Role::ALL {
            let bound = actor(role, Some(1));
            assert!(bound.permit::<See>(own).is_ok());
            assert!(matches!(bound.permit::<See>(foreign), Err(Error::NotFound(_))));
            assert!(matches!(bound.permit::<Configure>(foreign), Err(Error::NotFound(_))));
            assert!(bound.grant::<ListTenants>().is_err(), "{role}: bound to a tenant, yet granted all");
        }
    }

    #[test]
    fn customers_and_managers_read_no_payloads() {
        let tenant = TenantId(uuid::Uuid::from_u128(1));
        for role in Role::ALL {
            let may = actor(role, None).permit::<ReadPayloads>(tenant).is_ok();
            assert_eq!(may, matches!(role, Role::Administrator | Role::Consultant), "{role}");
        }
    }
}
