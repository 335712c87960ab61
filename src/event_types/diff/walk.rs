//! Walks through two schemas side by side. A keyword that has no words of its own is told with its old and its new
//! value, so nothing goes unsaid.
use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::{Map, Value};

use super::{
    Change, Effect, Piece, Sentence,
    words::{article, format_words, kind, listed, quoted, text, type_list, value_words},
};

type Object = Map<String, Value>;

/// All that is different in `new`.
pub(super) fn changes(old: &Value, new: &Value) -> Vec<Change> {
    let mut walk = Walk { found: Vec::new() };
    let mut seen = Seen::default();
    seen.look(old, true);
    seen.look(new, true);
    // what a reference leads to counts where the reference stands, and that may turn it around
    let plain = !seen.odd_reference && !seen.nested_id;
    let sure = plain && !seen.unevaluated && !(seen.reference && seen.turning);
    walk.schemas(old, new, &Place { sure, plain, ..Place::default() });
    walk.found
}

/// What makes that the meaning of a part does not follow from where it stands.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "facts that were seen; none of them excludes another")]
struct Seen {
    reference: bool,
    odd_reference: bool,
    turning: bool,
    unevaluated: bool,
    nested_id: bool,
}

impl Seen {
    fn look(&mut self, value: &Value, top: bool) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.look(item, false)),
            Value::Object(fields) => {
                for (key, value) in fields {
                    match key.as_str() {
                        "$ref" => {
                            self.reference = true;
                            let plain = value.as_str().is_some_and(|to| {
                                let name = to.strip_prefix("#/$defs/").or_else(|| to.strip_prefix("#/definitions/"));
                                to == "#" || name.is_some_and(|name| !name.contains('/'))
                            });
                            self.odd_reference |= !plain;
                        }
                        "$dynamicRef" | "$anchor" | "$dynamicAnchor" => self.odd_reference = true,
                        "$id" => self.nested_id |= !top,
                        "not" | "oneOf" | "if" | "contains" | "maxContains" => self.turning = true,
                        "unevaluatedProperties" | "unevaluatedItems" => self.unevaluated = true,
                        _ => {}
                    }
                    self.look(value, false);
                }
            }
            _ => {}
        }
    }
}

/// Where in an event we are, how that is called, and what a change here means for the whole.
#[derive(Debug, Clone, Default)]
struct Place {
    /// As a pointer into the event, or into what a definition describes.
    pointer: String,
    /// The name of the one field, when it stands at the top.
    field: Option<String>,
    /// The definition that we are in.
    definition: Option<String>,
    /// Said after the name: which of several forms is meant.
    form: Vec<Piece>,
    /// Whether what is stricter here is stricter for the whole.
    sure: bool,
    /// Whether references lead to definitions only, and so to nothing that merely describes.
    plain: bool,
    /// Whether it is the other way round.
    turned: bool,
}

impl Place {
    fn key(&self, key: &str) -> Self {
        let pointer = format!("{}/{}", self.pointer, key.replace('~', "~0").replace('/', "~1"));
        let at_top = self.pointer.is_empty() && self.definition.is_none() && !key.is_empty() && !key.starts_with('/');
        Self { field: at_top.then(|| key.to_owned()), pointer, ..self.clone() }
    }

    fn every(&self) -> Self {
        Self { pointer: format!("{}/*", self.pointer), field: None, ..self.clone() }
    }

    fn form(&self, words: Vec<Piece>) -> Self {
        let mut form = self.form.clone();
        form.push(text(", "));
        form.extend(words);
        Self { form, ..self.clone() }
    }

    fn unsure(&self) -> Self {
        Self { sure: false, ..self.clone() }
    }

    fn name(&self) -> Vec<Piece> {
        let mut name = match (&self.definition, self.pointer.is_empty()) {
            (None, true) => vec![text("the event")],
            (None, false) => vec![quoted(self.field.as_ref().unwrap_or(&self.pointer))],
            (Some(definition), true) => vec![text("the definition "), quoted(definition)],
            (Some(definition), false) => vec![quoted(&self.pointer), text(" of the definition "), quoted(definition)],
        };
        name.extend(self.form.iter().cloned());
        name
    }

