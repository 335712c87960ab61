//! How long events are kept: a form among the settings, and a page that asks before anything goes earlier.
use axum::{
    Form,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::settings;
use crate::{
    app::App,
    auth::{Configure, Permit, See, Session},
    error::{Error, Result},
    events::retention::{COUNTED, Removed, would_go},
    form::{Typed, amiss, shown},
    tenants::{self, Retention, Tenant, retention},
    ui::{self, Button, Card, Confirm, Crumb, Field, FieldErrors, Form as PageForm, FormActions, Frame, Section, Tone},
};

/// What the form holds.
pub(super) fn typed(retention: Retention) -> Typed {
    let fields =
        [("accepted", retention.accepted), ("quarantined", retention.quarantined), ("unique", retention.unique)];
    fields.into_iter().map(|(name, days)| (name.to_owned(), days.to_string())).collect()
}

/// The form.
pub(super) fn card(frame: &Frame, tenant: &Tenant, typed: &Typed, errors: &FieldErrors, removed: &Removed) -> AnyView {
    let field = |name: &'static str, label: &'static str, hint: &'static str| {
        view! { <Field name=name label=label kind="number" hint=hint value=typed.text(name) autocomplete="off" errors=errors/> }
    };
    let so_far = removed.since.map(|since| {
        let count = |of: i64| ui::format::counted(of.unsigned_abs(), "event");
        let words = format!(
            "Since {}, {} and {} in quarantine have been removed because their time was over.",
            frame.moment().in_full(since),
            count(removed.accepted),
            count(removed.quarantined)
        );
        view! { <p>{ui::muted(words)}</p> }
    });
    view! {
        <Card title="How long events are kept" lead="In days, counted from when they were received. The audit trail is kept for good.">
            <PageForm action=format!("/tenants/{}/retention", tenant.id) errors=errors>
                {field("accepted", "Accepted events", "1 to 3,650 days.")}
                {field("quarantined", "Events in quarantine", "Time enough to mend and replay them.")}
                {field("unique", "Unique values", "Only their hashes, so that an event sent again later is still recognised.")}
                <FormActions>
                    <Button tone=Tone::Primary>"Save times"</Button>
                </FormActions>
            </PageForm>
            {so_far}
        </Card>
    }
    .into_any()
}

fn read(typed: &Typed) -> Result<Retention, FieldErrors> {
    let mut errors = FieldErrors::new();
    let mut days = |field: &'static str| {
        let text = typed.text(field).replace(',', "");
        errors.keep(field, text.trim().parse::<i64>().map_err(|_| "a number of days, such as 90"))
    };
    let (accepted, quarantined, unique) = (days("accepted"), days("quarantined"), days("unique"));
    let (Some(accepted), Some(quarantined), Some(unique)) = (accepted, quarantined, unique) else { return Err(errors) };
    Retention { accepted, quarantined, unique }.check().map_err(|error| {
        if let Error::Invalid(fields) = error {
            for (field, why) in fields {
                errors.push(field, why);
            }
        }
        errors
    })
}

/// Asks before events go earlier than they would have, and says how many.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Query(asked): Query<Typed>,
) -> Result<Response> {
    let Ok(to) = read(&asked) else { return Ok(back(&permit, "")) };
    let page = Asking::load(&app, &session, &permit, to).await?;
    Ok(shown(page.draw(&FieldErrors::new())))
}

/// Saves the times; what would go because of it is asked about first.
pub(super) async fn save(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Query(asked): Query<Typed>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let confirmed = asked.ticked("confirmed");
    let given = if confirmed { &asked } else { &typed };
    let to = match read(given) {
        Ok(to) => to,
        Err(errors) => return settings::retention_amiss(&app, &session, &permit, given, &errors).await,
    };
    let page = Asking::load(&app, &session, &permit, to).await?;
    if page.is_serious() {
        if !confirmed {
            return Ok(Redirect::to(&format!("/tenants/{}/retention?{}", permit.tenant(), query(to))).into_response());
        }
        let name = page.tenant.name.as_str();
        if page.goes() && typed.text("typed_name").trim() != name {
            let mut errors = FieldErrors::new();
            errors.push("typed_name", format!("Type the name of the tenant: {name}"));
            return Ok(amiss(page.draw(&errors)));
        }
    }
    retention::set(&app.db, &app.clock, &permit, to).await?;
    Ok(back(&permit, "?done=kept"))
}

