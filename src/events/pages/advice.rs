//! How to mend what breaks a contract: one sentence for each rule.

/// What would mend an event that breaks `rule`.
pub(super) fn advice(rule: &str) -> &'static str {
    match rule {
        "type" => "Let the sender write the value in the type that the contract asks for, or allow this type as well.",
        "required" | "dependentRequired" => "Let the sender fill this field, or make it optional in the contract.",
        "additionalProperties" | "unevaluatedProperties" | "propertyNames" => {
            "Add the field to the contract, or let the sender leave it out."
        }
        "enum" | "const" => "Let the sender use one of the allowed values, or add this one to the contract.",
        "format" | "pattern" => {
            "Let the sender write the value in the form that the contract asks for, or relax the form."
        }
        "minLength" | "maxLength" | "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf"
        | "minItems" | "maxItems" | "minProperties" | "maxProperties" => {
            "Let the sender keep within the limit, or move the limit in the contract."
        }
        "uniqueItems" => "Let the sender list each item once.",
        "conflict" => {
            "Another event has this unique value with another payload. Let the sender give each event a value of its own, \
             or send the earlier payload again unchanged."
        }
        "encoding" => {
            "Let the sender leave out NUL characters and broken Unicode: no database can keep them faithfully."
        }
        "duplicate-key" => "Let the sender write each key once: readers do not agree on which of two to take.",
        _ => "Change what the sender sends, or the contract, so that the two agree.",
    }
}

#[cfg(test)]
mod tests {
    use super::advice;

    #[test]
    fn every_rule_has_advice() {
        for rule in ["type", "conflict", "", "somethingNew"] {
            assert!(advice(rule).ends_with('.'), "{rule}");
        }
        assert_ne!(advice("type"), advice("somethingNew"));
    }
}
