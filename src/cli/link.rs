//! `tributary integration link|links|unlink`: who follows an integration in the portal without an account.
use clap::Args;
use serde_json::json;
use url::Url;
use uuid::Uuid;

use super::{Context, Usage, implementation::Which};
use crate::{
    auth::{
        Permit, RunIntakes,
        courier::{Courier, Delivered},
    },
    db::Db,
    guests::{Place, Wish, pages::parse_days, store},
    intake::store as integrations,
    name::Name,
    portal::links::Following,
};

/// Make a link by which somebody without an account follows it in the portal; it is shown this once
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary integration link --tenant ID --url https://hub.example.com --for Jane INTEGRATION_ID
  tributary --json integration link --tenant ID --url https://hub.example.com --for Jane --days 7 INTEGRATION_ID | jq -r .link")]
pub(super) struct Link {
    #[command(flatten)]
    of: Which,
    /// Whom it is for: what they do carries it
    #[arg(long = "for", value_name = "NAME")]
    for_whom: Name,
    /// The address of Tributary that the link leads to
    #[arg(long)]
    url: Url,
    /// For how many days it is good, 90 at most
    #[arg(long, default_value = "30")]
    days: String,
}

/// Take a link back: whoever came in by it is out at once
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary integration unlink --tenant ID INTEGRATION_ID LINK_ID")]
pub(super) struct Unlink {
    #[command(flatten)]
    of: Which,
    /// The id of the link: see `tributary integration links`
    #[arg(value_name = "LINK_ID", value_parser = crate::ids::guid)]
    link: Uuid,
}

/// Makes a link, to be shown: where it leads, and until when it can be opened.
pub(super) async fn link<P: Place>(
    context: &Context,
    db: &Db,
    permit: &Permit<RunIntakes>,
    url: &Url,
    wish: Wish,
) -> anyhow::Result<(String, chrono::DateTime<chrono::Utc>)> {
    let courier = Courier::by_hand(url.as_str());
    match store::make::<P>(db, &context.clock, permit, &courier, wish).await? {
        (Delivered::Shown(link), until) => Ok((link.reveal().to_owned(), until)),
        (Delivered::Mailed(_), _) => Err(anyhow::anyhow!("a link that was to be shown was mailed")),
    }
}

impl Link {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let days = parse_days(&self.days).map_err(|why| Usage(format!("--days: {why}")))?;
        let permit = context.actor.permit(self.of.tenant)?;
        let wish = Wish { subject: self.of.id.0, for_whom: self.for_whom.clone(), send_to: None, days: Some(days) };
        let db = context.db().await?;
        let (link, until) = link::<Following>(context, &db, &permit, &self.url, wish).await?;
        let answer = json!({"link": link, "forWhom": self.for_whom, "expiresAt": until});
        context.out.record(&answer, || {
            let until = until.format("%Y-%m-%d %H:%M UTC");
            format!("{link}\n\nfor {}, until {until}; it will not be shown again", self.for_whom)
        })
    }
}

/// Lists them.
pub(super) async fn links(context: &Context, of: &Which) -> anyhow::Result<()> {
    let db = context.db().await?;
    let permit = context.actor.permit::<RunIntakes>(of.tenant)?;
    integrations::get(&db, &permit, of.id).await?;
    let now = context.clock.now();
    let found = store::links::<Following>(&db, &permit, of.id.0).await?;
    let rows: Vec<_> = found
        .iter()
        .map(|one| {
            let mut row = json!(one);
            row["standing"] = json!(one.standing(now));
            row
        })
        .collect();
    let cells = |row: &serde_json::Value| {
        let text = |name: &str| row[name].as_str().unwrap_or("-").to_owned();
        let until = row["sessionExpiresAt"].as_str().or(row["expiresAt"].as_str()).unwrap_or_default();
        [text("id"), text("standing"), until.chars().take(10).collect(), text("forWhom")]
    };
    let none =
        "nobody was given a link\nnext: tributary integration link --tenant ID --url URL --for NAME INTEGRATION_ID";
    context.out.table(&rows, ["ID", "STANDING", "UNTIL", "FOR"], cells, none)
}

impl Unlink {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let db = context.db().await?;
        let permit = context.actor.permit(self.of.tenant)?;
        store::revoke::<Following>(&db, &context.clock, &permit, self.of.id.0, self.link).await?;
        context
            .out
            .record(&json!({"id": self.link, "revoked": true}), || "taken back: whoever came in by it is out".into())
    }
}
