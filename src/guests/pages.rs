//! What those who make links see of them: the form, the link that is shown this once, and the list.
use leptos::prelude::*;

use uuid::Uuid;

use super::{Link, Place, Standing, Wish, store};
use crate::{
    app::App,
    auth::{
        Permit, RunIntakes,
        courier::{Courier, Delivered},
        email::Email,
    },
    error::Result,
    form::Typed,
    mail,
    name::Name,
    ui::{
        self, Alert, Badge, Button, Card, Column, CopyField, DataTable, Field, FieldErrors, Form as PageForm,
        FormActions, LinkButton, Now, PageHeader, PostButton, Row, State as Mood, Tone,
    },
};

/// The days that a link is good for, where that can be chosen: fewest, what stands in the form, most.
pub const DAYS: (i64, i64, i64) = (1, 30, 90);

/// The form by which a link is made; it is posted to `action`. Where a link's days are all there is, it asks for them.
pub fn form<P: Place>(app: &App, action: String, back: Option<String>, typed: &Typed, errors: &FieldErrors) -> AnyView {
    let (fewest, usual, most) = DAYS;
    let days = P::STAYS.is_none().then(|| {
        let said = typed.text("days");
        let value = if said.is_empty() { usual.to_string() } else { said };
        let hint = format!("{fewest} to {most}. Then nobody gets in by it any more, opened or not.");
        view! { <Field name="days" label="Days" value=value autocomplete="off" hint=hint errors=errors/> }
    });
    let send_to = app.mail.is_configured().then(|| {
        view! { <Field name="send_to" kind="email" label="Send it to" value=typed.text("send_to") autocomplete="off" optional=true hint="Then the link is mailed and not shown. Left empty, you see it and send it yourself." errors=errors/> }
    });
    let cancel = back.map(|back| view! { <LinkButton href=back tone=Tone::Quiet>"Cancel"</LinkButton> });
    view! {
        <PageForm action=action errors=errors>
            <Field
                name="for_whom"
                label="For whom"
                value=typed.text("for_whom")
                autocomplete="off"
                focus=true
                hint="A name or an address: what they do carries it. Give everybody their own."
                errors=errors
            />
            {days}
            {send_to}
            <FormActions>
                <Button tone=Tone::Primary>"Make the link"</Button>
                {cancel}
            </FormActions>
        </PageForm>
    }
    .into_any()
}

/// Makes the link that the form asks for: what is shown of it, with the way `back`, or none, and what is amiss with the
/// form.
///
/// # Errors
/// Whatever no change of the form would mend.
pub async fn make<P: Place>(
    app: &App,
    permit: &Permit<RunIntakes>,
    subject: Uuid,
    (now, back): (Now, String),
    typed: &Typed,
    errors: &mut FieldErrors,
) -> Result<Option<AnyView>> {
    let for_whom = errors.keep("for_whom", typed.text("for_whom").parse::<Name>());
    let to = typed.text("send_to");
    let send_to = if to.trim().is_empty() { Some(None) } else { errors.keep("send_to", Email::parse(&to)).map(Some) };
    let days = match P::STAYS {
        None => errors.keep("days", parse_days(&typed.text("days"))).map(Some),
        Some(_) => Some(None),
    };
    let (Some(for_whom), Some(send_to), Some(days)) = (for_whom, send_to, days) else { return Ok(None) };
    let title = format!("The link for {for_whom}");
    let wish = Wish { subject, for_whom, send_to, days };
    match store::make::<P>(&app.db, &app.clock, permit, &Courier::of(app), wish).await {
        Ok((link, until)) => {
            app.mail.wake();
            Ok(Some(view! { <PageHeader title=title/> {made::<P>(&link, &now.in_full(until), back)} }.into_any()))
        }
        Err(error) => errors.note("", error).map(|()| None),
    }
}

/// For how many days.
///
/// # Errors
/// When it is no number of days that a link can have.
pub fn parse_days(text: &str) -> std::result::Result<i64, String> {
    let (fewest, _, most) = DAYS;
    let days = text.trim().parse().ok().filter(|days| (fewest..=most).contains(days));
    days.ok_or_else(|| format!("give a whole number of days from {fewest} to {most}"))
}

