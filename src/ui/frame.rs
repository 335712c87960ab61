//! Who looks, and where they are: what every page needs to know besides its own data.
use super::state::State;
use chrono::{DateTime, Utc};

/// Who looks, at what, and with which looks. Built once a request; every page is drawn inside one.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    /// The person signed in, or none on the pages before that.
    pub viewer: Option<Viewer>,
    /// The tenant this page is about.
    pub tenant: Option<TenantRef>,
    /// The tenants the viewer may switch to.
    pub tenants: Vec<TenantRef>,
    /// The place in the navigation.
    pub active: Section,
    /// The places that the viewer may go to: no other is offered.
    pub open: Vec<Section>,
    /// Path and query of this page: where the theme form comes back to.
    pub path: String,
    /// Address of the style sheet.
    pub css: String,
    /// Address of the boot script.
    pub boot: String,
    /// Said once at the top of the page that follows an act.
    pub notice: Option<Notice>,
    /// The moment of the request: what "3 min ago" counts from.
    pub now: DateTime<Utc>,
}

/// The person who looks.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// How they are called.
    pub name: String,
    /// What they sign in with.
    pub email: String,
    /// Their role, as it is spelled in the design.
    pub role: &'static str,
    /// The looks they chose.
    pub theme: Theme,
    /// The zone they are told times in.
    pub zone: super::Zone,
    /// Whether the keyboard's shortcuts are on.
    pub shortcuts: bool,
}

/// Light, dark, or what the system says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Whatever the browser prefers.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// As the database and the theme form spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Reads what [`Theme::as_str`] wrote; anything else is the system's.
    pub fn parse(text: &str) -> Self {
        match text {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// `data-theme` of the document, which only a choice sets.
    pub(super) const fn attribute(self) -> Option<&'static str> {
        match self {
            Self::System => None,
            chosen => Some(chosen.as_str()),
        }
    }
}

/// A tenant as the shell shows it.
#[derive(Clone, Debug)]
pub struct TenantRef {
    /// Its id, as it stands in addresses.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whether it takes no events at present.
    pub disabled: bool,
    /// Whether all of it is invented.
    pub demo: bool,
}

/// Where in the navigation a page stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Section {
    /// Nowhere: errors and pages outside the navigation.
    #[default]
    Nowhere,
    /// What needs attention.
    Home,
    /// All tenants.
    Tenants,
    /// One tenant.
    Overview,
    /// The contracts of a tenant.
    EventTypes,
    /// The explorer.
    Events,
    /// The live tail.
    Live,
    /// Events that broke their contract.
    Quarantine,
    /// What is worked off in the background.
    Tasks,
    /// The external systems that are asked.
    Sources,
    /// The secrets of a tenant.
    Tokens,
    /// Who is told when something of a tenant is amiss.
    Alerts,
    /// Who is told when something is amiss, anywhere.
    AlertsOfAll,
    /// Who changed what of a tenant.
    Audit,
    /// Who changed what, anywhere.
    AuditOfAll,
    /// Who of the tenant can sign in.
    TenantPeople,
    /// The settings of a tenant.
    Settings,
    /// Everybody who can sign in.
    People,
    /// Where this server goes to.
    Hosts,
    /// The integrations that the viewer may see.
    Integrations,
    /// The integrations of a tenant.
    TenantIntegrations,
    /// The integrations of a tenant, as its customer sees them.
    Portal,
    /// What was quoted to a tenant, as its customer sees it.
    Quotations,
    /// What there is to know about integrating.
    Guide,
    /// The viewer's own account.
    Account,
}

impl Section {
    /// Its address; `tenant` is the id of the tenant at hand, of which the first few have no need.
    pub fn href(self, tenant: &str) -> String {
        match self {
            Self::Home | Self::Nowhere => "/".into(),
            Self::Tenants => "/tenants".into(),
            Self::Account => "/account".into(),
            Self::AuditOfAll => "/audit".into(),
            Self::AlertsOfAll => "/alerts".into(),
            Self::People => "/people".into(),
            Self::Hosts => "/hosts".into(),
            Self::Integrations => "/integrations".into(),
            Self::Guide => "/guide".into(),
            Self::TenantIntegrations => format!("/tenants/{tenant}/integrations"),
            Self::Portal => format!("/tenants/{tenant}/portal"),
            Self::Quotations => format!("/tenants/{tenant}/quotations"),
            Self::Overview => format!("/tenants/{tenant}"),
            Self::EventTypes => format!("/tenants/{tenant}/event-types"),
            Self::Events => format!("/tenants/{tenant}/events"),
            Self::Live => format!("/tenants/{tenant}/live"),
            Self::Quarantine => format!("/tenants/{tenant}/quarantine"),
            Self::Tasks => format!("/tenants/{tenant}/tasks"),
            Self::Sources => format!("/tenants/{tenant}/sources"),
            Self::Tokens => format!("/tenants/{tenant}/tokens"),
            Self::Alerts => format!("/tenants/{tenant}/alerts"),
            Self::Audit => format!("/tenants/{tenant}/audit"),
            Self::TenantPeople => format!("/tenants/{tenant}/people"),
            Self::Settings => format!("/tenants/{tenant}/settings"),
        }
    }

    /// Whether it belongs to one tenant, so that switching tenants can stay on it.
    pub const fn is_of_tenant(self) -> bool {
        matches!(
            self,
            Self::Overview
                | Self::TenantIntegrations
                | Self::Portal
                | Self::Quotations
                | Self::EventTypes
                | Self::Events
                | Self::Live
                | Self::Quarantine
                | Self::Tasks
                | Self::Sources
                | Self::Tokens
                | Self::Alerts
                | Self::Audit
                | Self::TenantPeople
                | Self::Settings
        )
    }
}

/// One sentence about what just happened.
#[derive(Clone, Debug)]
pub struct Notice {
    /// How it went.
    pub state: State,
    /// What to say.
    pub text: String,
}

impl Notice {
    /// It went well.
    pub fn ok(text: impl Into<String>) -> Self {
        Self { state: State::Ok, text: text.into() }
    }
}

/// One step of the way to this page.
#[derive(Clone, Debug)]
pub struct Crumb {
    /// What it is called.
    pub label: String,
    /// Where it leads.
    pub href: String,
}

impl Crumb {
    /// A step with its address.
    pub fn new(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self { label: label.into(), href: href.into() }
    }
}

impl Frame {
    /// The zone that times on this page are told, and asked for, in.
    pub fn zone(&self) -> super::Zone {
        self.viewer.as_ref().map(|viewer| viewer.zone).unwrap_or_default()
    }

    /// What times on this page are told by.
    pub fn moment(&self) -> super::Now {
        super::Now { at: self.now, zone: self.zone() }
    }
}
