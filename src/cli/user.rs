//! `tributary user`: accounts of people.
use std::io::BufRead;

use anyhow::Context as _;
use clap::Subcommand;
use serde::Serialize;
use serde_json::json;

use super::{Context, Refused};
use crate::{
    auth::{
        Role,
        courier::{Courier, Delivered},
        email::Email,
        password::{self, Password},
        store::{self, Filter, Invitation, NewInvitation, NewUser, Person, StateOfAccount},
    },
    db::Db,
    ids::TenantId,
    name::Name,
};

/// More than the longest password, in bytes.
const LONGEST_LINE: u64 = 4096;

/// Create, invite, list and change accounts: the people who sign in
#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Create an account
    #[command(after_help = "\
Examples:
  tributary user add --email ada@example.com --role administrator --password-stdin < password.txt
  tributary user add --email bob@customer.example --role customer --tenant ID --password-stdin < password.txt
  read -rs PASSWORD && printf %s \"$PASSWORD\" | tributary user add --email eve@example.com --role consultant --password-stdin")]
    Add {
        /// What its owner signs in with
        #[arg(long)]
        email: Email,
        /// What it may do
        #[arg(long)]
        role: Role,
        /// What its owner is called [default: what stands before the @ of the address]
        #[arg(long)]
        name: Option<Name>,
        /// The one tenant it sees; a customer needs one
        #[arg(long, value_name = "ID", required_if_eq("role", "customer"))]
        tenant: Option<TenantId>,
        /// Read the password from standard input: its first line, at least 12 characters
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// List accounts and open invitations
    #[command(after_help = "\
Examples:
  tributary user list
  tributary user list --state deactivated
  tributary user list --json | jq -r 'select(.role == \"customer\") | .email'")]
    List {
        /// Only this role
        #[arg(long)]
        role: Option<Role>,
        /// Only these: active, invited, deactivated
        #[arg(long)]
        state: Option<State>,
        /// Only those bound to this tenant
        #[arg(long, value_name = "ID")]
        tenant: Option<TenantId>,
    },
    /// Invite somebody: prints the link with which they make their account
    #[command(after_help = "\
Examples:
  tributary user invite ada@example.com --role consultant --public-url https://hub.example.com
  tributary user invite bob@customer.example --role customer --tenant ID
  tributary --json user invite eve@example.com --role consultant | jq -r .link")]
    Invite {
        /// Whom
        email: Email,
        /// What the account may do
        #[arg(long)]
        role: Role,
        /// What they are called [default: they say so themselves]
        #[arg(long)]
        name: Option<Name>,
        /// The one tenant it sees; a customer needs one
        #[arg(long, value_name = "ID", required_if_eq("role", "customer"))]
        tenant: Option<TenantId>,
        #[command(flatten)]
        links: Links,
    },
    /// Let an account sign in no more, and sign it out everywhere
    #[command(after_help = "\
Examples:
  tributary user deactivate bob@example.com")]
    Deactivate {
        /// Whose
        email: Email,
    },
    /// Let a deactivated account sign in again
    #[command(after_help = "\
Examples:
  tributary user reactivate bob@example.com")]
    Reactivate {
        /// Whose
        email: Email,
    },
    /// Print a link with which somebody chooses a new password, once, within an hour
    #[command(after_help = "\
Examples:
  tributary user reset-password bob@example.com --public-url https://hub.example.com
  tributary --json user reset-password bob@example.com | jq -r .link")]
    ResetPassword {
        /// Whose
        email: Email,
        #[command(flatten)]
        links: Links,
    },
    /// Give somebody another role or tenant, and sign them out everywhere
    #[command(after_help = "\
Examples:
  tributary user role bob@example.com --role administrator
  tributary user role bob@example.com --role customer --tenant ID")]
    Role {
        /// Whose
        email: Email,
        /// What the account may do from now on
        #[arg(long)]
        role: Role,
        /// The one tenant it sees from now on; a customer needs one [default: all]
        #[arg(long, value_name = "ID", required_if_eq("role", "customer"))]
        tenant: Option<TenantId>,
    },
    /// Take the second factor away from somebody who has lost it, and sign them out everywhere
    #[command(after_help = "\
Examples:
  tributary user reset-second-factor bob@example.com")]
    ResetSecondFactor {
        /// Whose
        email: Email,
    },
}