/// What is said of a link that was made: where it was sent to, or the link itself, this once.
fn made<P: Place>(delivered: &Delivered, until: &str, back: String) -> AnyView {
    let stays = P::STAYS.map_or_else(|| "until then".to_owned(), |stays| format!("for {} days", stays.num_days()));
    let stays = format!("Who has opened it can come back {stays}, in the same browser.");
    let terms = format!("It can be opened once, until {until}. {stays} You can take it back at any time.");
    match delivered {
        Delivered::Mailed(to) => view! {
            <Alert state=Mood::Ok title=format!("On its way to {to}") announce=true><p>{terms}</p></Alert>
            <Row><LinkButton href=back tone=Tone::Primary>"Back"</LinkButton></Row>
        }
        .into_any(),
        Delivered::Shown(url) => view! {
            <Alert state=Mood::Warning title="Copy it now: it will not be shown again" announce=true><p>{terms}</p></Alert>
            <Card>
                <CopyField id="link" label="Link" value=url.reveal() hint="Send it by whatever way you write to them."/>
                <Row><LinkButton href=back tone=Tone::Primary>"I have copied it"</LinkButton></Row>
            </Card>
        }
        .into_any(),
    }
}

/// The links that were made, each with how it stands. `revoke` is below what the forms that take one back are posted to;
/// none: whoever looks may not.
pub fn table(caption: &'static str, links: &[Link], revoke: Option<&str>, now: Now) -> Option<AnyView> {
    if links.is_empty() {
        return None;
    }
    let columns =
        vec![Column::text("For"), Column::text("State"), Column::text("Made").wide_only(), Column::actions("Act")];
    let rows = links.iter().map(|link| {
        let standing = link.standing(now.at);
        let mood = match standing {
            Standing::Opened => Mood::Ok,
            Standing::Waiting if link.letter.as_ref().is_some_and(|letter| letter.state == mail::Standing::Failed) => {
                Mood::Error
            }
            Standing::Waiting => Mood::Warning,
            Standing::RunOut | Standing::TakenBack => Mood::Neutral,
        };
        let act = revoke.filter(|_| link.is_good(now.at)).map(|below| {
            let action = format!("{below}/{}/revoke", link.id);
            let of = format!(" the link for {}", link.for_whom);
            view! { <PostButton action=action tone=Tone::Quiet>"Take back"{ui::unseen(of)}</PostButton> }
        });
        let since = match standing {
            Standing::TakenBack => link.revoked_at,
            Standing::Opened => link.used_at,
            Standing::RunOut => Some(link.until()),
            Standing::Waiting => None,
        };
        let since = since.map(|at| ui::ago(now, at));
        let left = link.is_good(now.at).then(|| {
            let word = if since.is_some() { ", runs out " } else { "runs out " };
            view! { {word}{ui::ago(now, link.until())} }
        });
        vec![
            ui::two_lines(ui::strong(link.for_whom.as_str()), letter(link, revoke.is_some() && link.is_good(now.at))),
            ui::two_lines(
                view! { <Badge state=mood word=standing.title()/> }.into_any(),
                view! { {since}{left} }.into_any(),
            ),
            ui::two_lines(ui::text(link.made_by.as_str()), ui::ago(now, link.made_at)),
            act.into_any(),
        ]
    });
    Some(view! { <DataTable caption=caption columns=columns rows=rows.collect()/> }.into_any())
}

/// What became of the letter that a link was sent with, and what to do, for whoever can.
fn letter(link: &Link, can_take_back: bool) -> AnyView {
    let Some(letter) = &link.letter else { return ().into_any() };
    let to = letter.recipient.as_str();
    let fault = letter.fault.as_deref().unwrap_or("it cannot be reached");
    match letter.state {
        mail::Standing::Sent => ui::text(format!("mailed to {to}")),
        mail::Standing::Waiting if letter.fault.is_none() => ui::text(format!("mail to {to} is on its way")),
        mail::Standing::Waiting => ui::text(format!("mail to {to} could not be sent yet: {fault}")),
        mail::Standing::Failed if can_take_back => {
            ui::text(format!("mail to {to} was given up: {fault}. Take the link back, and make another."))
        }
        mail::Standing::Failed => ui::text(format!("mail to {to} was given up: {fault}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_bounded() {
        for (text, good) in [("1", true), (" 90 ", true), ("0", false), ("91", false), ("", false), ("-3", false)] {
            assert_eq!(parse_days(text).is_ok(), good, "{text}");
        }
    }
}