    fn effect(&self, effect: Effect) -> Effect {
        match (self.sure, self.turned) {
            (false, _) => Effect::Changed,
            (true, true) => effect.turned(),
            (true, false) => effect,
        }
    }
}

/// Keywords that only describe, but for the ones that begin with `x-` and those that nobody knows.
const KNOWN_RULES: &[&str] = &[
    "$ref",
    "$dynamicRef",
    "$id",
    "$anchor",
    "$dynamicAnchor",
    "$vocabulary",
    "type",
    "enum",
    "const",
    "format",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "contains",
    "minContains",
    "maxContains",
    "prefixItems",
    "items",
    "additionalItems",
    "minProperties",
    "maxProperties",
    "required",
    "properties",
    "patternProperties",
    "additionalProperties",
    "propertyNames",
    "dependentRequired",
    "dependentSchemas",
    "dependencies",
    "unevaluatedProperties",
    "unevaluatedItems",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
];

/// Rules that stand for themselves: with one more, less is right.
const PLAIN_RULES: &[&str] = &[
    "$ref",
    "pattern",
    "multipleOf",
    "propertyNames",
    "dependentRequired",
    "dependentSchemas",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "contains",
];

struct Walk {
    found: Vec<Change>,
}

impl Walk {
    fn say(&mut self, effect: Effect, place: &Place, words: Vec<Piece>) {
        let mut words = words;
        if let Some(Piece::Text(first)) = words.first_mut() {
            let mut rest = first.chars();
            *first = rest.next().map(|c| c.to_uppercase().chain(rest).collect()).unwrap_or_default();
        }
        self.found.push(Change { effect, path: place.pointer.clone(), words: Sentence(words) });
    }

    /// Says something of the place itself: its name, then this.
    fn tell(&mut self, effect: Effect, place: &Place, words: impl IntoIterator<Item = Piece>) {
        let words = place.name().into_iter().chain(words).collect();
        self.say(place.effect(effect), place, words);
    }

    fn schemas(&mut self, old: &Value, new: &Value, place: &Place) {
        if old == new {
            return;
        }
        match (old, new) {
            (Value::Object(old), Value::Object(new)) => self.objects(old, new, place),
            (_, Value::Bool(false)) => self.tell(Effect::Stricter, place, [text(" is no longer allowed")]),
            (Value::Bool(false), _) => {
                let words = [text(" is allowed now: "), text(kind(new))];
                self.tell(Effect::Looser, place, words);
            }
            (Value::Bool(true), new) => {
                let effect = if demands_nothing(new) { Effect::Neutral } else { Effect::Stricter };
                self.tell(effect, place, [text(" was anything, and must now be: "), text(kind(new))]);
            }
            (old, Value::Bool(true)) => {
                let effect = if demands_nothing(old) { Effect::Neutral } else { Effect::Looser };
                self.tell(effect, place, [text(" may now be anything; it was: "), text(kind(old))]);
            }
            (old, new) => {
                let words = [text(" changed from "), value_words(old), text(" to "), value_words(new)];
                self.tell(Effect::Changed, place, words);
            }
        }
    }

    fn objects(&mut self, old: &Object, new: &Object, place: &Place) {
        // fields that come or go say themselves whether they are required
        let keywords: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let named = FieldSets { old: names(old), new: names(new) };
        for keyword in keywords {
            let (was, is) = (old.get(keyword), new.get(keyword));
            if was == is {
                continue;
            }
            let before = self.found.len();
            match keyword.as_str() {
                "properties" => self.properties(old, new, place),
                "required" => self.required(old, new, &named, place),
                "type" => self.types(was, is, place),
                "enum" => self.values(was, is, place),
                "const" => self.constant(was, is, place),
                "format" => self.format(was, is, place),
                "uniqueItems" => self.unique_items(was, is, place),
                "additionalProperties" => self.others(was, is, place),
                "items" => self.items(old, new, place),
                "prefixItems" | "allOf" | "anyOf" | "oneOf" => self.list(keyword, was, is, place),
                "$defs" | "definitions" => self.definitions(was, is, place),
                "patternProperties" => self.patterns(old, new, place),
                "dependentSchemas" => self.dependent(was, is, place),
                "not" | "contains" | "propertyNames" | "then" | "else" => self.inner(keyword, old, new, place),
                "x-identifies" => self.identifies(was, is, place),
                _ if LIMITS.iter().any(|limit| limit.keyword == keyword) => self.limit(keyword, was, is, place),
                _ => {}
            }
            if self.found.len() == before && !(keyword == "required" && Self::told_with_fields(old, new, &named)) {
                self.keyword(keyword, was, is, place);
            }
        }
    }

