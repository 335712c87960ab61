//! What a customer is asked for: one task with what was answered, the form that answers it, and the files that came.
use axum::{
    extract::{Path, Query, State},
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, as_customer, frame, state};
use crate::{
    app::App,
    auth::{AnswerTasks, Permit, SeePortal, Session},
    error::{Error, Result},
    form::{Done, Posted, Typed, amiss, shown},
    intake::{Stage, implementation},
    portal::{
        answers::{self, Answer, Given},
        store,
    },
    ui::{
        self, Button, Card, Checkbox, Column, Crumb, DataTable, FieldErrors, FileField, Form as PageForm, FormActions,
        Frame, LinkButton, Notice, PageHeader, TextArea, Tone,
    },
};

/// One task, with what was answered, and the form that answers.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<SeePortal>,
    Path(named): Path<Named>,
    Query(done): Query<Done>,
) -> Result<Response> {
    let asked = Asked { typed: &Typed::default(), errors: &FieldErrors::new(), done: done.done.as_deref() };
    task_page(&app, &session, &permit, &named, asked).await.map(shown)
}

/// Answers a task.
pub(super) async fn answer(
    State(app): State<App>,
    session: Session,
    permit: Permit<AnswerTasks>,
    Path(named): Path<Named>,
    posted: Posted,
) -> Result<Response> {
    let (id, task, typed) = (named.id()?, named.task()?, &posted.typed);
    let file = posted.upload("file").map(|(name, bytes)| (safe(name), bytes.to_vec()));
    let given = Given { words: typed.text("words"), file, done: typed.ticked("done") };
    let done = given.done;
    let mut errors = FieldErrors::new();
    match answers::answer(&app.db, &app.clock, &permit, id, task, given).await {
        Ok(()) => {
            let here = format!("/tenants/{}/portal/{id}", permit.tenant());
            let to = if done { format!("{here}?done=done") } else { format!("{here}/tasks/{task}?done=answered") };
            return Ok(Redirect::to(&to).into_response());
        }
        Err(error) => errors.note("words", error)?,
    }
    let see = session.permit::<SeePortal>(permit.tenant())?;
    task_page(&app, &session, &see, &named, Asked { typed, errors: &errors, done: None }).await.map(amiss)
}

/// What was typed, what is amiss with it, and what was done.
struct Asked<'a> {
    typed: &'a Typed,
    errors: &'a FieldErrors,
    done: Option<&'a str>,
}

async fn task_page(
    app: &App,
    session: &Session,
    permit: &Permit<SeePortal>,
    named: &Named,
    asked: Asked<'_>,
) -> Result<String> {
    let id = named.id()?;
    let (base, task) = (format!("/tenants/{}/portal", permit.tenant()), named.task()?);
    let here = format!("{base}/{id}");
    let one = store::standing(&app.db, &app.clock, permit, id).await?;
    let whole = implementation::store::load(&app.db, permit, id).await?;
    let task = answers::asked_for(&whole).into_iter().find(|one| one.id == task).ok_or(Error::NotFound("task"))?;
    let all = answers::answers(&app.db, permit, id).await?;
    let mut frame = frame(app, session, permit, format!("{here}/tasks/{}", task.id)).await?;
    frame.notice = (asked.done == Some("answered")).then(|| Notice::ok("Thank you: your consultant sees it."));
    let may = session.permit::<AnswerTasks>(permit.tenant()).is_ok()
        && one.of.stage == Stage::Implementation
        && task.done_at.is_none()
        && whole.before(task).next().is_none();
    let (typed, errors) = (asked.typed, asked.errors);
    let (action, cancel) = (format!("{here}/tasks/{}", task.id), here.clone());
    let form = may.then(|| {
        view! {
            <Card title="Answer">
                <PageForm action=action multipart=true errors=errors>
                    <TextArea name="words" label="In words" value=typed.text("words") rows=4 optional=true errors=errors/>
                    <FileField name="file" label="A file" accept="" hint="10 MiB at most. It is kept with the task, and given to nobody but you and us." errors=errors/>
                    <Checkbox name="done" label="The task is done by that" checked=typed.ticked("done")/>
                    <FormActions>
                        <Button tone=Tone::Primary>"Send"</Button>
                        <LinkButton href=cancel tone=Tone::Quiet>"Cancel"</LinkButton>
                    </FormActions>
                </PageForm>
            </Card>
        }
    });
    let note = task.details.note.trim();
    let note = (!note.is_empty()).then(
        || view! { <Card title="What is asked for">{ui::points(note.lines().map(str::to_owned).collect())}</Card> },
    );
    let said: Vec<_> = all.iter().filter(|one| one.task_id == task.id).collect();
    let title = task.details.title.as_str();
    let crumbs =
        vec![Crumb::new("Your integrations", base.as_str()), Crumb::new(one.of.details.name.as_str(), here.as_str())];
    let body = view! {
        <PageHeader title=title badge=state(&frame, &whole, task)/>
        {as_customer(session, format!("/tenants/{}/integrations/{id}", permit.tenant()))}
        {note}
        {(!said.is_empty()).then(|| answered(&frame, &here, &said))}
        {form}
    };
    Ok(ui::page(&frame, title, crumbs, body.into_any()))
}

/// What was answered to a task.
fn answered(frame: &Frame, here: &str, said: &[&Answer]) -> AnyView {
    let columns = vec![Column::text("Answer"), Column::text("File"), Column::text("By")];
    let rows = said.iter().map(|one| {
        let file = one.file_name.as_ref().map_or_else(
            || ui::muted("–"),
            |name| {
                let size = ui::format::bytes(one.size.unsigned_abs());
                ui::two_lines(ui::link(format!("{here}/files/{}", one.id), name.as_str()), ui::text(size))
            },
        );
        let words = if one.words.is_empty() { ui::muted("–") } else { ui::text(one.words.as_str()) };
        vec![words, file, ui::two_lines(ui::text(one.answered_by.as_str()), ui::ago(frame.moment(), one.answered_at))]
    });
    let table = view! { <DataTable caption="What was answered" columns=columns rows=rows.collect()/> };
    view! { <Card title="What was answered" flush=true>{table}</Card> }.into_any()
}

/// A file's name as it may be kept and sent back: no way to another folder, and nothing that ends a header.
fn safe(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last.chars().filter(|c| !c.is_control() && *c != '"').take(120).collect();
    if kept.trim().is_empty() { "file".into() } else { kept.trim().to_owned() }
}

/// A file that came with an answer. It is always a download, whatever it holds.
pub(super) async fn file(
    State(app): State<App>,
    permit: Permit<SeePortal>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let (name, content) = answers::file(&app.db, &permit, named.id()?, named.answer()?).await?;
    let plain: String = name.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '_' }).collect();
    let encoded = percent_encoding::utf8_percent_encode(&name, percent_encoding::NON_ALPHANUMERIC);
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    Ok((headers, content).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_leads_nowhere() {
        for (name, expected) in [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\docs\\Plan \"b\".xlsx", "Plan b.xlsx"),
            ("a\r\nSet-Cookie: x", "aSet-Cookie: x"),
            ("", "file"),
            ("/", "file"),
        ] {
            assert_eq!(safe(name), expected);
        }
    }
}
