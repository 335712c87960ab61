//! How to mend what breaks a contract: for each rule, what the sender can do, and what the contract can.

/// What would mend events that break a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Advice {
    /// What the sender can do: "write the value in the type that the contract asks for".
    pub sender: &'static str,
    /// What the contract can: "allow this type as well"; none when it has no say.
    pub contract: Option<&'static str>,
}

impl Advice {
    /// Both in one sentence.
    pub fn sentence(self) -> String {
        match self.contract {
            Some(contract) => format!("Let the sender {}, or {contract}.", self.sender),
            None => format!("Let the sender {}.", self.sender),
        }
    }
}

/// What would mend an event that breaks `rule`.
pub fn advice(rule: &str) -> Advice {
    let (sender, contract) = match rule {
        "type" => ("write the value in the type that the contract asks for", "allow this type as well in the contract"),
        "required" | "dependentRequired" => ("fill this field", "make it optional in the contract"),
        "additionalProperties" | "unevaluatedProperties" | "propertyNames" => {
            ("leave this field out", "add it to the contract")
        }
        "enum" | "const" => ("use one of the allowed values", "add this one to the contract"),
        "format" | "pattern" => {
            ("write the value in the form that the contract asks for", "relax the form in the contract")
        }
        "minLength" | "maxLength" | "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf"
        | "minItems" | "maxItems" | "minProperties" | "maxProperties" => {
            ("keep within the limit", "move the limit in the contract")
        }
        "uniqueItems" => ("list each item once", "allow repeated items in the contract"),
        "conflict" => {
            let sender = "give each event a value of its own, or send the earlier payload again unchanged: another event \
                          has this unique value with another payload";
            return Advice { sender, contract: None };
        }
        "encoding" => {
            let sender = "leave out NUL characters and broken Unicode: no database can keep them faithfully";
            return Advice { sender, contract: None };
        }
        "duplicate-key" => {
            return Advice {
                sender: "write each key once: readers do not agree on which of two to take",
                contract: None,
            };
        }
        _ => ("change what it sends so that it keeps the contract", "change the contract so that it takes this"),
    };
    Advice { sender, contract: Some(contract) }
}

#[cfg(test)]
mod tests {
    use super::advice;

    #[test]
    fn every_rule_has_advice() {
        for rule in ["type", "conflict", "", "somethingNew"] {
            let sentence = advice(rule).sentence();
            assert!(sentence.starts_with("Let the sender ") && sentence.ends_with('.'), "{rule}: {sentence}");
        }
        assert_ne!(advice("type"), advice("somethingNew"));
    }
}
