//! The probe is held to the stand-in in all its variants.
use chrono::{Offset, TimeZone};
use serde_json::json;

use super::*;
use crate::{
    clock::Clock,
    http_client::Allowed,
    polling::definition::{Style, TimeFormat, testing},
    vendor::{self, Manner, Paging},
};

/// What the other side truly is like.
#[derive(Debug, Clone)]
struct Variant {
    bounds: [Bound; 2],
    precision: Precision,
    format: TimeFormat,
    /// How bounds are read, and what the definition takes that for.
    zones: Option<[Tz; 2]>,
    descending: bool,
    ignores: bool,
}

fn local(zone: Tz) -> TimeFormat {
    TimeFormat::Iso8601 { style: Style::Local, zone: Some(zone) }
}

fn variants() -> Vec<Variant> {
    let formats = [
        TimeFormat::default(),
        TimeFormat::Iso8601 { style: Style::Offset, zone: Some(Tz::Asia__Kolkata) },
        local(Tz::Europe__Berlin),
        TimeFormat::EpochSeconds,
        TimeFormat::EpochMilliseconds,
        TimeFormat::Pattern { pattern: "%d.%m.%Y %H:%M".into(), zone: Some(Tz::America__New_York) },
    ];
    let zones = [[Tz::Europe__Berlin, Tz::UTC], [Tz::UTC, Tz::America__St_Johns]];
    let mut all = Vec::new();
    for from in [Bound::Inclusive, Bound::Exclusive] {
        for until in [Bound::Inclusive, Bound::Exclusive] {
            for precision in Precision::ALL {
                for descending in [false, true] {
                    let of = |format: &TimeFormat, zones| Variant {
                        bounds: [from, until],
                        precision,
                        format: format.clone(),
                        zones,
                        descending,
                        ignores: false,
                    };
                    all.extend(formats.iter().map(|format| of(format, None)));
                    all.extend(zones.iter().map(|zones| of(&TimeFormat::default(), Some(*zones))));
                    let ignores = formats.iter().map(|format| Variant { ignores: true, ..of(format, None) });
                    all.extend(ignores.filter(|_| precision == Precision::Second && from == until));
                }
            }
        }
    }
    all
}

async fn probe(variant: &Variant) -> Findings {
    let [reads, taken_for] = variant.zones.map_or([None, None], |zones| zones.map(|zone| Some(local(zone))));
    let manner = Manner {
        records: 160,
        // summer, when clocks do not change
        start: "2026-05-20T10:20:30.400Z".parse().unwrap(),
        step: variant.precision.span() * 2 / 5,
        paging: Paging::Next,
        size: 40,
        bounds: variant.bounds,
        precision: variant.precision,
        format: variant.format.clone(),
        reads,
        descending: variant.descending,
        ignores: variant.ignores,
        ..Manner::default()
    };
    let all = Window::new(manner.start - TimeDelta::days(40), manner.start + TimeDelta::days(200));
    let running = vendor::start("127.0.0.1:0".parse().unwrap(), manner, Clock::system()).await.unwrap();
    let client = Client::new(Allowed::new(&[running.address.to_string()]), Clock::system());
    let asks = taken_for.unwrap_or_else(|| variant.format.clone());
    let changes = json!({
        "window": {"parameters": {"from": "{from}", "until": "{until}"}, "format": asks, "precision": "second"},
        "recordTime": {"pointer": "/changed", "format": variant.format},
        "pages": {"kind": "nextInBody", "path": "$.meta.next"},
    });
    let definition = testing::definition(&running.url(), changes);
    boundary(&client, &definition, None, all).await.unwrap()
}

/// How far the bounds lie behind the record's own time, in minutes.
fn shift(variant: &Variant) -> i64 {
    let Some([reads, taken_for]) = variant.zones else { return 0 };
    let summer = "2026-06-01T00:00:00".parse().unwrap();
    let ahead = |zone: Tz| i64::from(zone.offset_from_utc_datetime(&summer).fix().local_minus_utc());
    (ahead(reads) - ahead(taken_for)) / 60
}

#[tokio::test]
async fn the_boundary_of_every_variant_is_found_and_no_wrong_one_is_called_certain() {
    let (mut verdicts, mut right, mut asked, mut wrong) = (0_u32, 0_u32, 0, Vec::new());
    let all = variants();
    for variant in &all {
        let found = probe(variant).await;
        asked += found.requests;
        // what it keeps more finely than it can be asked for, nobody can know: that must not be called certain
        let can_be_known = variant.precision.span() >= variant.format.granule();
        let precision = Precision::ALL.into_iter().find(|one| one.span() >= variant.format.granule());
        let precision = variant.precision.max(precision.unwrap());
        let order = if variant.descending { Order::Descending } else { Order::Ascending };
        let mut tell = |what: &str, is_right: bool, sureness: Sureness, is_bound: bool| {
            verdicts += 1;
            right += u32::from(is_right);
            assert!(
                is_right || !is_bound || sureness != Sureness::Certain,
                "wrong and certain: {what} {variant:?} {found:?}"
            );
            if !is_right {
                wrong.push(format!("{what} of {variant:?}: {found:?}"));
            }
        };
        tell("obeys", found.obeys.value == Some(!variant.ignores), found.obeys.sureness, true);
        tell("precision", found.precision.value == Some(precision), found.precision.sureness, false);
        tell("order", found.order.value == Some(order), found.order.sureness, false);
        for (verdict, bound) in [(&found.from_bound, variant.bounds[0]), (&found.until_bound, variant.bounds[1])] {
            let is_right = if variant.ignores {
                verdict.value.is_none()
            } else {
                verdict.value == Some(bound) || (!can_be_known && verdict.sureness != Sureness::Certain)
            };
            tell("bound", is_right, verdict.sureness, true);
        }
        let offset = (!variant.ignores).then(|| shift(variant));
        tell("offset", found.offset_minutes.value == offset, found.offset_minutes.sureness, true);
    }
    let share = f64::from(right) * 100.0 / f64::from(verdicts);
    println!("{} variants, {verdicts} verdicts: {share:.2} % right, by {} requests each", all.len(), asked / all.len());
    assert!(share >= 95.0, "{share:.2} % right; wrong: {}", wrong.join("\n"));
}
