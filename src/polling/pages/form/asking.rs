//! The part of the form that says how a system is asked, for a page that only wants to find out about it: the same
//! fields, read in the same way.
use chrono::{DateTime, Utc};
use leptos::prelude::*;

use super::{values, view};
use crate::{
    form::Typed,
    polling::definition::Definition,
    ui::{Card, FieldErrors},
};

/// What the fields hold before anything is typed: how a window is asked for, nobody has said yet.
pub(crate) fn blank() -> Typed {
    values::with(&values::blank(), &[(PARAMETERS, String::new())])
}

const PARAMETERS: &str = "window_parameters";

/// Reads the fields; what they do not ask for stands as in a new form, and its name is `name`. Without parameters for a window the definition
/// has none, and so is one to ask by and not one to save.
pub(crate) fn read(name: &str, typed: &Typed, errors: &mut FieldErrors) -> Option<Definition> {
    let unknown = typed.text(PARAMETERS).trim().is_empty();
    let given = typed.fields().filter(|(name, _)| !(unknown && *name == PARAMETERS));
    let mut given: Vec<_> = given.map(|(name, value)| (name, value.to_owned())).collect();
    given.push(("name", name.to_owned()));
    let mut definition = values::read(&values::with(&values::blank(), &given), errors)?;
    if unknown {
        definition.window.parameters.clear();
    }
    Some(definition)
}

/// What the fields hold for a definition, such as the one that was probed before.
pub(crate) fn of(definition: &Definition) -> Typed {
    values::of(definition)
}

/// The fields: the address, the token, and how a span of time is asked for.
pub(crate) fn fields(now: DateTime<Utc>, typed: &Typed, errors: &FieldErrors) -> AnyView {
    let token = "It is used for this probe, and kept nowhere.";
    view! {
        {view::address(typed, errors, false, token)}
        <Card title="How it is asked for a span of time" lead="Not known yet? Leave it empty: the probe looks at everything else.">
            {view::span(now, typed, errors, true)}
        </Card>
    }
    .into_any()
}
