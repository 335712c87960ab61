//! `tributary quotation`: what the work costs, and whether a file is what was accepted.
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Context, Refused, input, integration::scope, link::link};
use crate::{
    db::Db,
    guests::Wish,
    ids::{IntegrationId, QuotationId, TenantId},
    intake::{
        hours,
        quotation::{
            Document, Limit, Quotation as One, State,
            content::digest,
            store::{self, Offering},
        },
        store::Scope,
    },
    name::Name,
};

/// List, show and send quotations, and verify files of them
#[derive(Debug, Subcommand)]
pub(super) enum Quotation {
    /// List quotations, of one tenant or of all, the newest first
    #[command(after_help = "\
Examples:
  tributary quotation list
  tributary quotation list --tenant ID --state sent
  tributary --json quotation list --integration INTEGRATION_ID | jq -r .id")]
    List {
        /// Whose [default: everybody's]
        #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
        tenant: Option<TenantId>,
        /// Only those of this integration
        #[arg(long, value_name = "ID", value_parser = input::id::<IntegrationId>)]
        integration: Option<IntegrationId>,
        /// Only those in this state
        #[arg(long)]
        state: Option<State>,
    },
    /// Show one version: what it says, what it comes to, where it stands
    #[command(after_help = "\
Examples:
  tributary quotation show QUOTATION_ID
  tributary --json quotation show --tenant ID QUOTATION_ID | jq .totals")]
    Show {
        /// Whose [default: of whichever tenant it is]
        #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
        tenant: Option<TenantId>,
        /// The id of the version: see `tributary quotation list`
        #[arg(value_name = "QUOTATION_ID", value_parser = input::id::<QuotationId>)]
        id: QuotationId,
    },
    Send(Send),
    /// Say whether a PDF or an export is, byte for byte, what was sent and accepted; exits with 1 when it is not
    #[command(after_help = "\
Examples:
  tributary quotation verify quotation.pdf
  tributary --json quotation verify quotation.json | jq .state")]
    Verify {
        /// The file, as it was downloaded
        file: PathBuf,
    },
}

/// Send a version, which freezes it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary quotation send --tenant ID QUOTATION_ID
  tributary quotation send --tenant ID --url https://hub.example.com --for Jane QUOTATION_ID")]
pub(super) struct Send {
    /// Whose
    #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
    tenant: TenantId,
    /// Also make a link for somebody without an account; it is shown this once
    #[arg(long = "for", value_name = "NAME", requires = "url")]
    for_whom: Option<Name>,
    /// The address of Tributary that the link leads to
    #[arg(long)]
    url: Option<url::Url>,
    #[command(flatten)]
    limit: Limit,
    /// The id of the version: see `tributary quotation list`
    #[arg(value_name = "QUOTATION_ID", value_parser = input::id::<QuotationId>)]
    id: QuotationId,
}

impl Quotation {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::List { tenant, integration, state } => list(context, tenant, integration, state).await,
            Self::Show { tenant, id } => show(context, tenant, id).await,
            Self::Send(send) => send.run(context).await,
            Self::Verify { file } => verify(context, &file).await,
        }
    }
}

async fn list(
    context: &Context,
    tenant: Option<TenantId>,
    integration: Option<IntegrationId>,
    state: Option<State>,
) -> anyhow::Result<()> {
    let db = context.db().await?;
    let now = context.clock.now();
    let all = store::all(&db, &scope(context, tenant).await?).await?;
    let kept = |of: &One| {
        integration.is_none_or(|id| of.integration_id == id) && state.is_none_or(|state| of.standing(now) == state)
    };
    let rows: Vec<One> = all.into_iter().filter(kept).collect();
    let cells = |of: &One| {
        let gross = of.content.currency.told(of.content.totals().gross);
        [of.id.to_string(), of.number.to_string(), of.standing(now).to_string(), gross, of.content.title.clone()]
    };
    let none = "there are no quotations\nnext: tributary integration list --stage quotation";
    context.out.table(&rows, ["ID", "VERSION", "STATE", "WITH VAT", "TITLE"], cells, none)
}

/// All of one, for programs.
fn whole(of: &One, now: chrono::DateTime<chrono::Utc>) -> serde_json::Value {
    let mut all = json!(of);
    all["standing"] = json!(of.standing(now));
    all["totals"] = json!(of.content.totals());
    all
}