    /// Whether all that `required` has to say was said of fields that came or went.
    fn told_with_fields(old: &Object, new: &Object, named: &FieldSets<'_>) -> bool {
        let (Some(was), Some(is)) = (strings(old.get("required")), strings(new.get("required"))) else { return false };
        let mut came = is.difference(&was);
        let mut went = was.difference(&is);
        came.all(|key| named.came(key)) && went.all(|_| false) && was != is
    }

    fn keyword(&mut self, keyword: &str, was: Option<&Value>, is: Option<&Value>, place: &Place) {
        let rule = KNOWN_RULES.contains(&keyword);
        let plain = PLAIN_RULES.contains(&keyword);
        let effect = match (rule, was, is) {
            (false, ..) => Effect::Neutral,
            (true, None, Some(_)) if plain => Effect::Stricter,
            (true, Some(_), None) if plain => Effect::Looser,
            _ => Effect::Changed,
        };
        let effect = if effect == Effect::Neutral { place.remark() } else { place.effect(effect) };
        let called = match keyword {
            "title" | "description" | "examples" | "default" | "pattern" => vec![text(format!("the {keyword} of "))],
            _ => vec![text("the keyword "), quoted(keyword), text(" of ")],
        };
        let told = match (was, is) {
            (None, Some(is)) => vec![text(" is new: "), value_words(is)],
            (Some(was), None) => vec![text(" is gone; it was "), value_words(was)],
            (Some(was), Some(is)) => vec![text(" changed from "), value_words(was), text(" to "), value_words(is)],
            (None, None) => vec![],
        };
        self.say(effect, place, called.into_iter().chain(place.name()).chain(told).collect());
    }

