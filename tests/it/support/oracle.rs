//! Keeps every answer of the front door to the document that the server publishes, `/openapi.json`.
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

use jsonschema::Validator;
use serde_json::{Value, json};

use super::http::{Answer, Asking};

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../../src/ingest/openapi.json")).expect("the document"));

/// Follows `$ref`, if there is one.
fn resolved(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(reference) => DOCUMENT.pointer(&reference[1..]).unwrap_or_else(|| panic!("nothing at {reference}")),
        None => value,
    }
}

/// The path of the document that a request's target is an instance of. Words go before parameters.
fn template(target: &str) -> Option<&'static str> {
    let path = target.split('?').next().unwrap_or_default();
    let path = format!("/{}", path.trim_start_matches('/'));
    let parts: Vec<_> = path.split('/').collect();
    let paths = DOCUMENT["paths"].as_object().expect("paths");
    let fits = |template: &str| {
        let expected: Vec<_> = template.split('/').collect();
        expected.len() == parts.len()
            && expected
                .iter()
                .zip(&parts)
                .all(|(expected, part)| expected == part || (expected.starts_with('{') && !part.is_empty()))
    };
    let parameters = |template: &str| template.matches('{').count();
    paths.keys().map(String::as_str).filter(|template| fits(template)).min_by_key(|template| parameters(template))
}

/// A compiled schema of the document.
fn validator(schema: &Value) -> Arc<Validator> {
    static COMPILED: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let compile = || {
        // references lead to #/components/…, so those have to be there
        let whole = json!({ "allOf": [schema], "components": DOCUMENT["components"] });
        let validator = jsonschema::draft202012::options().should_validate_formats(true).build(&whole);
        Arc::new(validator.expect("a schema of the document"))
    };
    compiled.entry(schema.to_string()).or_insert_with(compile).clone()
}

fn keeps(schema: &Value, value: &Value, about: &str) {
    if let Some(error) = validator(schema).iter_errors(value).next() {
        panic!("{about}: the document does not allow {value}: {error} at {}", error.instance_path());
    }
}

/// Checks one answer: its status and media type are documented for its path and method, its body and headers keep
/// their schemas, and it carries its id.
pub fn check(asking: &Asking, answer: &Answer) {
    let about = format!("{} {} answered {}", asking.method, asking.target, answer.status);
    let id = answer.header("x-request-id").unwrap_or_else(|| panic!("{about} without X-Request-Id"));
    assert!(answer.status < 500 || answer.status == 503, "{about}: {}", answer.text());
    if answer.status >= 400 && asking.method != "HEAD" {
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{about}");
        let problem = answer.json();
        keeps(&json!({"$ref": "#/components/schemas/Problem"}), &problem, &about);
        assert_eq!(problem["requestId"], id, "{about}");
        assert_eq!(problem["status"], answer.status, "{about}");
    }
    let Some(template) = template(&asking.target) else {
        assert_eq!(answer.status, 404, "{about}, and the document does not know the path");
        return;
    };
    let Some(operation) = DOCUMENT["paths"][template].get(asking.method.to_ascii_lowercase()) else {
        assert_eq!(answer.status, 405, "{about}, and the document does not know the method");
        assert!(answer.header("allow").is_some(), "{about} without Allow");
        return;
    };
    let documented = operation["responses"].get(answer.status.to_string());
    let documented =
        resolved(documented.unwrap_or_else(|| panic!("{about}, which is not documented: {}", answer.text())));
    for (name, header) in documented["headers"].as_object().into_iter().flatten() {
        let header = resolved(header);
        let value = answer.header(name);
        assert!(value.is_some() || header["required"] != true, "{about} without {name}");
        if let (Some(value), Some("integer")) = (value, header["schema"]["type"].as_str()) {
            let value: u64 = value.parse().unwrap_or_else(|_| panic!("{about}: {name} is no number: {value}"));
            keeps(&header["schema"], &value.into(), &about);
        }
    }
    let Some(content) = documented["content"].as_object() else {
        assert!(answer.body.is_empty(), "{about} with a body that is not documented");
        return;
    };
    let media = answer.header("content-type").unwrap_or_default();
    let form = content.get(media).unwrap_or_else(|| panic!("{about} as {media}, which is not documented"));
    keeps(&form["schema"], &answer.json(), &about);
}