async fn show(context: &Context, tenant: Option<TenantId>, id: QuotationId) -> anyhow::Result<()> {
    let db = context.db().await?;
    let of = store::find(&db, &scope(context, tenant).await?, id).await?;
    let now = context.clock.now();
    context.out.record(&whole(&of, now), || {
        let (content, totals) = (&of.content, of.content.totals());
        let currency = content.currency;
        let mut lines = vec![
            format!("{}, version {}", content.title, of.number),
            format!("  id           {}", of.id),
            format!("  tenant       {}", of.tenant_id),
            format!("  integration  {}", of.integration_id),
            format!("  state        {}", of.standing(now)),
            format!("  valid until  {} (UTC)", content.valid_until),
        ];
        lines.extend(of.document_digest.as_ref().map(|mark| format!("  sha-256      {mark}")));
        if let (Some(who), Some(at)) = (&of.decided_by, of.decided_at) {
            lines.push(format!("  answered by  {who}, {}", at.format("%Y-%m-%d %H:%M UTC")));
        }
        lines.push(String::new());
        for line in &content.lines {
            let (time, net) = (hours(line.minutes), currency.figure(line.net()));
            lines.push(format!("  {:>14}  {} ({time}, {}, VAT {})", net, line.package, line.pricing, line.vat));
        }
        lines.push(format!("  {:>14}  without VAT, {}", currency.figure(totals.net), currency.code()));
        lines.push(format!("  {:>14}  with VAT", currency.figure(totals.gross)));
        lines.join("\n")
    })
}

impl Send {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let db = context.db().await?;
        let permit = context.actor.permit(self.tenant)?;
        let of = store::get(&db, &permit, self.id).await?;
        let sent = store::send(&db, &context.clock, &permit, self.limit, self.id, of.revision).await?;
        let link = match (self.for_whom, self.url) {
            (Some(for_whom), Some(url)) => {
                let wish = Wish { subject: self.id.0, for_whom, send_to: None, days: None };
                Some(link::<Offering>(context, &db, &permit, &url, wish).await?.0)
            }
            _ => None,
        };
        let mut answer = whole(&sent, context.clock.now());
        answer["link"] = json!(link);
        context.out.record(&answer, || {
            let mark = sent.document_digest.as_deref().unwrap_or_default();
            let link = link.map_or_else(String::new, |link| format!("\n  link     {link}"));
            format!("sent {}\n  sha-256  {mark}{link}", sent.told())
        })
    }
}

async fn verify(context: &Context, file: &std::path::Path) -> anyhow::Result<()> {
    let bytes = tokio::fs::read(file).await.with_context(|| format!("cannot read {}", file.display()))?;
    let db = context.db().await?;
    let everybody = scope(context, None).await?;
    let mark = digest(&bytes);
    let Some(of) = store::with_digest(&db, &everybody, &mark).await? else {
        let claims = claimed(&db, &everybody, &bytes).await?;
        match claims {
            Some(of) => bail!(Refused(format!(
                "this file says that it is {}, {}, but it is not byte for byte what was sent",
                of.told(),
                of.id
            ))),
            None => bail!(Refused("this file is no quotation that was sent from here".into())),
        }
    };
    let standing = of.standing(context.clock.now());
    if standing != State::Accepted {
        bail!(Refused(format!(
            "this file is, byte for byte, {}, {}, which is {} and not accepted",
            of.told(),
            of.id,
            standing.title().to_lowercase()
        )));
    }
    context.out.record(&whole(&of, context.clock.now()), || {
        let who = of.decided_by.as_deref().unwrap_or_default();
        let role = of.decided_role.as_ref().map(|role| format!(", {role}")).unwrap_or_default();
        let at = of.decided_at.map(|at| at.format("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default();
        format!("this file is, byte for byte, {}, {}\n  accepted by  {who}{role}, {at}", of.told(), of.id)
    })
}

/// What a file says that it is: a document by its id, a PDF by the digest among its keywords.
async fn claimed(db: &Db, scope: &Scope, bytes: &[u8]) -> anyhow::Result<Option<One>> {
    if let Ok(document) = Document::parse(&String::from_utf8_lossy(bytes)) {
        return Ok(store::find(db, scope, document.id).await.ok());
    }
    let is_hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    match bytes.split(|byte| !is_hex(byte)).find(|run| run.len() == 64) {
        Some(mark) => Ok(store::with_digest(db, scope, &String::from_utf8_lossy(mark)).await?),
        None => Ok(None),
    }
}
