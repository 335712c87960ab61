//! `tributary user`: accounts of people.
use std::io::BufRead;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::json;

use super::{Context, Refused};
use crate::{
    auth::{
        Role,
        email::Email,
        password::{self, Password},
        store::{self, NewUser},
    },
    ids::TenantId,
    name::Name,
};

/// More than the longest password, in bytes.
const LONGEST_LINE: u64 = 4096;

/// Create and list accounts: the people who sign in
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
    /// List all accounts
    #[command(after_help = "\
Examples:
  tributary user list
  tributary user list --json | jq -r 'select(.role == \"customer\") | .email'")]
    List,
}

impl User {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::Add { email, role, name, tenant, password_stdin: _ } => {
                let password = Password::given(first_line(std::io::stdin().lock())?);
                if let Some(fault) = password.fault(Some(&email)) {
                    return Err(Refused(format!("this password will not do: {fault}")).into());
                }
                let db = context.db().await?;
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
            Self::List => {
                let db = context.db().await?;
                let all = store::list_users(&db, &context.actor.grant()?).await?;
                let cells = |user: &store::User| {
                    let tenant = user.tenant_id.map_or_else(|| "-".to_owned(), |tenant| tenant.to_string());
                    [user.id.to_string(), user.role.to_string(), user.email.clone(), user.name.clone(), tenant]
                };
                let none = "there are no accounts\nnext: tributary user add --help";
                context.out.table(&all, ["ID", "ROLE", "E-MAIL", "NAME", "TENANT"], cells, none)
            }
        }
    }
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
