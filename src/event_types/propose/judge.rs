//! From what was seen to what is proposed.
use super::{
    Proposed, Type,
    gather::{Seen, Texts},
    words::Words,
};
use crate::event_types::field::{Format, Identifies};

/// A set of texts is called closed when it is no larger than this,
const MOST_ALLOWED: usize = 12;
/// no text in it longer than this,
const LONGEST_ALLOWED: usize = 40;
/// each was seen this often,
const LEAST_EACH: u64 = 2;
/// and so many were seen in all, at least and for each member (in tenths): less for a field whose name speaks of a
/// closed set, as `status` does.
const ENOUGH_BY_NAME: (u64, u64) = (6, 25);
const ENOUGH_WITHOUT: (u64, u64) = (24, 60);
/// Yes and no are a closed set by themselves.
const ANSWERS: [&str; 8] = ["ja", "nee", "yes", "no", "j", "n", "y", "true"];

/// From so many objects on, keys that are rarely the same are data and not names.
const DATA_FROM: u64 = 3;
const DATA_KEYS: usize = 8;

/// The fields of the event.
pub(super) fn fields(event: &Seen) -> Vec<Proposed> {
    let mut fields = of_object(event, &Around::default());
    for by in [Identifies::Email, Identifies::Phone] {
        if is_known(&fields, by, true) {
            forget(&mut fields, by, true);
        }
    }
    fields
}

/// Whether the person themselves can be reached: by a field of the event, or of an object named after a person.
fn is_known(fields: &[Proposed], by: Identifies, of_the_person: bool) -> bool {
    fields.iter().any(|field| {
        of_the_person && field.identifies == Some(by)
            || is_known(below(field), by, Words::of(&field.name).is_a_person())
    })
}

/// Then whoever else can be reached (a hotel, a trainer, whom a parcel goes to) is somebody else.
fn forget(fields: &mut [Proposed], by: Identifies, of_the_person: bool) {
    for field in fields {
        if !of_the_person && field.identifies == Some(by) {
            field.identifies = None;
        }
        let is_person = Words::of(&field.name).is_a_person();
        forget(&mut field.fields, by, is_person);
        if let Some(each) = &mut field.each {
            forget(&mut each.fields, by, is_person);
        }
    }
}

fn below(field: &Proposed) -> &[Proposed] {
    field.each.as_ref().map_or(&field.fields, |each| &each.fields)
}

/// What a field's surroundings tell about it.
#[derive(Clone, Default)]
struct Around {
    /// The names of what it stands in, the outermost first.
    within: Vec<Words>,
    /// Whether a field beside it, or around it, speaks of members and points.
    loyalty: bool,
}

fn of_object(object: &Seen, around: &Around) -> Vec<Proposed> {
    if keys_are_data(object) {
        return Vec::new();
    }
    let names: Vec<Words> = object.fields.iter().map(|(name, _)| Words::of(name)).collect();
    let mut around = around.clone();
    around.loyalty |= names.iter().filter(|name| !name.is_a_cards_number()).any(Words::speaks_of_loyalty);
    let fields = object.fields.iter().zip(&names);
    fields.map(|((name, seen), words)| one(name, words, seen, object.objects, &around)).collect()
}

/// Whether an object is a list in disguise, with keys such as `2026-01-31` or `exp-104`.
fn keys_are_data(object: &Seen) -> bool {
    if object.overflowed {
        return true;
    }
    let keys = &object.fields;
    let is_data = |key: &str| {
        !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit())
            || Format::Uuid.takes(key)
            || Format::Date.takes(key)
    };
    if keys.len() >= 2 && keys.iter().all(|(key, _)| is_data(key)) {
        return true;
    }
    let present: u64 = keys.iter().map(|(_, seen)| seen.count).sum();
    let places = object.objects * keys.len() as u64;
    object.objects >= DATA_FROM && keys.len() >= DATA_KEYS && present * 3 < places
}

fn one(name: &str, words: &Words, seen: &Seen, of: u64, around: &Around) -> Proposed {
    let types = types(seen, words);
    let only_text = types == [Type::String];
    let other_party = words.is_another_party() || around.within.iter().any(Words::is_another_party);
    let format = only_text.then(|| format(&seen.texts, words)).flatten();
    let mut below = around.clone();
    below.within.push(words.clone());
    let allowed = if only_text && format.is_none() { allowed(&seen.texts, words) } else { Vec::new() };
    Proposed {
        name: name.to_owned(),
        nullable: seen.nulls > 0,
        format,
        allowed,
        required: seen.count >= of,
        identifies: if other_party { None } else { identifies(words, seen, &types, format, around) },
        seen: seen.count.min(of),
        of,
        examples: seen.examples.clone(),
        notes: notes(seen, &types, format),
        fields: if seen.objects > 0 { of_object(seen, &below) } else { Vec::new() },
        each: seen.each.as_deref().map(|each| {
            let item = one("", words, each, each.count, &below);
            Box::new(Proposed { identifies: None, required: false, ..item })
        }),
        types,
    }
}

