//! The five roles.
use std::{fmt, str::FromStr};

/// What kind of work an account does. Spelled in the database and on the command line as [`Role::word`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, sqlx::Type, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[sqlx(type_name = "TEXT", rename_all = "kebab-case")]
pub enum Role {
    /// Everything, people and settings included.
    Administrator,
    /// Configures tenants.
    Consultant,
    /// Runs intakes and quotations, reads configuration, no payloads.
    SuccessManager,
    /// As the success manager.
    AccountManager,
    /// Sees the own tenant only.
    Customer,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Administrator, Self::Consultant, Self::SuccessManager, Self::AccountManager, Self::Customer];

    /// As the database and the command line spell it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Consultant => "consultant",
            Self::SuccessManager => "success-manager",
            Self::AccountManager => "account-manager",
            Self::Customer => "customer",
        }
    }

    /// As pages say it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Administrator => "Administrator",
            Self::Consultant => "Consultant",
            Self::SuccessManager => "Success manager",
            Self::AccountManager => "Account manager",
            Self::Customer => "Customer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|role| role.word() == text).ok_or_else(|| format!("no role is called {text}"))
    }
}
