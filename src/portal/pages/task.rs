//! What a customer is asked for: all tasks of their side; one with what was answered, the form that answers it, and the
//! files that came.
use axum::{
    extract::{Path, Query, State},
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use chrono::{DateTime, NaiveDate, Utc};
use leptos::prelude::*;
use uuid::Uuid;

use super::{Named, visit::Visit};
use crate::{
    app::App,
    auth::AnswerTasks,
    error::{Error, Result},
    form::{Done, Posted, Typed, amiss, shown},
    intake::{
        Stage,
        implementation::{self, Task, Whole},
    },
    portal::{
        answers::{self, Answer, Given},
        store,
    },
    ui::{
        self, Badge, Button, Card, Checkbox, Column, DataTable, FieldErrors, FileField, Form as PageForm, FormActions,
        Frame, LinkButton, Notice, PageHeader, Row, State as Mood, TextArea, Tone,
    },
};

/// One task, with what was answered, and the form that answers.
pub(super) async fn ask(
    State(app): State<App>,
    visit: Visit,
    Path(named): Path<Named>,
    Query(done): Query<Done>,
) -> Result<Response> {
    let asked = Asked { typed: &Typed::default(), errors: &FieldErrors::new(), done: done.done.as_deref() };
    task_page(&app, &visit, named.task()?, asked).await.map(shown)
}

/// Answers a task.
pub(super) async fn answer(
    State(app): State<App>,
    visit: Visit,
    Path(named): Path<Named>,
    posted: Posted,
) -> Result<Response> {
    let permit = visit.act::<AnswerTasks>()?;
    let (task, typed) = (named.task()?, &posted.typed);
    let file = posted.upload("file").map(|(name, bytes)| (safe(name), bytes.to_vec()));
    let given = Given { words: typed.text("words"), file, done: typed.ticked("done") };
    let done = given.done;
    let mut errors = FieldErrors::new();
    match answers::answer(&app.db, &app.clock, &permit, visit.id, task, given).await {
        Ok(()) => {
            let here = visit.here();
            let to = if done { format!("{here}?done=done") } else { format!("{here}/tasks/{task}?done=answered") };
            return Ok(Redirect::to(&to).into_response());
        }
        Err(error) => errors.note("words", error)?,
    }
    task_page(&app, &visit, task, Asked { typed, errors: &errors, done: None }).await.map(amiss)
}

/// What was typed, what is amiss with it, and what was done.
struct Asked<'a> {
    typed: &'a Typed,
    errors: &'a FieldErrors,
    done: Option<&'a str>,
}

async fn task_page(app: &App, visit: &Visit, task: Uuid, asked: Asked<'_>) -> Result<String> {
    let (see, id, here) = (&visit.see, visit.id, visit.here());
    let one = store::standing(&app.db, &app.clock, see, id).await?;
    let whole = implementation::store::load(&app.db, see, id).await?;
    let task = answers::asked_for(&whole).into_iter().find(|one| one.id == task).ok_or(Error::NotFound("task"))?;
    let all = answers::answers(&app.db, see, id).await?;
    let mut frame = visit.frame(app, &format!("/tasks/{}", task.id)).await?;
    frame.notice = (asked.done == Some("answered")).then(|| Notice::ok("Thank you: your consultant sees it."));
    let may = visit.act::<AnswerTasks>().is_ok()
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
    let crumbs = visit.deeper(one.of.details.name.as_str());
    let body = view! {
        <PageHeader title=title badge=state(&frame, &whole, task)/>
        {visit.banner()}
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
pub(super) async fn file(State(app): State<App>, visit: Visit, Path(named): Path<Named>) -> Result<Response> {
    let (name, content) = answers::file(&app.db, &visit.see, visit.id, named.answer()?).await?;
    let plain: String = name.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '_' }).collect();
    let encoded = percent_encoding::utf8_percent_encode(&name, percent_encoding::NON_ALPHANUMERIC);
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")),
        (header::CACHE_CONTROL, "private, no-store".to_owned()),
    ];
    Ok((headers, content).into_response())
}

/// What the customer is asked for.
pub(super) fn table(frame: &Frame, whole: &Whole, here: &str) -> Option<AnyView> {
    let tasks = answers::asked_for(whole);
    if tasks.is_empty() {
        return None;
    }
    let open = tasks.iter().filter(|task| task.done_at.is_none()).count();
    let lead = match open {
        0 => "All of it is done. Thank you.".to_owned(),
        open => format!(
            "{} still open. Each can be ticked, or answered with words or a file.",
            ui::format::counted(open as u64, "task")
        ),
    };
    let columns = vec![Column::text("Task"), Column::text("State"), Column::text("Until")];
    let rows = tasks.into_iter().map(|task| {
        let name = ui::link(format!("{here}/tasks/{}", task.id), task.details.title.as_str());
        vec![name, state(frame, whole, task), due(task, frame.now)]
    });
    let table = view! { <DataTable caption="What we need from you" columns=columns rows=rows.collect()/> };
    Some(view! { <Card title="What we need from you" lead=lead flush=true>{table}</Card> }.into_any())
}

fn state(frame: &Frame, whole: &Whole, task: &Task) -> AnyView {
    match (task.done_at, whole.before(task).next()) {
        (Some(at), _) => {
            ui::two_lines(view! { <Badge state=Mood::Ok word="done"/> }.into_any(), ui::ago(frame.moment(), at))
        }
        (None, Some(first)) => ui::muted(format!("waits for “{}”", first.details.title)),
        (None, None) => ui::progress_badge("open"),
    }
}

fn due(task: &Task, now: DateTime<Utc>) -> AnyView {
    let day = task.details.due_on.as_str();
    if day.is_empty() || task.done_at.is_some() {
        return ui::muted("–");
    }
    let late = (*day < *now.format("%Y-%m-%d").to_string()).then(|| view! { <Badge state=Mood::Warning word="late"/> });
    // on one line
    let told =
        day.parse().map_or_else(|_| day.to_owned(), |day: NaiveDate| day.format("%-d\u{a0}%b\u{a0}%Y").to_string());
    view! { <Row>{told}{late}</Row> }.into_any()
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