    fn properties(&mut self, old: &Object, new: &Object, place: &Place) {
        let (Some(was), Some(is)) = (fields(old, "properties"), fields(new, "properties")) else { return };
        let patterns = old.contains_key("patternProperties") || new.contains_key("patternProperties");
        let required = strings(new.get("required")).unwrap_or_default();
        for key in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
            let at = place.key(key);
            match (was.get(key), is.get(key)) {
                (Some(was), Some(is)) => self.schemas(was, is, &at),
                (None, Some(is)) => {
                    let must = required.contains(key.as_str());
                    let effect = if patterns { Effect::Changed } else { came(old, is, must) };
                    let kind_of_field = if must { "required" } else { "optional" };
                    let mut words = vec![text(format!("a new {kind_of_field} field ")), quoted(at.called())];
                    words.extend(at.form.iter().cloned());
                    words.push(text(format!(" ({})", kind(is))));
                    self.say(at.effect(effect), &at, words);
                }
                (Some(was), None) => {
                    let effect = if patterns { Effect::Changed } else { went(new, was) };
                    let so = if new.get("additionalProperties") == Some(&Value::Bool(false)) {
                        " is no longer a field: events that hold it break the contract"
                    } else {
                        " is no longer described; it may be anything, as any other field"
                    };
                    self.tell(effect, &at, [text(so), text(format!(" (it was: {})", kind(was)))]);
                }
                (None, None) => {}
            }
        }
    }

    fn required(&mut self, old: &Object, new: &Object, named: &FieldSets<'_>, place: &Place) {
        let (Some(was), Some(is)) = (strings(old.get("required")), strings(new.get("required"))) else { return };
        for key in is.difference(&was).filter(|key| !named.came(key)) {
            self.tell(Effect::Stricter, &place.key(key), [text(" became required")]);
        }
        for key in was.difference(&is) {
            self.tell(Effect::Looser, &place.key(key), [text(" is no longer required")]);
        }
        if was == is {
            self.tell(Effect::Neutral, place, [text(" has the same required fields, written differently")]);
        }
    }

    fn types(&mut self, was: Option<&Value>, is: Option<&Value>, place: &Place) {
        let (Some(was), Some(is)) = (types_of(was), types_of(is)) else { return };
        match (was, is) {
            (None, Some(is)) => {
                self.tell(Effect::Stricter, place, [text(format!(" must now be {}", type_words(&is)))]);
            }
            (Some(was), None) => {
                let so = format!(" may now be of any type; it was {}", type_words(&was));
                self.tell(Effect::Looser, place, [text(so)]);
            }
            (Some(was), Some(is)) => {
                let (more, less) = (within(&was, &is), within(&is, &was));
                let gone: BTreeSet<_> = was.iter().filter(|kind| !covered(kind, &is)).copied().collect();
                let come: BTreeSet<_> = is.iter().filter(|kind| !covered(kind, &was)).copied().collect();
                match (more, less) {
                    (true, true) => {
                        self.tell(Effect::Neutral, place, [text(" is of the same type, written differently")]);
                    }
                    (true, false) => {
                        self.tell(Effect::Looser, place, [text(format!(" may now also be {}", type_words(&come)))]);
                    }
                    (false, true) if is.iter().any(|kind| was.contains(kind)) => {
                        let so = format!(" may no longer be {}: only {}", type_words(&gone), type_words(&is));
                        self.tell(Effect::Stricter, place, [text(so)]);
                    }
                    (_, stricter) => {
                        let so = format!(" must now be {}; it was {}", type_words(&is), type_words(&was));
                        let effect = if stricter { Effect::Stricter } else { Effect::Changed };
                        self.tell(effect, place, [text(so)]);
                    }
                }
            }
            (None, None) => {}
        }
    }

    fn values(&mut self, was: Option<&Value>, is: Option<&Value>, place: &Place) {
        let lists = (was.map(Value::as_array), is.map(Value::as_array));
        match lists {
            (None, Some(Some(is))) => {
                let words = [text(" allows only ")].into_iter().chain(listed(is));
                self.tell(Effect::Stricter, place, words);
            }
            (Some(Some(was)), None) => {
                let words = [text(" is no longer limited to ")].into_iter().chain(listed(was));
                self.tell(Effect::Looser, place, words);
            }
            (Some(Some(was)), Some(Some(is))) => {
                let gone: Vec<_> = was.iter().filter(|value| !is.contains(value)).cloned().collect();
                let come: Vec<_> = is.iter().filter(|value| !was.contains(value)).cloned().collect();
                if !gone.is_empty() {
                    self.tell(Effect::Stricter, place, [text(" no longer allows ")].into_iter().chain(listed(&gone)));
                }
                if !come.is_empty() {
                    self.tell(Effect::Looser, place, [text(" now also allows ")].into_iter().chain(listed(&come)));
                }
                if gone.is_empty() && come.is_empty() {
                    self.tell(Effect::Neutral, place, [text(" allows the same values, listed in another order")]);
                }
            }
            _ => {}
        }
    }

    fn constant(&mut self, was: Option<&Value>, is: Option<&Value>, place: &Place) {
        match (was, is) {
            (None, Some(is)) => {
                self.tell(Effect::Stricter, place, [text(" must now be exactly "), value_words(is)]);
            }
            (Some(was), None) => {
                self.tell(Effect::Looser, place, [text(" need no longer be exactly "), value_words(was)]);
            }
            (Some(was), Some(is)) => {
                let words = [text(" must now be exactly "), value_words(is), text("; it was "), value_words(was)];
                self.tell(Effect::Changed, place, words);
            }
            (None, None) => {}
        }
    }

    fn format(&mut self, was: Option<&Value>, is: Option<&Value>, place: &Place) {
        match (was.and_then(Value::as_str), is.and_then(Value::as_str)) {
            (None, Some(is)) if was.is_none() => {
                self.tell(Effect::Stricter, place, [text(format!(" must now be {}", format_words(is)))]);
            }
            (Some(was), None) if is.is_none() => {
                self.tell(Effect::Looser, place, [text(format!(" need no longer be {}", format_words(was)))]);
            }
            (Some(was), Some(is)) => {
                let so = format!(" must now be {}; it was {}", format_words(is), format_words(was));
                self.tell(Effect::Changed, place, [text(so)]);
            }
            _ => {}
        }
    }

    fn unique_items(&mut self, was: Option<&Value>, is: Option<&Value>, place: &Place) {
        let on = |value: Option<&Value>| value == Some(&Value::Bool(true));
        match (on(was), on(is)) {
            (false, true) => self.tell(Effect::Stricter, place, [text(" must no longer hold an item twice")]),
            (true, false) => self.tell(Effect::Looser, place, [text(" may now hold an item twice")]),
            _ => self.tell(Effect::Neutral, place, [text(" may hold an item twice, which is written differently")]),
        }
    }

    fn limit(&mut self, keyword: &str, was: Option<&Value>, is: Option<&Value>, place: &Place) {
        let Some(limit) = LIMITS.iter().find(|limit| limit.keyword == keyword) else { return };
        let said = |value: &Value| format!("{} {value}{}", limit.words, limit.unit);
        match (was, is) {
            (None, Some(is)) => self.tell(Effect::Stricter, place, [text(format!(" must now {}", said(is)))]),
            (Some(was), None) => self.tell(Effect::Looser, place, [text(format!(" need no longer {}", said(was)))]),
            (Some(was), Some(is)) => {
                let effect = match (compare(was, is), limit.least) {
                    (Some(Ordering::Less), true) | (Some(Ordering::Greater), false) => Effect::Stricter,
                    (Some(Ordering::Greater), true) | (Some(Ordering::Less), false) => Effect::Looser,
                    (Some(Ordering::Equal), _) => Effect::Neutral,
                    (None, _) => Effect::Changed,
                };
                self.tell(effect, place, [text(format!(" must now {} (it was {was})", said(is)))]);
            }
            (None, None) => {}
        }
    }

    /// Fields that the contract does not name.
    fn others(&mut self, was: Option<&Value>, is: Option<&Value>, place: &Place) {
        let every = Value::Bool(true);
        let of = || [text("other fields of ")].into_iter().chain(place.name());
        match (was.unwrap_or(&every), is.unwrap_or(&every)) {
            (was, Value::Bool(false)) if *was != Value::Bool(false) => {
                let words = of().chain([text(" are no longer allowed")]).collect();
                self.say(place.effect(Effect::Stricter), place, words);
            }
            (Value::Bool(false), Value::Bool(true)) => {
                let words = of().chain([text(" are now allowed")]).collect();
                self.say(place.effect(Effect::Looser), place, words);
            }
            (was, is) if was == is => {
                let words = of().chain([text(" are allowed, which is written differently")]).collect();
                self.say(place.effect(Effect::Neutral), place, words);
            }
            (was, is) => self.schemas(was, is, &place.every()),
        }
    }

    fn items(&mut self, old: &Object, new: &Object, place: &Place) {
        // which items are meant depends on how many have a rule of their own
        let same = old.get("prefixItems") == new.get("prefixItems");
        let place = if same { place.every() } else { place.every().unsure() };
        let every = Value::Bool(true);
        self.schemas(old.get("items").unwrap_or(&every), new.get("items").unwrap_or(&every), &place);
    }

    fn list(&mut self, keyword: &str, was: Option<&Value>, is: Option<&Value>, place: &Place) {
        let (Some(was), Some(is)) = (was.and_then(Value::as_array), is.and_then(Value::as_array)) else { return };
        let positional = keyword == "prefixItems";
        if positional && was.len() != is.len() {
            return;
        }
        let sure = if keyword == "oneOf" { place.unsure() } else { place.clone() };
        for (at, (was, is)) in was.iter().zip(is).enumerate() {
            let place = if positional {
                sure.key(&at.to_string())
            } else {
                sure.form(vec![text(format!("form {} of ", at + 1)), quoted(keyword)])
            };
            self.schemas(was, is, &place);
        }
        let (fewer, more) = match keyword {
            "allOf" => (Effect::Looser, Effect::Stricter),
            "anyOf" => (Effect::Stricter, Effect::Looser),
            _ => (Effect::Changed, Effect::Changed),
        };
        for gone in was.iter().skip(is.len()) {
            let words = [text(" loses a form of "), quoted(keyword), text(": "), value_words(gone)];
            self.tell(fewer, place, words);
        }
        for come in is.iter().skip(was.len()) {
            let words = [text(" has another form of "), quoted(keyword), text(": "), value_words(come)];
            self.tell(more, place, words);
        }
    }

    fn definitions(&mut self, was: Option<&Value>, is: Option<&Value>, place: &Place) {
        let none = Map::new();
        let of = |value: Option<&'_ Value>| value.map_or(Some(none.clone()), |value| value.as_object().cloned());
        let (Some(was), Some(is)) = (of(was), of(is)) else { return };
        for name in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
            let at = Place { definition: Some(name.clone()), pointer: String::new(), field: None, ..place.clone() };
            match (was.get(name), is.get(name)) {
                (Some(was), Some(is)) => self.schemas(was, is, &at),
                (None, Some(is)) => {
                    let words = vec![text("a new definition "), quoted(name), text(format!(" ({})", kind(is)))];
                    self.say(place.remark(), &at, words);
                }
                (Some(_), None) => {
                    self.say(place.remark(), &at, vec![text("the definition "), quoted(name), text(" is gone")]);
                }
                (None, None) => {}
            }
        }
    }

    fn patterns(&mut self, old: &Object, new: &Object, place: &Place) {
        let (Some(was), Some(is)) = (fields(old, "patternProperties"), fields(new, "patternProperties")) else {
            return;
        };
        let open = |schema: &Object| matches!(schema.get("additionalProperties"), None | Some(Value::Bool(true)));
        let both_open = open(old) && open(new);
        for pattern in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
            let at = place.every().form(vec![text("where the name matches "), quoted(*pattern)]);
            match (was.get(pattern), is.get(pattern)) {
                (Some(was), Some(is)) => self.schemas(was, is, &at),
                (None, Some(is)) => {
                    let effect = if both_open { Effect::Stricter } else { Effect::Changed };
                    self.tell(effect, &at, [text(format!(" has a rule now: {}", kind(is)))]);
                }
                (Some(was), None) => {
                    let effect = if both_open { Effect::Looser } else { Effect::Changed };
                    self.tell(effect, &at, [text(format!(" has no rule any more; it was: {}", kind(was)))]);
                }
                (None, None) => {}
            }
        }
    }

    fn dependent(&mut self, was: Option<&Value>, is: Option<&Value>, place: &Place) {
        let (Some(Value::Object(was)), Some(Value::Object(is))) = (was, is) else { return };
        for key in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
            let at = place.form(vec![text("when it holds "), quoted(key)]);
            let every = Value::Bool(true);
            self.schemas(was.get(key).unwrap_or(&every), is.get(key).unwrap_or(&every), &at);
        }
    }

    /// Rules that hold another schema.
    fn inner(&mut self, keyword: &str, old: &Object, new: &Object, place: &Place) {
        let (Some(was), Some(is)) = (old.get(keyword), new.get(keyword)) else { return };
        let either = |other: &str| old.contains_key(other) || new.contains_key(other);
        let mut at = place.form(vec![text("in "), quoted(keyword)]);
        match keyword {
            "not" => at.turned = !at.turned,
            "contains" => at.sure &= !either("maxContains"),
            "then" | "else" => at.sure &= old.get("if") == new.get("if"),
            _ => {}
        }
        self.schemas(was, is, &at);
    }

    fn identifies(&mut self, was: Option<&Value>, is: Option<&Value>, place: &Place) {
        let by = |value: &Value| match value.as_str() {
            Some("email") => text("by e-mail address"),
            Some("phone") => text("by telephone number"),
            Some("id") => text("by number"),
            _ => value_words(value),
        };
        let words = match (was, is) {
            (None, Some(is)) => vec![text(" now identifies a person, "), by(is)],
            (Some(was), None) => vec![text(" no longer identifies a person; it did, "), by(was)],
            (Some(was), Some(is)) => vec![text(" identifies a person "), by(is), text("; it did so "), by(was)],
            (None, None) => return,
        };
        let words = place.name().into_iter().chain(words).collect();
        self.say(place.remark(), place, words);
    }
}

