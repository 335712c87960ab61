//! The questionnaire of an intake: all sections with how far they are, and each as a form of its own that is saved as one
//! goes. Staff, a customer who is signed in, and a guest who came by a link see and fill the same.
use leptos::prelude::*;

use crate::{
    app::App,
    auth::{AnswerIntakes, Permit},
    error::{Error, Result},
    form::{Done, Typed},
    ids::IntegrationId,
    intake::{
        Integration,
        questions::{Asked, Kind, SECTIONS, Section, YES_NO, count},
        store::{self, Answered},
        templates,
    },
    ui::{
        self, Badge, Button, Card, Choice, Column, DataTable, Facts, Field, FieldErrors, Form as PageForm, FormActions,
        Hidden, LinkButton, Notice, Now, Progress, RadioRow, Select, State as Mood, TextArea, Tone,
    },
};

/// How many of a section's questions are answered.
fn answered(section: &Section, answers: &[Answered]) -> usize {
    section.questions.iter().filter(|asked| answers.iter().any(|one| one.question == asked.key)).count()
}

/// All sections with how far they are; each leads to its form below `base`.
pub(crate) fn overview(base: &str, answers: &[Answered], now: Now) -> AnyView {
    let (done, all) = (SECTIONS.iter().map(|section| answered(section, answers)).sum::<usize>(), count());
    let percent = i64::try_from(done * 100 / all).unwrap_or(0);
    let words = format!("{done} of {all} questions answered");
    let columns = vec![Column::text("Section"), Column::text("Answered"), Column::text("Last by").wide_only()];
    let rows = SECTIONS.iter().map(|section| {
        let (done, of) = (answered(section, answers), section.questions.len());
        let state = match done {
            0 => view! { <Badge state=Mood::Neutral word=format!("0 of {of}")/> }.into_any(),
            n if n == of => view! { <Badge state=Mood::Ok word=format!("{n} of {of}")/> }.into_any(),
            n => ui::progress_badge(format!("{n} of {of}")),
        };
        let newest = answers
            .iter()
            .filter(|one| section.questions.iter().any(|asked| asked.key == one.question))
            .max_by_key(|one| one.answered_at);
        let last = newest.map_or_else(
            || ui::muted("nobody"),
            |one| ui::two_lines(ui::text(one.answered_by.as_str()), ui::ago(now, one.answered_at)),
        );
        let link = ui::link(format!("{base}/{}", section.key), section.title);
        vec![ui::two_lines(link, ui::text(section.lead)), state, last]
    });
    view! {
        <Card><Progress label="Intake" percent=Some(percent) words=words/></Card>
        <Card flush=true><DataTable caption="Sections of the intake" columns=columns rows=rows.collect()/></Card>
    }
    .into_any()
}

/// What a customer is told once they have saved something.
pub(crate) fn thanks(done: &Done) -> Option<Notice> {
    match done.done.as_deref() {
        Some("saved") => Some(Notice::ok("Saved. You can come back and go on.")),
        Some("finished") => Some(Notice::ok(
            "Saved. Thank you: that was the last section. Change what you like, as long as the intake is open.",
        )),
        _ => None,
    }
}

/// The section that a path names.
pub(crate) fn named(key: &str) -> Result<&'static Section> {
    Section::of(key).ok_or(Error::NotFound("section"))
}

/// Saves what was typed: where one goes from there, or none, and what is amiss with it.
///
/// # Errors
/// Whatever no change of the form would mend.
pub(crate) async fn save(
    app: &App,
    permit: &Permit<AnswerIntakes>,
    id: IntegrationId,
    section: &'static Section,
    base: &str,
    typed: &Typed,
    errors: &mut FieldErrors,
) -> Result<Option<String>> {
    let Some(given) = read(section, typed, errors) else { return Ok(None) };
    match store::save_answers(&app.db, &app.clock, permit, id, section, &typed.text("seen"), given).await {
        Ok(()) => Ok(Some(onwards(base, section, typed))),
        Err(error) => errors.note("", error).map(|()| None),
    }
}

