//! When two values are the same. A text is trimmed and in lower case, a number is its digits and where its point is
//! (1, 1.0 and 1e0 are one number, and no digit of a long one is lost); truth values are themselves. What people type
//! may mean a text or a number: it finds both.
//!
//! The index holds digests. Only equality is ever asked of it, a digest is as short for a long value as for a short
//! one, and an index that is read by itself, in a backup or in a plan, shows nobody's address. It is no anonymity:
//! whoever guesses a value can check the guess, so rows are as personal as their events, and go with them.
use sha2::{Digest as _, Sha256};

use crate::{
    event_types::Pointer,
    ids::{EventTypeId, TenantId},
};

/// What stands in the index for a value.
pub(super) type Digest = [u8; 16];

/// A value in the form in which it is compared; none for what is not compared: null, objects and arrays.
pub(super) fn form(json: &str) -> Option<String> {
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str::<String>(json).ok().map(|text| text_form(&text)),
        b't' | b'f' => Some(format!("b{json}")),
        b'-' | b'0'..=b'9' => number_form(json),
        _ => None,
    }
}

/// What somebody looks for.
pub(super) struct Wanted {
    forms: Vec<String>,
}

impl Wanted {
    pub(super) fn of(typed: &str) -> Self {
        let typed = typed.trim();
        let lower = typed.to_lowercase();
        let other = if lower == "true" || lower == "false" { Some(format!("b{lower}")) } else { number_form(&lower) };
        Self { forms: std::iter::once(text_form(typed)).chain(other).collect() }
    }

    /// Whether what stands in an event is that.
    pub(super) fn is(&self, json: Option<&str>) -> bool {
        json.and_then(form).is_some_and(|form| self.forms.contains(&form))
    }

    /// What to ask the index for: as a text, and as anything else; twice the same when it can be a text alone.
    pub(super) fn digests(&self, of: &Of<'_>) -> [Digest; 2] {
        let first = self.forms.first().map(|form| of.digest(form)).unwrap_or_default();
        [first, self.forms.get(1).map_or(first, |form| of.digest(form))]
    }
}

/// Whose value it is: the same in two tenants, types or fields has nothing in common.
pub(super) struct Of<'f> {
    pub tenant: TenantId,
    pub event_type: EventTypeId,
    pub field: &'f Pointer,
}

impl Of<'_> {
    pub(super) fn digest(&self, form: &str) -> Digest {
        let mut hash = Sha256::new();
        hash.update(self.tenant.0.as_bytes());
        hash.update(self.event_type.0.as_bytes());
        hash.update((self.field.as_str().len() as u64).to_be_bytes());
        hash.update(self.field.as_str());
        hash.update(form);
        let whole: [u8; 32] = hash.finalize().into();
        std::array::from_fn(|at| whole[at])
    }

    /// The digest of what the field holds in an event, if it holds anything that is compared.
    pub(super) fn in_payload(&self, payload: &str) -> Option<Digest> {
        let form = form(self.field.in_text(payload)?)?;
        Some(self.digest(&form))
    }
}

fn text_form(text: &str) -> String {
    format!("s{}", text.trim().to_lowercase())
}

/// A number as sign, digits without zeros at either end, and a power of ten. None when it is no number of JSON.
fn number_form(text: &str) -> Option<String> {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (rest, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return Some("n0".into());
    }
    let zeros = i64::try_from(all.len() - all.trim_end_matches('0').len()).ok()?;
    let power = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(zeros)?;
    Some(format!("n{sign}{significant}e{power}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn same(typed: &str, json: &str) -> bool {
        Wanted::of(typed).is(Some(json))
    }

    #[test]
    fn what_people_type_finds_what_programs_write() {
        for (typed, json) in [
            ("jane@example.com", r#"" Jane@Example.com""#),
            ("ÄRGER", r#""ärger""#),
            ("1", "1.0"),
            ("1.0", "1"),
            ("1e0", "1"),
            ("100", "1e2"),
            ("-0.50", "-5e-1"),
            ("0", "-0.000"),
            ("9007199254740993", "9007199254740993"),
            ("123456789012345678901234567890", "123456789012345678901234567890.0"),
            ("A-1001", r#""A-1001""#),
            ("007", r#""007""#),
            ("7", r#""7""#),
            ("true", "true"),
            ("True", r#""TRUE""#),
            ("a\"b", r#""a\"\u0062""#),
        ] {
            assert!(same(typed, json), "{typed} finds {json}");
        }
        for (typed, json) in [
            ("9007199254740993", "9007199254740992"),
            ("7", r#""007""#),
            ("007", "7"),
            ("1", "true"),
            ("null", "null"),
            ("1.", "1"),
            ("", "0"),
            ("[1]", "[1]"),
            ("1", "10"),
            ("1", "-1"),
        ] {
            assert!(!same(typed, json), "{typed} does not find {json}");
        }
        assert_eq!(form("1e99999999999999999999"), None);
    }

    #[test]
    fn whose_it_is_is_a_part_of_the_digest() {
        let (field, other) = (Pointer::parse("a").unwrap(), Pointer::parse("ab").unwrap());
        let of = |tenant: u128, event_type: u128, field| Of {
            tenant: TenantId(uuid::Uuid::from_u128(tenant)),
            event_type: EventTypeId(uuid::Uuid::from_u128(event_type)),
            field,
        };
        let digest = of(1, 2, &field).digest("sbc");
        for differs in [of(9, 2, &field), of(1, 9, &field), of(1, 2, &other)] {
            assert_ne!(differs.digest("sbc"), digest);
        }
        assert_ne!(of(1, 2, &other).digest("sc"), digest);
        assert_eq!(of(1, 2, &field).in_payload(r#"{"a":" BC "}"#), Some(digest));
        assert_eq!(of(1, 2, &field).in_payload(r#"{"a":null}"#), None);
    }

    proptest! {
        #[test]
        fn every_number_finds_itself_however_it_is_written(n in any::<i64>(), zeros in 0_usize..5, shift in 0_i32..5) {
            let (plain, point) = (n.to_string(), format!("{n}.{}", "0".repeat(zeros + 1)));
            let shifted = format!("{n}{}e-{shift}", "0".repeat(usize::try_from(shift).unwrap()));
            prop_assert!(same(&plain, &point));
            prop_assert!(n == 0 || same(&point, &shifted));
            prop_assert!(!same(&plain, &n.wrapping_add(1).to_string()));
        }

        #[test]
        fn any_text_can_be_looked_for(typed in ".*", json in ".*") {
            let _ = same(&typed, &json);
            prop_assert!(typed.trim().is_empty() || same(&typed, &serde_json::to_string(&typed).unwrap()));
        }
    }
}