fn types(seen: &Seen, words: &Words) -> Vec<Type> {
    let whole = seen.integers > 0 && seen.fractions == 0 && !words.is_amount();
    let number = seen.integers + seen.fractions > 0 && !whole;
    let found = [
        (whole, Type::Integer),
        (number, Type::Number),
        (seen.texts.count > 0, Type::String),
        (seen.booleans > 0, Type::Boolean),
        (seen.arrays > 0, Type::Array),
        (seen.objects > 0, Type::Object),
    ];
    found.into_iter().filter(|(is, _)| *is).map(|(_, kind)| kind).collect()
}

fn format(texts: &Texts, words: &Words) -> Option<Format> {
    texts.formats.iter().copied().find(|format| match format {
        // digits alone are not a telephone number: order numbers and bar codes are digits too
        Format::Phone => words.speaks_of_phone() || texts.pluses == texts.count,
        _ => true,
    })
}

fn allowed(texts: &Texts, words: &Words) -> Vec<String> {
    let Some(known) = texts.known.as_ref().filter(|known| (2..=MOST_ALLOWED).contains(&known.len())) else {
        return Vec::new();
    };
    let values = || known.keys().map(String::as_str);
    let answers = values().all(|value| ANSWERS.contains(&value.to_lowercase().as_str()) || value == "false");
    let (least, each) = if words.is_closed() { ENOUGH_BY_NAME } else { ENOUGH_WITHOUT };
    let enough = texts.count >= least
        && texts.count * 10 >= each * known.len() as u64
        && known.values().all(|count| *count >= LEAST_EACH);
    let open = words.is_open() && !words.is_closed();
    if (answers && texts.count >= 3) || (enough && !open && values().all(is_a_word)) {
        // the most frequent first
        let mut values: Vec<_> = known.iter().collect();
        values.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        return values.into_iter().map(|(value, _)| value.clone()).collect();
    }
    Vec::new()
}

/// Whether a text is one that somebody chose for a set: a word or some, and not a number or an address.
fn is_a_word(text: &str) -> bool {
    let mut letters = text.chars();
    letters.any(char::is_alphabetic)
        && text.chars().count() <= LONGEST_ALLOWED
        && !text.chars().any(|c| c.is_ascii_digit() || c.is_control() || "@:/".contains(c))
        && text.split_whitespace().count() <= 4
}

fn identifies(
    words: &Words,
    seen: &Seen,
    types: &[Type],
    format: Option<Format>,
    around: &Around,
) -> Option<Identifies> {
    if !matches!(types, [Type::String | Type::Integer]) {
        return None;
    }
    let within_a_person = around.within.last().is_some_and(Words::is_a_person);
    let number = words.is_a_persons_number()
        || words.is_a_number() && within_a_person
        || words.is_a_cards_number() && around.loyalty;
    if format == Some(Format::Email) || words.speaks_of_email() && seen.examples.iter().any(|text| text.contains('@')) {
        return Some(Identifies::Email);
    }
    let calls = seen.integers > 0 || seen.texts.phones * 2 > seen.texts.count;
    if format == Some(Format::Phone) || words.speaks_of_phone() && calls {
        return Some(Identifies::Phone);
    }
    number.then_some(Identifies::Id)
}

fn notes(seen: &Seen, types: &[Type], format: Option<Format>) -> Vec<&'static str> {
    let texts = &seen.texts;
    let mut notes = Vec::new();
    let mut note = |is: bool, words| {
        if is {
            notes.push(words);
        }
    };
    note(types.is_empty() && seen.nulls > 0, "only null was seen, so any value is allowed");
    note(types.len() > 1, "values of several types");
    note(texts.empty > 0, "sometimes empty");
    note(
        texts.days_first > 0 && format.is_none(),
        "day-month-year dates: kept as text, only 2026-01-31 can be checked",
    );
    note(texts.zoneless > 0 && format.is_none(), "times without a zone: kept as text");
    note(texts.commas > 0, "decimal commas: kept as text");
    note(texts.zeros > 0 && format.is_none(), "leading zeros: kept as text");
    note(seen.objects > 0 && keys_are_data(seen), "its keys look like data, so its fields are left open");
    notes
}
