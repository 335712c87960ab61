//! One task: added, changed, removed.
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{NEW, Named, Site};
use crate::{
    app::App,
    auth::{Permit, RunImplementations, Session},
    error::{Error, Result},
    form::{Typed, amiss, shown},
    intake::{
        Side,
        implementation::{Task, TaskDetails, store},
        pages::form::{owner, owners},
        parse_day, parse_line, parse_text,
    },
    ui::{
        self, Button, Card, Checkbox, Checkboxes, Choice, Field, FieldErrors, Form as PageForm, FormActions, Hidden,
        LinkButton, PageHeader, RadioRow, Select, TextArea, Tone,
    },
};

/// The longest title.
const LONGEST: usize = 600;

async fn load(
    app: &App,
    session: &Session,
    permit: &Permit<RunImplementations>,
    named: &Named,
) -> Result<(Site, Option<Task>)> {
    let site = Site::load(app, session, permit, named, &format!("/tasks/{}", named.point)).await?;
    if named.point == NEW {
        return Ok((site, None));
    }
    let id = super::id_of(&named.point, "implementation task")?;
    let task =
        site.whole.tasks.iter().find(|one| one.id == id).cloned().ok_or(Error::NotFound("implementation task"))?;
    Ok((site, Some(task)))
}

/// Shows the form.
pub(in crate::intake::pages) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunImplementations>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let (site, task) = load(&app, &session, &permit, &named).await?;
    let typed = typed(&site, task.as_ref());
    Ok(shown(page(&site, task.as_ref(), &typed, &FieldErrors::new())))
}

/// Saves the task, or removes it.
pub(in crate::intake::pages) async fn save(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunImplementations>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let (site, task) = load(&app, &session, &permit, &named).await?;
    let mut errors = FieldErrors::new();
    let (of, id) = (site.room.of.id, task.as_ref().map(|one| one.id));
    let remove = typed.text("form") == "remove";
    let done = match (remove, id) {
        (true, Some(id)) => store::remove_task(&app.db, &app.clock, &permit, of, id).await.map(|()| true),
        _ => match read(&site, task.as_ref(), &typed, &mut errors) {
            Some(details) => store::save_task(&app.db, &app.clock, &permit, of, id, details).await.map(|_| true),
            None => Ok(false),
        },
    };
    match done {
        Ok(true) => {
            let word = if remove { "removed" } else { "saved" };
            return Ok(Redirect::to(&format!("{}?done={word}", site.here())).into_response());
        }
        Ok(false) => {}
        Err(error) => errors.note("", error)?,
    }
    Ok(amiss(page(&site, task.as_ref(), &typed, &errors)))
}

fn typed(site: &Site, task: Option<&Task>) -> Typed {
    let mut fields: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, value: String| fields.push((name.to_owned(), value));
    if let Some(task) = task {
        let details = &task.details;
        add("title", details.title.clone());
        add("note", details.note.clone());
        add("phase", details.phase_id.to_string());
        add("side", details.side.word().into());
        add("owner", details.owner_id.map(|id| id.to_string()).unwrap_or_default());
        add("due_on", details.due_on.clone());
        details.needs.iter().for_each(|id| add("needs", id.to_string()));
    } else {
        let phase = site.whole.ready().first().map(|one| one.details.phase_id.to_string());
        add("phase", phase.unwrap_or_default());
        add("side", Side::Us.word().into());
    }
    fields.into_iter().collect()
}

fn read(site: &Site, task: Option<&Task>, typed: &Typed, errors: &mut FieldErrors) -> Option<TaskDetails> {
    let title = parse_line(&typed.text("title"), LONGEST)
        .and_then(|text| if text.is_empty() { Err("say what is to be done".into()) } else { Ok(text) });
    let title = errors.keep("title", title);
    let note = errors.keep("note", parse_text(&typed.text("note"), 4_000));
    let phase_id = errors.keep("phase", site.chosen_phase(&typed.text("phase")));
    let side = errors.keep("side", typed.text("side").parse::<Side>().map_err(|_| "choose whose turn it is"));
    let owner_id = owner(typed, &site.room.staff, site.room.of.tenant_id, "owner", errors);
    let due_on = errors.keep("due_on", parse_day(&typed.text("due_on")));
    let others = |id: &str| crate::ids::guid(id).ok().filter(|id| task.is_none_or(|task| task.id != *id));
    let needs = typed.all("needs").filter_map(others).collect();
    Some(TaskDetails {
        phase_id: phase_id?,
        title: title?,
        note: note?,
        side: side?,
        owner_id: owner_id?,
        due_on: due_on?,
        needs,
    })
}

fn page(site: &Site, task: Option<&Task>, typed: &Typed, errors: &FieldErrors) -> String {
    let here = site.here();
    let (title, last) = match task {
        Some(task) => ("Task", task.id.to_string()),
        None => ("Add a task", NEW.to_owned()),
    };
    let action = format!("{here}/tasks/{last}");
    let action = action.as_str();
    let text = |name: &str| typed.text(name);
    let sides = Side::ALL.iter().map(|side| Choice::new(side.word(), side.title())).collect();
    let others = site.whole.tasks.iter().filter(|one| task.is_none_or(|task| task.id != one.id));
    let needs: Vec<_> = others
        .enumerate()
        .map(|(n, one)| {
            let value = one.id.to_string();
            let checked = typed.all("needs").any(|id| id == value);
            let id = if n == 0 { "needs".to_owned() } else { format!("needs-{n}") };
            view! { <Checkbox name="needs" id=id value=value checked=checked label=one.details.title.as_str()/> }
        })
        .collect();
    let needs = (!needs.is_empty()).then(|| {
        let open = errors.get("needs").is_some() || typed.all("needs").next().is_some();
        view! {
            <ui::Fold summary="What comes before" open=open>
                <Checkboxes name="needs" label="Only when these are done" errors=errors>{needs}</Checkboxes>
            </ui::Fold>
        }
    });
    let remove = task.map(|_| {
        view! {
            <Card>
                <PageForm action=action>
                    <Hidden name="form" value="remove"/>
                    <FormActions><Button tone=Tone::Danger>"Remove this task"</Button></FormActions>
                </PageForm>
            </Card>
        }
    });
    let answers = task.filter(|task| task.details.side == Side::Customer).map(|task| {
        let of = &site.room.of;
        let href = format!("/tenants/{}/portal/{}/tasks/{}", of.tenant_id, of.id, task.id);
        view! { <LinkButton href=href tone=Tone::Quiet>"What the customer answered"</LinkButton> }
    });
    let owners = owners(&site.room.staff, site.room.of.tenant_id);
    let body = view! {
        <PageHeader title=title lead="Something that is to be done, by us, by the customer or by the vendor.">{answers}</PageHeader>
        <Card>
            <PageForm action=action errors=errors>
                <Field name="title" label="What is to be done" value=text("title") autocomplete="off" focus=true errors=errors/>
                <TextArea name="note" label="Note" value=text("note") rows=3 optional=true errors=errors/>
                <Select name="phase" label="Phase" choices=site.phase_choices() value=text("phase") errors=errors/>
                <RadioRow name="side" label="Whose turn" choices=sides value=text("side") errors=errors/>
                <Select name="owner" label="Whose it is here" choices=owners value=text("owner") errors=errors/>
                <Field name="due_on" label="Due on" value=text("due_on") kind="date" optional=true errors=errors/>
                {needs}
                <FormActions>
                    <Button tone=Tone::Primary>"Save the task"</Button>
                    <LinkButton href=here tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
        {remove}
    };
    ui::page(&site.room.frame, title, site.crumbs(), body.into_any())
}
