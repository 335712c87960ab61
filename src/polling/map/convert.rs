//! What is done to a value on its way into an event. Nothing is guessed: what does not fit is said.
use chrono::SecondsFormat;
use serde_json::{Number, Value};

use crate::polling::definition::Converter;

/// Converts a value. Null stays null.
///
/// # Errors
/// Why it cannot be, in words; they do not repeat the value.
pub(super) fn convert(value: &Value, converter: &Converter) -> Result<Value, String> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    let text = || match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        _ => Err("it is neither text nor a number".to_owned()),
    };
    let trimmed = || text().map(|text| text.trim().to_owned());
    match converter {
        Converter::String => match value {
            Value::Array(_) | Value::Object(_) => Ok(Value::String(value.to_string())),
            _ => text().map(Value::String),
        },
        Converter::Trim => trimmed().map(Value::String),
        Converter::Lower => trimmed().map(|text| Value::String(text.to_lowercase())),
        Converter::Upper => trimmed().map(|text| Value::String(text.to_uppercase())),
        Converter::Number if value.is_number() => Ok(value.clone()),
        Converter::Number => number(&trimmed()?).ok_or_else(|| "it is no number".into()),
        Converter::Integer => {
            let number = if value.is_number() { Some(value.clone()) } else { number(&trimmed()?) };
            let whole = number.as_ref().and_then(whole);
            whole.ok_or_else(|| "it is no whole number".into())
        }
        Converter::Boolean => match trimmed()?.to_lowercase().as_str() {
            "1" | "1.0" | "yes" | "y" | "true" | "t" | "on" => Ok(Value::Bool(true)),
            "0" | "0.0" | "no" | "n" | "false" | "f" | "off" => Ok(Value::Bool(false)),
            _ => Err("it is none of true and false, yes and no, on and off, 1 and 0".into()),
        },
        Converter::Json => serde_json::from_str(&text()?).map_err(|_| "it is no JSON text".into()),
        Converter::DateTime { format } => {
            let moment = format.read(&text()?)?;
            Ok(Value::String(moment.to_rfc3339_opts(SecondsFormat::Millis, true)))
        }
        Converter::Join { with } => {
            let Value::Array(parts) = value else { return Err("it is no list".into()) };
            let parts: Result<Vec<_>, _> = parts
                .iter()
                .map(|part| match part {
                    Value::String(text) => Ok(text.clone()),
                    Value::Number(_) | Value::Bool(_) => Ok(part.to_string()),
                    _ => Err("a part of it is neither text nor a number".to_owned()),
                })
                .collect();
            parts.map(|parts| Value::String(parts.join(with)))
        }
    }
}

/// Reads a number. Of comma and point, the last one begins the decimals; one that occurs more than once never does.
fn number(text: &str) -> Option<Value> {
    let plain: String = text.chars().filter(|c| !matches!(c, ' ' | '\'' | '\u{a0}' | '\u{202f}')).collect();
    let normal = match (plain.rfind(','), plain.rfind('.')) {
        (Some(comma), Some(point)) if comma > point => plain.replace('.', "").replace(',', "."),
        (Some(_), None) if plain.matches(',').count() == 1 => plain.replace(',', "."),
        (Some(_), _) => plain.replace(',', ""),
        _ => plain,
    };
    if let Ok(whole) = normal.parse::<i64>() {
        return Some(whole.into());
    }
    let digits = normal.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E'));
    normal.parse::<f64>().ok().filter(|_| digits).and_then(Number::from_f64).map(Value::Number)
}

fn whole(value: &Value) -> Option<Value> {
    if value.is_i64() || value.is_u64() {
        return Some(value.clone());
    }
    let number = value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 9e15)?;
    #[expect(clippy::cast_possible_truncation, reason = "whole and small enough")]
    Some(Value::from(number as i64))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_converted_or_refused() {
        let of =
            |value: Value, kind: &str| convert(&value, &serde_json::from_value(json!({"kind": kind})).unwrap()).ok();
        for (value, kind, expected) in [
            (json!(5), "string", Some(json!("5"))),
            (json!("1.234,50"), "number", Some(json!(1234.5))),
            (json!("1,234.50"), "number", Some(json!(1234.5))),
            (json!(" 7 "), "integer", Some(json!(7))),
            (json!(7.5), "integer", None),
            (json!("x"), "number", None),
            (json!("inf"), "number", None),
            (json!("Yes"), "boolean", Some(json!(true))),
            (json!(0), "boolean", Some(json!(false))),
            (json!("2"), "boolean", None),
            (json!("{\"a\":1}"), "json", Some(json!({"a": 1}))),
            (json!(null), "number", Some(json!(null))),
            (json!([1]), "trim", None),
        ] {
            assert_eq!(of(value.clone(), kind), expected, "{value} as {kind}");
        }
    }
}
