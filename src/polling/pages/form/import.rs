//! A new source from a file: the same SOURCE.json that the command line takes. It fills in the form, and is looked at
//! before it is saved.
use axum::{extract::State, response::Response};
use leptos::prelude::*;

use super::{Desk, frame, subject_new, values, view};
use crate::{
    app::App,
    auth::{Configure, Permit, Session},
    error::Result,
    form::{Posted, amiss, sentence, shown},
    ids::TenantId,
    polling::{definition::SourceFile, pages::crumbs},
    ui::{
        self, Button, Card, FieldErrors, FileField, Form as PageForm, FormActions, Frame, LinkButton, PageHeader,
        TextArea, Tone,
    },
};

/// Asks for the file.
pub(in crate::polling::pages) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
) -> Result<Response> {
    let tenant = permit.tenant();
    let frame = frame(&app, &session, tenant, format!("/tenants/{tenant}/sources/import")).await?;
    Ok(shown(page(&frame, tenant, "", &FieldErrors::new())))
}

/// Reads it, and shows the form with what it holds.
pub(in crate::polling::pages) async fn read(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    posted: Posted,
) -> Result<Response> {
    let tenant = permit.tenant();
    let mut errors = FieldErrors::new();
    let typed = posted.typed.text("text");
    let text = match posted.file("file") {
        Some(file) => errors.keep("file", file).map(|text| text.trim_start_matches('\u{feff}').to_owned()),
        None if typed.trim().is_empty() => {
            errors.push("file", "Choose a file, or paste what it holds");
            None
        }
        None => Some(typed.clone()),
    };
    if let Some(text) = text {
        let field = if posted.file("file").is_some() { "file" } else { "text" };
        match SourceFile::parse(&text) {
            Ok(file) => {
                let mut fields = values::of(&file.definition);
                if let Some(secret) = file.secret {
                    fields = values::with(&fields, &[("token", secret)]);
                }
                let mut desk = Desk::new(subject_new(&app, tenant).await?, fields, session.zone);
                desk.secret(&app, &permit, None).await?;
                desk.note = Some("This is what the file holds. Choose what its records become, try it, and save.");
                let frame = frame(&app, &session, tenant, format!("/tenants/{tenant}/sources/new")).await?;
                return Ok(shown(view::page(&frame, &desk)));
            }
            Err(problems) => {
                let words: Vec<_> = problems
                    .iter()
                    .map(|one| match one.pointer.as_str() {
                        "" => sentence(&one.message),
                        pointer => format!("{pointer}: {}", one.message),
                    })
                    .collect();
                errors.push(field, words.join("; "));
            }
        }
    }
    let frame = frame(&app, &session, tenant, format!("/tenants/{tenant}/sources/import")).await?;
    Ok(amiss(page(&frame, tenant, &typed, &errors)))
}

fn page(frame: &Frame, tenant: TenantId, typed: &str, errors: &FieldErrors) -> String {
    let body = view! {
        <PageHeader title="New source from a file" lead="The SOURCE.json that tributary source export writes. It fills in the form; nothing is saved yet."/>
        <Card>
            <PageForm action=format!("/tenants/{tenant}/sources/import") errors=errors multipart=true>
                <FileField name="file" label="File" accept=".json,application/json" errors=errors/>
                <TextArea name="text" label="Or paste it" value=typed rows=10 mono=true optional=true hint="A token in it is sealed, and shown on no page." errors=errors/>
                <FormActions>
                    <Button tone=Tone::Primary>"Read it"</Button>
                    <LinkButton href=format!("/tenants/{tenant}/sources") tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(frame, "New source from a file", crumbs(frame, None), body.into_any())
}