fn back(permit: &Permit<Configure>, done: &str) -> Response {
    Redirect::to(&format!("/tenants/{}/settings{done}", permit.tenant())).into_response()
}

fn query(to: Retention) -> String {
    format!("accepted={}&quarantined={}&unique={}", to.accepted, to.quarantined, to.unique)
}

/// What is asked about.
struct Asking {
    frame: Frame,
    tenant: Tenant,
    from: Retention,
    to: Retention,
    /// Accepted events and those in quarantine that would go.
    going: (i64, i64),
}

impl Asking {
    async fn load(app: &App, session: &Session, permit: &Permit<Configure>, to: Retention) -> Result<Self> {
        let id = permit.tenant();
        let path = format!("/tenants/{id}/retention?{}", query(to));
        Ok(Self {
            frame: tenants::frame(app, session, Some(id), Section::Settings, path).await?,
            tenant: tenants::get(&app.db, &session.permit::<See>(id)?).await?,
            from: retention::get(&app.db, permit).await?,
            to,
            going: would_go(&app.db, permit, to, app.clock.now()).await?,
        })
    }

    fn goes(&self) -> bool {
        let (accepted, quarantined) = self.going;
        self.to.accepted < self.from.accepted && accepted > 0
            || self.to.quarantined < self.from.quarantined && quarantined > 0
    }

    fn is_serious(&self) -> bool {
        self.goes() || self.to.unique < self.from.unique
    }

    fn draw(&self, errors: &FieldErrors) -> String {
        let Self { frame, tenant, from, to, going } = self;
        let days = |days: i64| ui::format::counted(days.unsigned_abs(), "day");
        let count = |count: i64| {
            let more = if count >= COUNTED { "more than " } else { "" };
            format!("{more}{}", ui::format::count(count.unsigned_abs()))
        };
        let are = |count: i64, than: i64| match count {
            1 => format!("is older than {}, and goes", days(than)),
            _ => format!("are older than {}, and go", days(than)),
        };
        let mut impact = Vec::new();
        if to.accepted < from.accepted && going.0 > 0 {
            impact.push((count(going.0), format!("of the accepted events {}", are(going.0, to.accepted))));
        }
        if to.quarantined < from.quarantined && going.1 > 0 {
            impact.push((count(going.1), format!("of those in quarantine {}", are(going.1, to.quarantined))));
        }
        if to.unique < from.unique {
            let what = format!("after which an event that is sent again counts as new; it was {}", days(from.unique));
            impact.push((days(to.unique), what));
        }
        let base = format!("/tenants/{}", tenant.id);
        let name = self.goes().then(|| tenant.name.to_string());
        let consequence = if self.goes() {
            "They are removed within minutes, and nobody can bring them back. Export them first if they may still be wanted."
        } else {
            "Their hashes are removed within a day."
        };
        let body = view! {
            <Confirm
                title=format!("Keep less of {}", tenant.name)
                consequence=consequence
                impact=impact
                nostrip:type_name=name
                verb="Shorten times"
                action=format!("{base}/retention?confirmed=yes&{}", query(*to))
                cancel=format!("{base}/settings")
                errors=errors
            />
        };
        let crumbs =
            vec![Crumb::new(tenant.name.as_str(), base.as_str()), Crumb::new("Settings", format!("{base}/settings"))];
        ui::page(frame, "Keep less", crumbs, body.into_any())
    }
}
