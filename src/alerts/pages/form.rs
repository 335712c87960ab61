//! A new channel, and changing one.
use axum::{
    Form,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{Named, address, crumbs, frame, home, secret};
use crate::{
    alerts::{Keeper, Way, parse_address, store},
    app::App,
    auth::Session,
    error::Result,
    form::{Typed, amiss, shown},
    name::Name,
    ui::{
        self, Button, Card, Field, FieldErrors, Form as PageForm, FormActions, Frame, Hidden, LinkButton, PageHeader,
        Tone,
    },
};

/// How the new channel is to be told.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    kind: Option<String>,
}

fn way(word: &str) -> Way {
    word.parse().unwrap_or(Way::Mail)
}

/// Asks for a new channel.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    keeper: Keeper,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let way = way(asked.kind.as_deref().unwrap_or_default());
    let path = format!("{}/channels/new?kind={way}", home(keeper.scope()));
    let frame = frame(&app, &session, keeper.scope(), path).await?;
    Ok(shown(new(&frame, &keeper, way, &Typed::default(), &FieldErrors::new())))
}

fn read(way: Way, typed: &Typed, errors: &mut FieldErrors) -> Option<(Name, String)> {
    let name = errors.keep("name", typed.text("name").parse::<Name>());
    let address = errors.keep("address", parse_address(way, &typed.text("address")));
    Some((name?, address?))
}

/// Adds it. The secret of a web channel is on the page that answers, and nowhere else ever after.
pub(super) async fn add(
    State(app): State<App>,
    session: Session,
    keeper: Keeper,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let way = way(&typed.text("kind"));
    let path = format!("{}/channels/new?kind={way}", home(keeper.scope()));
    let frame = frame(&app, &session, keeper.scope(), path).await?;
    let mut errors = FieldErrors::new();
    if let Some((name, address)) = read(way, &typed, &mut errors) {
        match store::add(&app.db, &app.clock, &app.keys, &keeper, way, name, address).await {
            Ok((channel, Some(secret))) => return Ok(shown(secret::once(&frame, &channel, &secret, "is added"))),
            Ok((channel, None)) => {
                return Ok(Redirect::to(&format!("{}?done=added", super::address(&channel))).into_response());
            }
            Err(error) => errors.note("", error)?,
        }
    }
    Ok(amiss(new(&frame, &keeper, way, &typed, &errors)))
}

fn fields(way: Way, typed: &Typed, errors: &FieldErrors) -> AnyView {
    let where_to = match way {
        Way::Mail => view! {
            <Field name="address" label="E-mail address" kind="email" value=typed.text("address") autocomplete="off" errors=errors/>
        }
        .into_any(),
        Way::Web => view! {
            <Field
                name="address"
                label="Address"
                kind="url"
                value=typed.text("address")
                autocomplete="off"
                mono=true
                hint="It gets a POST with JSON, signed. Redirects are not followed, and addresses inside this network are refused unless the server allows them."
                errors=errors
            />
        }
        .into_any(),
    };
    let example = match way {
        Way::Mail => "Who reads it: integrations team, on duty",
        Way::Web => "What is called: incident desk, chat",
    };
    view! {
        <Field name="name" label="Name" value=typed.text("name") autocomplete="off" focus=true hint=example errors=errors/>
        {where_to}
    }
    .into_any()
}

fn new(frame: &Frame, keeper: &Keeper, way: Way, typed: &Typed, errors: &FieldErrors) -> String {
    let here = home(keeper.scope());
    let (title, lead, verb) = match way {
        Way::Mail => (
            "Tell an e-mail address",
            "It gets a letter when something is amiss, and another when it is over.",
            "Add e-mail address",
        ),
        Way::Web => (
            "Send a web request",
            "An address of yours is called when something is amiss, and again when it is over.",
            "Add web request",
        ),
    };
    let body = view! {
        <PageHeader title=title lead=lead/>
        <Card>
            <PageForm action=format!("{here}/channels/new") errors=errors>
                <Hidden name="kind" value=way.word()/>
                {fields(way, typed, errors)}
                <FormActions>
                    <Button tone=Tone::Primary>{verb}</Button>
                    <LinkButton href=here.clone() tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(frame, title, crumbs(frame, keeper.scope(), None), body.into_any())
}

/// Asks what to change.
pub(super) async fn ask_edit(
    State(app): State<App>,
    session: Session,
    keeper: Keeper,
    Named(id): Named,
) -> Result<Response> {
    let channel = store::channel(&app.db, keeper.scope(), id).await?;
    let frame = frame(&app, &session, keeper.scope(), format!("{}/edit", address(&channel))).await?;
    let typed = [("name".to_owned(), channel.name.to_string()), ("address".to_owned(), channel.address.clone())];
    Ok(shown(change(&frame, &keeper, &channel, &typed.into_iter().collect(), &FieldErrors::new())))
}

/// Changes it.
pub(super) async fn edit(
    State(app): State<App>,
    session: Session,
    keeper: Keeper,
    Named(id): Named,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let channel = store::channel(&app.db, keeper.scope(), id).await?;
    let mut errors = FieldErrors::new();
    if let Some((name, to)) = read(channel.kind, &typed, &mut errors) {
        store::edit(&app.db, &app.clock, &keeper, id, name, to).await?;
        return Ok(Redirect::to(&format!("{}?done=saved", address(&channel))).into_response());
    }
    let frame = frame(&app, &session, keeper.scope(), format!("{}/edit", address(&channel))).await?;
    Ok(amiss(change(&frame, &keeper, &channel, &typed, &errors)))
}

fn change(
    frame: &Frame,
    keeper: &Keeper,
    channel: &crate::alerts::Channel,
    typed: &Typed,
    errors: &FieldErrors,
) -> String {
    let here = address(channel);
    let body = view! {
        <PageHeader title=format!("Edit {}", channel.name)/>
        <Card>
            <PageForm action=format!("{here}/edit") errors=errors>
                {fields(channel.kind, typed, errors)}
                <FormActions>
                    <Button tone=Tone::Primary>"Save"</Button>
                    <LinkButton href=here.clone() tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(frame, "Edit channel", crumbs(frame, keeper.scope(), Some(channel)), body.into_any())
}