impl Place {
    /// What a change means that events do not feel. Where a reference may lead anywhere, it may lead here.
    fn remark(&self) -> Effect {
        if self.plain { Effect::Neutral } else { Effect::Changed }
    }

    fn called(&self) -> &str {
        self.field.as_ref().unwrap_or(&self.pointer)
    }
}

/// The names under `properties`, then and now.
struct FieldSets<'s> {
    old: BTreeSet<&'s str>,
    new: BTreeSet<&'s str>,
}

impl FieldSets<'_> {
    fn came(&self, key: &str) -> bool {
        self.new.contains(key) && !self.old.contains(key)
    }
}

fn names(schema: &Object) -> BTreeSet<&str> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|fields| fields.keys())
        .map(String::as_str)
        .collect()
}

/// A keyword that holds schemas by name: none of them when it is missing, nothing when it is something else.
fn fields<'s>(schema: &'s Object, keyword: &str) -> Option<BTreeMap<&'s String, &'s Value>> {
    match schema.get(keyword) {
        None => Some(BTreeMap::new()),
        Some(value) => Some(value.as_object()?.iter().collect()),
    }
}

/// A list of names, as a set; nothing when it is something else.
fn strings(value: Option<&Value>) -> Option<BTreeSet<&str>> {
    let Some(value) = value else { return Some(BTreeSet::new()) };
    value.as_array()?.iter().map(Value::as_str).collect()
}