/// Where links lead.
#[derive(Debug, clap::Args)]
pub(super) struct Links {
    /// The address that browsers use, which the link begins with
    #[arg(long, env = "TRIBUTARY_PUBLIC_URL", default_value = "http://127.0.0.1:3000")]
    public_url: url::Url,
}

/// A state as it is typed.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum State {
    /// Can sign in
    Active,
    /// Has not accepted yet
    Invited,
    /// Cannot sign in
    Deactivated,
}

/// A row of the list: an account, or an invitation to one.
#[derive(Serialize)]
#[serde(untagged)]
enum Row {
    Account {
        #[serde(flatten)]
        person: Person,
        state: &'static str,
    },
    Invitation {
        #[serde(flatten)]
        invitation: Invitation,
        state: &'static str,
    },
}

impl User {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::Add { email, role, name, tenant, password_stdin: _ } => add(context, email, role, name, tenant).await,
            Self::List { role, state, tenant } => list(context, role, state, tenant).await,
            Self::Invite { email, role, name, tenant, links } => {
                let db = context.new_db().await?;
                let courier = Courier::by_hand(links.public_url.as_str());
                let new = NewInvitation { email, name, role, tenant };
                let made = store::invite(&db, &context.clock, &courier, &context.actor.grant()?, new).await?;
                let link = shown(&made.link);
                let answer = json!({
                    "id": made.id, "email": made.email, "role": role, "tenant": tenant,
                    "expiresAt": made.expires_at, "link": link,
                });
                context.out.record(&answer, || {
                    format!(
                        "invited {} as {role}\n  link  {link}\n\nIt works once, for seven days, and is shown this \
                         once: give it to them by a way that nobody else reads.",
                        made.email,
                    )
                })
            }
            Self::Deactivate { email } => {
                let (db, person) = of(context, &email).await?;
                store::deactivate(&db, &context.clock, &context.actor.grant()?, person.id).await?;
                done(context, &person, "deactivated", "they are signed out everywhere and cannot sign in")
            }
            Self::Reactivate { email } => {
                let (db, person) = of(context, &email).await?;
                store::reactivate(&db, &context.clock, &context.actor.grant()?, person.id).await?;
                done(context, &person, "reactivated", "they can sign in again")
            }
            Self::ResetPassword { email, links } => {
                let (db, person) = of(context, &email).await?;
                let courier = Courier::by_hand(links.public_url.as_str());
                let grant = context.actor.grant()?;
                let made = store::reset_by_administrator(&db, &context.clock, &courier, &grant, person.id).await?;
                let link = shown(&made);
                context.out.record(&json!({"id": person.id, "email": person.email, "link": link}), || {
                    format!(
                        "made a link for {}\n  link  {link}\n\nIt works once, for one hour. Until it is used, the old \
                         password works.",
                        person.email,
                    )
                })
            }
            Self::Role { email, role, tenant } => {
                let (db, person) = of(context, &email).await?;
                let grant = context.actor.grant()?;
                store::change_role(&db, &context.clock, &grant, person.id, role, tenant).await?;
                let answer = json!({"id": person.id, "email": person.email, "role": role, "tenant": tenant});
                context.out.record(&answer, || format!("{} is now {role}: they have to sign in again", person.email))
            }
            Self::ResetSecondFactor { email } => {
                let (db, person) = of(context, &email).await?;
                store::reset_second_factor(&db, &context.clock, &context.actor.grant()?, person.id).await?;
                done(context, &person, "second-factor-reset", "their second factor is gone, and they are signed out")
            }
        }
    }
}