/// Where one goes from a section that is saved.
fn onwards(base: &str, section: &Section, typed: &Typed) -> String {
    match (typed.text("then").as_str(), section.next()) {
        ("next", Some(next)) => format!("{base}/{}", next.key),
        ("next", None) => format!("{base}?done=finished"),
        _ => format!("{base}?done=saved"),
    }
}

/// What was answered, if all of it can be.
fn read(section: &'static Section, typed: &Typed, errors: &mut FieldErrors) -> Option<Vec<(&'static str, String)>> {
    let given = section.questions.iter().map(|asked| {
        let answer = errors.keep(asked.key, asked.read(&typed.text(asked.key)));
        answer.map(|answer| (asked.key, answer))
    });
    // every mistake is told at once
    given.collect::<Vec<_>>().into_iter().collect()
}

/// What was answered in a section, for who looks and does not answer.
pub(crate) fn answered_only(section: &'static Section, answers: &[Answered]) -> AnyView {
    let items = section.questions.iter().map(|asked| {
        let answer = answers.iter().find(|one| one.question == asked.key);
        (asked.text, answer.map_or_else(|| ui::muted("not answered"), |one| ui::paragraphs(&asked.told(&one.answer))))
    });
    view! { <Card><Facts items=items.collect()/></Card> }.into_any()
}

/// The form of a section. What is usual for the kind of system stands in it until somebody has answered.
pub(crate) fn form(
    base: &str,
    of: &Integration,
    section: &Section,
    answers: &[Answered],
    typed: Option<&Typed>,
    errors: &FieldErrors,
) -> AnyView {
    let fields = section.questions.iter().map(|asked| {
        let stored = answers.iter().find(|one| one.question == asked.key);
        let usual = templates::answer(of.details.system_kind, asked.key);
        let (value, hint) = match (typed, stored, usual) {
            (Some(typed), ..) => (typed.text(asked.key), asked.why.to_owned()),
            (None, Some(stored), _) => {
                (stored.answer.clone(), format!("{} Answered by {}.", asked.why, stored.answered_by))
            }
            (None, None, Some(usual)) => {
                let hint = format!("{} This is only what is usual: correct it, and save it.", asked.why);
                (usual.to_owned(), hint)
            }
            (None, None, None) => (String::new(), asked.why.to_owned()),
        };
        field(asked, value, hint, errors)
    });
    let fields = fields.collect_view();
    let seen = typed.filter(|_| errors.get("").is_none()).map(|typed| typed.text("seen"));
    let seen = seen.unwrap_or_else(|| store::fingerprint(of.id, section, answers));
    let next = if section.next().is_some() { "Save and go on" } else { "Save and finish" };
    view! {
        <Card>
            <PageForm action=format!("{base}/{}", section.key) errors=errors>
                <Hidden name="seen" value=seen/>
                {fields}
                <FormActions>
                    <Button tone=Tone::Primary name="then" value="next">{next}</Button>
                    <Button name="then" value="stay">"Save and go on later"</Button>
                    <LinkButton href=base.to_owned() tone=Tone::Quiet>"Back"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    }
    .into_any()
}

fn field(asked: &'static Asked, value: String, hint: String, errors: &FieldErrors) -> AnyView {
    let (name, label) = (asked.key, asked.text);
    match asked.kind {
        Kind::Line => {
            view! { <Field name=name label=label value=value hint=hint autocomplete="off" optional=true errors=errors/> }
                .into_any()
        }
        Kind::Text => {
            view! { <TextArea name=name label=label value=value hint=hint rows=4 optional=true errors=errors/> }.into_any()
        }
        Kind::Number(of) => {
            let label = format!("{label} ({of})");
            view! { <Field name=name label=label value=value hint=hint autocomplete="off" optional=true errors=errors/> }
                .into_any()
        }
        Kind::YesNo => {
            let choices = YES_NO.iter().map(|(word, reads)| Choice::new(*word, *reads)).collect();
            view! { <RadioRow name=name label=label choices=choices value=value hint=hint errors=errors/> }.into_any()
        }
        Kind::Choice(choices) => {
            let none = std::iter::once(Choice::new("", "Choose…"));
            let choices = none.chain(choices.iter().map(|(word, reads)| Choice::new(*word, *reads))).collect();
            view! { <Select name=name label=label choices=choices value=value hint=hint errors=errors/> }.into_any()
        }
    }
}
