//! People as administrators see them: who can sign in, who is invited, what they may do. What an account is, and the
//! SQL of it, is `auth`'s; here are the pages about others' accounts, which know tenants by name.
mod pages;

use serde::Deserialize;

use crate::{
    auth::{
        Role,
        store::{Filter, StateOfAccount},
    },
    ids::TenantId,
};
pub use pages::routes;

/// What the address of the list asks for. What cannot be read asks for nothing: an address may be old, or made up.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Asked {
    /// A role by its word.
    #[serde(default)]
    pub role: String,
    /// `active`, `invited`, `deactivated`.
    #[serde(default)]
    pub state: String,
    /// The id of a tenant.
    #[serde(default)]
    pub tenant: String,
    /// What was just done.
    pub done: Option<String>,
}

impl Asked {
    /// As the store is asked.
    pub fn filter(&self) -> Filter {
        let state = match self.state.as_str() {
            "active" => Some(StateOfAccount::Active),
            "invited" => Some(StateOfAccount::Invited),
            "deactivated" => Some(StateOfAccount::Deactivated),
            _ => None,
        };
        Filter { role: self.role.parse().ok(), state, tenant: self.tenant.parse().ok() }
    }
}

/// Role and tenant as a form has them.
///
/// # Errors
/// Field and what is wrong with it.
pub fn parse_binding(role: &str, tenant: &str) -> Result<(Role, Option<TenantId>), (&'static str, &'static str)> {
    let role: Role = role.parse().map_err(|_| ("role", "Choose what they do"))?;
    let tenant = match tenant.trim() {
        "" if role == Role::Customer => return Err(("tenant", "A customer sees one tenant: say which")),
        "" => None,
        id => Some(id.parse().map_err(|_| ("tenant", "Choose a tenant of the list"))?),
    };
    Ok((role, tenant))
}

/// What a role may do, for whoever chooses one.
pub fn duties(role: Role) -> &'static str {
    match role {
        Role::Administrator => "Everything, people and settings included",
        Role::Consultant => "Configures tenants, reads payloads, invites customers",
        Role::SuccessManager | Role::AccountManager => "Reads the configuration of tenants, but no payloads",
        Role::Customer => "Sees how the integrations of one tenant stand",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_makes_no_sense_filters_nothing() {
        let asked = |role: &str, state: &str, tenant: &str| {
            Asked { role: role.into(), state: state.into(), tenant: tenant.into(), done: None }.filter()
        };
        let nothing = asked("king", "sleeping", "acme");
        assert!(nothing.role.is_none() && nothing.state.is_none() && nothing.tenant.is_none());
        let all = asked("customer", "deactivated", "0198c0de-0000-7000-8000-000000000001");
        assert_eq!((all.role, all.state), (Some(Role::Customer), Some(StateOfAccount::Deactivated)));
        assert!(all.tenant.is_some());
    }

    #[test]
    fn a_customer_needs_a_tenant_and_others_may_have_one() {
        let id = "0198c0de-0000-7000-8000-000000000001";
        assert_eq!(parse_binding("customer", " ").unwrap_err().0, "tenant");
        assert_eq!(parse_binding("customer", "x").unwrap_err().0, "tenant");
        assert_eq!(parse_binding("", id).unwrap_err().0, "role");
        assert_eq!(parse_binding("consultant", ""), Ok((Role::Consultant, None)));
        assert_eq!(parse_binding("consultant", id).unwrap().1, id.parse().ok());
    }
}