/// What a field means for events that is described from now on; what held for it before held for any other field.
fn came(old: &Object, schema: &Value, required: bool) -> Effect {
    match old.get("additionalProperties").unwrap_or(&Value::Bool(true)) {
        Value::Bool(true) if required || !demands_nothing(schema) => Effect::Stricter,
        Value::Bool(true) => Effect::Neutral,
        Value::Bool(false) if !required && *schema != Value::Bool(false) => Effect::Looser,
        _ => Effect::Changed,
    }
}

/// What a field means for events that is no longer described.
fn went(new: &Object, schema: &Value) -> Effect {
    match new.get("additionalProperties").unwrap_or(&Value::Bool(true)) {
        Value::Bool(true) if demands_nothing(schema) => Effect::Neutral,
        Value::Bool(true) => Effect::Looser,
        Value::Bool(false) => Effect::Stricter,
        _ => Effect::Changed,
    }
}

fn demands_nothing(schema: &Value) -> bool {
    match schema {
        Value::Bool(all) => *all,
        Value::Object(rules) => rules.keys().all(|keyword| !KNOWN_RULES.contains(&keyword.as_str())),
        _ => false,
    }
}

/// The types that `type` names, or none when it is missing; nothing when it is something else.
#[expect(clippy::option_option, reason = "missing and unreadable are two things")]
fn types_of(value: Option<&Value>) -> Option<Option<BTreeSet<&str>>> {
    match value {
        None => Some(None),
        Some(value) => type_list(value).map(Some),
    }
}