async fn add(
    context: &Context,
    email: Email,
    role: Role,
    name: Option<Name>,
    tenant: Option<TenantId>,
) -> anyhow::Result<()> {
    let password = Password::given(first_line(std::io::stdin().lock())?);
    if let Some(fault) = password.fault(Some(&email)) {
        return Err(Refused(format!("this password will not do: {fault}")).into());
    }
    let db = context.new_db().await?;
    let name = match name {
        Some(name) => name,
        None => email.local_part().parse().map_err(Refused)?,
    };
    let said = json!({"email": email.as_str(), "name": name, "role": role.word(), "tenant": tenant});
    let password_hash = password::hash(password).await?;
    let new = NewUser { email, name, role, tenant, password_hash };
    let id = store::add_user(&db, &context.clock, &context.actor.grant()?, new).await?;
    let mut answer = json!({"id": id});
    if let (Some(answer), serde_json::Value::Object(said)) = (answer.as_object_mut(), said) {
        answer.extend(said);
    }
    context.out.record(&answer, || {
        let email = answer["email"].as_str().unwrap_or_default();
        format!("created the account of {email}\n  id    {id}\n  role  {role}\n\nnext: sign in with it in a browser")
    })
}

async fn list(
    context: &Context,
    role: Option<Role>,
    state: Option<State>,
    tenant: Option<TenantId>,
) -> anyhow::Result<()> {
    let db = context.db().await?;
    let grant = context.actor.grant()?;
    let wanted = state.map(|state| match state {
        State::Active => StateOfAccount::Active,
        State::Invited => StateOfAccount::Invited,
        State::Deactivated => StateOfAccount::Deactivated,
    });
    let filter = Filter { role, state: wanted, tenant };
    let people = store::list_people(&db, &grant, filter).await?;
    let mut all: Vec<Row> = people
        .into_iter()
        .map(|person| {
            let state = if person.deactivated_at.is_some() { "deactivated" } else { "active" };
            Row::Account { person, state }
        })
        .collect();
    if wanted.is_none_or(|state| state == StateOfAccount::Invited) {
        let now = context.clock.now();
        let fits = |one: &Invitation| {
            one.is_open(now)
                && role.is_none_or(|role| role == one.role)
                && tenant.is_none_or(|tenant| one.tenant_id == Some(tenant))
        };
        let open = store::invitations(&db, &grant).await?.into_iter().filter(fits);
        all.extend(open.map(|invitation| Row::Invitation { invitation, state: "invited" }));
    }
    let cells = |row: &Row| {
        let (id, email, name, role, tenant, state) = match row {
            Row::Account { person, state } => {
                (person.id.to_string(), &person.email, person.name.clone(), person.role, person.tenant_id, state)
            }
            Row::Invitation { invitation: one, state } => {
                (one.id.to_string(), &one.email, one.name.clone().unwrap_or_default(), one.role, one.tenant_id, state)
            }
        };
        let factor = matches!(row, Row::Account { person, .. } if person.second_factor);
        let tenant = tenant.map_or_else(|| "-".to_owned(), |tenant| tenant.to_string());
        let factor = if factor { "on" } else { "off" };
        [id, role.to_string(), (*state).to_owned(), factor.to_owned(), email.clone(), name, tenant]
    };
    let none = "there are no accounts\nnext: tributary user add --help";
    context.out.table(&all, ["ID", "ROLE", "STATE", "2ND FACTOR", "E-MAIL", "NAME", "TENANT"], cells, none)
}

/// The account of an address, and the database it is in.
async fn of(context: &Context, email: &Email) -> anyhow::Result<(Db, Person)> {
    let db = context.db().await?;
    let person = store::person_by_email(&db, &context.actor.grant()?, email).await?;
    Ok((db, person))
}

/// The link that was made, by hand as the command line does.
fn shown(link: &Delivered) -> String {
    match link {
        Delivered::Shown(link) => link.reveal().to_owned(),
        Delivered::Mailed(to) => format!("mailed to {to}"),
    }
}

fn done(context: &Context, person: &Person, what: &str, means: &str) -> anyhow::Result<()> {
    let answer = json!({"id": person.id, "email": person.email, "done": what});
    context.out.record(&answer, || format!("{}: {means}", person.email))
}

/// The first line without its end. White space within belongs to the password.
fn first_line(input: impl BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    input.take(LONGEST_LINE).read_line(&mut line).context("cannot read the password from standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::first_line;

    #[test]
    fn the_password_is_the_first_line_as_it_is() {
        for (input, password) in [("a b \n", "a b "), ("a\r\nb\n", "a"), ("a", "a"), ("", "")] {
            assert_eq!(first_line(input.as_bytes()).expect("text"), password);
        }
        assert!(first_line(&b"\xff\n"[..]).is_err());
    }
}