fn covered(kind: &str, by: &BTreeSet<&str>) -> bool {
    by.contains(kind) || (kind == "integer" && by.contains("number"))
}

fn within(some: &BTreeSet<&str>, all: &BTreeSet<&str>) -> bool {
    some.iter().all(|kind| covered(kind, all))
}

fn type_words(types: &BTreeSet<&str>) -> String {
    let words: Vec<_> = ["string", "integer", "number", "boolean", "array", "object", "null"]
        .into_iter()
        .filter(|kind| types.contains(kind))
        .map(|kind| match kind {
            "string" => "a text".to_owned(),
            "integer" => "a whole number".to_owned(),
            "boolean" => "true or false".to_owned(),
            "array" => "a list".to_owned(),
            "null" => "null".to_owned(),
            other => article(other),
        })
        .collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => "nothing".to_owned(),
    }
}

struct Limit {
    keyword: &'static str,
    words: &'static str,
    unit: &'static str,
    /// Whether more of it is stricter.
    least: bool,
}

const fn limit(keyword: &'static str, words: &'static str, unit: &'static str, least: bool) -> Limit {
    Limit { keyword, words, unit, least }
}

const LIMITS: &[Limit] = &[
    limit("minimum", "be at least", "", true),
    limit("exclusiveMinimum", "be more than", "", true),
    limit("maximum", "be at most", "", false),
    limit("exclusiveMaximum", "be less than", "", false),
    limit("minLength", "be at least", " characters long", true),
    limit("maxLength", "be at most", " characters long", false),
    limit("minItems", "hold at least", " items", true),
    limit("maxItems", "hold at most", " items", false),
    limit("minProperties", "hold at least", " fields", true),
    limit("maxProperties", "hold at most", " fields", false),
];

/// Which of two numbers is the greater; whole ones exactly, however big.
fn compare(one: &Value, other: &Value) -> Option<Ordering> {
    let whole = |value: &Value| value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from));
    match (whole(one), whole(other)) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}
